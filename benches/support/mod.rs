//! What the benchmarks share: the real binary run and measured, and a plain HTTP client.
#![allow(dead_code, reason = "not every benchmark needs it")]

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What is wrong when a benchmark cannot go on.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A run of imdsctl, measured.
pub struct Run {
    pub wall: Duration,
    pub cpu: Duration,
    pub peak_kib: u64,
    pub stdout: Vec<u8>,
}

/// An imdsctl with an environment of its own.
pub fn imdsctl(url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imdsctl"));
    command.env_clear().env("AWS_ENDPOINT_URL", url).env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// Runs a command to its end.
pub fn measure(command: &mut Command) -> Result<Run, Failure> {
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut stdout = child.stdout.take().ok_or("no stdout")?;
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stdout.read_to_end(&mut bytes).map(|_| bytes)
    });
    let (cpu, peak_kib) = watch(&mut child)?;
    let wall = started.elapsed();
    Ok(Run { wall, cpu, peak_kib, stdout: reader.join().map_err(|_| "the reader panicked")?? })
}

/// Looks at the process until it ends: the kernel keeps its highest memory and its processor time.
fn watch(child: &mut Child) -> io::Result<(Duration, u64)> {
    let (mut cpu, mut peak) = (Duration::ZERO, 0);
    while child.try_wait()?.is_none() {
        peak = peak.max(peak_kib(child.id()).unwrap_or_default());
        cpu = cpu.max(cpu_time(child.id()).unwrap_or_default());
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok((cpu, peak))
}

/// The most memory that a process had so far, in KiB.
pub fn peak_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// User and system time. The kernel counts in ticks of 10 ms.
pub fn cpu_time(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (ticks(11)? + ticks(12)?)))
}

/// The processor time of this thread.
pub fn thread_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split_whitespace().next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

/// Whom a plain request is from, and where it goes.
#[derive(Clone, Debug)]
pub struct Caller {
    pub url: String,
    pub key: String,
    pub region: String,
    /// Of a session.
    pub token: Option<String>,
}

impl Caller {
    /// With a key of its own.
    pub fn new(url: &str, key: &str, region: &str) -> Self {
        Self { url: url.to_owned(), key: key.to_owned(), region: region.to_owned(), token: None }
    }

    /// Sends a request of a query service and returns the answer, head and body.
    pub fn post(&self, service: &str, body: &str) -> io::Result<String> {
        self.send(service, "Content-Type: application/x-www-form-urlencoded\r\n", body)
    }

    /// Sends a request of a JSON service and returns the answer, head and body.
    pub fn target(&self, service: &str, target: &str, body: &str) -> io::Result<String> {
        let head = format!("Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: {target}\r\n");
        self.send(service, &head, body)
    }

    fn send(&self, service: &str, head: &str, body: &str) -> io::Result<String> {
        let token = self
            .token
            .as_ref()
            .map_or_else(String::new, |token| format!("X-Amz-Security-Token: {token}\r\n"));
        let address = self.url.strip_prefix("http://").unwrap_or(&self.url);
        let mut stream = TcpStream::connect(address)?;
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             {head}{token}Content-Length: {}\r\n\
             X-Amz-Date: 20261122T000000Z\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential={}/20261122/{}/{service}/aws4_request, \
             SignedHeaders=host, Signature=0\r\n\r\n{body}",
            body.len(),
            self.key,
            self.region,
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

/// The middle of what was measured.
pub fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
