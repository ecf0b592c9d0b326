//! `imdsctl explain --inventory`, `-o json`, and what is of no cluster.

use std::path::Path;
use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::cloud::Cloud;
use crate::demo::{hostile, listener};
use crate::program::{Outcome, Program};
use crate::python;

/// The demo, saved with all of its instances or with nodes only.
fn saved(flags: &str) -> String {
    let line = "audit --demo --fail-on none --save-inventory saved.ndjson";
    Program::new().line(line).line(flags).run().code(0).read("saved.ndjson")
}

fn explain(inventory: &str, line: &str) -> Outcome {
    Program::new().file("i.ndjson", inventory).line("explain --inventory i.ndjson").line(line).run()
}

/// A JSON document without what differs from run to run.
fn without_run(json: &str) -> Value {
    let mut document: Value = serde_json::from_str(json).unwrap();
    document.as_object_mut().unwrap().remove("run").expect("a run");
    document
}

/// Of everything that can be explained one, nodes and other instances among them.
const RESOURCES: [&str; 8] = [
    "payments-prod/api",
    "i-002dfa322bb902a31",
    "tools",
    "workers",
    "platform-nodes",
    "web-frontend",
    "jenkins",
    "i-00e242ad51ee3aeea",
];

#[test]
fn an_inventory_is_explained_as_the_fleet_is() {
    let inventory = saved("--all-instances");
    for resource in RESOURCES {
        let live = Program::new().line("explain --demo -o table -o json=a.json").line(resource).run().code(0);
        let offline = explain(&inventory, &format!("-o table -o json=a.json {resource}")).code(0);
        assert_eq!(offline.stderr, "");
        assert_eq!(live.stdout, offline.stdout, "{resource}");
        let [live, offline] = [live, offline].map(|outcome| without_run(&outcome.read("a.json")));
        assert_eq!(live, offline, "{resource}");
    }
}

#[test]
fn it_needs_nothing_but_the_file() {
    let inventory = saved("");
    let (url, connections) = listener();
    let program = hostile(&url).file("i.ndjson", &inventory);
    let outcome = program.line("explain --inventory i.ndjson payments-prod/api").run().code(0);
    assert_eq!(outcome.stderr, "");
    assert!(outcome.stdout.contains("✗ its next node breaks tokens-required"));
    assert_eq!(connections.load(Ordering::SeqCst), 0, "somebody was asked");
}

#[test]
fn what_an_inventory_of_nodes_does_not_hold_is_said() {
    let inventory = saved("");
    let limit =
        "the inventory holds nodes and the groups of clusters: for others, save it with --all-instances";
    for resource in ["jenkins-group", "i-00e242ad51ee3aeea"] {
        let said = explain(&inventory, resource).refused();
        assert!(said.starts_with(&format!("nothing named {resource:?} was found in 4 accounts, ")), "{said}");
        assert!(said.ends_with(limit), "{said}");
    }
    let text = explain(&inventory, "web-frontend").code(0).stdout;
    assert!(text.contains("no group that was read launches from it"), "{text}");
    assert!(text.contains("others that launch from it are not shown"), "{text}");
    let arn = "arn:aws:ec2:us-east-1:999999999999:instance/i-1";
    let said = explain(&inventory, arn).refused();
    assert!(said.ends_with("is in an account or a Region that i.ndjson does not hold"), "{said}");
}

#[test]
fn what_is_wrong_with_the_file_or_the_flags_is_said() {
    let inventory = saved("");
    let half = explain(&inventory[..inventory.len() / 2], "workers").code(4);
    assert!(half.stderr.starts_with("error: i.ndjson: it breaks off at line "), "{}", half.stderr);
    assert_eq!(half.stdout, "");
    assert!(explain("{}", "workers").refused().starts_with("i.ndjson: it is not an inventory"));
    for flag in ["--region eu-west-1", "--all-regions", "--profile prod", "--demo", "--timeout 5"] {
        let said = explain(&inventory, &format!("{flag} workers")).refused();
        assert!(said.contains("cannot be used with"), "{said}");
    }
    let said = explain(&inventory, "workers -o json=i.ndjson").refused();
    assert_eq!(said, "a report cannot replace i.ndjson, which is read");
    let said = explain(&inventory, "workers -o csv").refused();
    assert!(said.contains("unknown format \"csv\": expected one of table, json"), "{said}");
    let said = explain(&inventory, "workers -o json -o table").refused();
    assert!(said.starts_with("two formats cannot share stdout"), "{said}");
    let outcome = explain(&inventory, "nope -o json=a.json");
    assert_eq!(outcome.files(), ["i.ndjson"], "nothing is written of nothing");
    outcome.refused();
}

const FLEET: &str = r#"
- names: [eu-west-1]
  launch_templates:
    - name: own
      default_version: 3
      versions:
        - { image: al2023-1.33, metadata_options: { http_tokens: optional } }
        - { image: al2023-base, metadata_options: { http_tokens: optional } }
        - { image: al2023-1.33, metadata_options: { http_tokens: required } }
  launch_configurations:
    - { name: old, image: al2-1.32, metadata_options: { http_tokens: optional } }
  clusters: [{ name: blue, self_managed: [{ name: workers, template: { name: own }, nodes: 1 }] }]
- names: [us-west-2]
  launch_templates:
    - name: web
      versions:
        - { image: al2023-base, metadata_options: { http_tokens: optional } }
        - { image: al2023-base, metadata_options: { http_tokens: required, hop_limit: 1 } }
        - { image: al2023-base }
  launch_configurations:
    - { name: old, image: al2023-base, metadata_options: { http_tokens: optional } }
  groups:
    - { name: web, template: { name: web, version: "2" }, nodes: 2, warm_pool: { nodes: 1 } }
    - { name: legacy, launch_configuration: old, nodes: 1 }
  instances: [{ name: bastion, image: al2023-base, metadata_options: { http_tokens: optional } }]
"#;

/// The id of an instance of the fleet, by its name.
fn id_of(cloud: &Cloud, name: &str) -> String {
    let line = "audit --region us-west-2 --all-instances --include-passed -o json --fail-on none";
    let report = cloud.imdsctl(line).run().code(0).report();
    let named = report.findings().iter().find(|finding| finding["resource"]["name"] == name).unwrap();
    named["resource"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_of_no_cluster_is_explained_too() {
    let cloud = Cloud::with(FLEET);
    let explain = |resource: &str| {
        let line = "explain --region eu-west-1 --region us-west-2";
        cloud.imdsctl(line).args([resource]).run().code(0).stdout
    };
    let says = |text: &str, words: &[&str]| {
        for word in words {
            assert!(text.contains(word), "no {word:?} in\n{text}");
        }
    };
    // A version that is neither default nor latest, read because its group is asked for.
    let web = explain("web");
    says(&web, &["Auto Scaling group web\n", "web (lt-", "version 2", "✗ hop limit 1", "3 instances"]);
    says(&web, &["who launches from it\n  └ Auto Scaling group web  version 2 · ✗ 3 instances and the next"]);
    says(&explain("legacy"), &["launch configuration  old", "sets ✗ tokens optional", "· 1 instance\n"]);
    let bastion = id_of(&cloud, "bastion");
    says(&explain(&bastion), &["(bastion)", "us-west-2 · standalone", "✗ breaks tokens-required"]);
    let arn = format!("arn:aws:ec2:us-west-2:111122223333:instance/{bastion}");
    says(&cloud.imdsctl("explain").args([arn]).run().code(0).stdout, &["(bastion)"]);
    // An instance brings its group with it.
    let one_of_web = explain(&id_of(&cloud, "web"));
    says(&one_of_web, &["Auto Scaling group  web · 3 instances", "the next instance of web gets the same"]);
}

#[test]
fn an_instance_that_is_no_node_costs_one_call() {
    let cloud = Cloud::with(FLEET);
    let bastion = id_of(&cloud, "bastion");
    let calls = |resource: &str| {
        let before = cloud.requests().len();
        cloud.imdsctl("explain --region us-west-2").args([resource]).run();
        let requests = &cloud.requests()[before..];
        requests.iter().filter(|request| request.operation == "DescribeInstances").count()
    };
    assert_eq!(calls(&bastion), 2);
    assert_eq!(calls("i-0123456789abcdef0"), 2, "it does not exist, which only that call can tell");
    assert_eq!(calls("blue"), 1);
    assert_eq!(calls("i-bastion"), 1, "it cannot exist");
}

#[test]
fn an_interrupted_reading_makes_the_answer_incomplete() {
    let inventory = saved("").replace("\"interrupted\":false", "\"interrupted\":true");
    let found = explain(&inventory, "payments-prod/api").code(4);
    assert!(found.stdout.contains("node group payments-prod/api"));
    assert!(found.stderr.contains("the audit that saved it was interrupted"), "{}", found.stderr);
    let nothing = explain(&inventory, "nope").code(4);
    assert!(nothing.stderr.contains("it may be in what was not read"), "{}", nothing.stderr);
}

#[test]
fn what_could_not_be_read_when_it_was_saved_is_missing_still() {
    let denied = "- { region: us-west-2, operation: 'ec2:DescribeImages', error: access_denied }";
    let cloud = Cloud::faulty(denied, FLEET);
    let line = "audit --region eu-west-1 --region us-west-2 --all-instances --save-inventory i.ndjson";
    let inventory = cloud.imdsctl(line).run().code(4).read("i.ndjson");
    let outcome = explain(&inventory, "legacy -o json").code(4);
    let document: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(document["explanations"][0]["errors"][0]["operation"], "DescribeImages");
    assert_eq!(document["holes"][0]["region"], "us-west-2");
    let said = explain(&inventory, "nope").code(4).stderr;
    assert!(
        said.contains("it may be in 111122223333 us-west-2, which could not be read: ec2:DescribeImages")
    );
}

#[test]
fn json_is_valid_by_its_schema() {
    let Some(environment) = python::environment() else { return };
    let inventory = saved("--all-instances");
    let outcomes =
        RESOURCES.map(|resource| explain(&inventory, &format!("-o json=a.json {resource}")).code(0));
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/schema/explanation-v1.schema.json");
    let mut check = environment.script("check_schema.py");
    check.arg("--schema").arg(schema).args(outcomes.iter().map(|outcome| outcome.path("a.json")));
    let checked = check.output().unwrap();
    let said =
        String::from_utf8_lossy(&checked.stdout).into_owned() + &String::from_utf8_lossy(&checked.stderr);
    assert_eq!(said.trim(), format!("{} documents", RESOURCES.len()));
    let document: Value = serde_json::from_str(&outcomes[0].read("a.json")).unwrap();
    let group = &document["explanations"][0];
    assert_eq!(
        (&document["found"], &group["type"], &group["id"]),
        (&1.into(), &"node_group".into(), &"payments-prod/api".into())
    );
    let tokens = &group["ways"][0]["options"][0];
    assert_eq!(
        (&tokens["option"], &tokens["value"], &tokens["source"]),
        (&"http_tokens".into(), &"optional".into(), &"launch_template".into())
    );
    assert_eq!(tokens["checks"][0]["status"], "fail");
    assert_eq!(group["fixes"][0]["kind"], "update_node_group");
}
