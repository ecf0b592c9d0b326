//! The services: a table of operations for each, and what an operation gets to see.

pub mod autoscaling;
pub mod cloudwatch;
pub mod ec2;
pub mod eks;
pub mod iam;
mod launching;
pub mod organizations;
pub mod sts;
mod table;

pub use self::table::{
    Access, Asked, CborOperation, Handler, JsonOperation, QueryOperation, Resource, RestOperation,
};

use crate::fleet::schema::Settings;
use crate::iam::{Caller, Identities};
use crate::progress::{Thing, Watch};
use crate::wire::page::{Page, Turn};
use crate::world::{Account, Region, World};

/// A service of AWS's that the simulator has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Security Token Service.
    Sts,
    /// Elastic Compute Cloud.
    Ec2,
    /// Auto Scaling.
    AutoScaling,
    /// Elastic Kubernetes Service.
    Eks,
    /// Organizations.
    Organizations,
    /// Identity and Access Management.
    Iam,
    /// `CloudWatch`.
    CloudWatch,
}

impl Service {
    /// By the name in a credential scope.
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "sts" => Some(Self::Sts),
            "ec2" => Some(Self::Ec2),
            "autoscaling" => Some(Self::AutoScaling),
            "eks" => Some(Self::Eks),
            "organizations" => Some(Self::Organizations),
            "iam" => Some(Self::Iam),
            "monitoring" => Some(Self::CloudWatch),
            _ => None,
        }
    }

    /// By the version of a Query API.
    pub fn by_version(version: &str) -> Option<Self> {
        [Self::Sts, Self::Ec2, Self::AutoScaling, Self::Iam]
            .into_iter()
            .find(|service| service.version() == version)
    }

    /// The name in IAM actions and in the request log; most have the same in a credential scope.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Ec2 => "ec2",
            Self::AutoScaling => "autoscaling",
            Self::Eks => "eks",
            Self::Organizations => "organizations",
            Self::Iam => "iam",
            Self::CloudWatch => "cloudwatch",
        }
    }

    /// The version of its API.
    pub fn version(self) -> &'static str {
        match self {
            Self::Sts => "2011-06-15",
            Self::Ec2 => "2016-11-15",
            Self::AutoScaling => "2011-01-01",
            Self::Eks => "2017-11-01",
            Self::Organizations => "2016-11-28",
            Self::Iam => "2010-05-08",
            Self::CloudWatch => "2010-08-01",
        }
    }

    /// The namespace of its XML.
    pub fn namespace(self) -> &'static str {
        match self {
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Self::Ec2 => "http://ec2.amazonaws.com/doc/2016-11-15/",
            Self::AutoScaling => "http://autoscaling.amazonaws.com/doc/2011-01-01/",
            Self::Eks | Self::Organizations | Self::CloudWatch => "",
            Self::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
        }
    }
}

/// What an operation gets to see: who asks, and the Region that they ask about.
#[derive(Debug, Clone, Copy)]
pub struct Call<'w> {
    /// The account that asks.
    pub account: &'w Account,
    /// The user or the session that asks.
    pub caller: &'w Caller<'w>,
    /// The Region's name.
    pub region_name: &'w str,
    /// What is in it.
    pub region: &'w Region,
    /// Every account.
    pub world: &'w World,
    /// Where sessions are made.
    pub identities: &'w Identities,
    /// How the simulator behaves.
    pub settings: &'w Settings,
    /// What time it is in the fleet, in seconds since 1970.
    pub now: i64,
    /// Which page of a list this turns out to be.
    pub turn: &'w Turn,
    /// What is seen in progress.
    pub watch: &'w Watch,
}

/// Parameters that name single resources, in any service.
const NAMED: [&str; 7] = [
    "AutoScalingGroupName",
    "ImageId.",
    "InstanceId.",
    "LaunchConfigurationNames.",
    "LaunchTemplateId",
    "LaunchTemplateName",
    "RegionName.",
];

impl<'w> Call<'w> {
    /// The answer describes something that is in progress.
    fn saw(&self, thing: Thing) {
        self.watch.saw(thing);
    }

    /// The page that a request asks for. `size` has been checked by the service.
    fn page(&self, operation: &str, size: usize, token: Option<&str>, question: &str) -> Option<Page<'w>> {
        // AWS leaves pages empty where it has to look for what matches, never where it was told what to look for.
        let named =
            question.split('\u{1f}').any(|parameter| NAMED.iter().any(|name| parameter.starts_with(name)));
        let empty_first = self.settings.empty_pages && !named;
        let question =
            format!("{operation}\u{1f}{}\u{1f}{}\u{1f}{question}", self.account.id, self.region_name);
        let size = self.settings.largest_page.map_or(size, |largest| size.min(largest.get()));
        Page::new(size, token, &question, empty_first, self.turn)
    }
}
