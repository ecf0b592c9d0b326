//! `--all-instances`: every instance and what launches the next ones, whether or not they are of a cluster.

use std::collections::BTreeMap;

use crate::cloud::{Cloud, operation};
use crate::outputs::without_run;
use crate::program::{Program, Report};

/// In eu-west-1 a cluster, and beside it groups and instances of all kinds that have nothing to do with it, but for a
/// template and an image that both sides use; in us-west-2 no cluster; in ap-south-1 nothing at all.
const FLEET: &str = r#"
- names: [eu-west-1]
  images:
    - { key: shared, name: al2023-ami-shared, status: deregistered }
    - { key: lost, name: al2023-ami-lost, status: deregistered }
  launch_templates:
    - name: both
      default_version: 3
      versions:
        - { image: al2023-1.33, metadata_options: { http_tokens: required, hop_limit: 2 } }
        - { image: al2023-base, metadata_options: { http_tokens: optional, hop_limit: 1 } }
        - { image: al2023-1.33, metadata_options: { http_tokens: required, hop_limit: 2 } }
        - { image: lost, metadata_options: { http_tokens: required, hop_limit: 2 } }
    - { name: web, versions: [{ image: ubuntu-24.04, metadata_options: { http_tokens: optional } }] }
  launch_configurations:
    - { name: old, image: al2-1.32, metadata_options: { http_tokens: optional } }
  clusters:
    - name: blue
      node_groups: [{ name: plain, nodes: 1 }]
      self_managed:
        - { name: workers, template: { name: both }, nodes: 2, launched_from: [{ count: 1, version: "2" }], warm_pool: { nodes: 1 } }
        - { name: lost, template: { name: both, version: $Latest }, nodes: 0 }
      standalone: [{ name: by-hand, image: shared }]
      auto_mode: { nodes: 1 }
  groups:
    - { name: web, template: { name: web }, nodes: 2, warm_pool: { nodes: 1 } }
    - { name: pinned, template: { name: both, version: "2" }, nodes: 1 }
    - { name: legacy, launch_configuration: old, nodes: 1 }
    - { name: empty, template: { name: web }, nodes: 0 }
  instances:
    - { name: bastion, image: lost, metadata_options: { http_tokens: optional } }
    - { name: build, image: shared, metadata_options: { http_tokens: required } }
- names: [us-west-2]
  account_defaults: { http_tokens: required }
  launch_templates: [{ name: bare, versions: [{ image: ubuntu-24.04 }] }]
  groups: [{ name: bare, template: { name: bare }, nodes: 1 }]
"#;

const REGIONS: &str = "--region eu-west-1 --region us-west-2 --region ap-south-1";

fn audit(cloud: &Cloud, flags: &str) -> Program {
    cloud.imdsctl("audit -o json").line(REGIONS).line(flags)
}

/// What imdsctl asked, and how often.
fn calls(cloud: &Cloud, region: &str) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    for request in cloud.requests().iter().filter(|request| request.region == region) {
        *calls.entry(operation(request)).or_default() += 1;
    }
    calls
}

/// The findings of a rule: what each is about, what came of it, what manages it and what is to be done first.
fn verdicts(report: &Report) -> Vec<String> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    let line = |one: &serde_json::Value| {
        let resource = &one["resource"];
        let id = if resource["type"] == "instance" { &resource["name"] } else { &resource["id"] };
        let facts =
            [id, &one["status"], &one["managed_by"], &one["cluster"], &one["fixes"][0]["kind"]].map(text);
        facts.join(" ")
    };
    let mut lines: Vec<_> = report
        .findings()
        .iter()
        .filter(|one| ["instance", "auto_scaling_group"].iter().any(|kind| one["resource"]["type"] == *kind))
        .filter(|one| one["cluster"].is_null())
        .map(line)
        .collect();
    lines.sort();
    lines
}

/// The id of an instance, by its name.
fn instance(report: &Report, name: &str) -> String {
    let mut found = report.findings().iter().filter(|one| one["resource"]["name"] == name);
    found.next().unwrap()["resource"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn every_instance_and_every_group_is_judged() {
    let cloud = Cloud::with(FLEET);
    let report = audit(&cloud, "--all-instances --policy imdsv2 --include-passed").run().code(1).report();
    assert_eq!(
        verdicts(&report),
        [
            "bare pass self_managed - -",
            "bare pass self_managed - -",
            "bastion fail standalone - modify_instance",
            "build pass standalone - -",
            "empty fail self_managed - patch_launch_template",
            "legacy fail self_managed - migrate_launch_configuration",
            "legacy fail self_managed - migrate_launch_configuration",
            "pinned fail self_managed - update_auto_scaling_group",
            "pinned fail self_managed - update_auto_scaling_group",
            "web fail self_managed - patch_launch_template",
            "web fail self_managed - patch_launch_template",
            "web fail self_managed - patch_launch_template",
            "web fail self_managed - patch_launch_template",
        ]
    );
    let bastion = report.of(&instance(&report, "bastion"))[0];
    assert_eq!(bastion["image"]["family"], "al2023", "only the instance knows of its image: {bastion}");
    let notes = report.of("web")[0]["fixes"].to_string();
    assert!(notes.contains("an instance refresh replaces its instances"), "{notes}");
    assert_eq!(report.count("instances"), 14);
    assert_eq!(report.count("auto_scaling_groups"), 8);
    for region in ["eu-west-1", "us-west-2", "ap-south-1"] {
        assert_eq!(report.coverage(region)["instances"], "all");
    }
}

#[test]
fn without_the_flag_nothing_of_it_is_read_or_said() {
    let cloud = Cloud::with(FLEET);
    let report = audit(&cloud, "--policy imdsv2 --include-passed").run().code(1).report();
    assert_eq!(verdicts(&report), [""; 0]);
    assert_eq!((report.count("instances"), report.count("auto_scaling_groups")), (6, 3));
    assert_eq!(report.coverage("eu-west-1")["instances"], "nodes");
    assert!(!cloud.operations("eu-west-1").contains(&"autoscaling:DescribeLaunchConfigurations".to_owned()));
    let cloud = Cloud::with(FLEET);
    audit(&cloud, "").run().code(1);
    assert_eq!(cloud.operations("us-west-2").len(), 3);
}

#[test]
fn what_is_read_for_it_is_little() {
    let cloud = Cloud::with(FLEET);
    audit(&cloud, "--all-instances").run().code(1);
    let calls = |region: &str| calls(&cloud, region);
    let once = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), 1)).collect::<BTreeMap<_, _>>();
    let always = ["eks:ListClusters", "autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances"];
    assert_eq!(calls("ap-south-1"), once(&always), "nothing is there");
    let mut more = always.to_vec();
    more.extend(["ec2:DescribeLaunchTemplates", "ec2:DescribeLaunchTemplateVersions"]);
    more.extend(["ec2:DescribeImages", "ec2:GetInstanceMetadataDefaults"]);
    assert_eq!(calls("us-west-2"), once(&more));
    // One call for all instances, and none for the warm pool of a group that is of no cluster.
    let eks = calls("eu-west-1");
    assert_eq!((eks["ec2:DescribeInstances"], eks["autoscaling:DescribeWarmPool"]), (1, 1));
}

/// A file saved with everything serves all flags; what it holds beyond what is asked for shows in nothing.
#[test]
fn an_inventory_of_all_instances_is_judged_as_if_less_had_been_read() {
    let cloud = Cloud::with(FLEET);
    let saving = audit(&cloud, "--all-instances --save-inventory all.ndjson").run().code(1);
    let inventory = saving.read("all.ndjson");
    assert!(inventory.contains("al2023-ami-lost") && inventory.contains("\"bastion\""));
    for policies in ["--policy al2023", "--policy imdsv2", "--policy hardened --policy imdsv2"] {
        for all in ["", "--all-instances"] {
            let flags = format!("{policies} {all} --include-passed");
            let live = audit(&cloud, &flags).run().code(1);
            let program = Program::new().file("all.ndjson", &inventory);
            let offline = program.line("audit --inventory all.ndjson -o json").line(&flags).run().code(1);
            assert!(without_run(&live.stdout) == without_run(&offline.stdout), "{flags}");
        }
    }
    let live = audit(&cloud, "--all-instances").run().code(1);
    assert!(without_run(&live.stdout) == without_run(&saving.stdout), "saving shows in the report");
}

#[test]
fn what_could_not_be_read_for_others_is_no_hole_where_only_nodes_are_judged() {
    let denied = "- { region: us-west-2, operation: 'ec2:DescribeLaunchTemplates', error: access_denied }";
    let cloud = Cloud::faulty(denied, FLEET);
    let saving = audit(&cloud, "--all-instances --save-inventory all.ndjson").run().code(4);
    assert_eq!(saving.report().errors("us-west-2"), ["ec2:DescribeLaunchTemplates UnauthorizedOperation"]);
    let program = Program::new().file("all.ndjson", &saving.read("all.ndjson"));
    let offline = program.line("audit --inventory all.ndjson -o json").run().code(1);
    assert_eq!(offline.report().coverage("us-west-2")["status"], "complete");
    let live = audit(&cloud, "").run().code(1);
    assert!(without_run(&live.stdout) == without_run(&offline.stdout));
}

#[test]
fn an_inventory_of_nodes_cannot_tell_of_all_instances() {
    let saving = audit(&Cloud::with(FLEET), "--save-inventory nodes.ndjson").run().code(1);
    let program = Program::new().file("nodes.ndjson", &saving.read("nodes.ndjson"));
    let said = program.line("audit --inventory nodes.ndjson --all-instances").run().refused();
    assert_eq!(said, "nodes.ndjson holds nodes and no other instances: save it again with --all-instances");
}

#[test]
fn where_there_is_no_cluster_there_are_no_nodes() {
    let cloud = Cloud::with(FLEET);
    let line = "audit --region us-west-2 --all-instances --policy imdsv2";
    let table = cloud.imdsctl(line).run().code(0).stdout;
    assert!(!table.contains("node"), "{table}");
    assert!(table.contains("checks on 1 instance."), "{table}");
    assert!(table.contains("judged   all instances and Auto Scaling groups, whether or not they are of a"));
    let line = "audit --region eu-west-1 --all-instances --policy imdsv2";
    let table = cloud.imdsctl(line).run().code(1).stdout;
    for said in [
        "3 instances have it now",
        "  3 instances, and the next",
        "  no instance yet, but the next",
        "workers (cluster blue)  1 node\n",
        "no cluster (standalone)  1 instance",
        "instance i-",
    ] {
        assert!(table.contains(said), "{said}\n{table}");
    }
}
