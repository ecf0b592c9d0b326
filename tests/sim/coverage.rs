//! Whatever cannot be read is in the report, and everything else is there all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::cloud::Cloud;
use crate::program::{Outcome, Report};

/// A Region that needs every operation there is, beside one that needs none of them twice.
const REGIONS: &str = r#"
- names: [eu-west-1]
  account_defaults: { hop_limit: 2 }
  images: [{ key: gone, name: my-node, status: deregistered }]
  launch_templates:
    - { name: users, versions: [{ metadata_options: { hop_limit: 1 } }] }
    - name: own
      default_version: 3
      versions:
        - { image: al2023-1.33, metadata_options: { hop_limit: 1 } }
        - { image: al2023-1.33, metadata_options: { http_tokens: optional, hop_limit: 1 } }
        - { image: al2023-1.33, metadata_options: { http_tokens: required, hop_limit: 2 } }
  launch_configurations:
    - { name: old, image: al2023-1.32, metadata_options: { http_tokens: optional, hop_limit: 1 } }
  clusters:
    - name: blue
      fargate_profiles: [quiet]
      node_groups:
        - { name: given, template: { name: users }, nodes: 2 }
        - { name: plain, nodes: 2 }
      self_managed:
        - { name: middle, template: { name: own, version: "2" }, nodes: 1, warm_pool: { nodes: 1, min_size: 1 } }
        - { name: latest, template: { name: own, version: $Latest }, nodes: 1 }
        - { name: configured, launch_configuration: old, nodes: 1 }
      standalone: [{ name: alone, image: gone }]
- names: [us-west-2]
  launch_templates:
    - { name: elsewhere, versions: [{ image: al2023-1.33, metadata_options: { hop_limit: 1 } }] }
  clusters:
    - name: green
      self_managed: [{ name: elsewhere, template: { name: elsewhere }, nodes: 1 }]
"#;

const BOTH: &str = "audit --region eu-west-1 --region us-west-2 --include-passed -o json";

fn audit(faults: &str) -> (Cloud, Outcome) {
    audit_with(faults, &[])
}

fn audit_with(faults: &str, environment: &[(&str, &str)]) -> (Cloud, Outcome) {
    let cloud = Cloud::faulty(faults, REGIONS);
    let outcome = cloud.imdsctl(BOTH).envs(environment.iter().copied()).run();
    (cloud, outcome)
}

/// A fault of one operation in the Region that needs them all.
fn fault(operation: &str, error: &str) -> String {
    format!("- {{ region: eu-west-1, operation: '{operation}', error: {error} }}")
}

/// Resource and rule, and what came of it.
type Verdicts = BTreeMap<(String, String), String>;

fn verdicts(report: &Report, region: &str) -> Verdicts {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let here = report.findings().iter().filter(|finding| finding["region"] == region);
    here.map(|finding| ((text(&finding["resource"]["id"]), text(&finding["rule"])), text(&finding["status"])))
        .collect()
}

#[test]
fn without_faults_everything_is_complete() {
    let (_, outcome) = audit("");
    let report = outcome.code(1).report();
    for region in ["eu-west-1", "us-west-2"] {
        assert_eq!(report.coverage(region)["status"], "complete");
        assert_eq!(report.errors(region), [""; 0]);
    }
    assert_eq!(report.0["run"]["api_throttled"], 0);
    assert_eq!(report.0["run"]["interrupted"], false);
}

/// Each operation in turn is denied.
#[test]
fn a_denied_operation_leaves_a_hole_that_is_told_and_nothing_else() {
    let (whole, outcome) = audit("");
    let complete = outcome.code(1).report();
    let (here, elsewhere) = (verdicts(&complete, "eu-west-1"), verdicts(&complete, "us-west-2"));
    let operations: BTreeSet<String> = whole.operations("eu-west-1").into_iter().collect();
    assert_eq!(operations.len(), 13, "the Region should need every regional operation: {operations:?}");
    for operation in operations {
        let (_, outcome) = audit(&fault(&operation, "access_denied"));
        let report = outcome.code(4).report();
        assert_eq!(report.coverage("eu-west-1")["status"], "partial", "{operation}");
        let code = match operation.split_once(':').unwrap().0 {
            "ec2" => "UnauthorizedOperation",
            "eks" => "AccessDeniedException",
            _ => "AccessDenied",
        };
        let errors: BTreeSet<String> = report.errors("eu-west-1").into_iter().collect();
        assert_eq!(errors, BTreeSet::from([format!("{operation} {code}")]));
        assert_eq!(report.coverage("us-west-2")["status"], "complete", "{operation}");
        assert_eq!(verdicts(&report, "us-west-2"), elsewhere, "{operation}");
        let now = verdicts(&report, "eu-west-1");
        assert!(!now.is_empty(), "{operation}");
        for (what, status) in now {
            let before = here.get(&what).map(String::as_str);
            let sound = status == "unknown" || before == Some(status.as_str());
            assert!(sound, "without {operation}, {what:?} is {status} and not {before:?}");
        }
    }
}

#[test]
fn a_region_where_nothing_can_be_read_has_failed() {
    let (_, outcome) = audit(&fault("*", "access_denied"));
    let report = outcome.code(4).report();
    assert_eq!(report.coverage("eu-west-1")["status"], "failed");
    assert_eq!(
        report.errors("eu-west-1"),
        [
            "autoscaling:DescribeAutoScalingGroups AccessDenied",
            "ec2:DescribeInstances UnauthorizedOperation",
            "eks:ListClusters AccessDeniedException",
        ]
    );
    assert_eq!(report.coverage("us-west-2")["status"], "complete");
    assert_eq!(report.finding("elsewhere", "hop-limit-min")["status"], "fail");
}

#[test]
fn credentials_that_expire_in_the_middle_fail_what_is_left() {
    let (_, outcome) = audit(&fault("*", "expired_token"));
    let report = outcome.code(4).report();
    assert_eq!(report.coverage("eu-west-1")["status"], "failed");
    assert_eq!(
        report.errors("eu-west-1"),
        [
            "autoscaling:DescribeAutoScalingGroups ExpiredToken",
            "ec2:DescribeInstances RequestExpired",
            "eks:ListClusters ExpiredTokenException",
        ]
    );
    assert_eq!(report.coverage("us-west-2")["status"], "complete");
}

#[test]
fn a_hole_beats_findings_and_shows_in_the_table() {
    let cloud = Cloud::faulty(&fault("eks:ListClusters", "access_denied"), REGIONS);
    let outcome = cloud.imdsctl("audit --region eu-west-1 --fail-on none").run().code(4);
    for word in ["eu-west-1", "partial", "eks:ListClusters", "AccessDeniedException"] {
        assert!(outcome.stdout.contains(word), "{word}: {}", outcome.stdout);
    }
    // As soon as it happens, besides; unless nobody wants to hear of it.
    let line =
        " WARN 111122223333 eu-west-1 could not be read completely: eks:ListClusters AccessDeniedException\n";
    assert_eq!(outcome.stderr, line);
    assert_eq!(cloud.imdsctl("audit --region eu-west-1 -q").run().code(4).stderr, "");
}

#[test]
fn a_region_that_is_not_enabled_is_skipped() {
    let cloud = Cloud::with("- { names: [us-east-1] }");
    let report = cloud.imdsctl("audit --all-regions -o json").run().code(0).report();
    let skipped = report.coverage("me-south-1");
    assert_eq!(skipped["status"], "skipped");
    assert_eq!(skipped["reason"], "the Region is not enabled for the account");
    assert_eq!(report.coverage("eu-west-1")["status"], "complete");
    assert!(cloud.requests().iter().all(|request| request.region != "me-south-1"));
    // Named, it is skipped just the same: nothing that exists there was missed.
    let named = cloud.imdsctl("audit --region us-east-1 --region me-south-1 -o json").run().code(0).report();
    assert_eq!(named.coverage("me-south-1")["status"], "skipped");
    assert_eq!(named.coverage("us-east-1")["status"], "complete");
}

#[test]
fn a_region_without_eks_costs_a_handful_of_calls() {
    let cloud = Cloud::with(
        r"
- names: [eu-west-1]
  launch_templates: [{ name: web, versions: [{ image: al2023-base }] }]
  groups: [{ name: web, template: { name: web }, nodes: 30 }]
  instances: [{ name: bastion, image: ubuntu-24.04 }]
",
    );
    let report = cloud.imdsctl("audit --region eu-west-1 -o json").run().code(0).report();
    assert_eq!(report.coverage("eu-west-1")["status"], "complete");
    assert_eq!(report.count("instances"), 0);
    assert_eq!(
        cloud.operations("eu-west-1"),
        ["autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances", "eks:ListClusters"]
    );
    let calls = report.0["run"]["api_calls"].as_object().unwrap();
    let total: u64 = calls.values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(total, cloud.requests().len() as u64);
    assert_eq!(total, 5, "{calls:?}");
}

#[test]
fn pages_with_nothing_on_them_are_no_end() {
    let yaml = crate::cloud::fleet("", REGIONS);
    let whole = Cloud::start(&yaml).imdsctl(BOTH).run().code(1).report();
    let paged =
        Cloud::start(&yaml.replacen("name: test\n", "name: test\nsettings: { empty_pages: true }\n", 1));
    let paged = paged.imdsctl(BOTH).run().code(1).report();
    assert!(paged.calls("ec2:DescribeInstances") > whole.calls("ec2:DescribeInstances"));
    for part in ["findings", "summary", "coverage"] {
        assert!(paged.0[part] == whole.0[part], "{part} differ");
    }
}

#[test]
fn a_region_that_says_nothing_does_not_hold_up_the_others() {
    let cloud = Cloud::faulty(&fault("*", "hang"), REGIONS);
    let outcome = cloud.imdsctl(BOTH).line("--timeout 1").run();
    assert!(outcome.took < Duration::from_secs(10), "it took {:?}", outcome.took);
    let report = outcome.code(4).report();
    assert_eq!(report.coverage("eu-west-1")["status"], "failed");
    assert_eq!(
        report.errors("eu-west-1"),
        [
            "autoscaling:DescribeAutoScalingGroups Timeout",
            "ec2:DescribeInstances Timeout",
            "eks:ListClusters Timeout",
        ]
    );
    assert_eq!(report.coverage("us-west-2")["status"], "complete");
    assert_eq!(report.finding("elsewhere", "hop-limit-min")["status"], "fail");
}

#[test]
fn a_web_page_is_not_an_answer_and_not_asked_for_twice() {
    let (cloud, outcome) = audit(&fault("eks:ListClusters", "html_500"));
    let report = outcome.code(4).report();
    assert_eq!(report.errors("eu-west-1"), ["eks:ListClusters NotAnAwsAnswer"]);
    let asked = cloud.requests().into_iter();
    let asked = asked.filter(|request| request.error_code.as_deref() == Some("html_500"));
    assert_eq!(asked.count(), 1);
}

#[test]
fn throttling_is_waited_out_and_counted() {
    let faults = fault("ec2:DescribeInstances", "throttled").replace(" }", ", times: 2 }");
    let (cloud, outcome) = audit(&faults);
    let report = outcome.code(1).report();
    assert_eq!(report.coverage("eu-west-1")["status"], "complete");
    assert_eq!(report.0["run"]["api_throttled"], 2);
    let sent = cloud.requests().iter().filter(|request| request.operation == "DescribeInstances").count();
    assert_eq!(report.calls("ec2:DescribeInstances"), sent as u64, "retries count as calls");
}

/// What goes wrong once is asked again; what goes wrong for good is told, in AWS's words where it has any.
#[test]
fn what_goes_wrong_once_is_asked_again() {
    for (error, code) in [
        ("internal_error", "InternalError"),
        ("throttled", "RequestLimitExceeded"),
        ("truncated_body", "Unreachable"),
        ("reset", "Unreachable"),
    ] {
        let once = fault("ec2:DescribeInstances", error).replace(" }", ", times: 1 }");
        let (_, outcome) = audit(&once);
        let report = outcome.code(1).report();
        assert_eq!(report.coverage("eu-west-1")["status"], "complete", "{error}");
        let twice = [("AWS_MAX_ATTEMPTS", "2")];
        let (cloud, outcome) = audit_with(&fault("ec2:DescribeInstances", error), &twice);
        let report = outcome.code(4).report();
        assert_eq!(report.coverage("eu-west-1")["status"], "partial", "{error}");
        // The instances of groups are asked for by id, which fails as well.
        assert_eq!(report.errors("eu-west-1")[0], format!("ec2:DescribeInstances {code}"), "{error}");
        assert!(cloud.operations("eu-west-1").len() > 2, "{error}");
    }
}
