//! The real `bootstrap` as Lambda runs it, over the simulated AWS.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cloud::{Cloud, until};
use crate::lambda::{Function, Invoked, NAME, Plan};
use crate::program::{Program, Report};

const REGIONS: &str = r"
- names: [eu-west-1, us-east-1, us-west-2]
  launch_templates:
    - { name: nodes, versions: [{ image: al2023-1.33, metadata_options: { hop_limit: 1 } }] }
  clusters:
    - name: blue
      self_managed: [{ name: workers, template: { name: nodes }, nodes: 2 }]
";

const SECRET: &str = "a-secret-handshake";

/// Enough to start a process and to read a Region, on a machine with much else to do.
const SHORT: Duration = Duration::from_secs(12);

/// A function that is signed in to a cloud's first account.
fn function(cloud: &Cloud) -> Plan {
    Function::new()
        .env("AWS_ENDPOINT_URL", cloud.url())
        .env("AWS_ACCESS_KEY_ID", &cloud.keys()[0].id)
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("IMDSCTL_ALL_REGIONS", "true")
}

fn audit() -> Value {
    json!({ "action": "audit" })
}

fn hangs(cloud: &Cloud) -> usize {
    cloud.requests().iter().filter(|request| request.error_code.as_deref() == Some("hang")).count()
}

#[test]
fn an_audit_answers_with_counts_and_leaves_the_report_where_it_was_told_to() {
    let cloud = Cloud::with(REGIONS);
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let output = format!("json={}", report.display());
    let function = function(&cloud)
        .env("IMDSCTL_OUTPUT", output)
        .env("IMDSCTL_RUNS", "s3://work/x")
        .env("IMDSCTL_EXTERNAL_ID", SECRET)
        .env("IMDSCTL_WEBHOOK_SECRET", SECRET)
        .start();
    let answer = function.invoke(&audit()).succeeded();

    let text = std::fs::read_to_string(&report).unwrap();
    let report = Report::parse(&text);
    assert_eq!((&answer["exit"], &answer["status"]), (&1.into(), &"complete".into()));
    assert_eq!((&answer["left"], &answer["left_count"]), (&json!([]), &0.into()));
    assert_eq!(answer["outputs"], json!([]), "only what is on S3 has a place that others know");
    for count in ["accounts", "regions", "scopes", "clusters", "instances", "failed", "unknown", "passed"] {
        assert_eq!(answer["summary"][count], report.count(count), "{count}");
    }
    assert!(report.count("failed") > 0 && report.count("clusters") == 3);
    assert_eq!(answer["summary"]["new"], Value::Null);

    let metrics = function.metrics();
    let [metrics] = &metrics[..] else { panic!("{metrics:?}") };
    assert_eq!(metrics["Findings"], report.count("failed") + report.count("unknown"));
    assert_eq!((&metrics["FailedScopes"], &metrics["ThrottledCalls"]), (&0.into(), &0.into()));
    assert_eq!(metrics["ApiCalls"], cloud.requests().len());
    // No secret and no id of a resource is in what it says.
    let said = function.log() + &answer.to_string();
    let resources = report.findings().iter().map(|finding| finding["resource"]["id"].as_str().unwrap());
    assert!(resources.into_iter().chain([SECRET]).all(|id| !said.contains(id)), "{said}");

    // Once more, by the same process.
    assert_eq!(function.invoke(&audit()).succeeded(), answer);
    assert_eq!((function.started(), function.left()), (1, Vec::new()));
}

#[test]
fn what_is_no_event_is_refused_and_nothing_is_read() {
    let cloud = Cloud::with(REGIONS);
    let function = function(&cloud).start();
    let long = "x".repeat(10_000);
    let known = "as in {\"action\":\"audit\"}";
    for (event, words) in [
        (json!(null), known),
        (json!([audit()]), known),
        (json!("audit"), known),
        (json!({}), "it has no action"),
        (json!({ "Action": "audit" }), "it has no action"),
        (json!({ "action": 1 }), "its action is no string"),
        (json!({ "action": "adit" }), "there is no action \"adit\": there are audit"),
        (json!({ "action": "AUDIT\u{1b}[2J" }), "there is no action \"AUDIT\\u{1b}[2J\""),
        (json!({ "action": long }), "…"),
        (json!({ "action": "audit", "dry": true }), "audit takes nothing but the action, and not \"dry\""),
        // As a rule of EventBridge would send it.
        (json!({ "version": "0", "detail-type": "Scheduled Event", "detail": {} }), "it has no action"),
    ] {
        let (name, message) = function.invoke(&event).failed();
        assert_eq!(name, "Imdsctl.BadEvent", "{message}");
        assert!(message.contains(words) && message.len() < 400, "{message}");
    }
    assert!(cloud.requests().is_empty());
    assert!(function.metrics().is_empty());
    assert_eq!(function.invoke(&audit()).succeeded()["exit"], 1, "it is still there");
    assert_eq!(function.started(), 1);
}

#[test]
fn what_is_left_at_the_deadline_is_handed_back() {
    let cloud =
        Cloud::faulty("- { region: us-west-2, operation: 'ec2:DescribeInstances', error: hang }", REGIONS);
    let folder = tempfile::tempdir().unwrap();
    let output = format!("json={}/report.json", folder.path().display());
    let function = function(&cloud).env("IMDSCTL_OUTPUT", output).timeout(SHORT).start();
    // Two at the same time, as Lambda may do it: each has a process of its own.
    let invoked: Vec<Invoked> = thread::scope(|scope| {
        let both = [(); 2].map(|()| scope.spawn(|| function.invoke(&audit())));
        until("two audits that hang", || hangs(&cloud) >= 2);
        both.into_iter().map(|one| one.join().unwrap()).collect()
    });
    for answer in invoked {
        let answer = answer.succeeded();
        assert_eq!((&answer["exit"], &answer["status"]), (&130.into(), &"incomplete".into()));
        let left = json!([{ "account": "111122223333", "region": "us-west-2" }]);
        assert_eq!((&answer["left"], &answer["left_count"]), (&left, &1.into()));
        assert_eq!(answer["summary"]["clusters"], 2, "what was read by then is judged");
    }
    assert_eq!((function.started(), function.left()), (2, Vec::new()));
    let report = Report::parse(&std::fs::read_to_string(folder.path().join("report.json")).unwrap());
    assert_eq!(report.coverage("us-west-2")["reason"], "interrupted");
    assert!(function.metrics().iter().all(|line| line["FailedScopes"] == 1));

    cloud.set_faults(&[]);
    assert_eq!(function.invoke(&audit()).succeeded()["status"], "complete");
    assert_eq!(function.started(), 2);
}

#[test]
fn a_deadline_before_anything_is_read_is_an_error() {
    let cloud = Cloud::faulty("- { operation: 'sts:GetCallerIdentity', error: hang }", REGIONS);
    let function = function(&cloud).timeout(SHORT / 2).start();
    let (name, message) = function.invoke(&audit()).failed();
    assert_eq!(name, "Imdsctl.Incomplete");
    let words = "the deadline came before there was a result: interrupted before anything was read";
    assert_eq!(message, words);
    assert_eq!((function.started(), function.left()), (1, Vec::new()));
}

#[test]
fn what_aws_refuses_is_told_by_its_place() {
    let faults = "- { region: us-east-1, operation: 'ec2:DescribeImages', error: access_denied }\n\
                  - { region: us-west-2, operation: 'ec2:*', error: internal_error }";
    let cloud = Cloud::faulty(faults, REGIONS);
    let function = function(&cloud).start();
    let answer = function.invoke(&audit()).succeeded();
    assert_eq!((&answer["exit"], &answer["status"]), (&4.into(), &"incomplete".into()));
    let left =
        ["us-east-1", "us-west-2"].map(|region| json!({ "account": "111122223333", "region": region }));
    assert_eq!((&answer["left"], &answer["left_count"]), (&json!(left), &2.into()));
    assert_eq!(function.metrics()[0]["FailedScopes"], 2);
}

#[test]
fn settings_and_credentials_that_do_not_let_it_begin_are_an_error_of_their_own() {
    let cloud = Cloud::with(REGIONS);
    for (variable, value, words) in [
        ("AWS_ACCESS_KEY_ID", "AKIANOBODY", "AWS does not accept these credentials"),
        ("IMDSCTL_POLICY", "no-such-policy", "no-such-policy"),
        ("IMDSCTL_FAIL_ON", "never", "IMDSCTL_FAIL_ON"),
        ("IMDSCTL_OUTPUT", "table", "give it a place, as in table=s3://BUCKET/KEY"),
    ] {
        let function = function(&cloud).env(variable, value).start();
        let (name, message) = function.invoke(&audit()).failed();
        assert_eq!(name, "Imdsctl.BadSettings", "{variable}: {message}");
        assert!(message.contains(words), "{variable}: {message}");
        assert_eq!(function.left(), [""; 0].map(std::path::PathBuf::from), "{variable}");
    }
}

#[test]
fn a_night_is_compared_with_the_one_before() {
    let cloud = Cloud::with(REGIONS);
    let folder = tempfile::tempdir().unwrap();
    let function = function(&cloud)
        .env("IMDSCTL_BASELINE", folder.path().join("baseline.json").to_string_lossy())
        .env("IMDSCTL_UPDATE_BASELINE", "true")
        .env("IMDSCTL_FAIL_ON_NEW", "true")
        .start();
    let counts = |answer: &Value| ["new", "fixed"].map(|count| answer["summary"][count].clone());
    let first = function.invoke(&audit()).succeeded();
    assert_eq!((counts(&first), &first["exit"]), ([Value::Null, Value::Null], &0.into()));
    let second = function.invoke(&audit()).succeeded();
    assert_eq!((counts(&second), &second["exit"]), ([0.into(), 0.into()], &0.into()));
    assert_eq!(first["summary"]["failed"], second["summary"]["failed"]);
}

#[test]
fn a_report_that_does_not_arrive_is_an_error() {
    let cloud = Cloud::with(REGIONS);
    let nowhere = "s3://reports/report.json";
    let function = function(&cloud)
        .env("IMDSCTL_OUTPUT", format!("json={nowhere}"))
        // Nothing listens there.
        .env("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
        .start();
    let (name, message) = function.invoke(&audit()).failed();
    assert_eq!(name, "Imdsctl.NotDelivered");
    assert!(message.contains(&format!("cannot write {nowhere}")), "{message}");
    assert_eq!(function.metrics()[0]["FailedScopes"], 0, "all was read");
    assert!(function.left().is_empty());
}

#[test]
fn a_full_disk_is_told_as_one() {
    let cloud = Cloud::with(REGIONS);
    let function = function(&cloud).env("IMDSCTL_OUTPUT", "json=/dev/full").start();
    let (name, message) = function.invoke(&audit()).failed();
    assert_eq!(name, "Imdsctl.NotDelivered");
    let words = ["cannot write /dev/full", "(os error 28)", "temporary folder is full: give it more"];
    assert!(words.iter().all(|words| message.contains(words)), "{message}");
}

/// An audit that hangs until something ends it.
fn ended(function: &Function, cloud: &Cloud, end: impl FnOnce()) -> (String, String) {
    let before = hangs(cloud);
    thread::scope(|scope| {
        let invoked = scope.spawn(|| function.invoke(&audit()));
        until("an audit that hangs", || hangs(cloud) > before);
        end();
        invoked.join().unwrap().failed()
    })
}

#[test]
fn a_crash_is_told_and_what_it_leaves_is_removed() {
    let cloud = Cloud::faulty("- { operation: 'ec2:DescribeInstances', error: hang }", REGIONS);
    let function = function(&cloud).start();
    // The command alone: there is still somebody to answer.
    let (name, message) = ended(&function, &cloud, || function.kill_commands());
    assert_eq!(name, "Imdsctl.Failed");
    assert!(message.contains("signal: 9"), "{message}");
    assert_eq!((function.started(), function.left()), (1, Vec::new()));
    // All of it: the next process finds the disk as it was.
    let (name, message) = ended(&function, &cloud, || function.crash());
    assert_eq!(name, "Runtime.ExitError", "{message}");
    assert_eq!(function.left().len(), 1);
    cloud.set_faults(&[]);
    assert_eq!(function.invoke(&audit()).succeeded()["status"], "complete");
    assert_eq!((function.started(), function.left()), (2, Vec::new()));
}

#[test]
fn whoever_invokes_it_over_http_is_told_of_errors_as_lambda_tells() {
    let cloud = Cloud::with(REGIONS);
    let function = function(&cloud).start();
    let post = |name: &str, body: &str| {
        let raw = crate::raw::Raw { url: function.url(), access_key: "AKIA".to_owned(), token: None };
        raw.post("lambda", &format!("/2015-03-31/functions/{name}/invocations"), body)
    };
    let arn = format!("arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3A{NAME}");
    let (status, answer) = post(&arn, &audit().to_string());
    assert_eq!(status, 200);
    assert!(
        answer.contains("\"status\":\"complete\"") && !answer.contains("x-amz-function-error"),
        "{answer}"
    );
    let (status, answer) = post(NAME, "{}");
    assert_eq!(status, 200);
    assert!(answer.contains("x-amz-function-error: Unhandled"), "{answer}");
    assert!(answer.contains("\"errorType\":\"Imdsctl.BadEvent\""), "{answer}");
    assert_eq!(post("another", "{}").0, 404);
}

#[test]
fn outside_of_lambda_it_is_the_command_or_says_what_is_missing() {
    let bootstrap = || Program::of(env!("CARGO_BIN_EXE_bootstrap"));
    let refused = bootstrap().run().refused();
    assert!(refused.contains("AWS_LAMBDA_RUNTIME_API is not set"), "{refused}");
    let refused = bootstrap().env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9").run().refused();
    assert!(refused.contains("AWS_LAMBDA_FUNCTION_NAME is not set"), "{refused}");
    let listed = bootstrap().line("policy list").run().code(0).stdout;
    assert_eq!(listed, Program::new().line("policy list").run().stdout);
}
