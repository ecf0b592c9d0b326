//! An audit of an organisation over HTTP: `cargo bench --bench organisation`.
//!
//! 50 accounts × 17 Regions with 200 clusters and 20,000 instances, at 20 ms a call and with AWS's token buckets. It
//! prints how long the audit takes over the least that is possible, how many calls it makes over the least that are
//! needed, and who was refused: imdsctl, or another client that works in the same account meanwhile. Then what becomes of
//! denser accounts where buckets are a quarter of what imdsctl believes, and the audit at twice and four times the size.
//! Ratios are within one run.

#![allow(clippy::cast_precision_loss, reason = "what a benchmark counts is small")]

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use imdsctl_sim::{Fleet, Options, Request, Running, Sim, Throttling};

use support::{Caller, Failure, Run};

const LATENCY: Duration = Duration::from_millis(20);
const REGIONS: u64 = 17;
/// As `src/aws/http.rs` bounds it.
const UNDER_WAY: f64 = 128.0;
/// What imdsctl takes by default of what AWS allows.
const SHARE: f64 = 0.5;
/// `GetCallerIdentity`, then besides the pages of `ListAccounts`: `AssumeRole`, `DescribeRegions`, `ListClusters`, `ListNodegroups`,
/// `DescribeNodegroup`, `DescribeImages`. Each needs what the one before it said.
const CHAIN: u64 = 7;
/// What has to be answered, one after the other, before there is a Region to read: who it is, a page of accounts, a session,
/// and the Regions of its account.
const FIRST: u64 = 4;
/// How many accounts are in a page.
const ACCOUNTS: u64 = 20;
const RUNS: usize = 3;

/// How large a fleet is.
#[derive(Clone, Copy)]
struct Size {
    accounts: u64,
    /// Clusters in each of two Regions of an account.
    clusters: u64,
    /// Nodes in each of the five groups of a cluster.
    nodes: u64,
}

impl Size {
    const ORGANISATION: Self = Self { accounts: 50, clusters: 2, nodes: 20 };

    /// Four times as many node groups in a Region as a quarter of the bucket for `DescribeNodegroup` holds.
    const DENSE: Self = Self { accounts: 10, clusters: 10, nodes: 2 };

    const fn clusters(self) -> u64 {
        self.accounts * self.clusters * 2
    }

    const fn instances(self) -> u64 {
        self.clusters() * 5 * self.nodes
    }

    /// Clusters have four managed node groups and one group of the user's own. The first account is the organisation's
    /// own, in which the audit begins.
    fn yaml(self) -> String {
        let Self { clusters, nodes, .. } = self;
        let mut yaml = "name: organisation\norganizations: [{ management_account: \"100000000000\" }]\n\
                        roles: [{ name: ImdsctlAudit }]\naccounts:\n"
            .to_owned();
        for account in 0..self.accounts {
            let id = 100_000_000_000 + account;
            let _ = write!(
                yaml,
                r#"  - id: "{id}"
    name: account-{account}
    access_keys: [{{ id: AKIAAUDIT{id} }}, {{ id: AKIAOTHER{id} }}]
    regions:
      - names: [us-east-1, eu-west-1]
        launch_templates:
          - {{ name: good, versions: [{{ metadata_options: {{ http_tokens: required, hop_limit: 2 }} }}] }}
          - {{ name: bad, versions: [{{ metadata_options: {{ http_tokens: optional, hop_limit: 1 }} }}] }}
          - {{ name: own, versions: [{{ image: al2023-1.33, metadata_options: {{ hop_limit: 1 }} }}] }}
        clusters:
          - name: cluster-{{n}}
            repeat: {{ count: {clusters} }}
            node_groups:
              - {{ name: good, template: {{ name: good }}, nodes: {nodes} }}
              - {{ name: bad, template: {{ name: bad }}, nodes: {nodes} }}
              - {{ name: plain, nodes: {nodes} }}
              - {{ name: more, template: {{ name: good }}, nodes: {nodes} }}
            self_managed:
              - {{ name: "own-{{n}}", template: {{ name: own }}, nodes: {nodes} }}
"#
            );
        }
        yaml
    }

    fn pages_of_accounts(self) -> u64 {
        self.accounts.div_ceil(ACCOUNTS)
    }

    /// The least calls that tell what an audit needs: who it is, and the accounts; a session and the Regions of each;
    /// three for a Region; four more and further pages for one with clusters; two for a cluster, and one for a node
    /// group.
    fn least_calls(self) -> u64 {
        let pages = (self.clusters * self.nodes * 5).div_ceil(1000) - 1 + self.more_pages_of_groups();
        let accounts = 1 + self.pages_of_accounts() + (self.accounts - 1) + self.accounts;
        accounts + self.accounts * (REGIONS * 3 + 2 * (4 + pages)) + self.clusters() * (2 + 4)
    }

    /// Pages of a hundred Auto Scaling groups in a Region with clusters, but for the first.
    const fn more_pages_of_groups(self) -> u64 {
        (self.clusters * 5).div_ceil(100) - 1
    }
}

/// An audit of everything, and what the simulated AWS saw of it.
struct Audited {
    run: Run,
    sim_cpu: Duration,
    requests: Vec<Request>,
    report: serde_json::Value,
}

fn main() -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let size = Size::ORGANISATION;
    writeln!(
        out,
        "{} accounts x {REGIONS} Regions, {} clusters, {} instances, {LATENCY:?} a call, AWS's buckets, {RUNS} runs",
        size.accounts,
        size.clusters(),
        size.instances()
    )?;
    let mut runs = (0..RUNS).map(|_| audited(size, Some(1.0))).collect::<Result<Vec<_>, _>>()?;
    runs.sort_by_key(|audited| audited.run.wall);
    let usual = runs.swap_remove(RUNS / 2);
    tell(&mut out, size, &usual)?;

    let usual = audited(Size::DENSE, None)?;
    let quarter = audited(Size::DENSE, Some(0.25))?;
    let same = quarter.report["findings"] == usual.report["findings"]
        && quarter.report["coverage"] == usual.report["coverage"];
    writeln!(out, "40 node groups in a Region, with buckets of a quarter")?;
    writeln!(
        out,
        "  wall time                  {:?}, {:?} without buckets",
        quarter.run.wall, usual.run.wall
    )?;
    writeln!(
        out,
        "  refused and asked again    {} of {}",
        refused(&quarter, Whose::Ours),
        quarter.requests.len()
    )?;
    writeln!(out, "  the same findings          {same}")?;

    writeln!(out, "growth, without buckets      wall and processor time by the unit, against the first")?;
    let more = |factor| Size { accounts: size.accounts * factor, ..size };
    growth(&mut out, "accounts", [1, 2, 4].map(|factor| (factor, more(factor))))?;
    let larger = |factor| Size { nodes: size.nodes * factor, ..size };
    growth(&mut out, "instances", [1, 2, 4].map(|factor| (factor, larger(factor))))
}

fn tell(out: &mut impl Write, size: Size, usual: &Audited) -> Result<(), Failure> {
    let own: Vec<_> = usual.requests.iter().filter(|one| Whose::of(one) == Whose::Ours).collect();
    let floors = floors(size, &own, usual.run.cpu + usual.sim_cpu);
    let wall = usual.run.wall.as_secs_f64();
    writeln!(out, "  wall time, median          {:?}", usual.run.wall)?;
    for (what, seconds) in &floors {
        writeln!(out, "  floor: {what:<43} {seconds:.2} s, ratio {:.2}", wall / seconds)?;
    }
    let floor = floors.iter().map(|(_, seconds)| *seconds).fold(0.0, f64::max);
    writeln!(out, "  over the highest floor     {:.2}", wall / floor)?;
    writeln!(
        out,
        "  processor time             {:?}, the simulated AWS's {:?}",
        usual.run.cpu, usual.sim_cpu
    )?;
    writeln!(out, "  peak memory                {} MiB", usual.run.peak_kib / 1024)?;
    let (calls, least) = (own.len() as u64, size.least_calls());
    writeln!(
        out,
        "  calls                      {calls}, at least {least}, ratio {:.3}",
        ratio(calls, least)
    )?;
    writeln!(out, "  refused                    {}", refused(usual, Whose::Ours))?;
    let others = usual.requests.len() - own.len();
    let refused = refused(usual, Whose::Others);
    writeln!(out, "  refused of another client  {refused} of {others}")?;
    Ok(())
}

fn growth(out: &mut impl Write, of: &str, sizes: [(u64, Size); 3]) -> Result<(), Failure> {
    let mut first = None;
    for (factor, size) in sizes {
        let audited = audited(size, None)?;
        let unit = |time: Duration| time.as_secs_f64() / factor as f64;
        let (wall, cpu) = (unit(audited.run.wall), unit(audited.run.cpu));
        let (wall_1, cpu_1) = *first.get_or_insert((wall, cpu));
        writeln!(
            out,
            "  {factor} x the {of:<20} {:.2} and {:.2}, {} MiB",
            wall / wall_1,
            cpu / cpu_1,
            audited.run.peak_kib / 1024
        )?;
    }
    Ok(())
}

fn ratio(one: u64, other: u64) -> f64 {
    one as f64 / other as f64
}

/// What no audit of these requests can be faster than, and why.
fn floors(size: Size, requests: &[&Request], cpu: Duration) -> Vec<(&'static str, f64)> {
    let latency = LATENCY.as_secs_f64();
    let allowed = Throttling::aws();
    let mut buckets: BTreeMap<_, f64> = BTreeMap::new();
    for request in requests {
        let operation = format!("{}:{}", request.service, request.operation);
        *buckets.entry((&request.account, &request.region, operation)).or_default() += 1.0;
    }
    let by_rate = buckets.iter().filter_map(|((.., operation), calls)| {
        let bucket = allowed.bucket(operation)?;
        Some((calls - bucket.capacity * SHARE).max(0.0) / (bucket.refill * SHARE) + latency)
    });
    let cores = std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
    let processors = cpu.as_secs_f64() / cores;
    vec![
        ("calls that depend on each other", (CHAIN + size.pages_of_accounts()) as f64 * latency),
        ("the allowed rate of the busiest bucket", by_rate.fold(0.0, f64::max)),
        ("128 calls under way at once", requests.len() as f64 * latency / UNDER_WAY),
        ("processor time of both, on all processors", processors),
        // Next to nothing can be worked on before; signing in itself costs some 15 ms.
        ("the same, after the calls before any Region", FIRST as f64 * latency + processors),
    ]
}

/// Whose a request is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The audit's.
    Ours,
    /// The other client's.
    Others,
}

impl Whose {
    fn of(request: &Request) -> Self {
        if request.access_key.starts_with("AKIAOTHER") { Self::Others } else { Self::Ours }
    }
}

fn refused(audited: &Audited, whose: Whose) -> usize {
    audited.requests.iter().filter(|one| one.throttled && Whose::of(one) == whose).count()
}

/// Audits a fleet with buckets of this scale, or none. With AWS's own, another client works beside it.
fn audited(size: Size, buckets: Option<f64>) -> Result<Audited, Failure> {
    let fleet = Fleet::from_yaml(&size.yaml(), "the benchmark's fleet")?
        .with_latency(LATENCY)
        .with_throttling(buckets.map(|scale| Throttling::aws().scaled(scale)));
    let keys = fleet.access_keys();
    let runtime = tokio::runtime::Runtime::new()?;
    let sim = runtime.block_on(Sim::start(fleet, Options::default()))?;
    let mut command = support::imdsctl(&sim.url());
    command.args(["audit", "--org", "--all-regions", "-o", "json"]);
    command.env("AWS_ACCESS_KEY_ID", &keys[0].id).env("AWS_SECRET_ACCESS_KEY", "any");
    let other = (buckets == Some(1.0)).then(|| Other::start(&sim, &keys[1].id));
    let before = support::cpu_time(std::process::id()).unwrap_or_default();
    let run = support::measure(&mut command)?;
    let sim_cpu = support::cpu_time(std::process::id()).unwrap_or_default().saturating_sub(before);
    drop(other);
    let requests = sim.requests();
    runtime.block_on(sim.shutdown())?;
    let report: serde_json::Value = serde_json::from_slice(&run.stdout)?;
    let read = report["summary"]["instances"].as_u64();
    if read != Some(size.instances()) {
        return Err(format!("{read:?} instances were read, not {}", size.instances()).into());
    }
    Ok(Audited { run, sim_cpu, requests, report })
}

/// Someone else in the first account, who asks within the half that imdsctl leaves.
struct Other {
    stop: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Other {
    fn start(sim: &Running, key: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let asks = [
            ("ec2", "Action=DescribeInstances&Version=2016-11-15&MaxResults=1000", 8),
            ("ec2", "Action=DescribeLaunchTemplates&Version=2016-11-15&MaxResults=200", 8),
            ("autoscaling", "Action=DescribeAutoScalingGroups&Version=2011-01-01&MaxRecords=100", 4),
        ];
        let ask = |(service, body, rate): (&'static str, &'static str, u32)| {
            let caller = Caller::new(&sim.url(), key, "us-east-1");
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                let mut next = Instant::now();
                while !stop.load(Ordering::Relaxed) {
                    let _ = caller.post(service, body);
                    next += Duration::from_secs(1) / rate;
                    std::thread::sleep(next.saturating_duration_since(Instant::now()));
                }
            })
        };
        let threads = asks.into_iter().map(ask).collect();
        Self { stop, threads }
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
