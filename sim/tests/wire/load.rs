//! Throttling, latency, and the request log.

use std::time::Duration;

use imdsctl_sim::{Options, Sim, Throttling};

use super::client::Client;
use super::{KEY, fleet, serve, serve_with};

async fn burst(client: &Client, calls: usize) -> usize {
    let mut refused = 0;
    for _ in 0..calls {
        refused += usize::from(client.eks("/clusters").await.status == 429);
    }
    refused
}

#[tokio::test]
async fn too_many_requests_are_refused_in_each_service_s_own_words() {
    let (running, client) = serve_with(
        "settings: { throttling: { buckets: [{ operation: \"*\", capacity: 2, refill: 0 }] } }",
        "",
    )
    .await;
    for _ in 0..2 {
        assert_eq!(client.ec2("DescribeRegions", "").await.status, 200);
        assert_eq!(client.eks("/clusters").await.status, 200);
        assert_eq!(client.auto_scaling("DescribeAutoScalingGroups", "").await.status, 200);
        assert_eq!(client.sts("GetCallerIdentity").await.status, 200);
    }
    let ec2 = client.ec2("DescribeRegions", "").await;
    assert_eq!((ec2.status, ec2.text("Code")), (503, Some("RequestLimitExceeded")));
    let eks = client.eks("/clusters").await;
    assert!(eks.status == 429 && eks.head.contains("throttlingexception"), "{}", eks.head);
    let groups = client.auto_scaling("DescribeAutoScalingGroups", "").await;
    assert_eq!((groups.status, groups.text("Code")), (400, Some("Throttling")));
    assert_eq!(client.sts("GetCallerIdentity").await.text("Code"), Some("Throttling"));
    assert_eq!(client.in_region("eu-west-1").ec2("DescribeRegions", "").await.status, 200);

    let counts = running.counts();
    assert_eq!((counts.total(), counts.throttled()), (13, 4));
    assert_eq!(counts.throttled_by_access_key()[KEY], 4);
    assert_eq!(counts.by_operation()["ec2:DescribeRegions"], 4);
    let bucket = ("111122223333".to_owned(), "us-east-1".to_owned(), "ec2:DescribeRegions".to_owned());
    assert_eq!(counts.by_bucket()[&bucket], 3);
    let refused: Vec<_> = running.requests().into_iter().filter(|request| request.throttled).collect();
    assert_eq!(refused.len(), 4);
}

#[tokio::test]
async fn throttling_is_off_until_it_is_asked_for_and_can_be_changed() {
    let (running, client) = serve("").await;
    assert_eq!(burst(&client, 60).await, 0);
    running.set_throttling(Some(&Throttling::aws().scaled(0.01))).unwrap();
    assert!(burst(&client, 5).await >= 3);
    running.set_throttling(None).unwrap();
    assert_eq!(burst(&client, 5).await, 0);
    assert!(running.set_throttling(Some(&Throttling::aws().scaled(-1.0))).is_err());
    let fleet = fleet("settings: { throttling: aws }", "").with_throttling(None);
    let other = Sim::start(fleet, Options::default()).await.unwrap();
    assert_eq!(burst(&Client::new(&other.url(), KEY, "us-east-1"), 60).await, 0);
}

#[tokio::test]
async fn answers_take_their_time_without_holding_each_other_up() {
    let (running, client) = serve_with("settings: { latency_ms: 50, jitter_ms: 10 }", "").await;
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let client = client.clone();
        asking.spawn(async move { client.sts("GetCallerIdentity").await.status });
    }
    assert!(asking.join_all().await.iter().all(|status| *status == 200));
    let requests = running.requests();
    for request in &requests {
        assert!(request.answered.unwrap() >= request.arrived + Duration::from_millis(50), "{request:?}");
    }
    let most = requests.iter().map(|request| request.in_flight).max().unwrap();
    assert_eq!(running.counts().peak_in_flight(), most);
    assert!(most > 1, "they did not wait for each other");
}

#[tokio::test]
async fn the_log_goes_to_a_file_and_only_counts_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.ndjson");
    let options = Options { log_file: Some(path.clone()), counts_only: true, ..Options::default() };
    let running = Sim::start(fleet("", ""), options).await.unwrap();
    let client = Client::new(&running.url(), KEY, "us-east-1");
    assert_eq!(client.eks("/clusters").await.status, 200);
    assert_eq!(client.eks("/clusters/nope").await.status, 404);
    assert_eq!((running.requests().len(), running.counts().total()), (0, 2));
    running.shutdown().await.unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((lines[0]["operation"].as_str(), lines[0]["page"].as_u64()), (Some("ListClusters"), Some(1)));
    assert_eq!(lines[1]["error_code"], "ResourceNotFoundException");
    assert!(lines[1]["answered"].as_f64() >= lines[1]["arrived"].as_f64());

    let nowhere = Options { log_file: Some(folder.path().join("no/such")), ..Options::default() };
    let error = Sim::start(fleet("", ""), nowhere).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot write the log"), "{error}");
}
