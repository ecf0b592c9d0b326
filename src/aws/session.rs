//! From settings to base credentials that work.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::identity::IdentityCache;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::{RetryConfig, RetryMode};
use aws_config::{AppName, BehaviorVersion, ConfigLoader, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use super::base::Base;
use super::clients::{SignIn, Wiring};
use super::connect_error::{ConnectError, ConnectErrorKind};
use super::deliver::Courier;
use super::meter::Meter;
use super::operations::Task;
use super::pace::{ApiShare, Pacer};
use super::timeouts::Timeouts;
use super::{http, retry};
use crate::model::Region;

/// The behaviour of the SDK that this code was written against. Named, so that an update of the SDK cannot
/// change it unseen.
fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// How long a credential provider may take: signing in through a browser is done before, but an external
/// process may well ask a slow service.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(30);

/// What the accounts of one process share: what they are read for, connections, limits and the count of requests.
#[derive(Clone, Debug)]
pub struct Aws {
    task: Task,
    timeouts: Timeouts,
    http: SharedHttpClient,
    direct: SharedHttpClient,
    meter: Meter,
    pacer: Pacer,
}

/// Where to find an account.
#[derive(Clone, Debug, Default)]
pub struct ConnectSettings {
    /// A profile of the AWS configuration files, instead of the default credentials.
    pub profile: Option<String>,
    /// A Region that will be read. It decides where to ask who the caller is, if nothing is configured: in
    /// the partition of that Region.
    pub region_hint: Option<Region>,
    /// A server to talk to instead of AWS, whatever environment and configuration files say.
    pub endpoint: Option<StaticEndpoint>,
}

/// A server that stands in for AWS, with the credentials it knows. Nothing of the environment applies to
/// it: no variable, no file, no proxy.
#[derive(Clone)]
pub struct StaticEndpoint {
    /// Its URL, `http://127.0.0.1:PORT`.
    pub url: String,
    /// The access key id.
    pub access_key: String,
    /// The secret access key.
    pub secret_key: String,
}

impl std::fmt::Debug for StaticEndpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaticEndpoint").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Default for Aws {
    fn default() -> Self {
        Self::new(Timeouts::default(), Task::Audit)
    }
}

impl Aws {
    /// One for the process, whose clients of accounts call what `task` allows. Proxies are taken from the environment
    /// when the first connection is made.
    pub fn new(timeouts: Timeouts, task: Task) -> Self {
        Self {
            task,
            timeouts,
            http: http::from_environment(timeouts.attempt),
            direct: http::direct(timeouts.attempt),
            meter: Meter::default(),
            pacer: Pacer::new(ApiShare::default()),
        }
    }

    /// The same, taking this share of what AWS allows.
    #[must_use]
    pub fn with_api_share(self, share: ApiShare) -> Self {
        Self { pacer: Pacer::new(share), ..self }
    }

    /// The count of requests sent so far, of all accounts.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Finds base credentials and asks AWS whose they are.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says in a sentence why that is not possible, and what to do.
    pub async fn connect(&self, settings: &ConnectSettings) -> Result<Base, ConnectError> {
        let (config, region) = if let Some(endpoint) = &settings.endpoint {
            (self.isolated(endpoint, settings.region_hint.as_ref()), None)
        } else {
            let region = configured_region(settings).await;
            (Box::pin(self.configured(settings, region.clone())).await?, region)
        };
        let sign_in = SignIn::new(config.clone(), self.wiring());
        let identity = match Box::pin(sign_in.sts().get_caller_identity().send()).await {
            Ok(identity) => identity,
            Err(error) => return Err(self.explain(settings, ConnectError::from_sdk(settings, &error)).await),
        };
        let mut base = Base::new(config, self.wiring(), self.task, sign_in, identity.arn())?;
        base.configured_region = region.map(|region| Region::from(region.as_ref()));
        base.profile.clone_from(&settings.profile);
        Ok(base)
    }

    /// Finds the credentials that reports are carried with. Nobody is asked whose they are: what they may do shows when it
    /// is done.
    ///
    /// # Errors
    ///
    /// When the settings of the environment or of the profile make no sense.
    pub async fn courier(&self, settings: &ConnectSettings) -> Result<Courier, ConnectError> {
        let region = configured_region(settings).await;
        let config = Box::pin(self.configured(settings, region)).await?;
        Ok(Courier { config, wiring: self.wiring(), account: "courier".to_owned() })
    }

    /// The same error, more exact where it can be.
    async fn explain(&self, settings: &ConnectSettings, error: ConnectError) -> ConnectError {
        use ConnectErrorKind::{CredentialsFailed, NoCredentials, NoSuchProfile};

        let of_files = matches!(error.kind, NoCredentials | NoSuchProfile | CredentialsFailed);
        if !of_files || settings.endpoint.is_some() {
            return error;
        }
        if let Some(error) = unreadable_files(settings).await {
            return error;
        }
        if error.kind != NoCredentials {
            return error;
        }
        let config = ProviderConfig::without_region().with_http_client(self.http.clone());
        let profile = ProfileFileCredentialsProvider::builder().configure(&config).build();
        match profile.provide_credentials().await {
            Ok(_) => error,
            Err(lone) => error.or_missing_profile(&lone),
        }
    }

    /// What every client of this process is tied to.
    pub(super) fn wiring(&self) -> Wiring {
        Wiring { meter: self.meter.clone(), pacer: self.pacer.clone() }
    }

    #[cfg(test)]
    pub(super) fn reading(&self, config: SdkConfig) -> super::clients::Clients {
        super::clients::Clients::new(config, self.wiring(), self.task)
    }

    /// A configuration that owes nothing to the environment. No `ConfigLoader`, which would read it.
    pub(super) fn isolated(&self, endpoint: &StaticEndpoint, hint: Option<&Region>) -> SdkConfig {
        let credentials = Credentials::new(&endpoint.access_key, &endpoint.secret_key, None, None, "imdsctl");
        let mut builder = SdkConfig::builder()
            .behavior_version(behavior())
            .region(aws_types::region::Region::new(home_region(hint.map_or("", Region::as_str))))
            .endpoint_url(&endpoint.url)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .identity_cache(identity_cache())
            .http_client(self.direct.clone())
            .timeout_config(self.timeouts.config())
            .retry_config(retry::default_config());
        builder.set_app_name(app_name());
        builder.build()
    }

    /// The user's configuration: environment, profiles, single sign-on, external processes, container and
    /// instance roles; endpoints, FIPS and dual-stack settings.
    async fn configured(
        &self,
        settings: &ConnectSettings,
        region: Option<aws_types::region::Region>,
    ) -> Result<SdkConfig, ConnectError> {
        let hint = settings.region_hint.as_ref().map_or("", Region::as_str);
        let region = region.unwrap_or_else(|| aws_types::region::Region::new(home_region(hint)));
        let mut loader = ConfigLoader::default()
            .behavior_version(behavior())
            .http_client(self.http.clone())
            .timeout_config(self.timeouts.config())
            // Set here and refined below: the loader panics on a value that is not a number.
            .retry_config(retry::default_config())
            .identity_cache(identity_cache())
            .region(region.clone());
        if let Some(name) = app_name() {
            loader = loader.app_name(name);
        }
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(profile).credentials_provider(self.profile(profile, region));
        }
        let config = loader.load().await;
        let retries = configured_retries(&config)?;
        Ok(config.into_builder().retry_config(retries).build())
    }

    /// The credentials of a profile and no others: the default chain would prefer keys in the environment
    /// to a profile that was asked for by name.
    fn profile(&self, name: &str, region: aws_types::region::Region) -> ProfileFileCredentialsProvider {
        let config =
            ProviderConfig::without_region().with_http_client(self.http.clone()).with_region(Some(region));
        ProfileFileCredentialsProvider::builder().profile_name(name).configure(&config).build()
    }
}

pub(super) fn identity_cache() -> SharedIdentityCache {
    IdentityCache::lazy().load_timeout(CREDENTIALS_TIMEOUT).build()
}

fn app_name() -> Option<AppName> {
    AppName::new("imdsctl").ok()
}

/// What is wrong with the AWS configuration files, and where. Providers pass over a file that cannot be parsed,
/// or do not say which line it is.
async fn unreadable_files(settings: &ConnectSettings) -> Option<ConnectError> {
    let profile = settings.profile.clone().map(Into::into);
    #[expect(clippy::default_trait_access, reason = "the type is of a crate that is no dependency of ours")]
    let files = Default::default();
    let loaded = aws_config::profile::load(&Fs::real(), &Env::real(), &files, profile).await;
    let error = loaded.err()?;
    let said = http::chain(&error).last().map_or_else(String::new, ToString::to_string);
    let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let message = format!("the AWS configuration files cannot be used: {line}");
    Some(ConnectError::new(ConnectErrorKind::Configuration, message))
}

/// The Region of the environment or the profile. The instance's own is not asked for: away from EC2 that
/// means waiting for nothing, and where Regions matter they are given or configured.
async fn configured_region(settings: &ConnectSettings) -> Option<aws_types::region::Region> {
    let mut profile = ProfileFileRegionProvider::builder();
    if let Some(name) = &settings.profile {
        profile = profile.profile_name(name);
    }
    let environment = EnvironmentVariableRegionProvider::new();
    RegionProviderChain::first_try(environment).or_else(profile.build()).region().await
}

/// The first Region of the partition that another belongs to, which no account has to ask for: where to ask who
/// the caller is if nothing is configured. Not the other itself, which may be a Region that does not exist.
pub(super) fn home_region(other: &str) -> &'static str {
    const HOMES: [(&str, &str); 7] = [
        ("cn-", "cn-north-1"),
        ("us-gov-", "us-gov-west-1"),
        ("us-iso-", "us-iso-east-1"),
        ("us-isob-", "us-isob-east-1"),
        ("us-isof-", "us-isof-south-1"),
        ("eu-isoe-", "eu-isoe-west-1"),
        ("eusc-", "eusc-de-east-1"),
    ];
    HOMES.iter().find(|(prefix, _)| other.starts_with(prefix)).map_or("us-east-1", |(_, home)| home)
}

/// The user's `AWS_MAX_ATTEMPTS` and `AWS_RETRY_MODE`, or the profile's, where set.
fn configured_retries(config: &SdkConfig) -> Result<RetryConfig, ConnectError> {
    let mut retries = retry::default_config();
    if let Some(text) = retry::configured_attempts(config) {
        let attempts = text.trim().parse().ok().filter(|attempts| *attempts > 0);
        let attempts = attempts.ok_or_else(|| invalid("AWS_MAX_ATTEMPTS", &text, "a number from 1"))?;
        retries = retries.with_max_attempts(attempts);
    }
    if let Some(text) = setting(config, "AWS_RETRY_MODE", "retry_mode") {
        let mode: RetryMode =
            text.trim().parse().map_err(|_| invalid("AWS_RETRY_MODE", &text, "standard or adaptive"))?;
        retries = retries.with_retry_mode(mode);
    }
    Ok(retries)
}

fn invalid(name: &str, text: &str, expected: &str) -> ConnectError {
    let message = format!("{name} is {text:?} in the environment or profile; it must be {expected}");
    ConnectError::new(ConnectErrorKind::Configuration, message)
}

/// A setting as the loaded configuration knows it.
pub(super) fn setting(config: &SdkConfig, variable: &str, key: &str) -> Option<String> {
    let service: &dyn LoadServiceConfig = config.service_config()?;
    service
        .load_config(ServiceConfigKey::builder().service_id("ec2").env(variable).profile(key).build().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// A server that gives every request the same answer, and its URL.
    fn answering(status: &'static str, kind: &'static str, body: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 8192]);
                let length = body.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\
                     connection: close\r\n\r\n{body}"
                );
            }
        });
        url
    }

    async fn connect(url: String) -> Result<Base, ConnectError> {
        let endpoint =
            StaticEndpoint { url, access_key: "AKIAIOSFODNN7EXAMPLE".into(), secret_key: "x".into() };
        let settings = ConnectSettings { endpoint: Some(endpoint), ..ConnectSettings::default() };
        Aws::default().connect(&settings).await
    }

    #[tokio::test]
    async fn the_account_and_its_partition_come_from_the_caller() {
        let url = answering(
            "200 OK",
            "text/xml",
            "<GetCallerIdentityResponse><GetCallerIdentityResult>\
             <Arn>arn:aws-cn:iam::111122223333:user/auditor</Arn><UserId>AIDA</UserId>\
             <Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
        );
        let account = connect(url).await.unwrap().account;
        assert_eq!(account.partition.as_str(), "aws-cn");
        assert_eq!(account.account_id.as_str(), "111122223333");
        let scope = account.scope(&"cn-north-1".into());
        assert_eq!(
            scope.arn("eks", "cluster/blue").as_str(),
            "arn:aws-cn:eks:cn-north-1:111122223333:cluster/blue"
        );
    }

    #[tokio::test]
    async fn expired_credentials_are_told_from_a_server_that_is_not_aws() {
        let url = answering(
            "403 Forbidden",
            "text/xml",
            "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code>\
             <Message>The security token included in the request is expired</Message></Error></ErrorResponse>",
        );
        let error = connect(url).await.unwrap_err();
        assert_eq!(error.kind, ConnectErrorKind::ExpiredCredentials);
        let url = answering("500 Internal Server Error", "text/html", "<html>moto</html>");
        let started = std::time::Instant::now();
        let error = connect(url).await.unwrap_err();
        assert!(error.to_string().contains("web page"), "{error}");
        assert!(started.elapsed() < Duration::from_millis(500), "a web page is not asked for again");
    }

    #[tokio::test]
    async fn a_closed_port_is_named_and_given_up_soon() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let started = std::time::Instant::now();
        let error = connect(url.clone()).await.unwrap_err();
        assert_eq!(error.kind, ConnectErrorKind::Unreachable);
        assert!(error.to_string().contains(&url), "{error}");
        assert!(started.elapsed() < Duration::from_secs(3));
    }

    #[test]
    fn the_partition_of_the_hint_decides_where_to_begin() {
        assert_eq!(home_region("cn-northwest-1"), "cn-north-1");
        assert_eq!(home_region("us-gov-east-1"), "us-gov-west-1");
        assert_eq!(home_region("us-isob-east-1"), "us-isob-east-1");
        assert_eq!(home_region("eu-wst-1"), "us-east-1");
        assert_eq!(home_region(""), "us-east-1");
    }

    #[test]
    fn a_secret_is_not_printed() {
        let endpoint = StaticEndpoint {
            url: "http://127.0.0.1:1".into(),
            access_key: "AKIA".into(),
            secret_key: "hush".into(),
        };
        assert!(!format!("{endpoint:?}").contains("hush"));
    }
}
