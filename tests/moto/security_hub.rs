//! Findings in moto's Security Hub, of several accounts, read back by boto3. What AWS refuses there and moto does not is in
//! `tests/python/moto_rules.py`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::fleet::{imdsctl, succeeded};
use crate::server::Server;
use crate::support::python::{self, Environment};

/// What Security Hub has in each account and Region, by id.
type Hubs = BTreeMap<String, BTreeMap<String, Value>>;

struct Bench<'p> {
    python: &'p Environment,
    server: Server,
    folder: tempfile::TempDir,
    places: Vec<Value>,
}

impl<'p> Bench<'p> {
    /// A server on which all that a report has read has the role of an audit, and Security Hub, but as `change` says.
    fn start(python: &'p Environment, report: &Value, change: impl Fn(&mut Value)) -> Self {
        let server = Server::start(python).unwrap();
        let scopes = report["coverage"].as_array().unwrap();
        let place = |scope: &Value| json!({ "account": scope["account_id"], "region": scope["region"] });
        Self::on(python, server, scopes.iter().map(place).collect(), change)
    }

    fn on(
        python: &'p Environment,
        server: Server,
        mut places: Vec<Value>,
        change: impl Fn(&mut Value),
    ) -> Self {
        places.iter_mut().for_each(change);
        let bench = Self { python, server, folder: tempfile::tempdir().unwrap(), places };
        bench.ask("seed", &bench.places);
        bench
    }

    fn ask(&self, what: &str, places: &[Value]) -> Value {
        let mut command = self.python.script("moto_hubs.py");
        command.args(["--endpoint", &self.server.endpoint, what]).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(json!(places).to_string().as_bytes()).unwrap();
        let output = succeeded("moto_hubs.py", child.wait_with_output().unwrap()).unwrap();
        serde_json::from_slice(&output).unwrap()
    }

    fn read(&self) -> Hubs {
        let enabled: Vec<_> = self.places.iter().filter(|place| place["enabled"] != false).cloned().collect();
        let hubs = self.ask("read", &enabled);
        let by_id = |findings: &Value| -> BTreeMap<String, Value> {
            let findings = findings.as_array().unwrap();
            let all: BTreeMap<_, _> =
                findings.iter().map(|finding| (text(&finding["Id"]), finding.clone())).collect();
            assert_eq!(all.len(), findings.len(), "something is there twice");
            all
        };
        hubs.as_object().unwrap().iter().map(|(place, findings)| (place.clone(), by_id(findings))).collect()
    }

    /// `imdsctl report show REPORT --security-hub FLAGS`
    fn import(&self, report: &Value, flags: &str) -> Output {
        let path = self.path("report.json");
        std::fs::write(&path, report.to_string()).unwrap();
        let mut command = imdsctl(&self.server.endpoint);
        command.args(["report", "show"]).arg(path).args(["--security-hub", "--fail-on", "none", "-o"]);
        command.arg(format!("json={}", self.path("shown.json").display())).args(flags.split_whitespace());
        command.output().unwrap()
    }

    #[track_caller]
    fn imported(&self, report: &Value, findings: usize, archived: usize) {
        let output = self.import(report, "");
        let holes = report["coverage"].as_array().unwrap().iter().any(|scope| scope["status"] == "partial");
        assert_eq!(output.status.code(), Some(if holes { 4 } else { 0 }), "{}", said(&output));
        let told = format!("imported {findings} findings into Security Hub, and archived {archived}\n");
        assert_eq!(said(&output), told);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A report of the demo: four accounts, all of which could be read.
fn demo() -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imdsctl"));
    command.args(["audit", "--demo", "--region", "eu-west-1", "--region", "us-east-1", "-o", "json"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The same fleet, seen at another time, with some findings less.
fn at(report: &Value, time: &str, without: &[&str]) -> Value {
    let mut report = report.clone();
    report["run"]["started_at"] = format!("{time}T03:00:00Z").into();
    report["run"]["finished_at"] = format!("{time}T03:01:00.5Z").into();
    let findings = report["findings"].as_array_mut().unwrap();
    let gone = |finding: &Value| without.contains(&finding["id"].as_str().unwrap());
    let (over, stays): (Vec<_>, Vec<_>) = findings.drain(..).partition(gone);
    *findings = stays;
    for finding in over {
        let is_there =
            |scope: &&mut Value| ["account_id", "region"].iter().all(|key| scope[key] == finding[key]);
        let scope = report["coverage"].as_array_mut().unwrap().iter_mut().find(is_there).unwrap();
        let counts = &mut scope["counts"];
        let status = if finding["status"] == "fail" { "failed" } else { finding["status"].as_str().unwrap() };
        counts[status] = (counts[status].as_u64().unwrap() - 1).into();
        counts["passed"] = (counts["passed"].as_u64().unwrap() + 1).into();
    }
    report
}

/// The ids of the findings of each account and Region.
fn ids(report: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for finding in report["findings"].as_array().unwrap() {
        if let (Some(account), Some(region)) = (finding["account_id"].as_str(), finding["region"].as_str()) {
            let place = ids.entry(format!("{account} {region}")).or_default();
            place.insert(format!("imdsctl/{}", text(&finding["id"])));
        }
    }
    ids
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_is_found_is_there_once_and_what_is_over_is_archived() {
    let Some(python) = python::environment() else { return };
    let report = demo();
    let bench = Bench::start(python, &report, |_| {});
    let expected = ids(&report);
    let count: usize = expected.values().map(BTreeSet::len).sum();
    assert!(expected.len() >= 3 && count > 100, "several accounts");

    let first = at(&report, "2026-11-01", &[]);
    bench.imported(&first, count, 0);
    let arrived = bench.read();
    for (place, findings) in &arrived {
        let found: BTreeSet<_> = findings.keys().cloned().collect();
        assert_eq!(found, expected.get(place).cloned().unwrap_or_default(), "{place}");
    }
    let of = |hubs: &Hubs, id: &str, member: &str| {
        let finding = hubs.values().find_map(|findings| findings.get(&format!("imdsctl/{id}"))).unwrap();
        finding[member].clone()
    };
    let all = || report["findings"].as_array().unwrap().iter().filter(|one| one["account_id"].is_string());
    for finding in all() {
        let id = finding["id"].as_str().unwrap();
        assert_eq!(of(&arrived, id, "CreatedAt"), "2026-11-01T03:00:00Z");
        assert_eq!(of(&arrived, id, "AwsAccountId"), finding["account_id"]);
        assert_eq!(of(&arrived, id, "ProductFields")["imdsctl/rule"], finding["rule"]);
    }
    bench.imported(&first, 0, 0);
    assert_eq!(bench.read(), arrived, "what is there already is not sent again");

    // One is mended where all was read, and one is not seen where it was not.
    let mended = text(&all().next().unwrap()["id"]);
    let last = all().next_back().unwrap();
    let unseen = text(&last["id"]);
    let mut second = at(&report, "2026-11-02", &[&mended, &unseen]);
    let hole =
        |scope: &&mut Value| scope["account_id"] == last["account_id"] && scope["region"] == last["region"];
    let scope = second["coverage"].as_array_mut().unwrap().iter_mut().find(hole).unwrap();
    scope["status"] = "partial".into();
    bench.imported(&second, count - 2, 1);
    let arrived = bench.read();
    assert_eq!(of(&arrived, &mended, "RecordState"), "ARCHIVED");
    assert_eq!(of(&arrived, &mended, "Compliance")["Status"], "PASSED");
    assert_eq!(of(&arrived, &mended, "UpdatedAt"), "2026-11-02T03:01:00.5Z");
    assert_eq!(of(&arrived, &unseen, "RecordState"), "ACTIVE");
    assert_eq!(of(&arrived, &unseen, "UpdatedAt"), "2026-11-01T03:01:00.5Z");
    for finding in all().filter(|finding| ![&mended, &unseen].contains(&&text(&finding["id"]))) {
        let id = finding["id"].as_str().unwrap();
        assert_eq!(of(&arrived, id, "CreatedAt"), "2026-11-01T03:00:00Z", "the first import's");
        assert_eq!(of(&arrived, id, "UpdatedAt"), "2026-11-02T03:01:00.5Z");
        assert_eq!(of(&arrived, id, "RecordState"), "ACTIVE");
    }

    bench.imported(&first, 0, 0);
    assert_eq!(bench.read(), arrived, "an old report changes nothing");

    bench.imported(&at(&report, "2026-11-03", &[]), count, 0);
    let arrived = bench.read();
    assert_eq!(of(&arrived, &mended, "RecordState"), "ACTIVE", "it is back");
    assert_eq!(of(&arrived, &mended, "CreatedAt"), "2026-11-01T03:00:00Z");
}

#[test]
fn an_account_that_fails_is_told_and_the_others_are_served() {
    let Some(python) = python::environment() else { return };
    let report = demo();
    let expected = ids(&report);
    let accounts: BTreeSet<_> = expected.keys().map(|place| place[..12].to_owned()).collect();
    let accounts: Vec<_> = accounts.into_iter().collect();
    let [closed, off, picky, ..] = &accounts[..] else { panic!("{accounts:?}") };
    let generator =
        |finding: &Value| format!("imdsctl/{}/{}", text(&finding["policy"]), text(&finding["rule"]));
    let all = report["findings"].as_array().unwrap();
    let refused = all.iter().find(|finding| finding["account_id"] == **picky).map(generator).unwrap();
    let bench = Bench::start(python, &report, |place| {
        place["role"] = (place["account"] != **closed).into();
        place["enabled"] = (place["account"] != **off).into();
        if place["account"] == **picky {
            place["refuses"] = refused.clone().into();
        }
    });
    let output = bench.import(&report, "");
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    let told = said(&output);
    let line = |account: &str| told.lines().find(|line| line.contains(account)).unwrap_or_default();
    assert!(line(closed).contains("sts:AssumeRole AccessDenied"), "{told}");
    assert!(line(off).contains("it is not enabled there"), "{told}");
    assert!(line(picky).contains("not taken") && line(picky).contains("InvalidInput"), "{told}");
    assert!(bench.path("shown.json").exists(), "the report is there");
    for (place, findings) in bench.read() {
        let mut due = expected.get(&place).cloned().unwrap_or_default();
        if place.starts_with(closed.as_str()) {
            due.clear();
        }
        let of_rule = |id: &String| {
            let finding = all.iter().find(|finding| id.ends_with(finding["id"].as_str().unwrap())).unwrap();
            place.starts_with(picky.as_str()) && generator(finding) == refused
        };
        due.retain(|id| !of_rule(id));
        assert_eq!(findings.keys().cloned().collect::<BTreeSet<_>>(), due, "{place}");
    }
    // By another role, which is there.
    let later = at(&report, "2026-12-01", &[]);
    let output = bench.import(&later, "--deliver-role Importer");
    assert!(!said(&output).contains(closed.as_str()), "{}", said(&output));
    let hubs = bench.read();
    let place = expected.keys().find(|place| place.starts_with(closed.as_str())).unwrap();
    assert_eq!(hubs[place].len(), expected[place].len());
}

#[test]
fn an_audit_imports_into_every_account_that_it_reads() {
    let Some(python) = python::environment() else { return };
    let server = Server::start(python).unwrap();
    let seeded = python.script("moto_organization.py").args(["--endpoint", &server.endpoint]).output();
    let truth = succeeded("moto_organization.py", seeded.unwrap()).unwrap();
    let truth: Value = serde_json::from_slice(&truth).unwrap();
    let nodes = truth["nodes"].as_array().unwrap();
    let place = |node: &Value| json!({ "account": node["account"], "region": "eu-west-1", "role": false });
    let bench = Bench::on(python, server, nodes.iter().map(place).collect(), |_| {});
    for _ in 0..2 {
        let mut command = imdsctl(&bench.server.endpoint);
        command.args(["audit", "--org", "--region", "eu-west-1", "-o", "json"]);
        let output = command.env("IMDSCTL_SECURITY_HUB", "true").output().unwrap();
        assert_eq!(output.status.code(), Some(4), "an account refused to be read: {}", said(&output));
        assert!(!said(&output).contains("Security Hub of"), "{}", said(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut found = bench.read();
        found.retain(|_, findings| !findings.is_empty());
        let found: BTreeMap<_, BTreeSet<_>> =
            found.into_iter().map(|(place, findings)| (place, findings.into_keys().collect())).collect();
        assert_eq!(found, ids(&report));
        assert!(found.len() >= 2, "the caller's own account, by its credentials, and others, by the role");
        assert!(
            report["run"]["api_calls"].get("securityhub:GetFindings").is_none(),
            "an audit reads none of it"
        );
    }
}
