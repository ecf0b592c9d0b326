//! Reading the fleet, and planning for it.

use std::collections::BTreeMap;

use futures::StreamExt;
use jiff::Timestamp;

use crate::aws::{Account, ReadingsAsked};
use crate::cli::Error;
use crate::cli::draft::needs;
use crate::cli::session::Session;
use crate::exit::Exit;
use crate::model::{AccountId, Asked, Coverage, Inventory, Read, Readings, Scope};
use crate::plan::{Plan, ScopePlan};
use crate::policy::Policy;
use crate::remediate::{Planner, Wants};
use crate::scan::{Outcome, Prospect, Scanned};

/// How many scopes are asked at once for what only plans need.
const SIDE_BY_SIDE: usize = 8;

/// A plan, and how far what it is made from could be read.
pub struct Made {
    pub plan: Plan,
    /// What could not be read, or not all of it.
    pub holes: Vec<Coverage>,
    /// How the reading ended.
    pub outcome: Outcome,
}

impl Made {
    /// How a run ends that goes no further.
    pub fn exit(&self) -> Exit {
        if !self.holes.is_empty() {
            Exit::Incomplete
        } else if self.plan.scopes.is_empty() {
            Exit::Success
        } else {
            Exit::Findings
        }
    }
}

/// Reads what the flags mean, and plans for it.
pub async fn make(session: &mut Session, planner: &Planner<'_>, policies: &[Policy]) -> Result<Made, Error> {
    let needs = needs(policies, false);
    let prospects = session.prospects.clone();
    let (mut wrong, mut holes) = (Vec::new(), Vec::new());
    let sink = |scanned| match scanned {
        Scanned::Read(inventory) => {
            let inventory = inventory.narrowed(needs);
            if inventory.coverage.has_holes() {
                holes.push(inventory.coverage.clone());
            }
            let draft = planner.plan(&inventory, &nothing_read());
            if !(draft.steps.is_empty() && draft.manual.is_empty() && draft.skipped.is_empty()) {
                wrong.push(inventory);
            }
        }
        Scanned::Unread(coverage) if coverage.has_holes() => holes.push(coverage),
        Scanned::Unread(_) => {}
    };
    let outcome = session.scan(|_| true, &Asked::from(needs), sink).await?;
    if outcome.interrupted() {
        return Err(Error::Interrupted("there was a plan; nothing was changed"));
    }
    let mut accounts = BTreeMap::new();
    for inventory in &wrong {
        let id = &inventory.scope.account_id;
        if !accounts.contains_key(id) {
            accounts.insert(id.clone(), account(&prospects, id).await);
        }
    }
    let scopes = futures::stream::iter(wrong).map(|inventory| {
        let account = accounts.get(&inventory.scope.account_id).and_then(Option::as_ref);
        Box::pin(plan(planner, inventory, account))
    });
    let scopes: Vec<ScopePlan> = scopes.buffered(SIDE_BY_SIDE).collect().await;
    Ok(Made { plan: planner.assemble(scopes, Timestamp::now()), holes, outcome })
}

async fn plan(planner: &Planner<'_>, inventory: Inventory, account: Option<&Account>) -> ScopePlan {
    let wants = planner.wants(&inventory);
    let readings = match account {
        _ if wants == Wants::default() => nothing_read(),
        Some(account) => read(account, &inventory.scope, wants).await,
        None => unreadable(&wants),
    };
    planner.plan(&inventory, &readings)
}

async fn read(account: &Account, scope: &Scope, wants: Wants) -> Readings {
    let asked = ReadingsAsked { groups: wants.groups, instances: wants.instances, now: Timestamp::now() };
    account.readings(scope, &asked).await
}

/// Signs in again where a session of a role was read with.
async fn account(prospects: &[Prospect], id: &AccountId) -> Option<Account> {
    let prospect = prospects.iter().find(|prospect| prospect.account_id == *id)?;
    let account = prospect.account().await?;
    match account {
        Ok(account) => Some(account),
        Err(error) => {
            tracing::warn!("account {id} cannot be asked what plans need: {error}");
            None
        }
    }
}

fn nothing_read() -> Readings {
    Readings { fleets: Read::NotAsked, termination_hooks: BTreeMap::new(), token_use: BTreeMap::new() }
}

fn unreadable(wants: &Wants) -> Readings {
    Readings {
        fleets: Read::Failed,
        termination_hooks: wants.groups.iter().map(|group| (group.clone(), Read::Failed)).collect(),
        token_use: wants.instances.iter().map(|id| (id.clone(), Read::Failed)).collect(),
    }
}
