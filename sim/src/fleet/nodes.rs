//! Clusters, groups and nodes, as a fleet file describes them.

use serde::{Deserialize, Serialize};

use super::repeat::Repeat;
use crate::world::{
    FleetType, HealthIssue, InstanceRequirements, InstanceState, MetadataOptions, RefreshFailure, Switch,
    Tags, Tokens, UpdateFailure,
};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterSpec {
    pub name: String,
    #[serde(default = "default_kubernetes")]
    pub version: String,
    #[serde(default = "default_status")]
    pub status: String,
    #[serde(default)]
    pub tags: Tags,
    /// Its nodes run, and EKS no longer knows it.
    #[serde(default)]
    pub deleted: bool,
    #[serde(default)]
    pub node_groups: Vec<NodeGroupSpec>,
    #[serde(default)]
    pub self_managed: Vec<GroupSpec>,
    #[serde(default)]
    pub karpenter: Vec<KarpenterSpec>,
    #[serde(default)]
    pub auto_mode: Option<AutoModeSpec>,
    #[serde(default)]
    pub standalone: Vec<InstanceSpec>,
    #[serde(default)]
    pub fargate_profiles: Vec<String>,
    #[serde(default)]
    pub repeat: Option<Repeat>,
}

fn default_kubernetes() -> String {
    "1.33".to_owned()
}

fn default_status() -> String {
    "ACTIVE".to_owned()
}

/// A launch template by name, in a version: a number, `$Latest` or `$Default`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateUse {
    pub name: String,
    #[serde(default = "default_version")]
    pub version: String,
}

fn default_version() -> String {
    "$Default".to_owned()
}

/// Nodes of a group that were launched before it was moved to its present version.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OlderNodes {
    pub count: u32,
    pub version: String,
}

/// Instances that someone changed after launch.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    pub count: u32,
    #[serde(default)]
    pub http_tokens: Option<Tokens>,
    #[serde(default)]
    pub hop_limit: Option<u8>,
    #[serde(default)]
    pub http_endpoint: Option<Switch>,
    #[serde(default)]
    pub http_protocol_ipv6: Option<Switch>,
    #[serde(default)]
    pub instance_metadata_tags: Option<Switch>,
    #[serde(default)]
    pub state: Option<InstanceState>,
}

/// A managed node group.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeGroupSpec {
    pub name: String,
    #[serde(default)]
    pub template: Option<TemplateUse>,
    #[serde(default)]
    pub ami_type: Option<String>,
    /// The date of the EKS image, `20261105`.
    #[serde(default)]
    pub release: Option<String>,
    /// The nodes' Kubernetes version; the cluster's where it is absent.
    #[serde(default)]
    pub version: Option<String>,
    #[serde(default)]
    pub instance_types: Vec<String>,
    #[serde(default)]
    pub spot: bool,
    pub nodes: u32,
    #[serde(default)]
    pub min: Option<u32>,
    #[serde(default)]
    pub max: Option<u32>,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub health: Vec<HealthIssue>,
    #[serde(default)]
    pub tags: Tags,
    #[serde(default)]
    pub labels: Tags,
    #[serde(default)]
    pub launched_from: Vec<OlderNodes>,
    /// Someone deleted the template that EKS owns.
    #[serde(default)]
    pub eks_copy_deleted: bool,
    /// A pod disruption budget never lets a pod go.
    #[serde(default)]
    pub blocks_eviction: bool,
    #[serde(default)]
    pub update_fails: Option<UpdateFailure>,
    #[serde(default)]
    pub drift: Vec<Drift>,
    #[serde(default)]
    pub without_tags: Vec<String>,
    #[serde(default)]
    pub repeat: Option<Repeat>,
}

/// An Auto Scaling group that EKS does not manage.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSpec {
    pub name: String,
    #[serde(default)]
    pub template: Option<TemplateUse>,
    #[serde(default)]
    pub launch_configuration: Option<String>,
    #[serde(default)]
    pub mixed: Option<MixedSpec>,
    #[serde(default)]
    pub instance_type: Option<String>,
    pub nodes: u32,
    #[serde(default)]
    pub min: Option<u32>,
    #[serde(default)]
    pub max: Option<u32>,
    #[serde(default)]
    pub tags: Tags,
    #[serde(default)]
    pub launched_from: Vec<OlderNodes>,
    #[serde(default)]
    pub warm_pool: Option<WarmPoolSpec>,
    #[serde(default)]
    pub lifecycle_hooks: Vec<HookSpec>,
    /// So many of its nodes are protected from scale-in, the first ones.
    #[serde(default)]
    pub protected: u32,
    /// So many of its nodes are in standby, the last ones.
    #[serde(default)]
    pub standby: u32,
    #[serde(default)]
    pub refresh_fails: Option<RefreshFailure>,
    #[serde(default)]
    pub drift: Vec<Drift>,
    #[serde(default)]
    pub without_tags: Vec<String>,
    #[serde(default)]
    pub repeat: Option<Repeat>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixedSpec {
    pub overrides: Vec<OverrideSpec>,
    #[serde(default)]
    pub on_demand_base: u32,
    #[serde(default = "default_percent")]
    pub on_demand_percent: u32,
}

fn default_percent() -> u32 {
    100
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideSpec {
    #[serde(default)]
    pub instance_type: Option<String>,
    #[serde(default)]
    pub requirements: Option<InstanceRequirements>,
    #[serde(default)]
    pub template: Option<TemplateUse>,
    #[serde(default)]
    pub weight: Option<u32>,
}

/// A lifecycle hook of a group.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookSpec {
    pub name: String,
    #[serde(default)]
    pub transition: Transition,
    #[serde(default = "default_heartbeat")]
    pub heartbeat_timeout: u32,
    #[serde(default = "default_result")]
    pub default_result: String,
}

/// What a lifecycle hook is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transition {
    /// Instances that come.
    Launching,
    /// Instances that go.
    #[default]
    Terminating,
}

fn default_heartbeat() -> u32 {
    300
}

fn default_result() -> String {
    "CONTINUE".to_owned()
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarmPoolSpec {
    pub nodes: u32,
    #[serde(default)]
    pub min_size: u32,
    #[serde(default = "default_pool_state")]
    pub state: String,
}

fn default_pool_state() -> String {
    "Stopped".to_owned()
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KarpenterSpec {
    pub node_pool: String,
    #[serde(default = "default_node_class")]
    pub node_class: String,
    #[serde(default)]
    pub image: Option<String>,
    /// What the `EC2NodeClass` says; Karpenter 1.0's own defaults fill what is absent.
    #[serde(default)]
    pub metadata_options: MetadataOptions,
    #[serde(default)]
    pub instance_types: Vec<String>,
    #[serde(default)]
    pub spot: bool,
    pub nodes: u32,
    /// Karpenter deleted the template, as it does after a while; the nodes live on.
    #[serde(default)]
    pub template_deleted: bool,
    #[serde(default)]
    pub drift: Vec<Drift>,
    #[serde(default)]
    pub without_tags: Vec<String>,
    #[serde(default)]
    pub repeat: Option<Repeat>,
}

fn default_node_class() -> String {
    "default".to_owned()
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoModeSpec {
    pub nodes: u32,
    #[serde(default = "default_node_pools")]
    pub node_pools: Vec<String>,
    #[serde(default)]
    pub instance_types: Vec<String>,
}

fn default_node_pools() -> Vec<String> {
    vec!["general-purpose".to_owned(), "system".to_owned()]
}

/// Instances that no group launched.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceSpec {
    pub name: String,
    #[serde(default)]
    pub image: Option<String>,
    #[serde(default)]
    pub template: Option<TemplateUse>,
    #[serde(default)]
    pub instance_type: Option<String>,
    /// What the `RunInstances` call said.
    #[serde(default)]
    pub metadata_options: MetadataOptions,
    #[serde(default = "one")]
    pub nodes: u32,
    #[serde(default)]
    pub tags: Tags,
    #[serde(default)]
    pub drift: Vec<Drift>,
    #[serde(default)]
    pub without_tags: Vec<String>,
    #[serde(default)]
    pub repeat: Option<Repeat>,
}

/// An EC2 Fleet or a Spot Fleet request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetSpec {
    pub name: String,
    #[serde(default, rename = "type")]
    pub kind: FleetType,
    #[serde(default = "active")]
    pub state: String,
    /// The first one launches its instances.
    pub templates: Vec<FleetTemplateSpec>,
    #[serde(default)]
    pub nodes: u32,
    #[serde(default)]
    pub on_demand: bool,
    #[serde(default)]
    pub tags: Tags,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetTemplateSpec {
    pub name: String,
    #[serde(default = "default_version")]
    pub version: String,
    #[serde(default)]
    pub instance_types: Vec<String>,
}

fn active() -> String {
    "active".to_owned()
}

fn one() -> u32 {
    1
}
