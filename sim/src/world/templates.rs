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
    /// The highest number that a version ever had; the next one gets the next number, whatever has been deleted.
    pub last_number: u64,
    /// By number; never empty. The highest is `$Latest`, deleted numbers are missing.
    pub versions: BTreeMap<u64, TemplateVersion>,
    /// Tags.
    pub tags: Tags,
    /// The service that manages it: it is hidden from those who do not ask for managed resources.
    pub operator: Option<String>,
}

impl LaunchTemplate {
    /// Adds a version, which has the number after the last one.
    pub fn add(&mut self, version: TemplateVersion) {
        self.last_number = version.number;
        self.versions.insert(version.number, version);
    }

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
    /// The name or the ARN of an instance profile.
    pub profile: Option<String>,
    /// `sg-…`.
    pub security_groups: Vec<String>,
    /// Volumes.
    pub block_devices: Vec<BlockDevice>,
    /// Tags for the instances it launches.
    pub tags: Tags,
    /// Tags for their volumes.
    pub volume_tags: Tags,
    /// Detailed monitoring.
    pub monitoring: Option<bool>,
    /// EBS-optimised.
    pub ebs_optimized: Option<bool>,
}

/// What a block of metadata options does to the one of the version that another is made from. AWS does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlay {
    /// It takes its place: what it leaves out is not set any more.
    #[default]
    Replace,
    /// It takes the place of the options that it sets.
    Merge,
}

impl TemplateData {
    /// The name of its instance profile, however it names it.
    pub fn profile_name(&self) -> Option<&str> {
        self.profile.as_deref()?.rsplit('/').next()
    }

    /// This, with what `given` sets in its place. Snapshots of volumes are dropped unless `given` has them.
    #[must_use]
    pub fn overlaid(self, given: Self, overlay: Overlay) -> Self {
        let inherited = || {
            let without_snapshot = |device: BlockDevice| BlockDevice { snapshot: None, ..device };
            self.block_devices.into_iter().map(without_snapshot).collect()
        };
        let metadata_options = match (self.metadata_options, given.metadata_options) {
            (Some(source), Some(own)) if overlay == Overlay::Merge => Some(own.or(source)),
            (source, own) => own.or(source),
        };
        let image = if given.image.is_some() {
            (given.image, given.resolved_image)
        } else {
            (self.image, self.resolved_image)
        };
        let tagged = !given.tags.is_empty() || !given.volume_tags.is_empty();
        let tags = if tagged { (given.tags, given.volume_tags) } else { (self.tags, self.volume_tags) };
        Self {
            block_devices: if given.block_devices.is_empty() { inherited() } else { given.block_devices },
            image: image.0,
            resolved_image: image.1,
            instance_type: given.instance_type.or(self.instance_type),
            metadata_options,
            user_data: given.user_data.or(self.user_data),
            key_name: given.key_name.or(self.key_name),
            profile: given.profile.or(self.profile),
            security_groups: if given.security_groups.is_empty() {
                self.security_groups
            } else {
                given.security_groups
            },
            tags: tags.0,
            volume_tags: tags.1,
            monitoring: given.monitoring.or(self.monitoring),
            ebs_optimized: given.ebs_optimized.or(self.ebs_optimized),
        }
    }
}

/// A volume that a template asks for; what is absent is not set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockDevice {
    /// `/dev/xvda`.
    pub device: String,
    /// GiB.
    pub size: Option<u32>,
    /// `gp3`.
    pub volume_type: Option<String>,
    /// Is it encrypted?
    pub encrypted: Option<bool>,
    /// Does it go with its instance?
    pub delete_on_termination: Option<bool>,
    /// Operations a second.
    pub iops: Option<u32>,
    /// MiB a second.
    pub throughput: Option<u32>,
    /// The key that encrypts it.
    pub kms_key: Option<String>,
    /// `snap-…`.
    pub snapshot: Option<String>,
}
