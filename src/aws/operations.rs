//! Every AWS operation that imdsctl may call, and what for: the one table that the gate holds requests against,
//! that session policies are made from, and that IAM policies are printed from.

use std::fmt;

/// An operation of an AWS service, as IAM and the report's `api_calls` name it: `ec2:DescribeInstances`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operation {
    /// The service's prefix in IAM: `ec2`, `eks`, `autoscaling`, `cloudwatch`, `sts`, `organizations`, `s3`, `securityhub`.
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
    /// Reading an account, to judge what is there and to plan changes to it.
    Plan,
    /// Asking an account which Regions it can use, and nothing else.
    Scopes,
    /// Finding accounts and signing in to them. Only clients of the base credentials are made for this.
    SignIn,
    /// Asking EC2 what it would say to a change, by `DryRun`. Nothing else passes, whatever it is called.
    Rehearse,
    /// Changing an account, and reading right before and after what is changed.
    Remediate,
    /// Carrying reports to where people look. No account is read for it.
    Deliver,
}

impl Operation {
    /// Whether it changes what is in an account. AWS names what does not with one of three verbs; signing in
    /// changes nothing there either.
    pub fn is_write(self) -> bool {
        let verbs = ["Describe", "Get", "List", "Assume"];
        !verbs.iter().any(|verb| self.name.starts_with(verb))
    }
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
    /// EKS clusters and node groups, whichever an update is of.
    Updates,
    /// Auto Scaling groups.
    Groups,
    /// EC2 instances.
    Instances,
    /// EC2 launch templates.
    Templates,
    /// Organizational units and roots.
    Units,
    /// IAM roles.
    Roles,
    /// Objects of S3.
    Objects,
    /// Topics of SNS.
    Topics,
    /// What Security Hub takes findings of.
    Products,
    /// Security Hub of an account in a Region.
    Hubs,
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
    DESCRIBE_AUTO_SCALING_GROUPS =
        "autoscaling" "DescribeAutoScalingGroups" on Everything for Audit Plan Remediate;
    DESCRIBE_INSTANCE_REFRESHES = "autoscaling" "DescribeInstanceRefreshes" on Everything for Remediate;
    DESCRIBE_LAUNCH_CONFIGURATIONS =
        "autoscaling" "DescribeLaunchConfigurations" on Everything for Audit Plan;
    DESCRIBE_LIFECYCLE_HOOKS = "autoscaling" "DescribeLifecycleHooks" on Everything for Plan;
    DESCRIBE_WARM_POOL = "autoscaling" "DescribeWarmPool" on Everything for Audit Plan;
    START_INSTANCE_REFRESH = "autoscaling" "StartInstanceRefresh" on Groups for Remediate;
    UPDATE_AUTO_SCALING_GROUP = "autoscaling" "UpdateAutoScalingGroup" on Groups for Remediate;
    GET_METRIC_DATA = "cloudwatch" "GetMetricData" on Everything for Plan;
    CREATE_LAUNCH_TEMPLATE_VERSION =
        "ec2" "CreateLaunchTemplateVersion" on Templates for Rehearse Remediate;
    DELETE_LAUNCH_TEMPLATE_VERSIONS =
        "ec2" "DeleteLaunchTemplateVersions" on Templates for Rehearse Remediate;
    DESCRIBE_FLEETS = "ec2" "DescribeFleets" on Everything for Plan Remediate;
    DESCRIBE_IMAGES = "ec2" "DescribeImages" on Everything for Audit Plan;
    DESCRIBE_INSTANCE_IMAGE_METADATA =
        "ec2" "DescribeInstanceImageMetadata" on Everything for Audit Plan;
    DESCRIBE_INSTANCES = "ec2" "DescribeInstances" on Everything for Audit Plan Remediate;
    DESCRIBE_LAUNCH_TEMPLATE_VERSIONS =
        "ec2" "DescribeLaunchTemplateVersions" on Everything for Audit Plan Remediate;
    DESCRIBE_LAUNCH_TEMPLATES = "ec2" "DescribeLaunchTemplates" on Everything for Audit Plan Remediate;
    DESCRIBE_REGIONS = "ec2" "DescribeRegions" on Everything for Audit Plan Scopes;
    DESCRIBE_SPOT_FLEET_REQUESTS = "ec2" "DescribeSpotFleetRequests" on Everything for Plan Remediate;
    GET_INSTANCE_METADATA_DEFAULTS =
        "ec2" "GetInstanceMetadataDefaults" on Everything for Audit Plan Remediate;
    MODIFY_INSTANCE_METADATA_DEFAULTS =
        "ec2" "ModifyInstanceMetadataDefaults" on Everything for Rehearse Remediate;
    MODIFY_INSTANCE_METADATA_OPTIONS =
        "ec2" "ModifyInstanceMetadataOptions" on Instances for Rehearse Remediate;
    MODIFY_LAUNCH_TEMPLATE = "ec2" "ModifyLaunchTemplate" on Templates for Rehearse Remediate;
    DESCRIBE_NODEGROUP = "eks" "DescribeNodegroup" on NodeGroups for Audit Plan Remediate;
    DESCRIBE_UPDATE = "eks" "DescribeUpdate" on Updates for Remediate;
    LIST_CLUSTERS = "eks" "ListClusters" on Everything for Audit Plan Remediate;
    LIST_FARGATE_PROFILES = "eks" "ListFargateProfiles" on Clusters for Audit Plan;
    LIST_NODEGROUPS = "eks" "ListNodegroups" on Clusters for Audit Plan Remediate;
    LIST_UPDATES = "eks" "ListUpdates" on Updates for Remediate;
    UPDATE_NODEGROUP_VERSION = "eks" "UpdateNodegroupVersion" on NodeGroups for Remediate;
    LIST_ACCOUNTS = "organizations" "ListAccounts" on Everything for SignIn;
    LIST_ACCOUNTS_FOR_PARENT = "organizations" "ListAccountsForParent" on Units for SignIn;
    LIST_ORGANIZATIONAL_UNITS_FOR_PARENT =
        "organizations" "ListOrganizationalUnitsForParent" on Units for SignIn;
    GET_OBJECT = "s3" "GetObject" on Objects for Deliver;
    PUT_OBJECT = "s3" "PutObject" on Objects for Deliver;
    BATCH_IMPORT_FINDINGS = "securityhub" "BatchImportFindings" on Products for Deliver;
    GET_FINDINGS = "securityhub" "GetFindings" on Hubs for Deliver;
    PUBLISH = "sns" "Publish" on Topics for Deliver;
    ASSUME_ROLE = "sts" "AssumeRole" on Roles for SignIn;
    GET_CALLER_IDENTITY = "sts" "GetCallerIdentity" on NoPermission for SignIn;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_each_operation_once() {
        let operations = TABLE.iter().map(|entry| entry.operation);
        assert!(operations.is_sorted(), "by service and name, so that nothing is listed twice");
    }

    #[test]
    fn only_what_is_made_to_change_an_account_can() {
        for Entry { operation, tasks, .. } in TABLE {
            let reads = ["Describe", "Get", "List"].iter().any(|verb| operation.name.starts_with(verb));
            // A session is no change to an account, and it is asked for by clients that read nothing.
            let signs_in = *operation == ASSUME_ROLE && *tasks == [Task::SignIn];
            if reads || signs_in {
                assert!(!operation.is_write(), "{operation}");
                assert!(!tasks.contains(&Task::Rehearse), "{operation} cannot be rehearsed");
                continue;
            }
            assert!(operation.is_write(), "{operation}");
            for task in [Task::Audit, Task::Plan, Task::Scopes, Task::SignIn] {
                assert!(!tasks.contains(&task), "{operation} is not a read");
            }
            // Of these services EC2 alone knows DryRun.
            assert_eq!(tasks.contains(&Task::Rehearse), operation.service == "ec2", "{operation}");
        }
    }

    #[test]
    fn what_delivers_reaches_no_service_that_is_audited() {
        let is_sink = |entry: &Entry| matches!(entry.operation.service, "s3" | "sns" | "securityhub");
        assert!(Task::Deliver.entries().all(is_sink));
        let delivers = |task: Task| task.entries().any(is_sink);
        let others = [Task::Audit, Task::Plan, Task::Scopes, Task::SignIn, Task::Rehearse, Task::Remediate];
        assert!(!others.into_iter().any(delivers));
    }

    #[test]
    fn a_plan_is_made_from_all_that_an_audit_reads() {
        for operation in Task::Audit.operations() {
            assert!(Task::Plan.allows(operation.service, operation.name), "{operation}");
        }
    }

    #[test]
    fn what_reads_or_changes_an_account_signs_in_nowhere() {
        for task in [Task::Audit, Task::Plan, Task::Scopes, Task::Rehearse, Task::Remediate] {
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
        assert!(Task::Remediate.allows("ec2", "ModifyInstanceMetadataOptions"));
        assert!(!Task::Remediate.allows("ec2", "RunInstances"));
        assert!(!Task::Scopes.allows("ec2", "DescribeInstances"));
        assert!(Task::Scopes.allows("ec2", "DescribeRegions"));
    }
}
