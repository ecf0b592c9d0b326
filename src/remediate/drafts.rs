//! Steps in the making: in which order they stand, what they wait for, and what holds them back.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::{InstanceId, Scope};
use crate::plan::{Action, Block, Change, Reach, Step, StepId, TokenUseSum};

/// When a step is taken, seen from afar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Groups are held at what they launch from.
    Hold,
    /// Versions are made.
    Create,
    /// Defaults move.
    Default,
    /// Groups and nodes follow.
    Rollout,
    /// Instances that are not replaced.
    Live,
    /// The account.
    Account,
}

/// A step in the making.
#[derive(Clone, Debug)]
pub struct Draft {
    pub stage: Stage,
    pub step: Step,
    /// The instances that it reaches, now or by what replaces them.
    pub instances: Vec<InstanceId>,
    /// What must not happen at the same time: a cluster, or a template.
    pub lane: Option<String>,
    /// Why it is not worth taking where nothing that waits for it is taken.
    pub idle: Option<String>,
}

impl Draft {
    pub fn new(stage: Stage, id: StepId, action: Action) -> Self {
        let step = Step::new(id, action);
        Self { stage, step, instances: Vec::new(), lane: None, idle: None }
    }

    #[must_use]
    pub fn after(mut self, ids: impl IntoIterator<Item = StepId>) -> Self {
        self.step.after.extend(ids);
        self
    }

    #[must_use]
    pub fn changes(mut self, changes: Vec<Change>) -> Self {
        self.step.changes = changes;
        self
    }

    #[must_use]
    pub fn reach(mut self, replaced: u64, changed: u64, clusters: Vec<String>) -> Self {
        self.step.reach = Reach { replaced, changed, clusters };
        self.step.reach.clusters.sort();
        self.step.reach.clusters.dedup();
        self
    }

    #[must_use]
    pub fn blocked(mut self, blocks: Vec<Block>, token_use: Option<TokenUseSum>) -> Self {
        self.step.blocked = join(blocks);
        self.step.token_use = token_use;
        self
    }

    #[must_use]
    pub fn instances(mut self, instances: Vec<InstanceId>) -> Self {
        self.instances = instances;
        self
    }

    #[must_use]
    pub fn idle(mut self, why: Option<String>) -> Self {
        self.idle = why;
        self
    }

    #[must_use]
    pub fn lane(mut self, lane: Option<String>) -> Self {
        self.lane = lane;
        self
    }
}

/// The name of a step: where it is, what it does and to what.
pub fn step_id(scope: &Scope, what: &str, target: &str) -> StepId {
    StepId(format!("{}/{}/{what}/{target}", scope.account_id, scope.region))
}

/// One block for several: all of them have to be lifted.
pub fn join(mut blocks: Vec<Block>) -> Option<Block> {
    blocks.dedup();
    let whys: Vec<_> = blocks.iter().map(|block| block.why.as_str()).collect();
    let why = whys.join("; ");
    let unless: Option<Vec<&str>> = blocks.iter().map(|block| block.unless.as_deref()).collect();
    let unless = unless.map(|mut flags| {
        flags.sort_unstable();
        flags.dedup();
        flags.join(" ")
    });
    (!blocks.is_empty()).then_some(Block { why, unless })
}

/// All steps of a scope.
#[derive(Default)]
pub struct Drafts {
    all: Vec<Draft>,
    by_id: HashMap<StepId, usize>,
}

impl Drafts {
    pub fn add(&mut self, draft: Draft) -> StepId {
        let id = draft.step.id.clone();
        self.by_id.insert(id.clone(), self.all.len());
        self.all.push(draft);
        id
    }

    pub fn get(&self, id: &StepId) -> Option<&Draft> {
        self.by_id.get(id).map(|at| &self.all[*at])
    }

    fn get_mut(&mut self, id: &StepId) -> Option<&mut Draft> {
        self.by_id.get(id).map(|at| &mut self.all[*at])
    }

    /// Why a step will not be done, by itself or since one that it waits for will not.
    pub fn block(&self, id: &StepId) -> Option<Block> {
        let draft = self.get(id)?;
        draft.step.blocked.clone().or_else(|| self.block_of(&draft.step.after))
    }

    /// Why one of several steps will not be done, as said of what waits for it.
    pub fn block_of(&self, ids: &[StepId]) -> Option<Block> {
        ids.iter().find_map(|id| self.block(id)).map(|block| {
            // Once is enough, however long the way.
            let why =
                if block.why.starts_with(WAITS) { block.why } else { format!("{WAITS}: {}", block.why) };
            Block { why, ..block }
        })
    }

    /// Says that a step has another to wait for.
    pub fn wait(&mut self, id: &StepId, first: StepId) {
        if let Some(draft) = self.get_mut(id) {
            draft.step.after.push(first);
        }
    }

    /// Says that a step serves a finding.
    pub fn serve(&mut self, id: &StepId, finding: Option<String>) {
        if let Some(draft) = self.get_mut(id) {
            draft.step.findings.extend(finding);
        }
    }

    fn rest_where_nothing_follows(&mut self) {
        let awaited: BTreeSet<StepId> = self
            .all
            .iter()
            .filter(|draft| draft.step.blocked.is_none())
            .flat_map(|draft| draft.step.after.iter().cloned())
            .collect();
        for draft in self.all.iter_mut().filter(|draft| draft.step.blocked.is_none()) {
            if let Some(why) = draft.idle.take().filter(|_| !awaited.contains(&draft.step.id)) {
                draft.step.blocked = Some(Block { why, unless: None });
            }
        }
    }

    /// In order, each after what it waits for; those that share a lane one after the other.
    pub fn finish(mut self) -> Vec<Draft> {
        let blocks: Vec<_> = self.all.iter().map(|draft| self.block(&draft.step.id)).collect();
        for (draft, block) in self.all.iter_mut().zip(blocks) {
            draft.step.blocked = block;
        }
        self.rest_where_nothing_follows();
        self.all.sort_by_key(|draft| draft.stage);
        let mut last: BTreeMap<String, StepId> = BTreeMap::new();
        for draft in self.all.iter_mut().filter(|draft| draft.step.blocked.is_none()) {
            let Some(lane) = draft.lane.take() else { continue };
            if let Some(before) = last.insert(lane, draft.step.id.clone()) {
                draft.step.after.push(before);
            }
        }
        for draft in &mut self.all {
            let after: BTreeSet<_> = draft.step.after.drain(..).collect();
            draft.step.after = after.into_iter().collect();
            draft.step.findings.sort();
            draft.step.findings.dedup();
        }
        self.all
    }
}

/// How the block of a step begins that waits for another.
const WAITS: &str = "it waits for a step that is blocked";
