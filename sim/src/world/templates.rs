//! Launch templates and their versions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{MetadataOptions, Tags};

/// One launch template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaunchTemplate {
    /// `lt-…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When, in seconds since 1970.
    pub created: i64,
    /// The ARN of who made it.
    pub created_by: String,
    /// The number that `$Default` stands for.
    pub default_version: u64,
    /// By number; never empty. The highest is `$Latest`, deleted numbers are missing.
    pub versions: BTreeMap<u64, TemplateVersion>,
    /// Tags.
    pub tags: Tags,
    /// The service that manages it: it is hidden from those who do not ask for managed resources.
    pub operator: Option<String>,
}

impl LaunchTemplate {
    /// The number that `$Latest` stands for.
    pub fn latest_version(&self) -> u64 {
        self.versions.last_key_value().map_or(0, |(number, _)| *number)
    }

    /// The number that `$Latest`, `$Default` or a number means here; the version need not exist.
    pub fn number_of(&self, version: &str) -> Option<u64> {
        match version {
            "$Latest" => Some(self.latest_version()),
            "$Default" => Some(self.default_version),
            number => number.parse().ok(),
        }
    }
}

/// One version of a launch template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateVersion {
    /// From 1.
    pub number: u64,
    /// What its author says about it.
    pub description: Option<String>,
    /// When, in seconds since 1970.
    pub created: i64,
    /// The ARN of who made it.
    pub created_by: String,
    /// What it launches.
    pub data: TemplateData,
}

/// What a template sets; what is absent is not set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateData {
    /// An image id, or `resolve:ssm:` and the name of a parameter.
    pub image: Option<String>,
    /// The image id that such a parameter holds.
    pub resolved_image: Option<String>,
    /// `m6i.large`.
    pub instance_type: Option<String>,
    /// The block of metadata options, if there is one.
    pub metadata_options: Option<MetadataOptions>,
    /// Not encoded.
    pub user_data: Option<String>,
    /// A key pair.
    pub key_name: Option<String>,
    /// The name of an instance profile.
    pub profile: Option<String>,
    /// `sg-…`.
    pub security_groups: Vec<String>,
    /// Volumes.
    pub block_devices: Vec<BlockDevice>,
    /// Tags for the instances and volumes it launches.
    pub tags: Tags,
    /// Detailed monitoring.
    pub monitoring: Option<bool>,
    /// EBS-optimised.
    pub ebs_optimized: Option<bool>,
}

/// A volume that a template asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockDevice {
    /// `/dev/xvda`.
    pub device: String,
    /// GiB.
    pub size: u32,
    /// `gp3`.
    pub volume_type: String,
    /// Is it encrypted?
    pub encrypted: bool,
    /// `snap-…`.
    pub snapshot: Option<String>,
}
