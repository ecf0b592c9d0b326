//! The one HTTP client of the process.
//!
//! The SDK would give each service client a connection pool of its own; at 17 Regions and four services that
//! is hundreds of TLS handshakes. It would also forget proxies: the environment's are honoured here.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_ec2::config::SharedAsyncSleep;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use tokio::sync::Semaphore;

use super::errors::is_throttled;
use super::pace::Turn;

/// How many requests are under way at once, and with that how many connections there are. Those that wait for
/// their turn are not among them.
const MOST_UNDER_WAY: usize = 128;

/// A client that honours `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, and gives up on an attempt after
/// that time.
pub(super) fn from_environment(attempt: Duration) -> SharedHttpClient {
    SharedHttpClient::new(Client::new(Some(ProxyConfig::from_env()), attempt))
}

/// A client that connects to where it is told, whatever the environment says.
pub(super) fn direct(attempt: Duration) -> SharedHttpClient {
    SharedHttpClient::new(Client::new(None, attempt))
}

/// How a request travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Lane {
    /// Without TLS and without a proxy.
    Direct,
    /// Without TLS, through the environment's proxy if there is one.
    Plain,
    /// With TLS, through the environment's proxy if there is one.
    Tls,
}

type PoolKey = (Lane, Option<Duration>, Option<Duration>);

/// Pools are made when first used: certificates are loaded only once something needs TLS, so that `--demo`
/// works on a machine that has none.
#[derive(Clone, Debug)]
struct Client {
    proxy: Option<ProxyConfig>,
    /// How long an attempt may take, from when it is sent until its answer is complete.
    attempt: Duration,
    under_way: Arc<Semaphore>,
    pools: Arc<Mutex<HashMap<PoolKey, SharedHttpConnector>>>,
}

impl Client {
    fn new(proxy: Option<ProxyConfig>, attempt: Duration) -> Self {
        Self { proxy, attempt, under_way: Arc::new(Semaphore::new(MOST_UNDER_WAY)), pools: Arc::default() }
    }

    fn pool(
        &self,
        lane: Lane,
        settings: &HttpConnectorSettings,
        parts: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let key = (lane, settings.connect_timeout(), settings.read_timeout());
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools
            .entry(key)
            .or_insert_with(|| SharedHttpConnector::new(self.connector(lane, settings, parts.sleep_impl())))
            .clone()
    }

    fn connector(
        &self,
        lane: Lane,
        settings: &HttpConnectorSettings,
        sleep: Option<SharedAsyncSleep>,
    ) -> Connector {
        let mut builder: ConnectorBuilder =
            Connector::builder().connector_settings(settings.clone()).pool_max_idle_per_host(MOST_UNDER_WAY);
        builder.set_sleep_impl(sleep);
        if lane != Lane::Direct {
            builder.set_proxy_config(self.proxy.clone());
        }
        match lane {
            Lane::Direct | Lane::Plain => builder.build_http(),
            Lane::Tls => builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).build(),
        }
    }
}

/// Sends one request that is none to AWS, through the environment's proxy if there is one, and reads its answer. It has
/// `limit` for that, and is not sent again.
pub(super) async fn send_once(
    request: HttpRequest,
    limit: Duration,
    sleep: Option<SharedAsyncSleep>,
) -> Result<HttpResponse, ConnectorError> {
    let client = Client::new(Some(ProxyConfig::from_env()), limit);
    let endpoint = endpoint_of(request.uri());
    let settings = HttpConnectorSettings::builder().connect_timeout(limit).read_timeout(limit).build();
    let connector = SharedHttpConnector::new(client.connector(lane_of(&endpoint), &settings, sleep));
    let answer = tokio::time::timeout(limit, exchange(&connector, request)).await;
    let answer = answer.unwrap_or_else(|elapsed| Err(ConnectorError::timeout(elapsed.into())));
    answer.map_err(|error| name_endpoint(error, endpoint, 1))
}

impl HttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        parts: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Router {
            client: self.clone(),
            settings: settings.clone(),
            parts: parts.clone(),
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("hyper", Some("1.x".into())))
    }
}

/// Sends each request down its lane when it is its turn, and names the endpoint in what goes wrong.
#[derive(Debug)]
struct Router {
    client: Client,
    settings: HttpConnectorSettings,
    parts: RuntimeComponents,
}

impl HttpConnector for Router {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let endpoint = endpoint_of(request.uri());
        let attempt = attempt_of(&request);
        let lane = lane_of(&endpoint);
        let pool = self.client.pool(lane, &self.settings, &self.parts);
        let (under_way, limit) = (Arc::clone(&self.client.under_way), self.client.attempt);
        HttpConnectorFuture::new(async move {
            // The clock of the attempt starts after the waiting.
            let turn = request.extension::<Turn>().cloned();
            let sent = match &turn {
                Some(turn) => Some(turn.wait().await),
                None => None,
            };
            let _place = under_way.acquire().await;
            let answer = tokio::time::timeout(limit, exchange(&pool, request)).await;
            let answer = answer.unwrap_or_else(|elapsed| Err(ConnectorError::timeout(elapsed.into())));
            if let (Some(turn), Some(sent), Ok(answer)) = (turn, sent, &answer) {
                turn.answered(sent, is_throttled(answer));
            }
            let mut answer = answer.map_err(|error| name_endpoint(error, endpoint, attempt))?;
            answer.add_extension(Attempt(attempt));
            Ok(answer)
        })
    }
}

/// Which attempt of its call an answer is to, from 1. It travels with the answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt(pub u32);

/// Sends a request and reads its answer to the end: what AWS says to slow down stands in the body, and a body
/// that never ends is as bad as no answer.
async fn exchange(pool: &SharedHttpConnector, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let mut answer = pool.call(request).await?;
    let body = ByteStream::new(answer.take_body()).collect().await;
    let body = body.map_err(|error| ConnectorError::io(error.into()))?;
    *answer.body_mut() = SdkBody::from(body.into_bytes());
    Ok(answer)
}

/// `https://host:port` of a URL.
pub(super) fn endpoint_of(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    // Credentials in an endpoint URL are nobody's business.
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}")
}

/// Which attempt this is, from 1: the SDK writes it into a header.
fn attempt_of(request: &HttpRequest) -> u32 {
    let header = request.headers().get("amz-sdk-request").unwrap_or_default();
    let number = header.split(';').find_map(|part| part.trim().strip_prefix("attempt="));
    number.and_then(|number| number.parse().ok()).unwrap_or(1)
}

fn lane_of(endpoint: &str) -> Lane {
    let Some(host) = endpoint.strip_prefix("http://") else { return Lane::Tls };
    // The credential services of instances, containers and pods answer on the machine itself; a proxy
    // would ask for its own credentials instead.
    let local = ["169.254.", "[fd00:ec2::"].iter().any(|prefix| host.starts_with(prefix));
    if local { Lane::Direct } else { Lane::Plain }
}

/// An attempt that got no answer, and why.
#[derive(Debug)]
pub(super) struct Unanswered {
    /// `https://host:port`
    pub endpoint: String,
    /// What went wrong.
    pub cause: Cause,
    /// Which attempt of the call it was, from 1.
    pub attempt: u32,
    source: Box<dyn Error + Send + Sync>,
}

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The host's name has no address.
    UnknownHost,
    /// Nothing listens there.
    Refused,
    /// There is no way there, or it did not accept a connection in time.
    Unreachable,
    /// It accepted the connection and then said nothing in time.
    Silent,
    /// Its certificate is not trusted, or there is no common ground on encryption.
    Untrusted,
    /// The connection broke, or what came was not HTTP.
    Broken,
}

impl Unanswered {
    /// The one in a chain of errors.
    pub fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        chain(error).find_map(|error| error.downcast_ref())
    }

    /// Whether nothing was sent, since there was no connection to send it by.
    pub fn never_left(&self) -> bool {
        matches!(self.cause, Cause::UnknownHost | Cause::Refused | Cause::Unreachable | Cause::Untrusted)
    }

    /// Whether asking again is unlikely to help, unlike after a connection that broke.
    pub fn is_silence(&self) -> bool {
        self.cause != Cause::Broken
    }
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = &self.endpoint;
        match self.cause {
            Cause::UnknownHost => write!(f, "{endpoint} does not exist: its name could not be resolved"),
            Cause::Refused => write!(f, "{endpoint} refused the connection: nothing listens there"),
            Cause::Unreachable => write!(f, "{endpoint} could not be reached"),
            Cause::Silent => write!(f, "{endpoint} did not answer in time"),
            Cause::Untrusted => write!(f, "the certificate of {endpoint} is not trusted"),
            Cause::Broken => write!(f, "the connection to {endpoint} broke before an answer was complete"),
        }
    }
}

impl Error for Unanswered {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref())
    }
}

/// The same failure, of the same kind for the SDK's retries, with the endpoint and a cause.
fn name_endpoint(error: ConnectorError, endpoint: String, attempt: u32) -> ConnectorError {
    let cause = cause_of(&error);
    let (timeout, io, user, other) = (error.is_timeout(), error.is_io(), error.is_user(), error.as_other());
    let source = Box::new(Unanswered { endpoint, cause, attempt, source: error.into_source() });
    match (timeout, io, user) {
        (true, ..) => ConnectorError::timeout(source),
        (_, true, _) => ConnectorError::io(source),
        (_, _, true) => ConnectorError::user(source),
        _ => ConnectorError::other(source, other),
    }
}

fn cause_of(error: &ConnectorError) -> Cause {
    if let Some(kind) =
        chain(error).filter_map(|error| error.downcast_ref::<io::Error>()).map(io::Error::kind).last()
    {
        match kind {
            io::ErrorKind::ConnectionRefused => return Cause::Refused,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => return Cause::Unreachable,
            _ => {}
        }
    }
    // The types of these are private to the HTTP stack; their texts are what there is.
    let text = chain(error).map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let says = |word: &str| text.contains(word);
    if says("dns error") || says("failed to lookup") || says("DNS lookup") {
        Cause::UnknownHost
    } else if says("peer certificate") || says("tls handshake") || says("HandshakeFailure") {
        Cause::Untrusted
    } else if says("HTTP connect timeout") {
        Cause::Unreachable
    } else if error.is_timeout() {
        Cause::Silent
    } else {
        Cause::Broken
    }
}

/// An error and what caused it. An `io::Error` hides its payload from `source()`.
pub(super) fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as _),
        None => error.source(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_named_without_its_secrets() {
        assert_eq!(endpoint_of("http://me:secret@127.0.0.1:5000/path?q"), "http://127.0.0.1:5000");
        assert_eq!(endpoint_of("https://ec2.eu-west-1.amazonaws.com"), "https://ec2.eu-west-1.amazonaws.com");
    }

    #[test]
    fn credential_services_of_the_machine_are_never_asked_through_a_proxy() {
        assert_eq!(lane_of("http://169.254.169.254"), Lane::Direct);
        assert_eq!(lane_of("http://[fd00:ec2::254]"), Lane::Direct);
        assert_eq!(lane_of("http://127.0.0.1:5000"), Lane::Plain);
        assert_eq!(lane_of("https://sts.amazonaws.com"), Lane::Tls);
    }

    #[test]
    fn the_attempt_is_read_from_the_header() {
        let mut request = HttpRequest::empty();
        assert_eq!(attempt_of(&request), 1);
        request.headers_mut().insert("amz-sdk-request", "ttl=20261122T120000Z; attempt=3; max=5");
        assert_eq!(attempt_of(&request), 3);
    }

    #[test]
    fn a_refused_connection_is_told_from_a_broken_one() {
        let refused = ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionRefused).into());
        assert_eq!(cause_of(&refused), Cause::Refused);
        let reset = ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionReset).into());
        assert_eq!(cause_of(&reset), Cause::Broken);
        let silent = ConnectorError::timeout("HTTP read timeout occurred after 20s".into());
        assert_eq!(cause_of(&silent), Cause::Silent);
    }
}
