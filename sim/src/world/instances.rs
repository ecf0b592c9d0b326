//! Instances.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::stored::StoredInstance;
use super::{EffectiveOptions, Tags};
use crate::ids;

/// The state of an instance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// 0.
    Pending,
    /// 16.
    #[default]
    Running,
    /// 32.
    ShuttingDown,
    /// 48.
    Terminated,
    /// 64.
    Stopping,
    /// 80.
    Stopped,
}

impl InstanceState {
    /// AWS's name and code.
    pub fn name_and_code(self) -> (&'static str, u16) {
        match self {
            Self::Pending => ("pending", 0),
            Self::Running => ("running", 16),
            Self::ShuttingDown => ("shutting-down", 32),
            Self::Terminated => ("terminated", 48),
            Self::Stopping => ("stopping", 64),
            Self::Stopped => ("stopped", 80),
        }
    }

    /// AWS's name.
    pub fn as_str(self) -> &'static str {
        self.name_and_code().0
    }
}

/// What an instance was launched from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Launcher {
    /// A version of a launch template, which may be gone by now.
    Template {
        /// `lt-…`.
        id: String,
        /// Its name.
        name: String,
        /// The number of the version.
        version: u64,
    },
    /// A launch configuration, by name.
    LaunchConfiguration(String),
    /// A `RunInstances` call without a template.
    Call,
}

/// How many instances that are launched together share a reservation.
const RESERVATION: u32 = 5;

/// Where an instance may be placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `us-east-1a`.
    pub zone: String,
    /// `subnet-…`.
    pub subnet: String,
}

/// A tag whose value is another one for every instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnTag {
    /// Its key.
    pub key: String,
    /// What the values begin with; the rest comes from the instance's id.
    pub prefix: String,
}

/// What instances that were launched by one call have in common. They share it: a fleet of a million instances is
/// one of some ten thousand launches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The image.
    pub image: String,
    /// `m6i.large`; the instances take turns.
    pub instance_types: Vec<String>,
    /// Where they are; they take turns.
    pub places: Vec<Place>,
    /// `vpc-…`.
    pub vpc: String,
    /// The second number of their addresses.
    pub octet: u8,
    /// `sg-…`.
    pub security_group: String,
    /// The name of the instance profile.
    pub profile: Option<String>,
    /// Tags.
    pub tags: Tags,
    /// And one more.
    pub own_tag: Option<OwnTag>,
    /// What they were launched from.
    pub launcher: Launcher,
    /// Are they spot instances?
    pub spot: bool,
    /// The service that manages them: they are hidden from those who do not ask for managed resources.
    pub operator: Option<String>,
}

/// The id of an instance, `i-0` and sixteen hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct InstanceId(pub u64);

impl InstanceId {
    /// Reads one.
    pub fn parse(text: &str) -> Option<Self> {
        ids::read_ec2(text, "i").map(Self)
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(19);
        ids::write_ec2(&mut text, "i", self.0);
        f.write_str(&text)
    }
}

impl From<InstanceId> for String {
    fn from(id: InstanceId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for InstanceId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is not the id of an instance"))
    }
}

/// One instance: what it has for itself, and the launch that it came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "StoredInstance", try_from = "StoredInstance")]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// The number in `r-…`: instances launched together.
    pub reservation: u64,
    /// Its place in the launch.
    pub index: u32,
    /// What it has in common with others.
    pub launch: Arc<Launch>,
    /// When, in seconds since 1970.
    pub launched: i64,
    /// The third and the fourth number of its address.
    pub address: [u8; 2],
    /// Its state.
    pub state: InstanceState,
    /// What the metadata service does now, or is about to do.
    pub options: EffectiveOptions,
    /// How often the options will be seen as `pending` before they are `applied`.
    pub settling: u8,
}

impl Instance {
    /// Which reservation of its launch an instance is in.
    pub fn reservation_of(index: u32) -> u32 {
        index / RESERVATION
    }

    /// Its place in the reservation.
    pub fn launch_index(&self) -> u32 {
        self.index % RESERVATION
    }

    /// AWS's word for whether its metadata options are in effect.
    pub fn options_state(&self) -> &'static str {
        if self.settling > 0 { "pending" } else { "applied" }
    }

    /// `m6i.large`.
    pub fn instance_type(&self) -> &str {
        turn(&self.launch.instance_types, self.index).map_or("m6i.large", String::as_str)
    }

    /// `us-east-1a`.
    pub fn zone(&self) -> &str {
        turn(&self.launch.places, self.index).map_or("", |place| &place.zone)
    }

    /// `subnet-…`.
    pub fn subnet(&self) -> &str {
        turn(&self.launch.places, self.index).map_or("", |place| &place.subnet)
    }

    /// The address in the subnet; its four numbers may be joined by something else.
    pub fn private_ip(&self, joint: char) -> String {
        let [third, fourth] = self.address;
        format!("10{joint}{}{joint}{third}{joint}{fourth}", self.launch.octet)
    }

    /// The value of the tag that every instance of the launch has another one of.
    pub fn own_tag_value(&self) -> Option<String> {
        let own = self.launch.own_tag.as_ref()?;
        Some(format!("{}-{}", own.prefix, ids::hex(5, &[&self.id.to_string()])))
    }

    /// Its tags, by key.
    pub fn tags(&self) -> Tags {
        let mut tags = self.launch.tags.clone();
        if let (Some(own), Some(value)) = (&self.launch.own_tag, self.own_tag_value()) {
            tags.insert(own.key.clone(), value);
        }
        tags
    }
}

/// Whose turn it is.
fn turn<T>(things: &[T], index: u32) -> Option<&T> {
    things.get(index as usize % things.len().max(1))
}
