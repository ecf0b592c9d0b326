//! Auto Scaling groups and launch configurations.

use serde::{Deserialize, Serialize};

use super::{InstanceId, Launching, MetadataOptions, Refresh, RefreshFailure, Turnover};

/// A launch template as a group names it: by id and name, and by a version that is resolved at launch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateSpecification {
    /// `lt-…`; the template may be gone.
    pub id: String,
    /// Its name.
    pub name: String,
    /// A number, `$Latest` or `$Default`.
    pub version: String,
}

/// What a group asks of an instance type instead of naming one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceRequirements {
    /// Virtual CPUs, at least.
    pub vcpus_min: u32,
    /// Virtual CPUs, at most.
    #[serde(default)]
    pub vcpus_max: Option<u32>,
    /// MiB, at least.
    pub memory_mib_min: u32,
    /// MiB, at most.
    #[serde(default)]
    pub memory_mib_max: Option<u32>,
}

/// One override of a mixed instances policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// An instance type…
    pub instance_type: Option<String>,
    /// …or what it must have.
    pub requirements: Option<InstanceRequirements>,
    /// Launches from another template than the policy's own.
    pub template: Option<TemplateSpecification>,
    /// How much of the capacity one instance counts for.
    pub weight: Option<u32>,
}

/// A mixed instances policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixedInstances {
    /// The template of every override that has none of its own.
    pub template: TemplateSpecification,
    /// The overrides.
    pub overrides: Vec<Override>,
    /// How many are on demand before the percentage counts.
    pub on_demand_base: u32,
    /// The percentage on demand above that.
    pub on_demand_percent: u32,
}

/// What a group launches from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaunchSource {
    /// A launch template.
    Template(TemplateSpecification),
    /// A launch configuration, by name.
    LaunchConfiguration(String),
    /// Several types, perhaps from several templates.
    Mixed(MixedInstances),
}

/// Instances kept ready beside a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarmPool {
    /// `Stopped`, `Running` or `Hibernated`.
    pub state: String,
    /// Its size, at least.
    pub min_size: u32,
    /// The ids of its instances.
    pub instances: Vec<InstanceId>,
}

/// A tag of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupTag {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// Do new instances get it?
    pub propagate: bool,
}

/// A lifecycle hook: the time that someone has for an instance that comes or goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifecycleHook {
    /// Its name.
    pub name: String,
    /// Is it about instances that go? Otherwise it is about those that come.
    pub terminating: bool,
    /// Seconds.
    pub heartbeat_timeout: u32,
    /// `CONTINUE` or `ABANDON`.
    pub default_result: String,
}

/// An Auto Scaling group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// What it launches from.
    pub source: LaunchSource,
    /// At least so many.
    pub min: u32,
    /// At most so many.
    pub max: u32,
    /// So many.
    pub desired: u32,
    /// `us-east-1a`…
    pub zones: Vec<String>,
    /// `subnet-…`.
    pub subnets: Vec<String>,
    /// When, in seconds since 1970.
    pub created: i64,
    /// Its tags.
    pub tags: Vec<GroupTag>,
    /// The ids of its instances, without those of the warm pool.
    pub instances: Vec<InstanceId>,
    /// Its warm pool.
    pub warm_pool: Option<WarmPool>,
    /// What its new instances have, whatever they are launched from.
    pub launching: Launching,
    /// Lifecycle hooks.
    pub hooks: Vec<LifecycleHook>,
    /// Instances that are protected from scale-in.
    pub protected: Vec<InstanceId>,
    /// Instances in standby.
    pub standby: Vec<InstanceId>,
    /// What came and went since the fleet was made.
    pub turnover: Turnover,
    /// Every instance refresh since then, the oldest first.
    pub refreshes: Vec<Refresh>,
    /// How its refreshes go wrong.
    pub refresh_fails: Option<RefreshFailure>,
}

/// A launch configuration. It has an endpoint, tokens and a hop limit, and no other metadata option.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaunchConfiguration {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// `ami-…`.
    pub image: String,
    /// `m5.large`.
    pub instance_type: String,
    /// The block of metadata options, if there is one.
    pub metadata_options: Option<MetadataOptions>,
    /// Not encoded.
    pub user_data: Option<String>,
    /// The name of an instance profile.
    pub profile: Option<String>,
    /// `sg-…`.
    pub security_groups: Vec<String>,
    /// When, in seconds since 1970.
    pub created: i64,
}
