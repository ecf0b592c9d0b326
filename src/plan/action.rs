//! What a step does, with what was seen when it was planned: the conditions that have to hold again right before.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::StepId;
use crate::model::{AccountDefaults, Arn, GroupLaunch, InstanceId, MetadataOptions, TemplateId};

/// A change to one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Action {
    /// A new version of a launch template: its source version, but for the metadata options.
    CreateTemplateVersion {
        /// The template.
        template: TemplateId,
        /// Its name.
        name: String,
        /// The version that it is made from.
        source: i64,
        /// Every metadata option of the new version: those that the source sets, and those that the policy needs. An
        /// option that is not set here stays unset.
        metadata: MetadataOptions,
        /// What was seen.
        seen: TemplateSeen,
        /// By which EC2 knows the request again: the same for the same template, source and options.
        client_token: String,
        /// What the version says of itself.
        description: String,
        /// Whether it may be made. A later version that is the same already is always used in its place; where an
        /// infrastructure tool owns the template, only such a one.
        #[serde(default = "yes")]
        may_create: bool,
    },
    /// The default version of a launch template.
    SetDefaultVersion {
        /// The template.
        template: TemplateId,
        /// Its name.
        name: String,
        /// The default that was seen.
        from: i64,
        /// The version that becomes the default.
        to: VersionChoice,
    },
    /// A managed node group takes a version of its template. Replaces all its nodes.
    UpdateNodeGroup {
        /// The cluster.
        cluster: String,
        /// The node group.
        node_group: String,
        /// Its ARN.
        arn: Arn,
        /// Its template.
        template: TemplateId,
        /// The version that it takes.
        to: VersionChoice,
        /// What it keeps. A group with an image of its own has none: EKS refuses a pin there.
        pin: Option<Pin>,
        /// What was seen.
        seen: NodeGroupSeen,
        /// Whether PodDisruptionBudgets are overridden.
        force: bool,
    },
    /// An Auto Scaling group launches from other versions. Its instances stay as they are.
    ///
    /// Also how a group that names `$Latest` or `$Default` is held at the number that this is, before a refresh, and
    /// given its reference back afterwards: EC2 Auto Scaling takes back a refresh by itself only to a number.
    UpdateAutoScalingGroup {
        /// The group.
        group: String,
        /// Its ARN.
        arn: Option<Arn>,
        /// What it was seen to launch from when the plan was made. All of that stays, but for the versions below.
        seen: GroupLaunch,
        /// The references that change.
        repoint: Vec<Repoint>,
    },
    /// An Auto Scaling group replaces its instances by some of other versions, which it launches from from then on. It
    /// takes all of that back by itself where it fails, which is why no update of the group goes before it.
    RefreshInstances {
        /// The group.
        group: String,
        /// Its ARN.
        arn: Option<Arn>,
        /// What it was seen to launch from when the plan was made. All of that stays, but for the versions below.
        seen: GroupLaunch,
        /// The references that change: from numbers, to numbers.
        repoint: Vec<Repoint>,
        /// The least share of instances in service meanwhile, in percent.
        min_healthy_percentage: u8,
    },
    /// A running instance, until it is replaced.
    ModifyInstance {
        /// The instance.
        instance: InstanceId,
        /// The options that were seen.
        seen: MetadataOptions,
        /// The options that are sent: tokens, hop limit and endpoint always.
        metadata: MetadataOptions,
    },
    /// The account's defaults for new instances in the Region.
    ModifyAccountDefaults {
        /// What was seen.
        seen: DefaultsSeen,
        /// The defaults that change; those that are not set here stay as they are.
        metadata: MetadataOptions,
    },
    /// A version that was made before goes away, where nothing uses it. Only undoing does this.
    DeleteTemplateVersion {
        /// The template.
        template: TemplateId,
        /// Its name.
        name: String,
        /// The version.
        version: i64,
        /// The options that it was made with: a version that has others is not ours.
        metadata: MetadataOptions,
    },
    /// The account's defaults are what they were before. Only undoing does this.
    RestoreAccountDefaults {
        /// What they were set to.
        seen: DefaultsSeen,
        /// What they were before; an option that is not set here has no preference again.
        metadata: MetadataOptions,
    },
}

const fn yes() -> bool {
    true
}

/// What was seen of a launch template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateSeen {
    /// Its latest version.
    pub latest: i64,
    /// Its default version.
    pub default: i64,
    /// The metadata options of the source version.
    pub source_metadata: MetadataOptions,
}

/// What was seen of a node group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeGroupSeen {
    /// The version of its template that it was at.
    pub version: i64,
    /// Its status.
    pub status: String,
}

/// What a node group keeps while it takes another version of its template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pin {
    /// Its Kubernetes version.
    pub version: String,
    /// Its AMI release.
    pub release_version: String,
}

/// The account's defaults as they were seen.
pub type DefaultsSeen = AccountDefaults;

/// A version of a launch template, which may not exist yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VersionChoice {
    /// One that exists.
    Existing(i64),
    /// The one that this step makes.
    MadeBy(StepId),
}

/// A reference of an Auto Scaling group to a template, and what becomes of it. It is of the group's own launch template,
/// or of every override that names this template at this version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Repoint {
    /// The template.
    pub template: TemplateId,
    /// What the group names right before the step.
    pub from: NamedVersion,
    /// What it names afterwards.
    pub to: NamedVersion,
}

/// What a group names as its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NamedVersion {
    /// A number.
    Number(VersionChoice),
    /// `$Latest`
    Latest,
    /// `$Default`
    Default,
}
