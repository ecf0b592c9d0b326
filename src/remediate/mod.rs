//! Planning: from what is wrong to what would be changed, in which order and on what conditions.
//!
//! Pure: an inventory, its readings, policies, a day and the user's choices make a plan, and the same always make the
//! same. The rules are these.
//!
//! - The owner of an option decides. What EKS or Karpenter owns is never written; what an infrastructure tool owns is
//!   left to it; what cannot be changed says so.
//! - A patched version is the version in use with what the policies need and nothing else. One patch for a version,
//!   however many hang on it and whatever asks it.
//! - What follows `$Latest` or `$Default` changes without being asked. Nothing may change so that no finding asks to.
//! - Every finding ends in one place: served by steps, left to a person, or skipped with the reason.
//!
//! [`Planner::wants`] says what to read besides the inventory, and [`Planner::plan`] plans one account and Region.

mod account;
mod consumers;
mod drafts;
mod gate;
mod live;
mod manual;
mod patch;
mod risks;
mod rollout;
mod route;
mod rules;
mod scene;
mod scope;
mod snippets;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::model::{InstanceId, Inventory, Read, Readings};
use crate::plan::{Action, Choices, Plan, PolicyServed, SCHEMA, ScopePlan};
use crate::policy::{Evaluator, Policy};

pub use rules::Contradiction;

use scene::Scene;

/// Plans changes.
pub struct Planner<'p> {
    policies: &'p [Policy],
    evaluator: Evaluator<'p>,
    choices: Choices,
}

/// What a plan needs to be read besides the inventory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Auto Scaling groups whose lifecycle hooks matter.
    pub groups: Vec<String>,
    /// Instances of which it matters how they ask their metadata service.
    pub instances: Vec<InstanceId>,
    /// Whether it matters which fleets there are.
    pub fleets: bool,
}

impl<'p> Planner<'p> {
    /// Plans for `policies`, on a day in UTC. Two rules that contradict each other cannot be planned for together.
    pub fn new(policies: &'p [Policy], today: Date, choices: Choices) -> Result<Self, Contradiction> {
        match rules::contradiction(policies) {
            Some(contradiction) => Err(contradiction),
            None => Ok(Self { policies, evaluator: Evaluator::new(policies, today), choices }),
        }
    }

    /// What has to be read before a plan of this inventory is worth anything.
    pub fn wants(&self, inventory: &Inventory) -> Wants {
        let nothing = Readings {
            fleets: Read::NotAsked,
            termination_hooks: BTreeMap::new(),
            token_use: BTreeMap::new(),
        };
        let scene = Scene::new(&self.evaluator, self.policies, &self.choices, inventory, &nothing);
        let (_, drafts) = scope::plan(&scene);
        let mut groups = BTreeSet::new();
        let mut instances = BTreeSet::new();
        for draft in &drafts {
            instances.extend(draft.instances.iter().cloned());
            if let Action::RefreshInstances { group, .. } = &draft.step.action {
                groups.insert(group.clone());
            }
        }
        let makes = |action: &Action| matches!(action, Action::CreateTemplateVersion { .. });
        Wants {
            groups: groups.into_iter().collect(),
            instances: instances.into_iter().collect(),
            fleets: drafts.iter().any(|draft| makes(&draft.step.action)),
        }
    }

    /// Plans for one account in one Region.
    pub fn plan(&self, inventory: &Inventory, readings: &Readings) -> ScopePlan {
        let scene = Scene::new(&self.evaluator, self.policies, &self.choices, inventory, readings);
        let (mut plan, _) = scope::plan(&scene);
        plan.risks.extend(risks::of_live(plan.steps.iter().map(|step| &step.action)));
        plan
    }

    /// Puts the plans of scopes together. Those of scopes in which nothing is wrong are left out.
    pub fn assemble(&self, scopes: impl IntoIterator<Item = ScopePlan>, made_at: Timestamp) -> Plan {
        let mut scopes: Vec<_> = scopes.into_iter().filter(|scope| !is_empty(scope)).collect();
        scopes.sort_by(|one, other| {
            let key = |plan: &ScopePlan| (plan.scope.account_id.clone(), plan.scope.region.clone());
            key(one).cmp(&key(other))
        });
        let mut policies: Vec<_> = self.policies.iter().map(served).collect();
        policies.sort_by(|one, other| one.name.cmp(&other.name));
        Plan {
            schema: SCHEMA.to_owned(),
            tool: "imdsctl".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            made_at,
            choices: self.choices.clone(),
            policies,
            scopes,
        }
    }
}

fn is_empty(plan: &ScopePlan) -> bool {
    plan.steps.is_empty() && plan.manual.is_empty() && plan.skipped.is_empty()
}

fn served(policy: &Policy) -> PolicyServed {
    PolicyServed { name: policy.name.clone(), version: policy.version.clone(), sha256: policy.sha256.clone() }
}
