//! The contract of `docs/report.md` by hand, as a reader of reports would write it. A field that is added to the types
//! has to be added here and in the docs; one that is renamed or removed breaks users, and this test.

use std::collections::BTreeMap;

use imdsctl::report::{ReportFormat, TableStyle};
use serde::Deserialize;
use serde_json::Value;

use crate::fixtures::story;
use crate::report::write;

macro_rules! contract {
    ($($name:ident { $($field:ident: $type:ty),+ $(,)? })+) => {
        $(#[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code, reason = "reading is the test")]
        struct $name { $($field: $type),+ })+
    };
}

/// A member that is always there, and may be null.
type Nullable<T> = Option<T>;

contract! {
    Report {
        schema: String, run: Run, policies: Vec<Policy>, findings: Vec<Finding>, coverage: Vec<Coverage>,
        summary: Summary,
    }
    Run {
        tool: String, version: String, started_at: String, finished_at: String,
        api_calls: BTreeMap<String, u64>, api_throttled: u64, interrupted: bool,
    }
    Policy { name: String, version: String, sha256: String, exemptions: Vec<Exemption>, rules: Vec<Rule> }
    Rule { id: String, sha256: String }
    Finding {
        id: String, policy: String, rule: String, severity: String, status: String,
        partition: Nullable<String>, account_id: Nullable<String>, account_name: Nullable<String>,
        region: Nullable<String>, resource: Resource, cluster: Nullable<String>, cluster_arn: Nullable<String>,
        node_group: Nullable<String>, auto_scaling_group: Nullable<String>, managed_by: Nullable<String>, nodes: u64, image: Nullable<Image>,
        option: Nullable<String>, expected: Nullable<BTreeMap<String, Value>>, actual: Nullable<Value>,
        source: Nullable<String>, templates: Vec<Template>, fixes: Vec<Fix>, exemption: Nullable<Exemption>,
        notes: Vec<String>,
    }
    Resource { r#type: String, id: String, name: Nullable<String>, arn: Nullable<String> }
    Image { id: Nullable<String>, name: Nullable<String>, family: String, confidence: String }
    Template {
        id: Nullable<String>, name: Nullable<String>, version: Nullable<u64>, owned_by: String,
        actual: Nullable<Value>, source: String,
    }
    Fix { kind: String, target: Nullable<String>, target_name: Nullable<String>, automatic: bool, note: Nullable<String> }
    Exemption { id: String, reason: String, expires: Nullable<String>, owner: Nullable<String> }
    Coverage {
        account_id: String, account_name: Nullable<String>, region: String, status: String, instances: String,
        reason: Nullable<String>, guard: String, errors: Vec<ReadError>, counts: Counts,
        exemptions_used: Vec<String>,
    }
    Counts {
        clusters: u64, node_groups: u64, auto_scaling_groups: u64, launch_templates: u64, instances: u64,
        fargate_profiles: u64, images: u64, passed: u64, failed: u64, exempt: u64, unknown: u64,
        not_applicable: u64,
    }
    ReadError { service: String, operation: String, code: String, message: String }
    Summary {
        accounts: u64, regions: u64, scopes: u64, clusters: u64, node_groups: u64, auto_scaling_groups: u64,
        launch_templates: u64, instances: u64, fargate_profiles: u64, images: u64, passed: u64, failed: u64,
        exempt: u64, unknown: u64, not_applicable: u64, by_rule: BTreeMap<String, u64>,
        by_severity: BTreeMap<String, u64>, by_managed_by: BTreeMap<String, u64>,
        by_account: BTreeMap<String, u64>, by_region: BTreeMap<String, u64>,
    }
}

#[test]
fn a_report_is_what_the_contract_says() {
    let json = write(&story(), ReportFormat::Json, TableStyle::PIPED);
    let report: Report = serde_json::from_str(&json).unwrap();
    assert_eq!(report.schema, "imdsctl.report/v1");
    assert_eq!(report.findings.len(), story().findings.len());
    assert!(json.ends_with("}\n"));
}

/// Scripts read the head of a report while it is long, and `tail` its summary.
#[test]
fn the_order_of_members_is_that_of_the_contract() {
    let json = write(&story(), ReportFormat::Json, TableStyle::PIPED);
    let members: Vec<_> = json
        .lines()
        .filter_map(|line| line.strip_prefix("  \"")?.split_once('"'))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(members, ["schema", "run", "policies", "findings", "coverage", "summary"]);
}

#[test]
fn every_member_of_a_finding_is_always_there() {
    let json: Value = serde_json::from_str(&write(&story(), ReportFormat::Json, TableStyle::PIPED)).unwrap();
    for finding in json["findings"].as_array().unwrap() {
        assert_eq!(finding.as_object().unwrap().len(), 25, "{finding}");
    }
}

/// Each line is a finding, as it is in the JSON report, or members of the report by their names.
#[test]
fn ndjson_holds_what_the_json_report_holds() {
    let json: Value = serde_json::from_str(&write(&story(), ReportFormat::Json, TableStyle::PIPED)).unwrap();
    let ndjson = write(&story(), ReportFormat::Ndjson, TableStyle::PIPED);
    let lines: Vec<Value> = ndjson.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (findings, rest) = lines.split_at(lines.len() - 3);
    assert_eq!(findings, json["findings"].as_array().unwrap());
    assert!(findings.iter().all(|finding| finding["id"].is_string()));
    let members = |line: &Value| line.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        rest.iter().map(members).collect::<Vec<_>>(),
        [vec!["policies", "run", "schema"], vec!["coverage"], vec!["summary"]]
    );
    for (name, value) in rest.iter().flat_map(|line| line.as_object().unwrap()) {
        assert_eq!(*value, json[name], "{name}");
    }
    assert!(ndjson.ends_with("}\n"));
}

#[test]
fn csv_has_the_columns_of_the_contract() {
    let csv = write(&story(), ReportFormat::Csv, TableStyle::PIPED);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header: Vec<_> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(
        header.join(" "),
        "id policy rule severity status partition account_id account_name region resource_type resource_id \
         resource_name resource_arn cluster cluster_arn node_group auto_scaling_group managed_by nodes \
         image_id image_name image_family image_confidence option expected actual source templates fixes fixes_automatic fix_notes \
         exemption_id exemption_reason exemption_expires exemption_owner notes"
    );
    assert_eq!(reader.records().map(Result::unwrap).count(), story().findings.len());
}

#[test]
fn csv_has_a_header_without_findings_too() {
    let mut report = story();
    report.findings.clear();
    let csv = write(&report, ReportFormat::Csv, TableStyle::PIPED);
    assert!(csv.starts_with("id,policy,") && csv.ends_with(",notes\r\n") && csv.lines().count() == 1);
}
