//! Reports that are read again: shards that are merged, formats that are made of others, audits that are resumed.

use crate::cloud::{Cloud, until};
use crate::outputs::without_run;
use crate::program::{Outcome, Program, Report};

const REGIONS: &str = r"
- names: [eu-west-1, us-east-1, us-west-2]
  launch_templates:
    - { name: bad, versions: [{ image: al2023-1.33, metadata_options: { hop_limit: 1 } }] }
    - { name: good, versions: [{ image: al2023-1.33, metadata_options: { http_tokens: required, hop_limit: 2 } }] }
  clusters:
    - name: blue
      self_managed:
        - { name: workers, template: { name: bad }, nodes: 2 }
        - { name: others, template: { name: good }, nodes: 2 }
";

const AUDIT: &str = "audit --region eu-west-1 --region us-east-1 --region us-west-2";

fn demo(flags: &str) -> Outcome {
    Program::new()
        .line("audit --demo --include-passed -o json=report.json -o csv=report.csv -o ndjson")
        .line(flags)
        .run()
}

#[test]
fn merged_shards_are_the_whole() {
    let whole = demo("").code(1);
    let mut merge = Program::new().line("report merge one.json two.ndjson three.json");
    for (number, name) in ["one.json", "two.ndjson", "three.json"].into_iter().enumerate() {
        let shard = demo(&format!("--shard hash:{}/3", number + 1));
        assert!(matches!(shard.code, Some(0 | 1)), "{}", shard.stderr);
        let scopes = Report::parse(&shard.read("report.json")).count("scopes");
        assert!(scopes > 0 && scopes < Report::parse(&whole.read("report.json")).count("scopes"));
        let text = if name.ends_with(".ndjson") { shard.stdout.clone() } else { shard.read("report.json") };
        merge = merge.file(name, &text);
    }
    let merged = merge.line("-o json=report.json -o csv=report.csv").run().code(1);
    assert!(
        without_run(&merged.read("report.json")) == without_run(&whole.read("report.json")),
        "the JSON differs"
    );
    assert!(merged.read("report.csv") == whole.read("report.csv"), "the CSV differs");
    let (merged, whole) =
        (Report::parse(&merged.read("report.json")), Report::parse(&whole.read("report.json")));
    assert_eq!(merged.calls("ec2:DescribeInstances"), whole.calls("ec2:DescribeInstances"));
}

#[test]
fn a_shard_of_nothing_is_an_empty_report() {
    let cloud = Cloud::with(REGIONS);
    let shard = |number: u32| {
        let flags = format!("--shard hash:{number}/12 -o json");
        cloud.imdsctl("audit --region eu-west-1").line(&flags).run()
    };
    let shards: Vec<_> = (1..=12).map(shard).collect();
    let (empty, full): (Vec<_>, Vec<_>) =
        shards.into_iter().partition(|shard| shard.report().count("scopes") == 0);
    assert_eq!((empty.len(), full.len()), (11, 1));
    for shard in empty {
        let report = shard.code(0).report();
        assert_eq!((report.findings().len(), &report.0["coverage"]), (0, &serde_json::json!([])));
    }
    let refused = cloud.imdsctl("audit --region eu-west-1 --shard hash:4/3").run().refused();
    assert!(refused.contains("of 3 shards the first is hash:1/3 and the last hash:3/3"), "{refused}");
}

#[test]
fn a_report_is_shown_in_every_other_format() {
    let cloud = Cloud::with(REGIONS);
    let formats = "-o json=a.json -o ndjson=a.ndjson -o csv=a.csv -o table";
    let audit = cloud.imdsctl(AUDIT).line(formats).run().code(1);
    for from in ["a.json", "a.ndjson"] {
        let show = Program::new().file(from, &audit.read(from)).line("report show").args([from]);
        // It may replace what it was made from.
        let shown = show.line(formats).run().code(1);
        assert_eq!(shown.stderr, "");
        assert!(shown.stdout == audit.stdout, "the table differs");
        for name in ["a.json", "a.ndjson", "a.csv"] {
            assert!(shown.read(name) == audit.read(name), "{name} differs");
        }
    }
    let none = Program::new().file("a.json", &audit.read("a.json")).line("report show a.json --fail-on none");
    none.run().code(0);
}

#[test]
fn what_cannot_be_merged_is_refused_with_its_place() {
    let cloud = Cloud::with(REGIONS);
    let audit = |flags: &str| cloud.imdsctl(AUDIT).line("-o json").line(flags).run().code(1).stdout;
    let (report, other) = (audit(""), audit("--policy hardened"));
    let program = |text: &str| {
        let program = Program::new().line("report merge a.json b.json -o json=merged.json");
        program.file("a.json", &report).file("b.json", text)
    };
    let refused = program(&other).run().refused();
    assert!(refused.starts_with("b.json: it was judged by hardened 1.0.0 ("), "{refused}");
    let refused = program(&audit("--include-passed")).run().refused();
    assert_eq!(refused, "b.json: it was made with --include-passed, unlike those before it");
    let refused = program("id,policy\r\n").run().refused();
    assert_eq!(refused, "b.json: it is not a report of imdsctl: expected value");
    let line = report.lines().position(|line| line.contains("\"fail\"")).unwrap() + 1;
    let refused = program(&report.replacen("\"fail\"", "\"\u{7f}\"", 1)).run().refused();
    assert!(refused.starts_with(&format!("b.json:{line}:")), "{refused}");
    let broken = program(&report[..report.len() / 2]).run().code(4);
    assert!(broken.stderr.starts_with("error: b.json: it breaks off at line "), "{}", broken.stderr);
    assert_eq!(broken.files(), ["a.json", "b.json"]);
    let refused = Program::new().line("report merge none.json").run().refused();
    assert!(refused.starts_with("cannot read none.json: "), "{refused}");
}

/// An audit that could not read everything: two of three Regions have holes.
fn partly_denied() -> String {
    let faults = r#"
- { region: us-east-1, operation: "ec2:DescribeImages", error: access_denied }
- { region: us-west-2, operation: "*", error: access_denied }
"#;
    let cloud = Cloud::faulty(faults, REGIONS);
    cloud.imdsctl(AUDIT).line("--include-passed -o json").run().code(4).stdout
}

#[test]
fn a_resumed_audit_reads_only_what_is_missing() {
    let before = partly_denied();
    let report = Report::parse(&before);
    let status = |region| report.coverage(region)["status"].as_str().unwrap().to_owned();
    assert_eq!(["eu-west-1", "us-east-1", "us-west-2"].map(status), ["complete", "partial", "failed"]);

    let cloud = Cloud::with(REGIONS);
    let clean = cloud.imdsctl(AUDIT).line("--include-passed -o json -o csv=report.csv").run().code(1);
    let cloud = Cloud::with(REGIONS);
    // It may take the place of the report that it completes.
    let resumed = cloud
        .imdsctl(AUDIT)
        .file("report.json", &before)
        .line("--include-passed --resume report.json -o json=report.json -o csv=report.csv")
        .run()
        .code(1);
    let nodes =
        |region| cloud.operations(region).iter().any(|operation| operation == "ec2:DescribeInstances");
    assert_eq!(["eu-west-1", "us-east-1", "us-west-2"].map(nodes), [false, true, true]);
    let after = resumed.read("report.json");
    assert!(without_run(&after) == without_run(&clean.stdout), "it differs from an audit in one go");
    assert!(resumed.read("report.csv") == clean.read("report.csv"));
    let run = &Report::parse(&after).0["run"];
    assert_eq!(run["started_at"], report.0["run"]["started_at"]);

    // Once more: nothing is missing, and nothing is read.
    let cloud = Cloud::with(REGIONS);
    let again = cloud.imdsctl(AUDIT).file("report.json", &after);
    let again = again.line("--include-passed --resume report.json -o json").run().code(1);
    assert!(without_run(&again.stdout) == without_run(&clean.stdout));
    assert!(!cloud.requests().iter().any(|request| request.operation == "DescribeInstances"));
}

#[test]
fn an_interrupted_audit_is_resumed() {
    let faults = "- { region: us-west-2, operation: 'ec2:DescribeInstances', error: hang }";
    let cloud = Cloud::faulty(faults, REGIONS);
    let started = cloud.imdsctl(AUDIT).line("-o ndjson=report.ndjson").spawn();
    until("the request that hangs", || {
        cloud.requests().iter().any(|request| request.error_code.as_deref() == Some("hang"))
    });
    started.signal("INT");
    let before = started.end().code(130).read("report.ndjson");
    let cloud = Cloud::with(REGIONS);
    let clean = cloud.imdsctl(AUDIT).line("-o json").run().code(1);
    let resumed =
        cloud.imdsctl(AUDIT).file("report.ndjson", &before).line("--resume report.ndjson -o json").run();
    assert!(without_run(&resumed.code(1).stdout) == without_run(&clean.stdout));
}

#[test]
fn scopes_that_the_flags_no_longer_name_are_kept() {
    let before = partly_denied();
    let cloud = Cloud::with(REGIONS);
    let resumed = cloud.imdsctl("audit --region us-east-1 --include-passed --resume report.json -o json");
    let report = resumed.file("report.json", &before).run().code(4).report();
    let status = |region| report.coverage(region)["status"].as_str().unwrap().to_owned();
    assert_eq!(["eu-west-1", "us-east-1", "us-west-2"].map(status), ["complete", "complete", "failed"]);
}

#[test]
fn what_cannot_be_resumed_is_refused_before_anything_is_read() {
    let before = partly_denied();
    let cloud = Cloud::with(REGIONS);
    let resume = |flags: &str| {
        let audit = cloud.imdsctl(AUDIT).file("report.json", &before);
        audit.line("--resume report.json -o json=out.json").line(flags).run()
    };
    assert_eq!(
        resume("").refused(),
        "report.json: it was made with --include-passed: resume it with that, too"
    );
    let other = resume("--include-passed --policy hardened").refused();
    assert!(other.starts_with("report.json: it was judged by al2023 1.0.0 ("), "{other}");
    assert!(resume("--save-inventory fleet.ndjson").refused().contains("cannot be used with"));
    assert!(cloud.requests().is_empty(), "AWS was asked");
}
