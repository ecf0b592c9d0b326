//! What is read of a scope only to plan changes to it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InstanceId, Read, TemplateRef};

/// What has to be known before anything is changed, and what no audit asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Readings {
    /// Fleets of EC2, which launch from templates past any Auto Scaling group.
    pub fleets: Read<Vec<FleetLaunch>>,
    /// Whether a group has a lifecycle hook on termination, so that its nodes can be drained; by the group's name.
    pub termination_hooks: BTreeMap<String, Read<bool>>,
    /// How instances asked the metadata service. One that is missing was not asked about.
    pub token_use: BTreeMap<InstanceId, Read<TokenUse>>,
}

/// An EC2 Fleet or a Spot Fleet request that can still launch instances.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct FleetLaunch {
    /// Its id: `fleet-…` or `sfr-…`.
    pub id: String,
    /// What it launches from.
    pub templates: Vec<TemplateRef>,
}

/// How an instance asked its metadata service in a time, as CloudWatch counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenUse {
    /// Answered calls without a token (`MetadataNoToken`). They fail once tokens are required.
    pub without_token: u64,
    /// Refused calls without a token (`MetadataNoTokenRejected`): something on the instance is broken already.
    pub rejected: u64,
}
