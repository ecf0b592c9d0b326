//! Scripted faults.

use std::time::{Duration, Instant};

use imdsctl_sim::{Fault, FaultKind, FaultPage, Running};

use super::client::{Answer, Client};
use super::{KEY, serve, serve_with};

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
    let before = Instant::now();
    assert_eq!(client.sts("GetCallerIdentity").await.text("Account"), Some("111122223333"));
    assert!(before.elapsed() >= Duration::from_millis(30));
    assert_eq!(elsewhere.sts("GetCallerIdentity").await.status, 200);
    assert_eq!((client.key.as_str(), one.requests().len()), (KEY, 1));
    let address = one.url().replace("http://", "");
    one.shutdown().await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
    assert_eq!(elsewhere.sts("GetCallerIdentity").await.status, 200);
}

/// An organisation, and a Region, in which every list has three pages of the size that [`ask`] asks for.
const ORGANISATION: &str = r#"
organizations:
  - management_account: "111122223333"
    accounts: [{ id: "444455556666", name: one }, { id: "777788889999", name: other }]"#;
const LISTS: &str = "
clusters:
  - { name: \"c{n}\", repeat: { count: 3 } }
groups:
  - { name: \"g{n}\", repeat: { count: 3 }, template: { name: workers }, nodes: 5 }
launch_templates:
  - { name: workers, versions: [{ image: al2023-1.33 }] }";

/// One list of each protocol. A page of instances cannot be smaller than five.
const OPERATIONS: [&str; 4] = [
    "ec2:DescribeInstances",
    "autoscaling:DescribeAutoScalingGroups",
    "eks:ListClusters",
    "organizations:ListAccounts",
];

async fn ask(client: &Client, operation: &str, token: Option<&str>) -> Option<Answer> {
    if operation == "organizations:ListAccounts" {
        let body = serde_json::json!({ "MaxResults": 1, "NextToken": token });
        return client.try_organizations("ListAccounts", &body.to_string()).await;
    }
    let token = token.map(|token| token.replace('=', "%3D"));
    let form = |rest: &str, name: &str| {
        let token = token.as_ref().map(|token| format!("&{name}={token}")).unwrap_or_default();
        format!("{rest}{token}")
    };
    let query = |action: &str, version: &str, size: &str| {
        form(&format!("Action={action}&Version={version}&{size}"), "NextToken")
    };
    let (service, path, body) = match operation {
        "ec2:DescribeInstances" => {
            ("ec2", "/".to_owned(), query("DescribeInstances", "2016-11-15", "MaxResults=5"))
        }
        "eks:ListClusters" => ("eks", form("/clusters?maxResults=1", "nextToken"), String::new()),
        _ => {
            let body = query("DescribeAutoScalingGroups", "2011-01-01", "MaxRecords=1");
            ("autoscaling", "/".to_owned(), body)
        }
    };
    let method = if service == "eks" { "GET" } else { "POST" };
    client.send(method, &path, Some(&client.authorization(service)), &body).await
}

fn token(answer: &Answer) -> Option<String> {
    if answer.body.starts_with('{') {
        // A spoilt body has no token.
        let body: serde_json::Value = serde_json::from_str(&answer.body).ok()?;
        return body["nextToken"].as_str().or(body["NextToken"].as_str()).map(str::to_owned);
    }
    answer.text("nextToken").or(answer.text("NextToken")).map(str::to_owned)
}

/// Waits until a request will never have an answer.
async fn hangs(running: &Running) {
    while !running.requests().iter().any(|request| request.answered.is_none()) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The number of the page on which something went wrong, if anything did.
async fn struck_page(running: &Running, client: &Client, operation: &str) -> Option<u32> {
    running.clear_requests();
    let mut next = None;
    for _ in 0..3 {
        let answer = tokio::select! {
            answer = ask(client, operation, next.as_deref()) => answer,
            () = hangs(running) => None,
        };
        next = match answer {
            Some(answer) if answer.status == 200 => token(&answer),
            _ => None,
        };
        if next.is_none() {
            break;
        }
    }
    let struck = running.requests().into_iter().find(|request| request.error_code.is_some());
    struck.map(|request| request.page.unwrap_or_default())
}

#[tokio::test]
async fn every_fault_strikes_every_protocol_on_the_page_it_names() {
    let (running, client) = serve_with(ORGANISATION, LISTS).await;
    for operation in OPERATIONS {
        for kind in FaultKind::ALL {
            for (page, number) in [(FaultPage::First, 1), (FaultPage::Later, 2), (FaultPage::Last, 3)] {
                let fault = Fault::new(operation, kind).on(page).times(1);
                let fault = if kind == FaultKind::Slow { fault.delayed(1) } else { fault };
                running.set_faults(&[fault]).unwrap();
                let struck = struck_page(&running, &client, operation).await;
                assert_eq!(struck, Some(number), "{operation}, {kind:?}, {page:?}");
            }
        }
        running.clear_faults();
        assert_eq!(struck_page(&running, &client, operation).await, None);
        let pages: Vec<_> = running.requests().iter().map(|one| (one.page, one.more)).collect();
        assert_eq!(pages, [(Some(1), true), (Some(2), true), (Some(3), false)]);
    }
}

#[tokio::test]
async fn bodies_are_spoilt_and_lists_go_on_for_ever() {
    let (running, client) = serve_with(ORGANISATION, LISTS).await;
    for operation in OPERATIONS {
        let whole = ask(&client, operation, None).await.unwrap();
        running.set_faults(&[Fault::new(operation, FaultKind::MalformedBody)]).unwrap();
        let malformed = ask(&client, operation, None).await.unwrap();
        assert_eq!(malformed.status, 200);
        assert!(malformed.body.len() < whole.body.len() * 2 / 3, "{}", malformed.body);
        running.set_faults(&[Fault::new(operation, FaultKind::EndlessList).on(FaultPage::Last)]).unwrap();
        let mut next = None;
        let mut tokens = Vec::new();
        for _ in 0..5 {
            next = token(&ask(&client, operation, next.as_deref()).await.unwrap());
            tokens.push(next.clone().unwrap());
        }
        assert_ne!(tokens[0], tokens[1]);
        assert_eq!(tokens[2..], [tokens[1].clone(), tokens[1].clone(), tokens[1].clone()]);
        let slow = Fault::new(operation, FaultKind::Slow).delayed(40);
        running.set_faults(&[slow]).unwrap();
        let before = Instant::now();
        assert_eq!(ask(&client, operation, None).await.unwrap().status, 200);
        assert!(before.elapsed() >= Duration::from_millis(40));
        running.clear_faults();
    }
}

#[tokio::test]
async fn the_first_ones_may_be_spared_and_nonsense_is_refused() {
    let (running, client) = serve("").await;
    let fault = Fault::new("sts:*", FaultKind::ServiceUnavailable).in_account("1111*").after(2).times(1);
    running.set_faults(std::slice::from_ref(&fault)).unwrap();
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(client.sts("GetCallerIdentity").await.status);
    }
    assert_eq!(seen, [200, 200, 503, 200]);
    running.set_faults(&[fault.in_region("eu-*")]).unwrap();
    assert_eq!(client.sts("GetCallerIdentity").await.status, 200);
    for nonsense in [
        Fault::new("sts", FaultKind::Reset),
        Fault::new("sts:[", FaultKind::Reset),
        Fault::new("sts:*", FaultKind::Slow),
        Fault::new("sts:*", FaultKind::Reset).delayed(1),
    ] {
        assert!(running.set_faults(&[nonsense]).is_err());
    }
}
