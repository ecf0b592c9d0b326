//! What the tools that people use today get wrong, each as a fleet that we judge rightly; and what an audit costs.

use std::collections::BTreeMap;

use crate::cloud::{Cloud, operation};
use crate::program::Report;

fn audit(regions: &str) -> Report {
    audit_by("al2023", regions)
}

fn audit_by(policy: &str, regions: &str) -> Report {
    let cloud = Cloud::with(regions);
    let line = "audit --region eu-west-1 --region us-west-2 --include-passed -o json --policy";
    let outcome = cloud.imdsctl(line).line(policy).run();
    assert!(matches!(outcome.code, Some(0 | 1)), "{}", outcome.stderr);
    outcome.report()
}

/// "It reads a missing `MetadataOptions` block as: metadata service disabled."
#[test]
fn a_template_without_a_block_gets_what_lies_beneath() {
    let report = audit(
        r"
- names: [eu-west-1]
  images: [{ key: golden, name: amazon-eks-node-al2023-golden, source_image: al2023-1.33 }]
  launch_templates:
    - { name: bare, versions: [{ image: al2023-1.33 }] }
    - { name: bare-golden, versions: [{ image: golden }] }
  clusters:
    - name: blue
      self_managed:
        - { name: bare, template: { name: bare }, nodes: 1 }
        - { name: bare-golden, template: { name: bare-golden }, nodes: 1 }
",
    );
    assert_eq!(report.verdict("bare", "endpoint-enabled"), "pass enabled built_in");
    assert_eq!(report.verdict("bare", "tokens-required"), "pass required image");
    assert_eq!(report.verdict("bare", "hop-limit-min"), "pass 2 image");
    assert_eq!(report.verdict("bare-golden", "endpoint-enabled"), "pass enabled built_in");
    // Whoever built the image did not say `v2.0` again, so nothing asks for tokens.
    let golden = report.finding("bare-golden", "tokens-required");
    assert_eq!((&golden["actual"], &golden["source"]), (&"optional".into(), &"built_in".into()));
    assert_ne!(golden["status"], "pass");
    let hops = report.finding("bare-golden", "hop-limit-min");
    assert_eq!((&hops["actual"], &hops["source"]), (&1.into(), &"built_in".into()));
    assert_ne!(hops["status"], "pass");
}

/// "It passes a template if *any* version requires tokens."
#[test]
fn a_good_version_beside_a_bad_one_in_use_is_of_no_help() {
    let report = audit(
        r#"
- names: [eu-west-1]
  launch_templates:
    - name: nodes
      default_version: 1
      versions:
        - { image: al2023-1.33, metadata_options: { http_tokens: optional, hop_limit: 2 } }
        - { image: al2023-1.33, metadata_options: { http_tokens: required, hop_limit: 2 } }
    - name: managed
      default_version: 2
      versions:
        - { metadata_options: { http_tokens: optional, hop_limit: 2 } }
        - { metadata_options: { http_tokens: required, hop_limit: 2 } }
  clusters:
    - name: blue
      node_groups:
        - { name: stale, template: { name: managed, version: "1" }, nodes: 1 }
        - { name: moved, template: { name: managed, version: "2" }, nodes: 1 }
      self_managed:
        - { name: default, template: { name: nodes, version: $Default }, nodes: 1 }
        - { name: latest, template: { name: nodes, version: $Latest }, nodes: 1 }
        - { name: pinned, template: { name: nodes, version: "1" }, nodes: 0 }
"#,
    );
    assert_eq!(report.verdict("default", "tokens-required"), "fail optional launch_template");
    assert_eq!(report.verdict("pinned", "tokens-required"), "fail optional launch_template");
    assert_eq!(report.verdict("latest", "tokens-required"), "pass required launch_template");
    assert_eq!(report.verdict("blue/stale", "tokens-required"), "fail optional launch_template");
    assert_eq!(report.verdict("blue/moved", "tokens-required"), "pass required launch_template");
    assert_eq!(report.finding("default", "tokens-required")["templates"][0]["version"], 1);
    // By themselves, templates are judged by their default and their latest version.
    let cloud_wide = audit_by(
        "imdsv2",
        r"
- names: [eu-west-1]
  launch_templates:
    - name: later-repaired
      default_version: 1
      versions:
        - { image: al2023-1.33, metadata_options: { http_tokens: optional } }
        - { image: al2023-1.33, metadata_options: { http_tokens: required } }
    - name: later-spoilt
      default_version: 1
      versions:
        - { image: al2023-1.33, metadata_options: { http_tokens: required } }
        - { image: al2023-1.33, metadata_options: { http_tokens: optional } }
    - name: good
      versions: [{ image: al2023-1.33, metadata_options: { http_tokens: required } }]
",
    );
    assert_eq!(cloud_wide.finding("later-repaired", "tokens-required")["status"], "fail");
    assert_eq!(cloud_wide.finding("later-spoilt", "tokens-required")["status"], "fail");
    assert_eq!(cloud_wide.finding("good", "tokens-required")["status"], "pass");
}

/// "It matches launch configurations by name across Regions."
#[test]
fn launch_configurations_of_the_same_name_are_two() {
    let region = |region: &str, tokens: &str, hops: u8| {
        format!(
            r"
- names: [{region}]
  launch_configurations:
    - {{ name: nodes, image: al2023-1.33, metadata_options: {{ http_tokens: {tokens}, hop_limit: {hops} }} }}
  clusters: [{{ name: blue, self_managed: [{{ name: in-{region}, launch_configuration: nodes, nodes: 1 }}] }}]
"
        )
    };
    let report = audit(&(region("eu-west-1", "required", 2) + &region("us-west-2", "optional", 1)));
    assert_eq!(report.verdict("in-eu-west-1", "tokens-required"), "pass required launch_configuration");
    assert_eq!(report.verdict("in-eu-west-1", "hop-limit-min"), "pass 2 launch_configuration");
    assert_eq!(report.verdict("in-us-west-2", "tokens-required"), "fail optional launch_configuration");
    assert_eq!(report.verdict("in-us-west-2", "hop-limit-min"), "fail 1 launch_configuration");
    assert_eq!(report.count("failed"), 4, "each group and its node, on both rules");
}

/// "It reads account defaults in one Region only."
#[test]
fn account_defaults_hold_in_their_region() {
    let report = audit(
        r"
- names: [eu-west-1]
  account_defaults: { hop_limit: 1 }
  launch_templates: [{ name: bare, versions: [{ image: al2023-1.33 }] }]
  clusters: [{ name: blue, self_managed: [{ name: in-eu-west-1, template: { name: bare }, nodes: 1 }] }]
- names: [us-west-2]
  launch_templates: [{ name: bare, versions: [{ image: al2023-1.33 }] }]
  clusters: [{ name: blue, self_managed: [{ name: in-us-west-2, template: { name: bare }, nodes: 1 }] }]
",
    );
    assert_eq!(report.verdict("in-eu-west-1", "hop-limit-min"), "fail 1 account_default");
    assert_eq!(report.verdict("in-us-west-2", "hop-limit-min"), "pass 2 image");
    let fixes = report.finding("in-eu-west-1", "hop-limit-min")["fixes"].to_string();
    assert!(fixes.contains("patch_launch_template"), "{fixes}");
    // Asked for by a rule, the defaults are judged by themselves, in every Region.
    let defaults = audit_by(
        "imdsv2",
        "- { names: [eu-west-1], account_defaults: { http_tokens: required } }\n\
         - { names: [us-west-2], account_defaults: { http_tokens: optional } }",
    );
    let by_region: BTreeMap<_, _> = defaults
        .findings()
        .iter()
        .filter(|finding| finding["resource"]["type"] == "account_defaults")
        .map(|finding| (finding["region"].as_str().unwrap(), finding["status"].as_str().unwrap()))
        .collect();
    assert_eq!(by_region, BTreeMap::from([("eu-west-1", "pass"), ("us-west-2", "fail")]));
}

/// "It ignores templates of `MixedInstances` overrides."
#[test]
fn an_override_brings_its_own_template() {
    let report = audit(
        r"
- names: [eu-west-1]
  launch_templates:
    - { name: good, versions: [{ image: al2023-1.33, metadata_options: { http_tokens: required, hop_limit: 2 } }] }
    - { name: bad, versions: [{ image: al2023-1.33, metadata_options: { http_tokens: optional, hop_limit: 2 } }] }
  clusters:
    - name: blue
      self_managed:
        - name: mixed
          template: { name: good }
          nodes: 0
          mixed:
            overrides:
              - { instance_type: c6i.large }
              - { instance_type: c6a.large, template: { name: bad } }
        - name: clean
          template: { name: good }
          nodes: 0
          mixed: { overrides: [{ instance_type: c6i.large }, { instance_type: c6a.large }] }
",
    );
    assert_eq!(report.verdict("mixed", "tokens-required"), "fail optional launch_template");
    assert_eq!(report.verdict("mixed", "hop-limit-min"), "pass 2 launch_template");
    assert_eq!(report.verdict("clean", "tokens-required"), "pass required launch_template");
    let names: Vec<_> = report.finding("mixed", "tokens-required")["templates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|template| template["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["bad", "good"], "worst first");
}

/// "Hop limit as a *minimum* is checked by nobody", and "3 becomes 2".
#[test]
fn more_hops_than_needed_are_enough() {
    let regions = r"
- names: [eu-west-1]
  launch_templates:
    - { name: three, versions: [{ image: al2023-1.33, metadata_options: { http_tokens: required, hop_limit: 3 } }] }
    - { name: most, versions: [{ image: al2023-1.33, metadata_options: { http_tokens: required, hop_limit: 64 } }] }
  clusters:
    - name: blue
      self_managed:
        - { name: three, template: { name: three }, nodes: 2 }
        - { name: most, template: { name: most }, nodes: 0 }
";
    let report = audit(regions);
    assert_eq!(report.verdict("three", "hop-limit-min"), "pass 3 launch_template");
    assert_eq!(report.verdict("most", "hop-limit-min"), "pass 64 launch_template");
    assert_eq!(report.count("failed"), 0);
    // Lowering it is never done by itself.
    let hardened = audit_by("hardened", regions);
    let finding = hardened.finding("three", "hop-limit-exact");
    assert_eq!(finding["status"], "fail");
    let fixes = finding["fixes"].as_array().unwrap();
    assert!(!fixes.is_empty() && fixes.iter().all(|fix| fix["automatic"] == false), "{fixes:?}");
}

/// "It re-enabled 25 disabled endpoints."
#[test]
fn a_disabled_endpoint_stays_disabled() {
    let report = audit(
        r"
- names: [eu-west-1]
  launch_templates:
    - name: sealed
      versions:
        - { image: al2023-1.33, metadata_options: { http_endpoint: disabled, http_tokens: optional, hop_limit: 1 } }
  clusters: [{ name: blue, self_managed: [{ name: sealed, template: { name: sealed }, nodes: 2 }] }]
",
    );
    for rule in ["tokens-required", "hop-limit-min"] {
        let statuses: Vec<_> = report
            .findings()
            .iter()
            .filter(|finding| finding["rule"] == rule)
            .map(|finding| (finding["status"].as_str().unwrap(), finding["fixes"].to_string()))
            .collect();
        assert_eq!(statuses.len(), 3, "the group and its two nodes");
        assert!(statuses.iter().all(|found| *found == ("not_applicable", "[]".to_owned())), "{statuses:?}");
    }
    let endpoint = report.finding("sealed", "endpoint-enabled");
    assert_eq!(endpoint["status"], "fail");
    let fixes = endpoint["fixes"].as_array().unwrap();
    assert!(!fixes.is_empty() && fixes.iter().all(|fix| fix["automatic"] == false), "{fixes:?}");
}

/// "It does not paginate template versions."
#[test]
fn a_version_in_use_is_found_among_many() {
    let good =
        "        - { image: al2023-1.33, metadata_options: { http_tokens: required, hop_limit: 2 } }\n";
    let regions = format!(
        r#"
- names: [eu-west-1]
  launch_templates:
    - name: long-lived
      default_version: 251
      versions:
        - {{ image: al2023-1.33, metadata_options: {{ http_tokens: optional, hop_limit: 2 }} }}
{}
  clusters: [{{ name: blue, self_managed: [{{ name: first, template: {{ name: long-lived, version: "1" }}, nodes: 0 }}] }}]
"#,
        good.repeat(250)
    );
    assert_eq!(audit(&regions).verdict("first", "tokens-required"), "fail optional launch_template");
}

/// The fleet on which `benches/peers` compares answers, by the question that is asked there.
#[test]
fn the_traps_of_the_comparison_are_judged_rightly() {
    let cloud = Cloud::start(include_str!("../../benches/peers/traps.yaml"));
    let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/policy.yml");
    let audit = cloud.imdsctl("audit --region us-east-1 --region eu-west-1 -o json --policy").args([policy]);
    let report = audit.run().code(1).report();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut failed: BTreeMap<String, usize> = BTreeMap::new();
    for finding in report.findings() {
        assert_eq!(finding["status"], "fail");
        let resource = &finding["resource"];
        let kind = text(&resource["type"]);
        // Ids of nodes and templates are long: their names say which, and nodes of managed groups have none.
        let name = match kind.as_str() {
            "instance" | "launch_template" => text(&resource["name"]),
            _ => text(&resource["id"]),
        };
        let place = text(&finding["region"]);
        *failed.entry(format!("{place} {kind} {name} {}", text(&finding["rule"]))).or_default() += 1;
    }
    let failed: Vec<String> = failed.iter().map(|(what, count)| format!("{count} {what}")).collect();
    assert_eq!(
        failed,
        [
            "1 eu-west-1 account_defaults eu-west-1 tokens",
            "1 eu-west-1 auto_scaling_group from-configuration tokens",
            "1 eu-west-1 auto_scaling_group left-open hops",
            "1 eu-west-1 auto_scaling_group left-open tokens",
            "2 eu-west-1 instance from-configuration tokens",
            "2 eu-west-1 instance left-open hops",
            "2 eu-west-1 instance left-open tokens",
            "1 eu-west-1 launch_template left-open hops",
            "1 eu-west-1 launch_template left-open tokens",
            "1 us-east-1 auto_scaling_group overridden tokens",
            "1 us-east-1 auto_scaling_group stale tokens",
            "3 us-east-1 instance  hops",
            "2 us-east-1 instance stale tokens",
            "1 us-east-1 launch_template repaired-but-not-in-use tokens",
            "1 us-east-1 node_group shop/default hops",
            "1 us-east-1 node_group shop/scaled-to-zero hops",
        ]
    );
}

/// The fleet that the others were measured on: 148 calls at least, 523 to 1,315 as they do it.
#[test]
fn an_audit_of_the_measured_fleet_stays_within_its_budget() {
    let cloud = Cloud::shipped("peers");
    let line =
        "audit -o json --region us-east-1 --region us-west-2 --region eu-west-1 --region ap-northeast-1";
    let report = cloud.imdsctl(line).run().code(1).report();
    assert_eq!((report.count("instances"), report.count("clusters")), (1000, 20));
    assert_eq!((report.count("node_groups"), report.count("auto_scaling_groups")), (80, 92));
    // In each of 4 Regions: 3 node groups that pinned a bad version, 5 whose template says one hop, 3 without one.
    let failed = |kind: &str, rule: &str| {
        let findings = report.findings().iter();
        findings.filter(|one| one["resource"]["type"] == kind && one["rule"] == rule).count()
    };
    assert_eq!((failed("node_group", "tokens-required"), failed("node_group", "hop-limit-min")), (12, 44));
    assert_eq!((failed("instance", "tokens-required"), failed("instance", "hop-limit-min")), (132, 484));
    let calls = report.0["run"]["api_calls"].as_object().unwrap();
    let calls: BTreeMap<String, u64> =
        calls.iter().map(|(name, count)| (name.clone(), count.as_u64().unwrap())).collect();
    let mut sent = BTreeMap::new();
    for request in cloud.requests() {
        *sent.entry(operation(&request)).or_insert(0) += 1;
    }
    assert_eq!(calls, sent, "what the report says is what was sent");
    assert_eq!(report.0["run"]["api_throttled"], 0);
    let total: u64 = calls.values().sum();
    assert!(total <= 2 + 9 * 4 + 3 * 20 + 80, "{total} calls: {calls:?}");
}
