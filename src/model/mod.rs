//! What a fleet is: accounts, Regions, clusters, groups, templates, instances and their metadata options.
//!
//! Nothing here knows an AWS SDK type, a policy or a report. An [`Inventory`] holds what was read of one
//! account in one Region; what could not be read is part of it, in its [`Coverage`].

mod cluster;
mod coverage;
mod group;
mod ids;
mod image;
mod instance;
mod inventory;
mod needs;
mod options;
mod readings;
mod tags;
mod template;

pub use cluster::{Cluster, NodeGroup};
pub use coverage::{Breadth, Coverage, CoverageStatus, Guard, ReadError};
pub use group::{AutoScalingGroup, GroupLaunch, LaunchConfiguration, LaunchOverride};
pub use ids::{AccountId, Arn, ImageId, InstanceId, Partition, Region, RegionStatus, Scope, TemplateId};
pub use image::{Confidence, Family, Image, ImageRef, ImdsSupport};
pub use instance::{Instance, InstanceState, Operator};
pub use inventory::{AccountDefaults, Inventory, Others, Read};
pub use needs::{Asked, Needs};
pub use options::{MetadataOptions, OptionName, OptionValue};
pub use readings::{FleetLaunch, Readings, TokenUse};
pub use tags::{CLUSTER_TAG_PREFIX, CLUSTER_TAGS, KARPENTER_TAGS, NODE_GROUP_TAG, Tags};
pub use template::{LaunchTemplate, TemplateRef, TemplateVersion, VersionRef};
