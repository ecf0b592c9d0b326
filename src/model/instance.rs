//! EC2 instances.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ImageId, InstanceId, MetadataOptions, Tags};

/// An EC2 instance that is, or will be again, a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// The image that it was launched from.
    pub image: Option<ImageId>,
    /// Its type, such as `m6i.large`.
    pub instance_type: Option<String>,
    /// Its state.
    pub state: InstanceState,
    /// The options it has now. Unlike a template's they are all set, unless EC2 left one out.
    pub metadata: MetadataOptions,
    /// The AWS service that manages it, as EKS Auto Mode does.
    pub operator: Option<Operator>,
    /// Its tags.
    pub tags: Tags,
}

/// The state of an instance that counts; terminated ones are not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InstanceState {
    /// Being launched.
    Pending,
    /// Running.
    Running,
    /// Being stopped.
    Stopping,
    /// Stopped, perhaps waiting in a warm pool.
    Stopped,
    /// A state that this version of imdsctl does not know.
    Other,
}

/// The AWS service that manages a resource on the user's behalf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Operator {
    /// Its principal, `eks.amazonaws.com` for EKS Auto Mode.
    pub principal: Option<String>,
}
