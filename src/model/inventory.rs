//! All that was read of one account in one Region.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AutoScalingGroup, Cluster, Coverage, CoverageStatus, Image, ImageId, Instance, InstanceId,
    LaunchConfiguration, LaunchTemplate, MetadataOptions, NodeGroup, ReadError, Scope, TemplateId,
    TemplateRef,
};

/// What was read of one account in one Region, and how complete that is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Inventory {
    /// Where.
    pub scope: Scope,
    /// How far it could be read.
    pub coverage: Coverage,
    /// Whether there is a trace of EKS. Where there is none, only what shows that is read, unless more is asked for.
    pub traces: bool,
    /// EKS clusters.
    pub clusters: Vec<Cluster>,
    /// Managed node groups.
    pub node_groups: Vec<NodeGroup>,
    /// Auto Scaling groups, of EKS or not.
    pub auto_scaling_groups: Vec<AutoScalingGroup>,
    /// Launch configurations that groups of clusters, and of `others`, use, by name.
    pub launch_configurations: BTreeMap<String, LaunchConfiguration>,
    /// Launch templates of the Region, by id.
    pub launch_templates: BTreeMap<TemplateId, LaunchTemplate>,
    /// Whether the templates were read. Where not, one that is missing above may well exist.
    pub templates_read: bool,
    /// Instances that are nodes, and those of `others`.
    pub instances: Vec<Instance>,
    /// Images of the instances, templates and launch configurations, by id.
    pub images: BTreeMap<ImageId, Image>,
    /// Those of the images that nothing of a cluster needs, and templates by themselves do.
    pub images_of_templates: BTreeSet<ImageId>,
    /// What of all this belongs to no cluster, and was asked for all the same.
    #[serde(default)]
    pub others: Others,
    /// The account's defaults for new instances in this Region.
    pub account_defaults: Read<AccountDefaults>,
}

impl Inventory {
    /// An inventory of nothing.
    pub fn empty(scope: Scope, coverage: Coverage) -> Self {
        Self {
            scope,
            coverage,
            traces: false,
            clusters: Vec::new(),
            node_groups: Vec::new(),
            auto_scaling_groups: Vec::new(),
            launch_configurations: BTreeMap::new(),
            launch_templates: BTreeMap::new(),
            templates_read: false,
            instances: Vec::new(),
            images: BTreeMap::new(),
            images_of_templates: BTreeSet::new(),
            others: Others::default(),
            account_defaults: Read::NotAsked,
        }
    }

    /// Whether all clusters were listed. Where not, one that is missing may well exist.
    pub fn clusters_read(&self) -> bool {
        let unread = matches!(self.coverage.status, CoverageStatus::Failed | CoverageStatus::Skipped);
        let unlisted = |error: &ReadError| error.service == "eks" && error.operation == "ListClusters";
        !unread && !self.coverage.errors.iter().any(unlisted)
    }

    /// The template that a reference means.
    pub fn template(&self, reference: &TemplateRef) -> Option<&LaunchTemplate> {
        match (&reference.id, &reference.name) {
            (Some(id), _) => self.launch_templates.get(id),
            (None, Some(name)) => self.launch_templates.values().find(|template| template.name == *name),
            (None, None) => None,
        }
    }
}

/// What an inventory holds besides what belongs to clusters, because all instances were asked for, or one of them by
/// its name. Without it an inventory is what it would be had they not been: see [`Inventory::narrowed`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Others {
    /// Auto Scaling groups that are judged whether or not they serve a cluster.
    pub groups: BTreeSet<String>,
    /// Instances that are no nodes.
    pub instances: BTreeSet<InstanceId>,
    /// Launch configurations that only groups of no cluster use.
    pub launch_configurations: BTreeSet<String>,
    /// Versions of templates that only groups of no cluster launch from, and that are neither default nor latest.
    pub template_versions: BTreeSet<(TemplateId, i64)>,
    /// Images that nothing of a cluster needs, or that only an instance of no cluster tells of.
    pub images: BTreeSet<ImageId>,
}

/// Something that was read, could not be read, or was not needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Read<T> {
    /// It was read.
    Known(T),
    /// It was asked for, and the call failed.
    Failed,
    /// Nothing in this scope depends on it, so it was not asked for.
    NotAsked,
}

impl<T> Read<T> {
    /// The value, where it was read.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Failed | Self::NotAsked => None,
        }
    }
}

/// The account's metadata defaults for new instances, in one Region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountDefaults {
    /// The defaults; an option without a preference is not set. There is none for IPv6.
    pub metadata: MetadataOptions,
    /// Whether launches that would make tokens optional are refused (`HttpTokensEnforced`).
    pub tokens_enforced: bool,
    /// Whether a declarative policy of the organisation holds them, so that the account cannot change them.
    pub managed_by_policy: bool,
    /// What that policy tells those who try.
    pub exception_message: Option<String>,
}
