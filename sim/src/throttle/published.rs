//! The token buckets that AWS publishes, and what is assumed where it publishes none.
//!
//! The first rule that fits a call decides. Every bucket is one account's in one Region.

/// Which calls of an operation a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calls {
    /// All of them.
    All,
    /// Those that ask for everything at once, with neither a page size, a token nor a filter.
    Unpaged,
}

/// One bucket of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// `service:Operation`, a glob.
    pub operation: &'static str,
    /// Which calls.
    pub calls: Calls,
    /// Do all operations that fit share one bucket, or does each have its own?
    pub shared: bool,
    /// Tokens when it is full.
    pub capacity: u32,
    /// Tokens that come back in a second.
    pub refill: u32,
}

const fn each(operation: &'static str, calls: Calls, capacity: u32, refill: u32) -> Rule {
    Rule { operation, calls, shared: false, capacity, refill }
}

const fn shared(operation: &'static str, capacity: u32, refill: u32) -> Rule {
    Rule { operation, calls: Calls::All, shared: true, capacity, refill }
}

/// The table.
///
/// - EC2: <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>, "Request token bucket sizes and
///   refill rates". Operations that list instances, images and templates have a second, smaller bucket for calls
///   that are neither filtered nor paginated. AWS does not say whether naming ids counts as filtering; here it does
///   not.
/// - STS: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>, "AWS STS request quotas": 600
///   a second for each account and Region, shared by the operations that are called with credentials, and counted
///   against the caller's account.
/// - Auto Scaling: <https://repost.aws/knowledge-center/autoscaling-api-calls-throttled> says that all its operations
///   share one limit. Its size is not published: an **assumption**.
/// - EKS: not published: an **assumption**.
/// - CloudWatch: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html>, 50
///   `GetMetricData` a second; that a bucket holds as many is an **assumption**.
/// - Organizations: limits belong to the organisation's management account, by
///   <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>. The size here is an
///   **assumption**.
pub(super) const AWS: &[Rule] = &[
    each("ec2:Describe{Instances,InstanceImageMetadata,Images}", Calls::Unpaged, 50, 10),
    each("ec2:Describe{LaunchTemplates,LaunchTemplateVersions}", Calls::Unpaged, 50, 10),
    each("ec2:{Describe,Get,List,Search}*", Calls::All, 100, 20),
    each("ec2:{CreateLaunchTemplateVersion,ModifyLaunchTemplate}", Calls::All, 100, 5),
    each("ec2:ModifyInstanceMetadataOptions", Calls::All, 100, 5),
    each("ec2:ModifyInstanceMetadataDefaults", Calls::All, 2, 2),
    each("ec2:CreateTags", Calls::All, 100, 10),
    each("ec2:*", Calls::All, 50, 5),
    shared("sts:*", 600, 600),
    shared("autoscaling:*", 40, 10),
    each("eks:*", Calls::All, 40, 10),
    each("organizations:*", Calls::All, 20, 5),
    each("cloudwatch:GetMetricData", Calls::All, 50, 50),
];
