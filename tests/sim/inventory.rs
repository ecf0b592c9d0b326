//! `--save-inventory` and `--inventory`: what was read once is judged again, with the same outcome.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::cloud::{Cloud, until};
use crate::demo::{hostile, listener};
use crate::outputs::{mode, without_run};
use crate::program::{Outcome, Program, Report};
use crate::python;

/// A cluster in one Region; in the other none, but a template that Karpenter left there and one of the user's.
const FLEET: &str = r"
- names: [eu-west-1]
  launch_templates:
    - { name: nodes, versions: [{ image: al2023-1.33, metadata_options: { hop_limit: 1 } }] }
    - { name: other, versions: [{ image: al2-1.31 }] }
  clusters: [{ name: blue, self_managed: [{ name: workers, template: { name: nodes }, nodes: 2 }] }]
- names: [us-west-2]
  launch_templates:
    - { name: karpenter.k8s.aws/left, versions: [{ image: al2023-1.33, metadata_options: { hop_limit: 1 } }] }
    - { name: web, versions: [{ image: al2-1.31 }] }
";

const AUDIT: &str = "audit --region eu-west-1 --region us-west-2 -o json";

/// Judges an inventory with these flags.
fn judged(inventory: &str, flags: &str) -> Outcome {
    Program::new().file("i.ndjson", inventory).line("audit --inventory i.ndjson").line(flags).run()
}

/// The inventory of a fleet, and what the audit that saved it reported.
fn saved(cloud: &Cloud) -> (String, Outcome) {
    let outcome = cloud.imdsctl(AUDIT).line("--save-inventory saved.ndjson").run();
    (outcome.read("saved.ndjson"), outcome)
}

#[test]
fn the_demo_is_judged_offline_as_it_was_live() {
    let saving = Program::new().line("audit --demo -o json --save-inventory saved.ndjson").run().code(1);
    assert_eq!(saving.stderr, "");
    let inventory = saving.read("saved.ndjson");
    for flags in [
        "--policy al2023",
        "--policy imdsv2",
        "--policy hardened --policy imdsv2 --policy al2023 --include-passed",
    ] {
        let live = Program::new().line("audit --demo -o json").line(flags).run().code(1);
        let offline = judged(&inventory, &format!("-o json {flags}")).code(1);
        assert_eq!(offline.stderr, "");
        assert!(without_run(&live.stdout) == without_run(&offline.stdout), "{flags}");
        if flags == "--policy al2023" {
            assert!(without_run(&live.stdout) == without_run(&saving.stdout), "saving shows in the report");
        }
    }
}

/// An audit that saves reads more than its policy asks for, and its report shows nothing of that.
#[test]
fn what_is_read_for_other_policies_is_not_judged() {
    let cloud = Cloud::with(FLEET);
    let (inventory, saving) = saved(&cloud);
    assert!(inventory.contains("karpenter.k8s.aws/left") && inventory.contains("web"), "{inventory}");
    for policy in ["al2023", "imdsv2"] {
        let live = cloud.imdsctl(AUDIT).args(["--policy", policy]).run().code(1);
        let offline = judged(&inventory, &format!("-o json --policy {policy}")).code(1);
        assert!(without_run(&live.stdout) == without_run(&offline.stdout), "{policy}");
        if policy == "al2023" {
            assert!(without_run(&live.stdout) == without_run(&saving.stdout));
            assert_eq!(saving.report().count("launch_templates"), 2);
        }
    }
    // The run that a report tells of is the one that read.
    assert_eq!(judged(&inventory, "-o json").report().0["run"], saving.report().0["run"]);
}

#[test]
fn what_was_read_in_vain_for_other_policies_makes_no_hole() {
    let faults =
        "- { region: us-west-2, operation: 'ec2:GetInstanceMetadataDefaults', error: access_denied }";
    let cloud = Cloud::faulty(faults, FLEET);
    let (inventory, saving) = saved(&cloud);
    let saving = saving.code(1);
    assert_eq!(saving.report().coverage("us-west-2")["status"], "complete");
    judged(&inventory, "--policy al2023").code(1);
    let live = cloud.imdsctl(AUDIT).line("--policy imdsv2").run().code(4);
    let offline = judged(&inventory, "--policy imdsv2 -o json").code(4);
    assert!(without_run(&live.stdout) == without_run(&offline.stdout));
    assert_eq!(
        offline.report().errors("us-west-2"),
        ["ec2:GetInstanceMetadataDefaults UnauthorizedOperation"]
    );
}

#[test]
fn a_compressed_inventory_is_known_by_its_first_bytes() {
    let cloud = Cloud::with(FLEET);
    let (plain, live) = saved(&cloud);
    let outcome = cloud.imdsctl(AUDIT).line("--save-inventory saved.ndjson.zst").run().code(1);
    let compressed = std::fs::read(outcome.path("saved.ndjson.zst")).unwrap();
    assert!(compressed.len() < plain.len() / 2, "{} of {}", compressed.len(), plain.len());
    assert_eq!(mode(&outcome.path("saved.ndjson.zst")), 0o600);
    // Whatever it is called, and through a pipe that gives a byte at a time.
    let program = || Program::new().line("audit --inventory i -o json=a.json");
    let by_file = program();
    std::fs::write(by_file.path("i"), &compressed).unwrap();
    let by_file = by_file.run().code(1);
    assert!(without_run(&by_file.read("a.json")) == without_run(&live.stdout));
    let by_pipe = program();
    let pipe = by_pipe.path("i");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let started = by_pipe.spawn();
    let mut pipe = File::options().write(true).open(pipe).unwrap();
    for byte in &compressed {
        pipe.write_all(&[*byte]).unwrap();
    }
    drop(pipe);
    assert!(started.end().code(1).read("a.json") == by_file.read("a.json"));
    // Half of it, and with one byte wrong.
    let mut damaged = compressed.clone();
    damaged[compressed.len() / 2] ^= 1;
    for wrong in [&compressed[..compressed.len() / 2], &damaged] {
        let program = program();
        std::fs::write(program.path("i"), wrong).unwrap();
        let outcome = program.run().code(4);
        assert!(outcome.stderr.starts_with("error: i: it is compressed, and damaged or not all there ("));
        assert_eq!(outcome.files(), ["i"], "{}", outcome.stderr);
    }
}

#[test]
fn an_inventory_needs_nothing_but_its_file() {
    let (inventory, _) = saved(&Cloud::with(FLEET));
    let (url, connections) = listener();
    let there = hostile(&url).file("i.ndjson", &inventory).line("audit --inventory i.ndjson -o json").run();
    let here = judged(&inventory, "-o json").code(1);
    assert_eq!(there.stderr, "");
    assert!(there.code(1).stdout == here.stdout);
    assert_eq!(connections.load(Ordering::SeqCst), 0, "somebody was asked");
}

#[test]
fn exit_codes_are_those_of_the_live_audit() {
    let good = r"
- names: [eu-west-1, us-west-2]
  launch_templates:
    - { name: good, versions: [{ image: al2023-1.33, metadata_options: { http_tokens: required, hop_limit: 2 } }] }
  clusters: [{ name: blue, self_managed: [{ name: good, template: { name: good }, nodes: 1 }] }]
";
    let denied = "- { region: us-west-2, operation: 'ec2:DescribeImages', error: access_denied }";
    for (faults, fleet, code) in [("", good, 0), ("", FLEET, 1), (denied, good, 4)] {
        let (inventory, live) = saved(&Cloud::faulty(faults, fleet));
        let live = live.code(code);
        let offline = judged(&inventory, "-o json").code(code);
        assert!(without_run(&live.stdout) == without_run(&offline.stdout));
        judged(&inventory, "--fail-on none").code(if code == 1 { 0 } else { code });
    }
}

#[test]
fn the_same_fleet_gives_the_same_file_and_a_second_run_replaces_the_first() {
    let cloud = Cloud::with(FLEET);
    let (first, _) = saved(&cloud);
    let program = cloud.imdsctl(AUDIT).file("saved.ndjson", "old").line("--save-inventory saved.ndjson");
    let outcome = program.run().code(1);
    assert_eq!(outcome.files(), ["saved.ndjson"]);
    assert_eq!(mode(&outcome.path("saved.ndjson")), 0o600, "it is for its owner only");
    let second = outcome.read("saved.ndjson");
    let last = |file: &str| file.trim_end().rfind('\n').unwrap();
    assert!(first[..last(&first)] == second[..last(&second)]);
    let regions: Vec<_> = second
        .lines()
        .filter_map(|line| line.find("\"region\":\"").map(|at| &line[at + 10..at + 19]))
        .collect();
    assert_eq!(regions, ["eu-west-1", "us-west-2"]);
}

#[test]
fn a_file_that_is_not_whole_is_not_judged() {
    let (inventory, _) = saved(&Cloud::with(FLEET));
    let lines: Vec<&str> = inventory.lines().collect();
    let half = &inventory[..inventory.len() / 2];
    let lost = [lines[0], lines[1], lines[3]].join("\n");
    let open = [lines[0], lines[1], lines[2], ""].join("\n");
    for (file, said) in [
        (half, "i.ndjson: it breaks off at line "),
        (&open, "i.ndjson: it breaks off at line 4, so that what is missing cannot be told"),
        (&lost, "i.ndjson: it was saved with 2 scopes and holds 1: lines are missing"),
    ] {
        let outcome = judged(file, "-o json=report.json").code(4);
        assert!(outcome.stderr.starts_with(&format!("error: {said}")), "{}", outcome.stderr);
        assert_eq!((outcome.stdout.as_str(), outcome.files()), ("", vec!["i.ndjson".to_owned()]));
    }
}

#[test]
fn what_is_no_inventory_is_refused() {
    let (inventory, live) = saved(&Cloud::with(FLEET));
    let lines: Vec<&str> = inventory.lines().collect();
    let garbage = [lines[0], lines[1], "\u{1b}[31mnonsense", lines[3], ""].join("\n");
    let wrong = inventory.replacen("\"clusters\":[", "\"clusters\":7,\"x\":[", 1);
    let later = inventory.replacen("imdsctl.inventory/v1", "imdsctl.inventory/v2", 1);
    let less = inventory.replacen("\"templates\":true", "\"templates\":false", 1);
    for (file, said) in [
        (garbage.as_str(), "i.ndjson:3:1: expected value"),
        (&wrong, "i.ndjson:2:"),
        (
            &later,
            "i.ndjson: it is an inventory of schema \"imdsctl.inventory/v2\", and this imdsctl reads \
             \"imdsctl.inventory/v1\"",
        ),
        (&live.stdout, "i.ndjson: it is not an inventory: its first line does not say"),
        ("", "i.ndjson: it is not an inventory"),
        (&less, "i.ndjson holds no launch templates, which policy imdsv2 judges: save it again"),
    ] {
        let outcome = judged(file, "--policy imdsv2 -o json=report.json");
        assert_eq!(outcome.files(), ["i.ndjson"]);
        let refused = outcome.refused();
        assert!(refused.starts_with(said), "{refused}");
    }
    judged(&less, "--policy al2023").code(1);
    let said = Program::new().line("audit --inventory nowhere.ndjson").run().refused();
    assert!(said.starts_with("cannot read nowhere.ndjson: "), "{said}");
    let said = Program::new().line("audit --inventory .").run().refused();
    assert!(said.starts_with("cannot read .: "), "{said}");
}

#[test]
fn flags_that_say_where_to_read_have_no_meaning_offline() {
    for flag in [
        "--region eu-west-1",
        "--all-regions",
        "--profile prod",
        "--demo",
        "--timeout 5",
        "--save-inventory b.ndjson",
    ] {
        let said = Program::new().line("audit --inventory a.ndjson").line(flag).run().refused();
        assert!(said.contains("--inventory <FILE>") && said.contains("cannot be used with"), "{said}");
    }
    let said = judged("x", "-o json=i.ndjson").refused();
    assert_eq!(said, "a report cannot replace i.ndjson, which is read");
    let program = |flags: &str| Program::new().line("audit --demo").line(flags).run().refused();
    let said = program("-o json=a --save-inventory a");
    assert_eq!(said, "a report and the inventory cannot share a");
    assert_eq!(program("--save-inventory -"), "--save-inventory needs a file: stdout is for reports");
    assert!(program("--save-inventory nowhere/a").starts_with("cannot write nowhere/a: "));
}

#[test]
fn an_inventory_that_cannot_be_written_keeps_no_report_from_being_written() {
    let cloud = Cloud::with(FLEET);
    let outcome = cloud.imdsctl(AUDIT).line("--save-inventory /dev/full").run().code(4);
    assert!(outcome.stderr.starts_with("error: cannot write /dev/full: "), "{}", outcome.stderr);
    assert!(!outcome.report().findings().is_empty());
}

#[test]
fn an_interrupted_audit_saves_what_it_read() {
    let faults = r#"
- { region: eu-west-1, operation: "ec2:DescribeImages", error: access_denied }
- { region: us-west-2, operation: "ec2:DescribeInstances", error: hang }
"#;
    let cloud = Cloud::faulty(faults, FLEET);
    let mut started = cloud.imdsctl(AUDIT).line("-v --save-inventory saved.ndjson").spawn();
    // It is told that a Region is incomplete once that Region has been read.
    let mut stderr = BufReader::new(started.child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("111122223333 eu-west-1 could not be read completely") {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "{said}");
    }
    until("the request that hangs", || {
        cloud.requests().iter().any(|request| request.error_code.as_deref() == Some("hang"))
    });
    started.signal("INT");
    let live = started.end().code(130);
    let inventory = live.read("saved.ndjson");
    let offline = judged(&inventory, "-o json").code(4);
    assert!(offline.stderr.contains("the audit that saved it was interrupted"), "{}", offline.stderr);
    assert!(without_run(&live.stdout) == without_run(&offline.stdout));
    let report = Report::parse(&offline.stdout);
    assert_eq!(report.0["run"]["interrupted"], true);
    assert_eq!(report.coverage("us-west-2")["reason"], "interrupted");
    assert_eq!(report.coverage("eu-west-1")["status"], "partial");
    assert!(!report.findings().is_empty());
}

#[test]
fn judging_can_be_interrupted() {
    let (inventory, _) = saved(&Cloud::with(FLEET));
    let program = Program::new().line("audit --inventory pipe -o json=report.json");
    let pipe = program.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let started = program.spawn();
    // It opens once it is read, and the signals are listened for by then.
    let mut pipe = File::options().write(true).open(pipe).unwrap();
    let (header, rest) = inventory.split_once('\n').unwrap();
    let (line, _) = rest.split_once('\n').unwrap();
    writeln!(pipe, "{header}").unwrap();
    started.signal("INT");
    let mut region = 0;
    // It has no end, so that only the signal can end this.
    while writeln!(pipe, "{}", line.replace("eu-west-1", &format!("region-{region}"))).is_ok() {
        region += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    let outcome = started.end().code(130);
    assert_eq!(outcome.stderr, "error: interrupted before the inventory was read to its end\n");
    assert_eq!((outcome.stdout.as_str(), outcome.files()), ("", vec!["pipe".to_owned()]));
}

#[test]
fn every_line_is_valid_by_the_schema() {
    let Some(environment) = python::environment() else { return };
    let line = "audit --demo --all-instances --fail-on none --save-inventory saved.ndjson";
    let outcome = Program::new().line(line).run().code(0);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/schema");
    let mut check = environment.script("check_schema.py");
    check.arg("--schema").arg(folder.join("inventory-v1.schema.json"));
    let checked = check.arg("--lines").arg(outcome.path("saved.ndjson")).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stdout) + String::from_utf8_lossy(&checked.stderr);
    let lines = outcome.read("saved.ndjson").lines().count();
    assert_eq!(said.trim(), format!("{lines} documents"));
}
