//! The HTTP server, on the loopback interface only.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, Incoming as HttpBody, SizeHint};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request as HttpRequest, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::answer::{Answer, CBOR, Reply};
use crate::counts::Counts;
use crate::fleet::{Fault, Fleet};
use crate::front::{Front, Incoming};
use crate::log::{Arrival, Log, Request};
use crate::state::{StateError, StateFile};
use crate::throttle::Throttling;
use crate::turnover::GroupTurnover;

/// More than any request of these services has.
const MAX_BODY: usize = 1 << 20;

/// How to run the simulator.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Keeps the world between runs: each change is in it before it is answered.
    pub state_file: Option<PathBuf>,
    /// Writes every request there, one line of JSON each, as soon as its answer is known.
    pub log_file: Option<PathBuf>,
    /// Counts requests, and does not keep them: for runs that would need much memory for a log.
    pub counts_only: bool,
}

/// Why the simulator did not start, or did not stop as it should.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The port cannot be had.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The state file is of no use.
    #[error(transparent)]
    State(#[from] StateError),
    /// The log cannot be written.
    #[error("cannot write the log {path}: {source}")]
    Log {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A fault or a bucket that makes no sense.
    #[error("{0}")]
    Setting(String),
}

/// The simulator.
#[derive(Debug, Clone, Copy)]
pub struct Sim;

/// A simulator that runs until it is dropped or shut down.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    front: Arc<Front>,
    log: Arc<Log>,
    log_file: Option<PathBuf>,
    accepting: JoinHandle<()>,
}

impl Sim {
    /// Starts; there may be several in one process. Needs a tokio runtime with I/O and time, and runs as tasks of it.
    ///
    /// # Errors
    /// The port is taken, the state file is not one of this fleet's, or the log cannot be written.
    pub async fn start(mut fleet: Fleet, options: Options) -> Result<Running, SimError> {
        let state = options.state_file.map(|path| StateFile::new(path, &fleet));
        let kept = match &state {
            Some(file) => file.load()?,
            None => None,
        };
        let port = options.port;
        let listen = |source| SimError::Listen { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let log_file = options.log_file;
        let log = Log::new(options.counts_only, log_file.as_deref())
            .map_err(|source| log_error(log_file.as_ref(), source))?;
        let log = Arc::new(log);
        let fresh = kept.is_none();
        let world = kept.unwrap_or_else(|| std::mem::take(&mut fleet.world));
        if let (Some(file), true) = (&state, fresh) {
            file.save(&world)?;
        }
        let front = Arc::new(Front::new(&fleet, world, state).map_err(SimError::Setting)?);
        let accepting = tokio::spawn(accept(listener, Arc::clone(&front), Arc::clone(&log)));
        Ok(Running { address, front, log, log_file, accepting })
    }
}

impl Running {
    /// `http://127.0.0.1:PORT`, for `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far, in the order in which they were answered; none where only counts are kept.
    pub fn requests(&self) -> Vec<Request> {
        self.log.requests()
    }

    /// How many requests there were of each kind so far.
    pub fn counts(&self) -> Counts {
        self.log.counts()
    }

    /// Every group that has lost an instance since the fleet was made, and how its instances went.
    pub fn turnover(&self) -> Vec<GroupTurnover> {
        self.front.turnover()
    }

    /// Forgets the requests so far, so that the next run is looked at by itself.
    pub fn clear_requests(&self) {
        self.log.clear();
    }

    /// From now on these faults strike, and no others.
    ///
    /// # Errors
    /// One of them makes no sense; then everything stays as it is.
    pub fn set_faults(&self, faults: &[Fault]) -> Result<(), SimError> {
        self.front.set_faults(faults).map_err(SimError::Setting)
    }

    /// From now on nothing goes wrong on purpose.
    pub fn clear_faults(&self) {
        // An empty list makes sense.
        let _ = self.front.set_faults(&[]);
    }

    /// From now on it is throttled like this, with every bucket full, or not at all.
    ///
    /// # Errors
    /// The table makes no sense; then everything stays as it is.
    pub fn set_throttling(&self, throttling: Option<&Throttling>) -> Result<(), SimError> {
        self.front.set_throttling(throttling).map_err(SimError::Setting)
    }

    /// Makes it later for sessions of roles, so that they expire without anyone having to wait. It is never made
    /// earlier again, and what a fleet's dates are has nothing to do with it.
    pub fn advance(&self, by: Duration) {
        self.front.identities.clock.advance(by);
    }

    /// Stops, cutting connections. A state file has every change already.
    ///
    /// # Errors
    /// The log cannot be written.
    pub async fn shutdown(mut self) -> Result<(), SimError> {
        self.accepting.abort();
        // It ends by being cancelled: there is nothing to learn from how.
        let _ = (&mut self.accepting).await;
        self.log.finish().map_err(|source| log_error(self.log_file.as_ref(), source))
    }
}

fn log_error(path: Option<&PathBuf>, source: io::Error) -> SimError {
    SimError::Log { path: path.cloned().unwrap_or_default(), source }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Accepts until it is aborted; the connections end with it.
async fn accept(listener: TcpListener, front: Arc<Front>, log: Arc<Log>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, Arc::clone(&front), Arc::clone(&log)));
                }
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn serve(stream: TcpStream, front: Arc<Front>, log: Arc<Log>) {
    // Answers are written whole: waiting to fill a packet would only add delay.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| respond(Arc::clone(&front), log.arrival(), request));
    // A client that hangs up, and a connection that a fault cuts, both end here: neither is an error of ours.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// An error of this makes hyper close the connection.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed on purpose")]
struct Closed;

async fn respond(
    front: Arc<Front>,
    arrival: Arrival,
    request: HttpRequest<HttpBody>,
) -> Result<Response<Answered>, Closed> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| Closed)?.to_bytes();
    let header = |name: &str| head.headers.get(name)?.to_str().ok().map(str::to_owned);
    let incoming = Incoming {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        authorization: header(AUTHORIZATION.as_str()),
        security_token: header("x-amz-security-token"),
        target: header("x-amz-target"),
        body: body.to_vec(),
    };
    let latency = front.latency(&incoming);
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let (answer, request) = front.answer(&incoming);
    if let Answer::Late(_, delay) = &answer {
        tokio::time::sleep(*delay).await;
    }
    arrival.log(request, matches!(answer, Answer::Hang));
    match answer {
        Answer::Whole(reply) | Answer::Late(reply, _) => Ok(response(reply, false)),
        Answer::Cut(reply) => Ok(response(reply, true)),
        Answer::Reset => Err(Closed),
        Answer::Hang => match std::future::pending::<Infallible>().await {},
    }
}

fn response(reply: Reply, cut: bool) -> Response<Answered> {
    let length = reply.body.len() as u64;
    let mut body = Bytes::from(reply.body);
    if cut {
        body.truncate(body.len() / 2);
    }
    let mut response = Response::new(Answered { body: Some(body), length, cut });
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    if reply.content_type == CBOR {
        headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    }
    if let Some(error) = reply.query_error.and_then(|error| HeaderValue::from_str(&error).ok()) {
        headers.insert("x-amzn-query-error", error);
    }
    if let Ok(id) = HeaderValue::from_str(&reply.request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    if let Some(code) = reply.error_type.and_then(|code| HeaderValue::from_str(&code).ok()) {
        headers.insert("x-amzn-errortype", code);
    }
    response
}

/// The body of an answer; a cut one promises more than it has.
struct Answered {
    body: Option<Bytes>,
    length: u64,
    cut: bool,
}

impl Body for Answered {
    type Data = Bytes;
    type Error = Closed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Closed>>> {
        match self.body.take() {
            Some(body) => Poll::Ready(Some(Ok(Frame::data(body)))),
            None if self.cut => Poll::Ready(Some(Err(Closed))),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none() && !self.cut
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}
