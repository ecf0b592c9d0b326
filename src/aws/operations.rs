//! Every AWS operation that an audit may call: the one list that the gate holds requests against, and that
//! the IAM policy is printed from.

use std::fmt;

/// An operation of an AWS service, as IAM and the report's `api_calls` name it: `ec2:DescribeInstances`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operation {
    /// The service's prefix in IAM: `ec2`, `eks`, `autoscaling`, `sts`.
    pub service: &'static str,
    /// The operation's name in the API.
    pub name: &'static str,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.name)
    }
}

/// Declares the operations as constants, and the table of all of them.
macro_rules! read_operations {
    ($($constant:ident = $service:literal $name:literal;)*) => {
        $(
            #[doc = concat!("`", $service, ":", $name, "`")]
            pub const $constant: Operation = Operation { service: $service, name: $name };
        )*

        /// All that an audit may call. Each of them reads; its IAM action has the same name.
        pub const READ_OPERATIONS: &[Operation] = &[$($constant),*];
    };
}

read_operations! {
    DESCRIBE_AUTO_SCALING_GROUPS = "autoscaling" "DescribeAutoScalingGroups";
    DESCRIBE_LAUNCH_CONFIGURATIONS = "autoscaling" "DescribeLaunchConfigurations";
    DESCRIBE_WARM_POOL = "autoscaling" "DescribeWarmPool";
    DESCRIBE_IMAGES = "ec2" "DescribeImages";
    DESCRIBE_INSTANCE_IMAGE_METADATA = "ec2" "DescribeInstanceImageMetadata";
    DESCRIBE_INSTANCES = "ec2" "DescribeInstances";
    DESCRIBE_LAUNCH_TEMPLATE_VERSIONS = "ec2" "DescribeLaunchTemplateVersions";
    DESCRIBE_LAUNCH_TEMPLATES = "ec2" "DescribeLaunchTemplates";
    DESCRIBE_REGIONS = "ec2" "DescribeRegions";
    GET_INSTANCE_METADATA_DEFAULTS = "ec2" "GetInstanceMetadataDefaults";
    DESCRIBE_NODEGROUP = "eks" "DescribeNodegroup";
    LIST_CLUSTERS = "eks" "ListClusters";
    LIST_FARGATE_PROFILES = "eks" "ListFargateProfiles";
    LIST_NODEGROUPS = "eks" "ListNodegroups";
    GET_CALLER_IDENTITY = "sts" "GetCallerIdentity";
}

/// Whether an audit may call this operation.
pub fn is_read(service: &str, name: &str) -> bool {
    READ_OPERATIONS.iter().any(|operation| operation.service == service && operation.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_holds_reads_only_and_each_once() {
        for operation in READ_OPERATIONS {
            let verb = ["Describe", "Get", "List"].iter().any(|verb| operation.name.starts_with(verb));
            assert!(verb, "{operation} is not a read");
        }
        assert!(READ_OPERATIONS.is_sorted(), "by service and name, so that nothing is listed twice");
    }

    #[test]
    fn an_operation_belongs_to_its_service() {
        assert!(is_read("ec2", "DescribeInstances"));
        assert!(!is_read("eks", "DescribeInstances"));
        assert!(!is_read("ec2", "ModifyInstanceMetadataOptions"));
    }
}
