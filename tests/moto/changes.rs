//! Remediation on moto: what it can be asked to change, and that what it gets wrong is noticed.

use std::process::Command;

use serde_json::Value;

use crate::fleet::{imdsctl, succeeded};
use crate::server::Server;
use crate::support::python::{self, Environment};

/// What there is to be changed, and how it went.
struct Bench<'p> {
    python: &'p Environment,
    server: Server,
}

impl Bench<'_> {
    fn start(python: &Environment) -> Bench<'_> {
        let bench = Bench { python, server: Server::start(python).unwrap() };
        bench.script("seed");
        bench
    }

    fn script(&self, what: &str) -> Vec<u8> {
        let mut command = self.python.script("moto_changes.py");
        let output = command.args(["--endpoint", &self.server.endpoint, what]).output().unwrap();
        succeeded("moto_changes.py", output).unwrap()
    }

    fn show(&self) -> Value {
        serde_json::from_slice(&self.script("show")).unwrap()
    }

    fn remediate(&self, line: &str) -> Command {
        let mut command = imdsctl(&self.server.endpoint);
        command.args(["remediate", "--accept-imdsv1-callers", "--poll-interval", "0", "-o", "json"]);
        command.args(line.split_whitespace());
        command
    }
}

const EVERYTHING: &str = "--set-default --rollout --live";

fn run(mut command: Command) -> (Value, Option<i32>) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let document = serde_json::from_slice(&output.stdout);
    (document.unwrap_or_else(|error| panic!("{error}: {said}")), output.status.code())
}

#[test]
fn what_moto_can_change_is_changed_and_nothing_else() {
    let Some(python) = python::environment() else { return };
    let bench = Bench::start(python);
    let before = bench.show();
    let (plan, _) = run(bench.remediate(&format!("--dry-run --region eu-west-1 {EVERYTHING}")));
    assert_eq!(plan["schema"], "imdsctl.plan/v1");
    assert_eq!(bench.show(), before, "a dry run changes nothing");

    let folder = tempfile::tempdir().unwrap();
    let mut command = bench.remediate(&format!("--yes --region eu-west-1 {EVERYTHING} --journal"));
    command.arg(folder.path().join("journal"));
    let (results, _) = run(command);
    for step in results["steps"].as_array().unwrap() {
        let state = step["state"].as_str().unwrap();
        assert!(["done", "already"].contains(&state), "{step:#}");
    }
    let mut expected = before;
    let west = &mut expected["eu-west-1"];
    west["templates"]["nodes"] = 2.into();
    west["groups"]["blue-nodes"] = "2".into();
    west["alone"] = serde_json::json!([["required", 2, "enabled"]]);
    assert_eq!(bench.show(), expected);
}

/// moto makes a version of nothing but what is sent, whatever its source.
#[test]
fn a_version_that_lost_what_its_source_has_is_used_by_nothing() {
    let Some(python) = python::environment() else { return };
    let bench = Bench::start(python);
    let mut expected = bench.show();
    let folder = tempfile::tempdir().unwrap();
    let mut command = bench.remediate(&format!("--yes --region eu-central-1 {EVERYTHING} --journal"));
    command.arg(folder.path().join("journal"));
    let (results, code) = run(command);
    assert_eq!(code, Some(4));
    let stopped = results["stopped"].as_str().unwrap();
    assert!(stopped.contains("version 2 differs from version 1 in more than was asked for"), "{stopped}");
    assert!(stopped.contains("image_id") && stopped.contains("nothing uses it"), "{stopped}");
    expected["eu-central-1"]["latest"]["other"] = 2.into();
    assert_eq!(bench.show(), expected);
}
