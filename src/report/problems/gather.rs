//! From findings to what is kept of them, a scope at a time.

use std::collections::HashMap;

use super::cause::Cause;
use super::facts::Facts;
use super::{Key, group_of, is_node};
use crate::finding::{Finding, ResourceType};

/// A group of a scope, by its type and its id.
type Group = (ResourceType, String);

/// Stands for every cause in the keys of groups.
const ANY: Cause = Cause::AccountDefault;

/// What is kept of all findings, by what they have in common.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    done: HashMap<Key, Facts>,
    scope: Scope,
}

/// The scope whose findings are being added. Its nodes wait until all its groups are known.
#[derive(Debug, Default)]
struct Scope {
    /// Why the groups are wrong, by what else their findings have in common with those of their nodes.
    causes: HashMap<(Key, Group), Cause>,
    /// Nodes by their own cause and their group; no group where they differ from what it launches.
    nodes: HashMap<(Key, Option<Group>), Facts>,
}

impl Gathered {
    /// Adds a finding, which stands in this place of the report. Those of a scope stand together.
    pub fn add(&mut self, finding: &Finding, at: u64) {
        let own = Key::new(finding, Cause::of(finding));
        if !is_node(finding) {
            let group = (finding.resource.r#type, finding.resource.id.clone());
            self.scope.causes.insert((own.with(ANY), group), own.cause.clone());
            self.done.entry(own).or_default().add(finding, at);
        } else if Cause::is_drift(finding) {
            let drift = own.with(Cause::Drift(finding.cluster.clone()));
            self.done.entry(drift).or_default().add(finding, at);
        } else {
            self.scope.nodes.entry((own, group_of(finding))).or_default().add(finding, at);
        }
    }

    /// Puts the nodes of a scope to their groups, when all of it was added.
    pub fn end_scope(&mut self) {
        let Scope { causes, nodes } = std::mem::take(&mut self.scope);
        for ((own, group), facts) in nodes {
            let cause = group.and_then(|group| causes.get(&(own.with(ANY), group)).cloned());
            let key = match cause {
                Some(cause) => own.with(cause),
                None => own,
            };
            self.done.entry(key).or_default().absorb(facts);
        }
    }

    /// All of it.
    pub fn finish(mut self) -> impl Iterator<Item = (Key, Facts)> {
        self.end_scope();
        self.done.into_iter()
    }
}
