//! EC2 Fleets and Spot Fleet requests: what else launches from launch templates.

use serde::{Deserialize, Serialize};

use super::{Tags, TemplateSpecification};

/// How long a fleet keeps its capacity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FleetType {
    /// It replaces what it loses.
    #[default]
    Maintain,
    /// It asks once, and does not replace.
    Request,
    /// It launched at once and is over; only who knows its id sees it. Spot Fleets have no such type.
    Instant,
}

impl FleetType {
    /// AWS's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Maintain => "maintain",
            Self::Request => "request",
            Self::Instant => "instant",
        }
    }
}

/// A template that a fleet launches from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetTemplate {
    /// The template, and its version as the fleet names it.
    pub template: TemplateSpecification,
    /// Overrides.
    pub instance_types: Vec<String>,
}

/// An EC2 Fleet, or a Spot Fleet request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    /// `fleet-…` or `sfr-…`.
    pub id: String,
    /// How long it keeps its capacity.
    pub kind: FleetType,
    /// `active` and others.
    pub state: String,
    /// What it launches from.
    pub templates: Vec<FleetTemplate>,
    /// How many instances it has and wants.
    pub capacity: u32,
    /// Are they on demand? Otherwise they are spot instances.
    pub on_demand: bool,
    /// When, in seconds since 1970.
    pub created: i64,
    /// Its tags.
    pub tags: Tags,
}
