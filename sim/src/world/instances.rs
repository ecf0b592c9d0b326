//! Instances.

use serde::{Deserialize, Serialize};

use super::{EffectiveOptions, Tags};

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

/// One instance.
#[expect(clippy::struct_field_names, reason = "`instance_type` is what AWS calls it, and `type` a keyword")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// `i-…`.
    pub id: String,
    /// `r-…`: instances launched together.
    pub reservation: String,
    /// Its place in the reservation.
    pub launch_index: u32,
    /// Its state.
    pub state: InstanceState,
    /// The image it was launched from.
    pub image: String,
    /// `m6i.large`.
    pub instance_type: String,
    /// When, in seconds since 1970.
    pub launched: i64,
    /// `us-east-1a`.
    pub zone: String,
    /// `vpc-…`.
    pub vpc: String,
    /// `subnet-…`.
    pub subnet: String,
    /// `sg-…`.
    pub security_group: String,
    /// The address in the subnet.
    pub private_ip: String,
    /// The name of the instance profile.
    pub profile: Option<String>,
    /// What the metadata service does now.
    pub options: EffectiveOptions,
    /// Tags.
    pub tags: Tags,
    /// What it was launched from.
    pub launcher: Launcher,
    /// Is it a spot instance?
    pub spot: bool,
    /// The service that manages it: it is hidden from those who do not ask for managed resources.
    pub operator: Option<String>,
}
