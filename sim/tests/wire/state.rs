//! The state file.

use imdsctl_sim::{Options, Sim, SimError, StateError};

use super::fleet;

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
