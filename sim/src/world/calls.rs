//! Who asks the metadata service without a token.

use serde::{Deserialize, Serialize};

use super::{Instance, Tags};

/// How often instances are asked for metadata without a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calls {
    /// Of which instances: those that have all these tags.
    pub tags: Tags,
    /// How often in an hour, on each of them.
    #[serde(default)]
    pub per_hour: u32,
    /// What `CloudWatch` says of them.
    #[serde(default)]
    pub status: CallsStatus,
}

/// `StatusCode` of a metric.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallsStatus {
    /// That is all.
    #[default]
    Complete,
    /// Half of it is all that can be had.
    PartialData,
    /// Nothing can be had.
    InternalError,
    /// Nothing may be had.
    Forbidden,
}

impl CallsStatus {
    /// AWS's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "Complete",
            Self::PartialData => "PartialData",
            Self::InternalError => "InternalError",
            Self::Forbidden => "Forbidden",
        }
    }

    /// Are there any data points?
    pub fn has_points(self) -> bool {
        matches!(self, Self::Complete | Self::PartialData)
    }
}

impl Calls {
    /// Is it about this instance?
    pub fn are_of(&self, instance: &Instance) -> bool {
        let tags = instance.tags();
        self.tags.iter().all(|(key, value)| tags.get(key) == Some(value))
    }
}
