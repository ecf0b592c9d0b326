//! Things that take time, without a clock.
//!
//! Whatever is in progress goes through stages. A request that describes it shows where it is; having been looked
//! at, it moves on. So a client that polls sees every stage, nobody waits for anything, and every run is the same.
//! How often a stage is seen is the fleet's setting `looks_per_stage`; with 0 everything is done at once.
//!
//! To add something: a variant of [`Thing`], its [`crate::world::Progress`] in the world, `call.saw(…)` in the
//! operation that describes it, and what one look does to it in [`look`].

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::fleet::schema::Settings;
use crate::world::{InstanceId, Region};

/// Something that can be in progress.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// New metadata options of an instance, which are `pending` before they are `applied`.
    MetadataOptions(InstanceId),
    /// The update of a managed node group, which replaces its nodes in phases.
    NodeGroupUpdate {
        /// The cluster's name.
        cluster: String,
        /// The node group's name.
        node_group: String,
    },
    /// The instance refresh of a group, by the group's name.
    InstanceRefresh(String),
}

/// What a request has seen in progress.
#[derive(Debug, Default)]
pub struct Watch(RefCell<BTreeSet<Thing>>);

impl Watch {
    /// This has been seen; once is as good as twice.
    pub fn saw(&self, thing: Thing) {
        self.0.borrow_mut().insert(thing);
    }

    /// Everything that has been seen.
    pub fn into_things(self) -> BTreeSet<Thing> {
        self.0.into_inner()
    }
}

/// When something changes, and how: what a change needs to know besides the Region itself.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'w> {
    /// How the simulator behaves.
    pub settings: &'w Settings,
    /// What time it is in the fleet, in seconds since 1970.
    pub now: i64,
}

/// Something has been looked at once.
pub fn look(scene: Scene<'_>, region: &mut Region, thing: &Thing) {
    match thing {
        Thing::MetadataOptions(id) => {
            if let Some(instance) = region.instances.iter_mut().find(|instance| instance.id == *id) {
                instance.settling = instance.settling.saturating_sub(1);
            }
        }
        Thing::NodeGroupUpdate { cluster, node_group } => {
            region.look_at_update(cluster, node_group, scene.settings.looks_per_stage, scene.now);
        }
        Thing::InstanceRefresh(group) => {
            region.look_at_refresh(group, scene.settings.looks_per_stage, scene.now);
        }
    }
}
