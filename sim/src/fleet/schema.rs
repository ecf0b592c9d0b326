//! What a fleet file may say. `sim/README.md` is its reference.
//!
//! Every type refuses keys that it does not know. Types are written as well as read: that is how `repeat` makes
//! its copies.

use serde::{Deserialize, Serialize};

use super::repeat::Repeat;
use crate::world::{
    AccountDefaults, HealthIssue, ImageStatus, InstanceRequirements, InstanceState, MetadataOptions, Switch,
    Tags, Tokens,
};

/// A fleet file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetFile {
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    /// The moment at which the fleet looks as described; every date comes from it.
    #[serde(default = "default_now")]
    pub now: jiff::Timestamp,
    #[serde(default)]
    pub settings: Settings,
    #[serde(default)]
    pub faults: Vec<FaultSpec>,
    /// Images that every Region of every account may name.
    #[serde(default)]
    pub images: Vec<ImageSpec>,
    pub accounts: Vec<AccountSpec>,
}

fn default_now() -> jiff::Timestamp {
    // Sunday, 15 November 2026, 09:00 UTC.
    jiff::Timestamp::constant(1_794_733_200, 0)
}

/// How the simulator behaves, whatever is in the fleet.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Every answer takes this long.
    #[serde(default)]
    pub latency_ms: u64,
    /// Every first page is empty and has a token for the next.
    #[serde(default)]
    pub empty_pages: bool,
    /// `DescribeInstanceImageMetadata` lists hidden instances, which is not documented either way.
    #[serde(default)]
    pub image_metadata_lists_hidden: bool,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The service refuses, with its own code.
    AccessDenied,
    /// A failure of the service's.
    InternalError,
    /// Too many requests.
    Throttled,
    /// The credentials ran out.
    ExpiredToken,
    /// No answer, ever.
    Hang,
    /// The connection is closed without an answer.
    Reset,
    /// A web page with status 500, as a load balancer or a proxy would send.
    #[serde(rename = "html_500")]
    Html500,
    /// The connection closes in the middle of the answer.
    TruncatedBody,
}

/// A scripted fault.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    #[serde(default)]
    pub account: Option<String>,
    #[serde(default)]
    pub region: Option<String>,
    /// `eks:ListClusters`; globs work.
    pub operation: String,
    pub error: FaultKind,
    /// Afterwards it works again.
    #[serde(default)]
    pub times: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountSpec {
    pub id: String,
    pub name: String,
    #[serde(default = "default_partition")]
    pub partition: String,
    pub access_keys: Vec<KeySpec>,
    /// Regions that the account opted in to; those in `regions` need not be listed.
    #[serde(default)]
    pub opted_in: Vec<String>,
    #[serde(default)]
    pub regions: Vec<RegionSpec>,
    #[serde(default)]
    pub repeat: Option<Repeat>,
}

fn default_partition() -> String {
    "aws".to_owned()
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySpec {
    pub id: String,
    #[serde(default = "default_user")]
    pub user: String,
    #[serde(default)]
    pub expired: bool,
}

fn default_user() -> String {
    "auditor".to_owned()
}

/// One or several Regions that hold the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionSpec {
    pub names: Vec<String>,
    #[serde(default)]
    pub account_defaults: AccountDefaults,
    #[serde(default)]
    pub images: Vec<ImageSpec>,
    #[serde(default)]
    pub launch_templates: Vec<TemplateSpec>,
    #[serde(default)]
    pub launch_configurations: Vec<LaunchConfigurationSpec>,
    #[serde(default)]
    pub clusters: Vec<ClusterSpec>,
    /// Groups that have nothing to do with EKS.
    #[serde(default)]
    pub groups: Vec<GroupSpec>,
    /// Instances that have nothing to do with EKS.
    #[serde(default)]
    pub instances: Vec<InstanceSpec>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageSpec {
    /// How the fleet names it.
    pub key: String,
    /// How AWS names it.
    pub name: String,
    /// The account itself where it is absent.
    #[serde(default)]
    pub owner: Option<String>,
    #[serde(default)]
    pub owner_alias: Option<String>,
    #[serde(default)]
    pub imds_v2: bool,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub tags: Tags,
    /// Another image, by key or from the catalogue.
    #[serde(default)]
    pub source_image: Option<String>,
    #[serde(default = "default_architecture")]
    pub architecture: String,
    #[serde(default)]
    pub windows: bool,
    #[serde(default)]
    pub public: bool,
    #[serde(default)]
    pub status: ImageStatus,
}

fn default_architecture() -> String {
    "x86_64".to_owned()
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateSpec {
    pub name: String,
    pub versions: Vec<VersionSpec>,
    #[serde(default)]
    pub default_version: Option<u64>,
    #[serde(default)]
    pub tags: Tags,
    #[serde(default)]
    pub created_by: Option<String>,
    /// Used by groups and instances, and gone since.
    #[serde(default)]
    pub deleted: bool,
    #[serde(default)]
    pub repeat: Option<Repeat>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionSpec {
    #[serde(default)]
    pub description: Option<String>,
    /// An image, or `ssm:` and an image for a parameter that holds it.
    #[serde(default)]
    pub image: Option<String>,
    #[serde(default)]
    pub instance_type: Option<String>,
    #[serde(default)]
    pub metadata_options: Option<MetadataOptions>,
    #[serde(default)]
    pub user_data: Option<String>,
    #[serde(default)]
    pub key_name: Option<String>,
    /// Tags for instances.
    #[serde(default)]
    pub tags: Tags,
    #[serde(default)]
    pub deleted: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaunchConfigurationSpec {
    pub name: String,
    pub image: String,
    #[serde(default)]
    pub instance_type: Option<String>,
    #[serde(default)]
    pub metadata_options: Option<MetadataOptions>,
    #[serde(default)]
    pub deleted: bool,
    #[serde(default)]
    pub repeat: Option<Repeat>,
}

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

/// What may differ in the nodes of anything that has nodes.
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

fn one() -> u32 {
    1
}
