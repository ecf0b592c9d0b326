//! A simulated AWS in this process.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use imdsctl_sim::{Fault, Fleet, FleetKey, Options, Request, Running, Sim};
use tokio::runtime::Runtime;

use crate::program::Program;

/// A simulated AWS, served until it is dropped.
#[derive(Debug)]
pub struct Cloud {
    running: Running,
    keys: Vec<FleetKey>,
    // Dropped last: the server runs on it.
    _runtime: Arc<Runtime>,
}

impl Cloud {
    /// Serves a fleet.
    #[track_caller]
    pub fn start(yaml: &str) -> Self {
        Self::serve(Fleet::from_yaml(yaml, "the test's fleet").unwrap())
    }

    /// Serves `sim/fleets/NAME.yaml`.
    #[track_caller]
    pub fn shipped(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("sim/fleets/{name}.yaml"));
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::serve(Fleet::from_yaml(&text, name).unwrap())
    }

    /// Serves one account with these Regions, a list in YAML.
    #[track_caller]
    pub fn with(regions: &str) -> Self {
        Self::faulty("", regions)
    }

    /// The same, with faults, a list in YAML.
    #[track_caller]
    pub fn faulty(faults: &str, regions: &str) -> Self {
        Self::start(&fleet(faults, regions))
    }

    fn serve(fleet: Fleet) -> Self {
        let keys = fleet.access_keys();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let running = runtime.block_on(Sim::start(fleet, Options::default())).unwrap();
        Self { running, keys, _runtime: Arc::new(runtime) }
    }

    pub fn url(&self) -> String {
        self.running.url()
    }

    /// The access keys of the fleet.
    pub fn keys(&self) -> &[FleetKey] {
        &self.keys
    }

    /// An `imdsctl` that is signed in to the first account.
    pub fn imdsctl(&self, line: &str) -> Program {
        Program::new()
            .line(line)
            .env("AWS_ENDPOINT_URL", self.url())
            .env("AWS_ACCESS_KEY_ID", &self.keys[0].id)
            .env("AWS_SECRET_ACCESS_KEY", "test")
    }

    /// Makes it later by the clock that sessions end by.
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub fn advance(&self, by: Duration) {
        self.running.advance(by);
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.running.requests()
    }

    /// From now on these faults strike, and no others, and requests are counted anew.
    #[track_caller]
    pub fn set_faults(&self, faults: &[Fault]) {
        self.running.set_faults(faults).unwrap();
        self.running.clear_requests();
    }

    /// `service:Operation` of every request so far in a Region, sorted.
    pub fn operations(&self, region: &str) -> Vec<String> {
        let requests = self.requests().into_iter().filter(|request| request.region == region);
        let mut operations: Vec<String> = requests.map(|request| operation(&request)).collect();
        operations.sort();
        operations
    }
}

/// `service:Operation` of a request.
pub fn operation(request: &Request) -> String {
    format!("{}:{}", request.service, request.operation)
}

/// A fleet of one account with these Regions and faults, lists in YAML.
pub fn fleet(faults: &str, regions: &str) -> String {
    let indented = |text: &str| text.trim_matches('\n').replace('\n', "\n      ");
    let faults = if faults.trim().is_empty() { "[]" } else { &format!("\n      {}", indented(faults)) };
    format!(
        "name: test\nfaults: {faults}\naccounts:\n  - id: \"111122223333\"\n    name: test\n    access_keys: \
         [{{ id: AKIATESTTESTTEST0001 }}]\n    regions:\n      {}\n",
        indented(regions)
    )
}

/// Waits until something holds that does not happen in this thread.
#[track_caller]
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}
