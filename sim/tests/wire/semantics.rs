//! What AWS does with metadata options, seen from outside.

use super::client::{Answer, Client};
use super::serve;

/// Tokens and hop limit of the instances whose answer has this tag value.
async fn options(client: &Client, tag: &str, value: &str) -> Vec<(String, String)> {
    let form = format!("&Filter.1.Name=tag:{tag}&Filter.1.Value.1={value}");
    let answer = client.ec2("DescribeInstances", &form).await;
    let tokens = answer.texts("httpTokens");
    let hops = answer.texts("httpPutResponseHopLimit");
    tokens.iter().zip(hops).map(|(tokens, hops)| ((*tokens).to_owned(), hops.to_owned())).collect()
}

/// The block of EKS's copy for a node group: what is set, and nothing else.
async fn copy(client: &Client, cluster: &str, node_group: &str) -> Vec<(String, String)> {
    let answer = client.eks(&format!("/clusters/{cluster}/node-groups/{node_group}")).await;
    let group = answer.json()["nodegroup"]["resources"]["autoScalingGroups"][0]["name"].clone();
    let form = format!("&AutoScalingGroupNames.member.1={}", group.as_str().unwrap());
    let group = client.auto_scaling("DescribeAutoScalingGroups", &form).await;
    let id = group.text("LaunchTemplateId").unwrap();
    let version = group.text("Version").unwrap();
    let form = format!("&LaunchTemplateId={id}&LaunchTemplateVersion.1={version}");
    block(&client.ec2("DescribeLaunchTemplateVersions", &form).await)
}

fn block(answer: &Answer) -> Vec<(String, String)> {
    let names =
        ["httpTokens", "httpPutResponseHopLimit", "httpEndpoint", "httpProtocolIpv6", "instanceMetadataTags"];
    let set = names.iter().filter_map(|name| Some(((*name).to_owned(), answer.text(name)?.to_owned())));
    set.collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect()
}

#[tokio::test]
async fn eks_writes_the_options_that_facts_2_2_names() {
    let (_running, client) = serve(
        r"
launch_templates:
  - { name: empty, versions: [{}] }
  - { name: tokens, versions: [{ metadata_options: { http_tokens: optional } }] }
  - { name: one-hop, versions: [{ metadata_options: { hop_limit: 1 } }] }
  - { name: custom, versions: [{ image: al2023-1.33 }] }
clusters:
  - name: c
    node_groups:
      - { name: al2023, nodes: 1 }
      - { name: al2, ami_type: AL2_x86_64, nodes: 1 }
      - { name: bottlerocket, ami_type: BOTTLEROCKET_x86_64, nodes: 1 }
      - { name: windows, ami_type: WINDOWS_CORE_2022_x86_64, nodes: 1 }
      - { name: empty, template: { name: empty }, nodes: 1 }
      - { name: tokens, template: { name: tokens }, nodes: 1 }
      - { name: one-hop, template: { name: one-hop }, nodes: 1 }
      - { name: custom, template: { name: custom }, nodes: 1 }
",
    )
    .await;
    let hops = "httpPutResponseHopLimit";
    for (node_group, written, on_the_node) in [
        ("al2023", pairs(&[("httpTokens", "required"), (hops, "1")]), ("required", "1")),
        ("al2", pairs(&[("httpTokens", "optional"), (hops, "2")]), ("optional", "2")),
        ("bottlerocket", pairs(&[("httpTokens", "required"), (hops, "2")]), ("required", "2")),
        ("windows", Vec::new(), ("optional", "1")),
        ("empty", pairs(&[(hops, "2")]), ("required", "2")),
        ("tokens", pairs(&[("httpTokens", "optional"), (hops, "2")]), ("optional", "2")),
        ("one-hop", pairs(&[(hops, "1")]), ("required", "1")),
        ("custom", pairs(&[(hops, "2")]), ("required", "2")),
    ] {
        assert_eq!(copy(&client, "c", node_group).await, written, "{node_group}");
        let nodes = options(&client, "eks:nodegroup-name", node_group).await;
        assert_eq!(nodes, pairs(&[on_the_node]), "{node_group}");
    }
}

#[tokio::test]
async fn a_node_group_keeps_the_version_that_it_was_given() {
    let (_running, client) = serve(
        r#"
launch_templates:
  - name: user
    default_version: 2
    versions: [{ metadata_options: { hop_limit: 1 } }, { metadata_options: { hop_limit: 2 } }]
clusters:
  - name: c
    node_groups:
      - { name: stale, template: { name: user, version: "1" }, nodes: 2 }
      - { name: moved, template: { name: user }, nodes: 3, launched_from: [{ count: 1, version: "1" }] }
"#,
    )
    .await;
    let hop = |limit| pairs(&[("httpPutResponseHopLimit", limit)]);
    assert_eq!(copy(&client, "c", "stale").await, hop("1"));
    assert_eq!(copy(&client, "c", "moved").await, hop("2"));
    let moved = options(&client, "eks:nodegroup-name", "moved").await;
    assert_eq!(moved, pairs(&[("required", "1"), ("required", "2"), ("required", "2")]));
    let group = client.eks("/clusters/c/node-groups/stale").await;
    assert_eq!(group.json()["nodegroup"]["launchTemplate"]["version"], "1");
}

#[tokio::test]
async fn account_defaults_stand_between_template_and_image() {
    let (_running, client) = serve(
        r"
account_defaults: { hop_limit: 1 }
launch_templates:
  - { name: unset, versions: [{ image: al2023-1.33 }] }
  - { name: set, versions: [{ image: al2023-1.33, metadata_options: { hop_limit: 3 } }] }
groups:
  - { name: unset, template: { name: unset }, nodes: 1 }
  - { name: set, template: { name: set }, nodes: 1 }
",
    )
    .await;
    assert_eq!(options(&client, "Name", "unset").await, pairs(&[("required", "1")]));
    assert_eq!(options(&client, "Name", "set").await, pairs(&[("required", "3")]));
    let defaults = client.ec2("GetInstanceMetadataDefaults", "").await;
    assert_eq!(block(&defaults), pairs(&[("httpPutResponseHopLimit", "1")]));
    let elsewhere = client.in_region("eu-west-1").ec2("GetInstanceMetadataDefaults", "").await;
    assert_eq!(block(&elsewhere), Vec::new());
}

#[tokio::test]
async fn what_eks_auto_mode_manages_is_hidden_from_who_does_not_ask() {
    let (_running, client) = serve("clusters:\n  - { name: c, auto_mode: { nodes: 3 } }").await;
    for action in ["DescribeInstances", "DescribeLaunchTemplates"] {
        let hidden = client.ec2(action, "").await;
        assert_eq!((hidden.status, hidden.texts("managed").len()), (200, 0), "{action}");
        let shown = client.ec2(action, "&IncludeManagedResources=true").await;
        assert!(shown.texts("principal").iter().all(|principal| *principal == "eks.amazonaws.com"));
        assert!(!shown.texts("principal").is_empty(), "{action}");
    }
    let versions = "&LaunchTemplateVersion.1=$Latest";
    assert!(client.ec2("DescribeLaunchTemplateVersions", versions).await.texts("versionNumber").is_empty());
    let nodes = client.ec2("DescribeInstances", "&IncludeManagedResources=true").await;
    assert_eq!(nodes.texts("httpTokens"), ["required"; 3]);
    assert_eq!(nodes.texts("httpPutResponseHopLimit"), ["1"; 3]);
    let images = client.ec2("DescribeInstanceImageMetadata", "").await;
    assert!(images.texts("instanceId").is_empty());
}

#[tokio::test]
async fn what_was_deleted_is_gone_and_still_in_use() {
    let (_running, client) = serve(
        r#"
images: [{ key: mine, name: my-image, status: deregistered }]
launch_templates:
  - { name: gone, deleted: true, versions: [{ image: mine }] }
  - { name: half, default_version: 2, versions: [{ image: mine, deleted: true }, { image: mine }] }
clusters:
  - name: gone
    deleted: true
    self_managed:
      - { name: a, template: { name: gone }, nodes: 1 }
      - { name: b, template: { name: half, version: "1" }, nodes: 1 }
  - name: c
    node_groups: [{ name: n, nodes: 1, eks_copy_deleted: true }]
    karpenter: [{ node_pool: p, nodes: 1, template_deleted: true }]
"#,
    )
    .await;
    let groups = client.auto_scaling("DescribeAutoScalingGroups", "").await;
    let templates = client.ec2("DescribeLaunchTemplates", "").await;
    assert_eq!(templates.texts("launchTemplateName"), ["half"]);
    assert_eq!(groups.texts("AutoScalingGroupName").len(), 3);
    let id = templates.text("launchTemplateId").unwrap();
    let form = format!("&LaunchTemplateId={id}&LaunchTemplateVersion.1=1");
    let version = client.ec2("DescribeLaunchTemplateVersions", &form).await;
    assert_eq!(version.text("Code"), Some("InvalidLaunchTemplateId.VersionNotFound"));
    assert_eq!(client.eks("/clusters").await.json()["clusters"], serde_json::json!(["c"]));
    let instances =
        client.ec2("DescribeInstances", "&Filter.1.Name=tag-key&Filter.1.Value.1=kubernetes.io/cluster/*");
    assert_eq!(instances.await.texts("instanceId").len(), 4);
    let images = client.ec2("DescribeInstanceImageMetadata", "").await;
    assert!(images.texts("imageState").contains(&"deregistered"));
    let id = images.body.split("<imageId>").find(|part| part.contains("my-image")).unwrap();
    let id = id.split('<').next().unwrap();
    let image = client.ec2("DescribeImages", &format!("&ImageId.1={id}")).await;
    assert_eq!(image.text("Code"), Some("InvalidAMIID.NotFound"));
}

#[tokio::test]
async fn groups_launch_from_what_they_name() {
    let (_running, client) = serve(
        r#"
launch_templates:
  - { name: base, versions: [{ image: "ssm:al2023-1.33", metadata_options: { hop_limit: 2 } }] }
  - { name: other, versions: [{ image: al2023-1.33, metadata_options: { hop_limit: 7 } }] }
launch_configurations:
  - { name: old, image: al2-1.32, metadata_options: { http_tokens: optional, hop_limit: 1 } }
groups:
  - name: mixed
    template: { name: base, version: $Latest }
    nodes: 4
    mixed:
      overrides:
        - { instance_type: c6i.large }
        - { instance_type: c6a.large, template: { name: other }, weight: 2 }
        - { instance_type: c5.large }
  - name: needs
    template: { name: base }
    nodes: 0
    mixed: { overrides: [{ requirements: { vcpus_min: 2, memory_mib_min: 4096 }, template: { name: other } }] }
  - { name: old, launch_configuration: old, nodes: 1 }
  - { name: warm, template: { name: base }, nodes: 0, warm_pool: { nodes: 2, min_size: 1 } }
"#,
    )
    .await;
    let mixed: Vec<String> =
        options(&client, "Name", "mixed").await.into_iter().map(|(_, hops)| hops).collect();
    assert_eq!(mixed, ["2", "2", "7", "2"]);
    assert_eq!(options(&client, "Name", "old").await, pairs(&[("optional", "1")]));
    let pool = client.auto_scaling("DescribeWarmPool", "&AutoScalingGroupName=warm").await;
    assert_eq!(pool.texts("LifecycleState"), ["Warmed:Stopped"; 2]);
    let stopped =
        client.ec2("DescribeInstances", "&Filter.1.Name=instance-state-name&Filter.1.Value.1=stopped");
    assert_eq!(stopped.await.texts("instanceId").len(), 2);
    let versions = "&LaunchTemplateName=base";
    let plain = client.ec2("DescribeLaunchTemplateVersions", versions).await;
    assert!(plain.text("imageId").unwrap().starts_with("resolve:ssm:/aws/service/eks/optimized-ami/1.33/"));
    let resolved =
        client.ec2("DescribeLaunchTemplateVersions", &format!("{versions}&ResolveAlias=true")).await;
    assert!(resolved.text("imageId").unwrap().starts_with("ami-0"));
}
