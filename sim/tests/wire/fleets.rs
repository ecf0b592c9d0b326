//! Fleet files: what is refused, and what the shipped ones hold.

use std::time::{Duration, Instant};

use imdsctl_sim::{Fleet, FleetError, Options, Sim, Size};

use super::client::Client;
use super::yaml;

#[test]
fn unknown_keys_and_wrong_values_name_line_and_column() {
    for (text, line, column, words) in [
        ("name: x\naccounts: []\nsurprise: 1\n", 3, 1, "surprise"),
        ("name: x\naccounts:\n  - id: \"1\"\n    name: a\n    access_key: []\n", 5, 5, "access_key"),
        (&yaml("", "account_defaults: { http_tokens: maybe }"), 0, 0, "maybe"),
        ("name: x\naccounts: [\n", 0, 0, ""),
    ] {
        let error = Fleet::from_yaml(text, "f.yaml").unwrap_err();
        let FleetError::Syntax { line: found_line, column: found_column, message, .. } = &error else {
            panic!("{error}");
        };
        assert!(found_line.is_some() && found_column.is_some(), "{error}");
        assert!(message.contains(words), "{error}");
        if line > 0 {
            assert_eq!((*found_line, *found_column), (Some(line), Some(column)), "{error}");
        }
        assert!(error.to_string().starts_with("f.yaml: "), "{error}");
    }
}

#[test]
fn what_cannot_be_says_where_and_why() {
    for (region, words) in [
        ("groups: [{ name: g, template: { name: nope }, nodes: 1 }]", "there is no launch template \"nope\""),
        ("groups: [{ name: g, nodes: 1 }]", "needs either template"),
        (
            "launch_templates: [{ name: abc, versions: [{ image: al2023-1.33 }] }]\n\
             groups: [{ name: g, template: { name: abc }, nodes: 1, mixed: { overrides: [{}] } }]",
            "all have an instance_type, or all have requirements",
        ),
        ("account_defaults: { hop_limit: 65 }", "hop_limit is 65"),
        (
            "launch_templates: [{ name: abc, versions: [{ image: nope-1.33 }] }]",
            "neither described nor in the catalogue",
        ),
        (
            "launch_templates: [{ name: abc, versions: [{}], default_version: 2 }]",
            "the default version 2 does not exist",
        ),
        ("clusters: [{ name: \"a b\" }]", "EKS names"),
        (
            "clusters: [{ name: c, node_groups: [{ name: n, nodes: 1, drift: [{ count: 2 }] }] }]",
            "drift changes 2",
        ),
        ("instances: [{ name: i, image: al2023-1.33, tags: { a: \"\\0\" } }]", "NUL"),
        (
            "clusters: [{ name: c, node_groups: [{ name: n, nodes: 1, update_fails: { error: Boredom } }] }]",
            "\"Boredom\" is none of",
        ),
        (
            "clusters:\n  - name: c\n    node_groups: [{ name: n, nodes: 2, update_fails: { error: Unknown, after_nodes: 2 } }]",
            "after_nodes must be less than the 2 nodes",
        ),
        (
            "launch_templates: [{ name: abc, versions: [{ image: al2023-1.33 }] }]\n\
             groups: [{ name: g, template: { name: abc }, nodes: 1, lifecycle_hooks: [{ name: h, heartbeat_timeout: 1 }] }]",
            "heartbeat_timeout must be 30 to 7200",
        ),
        (
            "launch_templates: [{ name: abc, versions: [{ image: al2023-1.33 }] }]\n\
             groups: [{ name: g, template: { name: abc }, nodes: 1, standby: 2 }]",
            "fewer nodes than are protected, or in standby",
        ),
    ] {
        let error = Fleet::from_yaml(&yaml("", region), "f.yaml").unwrap_err();
        assert!(matches!(error, FleetError::Meaning { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(words) && text.contains("account 111122223333, us-east-1"), "{text}");
    }
}

fn shipped(name: &str) -> Fleet {
    let path = format!("{}/fleets/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    Fleet::from_yaml(&std::fs::read_to_string(&path).unwrap(), &path).unwrap()
}

async fn count(client: &Client, action: &str, element: &str, form: &str) -> usize {
    let answer = client.ec2(action, form).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.texts(element).len()
}

#[tokio::test]
async fn the_peers_fleet_has_the_numbers_of_its_table() {
    let running = Sim::start(shipped("peers"), Options::default()).await.unwrap();
    let (mut instances, mut users, mut clusters, mut managed, mut groups) = (0, 0, 0, 0, 0);
    for region in ["us-east-1", "us-west-2", "eu-west-1", "ap-northeast-1"] {
        let client = Client::new(&running.url(), "AKIAPEERSFLEET000001", region);
        instances += count(&client, "DescribeInstances", "instanceId", "").await;
        let templates = client.ec2("DescribeLaunchTemplates", "").await;
        users +=
            templates.texts("launchTemplateName").iter().filter(|name| !name.starts_with("eks-")).count();
        let names = client.auto_scaling("DescribeAutoScalingGroups", "&MaxRecords=100").await;
        groups += names.texts("AutoScalingGroupName").len();
        for cluster in client.eks("/clusters").await.json()["clusters"].as_array().unwrap() {
            clusters += 1;
            let path = format!("/clusters/{}/node-groups", cluster.as_str().unwrap());
            managed += client.eks(&path).await.json()["nodegroups"].as_array().unwrap().len();
        }
    }
    assert_eq!((instances, users, clusters, managed, groups), (1000, 200, 20, 80, 92));
}

#[tokio::test]
async fn the_demo_has_about_two_hundred_nodes_and_starts_at_once() {
    let before = Instant::now();
    let fleet = Fleet::demo().unwrap();
    let keys = fleet.access_keys();
    let running = Sim::start(fleet, Options::default()).await.unwrap();
    assert!(before.elapsed() < Duration::from_secs(1), "{:?}", before.elapsed());
    let form = "&IncludeManagedResources=true&Filter.1.Name=tag-key&Filter.1.Value.1=*cluster*";
    let mut nodes = 0;
    let mut regions = std::collections::BTreeSet::new();
    for key in &keys {
        for region in &key.regions {
            regions.insert(region.clone());
            let client = Client::new(&running.url(), &key.id, region);
            nodes += count(&client, "DescribeInstances", "instanceId", form).await;
        }
    }
    assert_eq!((keys.len(), regions.len()), (4, 6));
    assert!((190..=210).contains(&nodes), "{nodes}");
}

#[tokio::test]
async fn ten_thousand_instances_are_built_and_listed_quickly() {
    let before = Instant::now();
    let fleet = shipped("one-region-10k");
    let running = Sim::start(fleet, Options::default()).await.unwrap();
    let client = Client::new(&running.url(), "AKIATENTHOUSAND00001", "us-east-1");
    let mut token = String::new();
    let mut instances = 0;
    loop {
        let answer = client.ec2("DescribeInstances", &format!("&MaxResults=1000{token}")).await;
        instances += answer.texts("instanceId").len();
        match answer.text("nextToken") {
            Some(next) => token = format!("&NextToken={next}"),
            None => break,
        }
    }
    assert_eq!(instances, 10_000);
    // Far above what it takes even without optimisation: this is about anything quadratic.
    assert!(before.elapsed() < Duration::from_secs(20), "{:?}", before.elapsed());
}

#[tokio::test]
async fn a_generated_fleet_has_the_size_that_was_asked_for_and_is_always_the_same() {
    let size = Size { accounts: 12, clusters: 20, instances: 1500 };
    let fleet = Fleet::generated(size).unwrap();
    assert_eq!(format!("{fleet:?}"), format!("{:?}", Fleet::generated(size).unwrap()));
    let keys = fleet.access_keys();
    let running = Sim::start(fleet, Options::default()).await.unwrap();
    let (mut instances, mut optional, mut clusters, mut scopes) = (0, 0, 0, 0);
    for key in &keys {
        for region in &key.regions {
            let client = Client::new(&running.url(), &key.id, region);
            let all = client.ec2("DescribeInstances", "").await;
            instances += all.texts("instanceId").len();
            optional += all.texts("httpTokens").iter().filter(|tokens| **tokens == "optional").count();
            let listed = client.eks("/clusters").await.json();
            clusters += listed["clusters"].as_array().unwrap().len();
            scopes += 1;
        }
    }
    assert_eq!((keys.len(), clusters, instances), (12, 20, 1500));
    assert!((12..=20).contains(&scopes), "most of 12 × 17 are empty: {scopes}");
    assert!((70..=150).contains(&optional), "{optional}");
    let management = Client::new(&running.url(), &keys[0].id, "us-east-1");
    let arn = format!("arn:aws:iam::{}:role/imdsctl-audit", keys[11].account_id);
    assert_eq!(management.assume_role(&arn, "").await.status, 200);
    assert!(Fleet::generated(Size { accounts: 0, ..size }).is_err());
}

#[test]
fn ids_are_the_same_on_every_run_and_hostile_names_are_accepted() {
    assert_eq!(format!("{:?}", shipped("hostile")), format!("{:?}", shipped("hostile")));
}
