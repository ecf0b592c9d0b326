//! Pages and filters.

use super::client::Client;
use super::{serve, serve_with};

const TWELVE: &str = "clusters: [{ name: c, node_groups: [{ name: n, nodes: 12 }] }]";

async fn pages(client: &Client, form: &str) -> Vec<usize> {
    let mut token = String::new();
    let mut sizes = Vec::new();
    let mut seen = Vec::new();
    loop {
        let answer = client.ec2("DescribeInstances", &format!("{form}{token}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let ids = answer.texts("instanceId");
        sizes.push(ids.len());
        seen.extend(ids.iter().map(|id| (*id).to_owned()));
        match answer.text("nextToken") {
            Some(next) => token = format!("&NextToken={next}"),
            None => break,
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), sizes.iter().sum::<usize>());
    sizes
}

#[tokio::test]
async fn lists_come_in_pages_and_tokens_belong_to_their_question() {
    let (_running, client) = serve(TWELVE).await;
    assert_eq!(pages(&client, "&MaxResults=5").await, [5, 5, 2]);
    assert_eq!(pages(&client, "").await, [12]);
    let first = client.ec2("DescribeInstances", "&MaxResults=5").await;
    let token = first.text("nextToken").unwrap();
    let other_question =
        format!("&MaxResults=5&Filter.1.Name=instance-state-name&Filter.1.Value.1=running&NextToken={token}");
    let answer = client.ec2("DescribeInstances", &other_question).await;
    assert_eq!(answer.text("Code"), Some("InvalidPaginationToken"));
    let elsewhere = client.in_region("eu-west-1");
    let answer = elsewhere.ec2("DescribeInstances", &format!("&MaxResults=5&NextToken={token}")).await;
    assert_eq!(answer.text("Code"), Some("InvalidPaginationToken"));
}

#[tokio::test]
async fn first_pages_may_be_empty_and_go_on() {
    let (_running, client) = serve_with("settings: { empty_pages: true }", TWELVE).await;
    assert_eq!(pages(&client, "&MaxResults=10").await, [0, 10, 2]);
    // What is asked for by id comes at once.
    let templates = client.ec2("DescribeLaunchTemplates", "").await;
    let next = templates.text("nextToken").unwrap();
    let templates = client.ec2("DescribeLaunchTemplates", &format!("&NextToken={next}")).await;
    let named = format!("&LaunchTemplateId={}", templates.text("launchTemplateId").unwrap());
    let versions = client.ec2("DescribeLaunchTemplateVersions", &named).await;
    assert_eq!(versions.texts("versionNumber"), ["1"]);
    let groups = client.auto_scaling("DescribeAutoScalingGroups", "").await;
    assert!(groups.texts("AutoScalingGroupName").is_empty() && groups.text("NextToken").is_some());
    let clusters = client.eks("/clusters?maxResults=100").await.json();
    assert_eq!(clusters["clusters"], serde_json::json!([]));
    let token = clusters["nextToken"].as_str().unwrap();
    let next = client.eks(&format!("/clusters?maxResults=100&nextToken={token}")).await.json();
    assert_eq!(next, serde_json::json!({ "clusters": ["c"], "nextToken": null }));
}

#[tokio::test]
async fn instances_that_were_launched_together_share_a_reservation() {
    let (_running, client) = serve(TWELVE).await;
    let answer = client.ec2("DescribeInstances", "").await;
    assert_eq!(answer.texts("reservationId").len(), 3);
}
