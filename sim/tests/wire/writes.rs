//! What changes the world, whatever it is: whole or not at all, once, by whoever may, and so that it lasts.

use imdsctl_sim::{Fault, FaultKind, Options, Request, Running, Sim};

use super::client::{Answer, Client};
use super::{KEY, fleet, serve, serve_with};

const REGION: &str = "
launch_templates:
  - { name: workers, tags: { team: web }, versions: [{ image: al2023-1.33 }, { image: al2023-1.33 }] }
instances:
  - { name: hand-made, image: al2023-1.33, metadata_options: { http_tokens: optional, hop_limit: 1 } }
  - { name: other, image: al2023-1.33, tags: { protected: 'yes' } }";

async fn default_version(client: &Client) -> String {
    client.ec2("DescribeLaunchTemplates", "").await.text("defaultVersionNumber").unwrap().to_owned()
}

async fn set_default(client: &Client, version: u32, rest: &str) -> Answer {
    let form = format!("&LaunchTemplateName=workers&SetDefaultVersion={version}{rest}");
    client.ec2("ModifyLaunchTemplate", &form).await
}

async fn instances(client: &Client) -> Vec<String> {
    let all = client.ec2("DescribeInstances", "").await;
    all.texts("instanceId").into_iter().map(str::to_owned).collect()
}

async fn require_tokens(client: &Client, instance: &str, rest: &str) -> Answer {
    let form = format!("&InstanceId={instance}&HttpTokens=required{rest}");
    client.ec2("ModifyInstanceMetadataOptions", &form).await
}

fn last(running: &Running) -> Request {
    running.requests().pop().unwrap()
}

#[tokio::test]
async fn the_log_tells_reads_dry_runs_and_writes_that_changed_something_apart() {
    let (running, client) = serve(REGION).await;
    let flags = |running: &Running| {
        let last = last(running);
        (last.mutating, last.dry_run, last.changed)
    };
    client.ec2("DescribeLaunchTemplates", "").await;
    assert_eq!(flags(&running), (false, false, false));
    client.ec2("DescribeLaunchTemplates", "&DryRun=true").await;
    assert_eq!(flags(&running), (false, true, false));
    let dry = set_default(&client, 2, "&DryRun=true").await;
    assert_eq!((dry.status, dry.text("Code")), (412, Some("DryRunOperation")));
    assert_eq!(flags(&running), (true, true, false));
    assert_eq!(
        set_default(&client, 9, "").await.text("Code"),
        Some("InvalidLaunchTemplateId.VersionNotFound")
    );
    assert_eq!(flags(&running), (true, false, false));
    assert_eq!(default_version(&client).await, "1");
    assert_eq!(set_default(&client, 2, "").await.text("defaultVersionNumber"), Some("2"));
    assert_eq!(flags(&running), (true, false, true));
    assert_eq!(default_version(&client).await, "2");
    assert_eq!(running.counts().sum(|count| count.mutating), 3);
}

#[tokio::test]
async fn a_client_token_makes_it_happen_once() {
    let (running, client) = serve(REGION).await;
    let first = set_default(&client, 2, "&ClientToken=a").await;
    assert_eq!(set_default(&client, 1, "&ClientToken=b").await.status, 200);
    let again = set_default(&client, 2, "&ClientToken=a").await;
    let inside = |answer: &Answer| answer.body.split_once("</requestId>").unwrap().1.to_owned();
    assert_eq!(inside(&first), inside(&again), "the answer of then");
    assert!(!last(&running).changed);
    assert_eq!(default_version(&client).await, "1", "and nothing was done again");
    let other = set_default(&client, 1, "&ClientToken=a").await;
    assert_eq!((other.status, other.text("Code")), (400, Some("IdempotentParameterMismatch")));
}

#[tokio::test]
async fn faults_strike_before_a_write_or_after_it() {
    let (running, client) = serve(REGION).await;
    let ask = async |version: u32| {
        let form = format!(
            "Action=ModifyLaunchTemplate&Version=2016-11-15&LaunchTemplateName=workers&SetDefaultVersion={version}"
        );
        client.send("POST", "/", Some(&client.authorization("ec2")), &form).await
    };
    for kind in
        [FaultKind::Reset, FaultKind::InternalError, FaultKind::Html500, FaultKind::ServiceUnavailable]
    {
        let fault = Fault::new("ec2:Modify*", kind).times(1);
        running.set_faults(std::slice::from_ref(&fault)).unwrap();
        assert!(ask(2).await.is_none_or(|answer| answer.status >= 500));
        assert!(!last(&running).changed);
        assert_eq!(default_version(&client).await, "1", "{kind:?}, before");
        running.set_faults(&[fault.taking_effect()]).unwrap();
        assert!(ask(2).await.is_none_or(|answer| answer.status >= 500));
        assert!(last(&running).changed);
        assert_eq!(default_version(&client).await, "2", "{kind:?}, after");
        assert_eq!(set_default(&client, 1, "").await.status, 200);
    }
    // What spoils an answer spoils it after it was true.
    running.set_faults(&[Fault::new("ec2:Modify*", FaultKind::TruncatedBody)]).unwrap();
    assert!(ask(2).await.is_none());
    assert_eq!(default_version(&client).await, "2");
    let nonsense = Fault::new("ec2:Modify*", FaultKind::AccessDenied).taking_effect();
    assert!(running.set_faults(&[nonsense]).is_err(), "what is refused takes no effect");
}

const GUARDED: &str = r#"
roles:
  - name: Careful
    trust: { principals: ["111122223333"] }
    permissions:
      policy:
        Version: "2012-10-17"
        Statement:
          - { Effect: Allow, Action: "ec2:*", Resource: "*" }
          - Effect: Deny
            Action: "ec2:Modify*"
            Resource: "*"
            Condition: { StringEquals: { "aws:ResourceTag/protected": "yes", "ec2:ResourceTag/Name": other } }
          - Effect: Deny
            Action: "ec2:ModifyLaunchTemplate"
            Resource: "arn:aws:ec2:us-east-1:111122223333:launch-template/*"
            Condition: { StringNotEquals: { "aws:ResourceTag/team": data } }"#;

#[tokio::test]
async fn policies_see_the_resource_and_its_tags() {
    let (running, client) = serve_with(GUARDED, REGION).await;
    let careful = client.session("arn:aws:iam::111122223333:role/Careful").await;
    let all = instances(&client).await;
    assert_eq!(require_tokens(&careful, &all[0], "").await.status, 200);
    for rest in ["", "&DryRun=true"] {
        let denied = require_tokens(&careful, &all[1], rest).await;
        assert_eq!((denied.status, denied.text("Code")), (403, Some("UnauthorizedOperation")));
        assert!(denied.text("Message").unwrap().contains(&format!("instance/{}", all[1])));
    }
    assert_eq!(set_default(&careful, 2, "").await.text("Code"), Some("UnauthorizedOperation"));
    assert_eq!(default_version(&client).await, "1");
    assert_eq!(running.requests().iter().filter(|request| request.changed).count(), 1);
}

#[tokio::test]
async fn what_is_in_progress_moves_on_when_it_is_looked_at() {
    for (setting, seen) in [
        ("", ["pending", "pending", "applied", "applied"]),
        ("settings: { looks_per_stage: 0 }", ["applied"; 4]),
        ("settings: { looks_per_stage: 2 }", ["pending", "pending", "pending", "applied"]),
    ] {
        let (_running, client) = serve_with(setting, REGION).await;
        let id = instances(&client).await.remove(0);
        let mut states = vec![require_tokens(&client, &id, "").await.text("state").unwrap().to_owned()];
        for _ in 0..3 {
            let described = client.ec2("DescribeInstances", &format!("&InstanceId.1={id}")).await;
            assert_eq!(described.text("httpTokens"), Some("required"));
            // The first is that of the monitoring.
            states.push(described.texts("state")[1].to_owned());
        }
        assert_eq!(states, seen, "{setting}");
    }
}

#[tokio::test]
async fn every_write_is_in_the_state_file_before_it_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let start = async || {
        let options = Options { state_file: Some(path.clone()), ..Options::default() };
        let running = Sim::start(fleet("", REGION), options).await.unwrap();
        let client = Client::new(&running.url(), KEY, "us-east-1");
        (running, client)
    };
    let (running, client) = start().await;
    let id = instances(&client).await.remove(0);
    assert_eq!(set_default(&client, 2, "&ClientToken=a").await.status, 200);
    assert_eq!(require_tokens(&client, &id, "").await.status, 200);
    // As if the process were killed: nothing gets a chance to write.
    drop(running);
    let (running, client) = start().await;
    assert_eq!(default_version(&client).await, "2");
    assert_eq!(client.ec2("DescribeInstances", "").await.text("httpTokens"), Some("required"));
    assert_eq!(set_default(&client, 2, "&ClientToken=a").await.status, 200);
    assert!(!last(&running).changed, "tokens are remembered, too");
    running.shutdown().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_write_that_cannot_be_kept_did_not_happen() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    let options = Options { state_file: Some(inner.join("state.json")), ..Options::default() };
    let running = Sim::start(fleet("", REGION), options).await.unwrap();
    let client = Client::new(&running.url(), KEY, "us-east-1");
    std::fs::remove_dir_all(&inner).unwrap();
    let lost = set_default(&client, 2, "").await;
    assert_eq!((lost.status, lost.text("Code")), (500, Some("InternalError")));
    assert!(lost.text("Message").unwrap().contains("state.json"), "{}", lost.body);
    assert!(!last(&running).changed);
    assert_eq!(default_version(&client).await, "1");
}

#[tokio::test]
async fn of_many_writers_none_is_lost() {
    let (_running, client) = serve("instances: [{ name: n, image: al2023-1.33, nodes: 20 }]").await;
    let ids = instances(&client).await;
    let writes = ids.iter().map(|id| {
        let (client, id) = (client.clone(), id.clone());
        tokio::spawn(async move {
            // Readers move on what others have changed.
            client.ec2("DescribeInstances", "").await;
            require_tokens(&client, &id, "&HttpPutResponseHopLimit=7").await.status
        })
    });
    for write in writes.collect::<Vec<_>>() {
        assert_eq!(write.await.unwrap(), 200);
    }
    let all = client.ec2("DescribeInstances", "").await;
    assert_eq!(all.texts("httpPutResponseHopLimit"), ["7"; 20]);
}
