//! An audit of one Region of 10,000 instances over HTTP: `cargo bench --bench audit`.
//!
//! It runs the real binary against the simulated AWS, and prints wall time, processor time, peak memory and
//! API calls; beside them the time in which a plain HTTP client reads the same pages of instances and throws
//! them away, one after the other, in the same run. The ratio says what imdsctl adds to reading.

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use imdsctl_sim::{Fleet, Options, Sim};

use support::{Caller, Failure, Run, median};

const RUNS: usize = 5;
const REGION: &str = "us-east-1";

fn main() -> Result<(), Failure> {
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

    let wall = median(runs.iter().map(|audit| audit.run.wall));
    let floor = median(floors.into_iter());
    let first = runs.first().ok_or("no run")?;
    let mut out = io::stdout().lock();
    writeln!(out, "audit of one Region, 10,000 instances, {RUNS} runs")?;
    writeln!(out, "  wall time, median          {wall:?}")?;
    writeln!(out, "  reading the pages only     {floor:?}")?;
    writeln!(out, "  ratio                      {:.2}", wall.as_secs_f64() / floor.as_secs_f64())?;
    writeln!(out, "  processor time, median     {:?}", median(runs.iter().map(|audit| audit.run.cpu)))?;
    writeln!(
        out,
        "  peak memory, most          {} MiB",
        runs.iter().map(|audit| audit.run.peak_kib).max().unwrap_or(0) / 1024
    )?;
    writeln!(out, "  findings                   {}", first.findings)?;
    writeln!(out, "  API calls                  {}", first.calls.values().sum::<u64>())?;
    for (operation, calls) in &first.calls {
        writeln!(out, "    {operation:<40} {calls}")?;
    }
    Ok(())
}

struct Audit {
    run: Run,
    findings: usize,
    calls: BTreeMap<String, u64>,
}

fn audit(url: &str, key: &str) -> Result<Audit, Failure> {
    let mut command = support::imdsctl(url);
    command.args(["audit", "--region", REGION, "-o", "json"]);
    command.env("AWS_ACCESS_KEY_ID", key).env("AWS_SECRET_ACCESS_KEY", "any");
    let run = support::measure(&mut command)?;
    let report: serde_json::Value = serde_json::from_slice(&run.stdout)?;
    Ok(Audit {
        run,
        findings: report["findings"].as_array().map_or(0, Vec::len),
        calls: serde_json::from_value(report["run"]["api_calls"].clone())?,
    })
}

/// The time to read all pages of instances, and nothing else.
fn floor(url: &str, key: &str) -> Result<Duration, Failure> {
    let caller = Caller::new(url, key, REGION);
    let started = Instant::now();
    let mut token = None;
    loop {
        let page = page(&caller, token.as_deref())?;
        token =
            page.rsplit_once("<nextToken>").and_then(|(_, rest)| Some(rest.split_once('<')?.0.to_owned()));
        if token.is_none() {
            return Ok(started.elapsed());
        }
    }
}

fn page(caller: &Caller, token: Option<&str>) -> Result<String, Failure> {
    let mut body =
        "Action=DescribeInstances&Version=2016-11-15&MaxResults=1000&IncludeManagedResources=true".to_owned();
    if let Some(token) = token {
        body.push_str("&NextToken=");
        body.push_str(&token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"));
    }
    let answer = caller.post("ec2", &body)?;
    if !answer.starts_with("HTTP/1.1 200") {
        return Err(answer.lines().next().unwrap_or("no answer").into());
    }
    Ok(answer)
}
