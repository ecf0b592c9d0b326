//! What is new: two reports compared, and audits that are compared with the one before.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::cloud::{Cloud, until};
use crate::outputs::mode;
use crate::program::{Outcome, Program, Report};
use crate::python;

const AUDIT: &str = "audit --region eu-west-1 --region us-west-2";

/// A fleet whose groups are right or wrong.
fn fleet(groups: &[(&str, bool)]) -> String {
    let group = |(name, good): &(&str, bool)| {
        let template = if *good { "good" } else { "bad" };
        format!("\n        - {{ name: {name}, template: {{ name: {template} }}, nodes: 0 }}")
    };
    let groups: String = groups.iter().map(group).collect();
    format!(
        r"
- names: [eu-west-1, us-west-2]
  launch_templates:
    - {{ name: bad, versions: [{{ image: al2023-1.33, metadata_options: {{ hop_limit: 1 }} }}] }}
    - {{ name: good, versions: [{{ image: al2023-1.33, metadata_options: {{ http_tokens: required, hop_limit: 2 }} }}] }}
  clusters:
    - name: blue
      self_managed:{groups}
"
    )
}

fn cloud(groups: &[(&str, bool)]) -> Cloud {
    Cloud::with(&fleet(groups))
}

fn before() -> Cloud {
    cloud(&[("old", false), ("mended", false), ("fine", true)])
}

fn after() -> Cloud {
    cloud(&[("old", false), ("mended", true), ("fine", false), ("fresh", false)])
}

fn json(cloud: &Cloud, flags: &str) -> String {
    cloud.imdsctl(AUDIT).line("-o json").line(flags).run().stdout
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// `class resource` of all changes in eu-west-1.
fn changes(difference: &Value) -> Vec<String> {
    let of_region = |change: &&Value| change["finding"]["region"] == "eu-west-1";
    let changes = difference["changes"].as_array().unwrap().iter().filter(of_region);
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let mut told: Vec<_> = changes
        .map(|change| word(&change["class"]) + " " + &word(&change["finding"]["resource"]["id"]))
        .collect();
    told.dedup();
    told
}

fn compare(earlier: &str, later: &str, flags: &str) -> Outcome {
    let program = Program::new().file("a.json", earlier).file("b.json", later);
    program.line("report diff a.json b.json").line(flags).run()
}

#[test]
fn what_is_new_in_a_later_report() {
    let (earlier, later) = (json(&before(), ""), json(&after(), "--include-passed"));
    let outcome = compare(&earlier, &later, "-o json=c.json -o ndjson=c.ndjson -o table").code(1);
    let difference = parsed(&outcome.read("c.json"));
    assert_eq!(changes(&difference), ["new fine", "new fresh", "fixed mended"]);
    assert!(
        outcome.stdout.contains("New, worst first") && outcome.stdout.contains("fresh"),
        "{}",
        outcome.stdout
    );
    let counts = &difference["summary"];
    // Two Regions.
    assert_eq!(
        [&counts["new"]["findings"], &counts["fixed"]["findings"], &counts["still_failing"]["findings"]],
        [4, 2, 2]
    );
    assert_eq!(outcome.read("c.ndjson").lines().count(), 6 + 3);
    // What fails still does, and nothing of it is new.
    let same = compare(&later, &later, "").code(0);
    assert!(same.stdout.contains("Nothing fails that did not before."), "{}", same.stdout);
    compare(&earlier, &later, "--fail-on none").code(0);
    compare(&earlier, &later, "--fail-on critical").code(0);
    let Some(environment) = python::environment() else { return };
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/schema/diff-v1.schema.json");
    let mut check = environment.script("check_schema.py");
    let checked = check.arg("--schema").arg(schema).arg(outcome.path("c.json")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&checked.stdout).trim(), "1 documents");
}

#[test]
fn what_a_hole_hides_is_not_fixed() {
    let faults = r#"[{ region: us-west-2, operation: "*", error: access_denied }]"#;
    let denied = Cloud::faulty(faults, &fleet(&[("old", false), ("mended", true), ("fine", true)]));
    let (earlier, later) = (json(&before(), ""), json(&denied, ""));
    let outcome = compare(&earlier, &later, "-o json=c.json -o table").code(4);
    let counts = &parsed(&outcome.read("c.json"))["summary"];
    let of = |class: &str| counts[class]["findings"].as_u64().unwrap();
    assert_eq!([of("fixed"), of("not_seen"), of("new")], [1, 2, 0]);
    assert!(outcome.stdout.contains("could not be looked at again"), "{}", outcome.stdout);
    // The other way round they are seen for the first time, and nobody lost sight of anything.
    let back = compare(&later, &earlier, "-o json").code(1);
    let counts = &parsed(&back.stdout)["summary"];
    assert_eq!([&counts["new"]["findings"], &counts["newly_seen"]["findings"]], [1, 2]);
}

#[test]
fn one_of_the_reports_may_come_from_stdin() {
    let (earlier, later) = (json(&before(), ""), json(&after(), ""));
    let program = Program::new().file("a.json", &earlier).line("report diff a.json - -o json");
    let mut started = program.stdin(Stdio::piped()).spawn();
    let mut stdin = started.child.stdin.take().unwrap();
    stdin.write_all(later.as_bytes()).unwrap();
    drop(stdin);
    assert_eq!(started.end().code(1).stdout, compare(&earlier, &later, "-o json").stdout);
    let refused = Program::new().line("report diff - -").run().refused();
    assert_eq!(refused, "two reports cannot both come from stdin");
    let refused = compare(&earlier, &later.replacen("\"fail\"", "\"melted\"", 1), "").refused();
    assert!(refused.starts_with("b.json:") && refused.contains("unknown variant `melted`"), "{refused}");
    assert_eq!(compare(&earlier, &later[..later.len() / 2], "").code, Some(4));
}

#[test]
fn an_audit_says_what_is_new_and_its_outputs_stay_what_they_are() {
    let earlier = json(&before(), "");
    let cloud = after();
    let outputs = "-o table -o json=a.json -o ndjson=a.ndjson -o csv=a.csv";
    let plain = cloud.imdsctl(AUDIT).line(outputs).run().code(1);
    let compared =
        cloud.imdsctl(AUDIT).line(outputs).line("--baseline base.json").file("base.json", &earlier);
    let compared = compared.run().code(1);
    assert_eq!(compared.read("a.csv"), plain.read("a.csv"));
    let mut report = Report::parse(&compared.read("a.json"));
    let since = report.0.as_object_mut().unwrap().remove("since").unwrap();
    let difference = compare(&earlier, &plain.read("a.json"), "-o json").stdout;
    let difference = parsed(&difference);
    assert_eq!(since["summary"], difference["summary"]);
    let ids = |class: &str| -> Vec<Value> {
        let changes = difference["changes"].as_array().unwrap().iter();
        changes
            .filter(|change| change["class"] == class)
            .map(|change| change["finding"]["id"].clone())
            .collect()
    };
    assert_eq!((&since["new"], &since["fixed"]), (&ids("new").into(), &ids("fixed").into()));
    assert_eq!(report.findings(), Report::parse(&plain.read("a.json")).findings());
    let ndjson = compared.read("a.ndjson");
    let line = ndjson.lines().find(|line| line.starts_with("{\"since\"")).unwrap();
    assert_eq!(parsed(line)["since"], since);
    assert!(compared.stdout.contains("── Since ") && compared.stdout.contains("All that fails"));
    // It is read again like any other.
    for name in ["a.json", "a.ndjson"] {
        let show = Program::new().file(name, &compared.read(name)).line("report show -o csv").args([name]);
        assert_eq!(show.run().code(1).stdout, plain.read("a.csv"));
    }
}

#[test]
fn only_what_is_new_changes_the_exit_code() {
    let earlier = json(&before(), "");
    let run = |cloud: &Cloud, flags: &str| {
        let audit = cloud.imdsctl(AUDIT).file("base.json", &earlier).line("--baseline base.json -o json");
        audit.line(flags).run()
    };
    run(&before(), "").code(1);
    run(&before(), "--fail-on-new").code(0);
    run(&after(), "--fail-on-new").code(1);
    run(&after(), "--fail-on-new --fail-on critical").code(0);
    let faults = r#"[{ region: us-west-2, operation: "*", error: access_denied }]"#;
    let denied = Cloud::faulty(faults, &fleet(&[("old", false)]));
    run(&denied, "--fail-on-new").code(4);
}

#[test]
fn a_bad_baseline_is_refused_before_anything_is_read() {
    let cloud = before();
    let report = json(&cloud, "");
    let asked = cloud.requests().len();
    let run = |flags: &str| cloud.imdsctl(AUDIT).file("base.json", &report).line(flags).run();
    let broken = report.replacen("\"fail\"", "\"melted\"", 1);
    let refused =
        cloud.imdsctl(AUDIT).file("base.json", &broken).line("--baseline base.json").run().refused();
    assert!(refused.starts_with("base.json:") && refused.contains("unknown variant `melted`"), "{refused}");
    assert!(run("--baseline none.json").refused().starts_with("cannot read none.json: "));
    assert!(run("--fail-on-new").refused().contains("--baseline"));
    assert!(run("--update-baseline").refused().contains("--baseline"));
    assert!(run("--baseline base.json --shard hash:1/2").refused().contains("cannot be used with"));
    let shared = run("--baseline base.json --update-baseline -o json=base.json").refused();
    assert!(shared.starts_with("a report and the baseline cannot share base.json"), "{shared}");
    let device = run("--baseline /dev/full --update-baseline").refused();
    assert!(device.contains("needs a file that can be replaced"), "{device}");
    let nowhere = run("--baseline nowhere/base.json --update-baseline").refused();
    assert!(nowhere.starts_with("cannot write nowhere/base.json: there is no folder"), "{nowhere}");
    // Set in the environment, where clap does not look at what needs what.
    let set = cloud.imdsctl(AUDIT).env("IMDSCTL_FAIL_ON_NEW", "true").run().refused();
    assert_eq!(set, "--fail-on-new needs --baseline: the report to compare with");
    assert_eq!(cloud.requests().len(), asked, "AWS was asked");
}

/// A run of a schedule, with the baseline that the last one left.
fn scheduled(cloud: &Cloud, baseline: Option<&str>, flags: &str) -> Outcome {
    let line = "--baseline base.json --update-baseline --fail-on-new -o json=a.json";
    let audit = cloud.imdsctl(AUDIT).line(line).line(flags);
    match baseline {
        Some(text) => audit.file("base.json", text).run(),
        None => audit.run(),
    }
}

fn summary(outcome: &Outcome) -> [u64; 4] {
    let report = Report::parse(&outcome.read("a.json"));
    let of = |class: &str| report.0["since"]["summary"][class]["findings"].as_u64().unwrap();
    ["new", "fixed", "still_failing", "newly_seen"].map(of)
}

#[test]
fn a_scheduled_run_compares_with_the_last_one_by_itself() {
    let first = scheduled(&before(), None, "").code(0);
    assert_eq!(mode(&first.path("base.json")), 0o600);
    assert_eq!(first.read("base.json"), first.read("a.json"));
    assert!(Report::parse(&first.read("a.json")).0.get("since").is_none());

    let second = scheduled(&before(), Some(&first.read("base.json")), "").code(0);
    assert_eq!(summary(&second), [0, 0, 4, 0]);
    let third = scheduled(&after(), Some(&second.read("base.json")), "").code(1);
    assert_eq!(summary(&third), [4, 2, 2, 0]);
    // What was told once is not new any more, and nothing of the comparison is in the file.
    let fourth = scheduled(&after(), Some(&third.read("base.json")), "").code(0);
    assert_eq!(summary(&fourth), [0, 0, 6, 0]);
    assert!(!fourth.read("base.json").contains("\"since\""));
    assert_eq!(fourth.files(), ["a.json", "base.json"]);
}

#[test]
fn a_baseline_does_not_lose_what_it_knew() {
    let first = scheduled(&before(), None, "").code(0).read("base.json");
    let faults = r#"[{ region: us-west-2, operation: "*", error: access_denied }]"#;
    let denied = Cloud::faulty(faults, &fleet(&[("old", false), ("mended", true), ("fine", true)]));
    let second = scheduled(&denied, Some(&first), "").code(4);
    let kept = Report::parse(&second.read("base.json"));
    assert_eq!(kept.coverage("us-west-2")["status"], "complete");
    let of = |report: &Report, region: &str| {
        report.findings().iter().filter(|finding| finding["region"] == region).cloned().collect::<Vec<_>>()
    };
    assert_eq!(of(&kept, "us-west-2"), of(&Report::parse(&first), "us-west-2"));
    assert_eq!(of(&kept, "eu-west-1").len(), 1, "what was read anew took the place of what was there");
    // When it is let in again, what failed before it was not is not new.
    let third = scheduled(&before(), Some(&second.read("base.json")), "").code(1);
    assert_eq!(summary(&third), [1, 0, 3, 0]);
    // A run of other flags keeps the Region that it does not name.
    let narrow = denied.imdsctl("audit --region eu-west-1 --baseline base.json --update-baseline");
    let narrow = narrow.file("base.json", &first).run().code(1);
    assert_eq!(of(&Report::parse(&narrow.read("base.json")), "us-west-2").len(), 2);
    // Passing findings of one side only would make a report that contradicts itself.
    let passing = scheduled(&denied, Some(&first), "--include-passed").code(4);
    Program::new().file("a.json", &passing.read("base.json")).line("report show a.json").run().code(1);
    // By other policies it cannot be kept in one report, so that it stays.
    let other = scheduled(&denied, Some(&first), "--policy imdsv2").code(4);
    assert_eq!(other.read("base.json"), first);
    assert!(other.stderr.contains("base.json stays as it is"), "{}", other.stderr);
    let whole = scheduled(&before(), Some(&first), "--policy imdsv2").code(0);
    assert_eq!(Report::parse(&whole.read("base.json")).0["policies"][0]["name"], "imdsv2");
}

/// A night of shards, one a Region, of which some are there, and their merge.
fn merged(cloud: &Cloud, baseline: Option<&str>, there: &[&str]) -> Outcome {
    let planned = cloud.imdsctl("scopes --region eu-west-1 --region us-west-2 -o json").run().code(0);
    let line = "report merge --expect scopes.json --baseline base.json --update-baseline --fail-on-new";
    let mut merge = Program::new().line(line).line("-o json=a.json").file("scopes.json", &planned.stdout);
    for region in there {
        let shard = cloud.imdsctl("audit -o ndjson --region").args([region]).run().code(1);
        merge = merge.file(region, &shard.stdout).args([region]);
    }
    baseline.into_iter().fold(merge, |merge, text| merge.file("base.json", text)).run()
}

#[test]
fn a_merge_compares_with_the_last_one_by_itself() {
    let both = ["eu-west-1", "us-west-2"];
    let first = merged(&before(), None, &both).code(0);
    assert_eq!(first.read("base.json"), first.read("a.json"));
    let second = merged(&after(), Some(&first.read("base.json")), &both).code(1);
    assert_eq!(summary(&second), [4, 2, 2, 0]);
    // What a shard that is missing knew is kept, and nothing of it is fixed.
    let third = merged(&after(), Some(&second.read("base.json")), &both[..1]).code(4);
    assert_eq!(summary(&third), [0, 0, 3, 0]);
    assert_eq!(Report::parse(&third.read("a.json")).0["since"]["summary"]["not_seen"]["findings"], 3);
    let kept = Report::parse(&third.read("base.json"));
    assert_eq!(kept.coverage("us-west-2")["status"], "complete");
    let none = merged(&after(), Some(&third.read("base.json")), &[]).code(4);
    assert_eq!(Report::parse(&none.read("a.json")).0["since"]["summary"]["not_seen"]["findings"], 6);
    let last = merged(&after(), Some(&none.read("base.json")), &both).code(0);
    assert_eq!(summary(&last), [0, 0, 6, 0]);
}

#[test]
fn a_shard_is_compared_with_nothing_whatever_is_set() {
    let settings = "baseline = 'base.json'\nupdate-baseline = true\nfail-on-new = true\n";
    let cloud = before();
    let audit = cloud.imdsctl(AUDIT).file("imdsctl.toml", settings);
    let shard = audit.line("--shard hash:1/1 -o json=a.json").run().code(1);
    assert_eq!(shard.files(), ["a.json", "imdsctl.toml"]);
}

#[test]
fn what_nobody_was_told_of_is_new_the_next_time_as_well() {
    let first = scheduled(&before(), None, "").code(0).read("base.json");
    let failed = scheduled(&after(), Some(&first), "-o csv=/dev/full").code(4);
    assert_eq!(failed.read("base.json"), first);
    let again = scheduled(&after(), Some(&failed.read("base.json")), "").code(1);
    assert_eq!(summary(&again)[0], 4);
}

#[test]
fn a_baseline_that_cannot_be_written_at_the_end_is_told() {
    let faults = "- { region: us-west-2, operation: 'ec2:DescribeInstances', error: hang }";
    let cloud = Cloud::faulty(faults, &fleet(&[("old", false)]));
    let audit = cloud.imdsctl(AUDIT).line("--baseline state/base.json --update-baseline -o json=a.json");
    let folder = audit.path("state");
    std::fs::create_dir(&folder).unwrap();
    let started = audit.spawn();
    until("the request that hangs", || {
        cloud.requests().iter().any(|request| request.error_code.as_deref() == Some("hang"))
    });
    std::fs::remove_dir_all(&folder).unwrap();
    started.signal("INT");
    let outcome = started.end().code(130);
    assert!(outcome.stderr.contains("state/base.json: "), "{}", outcome.stderr);
    Report::parse(&outcome.read("a.json"));
}
