//! What rollouts did to nodes: for tests that want to know whether any went with its pods.

use crate::world::World;

/// How many instances of a group were terminated since the fleet was made, and how they went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupTurnover {
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The group's name.
    pub group: String,
    /// Their pods had been evicted before, or a lifecycle hook gave someone the time to do it.
    pub drained: u32,
    /// Their pods went with them.
    pub undrained: u32,
}

/// Every group that lost an instance.
pub fn of(world: &World) -> Vec<GroupTurnover> {
    let mut all = Vec::new();
    for account in world.accounts.values() {
        for (region, inside) in &account.regions {
            let lost = inside.groups.values().filter(|group| group.turnover.has_lost());
            all.extend(lost.map(|group| GroupTurnover {
                account: account.id.clone(),
                region: region.clone(),
                group: group.name.clone(),
                drained: group.turnover.drained,
                undrained: group.turnover.undrained,
            }));
        }
    }
    all
}
