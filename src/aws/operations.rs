//! Every AWS operation that imdsctl may call, and what for: the one table that the gate holds requests against,
//! that session policies are made from, and that IAM policies are printed from.

use std::fmt;

/// An operation of an AWS service, as IAM and the report's `api_calls` name it: `ec2:DescribeInstances`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operation {
    /// The service's prefix in IAM: `ec2`, `eks`, `autoscaling`, `sts`, `organizations`.
    pub service: &'static str,
    /// The operation's name in the API. Its IAM action has the same.
    pub name: &'static str,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.name)
    }
}

/// What a client is made for, and thereby all that it may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// Reading an account, to judge or to explain what is there.
    Audit,
    /// Asking an account which Regions it can use, and nothing else.
    Scopes,
    /// Finding accounts and signing in to them. Only clients of the base credentials are made for this.
    SignIn,
}

/// What an operation's permission can be limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum On {
    /// Nothing: IAM knows no resource for it.
    Everything,
    /// EKS clusters.
    Clusters,
    /// EKS node groups.
    NodeGroups,
    /// Organizational units and roots.
    Units,
    /// IAM roles.
    Roles,
    /// Whoever asks needs no permission for it.
    NoPermission,
}

/// An operation in the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// The operation.
    pub operation: Operation,
    /// What its permission can be limited to.
    pub on: On,
    tasks: &'static [Task],
}

impl Task {
    /// All that is called for this, sorted by service and name.
    pub(super) fn entries(self) -> impl Iterator<Item = &'static Entry> {
        TABLE.iter().filter(move |entry| entry.tasks.contains(&self))
    }

    /// The operations that are called for this.
    pub fn operations(self) -> impl Iterator<Item = Operation> {
        self.entries().map(|entry| entry.operation)
    }

    /// Whether an operation may be called for this.
    pub fn allows(self, service: &str, name: &str) -> bool {
        self.entries().any(|entry| entry.operation.service == service && entry.operation.name == name)
    }
}

/// Declares the operations as constants, and the table of all of them.
macro_rules! operations {
    ($($constant:ident = $service:literal $name:literal on $on:ident for $($task:ident)+;)*) => {
        $(
            #[doc = concat!("`", $service, ":", $name, "`")]
            pub const $constant: Operation = Operation { service: $service, name: $name };
        )*

        const TABLE: &[Entry] =
            &[$(Entry { operation: $constant, on: On::$on, tasks: &[$(Task::$task),+] }),*];
    };
}

operations! {
    DESCRIBE_AUTO_SCALING_GROUPS = "autoscaling" "DescribeAutoScalingGroups" on Everything for Audit;
    DESCRIBE_LAUNCH_CONFIGURATIONS = "autoscaling" "DescribeLaunchConfigurations" on Everything for Audit;
    DESCRIBE_WARM_POOL = "autoscaling" "DescribeWarmPool" on Everything for Audit;
    DESCRIBE_IMAGES = "ec2" "DescribeImages" on Everything for Audit;
    DESCRIBE_INSTANCE_IMAGE_METADATA = "ec2" "DescribeInstanceImageMetadata" on Everything for Audit;
    DESCRIBE_INSTANCES = "ec2" "DescribeInstances" on Everything for Audit;
    DESCRIBE_LAUNCH_TEMPLATE_VERSIONS = "ec2" "DescribeLaunchTemplateVersions" on Everything for Audit;
    DESCRIBE_LAUNCH_TEMPLATES = "ec2" "DescribeLaunchTemplates" on Everything for Audit;
    DESCRIBE_REGIONS = "ec2" "DescribeRegions" on Everything for Audit Scopes;
    GET_INSTANCE_METADATA_DEFAULTS = "ec2" "GetInstanceMetadataDefaults" on Everything for Audit;
    DESCRIBE_NODEGROUP = "eks" "DescribeNodegroup" on NodeGroups for Audit;
    LIST_CLUSTERS = "eks" "ListClusters" on Everything for Audit;
    LIST_FARGATE_PROFILES = "eks" "ListFargateProfiles" on Clusters for Audit;
    LIST_NODEGROUPS = "eks" "ListNodegroups" on Clusters for Audit;
    LIST_ACCOUNTS = "organizations" "ListAccounts" on Everything for SignIn;
    LIST_ACCOUNTS_FOR_PARENT = "organizations" "ListAccountsForParent" on Units for SignIn;
    LIST_ORGANIZATIONAL_UNITS_FOR_PARENT =
        "organizations" "ListOrganizationalUnitsForParent" on Units for SignIn;
    ASSUME_ROLE = "sts" "AssumeRole" on Roles for SignIn;
    GET_CALLER_IDENTITY = "sts" "GetCallerIdentity" on NoPermission for SignIn;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_each_operation_once_and_nothing_that_changes_anything() {
        for Entry { operation, tasks, .. } in TABLE {
            let verb = ["Describe", "Get", "List"].iter().any(|verb| operation.name.starts_with(verb));
            // A session is no change to an account, and it is asked for by clients that read nothing.
            let signs_in = *operation == ASSUME_ROLE && *tasks == [Task::SignIn];
            assert!(verb || signs_in, "{operation} is not a read");
        }
        let operations = TABLE.iter().map(|entry| entry.operation);
        assert!(operations.is_sorted(), "by service and name, so that nothing is listed twice");
    }

    #[test]
    fn what_reads_an_account_signs_in_nowhere() {
        for task in [Task::Audit, Task::Scopes] {
            assert!(!task.allows("sts", "AssumeRole"));
            assert!(task.entries().all(|entry| !matches!(entry.operation.service, "sts" | "organizations")));
        }
        assert!(
            Task::SignIn.entries().all(|entry| matches!(entry.operation.service, "sts" | "organizations"))
        );
    }

    #[test]
    fn an_operation_belongs_to_its_service_and_its_task() {
        assert!(Task::Audit.allows("ec2", "DescribeInstances"));
        assert!(!Task::Audit.allows("eks", "DescribeInstances"));
        assert!(!Task::Audit.allows("ec2", "ModifyInstanceMetadataOptions"));
        assert!(!Task::Scopes.allows("ec2", "DescribeInstances"));
        assert!(Task::Scopes.allows("ec2", "DescribeRegions"));
    }
}
