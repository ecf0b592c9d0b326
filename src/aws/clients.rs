//! Service clients, all built in one place: none without the gate, the meter, the pace and the retry rules.

use aws_config::SdkConfig;

use super::meter::Meter;
use super::operations::Task;
use super::pace::Pacer;
use super::renewal::Renewal;
use crate::model::{AccountId, Region};

/// The clients of one account in its home Region, and the recipe for those of other Regions.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    config: SdkConfig,
    wiring: Wiring,
    task: Task,
    /// Of a session, which may be over before its time.
    renewal: Option<Renewal>,
}

/// The clients that find accounts and sign in to them, of the base credentials.
#[derive(Clone, Debug)]
pub(super) struct SignIn {
    config: SdkConfig,
    wiring: Wiring,
    /// Whose credentials they are, as far as that is known: AWS counts what they ask together.
    account: String,
    /// None: whoever has the base credentials renews them.
    renewal: Option<Renewal>,
}

/// What every client of the process is tied to.
#[derive(Clone, Debug)]
pub(super) struct Wiring {
    pub meter: Meter,
    pub pacer: Pacer,
}

/// The clients of one account in one Region. Made for a scope and dropped with it: building one takes a
/// fraction of a millisecond, and a thousand scopes' worth would be held for nothing.
#[derive(Clone, Debug)]
pub(super) struct Regional {
    pub ec2: aws_sdk_ec2::Client,
    pub eks: aws_sdk_eks::Client,
    pub autoscaling: aws_sdk_autoscaling::Client,
}

/// Builds a client of a service crate with gate, meter, pace and retry rules. A macro, since each service has a
/// configuration type of its own.
macro_rules! client {
    ($service:ident, $word:literal, $clients:expr, $config:expr, $account:expr, $task:expr) => {{
        let sdk: &aws_config::SdkConfig = $config;
        let region = sdk.region().map_or("", AsRef::as_ref);
        let mut config = $service::config::Builder::from(sdk)
            .retry_partition($crate::aws::retry::partition($account, region, $word))
            .retry_classifier($crate::aws::retry::Hopeless::of(sdk))
            .retry_classifier($crate::aws::whole::Whole)
            .interceptor($crate::aws::whole::Whole)
            .interceptor($crate::aws::lean::Lean::of($task))
            .interceptor($crate::aws::gate::Gate::new($word, $task))
            .interceptor($clients.wiring.meter.probe($word))
            .interceptor($clients.wiring.pacer.guide($account, region, $word));
        if let Some(renewal) = &$clients.renewal {
            config = config.interceptor(renewal.clone()).retry_classifier(renewal.clone());
        }
        $service::Client::from_conf(config.build())
    }};
}

/// Builds a client of a [`Courier`](super::deliver::Courier), with what its service needs besides. Without the check
/// that XML is whole: what S3 answers with is whatever someone put there.
macro_rules! courier_client {
    ($service:ident, $word:literal, $courier:expr, $config:expr, $besides:expr) => {{
        let sdk: &aws_config::SdkConfig = $config;
        let region = sdk.region().map_or("", AsRef::as_ref);
        let config = $service::config::Builder::from(sdk)
            .retry_partition($crate::aws::retry::partition(&$courier.account, region, $word))
            .retry_classifier($crate::aws::retry::Hopeless::of(sdk))
            .interceptor($crate::aws::gate::Gate::new($word, $crate::aws::operations::Task::Deliver))
            .interceptor($courier.wiring.meter.probe($word))
            .interceptor($courier.wiring.pacer.guide(&$courier.account, region, $word));
        let besides: fn($service::config::Builder) -> $service::config::Builder = $besides;
        $service::Client::from_conf(besides(config).build())
    }};
}

pub(super) use {client, courier_client};

impl Clients {
    pub fn new(config: SdkConfig, wiring: Wiring, task: Task) -> Self {
        Self { config, wiring, task, renewal: None }
    }

    /// What they are made for.
    pub fn task(&self) -> Task {
        self.task
    }

    /// The same credentials for another task.
    pub fn for_task(&self, task: Task) -> Self {
        Self { task, ..self.clone() }
    }

    /// The same, of a session.
    pub fn renewed_by(self, renewal: Renewal) -> Self {
        Self { renewal: Some(renewal), ..self }
    }

    /// EC2 in the home Region, which is asked about all others.
    pub fn home(&self, account: &AccountId) -> aws_sdk_ec2::Client {
        client!(aws_sdk_ec2, "ec2", self, &self.config, account.as_str(), self.task)
    }

    pub fn regional(&self, account: &AccountId, region: &Region) -> Regional {
        let config = in_region(&self.config, region.as_str());
        let account = account.as_str();
        Regional {
            ec2: client!(aws_sdk_ec2, "ec2", self, &config, account, self.task),
            eks: client!(aws_sdk_eks, "eks", self, &config, account, self.task),
            autoscaling: client!(aws_sdk_autoscaling, "autoscaling", self, &config, account, self.task),
        }
    }

    /// EC2 in a Region, for whoever needs nothing else.
    pub fn ec2(&self, account: &AccountId, region: &Region) -> aws_sdk_ec2::Client {
        let config = in_region(&self.config, region.as_str());
        client!(aws_sdk_ec2, "ec2", self, &config, account.as_str(), self.task)
    }

    /// CloudWatch in a Region, which only plans ask.
    pub fn cloudwatch(&self, account: &AccountId, region: &Region) -> aws_sdk_cloudwatch::Client {
        let config = in_region(&self.config, region.as_str());
        client!(aws_sdk_cloudwatch, "cloudwatch", self, &config, account.as_str(), self.task)
    }
}

impl SignIn {
    pub fn new(config: SdkConfig, wiring: Wiring) -> Self {
        Self { config, wiring, account: "caller".to_owned(), renewal: None }
    }

    /// The same, of an account that is known by now.
    pub fn of(self, account: &AccountId) -> Self {
        Self { account: account.to_string(), ..self }
    }

    /// STS in the home Region.
    pub fn sts(&self) -> aws_sdk_sts::Client {
        client!(aws_sdk_sts, "sts", self, &self.config, &self.account, Task::SignIn)
    }

    /// STS in another Region.
    pub fn sts_in(&self, region: &Region) -> aws_sdk_sts::Client {
        let config = in_region(&self.config, region.as_str());
        client!(aws_sdk_sts, "sts", self, &config, &self.account, Task::SignIn)
    }

    /// Organizations, which has one endpoint in each partition.
    pub fn organizations(&self) -> aws_sdk_organizations::Client {
        let region = match self.config.region().map_or("", AsRef::as_ref) {
            region if region.starts_with("cn-") => "cn-northwest-1",
            region => super::session::home_region(region),
        };
        let config = in_region(&self.config, region);
        client!(aws_sdk_organizations, "organizations", self, &config, &self.account, Task::SignIn)
    }
}

pub(super) fn in_region(config: &SdkConfig, region: &str) -> SdkConfig {
    config.to_builder().region(aws_types::region::Region::new(region.to_owned())).build()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    use super::*;
    use crate::aws::errors::{CallError, ErrorKind};
    use crate::aws::operations::Operation;
    use crate::aws::{Aws, StaticEndpoint, Timeouts};

    /// Clients for an endpoint that listens and never answers.
    fn clients(aws: &Aws, listener: &TcpListener) -> Regional {
        all(aws, listener).regional(&"111122223333".into(), &"eu-west-1".into())
    }

    fn all(aws: &Aws, listener: &TcpListener) -> Clients {
        listener.set_nonblocking(true).unwrap();
        let endpoint = StaticEndpoint {
            url: format!("http://{}", listener.local_addr().unwrap()),
            access_key: "AKIAIOSFODNN7EXAMPLE".into(),
            secret_key: "secret".into(),
        };
        let config = aws.isolated(&endpoint, None);
        aws.reading(config)
    }

    fn has_connection(listener: &TcpListener) -> bool {
        listener.accept().is_ok()
    }

    #[tokio::test]
    async fn what_reads_refuses_what_would_change_anything_before_a_connection_is_made() {
        for task in [Task::Audit, Task::Plan, Task::Scopes] {
            refuses_changes(task).await;
        }
    }

    async fn refuses_changes(task: Task) {
        let aws = Aws::new(Timeouts::default(), task);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let clients = clients(&aws, &listener);

        let call = clients.ec2.modify_instance_metadata_options().instance_id("i-0123456789abcdef0");
        let modify = Operation { service: "ec2", name: "ModifyInstanceMetadataOptions" };
        let error = CallError::from_sdk(modify, &call.send().await.unwrap_err());
        assert_eq!(error.kind, ErrorKind::GateRefused);
        assert!(error.message.contains("ec2:ModifyInstanceMetadataOptions"), "{}", error.message);

        let call = clients.ec2.create_launch_template_version().launch_template_id("lt-1");
        let create = Operation { service: "ec2", name: "CreateLaunchTemplateVersion" };
        assert_eq!(CallError::from_sdk(create, &call.send().await.unwrap_err()).kind, ErrorKind::GateRefused);

        let call = clients.eks.update_nodegroup_version().cluster_name("blue").nodegroup_name("workers");
        let update = Operation { service: "eks", name: "UpdateNodegroupVersion" };
        assert_eq!(CallError::from_sdk(update, &call.send().await.unwrap_err()).kind, ErrorKind::GateRefused);

        let call = clients.autoscaling.start_instance_refresh().auto_scaling_group_name("group");
        let start = Operation { service: "autoscaling", name: "StartInstanceRefresh" };
        assert_eq!(CallError::from_sdk(start, &call.send().await.unwrap_err()).kind, ErrorKind::GateRefused);

        assert!(!has_connection(&listener));
        assert_eq!(aws.meter().snapshot().total(), 0);
    }

    /// Whatever a rehearsal is made to ask, it is a dry run, or it does not leave.
    #[tokio::test]
    async fn a_rehearsal_sends_nothing_that_is_none() {
        let aws = Aws::default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ec2 =
            all(&aws, &listener).for_task(Task::Rehearse).ec2(&"111122223333".into(), &"eu-west-1".into());
        let modify = Operation { service: "ec2", name: "ModifyInstanceMetadataOptions" };
        let call = || ec2.modify_instance_metadata_options().instance_id("i-1&DryRun=true");
        let without = |request: &mut aws_smithy_runtime_api::client::orchestrator::HttpRequest| {
            let body = String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap();
            *request.body_mut() = body.replace("DryRun=true", "DryRun=false").into();
        };
        let errors = [
            call().send().await.unwrap_err(),
            call().dry_run(false).send().await.unwrap_err(),
            // Even where somebody changes the request on its way.
            call().dry_run(true).customize().mutate_request(without).send().await.unwrap_err(),
        ];
        for error in errors {
            let error = CallError::from_sdk(modify, &error);
            assert_eq!(error.kind, ErrorKind::GateRefused);
            assert!(error.message.contains("does not ask for a dry run"), "{}", error.message);
        }
        let read = ec2.describe_instances().dry_run(true).send().await.unwrap_err();
        let describe = Operation { service: "ec2", name: "DescribeInstances" };
        assert_eq!(CallError::from_sdk(describe, &read).kind, ErrorKind::GateRefused);
        assert!(!has_connection(&listener));
        assert_eq!(aws.meter().snapshot().total(), 0);
        // And what is one does.
        let rehearsal = tokio::time::timeout(Duration::from_millis(500), call().dry_run(true).send());
        assert!(rehearsal.await.is_err(), "the endpoint does not answer");
        assert!(has_connection(&listener));
    }

    #[tokio::test]
    async fn what_changes_an_account_changes_nothing_else() {
        let aws = Aws::default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ec2 =
            all(&aws, &listener).for_task(Task::Remediate).ec2(&"111122223333".into(), &"eu-west-1".into());
        let run = Operation { service: "ec2", name: "RunInstances" };
        let error = ec2.run_instances().min_count(1).max_count(1).send().await.unwrap_err();
        assert_eq!(CallError::from_sdk(run, &error).kind, ErrorKind::GateRefused);
        let delete = Operation { service: "ec2", name: "DeleteLaunchTemplate" };
        let error = ec2.delete_launch_template().launch_template_id("lt-1").send().await.unwrap_err();
        assert_eq!(CallError::from_sdk(delete, &error).kind, ErrorKind::GateRefused);
        assert!(!has_connection(&listener));
    }

    /// Begins an answer, and sends a byte of it now and then for as long as somebody listens.
    fn dribble(mut stream: TcpStream) {
        let _ = stream.read(&mut [0; 8192]);
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: 1000000\r\n\r\n";
        let mut sent = stream.write_all(head.as_bytes());
        while sent.is_ok() {
            std::thread::park_timeout(Duration::from_millis(5));
            sent = stream.write_all(b" ");
        }
    }

    #[tokio::test]
    async fn an_answer_that_never_ends_is_given_up_soon() {
        let aws = Aws::new(Timeouts::default().at_most(Duration::from_millis(200)), Task::Audit);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let clients = clients(&aws, &listener);
        listener.set_nonblocking(false).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                std::thread::spawn(move || dribble(stream.unwrap()));
            }
        });
        let error = clients.ec2.describe_regions().send().await.unwrap_err();
        let describe = Operation { service: "ec2", name: "DescribeRegions" };
        assert_eq!(CallError::from_sdk(describe, &error).kind, ErrorKind::Timeout);
        assert_eq!(aws.meter().snapshot().total(), 2);
    }

    #[tokio::test]
    async fn a_read_passes_the_gate_and_a_silent_endpoint_is_given_up_soon() {
        let aws = Aws::new(Timeouts::default().at_most(Duration::from_millis(200)), Task::Audit);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let clients = clients(&aws, &listener);
        let error = clients.ec2.describe_regions().send().await.unwrap_err();
        let describe = Operation { service: "ec2", name: "DescribeRegions" };
        assert_eq!(CallError::from_sdk(describe, &error).kind, ErrorKind::Timeout);
        assert!(has_connection(&listener));
        let sent = aws.meter().snapshot().calls["ec2:DescribeRegions"];
        assert!((1..=2).contains(&sent), "{sent} attempts");
    }
}
