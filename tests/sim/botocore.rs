//! The simulated AWS itself, driven by boto3 and the aws CLI, and held against botocore's own service models.

use std::path::Path;

use crate::cloud::Cloud;
use crate::python;

/// Doctored answers, which the checks must catch: a check that cannot fail is none.
#[test]
fn the_checks_catch_doctored_answers() {
    let Some(environment) = python::environment() else { return };
    let output = environment.script("sim_models.py").arg("--self-test").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn every_answer_of_every_operation_has_the_shape_that_botocore_has_for_it() {
    let Some(environment) = python::environment() else { return };
    // Each account with the Regions that it uses: what another Region answers adds nothing but time.
    // The demo is an organisation; where there is none, its operations are driven to their refusals.
    for (fleet, regions, operations) in [
        ("demo", &["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2"][..], 44),
        ("peers", &["us-east-1"], 37),
        ("hostile", &["eu-west-1"], 37),
    ] {
        let cloud = Cloud::shipped(fleet);
        let mut script = environment.script("sim_models.py");
        script.args(["--endpoint", &cloud.url(), "--role", "ImdsctlAudit"]);
        for key in cloud.keys() {
            script.args(["--key", &key.id]);
        }
        for region in regions {
            script.args(["--region", region]);
        }
        let output = script.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{fleet}: {said}{}", String::from_utf8_lossy(&output.stderr));
        let driven = format!("over {operations} operations");
        assert!(said.contains(&driven), "{fleet}: every operation is driven: {said}");
    }
}

#[test]
fn every_answer_of_a_rollout_has_the_shape_that_botocore_has_for_it() {
    let Some(environment) = python::environment() else { return };
    let cloud = Cloud::shipped("rollouts");
    let mut script = environment.script("sim_rollouts.py");
    let output = script.args(["--endpoint", &cloud.url(), "--key", &cloud.keys()[0].id]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("over 14 operations"), "every operation is driven: {said}");
}

/// With these answers a test holds that nothing is left out of them that is read. To renew one, see the script.
#[test]
fn the_full_answers_among_the_sources_have_every_field_that_botocore_knows() {
    let Some(environment) = python::environment() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/aws/lean/answers");
    for (service, operation) in [
        ("ec2", "DescribeInstances"),
        ("ec2", "DescribeLaunchTemplateVersions"),
        ("autoscaling", "DescribeAutoScalingGroups"),
    ] {
        let output = environment.script("full_answer.py").args([service, operation]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let kept = std::fs::read_to_string(folder.join(format!("{operation}.xml"))).unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), kept, "{operation}");
    }
}

/// The tool that everyone has, page by page.
#[test]
fn the_aws_cli_counts_what_is_there() {
    let Some(environment) = python::environment() else { return };
    let cloud = Cloud::shipped("peers");
    for (line, list, count) in [
        ("eks list-clusters --page-size 2", "clusters", 5),
        ("ec2 describe-instances --page-size 100", "Reservations[].Instances[]", 250),
        ("autoscaling describe-auto-scaling-groups --page-size 10", "AutoScalingGroups", 23),
    ] {
        let mut aws = environment.module("awscli");
        aws.args(["--endpoint-url", &cloud.url(), "--region", "us-east-1", "--output", "json"])
            .args(line.split(' '))
            .args(["--query", &format!("length({list})")])
            .env("AWS_ACCESS_KEY_ID", &cloud.keys()[0].id)
            .env("AWS_SECRET_ACCESS_KEY", "test");
        let output = aws.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(said.trim(), count.to_string(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
