//! Launch templates and the versions of them that matter.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ImageRef, MetadataOptions, Tags, TemplateId};

/// A launch template with the versions that were read: the default, the latest, and those in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LaunchTemplate {
    /// Its id.
    pub id: TemplateId,
    /// Its name.
    pub name: String,
    /// Its tags; empty where they could not be read.
    pub tags: Tags,
    /// The number of its default version.
    pub default_version: i64,
    /// The number of its latest version.
    pub latest_version: i64,
    /// The versions that were read, by number.
    pub versions: BTreeMap<i64, TemplateVersion>,
}

impl LaunchTemplate {
    /// The number that a reference means now.
    pub const fn number(&self, version: VersionRef) -> i64 {
        match version {
            VersionRef::Number(number) => number,
            VersionRef::Latest => self.latest_version,
            VersionRef::Default => self.default_version,
        }
    }

    /// The version that a reference means now, where it was read.
    pub fn version(&self, version: VersionRef) -> Option<&TemplateVersion> {
        self.versions.get(&self.number(version))
    }
}

/// One version of a launch template: what it says about images and metadata options.
///
/// Everything else of a version, its user data first of all, is dropped where the AWS answer is converted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateVersion {
    /// Its number, from 1.
    pub number: i64,
    /// The image it launches.
    pub image: ImageRef,
    /// The options that it sets.
    pub metadata: MetadataOptions,
    /// The principal that made it.
    pub created_by: Option<String>,
}

/// Which version of a template someone launches from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VersionRef {
    /// A fixed version.
    Number(i64),
    /// `$Latest`
    Latest,
    /// `$Default`
    Default,
}

impl VersionRef {
    /// Reads `$Latest`, `$Default` or a number; nothing means `$Default`, as it does for EC2.
    pub fn parse(text: Option<&str>) -> Option<Self> {
        match text {
            None | Some("" | "$Default") => Some(Self::Default),
            Some("$Latest") => Some(Self::Latest),
            Some(number) => number.parse().ok().map(Self::Number),
        }
    }
}

impl fmt::Display for VersionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Latest => f.write_str("$Latest"),
            Self::Default => f.write_str("$Default"),
        }
    }
}

/// A reference to a template version, by id where the API gave one, else by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct TemplateRef {
    /// The template's id.
    pub id: Option<TemplateId>,
    /// The template's name.
    pub name: Option<String>,
    /// The version.
    pub version: VersionRef,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_version_means_the_default() {
        assert_eq!(VersionRef::parse(None), Some(VersionRef::Default));
        assert_eq!(VersionRef::parse(Some("$Latest")), Some(VersionRef::Latest));
        assert_eq!(VersionRef::parse(Some("17")), Some(VersionRef::Number(17)));
        assert_eq!(VersionRef::parse(Some("seventeen")), None);
    }
}
