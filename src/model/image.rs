//! Amazon Machine Images, and which operating system family they hold.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ImageId, Tags};

/// An operating system family, as policies match it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Amazon Linux 2023
    Al2023,
    /// Amazon Linux 2
    Al2,
    /// Bottlerocket, EKS Auto Mode's own variant included
    Bottlerocket,
    /// Windows Server
    Windows,
    /// A known image that is none of these, such as Ubuntu.
    Other,
    /// Not established.
    Unknown,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Al2023, Self::Al2, Self::Bottlerocket, Self::Windows, Self::Other, Self::Unknown];

    /// The name used in policies and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Al2023 => "al2023",
            Self::Al2 => "al2",
            Self::Bottlerocket => "bottlerocket",
            Self::Windows => "windows",
            Self::Other => "other",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How sure the family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Nothing is known.
    Unknown,
    /// A name, a description or a tag says so, and anyone could have written it.
    Likely,
    /// AWS says so: the node group's AMI type, or an image that AWS owns.
    Certain,
}

/// Whether an image asks for IMDSv2 at launch (`ImdsSupport: v2.0`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImdsSupport {
    /// `v2.0`: tokens become required and the hop limit 2, where nothing else sets them.
    V2,
    /// The image does not say.
    Unspecified,
    /// The image could not be read: deregistered, private or not allowed.
    Unknown,
}

/// An image as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// Its name, known even of deregistered images while an instance runs on them.
    pub name: Option<String>,
    /// The account that owns it.
    pub owner_id: Option<String>,
    /// The owner's alias, `amazon` for AWS's own.
    pub owner_alias: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// The image that it was copied from.
    pub source_image: Option<ImageId>,
    /// `windows` where EC2 says so.
    pub platform: Option<String>,
    /// What it asks of the metadata service.
    pub imds_support: ImdsSupport,
    /// Its tags.
    pub tags: Tags,
}

/// How a launch template names its image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImageRef {
    /// It names none; who launches from it brings one.
    #[default]
    Unset,
    /// By id.
    Id(ImageId),
    /// By a Systems Manager parameter, `resolve:ssm:PARAMETER`; without the prefix.
    Parameter(String),
}
