//! An audit of one Region of 10,000 instances over HTTP: `cargo bench --bench audit`.
//!
//! It runs the real binary against the simulated AWS, and prints wall time, processor time, peak memory and
//! API calls; beside them the time in which a plain HTTP client reads the same pages of instances and throws
//! them away, one after the other, in the same run. The ratio says what imdsctl adds to reading.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use imdsctl_sim::{Fleet, Options, Sim};

const RUNS: usize = 5;
const REGION: &str = "us-east-1";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sim/fleets/one-region-10k.yaml");
    let fleet = Fleet::from_yaml(&std::fs::read_to_string(&path)?, &path.display().to_string())?;
    let key = fleet.access_keys().first().ok_or("the fleet has no access key")?.id.clone();
    let runtime = tokio::runtime::Runtime::new()?;
    let sim = runtime.block_on(Sim::start(fleet, Options::default()))?;
    let url = sim.url();

    let mut runs = Vec::new();
    let mut floors = Vec::new();
    for _ in 0..RUNS {
        floors.push(floor(&url, &key)?);
        runs.push(audit(&url, &key)?);
    }
    runtime.block_on(sim.shutdown())?;

    let wall = median(runs.iter().map(|run| run.wall));
    let floor = median(floors.into_iter());
    let run = runs.first().ok_or("no run")?;
    let mut out = io::stdout().lock();
    writeln!(out, "audit of one Region, 10,000 instances, {RUNS} runs")?;
    writeln!(out, "  wall time, median          {wall:?}")?;
    writeln!(out, "  reading the pages only     {floor:?}")?;
    writeln!(out, "  ratio                      {:.2}", wall.as_secs_f64() / floor.as_secs_f64())?;
    writeln!(out, "  processor time, median     {:?}", median(runs.iter().map(|run| run.cpu)))?;
    writeln!(
        out,
        "  peak memory, most          {} MiB",
        runs.iter().map(|r| r.peak_kib).max().unwrap_or(0) / 1024
    )?;
    writeln!(out, "  findings                   {}", run.findings)?;
    writeln!(out, "  API calls                  {}", run.calls.values().sum::<u64>())?;
    for (operation, calls) in &run.calls {
        writeln!(out, "    {operation:<40} {calls}")?;
    }
    Ok(())
}

struct Run {
    wall: Duration,
    cpu: Duration,
    peak_kib: u64,
    findings: usize,
    calls: BTreeMap<String, u64>,
}

fn audit(url: &str, key: &str) -> Result<Run, Box<dyn std::error::Error>> {
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_imdsctl"))
        .args(["audit", "--region", REGION, "-o", "json"])
        .env_clear()
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_ACCESS_KEY_ID", key)
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .stdout(Stdio::piped())
        .spawn()?;
    let mut stdout = child.stdout.take().ok_or("no stdout")?;
    let reader = std::thread::spawn(move || {
        let mut json = Vec::new();
        stdout.read_to_end(&mut json).map(|_| json)
    });
    let (cpu, peak_kib) = watch(&mut child)?;
    let wall = started.elapsed();
    let json = reader.join().map_err(|_| "the reader panicked")??;
    let report: serde_json::Value = serde_json::from_slice(&json)?;
    Ok(Run {
        wall,
        cpu,
        peak_kib,
        findings: report["findings"].as_array().map_or(0, Vec::len),
        calls: serde_json::from_value(report["run"]["api_calls"].clone())?,
    })
}

/// Looks at the process until it ends: the kernel keeps its highest memory and its processor time.
fn watch(child: &mut Child) -> io::Result<(Duration, u64)> {
    let (mut cpu, mut peak) = (Duration::ZERO, 0);
    while child.try_wait()?.is_none() {
        if let Some(seen) = peak_kib(child.id()) {
            peak = peak.max(seen);
        }
        if let Some(seen) = cpu_time(child.id()) {
            cpu = cpu.max(seen);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok((cpu, peak))
}

fn peak_kib(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// User and system time. The kernel counts in ticks of 10 ms.
fn cpu_time(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (ticks(11)? + ticks(12)?)))
}

/// The time to read all pages of instances, and nothing else.
fn floor(url: &str, key: &str) -> Result<Duration, Box<dyn std::error::Error>> {
    let started = Instant::now();
    let mut token = None;
    loop {
        let page = page(url, key, token.as_deref())?;
        token =
            page.rsplit_once("<nextToken>").and_then(|(_, rest)| Some(rest.split_once('<')?.0.to_owned()));
        if token.is_none() {
            return Ok(started.elapsed());
        }
    }
}

fn page(url: &str, key: &str, token: Option<&str>) -> Result<String, Box<dyn std::error::Error>> {
    let address = url.strip_prefix("http://").ok_or("the simulated AWS speaks plain HTTP")?;
    let mut body =
        "Action=DescribeInstances&Version=2016-11-15&MaxResults=1000&IncludeManagedResources=true".to_owned();
    if let Some(token) = token {
        body.push_str("&NextToken=");
        body.push_str(&token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"));
    }
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
         X-Amz-Date: 20261122T000000Z\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential={key}/20261122/{REGION}/ec2/aws4_request, \
         SignedHeaders=host, Signature=0\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if !answer.starts_with("HTTP/1.1 200") {
        return Err(answer.lines().next().unwrap_or("no answer").into());
    }
    Ok(answer)
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<_> = times.collect();
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
