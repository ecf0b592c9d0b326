//! What a fleet file may say. `sim/README.md` is its reference.
//!
//! Every type refuses keys that it does not know. Types are written as well as read: that is how `repeat` makes
//! its copies.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::identity::{OrganizationSpec, PermissionsSpec, RoleSpec};
use super::nodes::{ClusterSpec, FleetSpec, GroupSpec, InstanceSpec};
use super::repeat::Repeat;
use crate::throttle::Throttling;
use crate::world::{AccountDefaults, Calls, ImageStatus, MetadataOptions, Overlay, Tags};

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
    pub faults: Vec<Fault>,
    /// Images that every Region of every account may name.
    #[serde(default)]
    pub images: Vec<ImageSpec>,
    #[serde(default)]
    pub organizations: Vec<OrganizationSpec>,
    /// Roles that every account has, except for management accounts.
    #[serde(default)]
    pub roles: Vec<RoleSpec>,
    pub accounts: Vec<AccountSpec>,
}

fn default_now() -> jiff::Timestamp {
    // Sunday, 15 November 2026, 09:00 UTC.
    jiff::Timestamp::constant(1_794_733_200, 0)
}

/// How the simulator behaves, whatever is in the fleet.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Every answer takes this long.
    #[serde(default)]
    pub latency_ms: u64,
    /// And up to so much longer; the same question always takes the same time.
    #[serde(default)]
    pub jitter_ms: u64,
    /// Too many requests are refused; absent: never.
    #[serde(default)]
    pub throttling: Option<Throttling>,
    /// Every first page is empty and has a token for the next.
    #[serde(default)]
    pub empty_pages: bool,
    /// No page holds more than that, however many were asked for: AWS promises no more.
    #[serde(default)]
    pub largest_page: Option<NonZeroUsize>,
    /// `DescribeInstanceImageMetadata` lists hidden instances, which is not documented either way.
    #[serde(default)]
    pub image_metadata_lists_hidden: bool,
    /// Something in progress is seen so often in each of its stages; with 0 it is done at once.
    #[serde(default = "once")]
    pub looks_per_stage: u32,
    /// A launch template can have so many versions; AWS's default quota is 10,000.
    #[serde(default = "ten_thousand")]
    pub template_versions: usize,
    /// What a block of metadata options does to that of the source version, which is not documented.
    #[serde(default)]
    pub metadata_options_overlay: Overlay,
    /// Sessions of roles end after this, whatever their `Expiration` says.
    #[serde(default)]
    pub session_seconds: Option<u32>,
}

fn ten_thousand() -> usize {
    10_000
}

fn once() -> u32 {
    1
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            latency_ms: 0,
            jitter_ms: 0,
            throttling: None,
            empty_pages: false,
            largest_page: None,
            image_metadata_lists_hidden: false,
            looks_per_stage: once(),
            template_versions: ten_thousand(),
            metadata_options_overlay: Overlay::default(),
            session_seconds: None,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountSpec {
    pub id: String,
    pub name: String,
    #[serde(default = "default_partition")]
    pub partition: String,
    #[serde(default)]
    pub access_keys: Vec<KeySpec>,
    #[serde(default)]
    pub email: Option<String>,
    /// `Workloads/Production`; absent: the root.
    #[serde(default)]
    pub organizational_unit: Option<String>,
    #[serde(default)]
    pub outside_organization: bool,
    /// In addition to those of every account, and in the place of one with the same name.
    #[serde(default)]
    pub roles: Vec<RoleSpec>,
    /// Roles of every account that this one does not have.
    #[serde(default)]
    pub without_roles: Vec<String>,
    /// Regions that the account opted in to; those in `regions` need not be listed.
    #[serde(default)]
    pub opted_in: Vec<String>,
    #[serde(default)]
    pub regions: Vec<RegionSpec>,
    #[serde(default)]
    pub repeat: Option<Repeat>,
}

pub(super) fn default_partition() -> String {
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
    /// What the user may do; absent: everything.
    #[serde(default)]
    pub permissions: Option<PermissionsSpec>,
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
    /// EC2 Fleets.
    #[serde(default)]
    pub fleets: Vec<FleetSpec>,
    /// Spot Fleet requests.
    #[serde(default)]
    pub spot_fleets: Vec<FleetSpec>,
    /// Who asks the metadata service without a token.
    #[serde(default)]
    pub calls_without_token: Vec<Calls>,
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
