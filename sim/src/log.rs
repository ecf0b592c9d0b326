//! The request log: what was asked, when, and how it went.
//!
//! Every request is counted. Unless only the counts are wanted, every request is kept as well, and with a file each
//! is written to it as one line of JSON when its answer is known.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::counts::{Count, Counts};
use crate::fleet::FaultKind;
use crate::service::sts::AssumeRoleRequest;

/// One request as the simulator saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the request")]
pub struct Request {
    /// `ec2`, as the client signed it.
    pub service: String,
    /// `DescribeInstances`; empty where there is no such operation.
    pub operation: String,
    /// The account, where the access key is known.
    pub account: String,
    /// The ARN of the user, or of the session of a role, where the access key is known.
    pub principal: String,
    /// What an `AssumeRole` asked for.
    pub assume_role: Option<AssumeRoleRequest>,
    /// The Region, as the client signed it.
    pub region: String,
    /// The access key, as the client sent it.
    pub access_key: String,
    /// Does the operation change something, where it succeeds and is no dry run? A property of the operation.
    pub mutating: bool,
    /// Did it ask with `DryRun`, so that nothing changes?
    pub dry_run: bool,
    /// Did it change something? Also true where the answer was lost afterwards; false where it was refused, and where
    /// it repeats what had been done before.
    pub changed: bool,
    /// The HTTP status; 0 where there was no answer.
    pub status: u16,
    /// The service's code, or the name of the fault.
    pub error_code: Option<String>,
    /// The scripted fault that it met.
    pub fault: Option<FaultKind>,
    /// Was it refused because there were too many?
    pub throttled: bool,
    /// Which page of a list was asked for, from 1.
    pub page: Option<u32>,
    /// Has the answer a token for another page?
    pub more: bool,
    /// When its head was there, since the simulator started.
    #[serde(serialize_with = "seconds")]
    pub arrived: Duration,
    /// When its answer was ready to be sent; a request that hangs never gets one.
    #[serde(serialize_with = "optional_seconds")]
    pub answered: Option<Duration>,
    /// How many requests were under way when it arrived, itself included.
    pub in_flight: u32,
}

/// What the log keeps.
#[derive(Debug)]
pub struct Log {
    started: Instant,
    /// Keeps only the counts.
    counts_only: bool,
    in_flight: AtomicU32,
    kept: Mutex<Kept>,
    file: Option<Mutex<LogFile>>,
}

#[derive(Debug, Default)]
struct Kept {
    requests: Vec<Request>,
    counts: HashMap<Count, u64>,
    peak: u32,
}

#[derive(Debug)]
struct LogFile {
    out: BufWriter<File>,
    failed: Option<io::Error>,
}

/// A request that is under way.
#[derive(Debug)]
pub struct Arrival {
    log: Arc<Log>,
    at: Duration,
    in_flight: u32,
}

impl Log {
    /// An empty log; with a path it is written there, too.
    pub fn new(counts_only: bool, path: Option<&Path>) -> io::Result<Self> {
        let open = |path| File::create(path).map(|file| LogFile { out: BufWriter::new(file), failed: None });
        Ok(Self {
            started: Instant::now(),
            counts_only,
            in_flight: AtomicU32::new(0),
            kept: Mutex::default(),
            file: path.map(open).transpose()?.map(Mutex::new),
        })
    }

    /// Notes that a request is there; it counts as under way until this is dropped.
    pub fn arrival(self: &Arc<Self>) -> Arrival {
        let in_flight = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        Arrival { log: Arc::clone(self), at: self.started.elapsed(), in_flight }
    }

    /// Every request so far, in the order in which their answers were known.
    pub fn requests(&self) -> Vec<Request> {
        self.kept().requests.clone()
    }

    /// How many there were of each kind.
    pub fn counts(&self) -> Counts {
        let kept = self.kept();
        Counts::new(kept.counts.clone(), kept.peak)
    }

    /// Forgets what has been asked so far; the file keeps it.
    pub fn clear(&self) {
        *self.kept() = Kept::default();
    }

    /// Writes the rest; the first error there was is the one that is told.
    pub fn finish(&self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        match file.failed.take() {
            Some(error) => Err(error),
            None => file.out.flush(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, request: Request) {
        if let Some(file) = &self.file {
            file.lock().unwrap_or_else(PoisonError::into_inner).write(&request);
        }
        let count = Count::of(&request);
        let mut kept = self.kept();
        *kept.counts.entry(count).or_default() += 1;
        kept.peak = kept.peak.max(request.in_flight);
        if !self.counts_only {
            kept.requests.push(request);
        }
    }
}

impl LogFile {
    fn write(&mut self, request: &Request) {
        if self.failed.is_some() {
            return;
        }
        let written = serde_json::to_vec(request).map_err(io::Error::other).and_then(|mut line| {
            line.push(b'\n');
            self.out.write_all(&line)
        });
        self.failed = written.err();
    }
}

impl Arrival {
    /// The request has its answer, or `hangs` and will never have one.
    pub fn log(&self, mut request: Request, hangs: bool) {
        request.arrived = self.at;
        request.answered = (!hangs).then(|| self.log.started.elapsed());
        request.in_flight = self.in_flight;
        self.log.add(request);
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.log.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn optional_seconds<S: serde::Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => seconds(duration, serializer),
        None => serializer.serialize_none(),
    }
}
