//! The files of `deploy/` allow what the code calls, and say what it is told.

use std::collections::BTreeMap;

use imdsctl::aws::{PolicyDocument, Sinks, Task};
use serde_json::{Value, json};

const MEMBER_ROLE: &str = include_str!("../../deploy/member-role.yaml");
const FUNCTION: &str = include_str!("../../deploy/imdsctl.yaml");
const STATE_MACHINE: &str = include_str!("../../deploy/state-machine.yaml");
const DEFINITION: &str = include_str!("../../deploy/state-machine.asl.json");

/// A template as a value. Of `!Ref Name` and `!Sub text` the name and the text are left: whether they are the right
/// ones of these is for cfn-lint to say.
pub fn template(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

fn partition() -> imdsctl::model::Partition {
    "${AWS::Partition}".into()
}

fn account() -> imdsctl::model::AccountId {
    "${AWS::AccountId}".into()
}

fn roles() -> Vec<String> {
    vec!["arn:${AWS::Partition}:iam::*:role/${RoleName}".to_owned()]
}

/// Every policy of what somebody may do in a template: `resource/policy`, in the templates' order.
pub fn policies(template: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for (name, resource) in template["Resources"].as_object().unwrap() {
        let properties = &resource["Properties"];
        let inline = properties["Policies"].as_array().into_iter().flatten();
        let own = (resource["Type"] == "AWS::IAM::Policy").then_some(properties);
        for policy in inline.chain(own) {
            let key = format!("{name}/{}", policy["PolicyName"].as_str().unwrap());
            found.insert(key, policy["PolicyDocument"].clone());
        }
    }
    found
}

fn actions(policy: &Value) -> Vec<&str> {
    let statements = policy["Statement"].as_array().unwrap().iter();
    let actions = statements.flat_map(|one| one["Action"].as_array().unwrap());
    actions.map(|action| action.as_str().unwrap()).collect()
}

#[test]
fn the_role_of_an_account_is_what_iam_policy_prints() {
    let template = template(MEMBER_ROLE);
    let reads = PolicyDocument::of_reads(Task::Audit, &partition(), Some(&account()));
    let imports = PolicyDocument::of_imports(&partition(), Some(&account()));
    let printed = [("HubPolicy/imdsctl-security-hub", imports), ("Role/imdsctl-audit", reads)];
    let printed = printed.map(|(name, policy)| (name.to_owned(), json!(policy)));
    assert_eq!(policies(&template), BTreeMap::from(printed));
    assert_eq!(template["Resources"]["HubPolicy"]["Condition"], "HasSecurityHub");
    let trust =
        PolicyDocument::of_trust("Principal", Some("ExternalId")).within_organization("OrganizationId");
    assert_eq!(template["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"], json!(trust));
}

#[test]
fn the_function_may_do_what_iam_policy_prints() {
    let sinks = Sinks {
        buckets: vec!["${Reports}".to_owned()],
        topics: vec!["Topic".to_owned()],
        ..Sinks::default()
    };
    let function = PolicyDocument::of_function(&partition(), Some(&account()), roles(), true, &sinks);
    let printed = json!(function.within_organization("OrganizationId"));
    let template = template(FUNCTION);
    assert_eq!(policies(&template)["FunctionRole/imdsctl"], printed);
    let imports = PolicyDocument::of_imports(&partition(), Some(&account()));
    assert_eq!(policies(&template)["HubPolicy/security-hub"], json!(imports));
    assert_eq!(template["Resources"]["HubPolicy"]["Condition"], "HasSecurityHub");
}

/// Whatever else somebody may do is what AWS does for imdsctl: named here, one by one.
#[test]
fn nothing_else_is_allowed() {
    let mut found = policies(&template(FUNCTION));
    found.remove("FunctionRole/imdsctl").unwrap();
    found.remove("HubPolicy/security-hub").unwrap();
    found.extend(
        policies(&template(STATE_MACHINE)).into_iter().map(|(name, one)| (format!("machine {name}"), one)),
    );
    let allowed: Vec<_> = found.iter().map(|(name, policy)| (name.as_str(), actions(policy))).collect();
    let expected = vec![
        ("FunctionRole/lambda", vec!["logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage"]),
        ("KeyPolicy/s3-key", vec!["kms:Decrypt", "kms:GenerateDataKey"]),
        ("ScheduleRole/schedule", vec!["lambda:InvokeFunction", "sqs:SendMessage"]),
        (
            "machine MachinePolicy/shards",
            vec![
                "states:StartExecution",
                "states:DescribeExecution",
                "states:StopExecution",
                "states:RedriveExecution",
            ],
        ),
        ("machine MachineRole/tasks", vec!["lambda:InvokeFunction", "s3:GetObject"]),
        ("machine ScheduleRole/schedule", vec!["states:StartExecution", "sqs:SendMessage"]),
    ];
    assert_eq!(allowed, expected);
    for (name, policy) in &found {
        let resources = policy["Statement"].as_array().unwrap().iter().map(|one| &one["Resource"]);
        assert!(resources.clone().all(|one| !one.to_string().contains("\"*\"")), "{name}");
    }
}

#[test]
fn the_template_has_the_state_machine_of_the_file() {
    let template = template(STATE_MACHINE);
    let machine = &template["Resources"]["Machine"]["Properties"];
    assert_eq!(machine["DefinitionString"], DEFINITION);
    let names: Vec<_> = machine["DefinitionSubstitutions"].as_object().unwrap().keys().collect();
    for name in &names {
        assert!(DEFINITION.contains(&format!("${{{name}}}")), "{name} is in no place");
    }
    assert_eq!(DEFINITION.matches("${Invoke}").count(), 3);
    let placed: usize = names.iter().map(|name| DEFINITION.matches(&format!("${{{name}}}")).count()).sum();
    assert_eq!(DEFINITION.matches("${").count(), placed, "something is not substituted");
}

/// An incomplete shard goes on where it was; an event that is wrong stays wrong.
#[test]
fn the_state_machine_tries_again_what_can_become_better() {
    let definition: Value = serde_json::from_str(DEFINITION).unwrap();
    let states = &definition["States"];
    let shard = &states["AuditShards"]["ItemProcessor"]["States"]["AuditShard"];
    for (state, incomplete) in [(&states["PlanScopes"], false), (shard, true), (&states["Merge"], false)] {
        let retry = state["Retry"].as_array().unwrap();
        let errors: Vec<_> = retry.iter().flat_map(|one| one["ErrorEquals"].as_array().unwrap()).collect();
        assert!(errors.iter().any(|error| *error == "Lambda.TooManyRequestsException"));
        assert_eq!(errors.iter().any(|error| *error == "Imdsctl.Incomplete"), incomplete);
        // What is a mistake in an event or in a definition.
        assert!(errors.iter().all(|error| *error != "Imdsctl.BadEvent" && *error != "States.ALL"));
        assert!(retry.iter().all(|one| one["JitterStrategy"] == "FULL" && one["BackoffRate"] == 2.0));
    }
    assert_eq!(shard["Catch"][0]["ErrorEquals"], json!(["States.ALL"]));
}

/// `${AWS::…}` and names of the template, put in as CloudFormation would.
pub fn resolved(policy: &Value) -> Value {
    let text = policy.to_string();
    let values = [
        ("${AWS::Partition}", "aws"),
        ("${AWS::AccountId}", "111122223333"),
        ("${AWS::Region}", "eu-west-1"),
        ("${AWS::URLSuffix}", "amazonaws.com"),
        ("${RoleName}", "ImdsctlAudit"),
        ("${Machine.Name}", "imdsctl"),
        ("${Reports}", "reports"),
        (
            "{\"Fn::Join\":[\"/\",[{\"Fn::ImportValue\":\"${Imdsctl}-ReportsArn\"},\"work/*\"]]}",
            "\"arn:aws:s3:::reports/work/*\"",
        ),
        (
            "{\"Fn::ImportValue\":\"${Imdsctl}-FunctionArn\"}",
            "\"arn:aws:lambda:eu-west-1:111122223333:function:f\"",
        ),
        ("{\"Fn::ImportValue\":\"${Imdsctl}-FailuresArn\"}", "\"arn:aws:sqs:eu-west-1:111122223333:q\""),
        ("\"Function.Arn\"", "\"arn:aws:lambda:eu-west-1:111122223333:function:f\""),
        ("\"Failures.Arn\"", "\"arn:aws:sqs:eu-west-1:111122223333:q\""),
        ("\"Logs.Arn\"", "\"arn:aws:logs:eu-west-1:111122223333:log-group:g:*\""),
        ("\"Topic\"", "\"arn:aws:sns:eu-west-1:111122223333:t\""),
        ("\"Machine\"", "\"arn:aws:states:eu-west-1:111122223333:stateMachine:m\""),
        ("\"KeyArn\"", "\"arn:aws:kms:eu-west-1:111122223333:key/k\""),
        ("\"OrganizationId\"", "\"o-a1b2c3d4e5\""),
    ];
    let text = values.iter().fold(text, |text, (from, to)| text.replace(from, to));
    assert!(!text.contains("${") && !text.contains("Fn::"), "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Every policy of `deploy/`, and every one that `imdsctl iam-policy` prints for somebody who acts.
pub fn all() -> BTreeMap<String, Value> {
    let templates = [("member-role", MEMBER_ROLE), ("imdsctl", FUNCTION), ("state-machine", STATE_MACHINE)];
    let mut all = BTreeMap::new();
    for (file, text) in templates {
        let of = policies(&template(text)).into_iter();
        all.extend(of.map(|(name, policy)| (format!("{file}.yaml {name}"), resolved(&policy))));
    }
    let (aws, roles) = ("aws".into(), || vec!["arn:aws:iam::*:role/ImdsctlAudit".to_owned()]);
    let sinks = Sinks {
        buckets: vec!["reports/nightly".to_owned()],
        topics: vec!["arn:aws:sns:eu-west-1:111122223333:t".to_owned()],
        keys: vec!["arn:aws:kms:eu-west-1:111122223333:key/k".to_owned()],
        security_hub: true,
    };
    let printed = [
        ("audit", PolicyDocument::of_reads(Task::Audit, &aws, None)),
        ("base", PolicyDocument::of_base(&aws, roles(), true).within_organization("o-a1b2c3d4e5")),
        ("lambda", PolicyDocument::of_function(&aws, None, roles(), true, &sinks)),
        ("imports", PolicyDocument::of_imports(&aws, Some(&"111122223333".into()))),
    ];
    all.extend(printed.map(|(name, policy)| (format!("iam-policy {name}"), json!(policy))));
    all
}

#[test]
fn what_the_function_is_told_are_settings() {
    let template = template(FUNCTION);
    let variables = template["Resources"]["Function"]["Properties"]["Environment"]["Variables"].as_object();
    let documented = include_str!("../../docs/settings.md");
    for name in variables.unwrap().keys() {
        // Of the function alone.
        let own = ["IMDSCTL_NOTIFY", "IMDSCTL_RUNS"].contains(&name.as_str());
        assert!(own || documented.contains(&format!("| `{name}` |")), "{name} is no setting");
    }
}
