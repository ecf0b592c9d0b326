//! AWS Lambda as far as a function sees it, with the real `bootstrap`.
//!
//! ```text
//! test ── invoke ──┐                  ┌── environment ── Runtime API ──> bootstrap
//!                  ├──> [`Function`] ─┤
//! others ── HTTP ──┘                  └── environment ── Runtime API ──> bootstrap
//! ```
//!
//! A `bootstrap` gets one event at a time, as on Lambda: an invocation takes an environment that is idle, or another is
//! made. Each has a folder that stands for `/tmp` and outlives its process. What does not answer by its deadline is
//! killed, and the next event starts it anew in the same environment.
//!
//! ```ignore
//! let function = Function::new().env("AWS_ENDPOINT_URL", cloud.url()).start();
//! let answer = function.invoke(&json!({ "action": "audit" })).succeeded();
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use tempfile::{NamedTempFile, TempDir};

use crate::http::{Request, Response, Server};

/// The name of every function.
pub const NAME: &str = "imdsctl";

/// Where invocations are sent, with a function's name or ARN behind it.
const INVOKE: &str = "/2015-03-31/functions/";

/// The Runtime API's own.
const RUNTIME: &str = "/2018-06-01/runtime/";

/// A function that is yet to be made.
#[derive(Debug)]
pub struct Plan {
    variables: BTreeMap<String, String>,
    timeout: Duration,
}

/// A function, until it is dropped.
#[derive(Debug)]
pub struct Function {
    inner: Arc<Inner>,
    endpoint: Server,
}

#[derive(Debug)]
struct Inner {
    plan: Plan,
    idle: Mutex<Vec<Environment>>,
    started: AtomicUsize,
    requests: AtomicUsize,
    /// The processes that were started and did not end by themselves, as far as is known.
    running: Mutex<Vec<u32>>,
    log: NamedTempFile,
}

/// Where events are handled one at a time.
#[derive(Debug)]
struct Environment {
    /// What stands for `/tmp`.
    temporary: TempDir,
    /// What stands for the folder of the package.
    package: TempDir,
    process: Option<Process>,
}

/// A `bootstrap`.
#[derive(Debug)]
struct Process {
    child: Child,
    events: mpsc::Sender<Event>,
    said: mpsc::Receiver<Said>,
    _api: Server,
}

#[derive(Debug)]
struct Event {
    request: String,
    deadline: u128,
    body: Vec<u8>,
}

/// What a `bootstrap` says of an event, or of itself.
#[derive(Debug)]
enum Said {
    Answer(Vec<u8>),
    Error(Vec<u8>),
    /// It cannot begin, or it has ended.
    Ended,
}

/// What became of an invocation.
#[derive(Clone, Debug, PartialEq)]
pub struct Invoked {
    /// `Unhandled` where it failed: what Lambda says in `X-Amz-Function-Error`.
    pub error: Option<&'static str>,
    /// The answer, or `errorType` and `errorMessage`.
    pub payload: Value,
}

impl Invoked {
    /// Its answer.
    #[track_caller]
    pub fn succeeded(self) -> Value {
        assert_eq!(self.error, None, "{:#}", self.payload);
        self.payload
    }

    /// The name of its error, and the message.
    #[track_caller]
    pub fn failed(self) -> (String, String) {
        assert_eq!(self.error, Some("Unhandled"), "{:#}", self.payload);
        let text = |name: &str| self.payload[name].as_str().unwrap().to_owned();
        (text("errorType"), text("errorMessage"))
    }

    fn error(kind: &str, message: &str) -> Self {
        let payload = json!({ "errorType": kind, "errorMessage": message });
        Self { error: Some("Unhandled"), payload }
    }
}

impl Function {
    /// One with a minute for each event.
    #[expect(clippy::new_ret_no_self, reason = "a function is made by degrees")]
    pub fn new() -> Plan {
        Plan { variables: BTreeMap::new(), timeout: Duration::from_mins(1) }
    }

    /// Hands over an event, and waits for what becomes of it.
    pub fn invoke(&self, event: &Value) -> Invoked {
        self.inner.invoke(event.to_string().into_bytes())
    }

    /// Where others invoke it: `POST /2015-03-31/functions/NAME/invocations`.
    pub fn url(&self) -> String {
        format!("http://{}", self.endpoint.address())
    }

    /// How many processes were started so far.
    pub fn started(&self) -> usize {
        self.inner.started.load(Ordering::Relaxed)
    }

    /// All that was written to stdout and stderr so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.inner.log.path()).unwrap()
    }

    /// The lines of the log that are metrics.
    pub fn metrics(&self) -> Vec<Value> {
        let log = self.log();
        let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line.get("_aws").is_some()).collect()
    }

    /// Ends every process, with all that it started, as a machine does that has no memory left.
    pub fn crash(&self) {
        for process in std::mem::take(&mut *self.inner.running.lock().unwrap()) {
            kill(&format!("-{process}"));
        }
    }

    /// Ends what the processes have started, and not them.
    pub fn kill_commands(&self) {
        for process in &*self.inner.running.lock().unwrap() {
            let children =
                std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap();
            children.split_whitespace().for_each(kill);
        }
    }

    /// What is left where files can be written, of all environments that are idle.
    pub fn left(&self) -> Vec<PathBuf> {
        let idle = self.inner.idle.lock().unwrap();
        let folders = idle.iter().flat_map(|one| [one.temporary.path(), one.package.path()]);
        let entries = folders.flat_map(|folder| folder.read_dir().unwrap());
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

impl Plan {
    /// A variable of the function's.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// How long an event may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    pub fn start(self) -> Function {
        let inner = Arc::new(Inner {
            plan: self,
            idle: Mutex::default(),
            started: AtomicUsize::default(),
            requests: AtomicUsize::default(),
            running: Mutex::default(),
            log: NamedTempFile::new().unwrap(),
        });
        let invoked = Arc::clone(&inner);
        let endpoint = Server::start(move |request| Some(invoked.answer(&request)));
        Function { inner, endpoint }
    }
}

impl Inner {
    /// As Lambda's endpoint answers.
    fn answer(&self, request: &Request) -> Response {
        let function = request.path.strip_prefix(INVOKE).and_then(|rest| rest.split_once("/invocations"));
        let is_ours = |(function, _): &(&str, &str)| function.ends_with(NAME);
        if request.method != "POST" || !function.as_ref().is_some_and(is_ours) {
            let body = json!({ "Type": "User", "Message": format!("Function not found: {}", request.path) });
            return Response::json(404, body.to_string())
                .header("x-amzn-errortype", "ResourceNotFoundException");
        }
        let invoked = self.invoke(request.body.clone());
        let response = Response::json(200, invoked.payload.to_string());
        let response = response.header("x-amz-executed-version", "$LATEST");
        match invoked.error {
            Some(error) => response.header("x-amz-function-error", error),
            None => response,
        }
    }

    fn invoke(&self, body: Vec<u8>) -> Invoked {
        let idle = self.idle.lock().unwrap().pop();
        let mut environment = idle.unwrap_or_else(Environment::new);
        let process = environment.process.take();
        let mut process = process.unwrap_or_else(|| self.start(&environment));
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let request = format!("{number:08x}-0000-4000-8000-000000000000");
        let timeout = self.plan.timeout;
        let deadline = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + timeout;
        let event = Event { request: request.clone(), deadline: deadline.as_millis(), body };
        let sent = process.events.send(event).is_ok();
        let said = if sent { process.said.recv_timeout(timeout) } else { Ok(Said::Ended) };
        let payload = |body: Vec<u8>| serde_json::from_slice(&body).unwrap();
        let invoked = match said {
            Ok(Said::Answer(body)) => Ok(Invoked { error: None, payload: payload(body) }),
            Ok(Said::Error(body)) => Ok(Invoked { error: Some("Unhandled"), payload: payload(body) }),
            Ok(Said::Ended) | Err(mpsc::RecvTimeoutError::Disconnected) => {
                let status = process.child.wait().unwrap();
                self.running.lock().unwrap().retain(|id| *id != process.child.id());
                let message = format!("RequestId: {request} Error: Runtime exited with error: {status}");
                Err(Invoked::error("Runtime.ExitError", &message))
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let seconds = timeout.as_secs_f64();
                let message =
                    format!("RequestId: {request} Error: Task timed out after {seconds:.2} seconds");
                Err(Invoked::error("Sandbox.Timedout", &message))
            }
        };
        if invoked.is_ok() {
            environment.process = Some(process);
        }
        self.idle.lock().unwrap().push(environment);
        invoked.unwrap_or_else(|failed| failed)
    }

    /// The log, for somebody to write to its end.
    fn append(&self) -> Stdio {
        File::options().append(true).open(self.log.path()).unwrap().into()
    }

    /// Starts a `bootstrap` with the variables that Lambda gives it, and those of the function.
    fn start(&self, environment: &Environment) -> Process {
        self.started.fetch_add(1, Ordering::Relaxed);
        let (events, incoming) = mpsc::channel();
        let (sender, said) = mpsc::channel();
        let ended = sender.clone();
        let incoming = Mutex::new(incoming);
        let api = Server::start(move |request| runtime_api(&request, &incoming, &sender));
        let (mut end, alive) = std::io::pipe().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_bootstrap"))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address())
            .env("AWS_LAMBDA_FUNCTION_NAME", NAME)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769")
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_DEFAULT_REGION", "eu-west-1")
            .env("LAMBDA_TASK_ROOT", environment.package.path())
            // Lambda has `/tmp`, and no such variable.
            .env("TMPDIR", environment.temporary.path())
            .envs(&self.plan.variables)
            .current_dir(environment.package.path())
            // So that what it started ends with it, as it does on Lambda.
            .process_group(0)
            // Nobody reads or writes it: it tells when the process has ended.
            .stdin(Stdio::from(alive))
            // Straight to the file, so that what was written before an answer is there when the answer is.
            .stdout(self.append())
            .stderr(self.append())
            .spawn()
            .unwrap();
        self.running.lock().unwrap().push(child.id());
        thread::spawn(move || {
            let _ = end.read(&mut [0]);
            let _ = ended.send(Said::Ended);
        });
        Process { child, events, said, _api: api }
    }
}

impl Environment {
    fn new() -> Self {
        let folder = || tempfile::tempdir().unwrap();
        Self { temporary: folder(), package: folder(), process: None }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        kill(&format!("-{}", self.child.id()));
        let _ = self.child.wait();
    }
}

/// Kills a process; with a hyphen, all of its group. One that has ended needs it no more.
fn kill(process: &str) {
    let _ = Command::new("kill").args(["-KILL", "--", process]).stderr(Stdio::null()).status();
}

/// As the Runtime API answers. Nothing where there will be no event any more.
fn runtime_api(
    request: &Request,
    events: &Mutex<mpsc::Receiver<Event>>,
    said: &mpsc::Sender<Said>,
) -> Option<Response> {
    let path = request.path.strip_prefix(RUNTIME).unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let says = match (request.method.as_str(), last) {
        ("GET", "next") => {
            let event = events.lock().unwrap().recv().ok()?;
            let arn = format!("arn:aws:lambda:eu-west-1:123456789012:function:{NAME}");
            let response = Response::json(200, event.body)
                .header("lambda-runtime-aws-request-id", event.request)
                .header("lambda-runtime-deadline-ms", event.deadline.to_string())
                .header("lambda-runtime-invoked-function-arn", arn);
            return Some(response);
        }
        ("POST", "response") => Said::Answer(request.body.clone()),
        ("POST", "error") if path == "init/error" => Said::Ended,
        ("POST", "error") => Said::Error(request.body.clone()),
        _ => return Some(Response::json(404, "{}")),
    };
    let _ = said.send(says);
    Some(Response::json(202, r#"{"status":"OK"}"#))
}
