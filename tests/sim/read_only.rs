//! An audit reads, and nothing else: held against what arrives at the other end.

use std::collections::BTreeMap;

use crate::cloud::{Cloud, operation};
use crate::program::{Program, Report};
use crate::raw::Raw;

/// Everything that an audit may ask, written down a second time.
const READS: [&str; 16] = [
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeLaunchConfigurations",
    "autoscaling:DescribeWarmPool",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceImageMetadata",
    "ec2:DescribeInstances",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribeRegions",
    "ec2:GetInstanceMetadataDefaults",
    "eks:DescribeCluster",
    "eks:DescribeNodegroup",
    "eks:ListClusters",
    "eks:ListFargateProfiles",
    "eks:ListNodegroups",
    "sts:GetCallerIdentity",
];

/// The demo's four accounts, through profiles of a credentials file.
fn audit_of_the_demo(cloud: &Cloud) -> Program {
    let mut credentials = String::new();
    let mut program = cloud.imdsctl("audit --all-regions -o json");
    for key in cloud.keys() {
        let (name, id) = (&key.account_name, &key.id);
        let profile = format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = test\n\n");
        credentials.push_str(&profile);
        program = program.args(["--profile", name]);
    }
    let program = program.file("credentials", &credentials).without_env("AWS_ACCESS_KEY_ID");
    let path = program.path("credentials");
    program.without_env("AWS_SECRET_ACCESS_KEY").env("AWS_SHARED_CREDENTIALS_FILE", path)
}

#[test]
fn an_audit_of_a_whole_organisation_reads_and_nothing_else() {
    let cloud = Cloud::shipped("demo");
    let outcome =
        audit_of_the_demo(&cloud).line("--policy al2023 --policy imdsv2 --policy hardened").run().code(1);
    let report = outcome.report();
    let mut sent = BTreeMap::new();
    for request in cloud.requests() {
        *sent.entry(operation(&request)).or_insert(0) += 1;
    }
    for name in sent.keys() {
        assert!(READS.contains(&name.as_str()), "{name} is not a read");
    }
    assert!(sent.len() >= 15, "{sent:?}");
    for (name, count) in &sent {
        assert_eq!(report.calls(name), *count, "{name}");
    }
    assert_eq!(report.0["run"]["api_calls"].as_object().unwrap().len(), sent.len());
    assert!(cloud.requests().iter().all(|request| request.status == 200 || request.error_code.is_some()));
}

#[test]
fn the_demo_fleet_reads_the_same_from_outside() {
    let cloud = Cloud::shipped("demo");
    let outside = audit_of_the_demo(&cloud).run().code(1).report();
    let inside = Program::new().line("audit --demo -o json").run().code(1).report();
    // Profiles have no account names.
    let nameless = |report: &Report| {
        let mut findings = report.findings().to_vec();
        for finding in &mut findings {
            finding["account_name"] = serde_json::Value::Null;
        }
        findings
    };
    assert!(nameless(&outside) == nameless(&inside));
    assert!(outside.0["summary"] == inside.0["summary"]);
}

#[test]
fn two_profiles_of_one_account_are_one_account() {
    let cloud = Cloud::with("- { names: [eu-west-1] }");
    let id = &cloud.keys()[0].id;
    let profile = |name| format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = test\n");
    let program = cloud.imdsctl("audit --region eu-west-1 --profile one --profile two -o json");
    let program = program.file("credentials", &(profile("one") + &profile("two")));
    let path = program.path("credentials");
    let report = program.env("AWS_SHARED_CREDENTIALS_FILE", path).run().code(0).report();
    assert_eq!((report.count("accounts"), report.count("scopes")), (1, 1));
    assert_eq!(cloud.operations("eu-west-1").len(), 3);
}

/// Keys in the environment do not shadow a profile that was asked for by name.
#[test]
fn a_profile_beats_keys_of_the_environment() {
    let cloud = Cloud::with("- { names: [eu-west-1] }");
    let profile = "[prod]\naws_access_key_id = AKIANOBODYKNOWSTHIS1\naws_secret_access_key = test\n";
    let program = cloud.imdsctl("audit --region eu-west-1 --profile prod").file("credentials", profile);
    let path = program.path("credentials");
    let said = program.env("AWS_SHARED_CREDENTIALS_FILE", path).run().refused();
    assert!(said.starts_with("profile \"prod\": AWS does not accept these credentials"), "{said}");
}

/// The policies that `iam-policy` prints are enough, and are no more than enough.
#[test]
fn the_printed_policies_are_enough_and_no_more() {
    let print = |line: &str| {
        let stdout = Program::new().line(line).run().code(0).stdout;
        serde_json::from_str::<serde_json::Value>(&stdout).unwrap()
    };
    let (reads, mut base) = (print("iam-policy audit"), print("iam-policy base --org"));
    let trust = print("iam-policy trust --principal 111111111111 --external-id x-1");
    assert_eq!(trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"], "x-1");
    base["Statement"].as_array_mut().unwrap().extend(reads["Statement"].as_array().unwrap().clone());
    let yaml = format!(
        r#"
name: least
organizations: [{{ id: o-exampleorg1, management_account: "111111111111" }}]
roles: [{{ name: ImdsctlAudit, permissions: {{ policy: {reads} }} }}]
accounts:
  - id: "111111111111"
    name: management
    access_keys: [{{ id: AKIATESTTESTTEST0001, permissions: {{ policy: {base} }} }}]
    regions: &regions
      - names: [eu-west-1]
        launch_templates: [{{ name: own, versions: [{{ image: al2023-1.33 }}] }}]
        clusters:
          - name: blue
            fargate_profiles: [quiet]
            node_groups: [{{ name: workers, nodes: 1 }}]
            self_managed: [{{ name: own, template: {{ name: own }}, nodes: 1 }}]
  - {{ id: "222222222222", name: member, regions: *regions }}
"#
    );
    let cloud = Cloud::start(&yaml);
    let line = "audit --org --all-regions --policy imdsv2 --fail-on none -o json";
    let report = cloud.imdsctl(line).run().code(0).report();
    assert_eq!(report.count("accounts"), 2);
    assert!(cloud.requests().iter().all(|request| request.status == 200));
}

/// A session that somebody else got hold of is worth what the audit reads, whatever the role may do.
#[test]
fn the_session_of_an_audit_may_not_do_what_an_audit_does_not() {
    let cloud = Cloud::start(
        r#"
name: admin
organizations: [{ id: o-exampleorg1, management_account: "111111111111" }]
roles: [{ name: ImdsctlAudit, permissions: all }]
accounts:
  - { id: "111111111111", name: management, access_keys: [{ id: AKIATESTTESTTEST0001 }] }
  - { id: "222222222222", name: member, regions: [{ names: [eu-west-1], clusters: [{ name: blue }] }] }
"#,
    );
    cloud.imdsctl("audit --org --region eu-west-1").run().code(0);
    let asked = cloud.requests().into_iter().find_map(|request| request.assume_role).unwrap();
    let base = Raw { url: cloud.url(), access_key: "AKIATESTTESTTEST0001".to_owned(), token: None };
    let session = base.assume(&asked.role_arn, &asked.policy.unwrap());
    let ec2 = |action: &str| session.query("ec2", "2016-11-15", &format!("Action={action}"));
    assert_eq!(ec2("DescribeInstances").0, 200);
    assert_eq!(session.get("eks", "/clusters").0, 200);
    let (status, answer) = session.get("eks", "/clusters/blue");
    assert_eq!(status, 403, "{answer}");
    assert!(answer.contains("session policy"), "{answer}");
    let again = format!("Action=AssumeRole&RoleArn={}&RoleSessionName=again", asked.role_arn);
    assert_eq!(session.query("sts", "2011-06-15", &again).0, 403);
    // The role itself may do all that.
    let everything =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    assert_eq!(base.assume(&asked.role_arn, everything).get("eks", "/clusters/blue").0, 200);
}
