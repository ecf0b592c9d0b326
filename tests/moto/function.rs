//! Runs of several invocations of the real `bootstrap`: what is audited is the simulated AWS, and what is handed on is on
//! moto's S3.

use std::time::Duration;

use imdsctl_sim::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::cloud::{self, Cloud};
use crate::fleet::succeeded;
use crate::lambda::{Function, Plan};
use crate::server::Server;
use crate::support::python::{self, Environment};

/// A management account and three more, of which one lets nobody in.
const ORGANIZATION: &str = r#"
name: organization
organizations:
  - id: o-exampleorg1
    management_account: "111111111111"
    organizational_units: [{ name: Work, id: ou-abcd-11111111 }]
roles: [{ name: ImdsctlAudit }]
accounts:
  - id: "111111111111"
    name: management
    access_keys: [{ id: AKIATESTTESTTEST0001, user: auditor }]
  - { id: "222222222222", name: payments, organizational_unit: Work, regions: &regions [{ names: [eu-west-1, us-east-1], launch_templates: [{ name: own, versions: [{ image: al2023-1.33, metadata_options: { hop_limit: 1 } }] }], clusters: [{ name: blue, self_managed: [{ name: nodes, template: { name: own }, nodes: 2 }] }] }] }
  - { id: "333333333333", name: data, organizational_unit: Work, regions: *regions }
  - { id: "444444444444", name: bare, without_roles: [ImdsctlAudit], regions: *regions }
"#;

const REGIONS: &str = r"
- names: [eu-west-1, us-east-1, us-west-2]
  launch_templates:
    - { name: nodes, versions: [{ image: al2023-1.33, metadata_options: { hop_limit: 1 } }] }
  clusters:
    - name: blue
      self_managed: [{ name: workers, template: { name: nodes }, nodes: 2 }]
";

/// Enough to start a process and to read a Region, on a machine with much else to do.
const SHORT: Duration = Duration::from_secs(16);

/// A cloud to audit, and a place for what is read.
struct Night {
    cloud: Cloud,
    server: Server,
    python: &'static Environment,
    bucket: String,
    topic: String,
}

impl Night {
    fn over(cloud: Cloud) -> Option<Self> {
        let python = python::environment()?;
        let server = Server::start(python).unwrap();
        let places = ask(python, &server, "seed");
        let text = |name: &str| places[name].as_str().unwrap().to_owned();
        Some(Self { cloud, server, python, bucket: text("bucket"), topic: text("topic") })
    }

    /// A function over it, that keeps its runs in `work` of the bucket.
    fn function(&self) -> Plan {
        Function::new()
            .env("AWS_ENDPOINT_URL", self.cloud.url())
            .env("AWS_ENDPOINT_URL_S3", &self.server.endpoint)
            .env("AWS_ENDPOINT_URL_SNS", &self.server.endpoint)
            .env("AWS_ACCESS_KEY_ID", &self.cloud.keys()[0].id)
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("IMDSCTL_RUNS", format!("s3://{}/work", self.bucket))
    }

    /// What is in the bucket, and the messages of the topic.
    fn read(&self) -> Value {
        ask(self.python, &self.server, "read")
    }
}

fn ask(python: &Environment, server: &Server, what: &str) -> Value {
    let asked = python.script("moto_delivery.py").args(["--endpoint", &server.endpoint, what]).output();
    serde_json::from_slice(&succeeded("moto_delivery.py", asked.unwrap()).unwrap()).unwrap()
}

/// The one shard of a run of one.
fn shard() -> Value {
    json!({ "action": "audit-shard", "run": "20261127T030000Z-1a2b3c4d", "shard": "hash:1/1" })
}

#[test]
fn a_run_in_shards_reports_what_one_process_reports() {
    let Some(night) = Night::over(Cloud::start(ORGANIZATION)) else { return };
    let (bucket, key) = (&night.bucket, "alias/reports");
    let function = night
        .function()
        .env("IMDSCTL_ORG", "true")
        .env("IMDSCTL_REGION", "eu-west-1,us-east-1")
        .env("IMDSCTL_OUTPUT", format!("json=s3://{bucket}/reports/{{run}}.json"))
        .env("IMDSCTL_NOTIFY", format!("sns:{}", night.topic))
        .env("IMDSCTL_SSE_KMS_KEY_ID", key)
        .start();

    let plan = function.invoke(&json!({ "action": "plan-scopes", "shards": 3 })).succeeded();
    let run = plan["run"].as_str().unwrap();
    let list = format!("work/runs/{run}/shards.json");
    assert_eq!(
        plan,
        json!({ "run": run, "bucket": bucket, "shards_key": list, "shards": 3, "scopes": 6 }),
        "the account that lets nobody in is not among what can be read"
    );
    let planned = night.read();
    let shards: Value = serde_json::from_str(planned["objects"][&list]["text"].as_str().unwrap()).unwrap();
    let shards = shards.as_array().unwrap();
    assert_eq!(shards.len(), 3);

    // Before any shard has reported, nothing is known of anything.
    let merge = json!({ "action": "merge", "run": run });
    let nothing = function.invoke(&merge).succeeded();
    assert_eq!((&nothing["status"], &nothing["left_count"]), (&"incomplete".into(), &8.into()));

    for event in shards {
        let answer = function.invoke(event).succeeded();
        let denied = answer["left"].as_array().unwrap();
        assert!(denied.iter().all(|scope| scope["account"] == "444444444444"), "{answer}");
        let status = if denied.is_empty() { "complete" } else { "incomplete" };
        assert_eq!(answer["status"], status, "what is denied is worth no other try: {answer}");
    }
    let answer = function.invoke(&merge).succeeded();
    let left =
        ["eu-west-1", "us-east-1"].map(|region| json!({ "account": "444444444444", "region": region }));
    assert_eq!((&answer["exit"], &answer["status"]), (&4.into(), &"incomplete".into()));
    assert_eq!((&answer["left"], &answer["left_count"]), (&json!(left), &2.into()));

    let arrived = night.read();
    let place = answer["outputs"][0].as_str().unwrap();
    let object = &arrived["objects"][place.strip_prefix(&format!("s3://{bucket}/")).unwrap()];
    let merged: Value = serde_json::from_str(object["text"].as_str().unwrap()).unwrap();
    let whole =
        night.cloud.imdsctl("audit --org --region eu-west-1 --region us-east-1 -o json").run().report().0;
    assert!(!whole["findings"].as_array().unwrap().is_empty());
    for part in ["policies", "findings", "coverage", "summary"] {
        assert_eq!(merged[part], whole[part], "{part}");
    }
    for (name, object) in arrived["objects"].as_object().unwrap() {
        assert_eq!((&object["encryption"], &object["kms_key"]), (&"aws:kms".into(), &key.into()), "{name}");
    }
    assert_eq!(arrived["messages"].as_array().unwrap().len(), 2, "one of each merge, and none of a shard");

    let metrics = function.metrics();
    let failed: Vec<_> = metrics.iter().filter_map(|line| line["FailedScopes"].as_u64()).collect();
    assert_eq!(failed, [8, 2], "of the merges alone: a shard is tried again before anybody is alarmed");
    let shards = metrics.iter().filter(|line| line["Action"] == "audit-shard");
    let calls: u64 = shards.filter_map(|line| line["ApiCalls"].as_u64()).sum();
    let of_report: u64 =
        merged["run"]["api_calls"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert_eq!(calls, of_report);
    assert_eq!((function.started(), function.left()), (1, Vec::new()));
}

#[test]
fn a_shard_goes_on_where_its_deadline_came_and_is_done_once() {
    let fault = "- { region: us-west-2, operation: 'ec2:DescribeInstances', error: hang }";
    let Some(night) = Night::over(Cloud::faulty(fault, REGIONS)) else { return };
    let function = night
        .function()
        .env("IMDSCTL_ALL_REGIONS", "true")
        // What is said of the whole is not said of a shard.
        .env("IMDSCTL_OUTPUT", format!("json=s3://{}/report.json", night.bucket))
        .env("IMDSCTL_NOTIFY", format!("sns:{}", night.topic))
        .env("IMDSCTL_BASELINE", format!("s3://{}/baseline.json", night.bucket))
        .env("IMDSCTL_UPDATE_BASELINE", "true")
        .env("IMDSCTL_SECURITY_HUB", "true")
        .timeout(SHORT)
        .start();
    let (name, message) = function.invoke(&shard()).failed();
    assert_eq!(name, "Imdsctl.Incomplete", "{message}");
    assert!(message.contains("the next try goes on from there"), "{message}");

    night.cloud.set_faults(&[]);
    let answer = function.invoke(&shard()).succeeded();
    assert_eq!(answer, json!({ "exit": 1, "status": "complete", "left": [], "left_count": 0 }));
    assert_eq!(night.cloud.operations("us-east-1"), [""; 0], "what was read is not read again");
    assert!(!night.cloud.operations("us-west-2").is_empty());
    assert_eq!(function.metrics()[1]["ApiCalls"], night.cloud.requests().len());

    night.cloud.set_faults(&[]);
    let answer = function.invoke(&shard()).succeeded();
    assert_eq!(answer, json!({ "exit": null, "status": "complete", "left": [], "left_count": 0 }));
    assert!(night.cloud.requests().is_empty(), "nothing is left to do");
    let arrived = night.read();
    let objects: Vec<_> = arrived["objects"].as_object().unwrap().keys().collect();
    assert_eq!(objects, ["work/runs/20261127T030000Z-1a2b3c4d/shards/1-of-1.ndjson"]);
    assert_eq!(arrived["messages"], json!([]));
    assert_eq!((function.started(), function.left()), (1, Vec::new()));
}

#[test]
fn what_may_pass_fails_a_shard_and_what_is_denied_does_not() {
    let Some(night) = Night::over(Cloud::with(REGIONS)) else { return };
    let function = night.function().env("IMDSCTL_ALL_REGIONS", "true").start();
    let fault = |kind| Fault::new("ec2:DescribeInstances", kind).in_region("us-east-1");
    for kind in [FaultKind::Throttled, FaultKind::ServiceUnavailable] {
        night.cloud.set_faults(&[fault(kind)]);
        let (name, message) = function.invoke(&shard()).failed();
        assert_eq!(name, "Imdsctl.Incomplete", "{kind:?}: {message}");
    }
    night.cloud.set_faults(&[fault(FaultKind::AccessDenied)]);
    let answer = function.invoke(&shard()).succeeded();
    assert_eq!((&answer["exit"], &answer["status"]), (&4.into(), &"incomplete".into()));
    assert_eq!(answer["left"], json!([{ "account": "111122223333", "region": "us-east-1" }]));
    night.cloud.set_faults(&[]);
    assert_eq!(function.invoke(&shard()).succeeded()["status"], "complete");
}

#[test]
fn a_run_needs_a_place_that_is_there() {
    let Some(night) = Night::over(Cloud::start(&cloud::fleet("", REGIONS))) else { return };
    let function = night.function().env("IMDSCTL_ALL_REGIONS", "true");
    let nowhere = night.function().env("IMDSCTL_RUNS", "s3://no-such-bucket/work");
    let unset = night.function().env("IMDSCTL_RUNS", "");
    let (function, nowhere, unset) = (function.start(), nowhere.start(), unset.start());
    let plan = json!({ "action": "plan-scopes", "shards": 1 });
    let merge = json!({ "action": "merge", "run": "20261127T030000Z-1a2b3c4d" });
    for (function, event, name, words) in [
        (&unset, &plan, "Imdsctl.BadSettings", "IMDSCTL_RUNS is not set"),
        (&unset, &shard(), "Imdsctl.BadSettings", "IMDSCTL_RUNS is not set"),
        (&nowhere, &plan, "Imdsctl.NotDelivered", "cannot write s3://no-such-bucket/work/runs/"),
        (&nowhere, &shard(), "Imdsctl.Failed", "cannot read s3://no-such-bucket/work/runs/"),
        (&function, &merge, "Imdsctl.BadEvent", "there is no run 20261127T030000Z-1a2b3c4d"),
    ] {
        let (error, message) = function.invoke(event).failed();
        assert_eq!(error, name, "{event}: {message}");
        assert!(message.contains(words), "{event}: {message}");
        assert!(function.left().is_empty());
    }
    night.cloud.set_faults(&[]);
    assert!(unset.invoke(&shard()).error.is_some() && night.cloud.requests().is_empty());
}
