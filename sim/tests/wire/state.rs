//! The state file.

use imdsctl_sim::{Options, Sim, SimError, StateError};

use super::client::Client;
use super::{KEY, fleet};

#[tokio::test]
async fn the_world_is_kept_between_runs_and_belongs_to_its_fleet() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let options = || Options { state_file: Some(path.clone()), ..Options::default() };
    let region = "clusters: [{ name: c, node_groups: [{ name: n, nodes: 2 }] }]";
    Sim::start(fleet("", region), options()).await.unwrap().shutdown().await.unwrap();
    let first = std::fs::read(&path).unwrap();
    Sim::start(fleet("", region), options()).await.unwrap().shutdown().await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), first);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let other = Sim::start(fleet("", ""), options()).await.unwrap_err();
    assert!(matches!(other, SimError::State(StateError::OtherFleet { .. })), "{other}");
    assert_eq!(std::fs::read(&path).unwrap(), first);
}

#[tokio::test]
async fn a_world_from_a_file_answers_as_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let region = "
clusters:
  - name: c
    node_groups: [{ name: n, nodes: 7, drift: [{ count: 2, http_tokens: optional, state: stopped }] }]
    karpenter: [{ node_pool: p, nodes: 7, spot: true, instance_types: [m6i.large, c6i.large] }]";
    let mut answers = Vec::new();
    for _ in 0..2 {
        let options = Options { state_file: Some(path.clone()), ..Options::default() };
        let running = Sim::start(fleet("", region), options).await.unwrap();
        let client = Client::new(&running.url(), KEY, "us-east-1");
        let all = "&Filter.1.Name=tag:karpenter.sh/nodeclaim&Filter.1.Value.1=p-*";
        let mut bodies = Vec::new();
        for form in ["", all] {
            bodies.push(client.ec2("DescribeInstances", form).await.body);
            bodies.push(client.ec2("DescribeInstanceImageMetadata", form).await.body);
        }
        bodies.push(client.auto_scaling("DescribeAutoScalingGroups", "").await.body);
        running.shutdown().await.unwrap();
        answers.push(bodies);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0][0].matches("<instanceId>").count(), 14);
    assert_eq!(answers[0][2].matches("<instanceId>").count(), 7);
}

#[tokio::test]
async fn a_file_that_is_not_ours_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["", "not json", "{\"format\":\"imdsctl-sim/v1\"", "{\"accounts\":{}}"] {
        let path = folder.path().join("state.json");
        std::fs::write(&path, text).unwrap();
        let options = Options { state_file: Some(path.clone()), ..Options::default() };
        let error = Sim::start(fleet("", ""), options).await.unwrap_err();
        assert!(error.to_string().contains("state.json is not a state file"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}
