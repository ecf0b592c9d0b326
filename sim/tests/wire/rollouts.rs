//! Rollouts seen from outside: updates of managed node groups, and instance refreshes.

use imdsctl_sim::{Options, Running, Sim};
use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::{KEY, fleet, serve, serve_with};

const NODES: &str = r#"
launch_templates:
  - name: user
    versions: [{ metadata_options: { hop_limit: 1 } }, { metadata_options: { hop_limit: 2 } }]
clusters:
  - name: c
    node_groups:
      - { name: n, template: { name: user, version: "1" }, nodes: 6, release: "20261001" }
      - { name: other, template: { name: user, version: "2" }, nodes: 2, launched_from: [{ count: 1, version: "1" }] }
      - { name: stuck, template: { name: user, version: "1" }, nodes: 3, blocks_eviction: true }"#;

const UPDATE: &str = "/clusters/c/node-groups/n/update-version";

async fn post(client: &Client, path: &str, body: &Value) -> Answer {
    client.send("POST", path, Some(&client.authorization("eks")), &body.to_string()).await.unwrap()
}

async fn node_group(client: &Client, name: &str) -> Value {
    client.eks(&format!("/clusters/c/node-groups/{name}")).await.json()["nodegroup"].clone()
}

/// Looks until it is over; every state that was seen, and the last answer.
async fn follow(client: &Client, node_group: &str, id: &Value) -> (Vec<String>, Value) {
    let path = format!("/clusters/c/updates/{}?nodegroupName={node_group}", id.as_str().unwrap());
    let mut seen = Vec::new();
    loop {
        let update = client.eks(&path).await.json()["update"].clone();
        let status = update["status"].as_str().unwrap().to_owned();
        seen.push(status.clone());
        if status != "InProgress" {
            return (seen, update);
        }
        assert!(seen.len() < 30, "{update}");
    }
}

/// The template version and the hop limit of every node of a node group that is not on its way out.
async fn nodes(client: &Client, node_group: &str) -> Vec<(String, String)> {
    let form = format!(
        "&Filter.1.Name=tag:eks:nodegroup-name&Filter.1.Value.1={node_group}\
         &Filter.2.Name=instance-state-name&Filter.2.Value.1=running&Filter.2.Value.2=pending"
    );
    let answer = client.ec2("DescribeInstances", &form).await;
    let tag = "<key>aws:ec2launchtemplate:version</key><value>";
    let versions = answer.body.split(tag).skip(1).map(|rest| rest.split('<').next().unwrap().to_owned());
    versions.zip(answer.texts("httpPutResponseHopLimit").into_iter().map(str::to_owned)).collect()
}

fn all_are(nodes: &[(String, String)], version: &str, hops: &str) -> bool {
    nodes.iter().all(|node| (node.0.as_str(), node.1.as_str()) == (version, hops))
}

#[tokio::test]
async fn an_update_is_followed_from_its_beginning_to_its_end() {
    let (running, client) = serve(NODES).await;
    let before = node_group(&client, "n").await;
    let body = json!({
        "launchTemplate": { "name": "user", "version": "$Latest" },
        "version": before["version"],
        "releaseVersion": before["releaseVersion"],
        "clientRequestToken": "one",
    });
    let begun = post(&client, UPDATE, &body).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    let update = &begun.json()["update"];
    assert_eq!((&update["status"], &update["type"]), (&json!("InProgress"), &json!("VersionUpdate")));
    let parameters = update["params"].as_array().unwrap();
    assert!(parameters.contains(&json!({ "type": "LaunchTemplateVersion", "value": "2" })), "{update}");
    // The same request again is the same update; another one has to wait.
    assert_eq!(post(&client, UPDATE, &body).await.json()["update"]["id"], update["id"]);
    let another = post(&client, UPDATE, &json!({ "clientRequestToken": "two" })).await;
    assert_eq!(another.status, 409);
    assert!(another.head.contains("x-amzn-errortype: resourceinuseexception"), "{}", another.head);
    let during = node_group(&client, "n").await;
    assert_eq!((&during["status"], &during["launchTemplate"]["version"]), (&json!("UPDATING"), &json!("1")));
    let (seen, last) = follow(&client, "n", &update["id"]).await;
    assert!(seen.len() > 4 && seen[0] == "InProgress", "{seen:?}");
    assert_eq!((&last["status"], &last["errors"]), (&json!("Successful"), &json!([])));
    let after = node_group(&client, "n").await;
    assert_eq!((&after["status"], &after["launchTemplate"]["version"]), (&json!("ACTIVE"), &json!("2")));
    assert_eq!(after["releaseVersion"], before["releaseVersion"]);
    assert_eq!(after["health"], json!({ "issues": [] }));
    let nodes = nodes(&client, "n").await;
    assert!(nodes.len() == 6 && all_are(&nodes, "2", "2"), "{nodes:?}");
    let all = client.eks("/clusters/c/updates?nodegroupName=n&maxResults=1").await.json();
    assert_eq!(all, json!({ "updateIds": [update["id"]], "nextToken": null }));
    let turnover = running.turnover();
    assert_eq!(
        (turnover[0].drained, turnover[0].undrained),
        (12, 0),
        "twice as many as nodes: the surplus, too"
    );
}

#[tokio::test]
async fn what_is_not_pinned_moves_on() {
    let (_running, client) = serve_with("settings: { looks_per_stage: 0 }", NODES).await;
    let body = json!({ "launchTemplate": { "name": "user", "version": "2" } });
    assert_eq!(post(&client, UPDATE, &body).await.status, 200);
    let after = node_group(&client, "n").await;
    assert_eq!((&after["status"], &after["releaseVersion"]), (&json!("ACTIVE"), &json!("1.33.4-20261105")));
    // Without a version it is the template's default.
    let body = json!({ "launchTemplate": { "name": "user" } });
    assert_eq!(post(&client, UPDATE, &body).await.status, 200);
    assert_eq!(node_group(&client, "n").await["launchTemplate"]["version"], "1");
}

#[tokio::test]
async fn an_update_that_cannot_evict_fails_and_leaves_everything_as_it_was() {
    let (running, client) = serve(NODES).await;
    let before = nodes(&client, "stuck").await;
    let path = "/clusters/c/node-groups/stuck/update-version";
    let mut body = json!({ "launchTemplate": { "name": "user", "version": "2" } });
    let id = post(&client, path, &body).await.json()["update"]["id"].clone();
    let (_, last) = follow(&client, "stuck", &id).await;
    assert_eq!(last["status"], "Failed");
    assert_eq!(last["errors"][0]["errorCode"], "PodEvictionFailure");
    assert!(last["errors"][0]["resourceIds"][0].as_str().unwrap().ends_with(".ec2.internal"), "{last}");
    let after = node_group(&client, "stuck").await;
    assert_eq!((&after["status"], &after["launchTemplate"]["version"]), (&json!("ACTIVE"), &json!("1")));
    assert_eq!(nodes(&client, "stuck").await, before);
    body["force"] = json!(true);
    let id = post(&client, path, &body).await.json()["update"]["id"].clone();
    assert_eq!(follow(&client, "stuck", &id).await.1["status"], "Successful");
    assert!(all_are(&nodes(&client, "stuck").await, "3", "2"));
    assert_eq!(running.turnover().iter().map(|group| group.undrained).sum::<u32>(), 3);
}

#[tokio::test]
async fn eks_refuses_with_its_own_errors() {
    let (_running, client) = serve(NODES).await;
    for (path, body, status, code) in [
        (UPDATE, json!({ "launchTemplate": { "name": "nope" } }), 400, "invalidparameterexception"),
        (UPDATE, json!({ "launchTemplate": { "version": "2" } }), 400, "invalidparameterexception"),
        (UPDATE, json!({ "surprise": 1 }), 400, "invalidparameterexception"),
        (UPDATE, json!({ "releaseVersion": "1.33.4-20990101x" }), 400, "invalidparameterexception"),
        ("/clusters/c/node-groups/nope/update-version", json!({}), 404, "resourcenotfoundexception"),
        ("/clusters/nope/node-groups/n/update-version", json!({}), 404, "resourcenotfoundexception"),
    ] {
        let refused = post(&client, path, &body).await;
        assert_eq!(refused.status, status, "{body}: {}", refused.body);
        assert!(refused.head.contains(&format!("x-amzn-errortype: {code}")), "{}", refused.head);
    }
    for path in ["/clusters/c/updates/1?nodegroupName=n", "/clusters/c/updates/1", "/clusters/nope/updates"] {
        assert_eq!(client.eks(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn who_moves_the_default_of_the_copy_degrades_its_node_group() {
    let (_running, client) = serve(NODES).await;
    let name = node_group(&client, "other").await["resources"]["autoScalingGroups"][0]["name"].clone();
    let form = format!("&AutoScalingGroupNames.member.1={}", name.as_str().unwrap());
    let group = client.auto_scaling("DescribeAutoScalingGroups", &form).await;
    let copy = group.text("LaunchTemplateId").unwrap();
    let form = format!("&LaunchTemplateId={copy}&SetDefaultVersion=2");
    assert_eq!(client.ec2("ModifyLaunchTemplate", &form).await.status, 200);
    let after = node_group(&client, "other").await;
    assert_eq!(after["status"], "DEGRADED");
    assert_eq!(after["health"]["issues"][0]["code"], "Ec2LaunchTemplateVersionMismatch");
    assert_eq!(after["health"]["issues"][0]["resourceIds"], json!([copy]));
    let body = json!({ "launchTemplate": { "name": "user", "version": "2" } });
    let refused = post(&client, "/clusters/c/node-groups/other/update-version", &body).await;
    assert_eq!(refused.status, 409);
}

#[tokio::test]
async fn an_update_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let start = async || {
        let options = Options { state_file: Some(path.clone()), ..Options::default() };
        let running = Sim::start(fleet("", NODES), options).await.unwrap();
        let client = Client::new(&running.url(), KEY, "us-east-1");
        (running, client)
    };
    let (running, client) = start().await;
    let body = json!({ "launchTemplate": { "name": "user", "version": "2" } });
    let id = post(&client, UPDATE, &body).await.json()["update"]["id"].clone();
    for _ in 0..3 {
        node_group(&client, "n").await;
    }
    drop(running);
    let (_running, client) = start().await;
    assert_eq!(node_group(&client, "n").await["status"], "UPDATING");
    assert_eq!(follow(&client, "n", &id).await.1["status"], "Successful");
    assert!(all_are(&nodes(&client, "n").await, "2", "2"));
}

const GROUPS: &str = r#"
launch_templates:
  - name: own
    versions:
      - { image: al2023-1.33, metadata_options: { hop_limit: 1 } }
      - { image: al2023-1.33, metadata_options: { hop_limit: 2 } }
groups:
  - { name: plain, template: { name: own, version: "1" }, nodes: 3 }
  - name: careful
    template: { name: own, version: "1" }
    nodes: 3
    lifecycle_hooks: [{ name: drain, heartbeat_timeout: 600 }]
    refresh_fails: { after_nodes: 1, times: 1, reason: they never became healthy }
  - name: mixed
    template: { name: own, version: "1" }
    nodes: 4
    mixed:
      overrides: [{ instance_type: c6i.large }, { instance_type: c6a.large, template: { name: own }, weight: 2 }]"#;

fn to_version_2(group: &str) -> String {
    format!(
        "&AutoScalingGroupName={group}&DesiredConfiguration.LaunchTemplate.LaunchTemplateName=own\
         &DesiredConfiguration.LaunchTemplate.Version=2&Preferences.AutoRollback=true"
    )
}

/// Looks until it is over; every state that was seen, and the last answer.
async fn follow_refresh(client: &Client, group: &str) -> (Vec<String>, Answer) {
    let mut seen = Vec::new();
    loop {
        let answer =
            client.auto_scaling("DescribeInstanceRefreshes", &format!("&AutoScalingGroupName={group}")).await;
        let status = answer.text("Status").unwrap().to_owned();
        let over = !matches!(status.as_str(), "Pending" | "InProgress" | "Cancelling" | "RollbackInProgress");
        seen.push(status);
        if over {
            return (seen, answer);
        }
        assert!(seen.len() < 30, "{}", answer.body);
    }
}

async fn group(client: &Client, name: &str) -> Answer {
    client.auto_scaling("DescribeAutoScalingGroups", &format!("&AutoScalingGroupNames.member.1={name}")).await
}

fn turnover(running: &Running, name: &str) -> (u32, u32) {
    let all = running.turnover();
    let one = all.iter().find(|group| group.group == name).unwrap();
    (one.drained, one.undrained)
}

#[tokio::test]
async fn a_refresh_replaces_without_draining_and_moves_the_group_at_its_end() {
    let (running, client) = serve(GROUPS).await;
    let begun = client.auto_scaling("StartInstanceRefresh", &to_version_2("plain")).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    let twice = client.auto_scaling("StartInstanceRefresh", &to_version_2("plain")).await;
    assert_eq!((twice.status, twice.text("Code")), (400, Some("InstanceRefreshInProgress")));
    assert_eq!(group(&client, "plain").await.text("Version"), Some("1"));
    let (seen, last) = follow_refresh(&client, "plain").await;
    assert_eq!(seen, ["Pending", "InProgress", "InProgress", "InProgress", "Successful"]);
    assert_eq!(last.text("InstanceRefreshId"), begun.text("InstanceRefreshId"));
    assert_eq!((last.text("PercentageComplete"), last.text("InstancesToUpdate")), (Some("100"), Some("0")));
    assert_eq!(group(&client, "plain").await.texts("Version"), ["2"; 4], "the group's and its instances'");
    assert_eq!(turnover(&running, "plain"), (0, 3));
    let none = client.auto_scaling("CancelInstanceRefresh", "&AutoScalingGroupName=plain").await;
    assert_eq!((none.status, none.text("Code")), (400, Some("ActiveInstanceRefreshNotFound")));
}

#[tokio::test]
async fn a_refresh_that_fails_rolls_back_and_says_so() {
    let (running, client) = serve(GROUPS).await;
    let hooks = client.auto_scaling("DescribeLifecycleHooks", "&AutoScalingGroupName=careful").await;
    assert_eq!(hooks.text("LifecycleTransition"), Some("autoscaling:EC2_INSTANCE_TERMINATING"));
    assert_eq!((hooks.text("HeartbeatTimeout"), hooks.text("GlobalTimeout")), (Some("600"), Some("60000")));
    assert_eq!(client.auto_scaling("StartInstanceRefresh", &to_version_2("careful")).await.status, 200);
    let (seen, last) = follow_refresh(&client, "careful").await;
    assert_eq!(
        seen,
        ["Pending", "InProgress", "InProgress", "RollbackInProgress", "RollbackSuccessful"],
        "{}",
        last.body
    );
    assert_eq!(last.text("RollbackReason"), Some("they never became healthy"));
    assert_eq!(last.text("PercentageCompleteOnRollback"), Some("33"));
    assert_eq!(group(&client, "careful").await.texts("Version"), ["1"; 4]);
    assert_eq!(turnover(&running, "careful"), (2, 0), "its hook drains");
}

#[tokio::test]
async fn an_update_of_a_group_is_for_what_it_launches_next() {
    let (_running, client) = serve(GROUPS).await;
    let form = |version: &str| {
        format!(
            "&AutoScalingGroupName=plain&LaunchTemplate.LaunchTemplateName=own&LaunchTemplate.Version={version}"
        )
    };
    let updated = client.auto_scaling("UpdateAutoScalingGroup", &form("2")).await;
    assert_eq!(updated.status, 200, "{}", updated.body);
    assert_eq!(group(&client, "plain").await.texts("Version"), ["2", "1", "1", "1"]);
    for (form, word) in [
        (form("9"), "Could not find the specified version 9"),
        ("&AutoScalingGroupName=plain&LaunchTemplate.LaunchTemplateId=lt-1".to_owned(), "does not exist"),
        (format!("{}&LaunchConfigurationName=x", form("2")), "Valid requests must contain"),
        ("&AutoScalingGroupName=nope&MinSize=1".to_owned(), "not found"),
        ("&AutoScalingGroupName=plain&MinSize=9".to_owned(), "Min bound"),
        ("&AutoScalingGroupName=plain&CapacityRebalance=true".to_owned(), "not recognized"),
    ] {
        let refused = client.auto_scaling("UpdateAutoScalingGroup", &form).await;
        assert_eq!((refused.status, refused.text("Code")), (400, Some("ValidationError")), "{form}");
        assert!(refused.text("Message").unwrap().contains(word), "{}", refused.body);
    }
    let larger = "&AutoScalingGroupName=plain&DesiredCapacity=4";
    assert_eq!(client.auto_scaling("UpdateAutoScalingGroup", larger).await.status, 200);
    assert_eq!(group(&client, "plain").await.texts("Version"), ["2", "1", "1", "1", "2"]);
}

#[tokio::test]
async fn a_mixed_instances_policy_is_replaced_as_a_whole() {
    let (_running, client) = serve(GROUPS).await;
    let policy = |before: &str| {
        let launch = format!("&{before}MixedInstancesPolicy.LaunchTemplate");
        format!(
            "{launch}.LaunchTemplateSpecification.LaunchTemplateName=own\
             {launch}.LaunchTemplateSpecification.Version=2\
             {launch}.Overrides.member.1.InstanceType=c6i.large\
             {launch}.Overrides.member.2.InstanceType=c6a.large\
             {launch}.Overrides.member.2.WeightedCapacity=2\
             {launch}.Overrides.member.2.LaunchTemplateSpecification.LaunchTemplateName=own\
             {launch}.Overrides.member.2.LaunchTemplateSpecification.Version=2\
             &{before}MixedInstancesPolicy.InstancesDistribution.OnDemandBaseCapacity=1\
             &{before}MixedInstancesPolicy.InstancesDistribution.OnDemandAllocationStrategy=prioritized"
        )
    };
    let form = format!("&AutoScalingGroupName=mixed{}", policy(""));
    let updated = client.auto_scaling("UpdateAutoScalingGroup", &form).await;
    assert_eq!(updated.status, 200, "{}", updated.body);
    let after = group(&client, "mixed").await;
    assert_eq!(after.texts("Version"), ["2", "2", "1", "1", "1", "1"]);
    assert_eq!(after.text("OnDemandBaseCapacity"), Some("1"));
    let form = format!("&AutoScalingGroupName=mixed{}", policy("DesiredConfiguration."));
    let begun = client.auto_scaling("StartInstanceRefresh", &form).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    let (_, last) = follow_refresh(&client, "mixed").await;
    assert_eq!(last.text("Status"), Some("Successful"));
    assert_eq!(last.texts("InstanceType"), ["c6i.large", "c6a.large"], "what was desired");
    assert_eq!(group(&client, "mixed").await.texts("Version"), ["2"; 6]);
}

const NARROW: &str = r#"
roles:
  - name: Narrow
    trust: { principals: ["111122223333"] }
    permissions:
      policy:
        Version: "2012-10-17"
        Statement:
          - { Effect: Allow, Action: "*", Resource: "*" }
          - Effect: Deny
            Action: ["eks:UpdateNodegroupVersion", "autoscaling:*InstanceRefresh", "autoscaling:UpdateAutoScalingGroup"]
            NotResource:
              - "arn:aws:eks:us-east-1:111122223333:nodegroup/c/n/*"
              - "arn:aws:autoscaling:us-east-1:111122223333:autoScalingGroup:*:autoScalingGroupName/plain""#;

#[tokio::test]
async fn policies_name_node_groups_and_groups() {
    let (_running, client) = serve_with(NARROW, &join(NODES, GROUPS)).await;
    let narrow = client.session("arn:aws:iam::111122223333:role/Narrow").await;
    let body = json!({ "launchTemplate": { "name": "user", "version": "2" } });
    let denied = post(&narrow, "/clusters/c/node-groups/stuck/update-version", &body).await;
    assert_eq!(denied.status, 403);
    assert!(denied.body.contains(":nodegroup/c/stuck/"), "{}", denied.body);
    assert_eq!(post(&narrow, UPDATE, &body).await.status, 200);
    let denied = narrow.auto_scaling("StartInstanceRefresh", &to_version_2("mixed")).await;
    assert_eq!((denied.status, denied.text("Code")), (403, Some("AccessDenied")));
    assert_eq!(narrow.auto_scaling("StartInstanceRefresh", &to_version_2("plain")).await.status, 200);
}

const NO_LAUNCHES: &str = r#"
roles:
  - name: Half
    trust: { principals: ["111122223333"] }
    permissions: { deny: ["ec2:RunInstances"] }
  - name: Whole
    trust: { principals: ["111122223333"] }
    permissions:
      policy:
        Version: "2012-10-17"
        Statement:
          - { Effect: Allow, Action: ["eks:*", "autoscaling:*", "ec2:RunInstances"], Resource: "*" }
          - Effect: Allow
            Action: "iam:PassRole"
            Resource: "*"
            Condition: { StringLike: { "iam:PassedToService": "ec2.amazonaws.com*" } }"#;

#[tokio::test]
async fn nobody_has_launched_for_them_what_they_may_not_launch() {
    let (_running, client) = serve_with(NO_LAUNCHES, &join(NODES, GROUPS)).await;
    let half = client.session("arn:aws:iam::111122223333:role/Half").await;
    let body = json!({ "launchTemplate": { "name": "user", "version": "2" } });
    let denied = post(&half, UPDATE, &body).await;
    assert_eq!(denied.status, 400);
    assert!(denied.head.contains("x-amzn-errortype: invalidrequestexception"), "{}", denied.head);
    assert!(denied.body.contains("You are not authorized to launch instances"), "{}", denied.body);
    assert_eq!(node_group(&client, "n").await["status"], "ACTIVE");
    for (action, form) in [
        ("StartInstanceRefresh", to_version_2("plain")),
        (
            "UpdateAutoScalingGroup",
            "&AutoScalingGroupName=plain&LaunchTemplate.LaunchTemplateName=own".to_owned(),
        ),
    ] {
        let denied = half.auto_scaling(action, &form).await;
        assert_eq!((denied.status, denied.text("Code")), (403, Some("AccessDenied")), "{action}");
    }
    let whole = client.session("arn:aws:iam::111122223333:role/Whole").await;
    assert_eq!(post(&whole, UPDATE, &body).await.status, 200);
    assert_eq!(whole.auto_scaling("StartInstanceRefresh", &to_version_2("plain")).await.status, 200);
}

/// Two Regions in one.
fn join(one: &str, other: &str) -> String {
    let (templates, rest) = one.split_once("clusters:").unwrap();
    let more = other.strip_prefix("\nlaunch_templates:\n").unwrap();
    format!("{templates}{more}\nclusters:{rest}")
}
