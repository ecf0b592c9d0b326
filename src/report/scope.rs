//! What a report says of one account in one Region, besides its findings.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Coverage, Inventory};

/// One account in one Region: how far it was read, and all that is needed to put its part into another report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScopeReport {
    /// How far it was read.
    #[serde(flatten)]
    pub coverage: Coverage,
    /// What there is, and how it fares.
    pub counts: ScopeCounts,
    /// The exemptions that covered something here, as `policy/exemption`.
    pub exemptions_used: BTreeSet<String>,
}

impl ScopeReport {
    /// A scope that was not read.
    pub fn unread(coverage: Coverage) -> Self {
        Self { coverage, counts: ScopeCounts::default(), exemptions_used: BTreeSet::new() }
    }
}

/// The counts of one scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScopeCounts {
    /// EKS clusters.
    pub clusters: u64,
    /// Managed node groups.
    pub node_groups: u64,
    /// Auto Scaling groups of clusters, those of managed node groups included; with `--all-instances` all of them.
    pub auto_scaling_groups: u64,
    /// Launch templates that were read.
    pub launch_templates: u64,
    /// Instances that are nodes; with `--all-instances` all of them.
    pub instances: u64,
    /// Fargate profiles. Their pods have no instance metadata service.
    pub fargate_profiles: u64,
    /// Images of nodes and templates.
    pub images: u64,
    /// Judgements (resource × policy × rule) that passed, whether they are among the findings or not.
    pub passed: u64,
    /// Judgements that failed.
    pub failed: u64,
    /// Judgements that would fail, were they not exempt.
    pub exempt: u64,
    /// Judgements that could not be made.
    pub unknown: u64,
    /// Judgements without meaning, whether they are among the findings or not.
    pub not_applicable: u64,
}

impl ScopeCounts {
    /// Counts what an inventory holds. Nothing of it is judged yet.
    pub fn of(inventory: &Inventory, groups: u64) -> Self {
        Self {
            clusters: inventory.clusters.len() as u64,
            node_groups: inventory.node_groups.len() as u64,
            auto_scaling_groups: groups,
            launch_templates: inventory.launch_templates.len() as u64,
            instances: inventory.instances.len() as u64,
            fargate_profiles: inventory.clusters.iter().map(|cluster| cluster.fargate_profiles).sum(),
            images: inventory.images.len() as u64,
            ..Self::default()
        }
    }
}
