//! Merged reports held against what was to be read.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::cloud::Cloud;
use crate::hostile::assert_harmless;
use crate::organization::ORGANIZATION;
use crate::outputs::without_run;
use crate::program::{Outcome, Program, Report};
use crate::python;

/// The demo's organization in three shards: what was to be read, and what each of them wrote.
struct Shards {
    scopes: String,
    reports: Vec<String>,
    whole: String,
}

fn shards() -> Shards {
    let planned = Program::new().line("scopes --demo --org -o json=scopes.json -o table").run().code(0);
    assert!(planned.stdout.ends_with("0 failed\n"), "{}", planned.stdout);
    let audit = |flags: &str| {
        let audit = Program::new().line("audit --demo --org --fail-on none -o ndjson -o json=report.json");
        audit.line(flags).run().code(0)
    };
    let shard = |number: u32| audit(&format!("--shard hash:{number}/3")).stdout;
    Shards {
        scopes: planned.read("scopes.json"),
        reports: (1..=3).map(shard).collect(),
        whole: audit("").read("report.json"),
    }
}

impl Shards {
    /// Merges those of these numbers. All are named.
    fn merge(&self, there: &[usize]) -> Outcome {
        let merge = Program::new().line("report merge --expect scopes.json 1.ndjson 2.ndjson 3.ndjson");
        let merge =
            merge.file("scopes.json", &self.scopes).line("--fail-on none -o table -o json=merged.json");
        let name = |number: &usize| (format!("{number}.ndjson"), self.reports[number - 1].as_str());
        there.iter().map(name).fold(merge, |merge, (name, text)| merge.file(&name, text)).run()
    }

    /// The accounts and Regions of a shard.
    fn of(&self, number: usize) -> BTreeSet<(String, String)> {
        let coverage = self.reports[number - 1].lines().find_map(|line| line.strip_prefix("{\"coverage\":"));
        let coverage: Vec<Value> =
            serde_json::from_str(coverage.unwrap().strip_suffix('}').unwrap()).unwrap();
        coverage.iter().map(key).collect()
    }
}

fn key(of: &Value) -> (String, String) {
    let text = |name: &str| of[name].as_str().unwrap().to_owned();
    (text("account_id"), text("region"))
}

#[test]
fn what_no_report_has_is_failed_coverage_and_nothing_else_changes() {
    let shards = shards();
    let all = shards.merge(&[1, 2, 3]).code(0);
    assert_eq!(all.stderr, "");
    assert!(without_run(&all.read("merged.json")) == without_run(&shards.whole), "the JSON differs");

    let whole = Report::parse(&shards.whole);
    for lost in 1..=3 {
        let there: Vec<usize> = (1..=3).filter(|number| *number != lost).collect();
        let merged = shards.merge(&there).code(4);
        assert!(merged.stderr.contains(&format!("{lost}.ndjson is not there")), "{}", merged.stderr);
        assert!(merged.stderr.contains("accounts and Regions (111122223333 "), "{}", merged.stderr);
        assert!(merged.stdout.contains("Not everything could be read") && merged.stdout.contains("NoReport"));
        let merged = Report::parse(&merged.read("merged.json"));
        let gone = shards.of(lost);
        let kept = whole.findings().iter().filter(|finding| !gone.contains(&key(finding)));
        assert!(kept.eq(merged.findings()), "findings were lost or invented");
        let coverage = merged.0["coverage"].as_array().unwrap();
        assert_eq!(coverage.len(), whole.0["coverage"].as_array().unwrap().len());
        for (scope, before) in coverage.iter().zip(whole.0["coverage"].as_array().unwrap()) {
            // What nobody means to read is not missing: that the Region is not enabled was known beforehand.
            if !gone.contains(&key(scope)) || before["status"] == "skipped" {
                assert_eq!(scope, before);
                continue;
            }
            assert_eq!(
                (&scope["status"], &scope["errors"][0]["code"]),
                (&"failed".into(), &"NoReport".into())
            );
            assert_eq!(["guard", "account_name"].map(|name| scope[name] == before[name]), [true, true]);
        }
    }
}

#[test]
fn without_any_report_nothing_was_read() {
    let shards = shards();
    let merged = shards.merge(&[]).code(4);
    assert!(merged.stdout.contains("\nNothing was read.\n"), "{}", merged.stdout);
    assert!(merged.stdout.contains("Read what no report has, and merge again"), "{}", merged.stdout);
    let report = Report::parse(&merged.read("merged.json"));
    assert_eq!((report.findings().len(), &report.0["policies"]), (0, &serde_json::json!([])));
    let of = |status: &str| {
        report.0["coverage"].as_array().unwrap().iter().filter(|scope| scope["status"] == status).count()
    };
    let summary = &serde_json::from_str::<Value>(&shards.scopes).unwrap()["summary"];
    assert_eq!((&summary["scopes"], &summary["skipped"]), (&of("failed").into(), &of("skipped").into()));
    // It is a report like any other.
    let again = Program::new().file("a.json", &merged.read("merged.json")).line("report show a.json -o csv");
    assert_eq!(again.run().code(4).stdout.lines().count(), 1);

    let Some(environment) = python::environment() else { return };
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/schema/scopes-v1.schema.json");
    let mut check = environment.script("check_schema.py");
    let checked = check.arg("--schema").arg(schema).arg(merged.path("scopes.json")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&checked.stdout).trim(), "1 documents");
}

#[test]
fn names_that_do_harm_do_none() {
    let name = "\u{202e}txet\u{9b}31m";
    let named = format!("name: {}", serde_json::json!(name))
        .replace('\u{202e}', "\\u202e")
        .replace('\u{9b}', "\\u009b");
    let cloud = Cloud::start(&ORGANIZATION.replace("name: payments", &named));
    let planned = cloud.imdsctl("scopes --org --region eu-west-1 -o json -o table=a.txt").run().code(4);
    assert_harmless("the JSON", &planned.stdout);
    assert_harmless("the table", &planned.read("a.txt"));
    let mut scopes: Value = serde_json::from_str(&planned.stdout).unwrap();
    assert!(scopes["accounts"].as_array().unwrap().iter().any(|account| account["account_name"] == name));
    scopes["accounts"][0]["regions"][0] = format!("eu{name}").into();
    let merge = Program::new().file("scopes.json", &scopes.to_string()).line("report merge -o table");
    let merged = merge.line("--expect scopes.json").run().code(4);
    assert_harmless("the merged table", &merged.stdout);
    assert_harmless("stderr", &merged.stderr);
}

const REGIONS: &str = "- { names: [eu-west-1, us-east-1] }";

#[test]
fn what_nobody_expected_is_kept_and_told() {
    let cloud = Cloud::with(REGIONS);
    let scopes = cloud.imdsctl("scopes --region eu-west-1 -o json").run().code(0).stdout;
    let report = cloud.imdsctl("audit --region eu-west-1 --region us-east-1 -o json").run().code(0).stdout;
    let merge = Program::new().file("scopes.json", &scopes).file("a.json", &report);
    let merged = merge.line("report merge a.json --expect scopes.json -o json").run().code(0);
    let said = "1 account and Region (111122223333 us-east-1) not expected: kept all the same";
    assert!(merged.stderr.contains(said), "{}", merged.stderr);
    assert_eq!(merged.report().count("scopes"), 2);
}

#[test]
fn what_cannot_be_expected_is_refused() {
    let cloud = Cloud::with(REGIONS);
    let scopes = cloud.imdsctl("scopes --region eu-west-1 -o json").run().code(0).stdout;
    let report = cloud.imdsctl("audit --region eu-west-1 -o json").run().code(0).stdout;
    let merge = |line: &str, scopes: &str| {
        let merge = Program::new().file("a.json", &report).file("scopes.json", scopes);
        merge.line("report merge -o json=merged.json").line(line).run()
    };
    assert!(merge("", &scopes).refused().contains("<FILE>"));
    let other = merge("a.json --expect a.json", &scopes).refused();
    let said = "a.json: it is not what `imdsctl scopes -o json` writes, but of schema \"imdsctl.report/v1\"";
    assert_eq!(other, said);
    assert!(merge("a.json --expect none.json", &scopes).refused().starts_with("cannot read none.json: "));
    assert_eq!(merge("- --expect -", &scopes).refused(), "two reports cannot both come from stdin");
    assert_eq!(merge("- --baseline -", &scopes).refused(), "two reports cannot both come from stdin");
    let broken = merge("a.json --expect scopes.json", &scopes[..scopes.len() / 2]).code(4);
    assert!(broken.stderr.starts_with("error: scopes.json: it breaks off at line "), "{}", broken.stderr);
    assert_eq!(broken.files(), ["a.json", "scopes.json"]);
    // Only what is expected may be missed.
    assert!(merge("b.json", &scopes).refused().starts_with("cannot read b.json: "));
}
