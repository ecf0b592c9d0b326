//! Machine images.

use serde::{Deserialize, Serialize};

use super::Tags;

/// What became of an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageStatus {
    /// It can be used.
    #[default]
    Available,
    /// It can be used by those who know its id.
    Deprecated,
    /// Only its owner sees it, on request.
    Disabled,
    /// It is gone; what was launched from it still runs.
    Deregistered,
    /// Its owner no longer shares it with the account.
    Unshared,
}

impl ImageStatus {
    /// Can instances be launched from it?
    pub fn can_launch(self) -> bool {
        matches!(self, Self::Available | Self::Deprecated)
    }
}

/// One image, as one account sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// `ami-…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The account that owns it.
    pub owner: String,
    /// `amazon`, or `self` and others that AWS gives no alias.
    pub owner_alias: Option<String>,
    /// Does it say `ImdsSupport=v2.0`?
    pub imds_v2: bool,
    /// What its owner says about it.
    pub description: Option<String>,
    /// Only its owner sees them.
    pub tags: Tags,
    /// The image that it was copied or created from.
    pub source: Option<String>,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// Does it run Windows?
    pub windows: bool,
    /// May everyone use it?
    pub public: bool,
    /// What became of it.
    pub status: ImageStatus,
    /// When it was made, in seconds since 1970.
    pub created: i64,
    /// When it is or was deprecated, in seconds since 1970.
    pub deprecated: Option<i64>,
}
