//! An audit reads, and nothing else: held against what arrives at the other end.

use std::collections::BTreeMap;

use crate::cloud::{Cloud, operation};
use crate::program::{Program, Report};

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
