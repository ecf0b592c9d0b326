//! SIGINT and SIGTERM: what was read is written, and what was not is said.

use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use crate::cloud::{Cloud, until};
use crate::program::{Outcome, Report};

/// One Region answers, one is partly denied, and one never answers.
const REGIONS: &str = r"
- names: [eu-west-1, us-east-1, us-west-2]
  launch_templates:
    - { name: nodes, versions: [{ image: al2023-1.33, metadata_options: { hop_limit: 1 } }] }
  clusters:
    - name: blue
      self_managed: [{ name: workers, template: { name: nodes }, nodes: 2 }]
";

const FAULTS: &str = r#"
- { region: us-east-1, operation: "ec2:DescribeImages", error: access_denied }
- { region: us-west-2, operation: "ec2:DescribeInstances", error: hang }
"#;

fn hangs(cloud: &Cloud) -> bool {
    cloud.requests().iter().any(|request| request.error_code.as_deref() == Some("hang"))
}

/// An audit that gets this signal once one Region has been read and another hangs.
fn interrupted_by(signal: &str) -> Outcome {
    let cloud = Cloud::faulty(FAULTS, REGIONS);
    let line =
        "audit -v --region us-east-1 --region us-west-2 -o json=report.json -o csv=report.csv -o table";
    let mut started = cloud.imdsctl(line).spawn();
    // It is told that a Region is incomplete once that Region has been read.
    let mut stderr = BufReader::new(started.child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("111122223333 us-east-1 could not be read completely") {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "{said}");
    }
    until("the request that hangs", || hangs(&cloud));
    started.signal(signal);
    let mut outcome = started.end();
    stderr.read_to_string(&mut outcome.stderr).unwrap();
    assert!(outcome.took < Duration::from_secs(15), "it took {:?}", outcome.took);
    outcome
}

#[test]
fn what_was_read_is_written_at_ctrl_c_and_at_sigterm() {
    for signal in ["INT", "TERM"] {
        let outcome = interrupted_by(signal).code(130);
        assert_eq!(outcome.files(), ["report.csv", "report.json"]);
        let report = Report::parse(&outcome.read("report.json"));
        assert_eq!(report.0["run"]["interrupted"], true);
        let unread = report.coverage("us-west-2");
        assert_eq!((&unread["status"], &unread["reason"]), (&"skipped".into(), &"interrupted".into()));
        assert_eq!(report.coverage("us-east-1")["status"], "partial");
        assert_eq!(report.count("scopes"), 2);
        let workers: Vec<_> =
            report.of("workers").into_iter().map(|finding| finding["region"].as_str().unwrap()).collect();
        assert!(!workers.is_empty() && workers.iter().all(|region| *region == "us-east-1"), "{workers:?}");
        let rows = outcome.read("report.csv");
        let rows = csv::Reader::from_reader(rows.as_bytes()).into_records().map(Result::unwrap).count();
        assert_eq!(rows, report.findings().len());
        assert!(outcome.stdout.contains("interrupted"), "{}", outcome.stdout);
        assert!(
            outcome.stderr.contains("interrupted: 1 scopes were not read to the end"),
            "{}",
            outcome.stderr
        );
    }
}

#[test]
fn a_scan_that_is_stopped_before_it_begins_writes_nothing() {
    for operation in ["sts:GetCallerIdentity", "ec2:DescribeRegions"] {
        let cloud = Cloud::faulty(&format!("- {{ operation: '{operation}', error: hang }}"), REGIONS);
        let started = cloud.imdsctl("audit --all-regions -o json=report.json").spawn();
        until("the request that hangs", || hangs(&cloud));
        started.signal("INT");
        let outcome = started.end().code(130);
        assert_eq!(outcome.stderr, "error: interrupted before anything was read\n");
        assert_eq!((outcome.stdout.as_str(), outcome.files()), ("", Vec::new()));
    }
}

#[test]
fn an_interrupted_demo_keeps_its_state_whole() {
    // No fault reaches the demo, so it is only stopped as early as it can be.
    let started = crate::program::Program::new().line("audit --demo --demo-state state.json -o json").spawn();
    let state = started.path("state.json");
    until("the demo", || state.exists());
    started.signal("INT");
    let outcome = started.end();
    assert!(matches!(outcome.code, Some(130 | 1)), "{:?}", outcome.code);
    serde_json::from_str::<serde_json::Value>(&outcome.read("state.json")).unwrap();
}

/// Whoever wants an end does not wait for Security Hub of each account.
#[test]
fn an_audit_that_was_interrupted_imports_nothing() {
    let cloud = Cloud::faulty(FAULTS, REGIONS);
    let line = "audit --region us-east-1 --region us-west-2 --security-hub -o json=report.json";
    let started = cloud.imdsctl(line).spawn();
    until("the request that hangs", || hangs(&cloud));
    started.signal("INT");
    let outcome = started.end().code(130);
    let told =
        "nothing was imported into Security Hub: the audit was interrupted, and the next one imports all";
    assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    Report::parse(&outcome.read("report.json"));
}
