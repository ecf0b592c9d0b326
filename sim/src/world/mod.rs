//! What exists: accounts, Regions and everything in them, as plain data.
//!
//! Nothing here knows how a request or an answer looks on the wire, and nothing here knows where a resource came
//! from: [`crate::build`] makes a world from a fleet, [`crate::state`] keeps it in a file.

mod calls;
mod eks;
mod fleets;
mod groups;
mod iam;
mod images;
mod instances;
mod options;
mod organization;
mod progress;
mod remembered;
mod rollout;
mod stored;
mod templates;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::calls::{Calls, CallsStatus};
pub use self::eks::{Cluster, HealthIssue, NodeGroup, ScalingConfig, TemplateReference};
pub use self::fleets::{Fleet, FleetTemplate, FleetType};
pub use self::groups::{
    Group, GroupTag, InstanceRequirements, LaunchConfiguration, LaunchSource, LifecycleHook, MixedInstances,
    Override, TemplateSpecification, WarmPool,
};
pub use self::iam::{Condition, ConditionKey, Effect, Operator, Patterns, Policy, Role, Statement, Trust};
pub use self::images::{Image, ImageStatus};
pub use self::instances::{Instance, InstanceId, InstanceState, Launch, Launcher, OwnTag, Place};
pub use self::options::{
    AccountDefaults, EffectiveOptions, ManagedBy, MetadataOptions, Switch, Tokens, at_launch,
};
pub use self::organization::{AccountState, Children, JoinedMethod, Member, Organization, Unit};
pub use self::progress::Progress;
pub use self::remembered::Remembered;
pub use self::rollout::{
    AskedTemplate, AskedUpdate, CopyFor, GroupChange, GroupRefusal, Launching, Preferences, Refresh,
    RefreshFailure, RefreshStatus, Release, Reserved, Turnover, Update, UpdateFailure, UpdateRefusal,
    UpdateStatus, copy_data,
};
pub use self::templates::{BlockDevice, LaunchTemplate, Overlay, TemplateData, TemplateVersion};

/// Tags, or anything else that is a name and a value.
pub type Tags = BTreeMap<String, String>;

/// Everything that exists, in every account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// What time it is in it, in seconds since 1970: what the fleet says, and a second more for every change.
    pub now: i64,
    /// By account id.
    pub accounts: BTreeMap<String, Account>,
    /// By partition.
    pub organizations: BTreeMap<String, Organization>,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// Who may ask.
    pub access_keys: Vec<AccessKey>,
    /// By name.
    pub roles: BTreeMap<String, Role>,
    /// Every Region of the partition, by name.
    pub regions: BTreeMap<String, Region>,
}

/// An access key of a user. There is no secret: signatures are not verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessKey {
    /// `AKIA…`.
    pub id: String,
    /// The IAM user.
    pub user: String,
    /// Are its credentials no longer valid?
    pub expired: bool,
    /// What the user may do.
    pub permissions: Policy,
}

/// May the account use the Region?
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptIn {
    /// Yes, as every account may.
    #[default]
    NotRequired,
    /// Yes, it asked for it.
    OptedIn,
    /// No.
    NotOptedIn,
}

impl OptIn {
    /// AWS's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotRequired => "opt-in-not-required",
            Self::OptedIn => "opted-in",
            Self::NotOptedIn => "not-opted-in",
        }
    }
}

/// What one account has in one Region.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// May the account use it?
    pub opt_in: OptIn,
    /// The defaults for new instances.
    pub account_defaults: AccountDefaults,
    /// By image id: those of the account, and those of others that it uses.
    pub images: BTreeMap<String, Image>,
    /// By template id.
    pub templates: BTreeMap<String, LaunchTemplate>,
    /// By name.
    pub launch_configurations: BTreeMap<String, LaunchConfiguration>,
    /// By name.
    pub groups: BTreeMap<String, Group>,
    /// In the order in which they were launched, those of one reservation side by side.
    pub instances: Vec<Instance>,
    /// By name.
    pub clusters: BTreeMap<String, Cluster>,
    /// EC2 Fleets.
    pub fleets: Vec<Fleet>,
    /// Spot Fleet requests.
    pub spot_fleets: Vec<Fleet>,
    /// Who asks the metadata service without a token; the first that is about an instance counts.
    pub calls_without_token: Vec<Calls>,
    /// How many things have been made since the fleet was: what is made next gets another id.
    pub serial: u64,
    /// By operation and token.
    pub remembered: BTreeMap<String, Remembered>,
}

impl World {
    /// The organisation that an account is in.
    pub fn organization_of(&self, account: &Account) -> Option<&Organization> {
        let organization = self.organizations.get(&account.partition)?;
        organization.member(&account.id).map(|_| organization)
    }
}

impl Account {
    /// The Regions in which there is anything.
    pub fn described_regions(&self) -> Vec<String> {
        let described = self.regions.iter().filter(|(_, region)| {
            let empty = Region { opt_in: region.opt_in, ..Region::default() };
            **region != empty
        });
        described.map(|(name, _)| name.clone()).collect()
    }

    /// The ARN of a user of the account.
    pub fn user_arn(&self, user: &str) -> String {
        format!("arn:{}:iam::{}:user/{user}", self.partition, self.id)
    }

    /// The ARN of something in a Region.
    pub fn arn(&self, service: &str, region: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{region}:{}:{resource}", self.partition, self.id)
    }
}
