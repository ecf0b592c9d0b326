//! `imdsctl remediate` and `imdsctl rollback`, from the plan to the second look.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use imdsctl_sim::{Fault, FaultKind, Request};
use serde_json::Value;
use tempfile::TempDir;

use crate::cloud::{Cloud, operation, until};
use crate::program::{Outcome, Program};

/// One of everything that is changed: node groups of a template at a version that is not its default, an Auto Scaling
/// group at `$Latest`, a node by itself, and the account's defaults.
pub const FLEET: &str = r#"
- names: [eu-west-1]
  account_defaults: { http_tokens: optional }
  launch_templates:
    - name: nodes
      default_version: 1
      versions:
        - { description: first, metadata_options: { http_tokens: required, hop_limit: 1 } }
        - { description: second, metadata_options: { http_endpoint: enabled, http_tokens: required, hop_limit: 1 } }
    - name: web
      versions:
        - { image: al2023-1.33, instance_type: m6i.large, metadata_options: { http_tokens: required, hop_limit: 1 } }
    - name: other
      versions:
        - { image: al2023-1.33, metadata_options: { http_tokens: required, hop_limit: 2 } }
  clusters:
    - name: blue
      version: "1.33"
      node_groups:
        - { name: apps, template: { name: nodes, version: "2" }, nodes: 2 }
        - { name: jobs, template: { name: nodes, version: "2" }, nodes: 1 }
      self_managed:
        - name: blue-web
          template: { name: web, version: $Latest }
          nodes: 2
          lifecycle_hooks: [{ name: drain }]
      standalone:
        - { name: blue-debug, image: al2023-1.33, metadata_options: { http_tokens: required, hop_limit: 1 } }
"#;

/// Everything that can be asked for.
pub const ALL: &str = "--set-default --rollout --live --account-defaults --policy al2023 --policy imdsv2 \
                       --accept-imdsv1-callers --poll-interval 0";

/// A folder for what outlives a run.
pub struct Desk {
    folder: TempDir,
}

impl Desk {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The demo, as the last command left it.
    fn demo(&self, line: &str) -> Program {
        Program::new().line(line).line("--demo --demo-state").args([self.path("state")])
    }

    fn journal(&self, name: &str) -> Vec<Value> {
        lines(&self.path(name))
    }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap()
}

/// What was changed, in order.
pub fn changes(requests: &[Request]) -> Vec<String> {
    requests.iter().filter(|request| request.changed).map(operation).collect()
}

/// Which rules are broken where: what a replaced node has in common with the one before. What was mended by hand on a
/// node goes with it, so that how many there are is no part of it.
fn wrong(report: &Value) -> BTreeSet<String> {
    let key = |finding: &Value| {
        let id = match finding["resource"]["type"].as_str().unwrap() {
            "instance" => "a node",
            _ => finding["resource"]["id"].as_str().unwrap(),
        };
        let names = ["account_id", "region", "cluster", "node_group", "auto_scaling_group", "rule", "status"];
        format!("{id} {}", names.map(|name| finding[name].to_string()).join(" "))
    };
    report["findings"].as_array().unwrap().iter().map(key).collect()
}

fn ids<'a>(parts: impl IntoIterator<Item = &'a Value>) -> BTreeSet<String> {
    let findings = parts.into_iter().flat_map(|part| part["findings"].as_array().unwrap());
    findings.map(|id| id.as_str().unwrap().to_owned()).collect()
}

fn all<'a>(plan: &'a Value, name: &'static str) -> impl Iterator<Item = &'a Value> {
    plan["scopes"].as_array().unwrap().iter().flat_map(move |scope| scope[name].as_array().unwrap())
}

/// The walk-through of the README.
#[test]
fn the_demo_is_audited_mended_and_taken_back() {
    let desk = Desk::new();
    let before = json(&desk.demo("audit -o json").run().code(1));
    let state = std::fs::read(desk.path("state")).unwrap();

    let line = "remediate --dry-run --rollout --set-default -o json";
    let plan = json(&desk.demo(line).run().code(1));
    assert_eq!(plan["schema"], "imdsctl.plan/v1");
    assert!(std::fs::read(desk.path("state")).unwrap() == state, "a dry run changes nothing");

    let line = "remediate --yes --rollout --set-default -o json";
    let journal = desk.path("journal");
    let done = desk.demo(line).args(["--journal".as_ref(), journal.as_os_str()]).run().code(1);
    let results = json(&done);
    for step in results["steps"].as_array().unwrap() {
        let state = step["state"].as_str().unwrap();
        assert!(["done", "already", "blocked"].contains(&state), "{step:#}");
    }

    let after = json(&desk.demo("audit -o json").run().code(1));
    let left: BTreeSet<String> = after["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["id"].as_str().unwrap().to_owned())
        .collect();
    let blocked = |step: &&Value| !step["blocked"].is_null();
    let automatic = ids(all(&plan, "steps").filter(|step| !blocked(step)));
    let unserved = ids(all(&plan, "steps").filter(blocked));
    let served: BTreeSet<_> = automatic.difference(&unserved).collect();
    assert!(served.len() > 5, "{}", served.len());
    for id in &served {
        assert!(!left.contains(*id), "{id} is still there");
    }
    for manual in ids(all(&plan, "manual")) {
        assert!(left.contains(&manual), "{manual} was left to a person, and is gone");
    }

    let rolled_back = desk.demo("rollback --yes -o json").args([&journal]).run().code(0);
    assert!(json(&rolled_back)["steps"].as_array().unwrap().iter().all(|step| step["state"] != "failed"));
    let again = json(&desk.demo("audit -o json").run().code(1));
    assert_eq!(wrong(&again), wrong(&before));
}

#[test]
fn a_dry_run_sends_nothing_that_could_change_anything() {
    let cloud = Cloud::with(FLEET);
    for line in ["remediate --dry-run", "remediate --dry-run -o json --plan-out plan.json"] {
        cloud.imdsctl(&format!("{line} --region eu-west-1 {ALL}")).run().code(1);
    }
    let requests = cloud.requests();
    assert!(requests.len() > 10);
    let mutating: Vec<_> = requests.iter().filter(|request| request.mutating).map(operation).collect();
    assert_eq!(mutating, [""; 0]);
}

#[test]
fn a_declined_plan_and_a_missing_terminal_change_nothing() {
    let cloud = Cloud::with(FLEET);
    let said = cloud.imdsctl("remediate --region eu-west-1").run().refused();
    assert!(said.starts_with("there is no terminal to ask on"), "{said}");
    assert_eq!(cloud.requests().len(), 0);
}

#[test]
fn everything_is_mended_journalled_and_taken_back() {
    let cloud = Cloud::with(FLEET);
    let audit = "audit --region eu-west-1 --policy al2023 --policy imdsv2 -o json";
    let before = json(&cloud.imdsctl(audit).run().code(1));
    let desk = Desk::new();
    let journal = desk.path("journal");
    let line = format!("remediate --yes --region eu-west-1 -o json {ALL} --journal");
    let done = cloud.imdsctl(&line).args([&journal]).run();
    let results = json(&done);
    assert_eq!(done.code, Some(0), "{}\n{results:#}", done.stderr);
    assert!(results["findings"].as_array().unwrap().iter().all(|finding| finding["state"] == "fixed"));
    cloud.imdsctl(audit).run().code(0);

    // The intent of each change is on the disk before the request, so that there are as many.
    let entries = desk.journal("journal");
    let count = |entry: &str| entries.iter().filter(|line| line["entry"] == entry).count();
    assert_eq!(entries[0]["entry"], "begin");
    assert_eq!(count("intent"), changes(&cloud.requests()).len());
    assert_eq!(entries.last().unwrap()["how"], "finished");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&journal).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    assert!(done.stderr.contains("imdsctl rollback "), "{}", done.stderr);
    cloud.imdsctl("rollback --yes --poll-interval 0 --region eu-west-1").args([&journal]).run().code(0);
    let again = json(&cloud.imdsctl(audit).run().code(1));
    assert_eq!(wrong(&again), wrong(&before));
    // And once more: EC2 knows the tokens of the versions that were deleted.
    cloud.imdsctl(&line).args([desk.path("again")]).run().code(0);
    cloud.imdsctl(audit).run().code(0);
}

#[test]
fn ten_runs_make_one_version() {
    let cloud = Cloud::with(FLEET);
    for _ in 0..10 {
        let done = cloud.imdsctl("remediate --yes --region eu-west-1 --poll-interval 0").run();
        assert!(matches!(done.code, Some(0 | 1)), "{}", done.stderr);
    }
    let made = changes(&cloud.requests());
    let versions = made.iter().filter(|name| *name == "ec2:CreateLaunchTemplateVersion").count();
    // One of `nodes`; `web` is launched from by `$Latest`, and waits for --rollout.
    assert_eq!(versions, 1, "{made:?}");
}

#[test]
fn a_plan_in_a_file_is_applied_and_nothing_else() {
    let cloud = Cloud::with(FLEET);
    let desk = Desk::new();
    let plan = desk.path("plan.json");
    let line = format!("remediate --dry-run --region eu-west-1 {ALL} --plan-out");
    cloud.imdsctl(&line).args([&plan]).run().code(1);
    let line = "remediate --yes --region eu-west-1 --policy al2023 --policy imdsv2 --poll-interval 0 --plan";
    cloud.imdsctl(line).args([&plan]).run().code(0);
    // By now it is stale: `$Latest` is another version than the one that the group was to be held at.
    let before = changes(&cloud.requests()).len();
    let done = cloud.imdsctl(line).args([&plan]).run().code(4);
    assert!(done.stdout.contains("is version 2, and not version 1"), "{}", done.stdout);
    assert_eq!(changes(&cloud.requests()).len(), before);
}

#[test]
fn what_has_changed_since_the_plan_is_refused_with_what_changed() {
    let cloud = Cloud::with(FLEET);
    let desk = Desk::new();
    let (plan, early) = (desk.path("plan.json"), desk.path("early.json"));
    let dry = "remediate --dry-run --region eu-west-1 --plan-out";
    cloud.imdsctl(dry).args([&early]).run().code(1);
    cloud
        .imdsctl(&format!("remediate --dry-run --region eu-west-1 {ALL} --plan-out"))
        .args([&plan])
        .run()
        .code(1);
    // Somebody else makes a version, by another policy.

    let mut other: Value = serde_json::from_str(&std::fs::read_to_string(&early).unwrap()).unwrap();
    for scope in other["scopes"].as_array_mut().unwrap() {
        for step in scope["steps"].as_array_mut().unwrap() {
            if step["action"]["kind"] == "create_template_version" {
                step["action"]["metadata"]["http_put_response_hop_limit"] = 3.into();
                step["action"]["client_token"] = "another".into();
                step["action"]["description"] = "by somebody else".into();
            }
        }
    }
    std::fs::write(&early, other.to_string()).unwrap();
    let apply =
        "remediate --yes --region eu-west-1 --policy al2023 --policy imdsv2 --poll-interval 0 -o json --plan";
    cloud.imdsctl(apply).args([&early]).run();
    let before = changes(&cloud.requests()).len();
    assert_eq!(before, 1);
    let refused = cloud.imdsctl(apply).args([&plan]).run().code(4);
    let results = json(&refused);
    let stopped = results["stopped"].as_str().unwrap();
    assert!(
        stopped.contains("the template has moved on: version 3 (\"by somebody else\") was made"),
        "{stopped}"
    );
}

#[test]
fn a_denied_change_ends_the_run_and_is_told() {
    let cloud = Cloud::with(FLEET);
    cloud.set_faults(&[Fault::new("eks:UpdateNodegroupVersion", FaultKind::AccessDenied)]);
    let line = format!("remediate --yes --region eu-west-1 -o json {ALL}");
    let done = cloud.imdsctl(&line).run().code(4);
    let results = json(&done);
    assert!(results["stopped"].as_str().unwrap().contains("AccessDenied"), "{}", results["stopped"]);
    let states: BTreeSet<_> =
        results["steps"].as_array().unwrap().iter().map(|step| step["state"].as_str().unwrap()).collect();
    assert!(states.contains("failed") && states.contains("left") && states.contains("done"), "{states:?}");
    assert!(!changes(&cloud.requests()).contains(&"eks:UpdateNodegroupVersion".to_owned()));
    assert!(done.stderr.contains("to finish:    imdsctl remediate --resume "), "{}", done.stderr);
}

#[test]
fn throttled_changes_are_made_in_the_end() {
    let cloud = Cloud::with(FLEET);
    let throttled = |name: &str| Fault::new(name, FaultKind::Throttled).times(2);
    let names = ["ec2:CreateLaunchTemplateVersion", "eks:UpdateNodegroupVersion", "ec2:ModifyLaunchTemplate"];
    cloud.set_faults(&names.map(throttled));
    let line = format!("remediate --yes --region eu-west-1 {ALL}");
    cloud.imdsctl(&line).run().code(0);
}

/// Every change of a whole run: which operation, and the how many-th of its kind.
fn points(cloud: &Cloud) -> Vec<(String, u32)> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let requests = cloud.requests().into_iter().filter(|request| request.mutating && !request.dry_run);
    let point = |request: Request| {
        let count = counts.entry(operation(&request)).or_default();
        *count += 1;
        (operation(&request), *count - 1)
    };
    requests.map(point).collect()
}

/// What can be read of a fleet, but for when.
fn fleet_of(cloud: &Cloud, desk: &Desk) -> Vec<Value> {
    let line = "audit --region eu-west-1 --all-instances --policy al2023 --policy imdsv2 --save-inventory";
    cloud.imdsctl(line).args([desk.path("inventory")]).run();
    lines(&desk.path("inventory")).into_iter().filter(|line| line.get("inventory").is_some()).collect()
}

/// Cut off before and after every single change, and finished by the journal.
#[test]
fn killed_at_any_change_it_is_finished_without_doing_anything_twice() {
    let line = format!("remediate --yes --region eu-west-1 {ALL} --journal");
    let whole = Cloud::with(FLEET);
    let desk = Desk::new();
    whole.imdsctl(&line).args([desk.path("journal")]).run().code(0);
    let points = points(&whole);
    assert!(points.len() >= 8, "{points:?}");
    let (expected, end) = (changes(&whole.requests()), fleet_of(&whole, &desk));
    for (name, nth) in points {
        for takes_effect in [false, true] {
            let cloud = Cloud::with(FLEET);
            let hang = Fault::new(&*name, FaultKind::Hang).after(nth).times(1);
            cloud.set_faults(&[if takes_effect { hang.taking_effect() } else { hang }]);
            let desk = Desk::new();
            let started = cloud.imdsctl(&line).args([desk.path("journal")]).spawn();
            let hangs = |request: &Request| request.fault == Some(FaultKind::Hang);
            until("the change that hangs", || cloud.requests().iter().any(hangs));
            started.signal("KILL");
            assert_eq!(started.end().code, None);
            let before = changes(&cloud.requests());
            cloud.set_faults(&[]);
            let resume = "remediate --yes --region eu-west-1 --policy al2023 --policy imdsv2 --poll-interval 0 --resume";
            let done = cloud.imdsctl(resume).args([desk.path("journal")]).run();
            let case = format!("{name} {nth} {takes_effect}");
            assert_eq!(done.code, Some(0), "{case}: {}\n{}", done.stderr, done.stdout);
            let all = [before, changes(&cloud.requests())].concat();
            assert_eq!(all, expected, "{case}");
            assert!(fleet_of(&cloud, &desk) == end, "{case}: another end");
        }
    }
}

#[test]
fn two_at_once_with_one_journal_are_refused() {
    let cloud = Cloud::with(FLEET);
    let desk = Desk::new();
    let journal = desk.path("journal");
    let hang = Fault::new("ec2:CreateLaunchTemplateVersion", FaultKind::Hang).times(1);
    cloud.set_faults(&[hang]);
    let line = format!("remediate --yes --region eu-west-1 {ALL} --journal");
    let started = cloud.imdsctl(&line).args([&journal]).spawn();
    until("the change that hangs", || {
        cloud.requests().iter().any(|request| request.fault == Some(FaultKind::Hang))
    });
    let said = cloud.imdsctl("remediate --yes --region eu-west-1 --resume").args([&journal]).run().refused();
    assert!(said.starts_with("another imdsctl is at work with "), "{said}");
    started.signal("KILL");
    started.end();
}

/// With a journal of its own, by the same plan, while another run has begun.
#[test]
fn a_group_that_another_run_updates_is_refused() {
    // Without the group that names `$Latest`, which is refused before.
    let cloud = Cloud::with(
        &FLEET.replace("version: $Latest }\n          nodes: 2", "version: \"1\" }\n          nodes: 0"),
    );
    let desk = Desk::new();
    let plan = desk.path("plan.json");
    cloud
        .imdsctl(&format!("remediate --dry-run --region eu-west-1 {ALL} --plan-out"))
        .args([&plan])
        .run()
        .code(1);
    let hang = Fault::new("eks:UpdateNodegroupVersion", FaultKind::Hang).times(1).taking_effect();
    cloud.set_faults(&[hang]);
    let apply =
        "remediate --yes --region eu-west-1 --policy al2023 --policy imdsv2 --poll-interval 0 -o json --plan";
    let first = cloud.imdsctl(apply).args([&plan]).spawn();
    until("the change that hangs", || {
        cloud.requests().iter().any(|request| request.fault == Some(FaultKind::Hang))
    });
    let before = changes(&cloud.requests());
    let second = cloud.imdsctl(apply).args([&plan]).run().code(4);
    assert_eq!(json(&second)["stopped"], "the node group is UPDATING");
    assert_eq!(
        changes(&cloud.requests()),
        before,
        "what the first has done is used, and nothing is done twice"
    );
    first.signal("KILL");
    first.end();
}

/// Pods that cannot be evicted.
#[test]
fn an_update_that_fails_is_told_with_its_reason() {
    let fails = "update_fails: { error: PodEvictionFailure, after_nodes: 1 }, template";
    let cloud = Cloud::with(&FLEET.replacen("name: apps, template", &format!("name: apps, {fails}"), 1));
    let results =
        json(&cloud.imdsctl(&format!("remediate --yes --region eu-west-1 -o json {ALL}")).run().code(4));
    let stopped = results["stopped"].as_str().unwrap();
    assert!(stopped.contains("PodEvictionFailure"), "{stopped}");
    let made = changes(&cloud.requests());
    assert_eq!(made.iter().filter(|name| *name == "eks:UpdateNodegroupVersion").count(), 1);
}

/// Instances that do not become healthy.
#[test]
fn a_refresh_that_rolls_back_is_told_with_its_reason() {
    let fails = "refresh_fails: { reason: The instances are unwell., after_nodes: 1 }";
    let fleet = FLEET.replace(
        "lifecycle_hooks: [{ name: drain }]",
        &format!("lifecycle_hooks: [{{ name: drain }}]\n          {fails}"),
    );
    let cloud = Cloud::with(&fleet);
    let desk = Desk::new();
    let line = format!("remediate --yes --region eu-west-1 -o json {ALL} --journal");
    let results = json(&cloud.imdsctl(&line).args([desk.path("journal")]).run().code(4));
    let stopped = results["stopped"].as_str().unwrap();
    assert!(stopped.contains("RollbackSuccessful") && stopped.contains("unwell"), "{stopped}");
    let failed = desk.journal("journal").into_iter().find(|line| line["outcome"] == "failed").unwrap();
    assert_eq!(failed["code"], "RefreshRollbackSuccessful");
}

#[test]
fn a_preflight_asks_ec2_of_each_step_and_changes_nothing() {
    let cloud = Cloud::with(FLEET);
    let line = format!("remediate --dry-run --preflight --region eu-west-1 -o json {ALL}");
    let plan = json(&cloud.imdsctl(&line).run().code(1));
    let said: BTreeSet<_> = plan["preflight"]
        .as_array()
        .unwrap()
        .iter()
        .map(|said| {
            let kind = said["step"].as_str().unwrap().split('/').nth(2).unwrap().to_owned();
            (kind, said["answer"].as_str().unwrap().to_owned())
        })
        .collect();
    let has = |kind: &str, answer: &str| said.contains(&(kind.to_owned(), answer.to_owned()));
    assert!(has("create_template_version", "allowed"), "{said:?}");
    assert!(has("update_node_group", "not_testable"), "{said:?}");
    let requests = cloud.requests();
    let mutating: Vec<_> = requests.iter().filter(|request| request.mutating).collect();
    assert!(!mutating.is_empty() && mutating.iter().all(|request| request.dry_run && !request.changed));
    // And for people.
    let table = cloud.imdsctl(&line.replace("-o json", "")).run().code(1).stdout;
    assert!(table.contains("allowed"), "{table}");
}

#[test]
fn the_first_groups_new_nodes_are_looked_at_before_the_next() {
    let cloud = Cloud::with(FLEET);
    let line = format!("remediate --yes --canary --region eu-west-1 {ALL}");
    let done = cloud.imdsctl(&line).run().code(0);
    let passed = done.stderr.matches("the options that they should have: going on").count();
    assert_eq!(passed, 1, "{}", done.stderr);
}

#[test]
fn as_many_changes_are_made_as_are_allowed_and_the_rest_later() {
    let cloud = Cloud::with(FLEET);
    let desk = Desk::new();
    let line = format!("remediate --yes --max-changes 2 --region eu-west-1 {ALL} --journal");
    let done = cloud.imdsctl(&line).args([desk.path("journal")]).run().code(4);
    assert!(done.stdout.contains("as many changes were made as --max-changes allows"), "{}", done.stdout);
    assert_eq!(changes(&cloud.requests()).len(), 2);
    let resume =
        "remediate --yes --region eu-west-1 --policy al2023 --policy imdsv2 --poll-interval 0 --resume";
    cloud.imdsctl(resume).args([desk.path("journal")]).run().code(0);
}

#[test]
fn what_is_no_journal_or_plan_is_refused_before_anything_is_asked() {
    let cloud = Cloud::with(FLEET);
    for (line, said) in [
        (
            "remediate --yes --region eu-west-1 --plan file",
            "it is not a plan, but of schema \"imdsctl.report/v1\"",
        ),
        (
            "remediate --yes --region eu-west-1 --resume file",
            "it is not a journal, but of schema \"imdsctl.report/v1\"",
        ),
        (
            "rollback file --yes --region eu-west-1",
            "it is not a journal, but of schema \"imdsctl.report/v1\"",
        ),
    ] {
        let program = cloud.imdsctl(line).file("file", "{\"schema\":\"imdsctl.report/v1\"}\n");
        let refused = program.run().refused();
        assert!(refused.contains(said), "{refused}");
    }
    assert_eq!(cloud.requests().len(), 0);
}
