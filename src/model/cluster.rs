//! EKS clusters and managed node groups.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Arn, Tags, TemplateRef};

/// An EKS cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cluster {
    /// Its name, unique in an account and Region.
    pub name: String,
    /// Its ARN.
    pub arn: Arn,
    /// How many Fargate profiles it has. Fargate pods have no instance metadata service.
    pub fargate_profiles: u64,
}

/// An EKS managed node group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeGroup {
    /// Its name, unique in its cluster.
    pub name: String,
    /// The cluster's name.
    pub cluster: String,
    /// Its ARN, where it could be described.
    pub arn: Option<Arn>,
    /// Whether EKS described it. If not, all that is known comes from its Auto Scaling group's tags.
    pub described: bool,
    /// EKS's AMI type, such as `AL2023_x86_64_STANDARD` or `CUSTOM`.
    pub ami_type: Option<String>,
    /// The AMI release it runs.
    pub release_version: Option<String>,
    /// The Kubernetes version it runs.
    pub version: Option<String>,
    /// EKS's status, such as `ACTIVE` or `DEGRADED`.
    pub status: Option<String>,
    /// The template that the user made it with. EKS launches from a copy of it.
    pub template: Option<TemplateRef>,
    /// The Auto Scaling groups that EKS made for it.
    pub auto_scaling_groups: Vec<String>,
    /// Its tags; they do not reach its instances.
    pub tags: Tags,
}
