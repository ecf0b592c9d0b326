//! Scripted faults, and the request log.

use std::time::Duration;

use super::{KEY, serve_with};

#[tokio::test]
async fn faults_strike_whom_they_name_as_often_as_they_say() {
    let (running, client) = serve_with(
        r#"
faults:
  - { operation: "ec2:DescribeInstances", error: access_denied, region: us-* , times: 1 }
  - { operation: "eks:*", error: throttled, times: 1 }
  - { operation: "eks:ListClusters", error: access_denied }
  - { operation: "autoscaling:DescribeLaunch*", error: internal_error, account: "111122223333" }
  - { operation: "sts:*", error: expired_token, account: "999999999999" }
"#,
        "",
    )
    .await;
    let denied = client.ec2("DescribeInstances", "").await;
    assert_eq!((denied.status, denied.text("Code")), (403, Some("UnauthorizedOperation")));
    assert_eq!(client.ec2("DescribeInstances", "").await.status, 200);
    assert_eq!(client.eks("/clusters").await.status, 429);
    let eks = client.eks("/clusters").await;
    assert!(eks.json()["message"].as_str().unwrap().contains("eks:ListClusters"));
    assert_eq!(client.auto_scaling("DescribeLaunchConfigurations", "").await.status, 500);
    assert_eq!(client.sts("GetCallerIdentity").await.status, 200);

    let log = running.requests();
    let seen: Vec<(&str, u16)> = log.iter().map(|one| (one.operation.as_str(), one.status)).collect();
    assert_eq!(seen[..2], [("DescribeInstances", 403), ("DescribeInstances", 200)]);
    assert_eq!(log[3].error_code.as_deref(), Some("AccessDeniedException"));
    assert!(log.iter().all(|one| one.account == "111122223333" && one.region == "us-east-1"));
}

#[tokio::test]
async fn connections_fail_in_every_way() {
    let (running, client) = serve_with(
        r#"
faults:
  - { operation: "ec2:DescribeRegions", error: reset, times: 1 }
  - { operation: "ec2:DescribeInstances", error: truncated_body, times: 1 }
  - { operation: "ec2:DescribeImages", error: html_500 }
  - { operation: "eks:ListClusters", error: hang }
"#,
        "",
    )
    .await;
    let ask = async |action: &str| {
        let body = format!("Action={action}&Version=2016-11-15");
        client.send("POST", "/", Some(&client.authorization("ec2")), &body).await
    };
    assert!(ask("DescribeRegions").await.is_none());
    assert!(ask("DescribeInstances").await.is_none());
    assert!(ask("DescribeInstances").await.is_some());
    let html = ask("DescribeImages").await.unwrap();
    assert!(html.status == 500 && html.head.contains("text/html"));
    let hanging = tokio::time::timeout(Duration::from_millis(200), client.eks("/clusters")).await;
    assert!(hanging.is_err());
    assert_eq!(running.requests().last().unwrap().error_code.as_deref(), Some("hang"));
}

#[tokio::test]
async fn several_run_side_by_side_and_stop() {
    let (one, client) = serve_with("settings: { latency_ms: 30 }", "").await;
    let (other, elsewhere) = serve_with("", "").await;
    assert_ne!(one.url(), other.url());
    let before = std::time::Instant::now();
    assert_eq!(client.sts("GetCallerIdentity").await.text("Account"), Some("111122223333"));
    assert!(before.elapsed() >= Duration::from_millis(30));
    assert_eq!(elsewhere.sts("GetCallerIdentity").await.status, 200);
    assert_eq!((client.key.as_str(), one.requests().len()), (KEY, 1));
    let address = one.url().replace("http://", "");
    one.shutdown().await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    assert_eq!(elsewhere.sts("GetCallerIdentity").await.status, 200);
}
