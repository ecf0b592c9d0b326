//! What AWS allows: a token bucket for each API of each account in each Region.
//!
//! Where AWS publishes size and refill, they are AWS's; where it does not, they are assumed on the careful
//! side, and said to be. Both are only where a bucket begins: what AWS answers decides from there.

use std::fmt;

/// Which of an API's buckets a request takes its token from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::aws) enum Size {
    /// What is asked for in pages, or by a filter, or in its entirety small.
    Ordinary,
    /// An EC2 description with neither page size nor filter, such as one by ids.
    Unpaged,
    /// What changes something in EC2, or in Security Hub.
    Change,
    /// A change of templates or of instances' metadata options, of which EC2 allows a larger burst.
    Burst,
    /// The account's metadata defaults, which EC2 lets nobody change often.
    Defaults,
}

/// A token bucket: a request takes a token, and tokens come back with time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limit {
    /// How many tokens it holds.
    pub capacity: f64,
    /// How many come back in a second.
    pub refill: f64,
}

/// The limits of operations, by service.
///
/// Sources: EC2, "Request throttling for the Amazon EC2 API" in the EC2 Developer Guide; STS, "IAM and AWS STS
/// quotas" in the IAM User Guide; Security Hub, its API Reference. EKS, Auto Scaling and Organizations throttle, and do not publish at which rate:
/// those are assumed, for changes too. CloudWatch counts calls and, apart from them, the numbers that they bring, of
/// which ours bring thousands: its limit is assumed far below that of calls.
const LIMITS: [(&str, Size, Limit); 12] = [
    ("ec2", Size::Ordinary, Limit { capacity: 100.0, refill: 20.0 }),
    ("ec2", Size::Unpaged, Limit { capacity: 50.0, refill: 10.0 }),
    ("ec2", Size::Change, Limit { capacity: 50.0, refill: 5.0 }),
    ("ec2", Size::Burst, Limit { capacity: 100.0, refill: 5.0 }),
    ("ec2", Size::Defaults, Limit { capacity: 2.0, refill: 2.0 }),
    ("cloudwatch", Size::Ordinary, Limit { capacity: 20.0, refill: 10.0 }),
    ("sts", Size::Ordinary, Limit { capacity: 600.0, refill: 600.0 }),
    ("eks", Size::Ordinary, Limit { capacity: 40.0, refill: 10.0 }),
    ("autoscaling", Size::Ordinary, Limit { capacity: 40.0, refill: 10.0 }),
    ("organizations", Size::Ordinary, Limit { capacity: 20.0, refill: 5.0 }),
    ("securityhub", Size::Ordinary, Limit { capacity: 6.0, refill: 3.0 }),
    ("securityhub", Size::Change, Limit { capacity: 30.0, refill: 10.0 }),
];

/// Services all of whose operations take from one bucket: STS by its quotas; Auto Scaling by "Why are my Auto Scaling
/// API calls getting throttled?" in AWS's knowledge center.
const TOGETHER: [&str; 2] = ["autoscaling", "sts"];

/// For a service that is not in the table.
const ELSEWHERE: Limit = Limit { capacity: 10.0, refill: 5.0 };

impl Size {
    /// Which bucket a request takes from, by its operation and its body.
    ///
    /// EC2 counts a description apart if it has neither a page size nor a filter. Ids are neither, and may
    /// not be combined with a page size.
    pub fn of(service: &str, operation: &str, body: &[u8]) -> Self {
        if service == "securityhub" && operation.starts_with("Batch") {
            return Self::Change;
        }
        if service != "ec2" {
            return Self::Ordinary;
        }
        let has = |parameter: &[u8]| body.windows(parameter.len()).any(|window| window == parameter);
        match operation {
            "CreateLaunchTemplateVersion" | "ModifyLaunchTemplate" | "ModifyInstanceMetadataOptions" => {
                Self::Burst
            }
            "ModifyInstanceMetadataDefaults" => Self::Defaults,
            _ if operation.starts_with("Describe") => {
                if has(b"&MaxResults=") || has(b"&Filter.1.") {
                    Self::Ordinary
                } else {
                    Self::Unpaged
                }
            }
            _ if operation.starts_with("Get") => Self::Ordinary,
            _ => Self::Change,
        }
    }
}

/// What an operation is counted as: itself, or its service.
pub(super) fn counted_as<'a>(service: &'static str, operation: &'a str) -> &'a str {
    if TOGETHER.contains(&service) { "*" } else { operation }
}

impl Limit {
    /// What AWS allows for one API.
    pub fn of(service: &str, size: Size) -> Self {
        let known = LIMITS.iter().find(|(name, of, _)| *name == service && *of == size);
        known.map_or(ELSEWHERE, |(.., limit)| *limit)
    }

    /// A part of it. It holds a token at least, or nothing could ever be asked.
    pub fn share(self, share: ApiShare) -> Self {
        let part = f64::from(share.0) / 100.0;
        Self { capacity: (self.capacity * part).max(1.0), refill: self.refill * part }
    }
}

/// How much of what AWS allows is taken, in percent. The rest is left to whoever else works in the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiShare(u8);

impl ApiShare {
    /// From 1 to 100 percent.
    pub const fn percent(percent: u8) -> Option<Self> {
        if percent >= 1 && percent <= 100 { Some(Self(percent)) } else { None }
    }
}

impl Default for ApiShare {
    fn default() -> Self {
        Self(50)
    }
}

impl fmt::Display for ApiShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::operations::Task;

    #[test]
    fn a_description_by_ids_takes_from_the_smaller_bucket() {
        let size = |operation, body: &str| Size::of("ec2", operation, body.as_bytes());
        let by_ids = "Action=DescribeInstances&Version=2016-11-15&InstanceId.1=i-1";
        assert_eq!(size("DescribeInstances", by_ids), Size::Unpaged);
        let paged = "Action=DescribeInstances&Version=2016-11-15&MaxResults=1000";
        assert_eq!(size("DescribeInstances", paged), Size::Ordinary);
        let filtered = "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag-key&Filter.1.Value.1=x";
        assert_eq!(size("DescribeInstances", filtered), Size::Ordinary);
        let get = "Action=GetInstanceMetadataDefaults&Version=2016-11-15";
        assert_eq!(size("GetInstanceMetadataDefaults", get), Size::Ordinary);
        assert_eq!(Size::of("eks", "DescribeNodegroup", b""), Size::Ordinary);
    }

    #[test]
    fn changes_take_from_buckets_of_their_own() {
        let size = |operation| Size::of("ec2", operation, b"");
        assert_eq!(size("CreateLaunchTemplateVersion"), Size::Burst);
        assert_eq!(size("DeleteLaunchTemplateVersions"), Size::Change);
        assert_eq!(size("ModifyInstanceMetadataDefaults"), Size::Defaults);
        assert_eq!(Size::of("eks", "UpdateNodegroupVersion", b""), Size::Ordinary);
        assert_eq!(Size::of("securityhub", "GetFindings", b""), Size::Ordinary);
        assert_eq!(Size::of("securityhub", "BatchImportFindings", b""), Size::Change);
    }

    #[test]
    fn operations_of_some_services_are_counted_together() {
        assert_eq!(counted_as("ec2", "DescribeImages"), "DescribeImages");
        let groups = counted_as("autoscaling", "DescribeAutoScalingGroups");
        assert_eq!(groups, counted_as("autoscaling", "DescribeWarmPool"));
    }

    #[test]
    fn every_operation_has_a_limit_of_its_service() {
        let tasks = [Task::Plan, Task::Scopes, Task::SignIn, Task::Rehearse, Task::Remediate];
        // S3 and SNS carry a few requests of a run.
        let hub = Task::Deliver.operations().filter(|operation| operation.service == "securityhub");
        for operation in tasks.into_iter().flat_map(Task::operations).chain(hub) {
            let size = Size::of(operation.service, operation.name, b"");
            assert_ne!(Limit::of(operation.service, size), ELSEWHERE, "{operation}");
        }
    }

    #[test]
    fn the_smallest_share_still_lets_a_request_through() {
        let least = Limit::of("ec2", Size::Unpaged).share(ApiShare::percent(1).unwrap());
        assert_eq!(least, Limit { capacity: 1.0, refill: 0.1 });
        assert_eq!(ApiShare::percent(0), None);
        assert_eq!(ApiShare::percent(101), None);
    }
}
