//! An audit of a seeded fleet finds exactly what a truth says that was worked out without imdsctl.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::fleet::fleet;

/// Exit code of an audit that could not read everything.
const INCOMPLETE: i32 = 4;

/// What identifies a judgement: account, Region, resource type, resource id and rule.
type Key = [String; 5];

#[test]
fn an_audit_finds_what_is_there_and_nothing_else() {
    let Some(fleet) = fleet() else { return };
    let status = |finding: &Value| text(&finding["status"]);
    let expected = by_key(&fleet.truth["findings"], true_key, status);
    let found = by_key(&fleet.audit.report["findings"], found_key, status);
    assert_same(&expected, &found);
    // A truth that says little proves little.
    assert!(expected.len() > 200, "{} judgements", expected.len());
    let statuses: BTreeSet<&str> = expected.values().map(String::as_str).collect();
    assert_eq!(statuses, BTreeSet::from(["fail", "not_applicable", "pass", "unknown"]));
}

#[test]
fn every_value_and_every_manager_is_the_true_one() {
    let Some(fleet) = fleet() else { return };
    let details = |finding: &Value| format!("{} {}", text(&finding["managed_by"]), finding["actual"]);
    let expected = by_key(&fleet.truth["findings"], true_key, details);
    assert_same(&expected, &by_key(&fleet.audit.report["findings"], found_key, details));
    let managers: BTreeSet<&str> = expected.values().filter_map(|value| value.split(' ').next()).collect();
    // All that there are, but for Auto Mode: moto has no instances of an operator's.
    assert_eq!(
        managers,
        BTreeSet::from([
            "karpenter",
            "managed_node_group",
            "managed_node_group_default",
            "self_managed",
            "standalone"
        ])
    );
}

#[test]
fn what_moto_cannot_answer_is_in_the_coverage_and_nothing_else_is() {
    let Some(fleet) = fleet() else { return };
    let region = |scope: &Value| text(&scope["region"]);
    let expected = by_key(&fleet.truth["coverage"], region, |scope| {
        let missing = scope["missing"].as_array().unwrap().iter().map(text).collect::<Vec<_>>();
        format!("{} {}", text(&scope["status"]), missing.join(" "))
    });
    let found = by_key(&fleet.audit.report["coverage"], region, |scope| {
        let mut missing: Vec<_> = scope["errors"].as_array().unwrap().iter().map(operation).collect();
        missing.sort();
        format!("{} {}", text(&scope["status"]), missing.join(" "))
    });
    assert_same(&expected, &found);

    let incomplete = found.iter().filter(|(_, state)| !["complete ", "skipped "].contains(&state.as_str()));
    let incomplete: Vec<_> = incomplete.map(|(region, state)| (region.as_str(), state.as_str())).collect();
    // Only in one of them does a node run on an image that is gone.
    let images_too = "partial ec2:DescribeInstanceImageMetadata ec2:GetInstanceMetadataDefaults";
    let defaults = "partial ec2:GetInstanceMetadataDefaults";
    assert_eq!(incomplete, [("eu-central-1", defaults), ("eu-west-1", images_too), ("us-east-1", defaults)]);
    assert!(found.len() > 30, "all Regions are there: {found:?}");
    assert_eq!(fleet.audit.exit, Some(INCOMPLETE));

    // A web page instead of an answer is not asked for twice, and nobody asks where there is no EKS.
    let calls = &fleet.audit.report["run"]["api_calls"];
    assert_eq!(calls["ec2:GetInstanceMetadataDefaults"], 3);
    assert_eq!(calls["ec2:DescribeInstanceImageMetadata"], 1);
}

#[test]
fn without_being_asked_for_more_an_audit_reports_only_what_is_wrong() {
    let Some(fleet) = fleet() else { return };
    let output = fleet.imdsctl().args(["audit", "--all-regions", "-o", "json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let status = |finding: &Value| text(&finding["status"]);
    let mut expected = by_key(&fleet.truth["findings"], true_key, status);
    let all = expected.len();
    expected.retain(|_, status| ["fail", "unknown"].contains(&status.as_str()));
    assert_same(&expected, &by_key(&report["findings"], found_key, status));
    let summary = &report["summary"];
    let counted = ["passed", "failed", "exempt", "unknown", "not_applicable"];
    let counted: u64 = counted.iter().filter_map(|name| summary[name].as_u64()).sum();
    assert_eq!(counted, all as u64, "{summary}");
    assert_eq!(output.status.code(), Some(INCOMPLETE));
}

fn true_key(finding: &Value) -> Key {
    ["account_id", "region", "resource_type", "resource_id", "rule"].map(|name| text(&finding[name]))
}

fn found_key(finding: &Value) -> Key {
    let resource = &finding["resource"];
    [&finding["account_id"], &finding["region"], &resource["type"], &resource["id"], &finding["rule"]]
        .map(text)
}

fn operation(error: &Value) -> String {
    format!("{}:{}", text(&error["service"]), text(&error["operation"]))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is a text")).to_owned()
}

/// A list as a map. Nothing may be in it twice.
fn by_key<K: Ord + std::fmt::Debug>(
    list: &Value,
    key: impl Fn(&Value) -> K,
    value: impl Fn(&Value) -> String,
) -> BTreeMap<K, String> {
    let mut map = BTreeMap::new();
    for item in list.as_array().unwrap() {
        if let Some(other) = map.insert(key(item), value(item)) {
            panic!("{:?} is there twice, once as {other}", key(item));
        }
    }
    map
}

/// Fails with what differs, and not with all that does not.
fn assert_same<K: Ord + std::fmt::Debug>(expected: &BTreeMap<K, String>, found: &BTreeMap<K, String>) {
    let keys: BTreeSet<&K> = expected.keys().chain(found.keys()).collect();
    let differences: Vec<String> = keys
        .into_iter()
        .filter(|key| expected.get(key) != found.get(key))
        .map(|key| format!("{key:?}: should be {:?}, is {:?}", expected.get(key), found.get(key)))
        .collect();
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}
