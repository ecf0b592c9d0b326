//! IAM policies of what imdsctl calls, made from the table of operations.

use serde_json::{Value, json};

use super::operations::{Entry, On, Task};
use crate::model::{AccountId, Partition};

/// The most characters that AWS takes of a session policy.
#[cfg(test)]
const SESSION_POLICY_LIMIT: usize = 2048;

/// The policy that limits a session in an account to what a task calls.
pub(super) fn session_policy(task: Task, partition: &Partition, account: &AccountId) -> String {
    let statements = statements(task, partition.as_str(), account.as_str());
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// One statement for all that IAM cannot limit, and one for each kind of resource.
fn statements(task: Task, partition: &str, account: &str) -> Vec<Value> {
    let mut statements = Vec::new();
    for (on, resource) in [
        (On::Everything, "*".to_owned()),
        (On::Clusters, format!("arn:{partition}:eks:*:{account}:cluster/*")),
        (On::NodeGroups, format!("arn:{partition}:eks:*:{account}:nodegroup/*")),
    ] {
        let entries = task.entries().filter(|entry| entry.on == on);
        let actions: Vec<_> = entries.map(|Entry { operation, .. }| operation.to_string()).collect();
        if !actions.is_empty() {
            statements.push(json!({ "Effect": "Allow", "Action": actions, "Resource": resource }));
        }
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_may_do_what_its_task_does_and_nothing_else() {
        let policy = session_policy(Task::Audit, &"aws-us-gov".into(), &"111122223333".into());
        assert!(policy.len() <= SESSION_POLICY_LIMIT, "{} characters", policy.len());
        let policy: Value = serde_json::from_str(&policy).unwrap();
        let statements = policy["Statement"].as_array().unwrap();
        let mut allowed: Vec<&str> = Vec::new();
        for statement in statements {
            assert_eq!(statement["Effect"], "Allow");
            allowed.extend(
                statement["Action"].as_array().unwrap().iter().map(|action| action.as_str().unwrap()),
            );
        }
        allowed.sort_unstable();
        let called: Vec<_> = Task::Audit.entries().map(|entry| entry.operation.to_string()).collect();
        assert_eq!(allowed, called);
        assert!(allowed.iter().all(|action| !action.contains('*')));
        assert_eq!(statements[1]["Resource"], "arn:aws-us-gov:eks:*:111122223333:cluster/*");
        assert_eq!(statements[2]["Action"], json!(["eks:DescribeNodegroup"]));
    }

    #[test]
    fn a_session_that_only_asks_for_regions_may_do_nothing_else() {
        let policy = session_policy(Task::Scopes, &"aws".into(), &"111122223333".into());
        assert_eq!(
            policy,
            r#"{"Statement":[{"Action":["ec2:DescribeRegions"],"Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}"#
        );
    }
}
