//! IAM policies of what imdsctl calls, made from the table of operations.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use super::operations::{ASSUME_ROLE, On, Operation, Task};
use crate::model::{AccountId, Partition};

/// An IAM policy. Serialized, it is what AWS takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyDocument {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Statement {
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'static str>,
    effect: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Value>,
    action: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Value>,
}

impl PolicyDocument {
    /// What a task calls in an account; in any account, where none is given.
    pub fn of_reads(task: Task, partition: &Partition, account: Option<&AccountId>) -> Self {
        let account = account.map_or("*", AccountId::as_str);
        let kinds = [
            ("ImdsctlRead", On::Everything, vec!["*".to_owned()]),
            ("ImdsctlReadClusters", On::Clusters, vec![format!("arn:{partition}:eks:*:{account}:cluster/*")]),
            (
                "ImdsctlReadNodeGroups",
                On::NodeGroups,
                vec![format!("arn:{partition}:eks:*:{account}:nodegroup/*")],
            ),
        ];
        Self::new(kinds.into_iter().filter_map(|(sid, on, resource)| Statement::of(sid, task, on, resource)))
    }

    /// What the base credentials call to assume `roles`, ARNs with `*` for accounts; and to find the accounts of
    /// their organization, where that is wanted. The Regions are asked of their own account.
    pub fn of_base(partition: &Partition, roles: Vec<String>, organization: bool) -> Self {
        let regions = Statement::of("ImdsctlRegions", Task::Scopes, On::Everything, vec!["*".to_owned()]);
        let roles = Statement::of("ImdsctlAssume", Task::SignIn, On::Roles, roles);
        let units = ["root/o-*/r-*", "ou/o-*/ou-*"];
        let units = units.map(|unit| format!("arn:{partition}:organizations::*:{unit}")).to_vec();
        let organization = if organization {
            vec![
                Statement::of("ImdsctlAccounts", Task::SignIn, On::Everything, vec!["*".to_owned()]),
                Statement::of("ImdsctlUnits", Task::SignIn, On::Units, units),
            ]
        } else {
            Vec::new()
        };
        Self::new([regions, roles].into_iter().chain(organization).flatten())
    }

    /// What runs by itself takes: to read its own account, to assume `roles` in the others, and to deliver.
    pub fn of_function(
        partition: &Partition,
        account: Option<&AccountId>,
        roles: Vec<String>,
        organization: bool,
        sinks: &Sinks,
    ) -> Self {
        let reads = Self::of_reads(Task::Audit, partition, account).statement;
        let base = Self::of_base(partition, roles, organization).statement;
        // Whoever reads an account asks for its Regions anyway.
        let more = |one: &Statement| one.action.iter().any(|action| !reads[0].action.contains(action));
        let base: Vec<_> = base.into_iter().filter(more).collect();
        let hub = sinks.security_hub.then(|| Self::of_imports(partition, account).statement);
        let sinks = sinks.statements(partition);
        Self::new(reads.into_iter().chain(base).chain(sinks).chain(hub.into_iter().flatten()))
    }

    /// What leaves findings in Security Hub of an account; of any account, where none is given.
    pub fn of_imports(partition: &Partition, account: Option<&AccountId>) -> Self {
        let account = account.map_or("*", AccountId::as_str);
        let arn = |resource: &str| vec![format!("arn:{partition}:securityhub:*:{account}:{resource}")];
        let product = arn(&format!("product/{account}/default"));
        let kinds =
            [("ImdsctlImport", On::Products, product), ("ImdsctlImported", On::Hubs, arn("hub/default"))];
        Self::new(
            kinds
                .into_iter()
                .filter_map(|(sid, on, resource)| Statement::of(sid, Task::Deliver, on, resource)),
        )
    }

    /// The same, and what another allows.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.statement.extend(other.statement);
        self
    }

    /// The same within an organization: nobody outside of it may assume the role, and no role outside of it may be
    /// assumed.
    #[must_use]
    pub fn within_organization(mut self, id: &str) -> Self {
        let assumes =
            |one: &&mut Statement| one.action.iter().any(|action| *action == ASSUME_ROLE.to_string());
        for statement in self.statement.iter_mut().filter(assumes) {
            let of = if statement.principal.is_some() { "aws:PrincipalOrgID" } else { "aws:ResourceOrgID" };
            let condition = statement.condition.get_or_insert_with(|| json!({ "StringEquals": {} }));
            condition["StringEquals"][of] = json!(id);
        }
        self
    }

    /// What changes an account: reading right before and after, and every change that there is. Templates that EKS owns
    /// are denied, whatever else allows them.
    pub fn of_changes(partition: &Partition, account: Option<&AccountId>) -> Self {
        let account = account.map_or("*", AccountId::as_str);
        let arn = |service: &str, rest: &str| format!("arn:{partition}:{service}:*:{account}:{rest}");
        let everything = || vec!["*".to_owned()];
        let clusters = || arn("eks", "cluster/*");
        let node_groups = || arn("eks", "nodegroup/*");
        let templates = || arn("ec2", "launch-template/*");
        let groups = arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/*");
        let (read, write) = (false, true);
        let allowed = [
            ("ImdsctlRead", read, On::Everything, everything()),
            ("ImdsctlReadClusters", read, On::Clusters, vec![clusters()]),
            ("ImdsctlReadNodeGroups", read, On::NodeGroups, vec![node_groups()]),
            ("ImdsctlReadUpdates", read, On::Updates, vec![clusters(), node_groups()]),
            ("ImdsctlChangeTemplates", write, On::Templates, vec![templates()]),
            ("ImdsctlChangeNodeGroups", write, On::NodeGroups, vec![node_groups()]),
            ("ImdsctlChangeGroups", write, On::Groups, vec![groups]),
            ("ImdsctlChangeInstances", write, On::Instances, vec![arn("ec2", "instance/*")]),
            ("ImdsctlChangeDefaults", write, On::Everything, everything()),
        ];
        let allowed = allowed.into_iter().filter_map(|(sid, writes, on, resource)| {
            let entries = Task::Remediate.entries().filter(|entry| entry.on == on);
            let operations = entries.map(|entry| entry.operation);
            let statement = Statement::allow(operations.filter(|one| one.is_write() == writes), resource);
            (!statement.action.is_empty()).then_some(Statement { sid: Some(sid), ..statement })
        });
        let launches = ["ImdsctlLaunch", "ImdsctlPassRole"].into_iter().zip(Statement::of_launches());
        let launches = launches.map(|(sid, statement)| Statement { sid: Some(sid), ..statement });
        let denied = Task::Remediate.entries().filter(|entry| entry.on == On::Templates);
        let denied = Statement {
            sid: Some("ImdsctlNeverTemplatesOfEks"),
            effect: "Deny",
            condition: Some(json!({ "StringLike": { "aws:ResourceTag/eks:nodegroup-name": "*" } })),
            ..Statement::allow(denied.map(|entry| entry.operation), vec![templates()])
        };
        Self::new(allowed.chain(launches).chain([denied]))
    }

    /// Who may assume the role that reads an account: an account, or an ARN in one; and what they have to know.
    pub fn of_trust(principal: &str, external_id: Option<&str>) -> Self {
        Self::new([Statement {
            sid: Some("ImdsctlTrust"),
            effect: "Allow",
            principal: Some(json!({ "AWS": principal })),
            action: vec!["sts:AssumeRole".to_owned()],
            resource: Vec::new(),
            condition: external_id.map(|id| json!({ "StringEquals": { "sts:ExternalId": id } })),
        }])
    }

    pub(super) fn new(statements: impl IntoIterator<Item = Statement>) -> Self {
        Self { version: "2012-10-17", statement: statements.into_iter().collect() }
    }

    /// The same in as few characters as can be: AWS takes 2,048 of a session policy.
    pub(super) fn compact(mut self) -> String {
        for statement in &mut self.statement {
            statement.sid = None;
        }
        json!(self).to_string()
    }

    /// The same for people.
    pub fn pretty(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

impl Statement {
    /// Operations on resources.
    pub(super) fn allow(operations: impl Iterator<Item = Operation>, resource: Vec<String>) -> Self {
        let action = operations.map(|operation| operation.to_string()).collect();
        Self { sid: None, effect: "Allow", principal: None, action, resource, condition: None }
    }

    /// What imdsctl never calls, and has to be allowed to: EKS and Auto Scaling ask, when they are told what to launch
    /// from, whether the caller could launch that.
    pub(super) fn of_launches() -> [Self; 2] {
        let allow = |action: &[&str], condition| Self {
            sid: None,
            effect: "Allow",
            principal: None,
            action: action.iter().map(ToString::to_string).collect(),
            resource: vec!["*".to_owned()],
            condition,
        };
        let to_ec2 = json!({ "StringLike": { "iam:PassedToService": "ec2.amazonaws.com*" } });
        [allow(&["ec2:CreateTags", "ec2:RunInstances"], None), allow(&["iam:PassRole"], Some(to_ec2))]
    }

    /// What a task calls on one kind of resource; nothing if that is nothing.
    fn of(sid: &'static str, task: Task, on: On, resource: Vec<String>) -> Option<Self> {
        let entries = task.entries().filter(|entry| entry.on == on);
        let action: Vec<_> = entries.map(|entry| entry.operation.to_string()).collect();
        let statement =
            Self { sid: Some(sid), effect: "Allow", principal: None, action, resource, condition: None };
        (!statement.action.is_empty()).then_some(statement)
    }
}

/// Where what runs by itself may deliver to. Nowhere, unless it is named.
#[derive(Clone, Debug, Default)]
pub struct Sinks {
    /// Where objects are put and fetched, as `BUCKET` or `BUCKET/PREFIX`.
    pub buckets: Vec<String>,
    /// Topics that are published to, by their ARNs.
    pub topics: Vec<String>,
    /// Keys of KMS that these buckets are encrypted with, by their ARNs.
    pub keys: Vec<String>,
    /// Whether findings are left in Security Hub of its own account.
    pub security_hub: bool,
}

impl Sinks {
    fn statements(&self, partition: &Partition) -> impl Iterator<Item = Statement> {
        let objects = self.buckets.iter().map(|place| {
            let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
            let slash = if prefix.is_empty() || prefix.ends_with('/') { "" } else { "/" };
            format!("arn:{partition}:s3:::{bucket}/{prefix}{slash}*")
        });
        let buckets: BTreeSet<_> = self
            .buckets
            .iter()
            .map(|place| format!("arn:{partition}:s3:::{}", place.split('/').next().unwrap_or_default()))
            .collect();
        let own = |sid, action: &[&str], resource: Vec<String>, condition| Statement {
            sid: Some(sid),
            effect: "Allow",
            principal: None,
            action: action.iter().map(ToString::to_string).collect(),
            resource,
            condition,
        };
        // Neither is called: S3 asks for the one to say of an object that is not there that it is not, and for the others
        // where a bucket is encrypted with a key.
        let list = own("ImdsctlBuckets", &["s3:ListBucket"], buckets.into_iter().collect(), None);
        let by_s3 = json!({ "StringLike": { "kms:ViaService": "s3.*" } });
        let keys = &["kms:Decrypt", "kms:GenerateDataKey"];
        let keys = own("ImdsctlKeys", keys, self.keys.clone(), Some(by_s3));
        let statements = [
            Statement::of("ImdsctlObjects", Task::Deliver, On::Objects, objects.collect()),
            Some(list),
            Some(keys),
            Statement::of("ImdsctlNotify", Task::Deliver, On::Topics, self.topics.clone()),
        ];
        statements.into_iter().flatten().filter(|statement| !statement.resource.is_empty())
    }
}

/// The policy that limits a session in an account to leaving findings in its Security Hub.
pub(super) fn import_policy(partition: &Partition, account: &AccountId) -> String {
    PolicyDocument::of_imports(partition, Some(account)).compact()
}

/// The policy that limits a session in an account to what a task calls.
pub(super) fn session_policy(task: Task, partition: &Partition, account: &AccountId) -> String {
    PolicyDocument::of_reads(task, partition, Some(account)).compact()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actions(policy: &PolicyDocument) -> Vec<&str> {
        let mut actions: Vec<&str> = policy
            .statement
            .iter()
            .flat_map(|statement| statement.action.iter().map(String::as_str))
            .collect();
        actions.sort_unstable();
        actions
    }

    #[test]
    fn a_policy_allows_what_its_task_calls_and_nothing_else() {
        let account = "111122223333".into();
        let policy = PolicyDocument::of_reads(Task::Audit, &"aws-us-gov".into(), Some(&account));
        let called: Vec<_> = Task::Audit.operations().map(|operation| operation.to_string()).collect();
        assert_eq!(actions(&policy), called);
        assert!(policy.statement.iter().all(|statement| statement.effect == "Allow"));
        assert!(called.iter().all(|action| !action.contains('*')));
        assert_eq!(policy.statement[1].resource, ["arn:aws-us-gov:eks:*:111122223333:cluster/*"]);
        assert_eq!(policy.statement[2].action, ["eks:DescribeNodegroup"]);
    }

    #[test]
    fn what_changes_an_account_may_do_that_and_never_to_templates_of_eks() {
        let policy = PolicyDocument::of_changes(&"aws".into(), Some(&"111122223333".into()));
        let (denied, allowed): (Vec<_>, Vec<_>) =
            policy.statement.iter().partition(|statement| statement.effect == "Deny");
        let mut actions: Vec<_> = allowed.iter().flat_map(|one| one.action.iter().cloned()).collect();
        actions.sort();
        let mut called: Vec<_> =
            Task::Remediate.operations().map(|operation| operation.to_string()).collect();
        called.extend(["ec2:CreateTags", "ec2:RunInstances", "iam:PassRole"].map(str::to_owned));
        called.sort();
        assert_eq!(actions, called);
        let [denied] = denied[..] else { panic!("one denial") };
        let of_templates = allowed.iter().find(|one| one.sid == Some("ImdsctlChangeTemplates")).unwrap();
        assert_eq!((&denied.action, &denied.resource), (&of_templates.action, &of_templates.resource));
        let mut wide = allowed.iter().filter(|one| one.resource == ["*"]).flat_map(|one| &one.action);
        let reads = |action: &&String| ["Describe", "Get", "List"].iter().any(|verb| action.contains(verb));
        let writes = wide.by_ref().filter(|action| !reads(action)).cloned().collect::<Vec<_>>();
        assert_eq!(
            writes,
            ["ec2:ModifyInstanceMetadataDefaults", "ec2:CreateTags", "ec2:RunInstances", "iam:PassRole"],
            "what IAM knows a resource for is limited to it"
        );
    }

    #[test]
    fn a_session_policy_is_as_long_as_aws_takes_it() {
        for task in [Task::Audit, Task::Plan] {
            let policy = session_policy(task, &"aws-us-gov".into(), &"111122223333".into());
            assert!(policy.len() <= 2048, "{} characters", policy.len());
            assert!(!policy.contains('\n') && !policy.contains("Sid"));
        }
        assert_eq!(
            import_policy(&"aws".into(), &"111122223333".into()),
            r#"{"Statement":[{"Action":["securityhub:BatchImportFindings"],"Effect":"Allow","Resource":["arn:aws:securityhub:*:111122223333:product/111122223333/default"]},{"Action":["securityhub:GetFindings"],"Effect":"Allow","Resource":["arn:aws:securityhub:*:111122223333:hub/default"]}],"Version":"2012-10-17"}"#
        );
        let policy = session_policy(Task::Scopes, &"aws".into(), &"111122223333".into());
        assert_eq!(
            policy,
            r#"{"Statement":[{"Action":["ec2:DescribeRegions"],"Effect":"Allow","Resource":["*"]}],"Version":"2012-10-17"}"#
        );
    }

    #[test]
    fn the_base_may_assume_its_role_and_list_and_no_more() {
        let roles = vec!["arn:aws:iam::*:role/ImdsctlAudit".to_owned()];
        let alone = PolicyDocument::of_base(&"aws".into(), roles.clone(), false);
        assert_eq!(actions(&alone), ["ec2:DescribeRegions", "sts:AssumeRole"]);
        let all = PolicyDocument::of_base(&"aws".into(), roles, true);
        let sign_in = Task::SignIn.entries().filter(|entry| entry.on != On::NoPermission);
        let mut called: Vec<_> = sign_in.map(|entry| entry.operation.to_string()).collect();
        called.push("ec2:DescribeRegions".to_owned());
        called.sort();
        assert_eq!(actions(&all), called);
    }

    #[test]
    fn a_function_may_do_what_reads_its_account_and_the_base_of_the_others() {
        let (partition, account) = ("aws".into(), "111122223333".into());
        let roles = || vec!["arn:aws:iam::*:role/ImdsctlAudit".to_owned()];
        let function =
            PolicyDocument::of_function(&partition, Some(&account), roles(), true, &Sinks::default());
        let reads = PolicyDocument::of_reads(Task::Audit, &partition, Some(&account));
        let base = PolicyDocument::of_base(&partition, roles(), true);
        let mut both = [actions(&reads), actions(&base)].concat();
        both.sort_unstable();
        both.dedup();
        assert_eq!(actions(&function), both, "each once");
        let alone =
            PolicyDocument::of_function(&partition, Some(&account), roles(), false, &Sinks::default());
        assert!(actions(&alone).iter().all(|action| !action.starts_with("organizations:")));
    }

    #[test]
    fn a_function_may_deliver_to_what_is_named_and_nowhere_else() {
        let (partition, account) = ("aws".into(), "111122223333".into());
        let topic = "arn:aws:sns:eu-west-1:111122223333:imdsctl";
        let sinks = Sinks {
            buckets: vec!["reports/nightly".to_owned(), "reports/work/".to_owned(), "others".to_owned()],
            topics: vec![topic.to_owned()],
            keys: vec!["arn:aws:kms:eu-west-1:111122223333:key/k".to_owned()],
            security_hub: true,
        };
        let roles = Vec::new();
        let function = PolicyDocument::of_function(&partition, Some(&account), roles.clone(), false, &sinks);
        let resources = |sid: &str| -> Vec<&str> {
            let statement = function.statement.iter().find(|one| one.sid == Some(sid)).unwrap();
            statement.resource.iter().map(String::as_str).collect()
        };
        assert_eq!(
            resources("ImdsctlObjects"),
            ["arn:aws:s3:::reports/nightly/*", "arn:aws:s3:::reports/work/*", "arn:aws:s3:::others/*"]
        );
        assert_eq!(resources("ImdsctlBuckets"), ["arn:aws:s3:::others", "arn:aws:s3:::reports"]);
        assert_eq!(resources("ImdsctlNotify"), [topic]);
        assert_eq!(
            resources("ImdsctlImport"),
            ["arn:aws:securityhub:*:111122223333:product/111122223333/default"]
        );
        let none = PolicyDocument::of_function(&partition, Some(&account), roles, false, &Sinks::default());
        let sinks: Vec<_> =
            actions(&function).into_iter().filter(|one| !actions(&none).contains(one)).collect();
        let mut called: Vec<_> = Task::Deliver.operations().map(|operation| operation.to_string()).collect();
        called.extend(["kms:Decrypt", "kms:GenerateDataKey", "s3:ListBucket"].map(str::to_owned));
        called.sort();
        assert_eq!(sinks, called);
    }

    #[test]
    fn an_organization_narrows_who_assumes_and_what() {
        let roles = vec!["arn:aws:iam::*:role/ImdsctlAudit".to_owned()];
        let base = PolicyDocument::of_base(&"aws".into(), roles, true).within_organization("o-a");
        let narrowed: Vec<_> = base.statement.iter().filter(|one| one.condition.is_some()).collect();
        assert_eq!(narrowed.len(), 1);
        assert_eq!(narrowed[0].action, ["sts:AssumeRole"]);
        assert_eq!(narrowed[0].condition, Some(json!({ "StringEquals": { "aws:ResourceOrgID": "o-a" } })));
        let trust = PolicyDocument::of_trust("111122223333", Some("x-1")).within_organization("o-a");
        let both = json!({ "StringEquals": { "aws:PrincipalOrgID": "o-a", "sts:ExternalId": "x-1" } });
        assert_eq!(trust.statement[0].condition, Some(both));
    }

    #[test]
    fn a_trust_policy_asks_for_what_it_is_told_to() {
        let policy = json!(PolicyDocument::of_trust("111122223333", Some("x-1")));
        assert_eq!(policy["Statement"][0]["Principal"]["AWS"], "111122223333");
        assert_eq!(policy["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"], "x-1");
        assert_eq!(json!(PolicyDocument::of_trust("1", None))["Statement"][0].get("Condition"), None);
    }
}
