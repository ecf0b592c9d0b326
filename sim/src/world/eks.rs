//! Clusters and managed node groups.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Tags, Update, UpdateFailure};

/// One cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// `1.33`.
    pub version: String,
    /// `ACTIVE` and others.
    pub status: String,
    /// When, in seconds since 1970.
    pub created: i64,
    /// Tags.
    pub tags: Tags,
    /// `vpc-…`.
    pub vpc: String,
    /// `subnet-…`.
    pub subnets: Vec<String>,
    /// `sg-…`.
    pub security_group: String,
    /// The node pools of EKS Auto Mode, where it is on.
    pub auto_mode: Option<Vec<String>>,
    /// By name.
    pub node_groups: BTreeMap<String, NodeGroup>,
    /// Names.
    pub fargate_profiles: Vec<String>,
}

/// How large a node group is and may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScalingConfig {
    /// At least so many.
    pub min: u32,
    /// At most so many.
    pub max: u32,
    /// So many.
    pub desired: u32,
}

/// A template of a node group, as EKS stored it: the version is a number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateReference {
    /// `lt-…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The number of the version.
    pub version: u64,
}

/// Something that EKS does not like about a node group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthIssue {
    /// `Ec2LaunchTemplateNotFound` and others.
    pub code: String,
    /// In words.
    pub message: String,
    /// What it is about.
    #[serde(default)]
    pub resource_ids: Vec<String>,
}

/// One managed node group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeGroup {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// `AL2023_x86_64_STANDARD`, `CUSTOM` and others.
    pub ami_type: String,
    /// `1.33`; not for `CUSTOM`.
    pub version: Option<String>,
    /// `1.33.5-20261105`, or an image id for `CUSTOM`.
    pub release_version: String,
    /// `ACTIVE` and others.
    pub status: String,
    /// `ON_DEMAND` or `SPOT`.
    pub capacity_type: String,
    /// When, in seconds since 1970.
    pub created: i64,
    /// Its size.
    pub scaling: ScalingConfig,
    /// Empty where the user's template names one.
    pub instance_types: Vec<String>,
    /// `subnet-…`.
    pub subnets: Vec<String>,
    /// The ARN of the nodes' role.
    pub node_role: String,
    /// Kubernetes labels.
    pub labels: Tags,
    /// Tags.
    pub tags: Tags,
    /// The user's template, if it was made with one.
    pub template: Option<TemplateReference>,
    /// The name of its Auto Scaling group.
    pub group: String,
    /// What EKS does not like, as the fleet says.
    pub health: Vec<HealthIssue>,
    /// EKS's own template, in the version that the group has to launch from.
    pub copy: TemplateReference,
    /// Every update since the fleet was made, the oldest first.
    pub updates: Vec<Update>,
    /// A pod disruption budget never lets a pod go.
    pub blocks_eviction: bool,
    /// How its updates go wrong.
    pub update_fails: Option<UpdateFailure>,
}
