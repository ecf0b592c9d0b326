//! What is sent, held against a server that answers as it is told and remembers what it was asked.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::*;
use crate::aws::errors::ErrorKind;
use crate::aws::{Aws, StaticEndpoint, Timeouts};
use crate::model::{Guard, MetadataOptions, OptionValue, VersionRef};

/// A server in place of AWS.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// `answer` is told what is asked, as the request line and the decoded body, and how often the like was before.
    fn start(answer: impl Fn(&str, usize) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = request(&mut stream);
                let name = |text: &str| text.split(['&', '\n']).next().unwrap_or_default().to_owned();
                let before = log.lock().unwrap().iter().filter(|other| name(other) == name(&request)).count();
                let (status, body) = answer(&request, before);
                log.lock().unwrap().push(request);
                let kind = if body.starts_with('{') { "application/json" } else { "text/xml" };
                let length = body.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\
                     connection: close\r\n\r\n{body}"
                );
            }
        });
        Self { url, asked }
    }

    fn account(&self, guard: Guard, task: Task) -> Account {
        let aws = Aws::new(Timeouts::default(), task);
        let endpoint = StaticEndpoint {
            url: self.url.clone(),
            access_key: "AKIAIOSFODNN7EXAMPLE".into(),
            secret_key: "secret".into(),
        };
        let clients = aws.reading(aws.isolated(&endpoint, None));
        Account {
            partition: "aws".into(),
            account_id: "111122223333".into(),
            caller: "arn:aws:sts::111122223333:assumed-role/Reader/imdsctl".into(),
            guard,
            clients: Arc::new(clients),
        }
    }

    fn changer(&self) -> Changer {
        let account = self.account(Guard::ClientGate, Task::Plan);
        account.changer(&account.scope(&"eu-west-1".into())).unwrap()
    }

    /// The requests that are no reads.
    fn changes(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|request| !request.contains("Action=Describe") && !request.starts_with("GET"))
            .cloned()
            .collect()
    }
}

/// A request: of a form its decoded body, of anything else the request line and the body.
fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = stream.read(&mut buffer).unwrap();
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
        });
        if body.len() < length.unwrap_or_default() {
            continue;
        }
        if body.starts_with("Action=") {
            return body.replace("%24", "$").replace("%2F", "/").replace("%3A", ":");
        }
        return format!("{}\n{body}", head.lines().next().unwrap());
    }
}

fn xml(operation: &str, inside: &str) -> (u16, String) {
    (200, format!("<{operation}Response>{inside}</{operation}Response>"))
}

fn scaling(operation: &str, inside: &str) -> (u16, String) {
    xml(operation, &format!("<{operation}Result>{inside}</{operation}Result>"))
}

fn ec2_error(status: u16, code: &str) -> (u16, String) {
    let error = format!("<Error><Code>{code}</Code><Message>because</Message></Error>");
    (status, format!("<Response><Errors>{error}</Errors></Response>"))
}

fn scaling_error(status: u16, code: &str) -> (u16, String) {
    let error = format!("<Error><Code>{code}</Code><Message>because</Message></Error>");
    (status, format!("<ErrorResponse>{error}</ErrorResponse>"))
}

fn template(tags: &str) -> (u16, String) {
    let item = format!(
        "<item><launchTemplateId>lt-1</launchTemplateId><launchTemplateName>web</launchTemplateName>\
         <defaultVersionNumber>1</defaultVersionNumber><latestVersionNumber>3</latestVersionNumber>\
         <tagSet>{tags}</tagSet></item>"
    );
    xml("DescribeLaunchTemplates", &format!("<launchTemplates>{item}</launchTemplates>"))
}

const OF_EKS: &str = "<item><key>eks:nodegroup-name</key><value>apps</value></item>";

fn version(number: i64) -> (u16, String) {
    let data = "<metadataOptions><httpTokens>optional</httpTokens><state>applied</state></metadataOptions>\
                <userData>c2VjcmV0</userData><blockDeviceMappingSet><item><deviceName>/dev/xvda</deviceName>\
                <ebs><snapshotId>snap-1</snapshotId><volumeSize>40</volumeSize></ebs></item></blockDeviceMappingSet>";
    let item = format!(
        "<item><launchTemplateId>lt-1</launchTemplateId><versionNumber>{number}</versionNumber>\
         <launchTemplateData>{data}</launchTemplateData></item>"
    );
    xml(
        "DescribeLaunchTemplateVersions",
        &format!("<launchTemplateVersionSet>{item}</launchTemplateVersionSet>"),
    )
}

fn group(tags: &str) -> (u16, String) {
    let template = "<LaunchTemplateId>lt-1</LaunchTemplateId><LaunchTemplateName>web</LaunchTemplateName>\
                    <Version>3</Version>";
    let group = format!(
        "<member><AutoScalingGroupName>nodes</AutoScalingGroupName><LaunchTemplate>{template}</LaunchTemplate>\
         <Tags>{tags}</Tags></member>"
    );
    scaling("DescribeAutoScalingGroups", &format!("<AutoScalingGroups>{group}</AutoScalingGroups>"))
}

const GROUP_OF_EKS: &str = "<member><Key>eks:nodegroup-name</Key><Value>apps</Value></member>";

/// What is not a change is answered; `change` answers the rest.
fn server(change: impl Fn(&str, usize) -> (u16, String) + Send + 'static) -> Server {
    Server::start(move |request, before| {
        let asks = |action: &str| request.starts_with(&format!("Action={action}&"));
        if asks("DescribeLaunchTemplates") {
            template("")
        } else if asks("DescribeLaunchTemplateVersions") {
            version(2)
        } else if asks("DescribeAutoScalingGroups") {
            group("")
        } else {
            change(request, before)
        }
    })
}

fn new_version() -> NewVersion {
    let metadata = MetadataOptions {
        http_tokens: Some(OptionValue::Required),
        http_put_response_hop_limit: Some(OptionValue::Number(2)),
        ..MetadataOptions::default()
    };
    NewVersion {
        template: "lt-1".into(),
        source: 2,
        metadata,
        description: "imdsctl".to_owned(),
        client_token: "token-1".to_owned(),
    }
}

fn repointed(to: VersionRef) -> Repointed {
    Repointed { template: "lt-1".into(), from: VersionRef::Number(3), to }
}

fn refresh() -> Refresh {
    Refresh {
        group: "nodes".to_owned(),
        repointed: vec![repointed(VersionRef::Number(4))],
        min_healthy_percentage: 90,
        auto_rollback: true,
    }
}

fn created() -> (u16, String) {
    let version = "<launchTemplateVersion><versionNumber>4</versionNumber></launchTemplateVersion>";
    let warning =
        "<warning><errorSet><item><code>InvalidX</code><message>no</message></item></errorSet></warning>";
    xml("CreateLaunchTemplateVersion", &format!("{version}{warning}"))
}

#[tokio::test]
async fn a_version_is_its_source_with_the_whole_block_and_its_snapshots_again() {
    let server = server(|_, _| created());
    let created = server.changer().create_version(&new_version()).await.unwrap();
    assert_eq!((created.number, created.warnings), (4, vec!["InvalidX: no".to_owned()]));
    let changes = server.changes();
    let [sent] = &changes[..] else { panic!("one request: {changes:?}") };
    for part in [
        "&LaunchTemplateId=lt-1",
        "&SourceVersion=2",
        "&ClientToken=token-1",
        "&VersionDescription=imdsctl",
        "&ResolveAlias=false",
        "&LaunchTemplateData.MetadataOptions.HttpTokens=required",
        "&LaunchTemplateData.MetadataOptions.HttpPutResponseHopLimit=2",
        "&LaunchTemplateData.BlockDeviceMapping.1.DeviceName=/dev/xvda",
        "&LaunchTemplateData.BlockDeviceMapping.1.Ebs.SnapshotId=snap-1",
        "&LaunchTemplateData.BlockDeviceMapping.1.Ebs.VolumeSize=40",
    ] {
        assert!(sent.contains(part), "{part} in {sent}");
    }
    for part in ["HttpEndpoint", "InstanceMetadataTags", "Ipv6", "UserData", "DryRun"] {
        assert!(!sent.contains(part), "{part} in {sent}");
    }
}

#[tokio::test]
async fn what_may_have_been_done_is_asked_for_again_by_its_token() {
    let server = server(|_, before| if before == 0 { ec2_error(500, "InternalError") } else { created() });
    server.changer().create_version(&new_version()).await.unwrap();
    let changes = server.changes();
    assert_eq!(changes.len(), 2);
    assert!(changes.iter().all(|sent| sent.contains("&ClientToken=token-1")), "{changes:?}");
}

#[tokio::test]
async fn a_refresh_is_asked_for_once_where_nobody_can_tell() {
    let server = server(|_, _| scaling_error(500, "InternalFailure"));
    let error = server.changer().start_refresh(&refresh()).await.unwrap_err();
    assert!(error.is_uncertain(), "{error}");
    assert_eq!(server.changes().len(), 1);
}

#[tokio::test]
async fn a_refresh_is_asked_for_again_where_aws_has_said_no() {
    let started = "<InstanceRefreshId>r-1</InstanceRefreshId>";
    let server = server(move |_, before| match before {
        0 => scaling_error(400, "Throttling"),
        _ => scaling("StartInstanceRefresh", started),
    });
    assert_eq!(server.changer().start_refresh(&refresh()).await.unwrap(), "r-1");
    let changes = server.changes();
    assert_eq!(changes.len(), 2);
    for part in [
        "&Strategy=Rolling",
        "&DesiredConfiguration.LaunchTemplate.LaunchTemplateId=lt-1",
        "&DesiredConfiguration.LaunchTemplate.Version=4",
        "&Preferences.AutoRollback=true",
        "&Preferences.SkipMatching=true",
        "&Preferences.MinHealthyPercentage=90",
    ] {
        assert!(changes[1].contains(part), "{part} in {}", changes[1]);
    }
    assert!(!changes[1].contains("LaunchTemplateName"), "Auto Scaling takes one of them");
}

#[tokio::test]
async fn a_refresh_that_could_not_be_rolled_back_is_not_started() {
    let server = server(|_, _| scaling_error(400, "ValidationError"));
    let refresh = Refresh { repointed: vec![repointed(VersionRef::Latest)], ..refresh() };
    let error = server.changer().start_refresh(&refresh).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Changed);
    assert!(error.message.contains("could not be rolled back"), "{error}");
    assert!(server.changes().is_empty());
}

#[tokio::test]
async fn a_group_gets_other_versions_and_keeps_its_name() {
    let server = server(|_, _| xml("UpdateAutoScalingGroup", ""));
    server.changer().update_group("nodes", &[repointed(VersionRef::Number(4))]).await.unwrap();
    let changes = server.changes();
    assert_eq!(
        changes,
        ["Action=UpdateAutoScalingGroup&Version=2011-01-01&AutoScalingGroupName=nodes\
             &LaunchTemplate.LaunchTemplateId=lt-1&LaunchTemplate.Version=4"]
    );
    let moved = Repointed { from: VersionRef::Number(2), ..repointed(VersionRef::Number(4)) };
    let error = server.changer().update_group("nodes", &[moved]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Changed);
    assert_eq!(server.changes().len(), 1);
}

#[tokio::test]
async fn what_eks_owns_is_never_written_whoever_asks() {
    let of_eks = Server::start(|request, _| match request {
        _ if request.starts_with("Action=DescribeLaunchTemplates&") => template(OF_EKS),
        _ if request.starts_with("Action=DescribeLaunchTemplateVersions&") => version(2),
        _ => group(GROUP_OF_EKS),
    });
    let changer = of_eks.changer();
    let number = [repointed(VersionRef::Number(4))];
    let errors = [
        changer.create_version(&new_version()).await.unwrap_err(),
        changer.set_default(&"lt-1".into(), 2).await.unwrap_err(),
        changer.delete_version(&"lt-1".into(), 2).await.unwrap_err(),
        changer.update_group("nodes", &number).await.unwrap_err(),
        changer.update_group("nodes", &[]).await.unwrap_err(),
        changer.start_refresh(&Refresh { repointed: Vec::new(), ..refresh() }).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind, ErrorKind::NotOurs, "{error}");
        assert!(error.message.contains("EKS (managed node group apps)"), "{error}");
    }
    assert_eq!(of_eks.changes(), [""; 0]);
}

#[tokio::test]
async fn an_instance_that_a_service_manages_is_never_written() {
    let server = server(|_, _| {
        let instance = "<instanceId>i-1</instanceId><instanceState><name>running</name></instanceState>\
                        <operator><managed>true</managed><principal>eks.amazonaws.com</principal></operator>";
        let reservation = format!("<item><instancesSet><item>{instance}</item></instancesSet></item>");
        xml("DescribeInstances", &format!("<reservationSet>{reservation}</reservationSet>"))
    });
    let mut options = new_version().metadata;
    let unset = server.changer().modify_instance(&"i-1".into(), &options).await.unwrap_err();
    assert!(unset.message.contains("http_endpoint is not among"), "{unset}");
    options.http_endpoint = Some(OptionValue::Enabled);
    let error = server.changer().modify_instance(&"i-1".into(), &options).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotOurs);
    assert!(error.message.contains("eks.amazonaws.com"), "{error}");
    assert!(server.changes().is_empty());
}

#[tokio::test]
async fn a_version_that_is_gone_is_deleted_and_the_default_is_not() {
    let failed = |code: &str| {
        let item = format!(
            "<item><versionNumber>3</versionNumber><responseError><code>{code}</code></responseError></item>"
        );
        let set = "unsuccessfullyDeletedLaunchTemplateVersionSet";
        xml("DeleteLaunchTemplateVersions", &format!("<{set}>{item}</{set}>"))
    };
    let gone = server(move |_, before| {
        failed(if before == 0 { "launchTemplateVersionDoesNotExist" } else { "unexpectedError" })
    });
    let changer = gone.changer();
    let default = changer.delete_version(&"lt-1".into(), 1).await.unwrap_err();
    assert_eq!(default.kind, ErrorKind::Changed);
    assert!(gone.changes().is_empty());
    changer.delete_version(&"lt-1".into(), 3).await.unwrap();
    let error = changer.delete_version(&"lt-1".into(), 3).await.unwrap_err();
    assert_eq!(error.code, "unexpectedError", "what an answer of success hides");
}

#[tokio::test]
async fn a_rehearsal_is_allowed_denied_or_says_nothing() {
    let server = server(|_, before| match before {
        0 => ec2_error(412, "DryRunOperation"),
        1 => ec2_error(403, "UnauthorizedOperation"),
        2 => ec2_error(400, "InvalidLaunchTemplateId.NotFound"),
        _ => xml("ModifyLaunchTemplate", ""),
    });
    let changer = server.changer();
    let template = "lt-1".into();
    let rehearse = || changer.rehearse_set_default(&template, 2);
    assert_eq!(rehearse().await, Rehearsal::Allowed);
    assert_eq!(rehearse().await, Rehearsal::Denied { message: "because".to_owned() });
    for _ in 0..2 {
        assert!(matches!(rehearse().await, Rehearsal::NotTestable { .. }));
    }
    assert!(server.changes().iter().all(|sent| sent.contains("&DryRun=true")));
}

#[tokio::test]
async fn a_node_group_takes_a_version_and_stays_at_its_release() {
    let server = Server::start(|request, _| {
        if request.starts_with("GET") {
            let group = r#"{"nodegroup":{"status":"ACTIVE","amiType":"AL2023_x86_64_STANDARD","version":"1.33",
                "releaseVersion":"1.33.0-20261101","launchTemplate":{"id":"lt-1","version":"3"}}}"#;
            return (200, group.to_owned());
        }
        (200, r#"{"update":{"id":"u-1","status":"InProgress"}}"#.to_owned())
    });
    let update = NodeGroupUpdate {
        cluster: "blue".to_owned(),
        node_group: "apps".to_owned(),
        template: "lt-1".into(),
        version: 4,
        pin: Some(("1.33".to_owned(), "1.33.0-20261101".to_owned())),
        force: false,
        client_token: "token-1".to_owned(),
    };
    assert_eq!(server.changer().update_node_group(&update).await.unwrap(), "u-1");
    let changes = server.changes();
    let (line, body) = changes[0].split_once('\n').unwrap();
    assert!(line.starts_with("POST /clusters/blue/node-groups/apps/update-version"), "{line}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let expected = serde_json::json!({
        "version": "1.33",
        "releaseVersion": "1.33.0-20261101",
        "launchTemplate": { "id": "lt-1", "version": "4" },
        "force": false,
        "clientRequestToken": "token-1",
    });
    assert_eq!(body, expected);
    let unpinned = NodeGroupUpdate { pin: None, ..update };
    let error = server.changer().update_node_group(&unpinned).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Changed);
    assert_eq!(server.changes().len(), 1);
}

#[test]
fn a_session_that_only_reads_is_given_no_changer() {
    let server = Server::start(|_, _| xml("Nothing", ""));
    let scope = |account: &Account| account.scope(&"eu-west-1".into());
    let reading = server.account(Guard::SessionPolicy, Task::Plan);
    let error = reading.changer(&scope(&reading)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "account 111122223333 is read by a session of arn:aws:sts::111122223333:assumed-role/Reader/imdsctl that may \
         change nothing: name a role of that account that may, with --remediate-role"
    );
    let changing = server.account(Guard::SessionPolicy, Task::Remediate);
    assert!(changing.changer(&scope(&changing)).is_ok());
}
