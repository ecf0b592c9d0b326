//! One resource explained: its lineage stage by stage, its options with what decided each, the rules on them,
//! and the fixes.
//!
//! An [`Explanation`] is built from one inventory alone and holds no reference to it, so that a scan can drop the
//! inventory and go on. It is also what `-o json` writes, member for member: `docs/explain.md` describes each, and the
//! JSON Schema in `reports/schema/` is generated from these types. Sentences in it may hold text from outside; who shows them makes that harmless.

mod build;
mod members;
mod query;
mod stages;

#[cfg(test)]
mod tests;

pub use build::explain;
pub use query::{BadQuery, Kind, Query};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::finding::{Expectation, FixKind, ManagedBy, Source, Status};
use crate::model::{OptionName, OptionValue, ReadError, Scope};

/// What is known of one resource.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Explanation {
    /// Where it is.
    #[serde(flatten)]
    pub scope: Scope,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// Its name, where it has one beside its id.
    pub name: Option<String>,
    /// The cluster that it serves.
    pub cluster: Option<String>,
    /// What manages its nodes.
    pub managed_by: Option<ManagedBy>,
    /// How its options come to be, from the account's default down to itself.
    pub lineage: Vec<Link>,
    /// Its options: one set for an instance, one for each way that a next node may come to be.
    pub ways: Vec<Way>,
    /// For a cluster what belongs to it, for a template who launches from it, for a group its own nodes.
    pub members: Vec<Member>,
    /// What to do about what is wrong, in the order it is done.
    pub fixes: Vec<Step>,
    /// What else to know, a sentence each.
    pub notes: Vec<String>,
    /// The calls that failed where it was read: what is missing above may be behind them.
    #[serde(rename = "errors")]
    pub unread: Vec<ReadError>,
}

impl Explanation {
    /// What its instances are called: nodes where they are of a cluster.
    pub const fn noun(&self) -> &'static str {
        let of_cluster = matches!(self.kind, Kind::Cluster | Kind::NodeGroup) || self.cluster.is_some();
        if of_cluster || self.managed_by_karpenter() { "node" } else { "instance" }
    }

    const fn managed_by_karpenter(&self) -> bool {
        matches!(self.managed_by, Some(ManagedBy::Karpenter))
    }

    /// The order in which several are shown, whatever order they were read in.
    pub fn cmp_shown(&self, other: &Self) -> std::cmp::Ordering {
        let key = |one: &Self| (one.kind, one.scope.clone(), one.id.clone());
        key(self).cmp(&key(other))
    }
}

/// A step of a lineage.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// All nodes come by it.
    #[serde(rename = "stage")]
    One(Stage),
    /// Each node comes by one of these.
    Ways(Vec<Vec<Stage>>),
}

/// A place that has a say in the options.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Stage {
    /// What it is.
    pub kind: StageKind,
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The version in use.
    pub version: Option<i64>,
    /// What it says about the options.
    pub says: Says,
    /// What else to know about it, a few words each.
    pub facts: Vec<String>,
}

/// What a stage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageKind {
    /// The account's default for the Region.
    AccountDefault,
    /// The image.
    Image,
    /// A launch template of the user's.
    LaunchTemplate,
    /// EKS's copy of the user's template, or the one that it generated.
    EksTemplate,
    /// Karpenter's `EC2NodeClass`.
    NodeClass,
    /// A template that Karpenter made from it.
    KarpenterTemplate,
    /// A launch configuration.
    LaunchConfiguration,
    /// EKS Auto Mode.
    AutoMode,
    /// An Auto Scaling group.
    AutoScalingGroup,
    /// A managed node group.
    NodeGroup,
    /// The instance.
    Instance,
}

/// Some of the options, and a value for each.
pub type Values = BTreeMap<OptionName, OptionValue>;

/// What a stage says about the options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind", content = "options")]
pub enum Says {
    /// It has no say of its own.
    Nothing,
    /// It sets or, as an image does, asks for these; perhaps none.
    Sets(Values),
    /// It repeats what stands before it, and adds these; perhaps none.
    Adds(Values),
    /// It differs from what stands before it in these.
    Differs(Values),
    /// It could not be read.
    Unread,
    /// It no longer exists.
    Gone,
}

/// The options of a node, existing or to come.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Way {
    /// Whose they are.
    pub title: String,
    /// All five, in the order of the contract.
    pub options: Vec<OptionLine>,
}

/// One option: its value, what decided it, and how it fares.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OptionLine {
    /// The option.
    pub option: OptionName,
    /// Its value; none where it could not be resolved.
    pub value: Option<OptionValue>,
    /// What decided it. For an instance what did when it was launched, if that gave the value that it has.
    pub source: Source,
    /// The rules on it.
    pub checks: Vec<Check>,
}

/// A rule on an option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// The policy's name.
    pub policy: String,
    /// The rule's id.
    pub rule: String,
    /// What it asks.
    pub expected: Expectation,
    /// What came of it.
    pub status: Status,
}

/// A fix, with all that the findings it mends say about it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Step {
    /// What is done.
    pub kind: FixKind,
    /// The id of what has to change.
    pub target: Option<String>,
    /// Its name, where it has one beside its id.
    pub target_name: Option<String>,
    /// Whether imdsctl may do it.
    pub automatic: bool,
    /// What to know about it, a sentence each.
    pub notes: Vec<String>,
}

/// A group or a node that belongs to something, in one line.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Member {
    /// What it is.
    #[serde(flatten)]
    pub kind: MemberKind,
    /// Its id.
    pub id: String,
    /// Its name, where it has one beside its id.
    pub name: Option<String>,
    /// The cluster that it serves.
    pub cluster: Option<String>,
    /// Where it is listed as launching from a template: the version that it takes.
    pub version: Option<i64>,
    /// How many nodes it has.
    pub nodes: u64,
    /// How many of them fail now.
    pub failing: u64,
    /// How many cannot be told.
    pub unknown: u64,
    /// How its next node fares; none where there is no next, or no rule is for it.
    pub next: Option<Status>,
    /// The rules that it or its nodes break, or may.
    pub rules: Vec<String>,
    /// Whether any rule is for it or its nodes.
    pub judged: bool,
}

impl Member {
    /// What its instances are called: nodes where they are of a cluster.
    pub const fn noun(&self) -> &'static str {
        let other = self.cluster.is_none() && matches!(self.kind, MemberKind::AutoScalingGroup);
        if other { "instance" } else { "node" }
    }
}

/// What a member is; in the order they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind", content = "managed_by")]
pub enum MemberKind {
    /// A managed node group.
    NodeGroup,
    /// An Auto Scaling group of the user's own.
    AutoScalingGroup,
    /// A template of Karpenter's, with the nodes launched from it.
    Karpenter,
    /// Nodes of no group that is shown, by what manages them.
    Nodes(ManagedBy),
}
