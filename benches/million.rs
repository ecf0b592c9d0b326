//! An audit of a million instances over HTTP: `cargo bench --bench million`.
//!
//! 100 accounts × 17 Regions by `--org`, 2,000 clusters, at 20 ms a call and with AWS's token buckets. It prints the
//! highest memory and the processor time of imdsctl, and the latter over what it takes only to tokenise the same pages
//! of instances with the parser that the AWS SDK uses, in the same run. A million findings may be among them, so that
//! the report goes to a file.

#![allow(clippy::cast_precision_loss, reason = "what a benchmark counts is small")]

#[path = "support/mod.rs"]
mod support;

use std::io::{self, Write};
use std::time::Duration;

use imdsctl_sim::{Fleet, Options, Sim, Size, Throttling};

use support::{Caller, Failure};

const LATENCY: Duration = Duration::from_millis(20);

/// The role of generated fleets.
const ROLE: &str = "imdsctl-audit";

fn main() -> Result<(), Failure> {
    let fleet =
        Fleet::generated(Size::MILLION)?.with_latency(LATENCY).with_throttling(Some(Throttling::aws()));
    let key = fleet.access_keys().first().ok_or("the fleet has no access key")?.id.clone();
    let runtime = tokio::runtime::Runtime::new()?;
    let options = Options { counts_only: true, ..Options::default() };
    let sim = runtime.block_on(Sim::start(fleet, options))?;

    let folder = tempfile::tempdir()?;
    let report = folder.path().join("report.ndjson");
    let mut command = support::imdsctl(&sim.url());
    command.args(["audit", "--org", "--all-regions", "--role", ROLE, "-o", "table", "-o"]);
    command.arg(format!("ndjson={}", report.display()));
    command.env("AWS_ACCESS_KEY_ID", &key).env("AWS_SECRET_ACCESS_KEY", "any");
    let before = support::cpu_time(std::process::id()).unwrap_or_default();
    let run = support::measure(&mut command)?;
    let sim_cpu = support::cpu_time(std::process::id()).unwrap_or_default().saturating_sub(before);
    let counts = sim.counts();
    let (instances, findings) = counted(&std::fs::read(&report)?)?;

    let (bytes, tokens, tokenising) = tokenise(&sim.url(), &key)?;
    runtime.block_on(sim.shutdown())?;

    let mut out = io::stdout().lock();
    let cpu = run.cpu.as_secs_f64();
    writeln!(
        out,
        "{instances} instances in {} accounts, {LATENCY:?} a call, AWS's buckets",
        Size::MILLION.accounts
    )?;
    writeln!(out, "  wall time                  {:.1} s", run.wall.as_secs_f64())?;
    writeln!(out, "  peak memory                {} MiB", run.peak_kib / 1024)?;
    writeln!(
        out,
        "  processor time             {cpu:.1} s, the simulated AWS's {:.1} s",
        sim_cpu.as_secs_f64()
    )?;
    writeln!(
        out,
        "  only tokenising the XML    {:.1} s for {} MB of instances, {tokens} tokens",
        tokenising.as_secs_f64(),
        bytes / 1_000_000
    )?;
    writeln!(out, "  ratio                      {:.2}", cpu / tokenising.as_secs_f64())?;
    let calls: u64 = counts.by_operation().values().sum();
    let refused: u64 = counts.throttled_by_access_key().values().sum();
    writeln!(out, "  calls, refused             {calls}, {refused}")?;
    writeln!(out, "  findings                   {findings}")?;
    Ok(())
}

/// How many instances the report counts, and how many findings it has.
fn counted(report: &[u8]) -> Result<(u64, usize), Failure> {
    let lines: Vec<&[u8]> = report.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let last: serde_json::Value = serde_json::from_slice(lines.last().ok_or("an empty report")?)?;
    let instances = last["summary"]["instances"].as_u64().ok_or("a report without a summary")?;
    if instances != u64::from(Size::MILLION.instances) {
        return Err(format!("{instances} instances were read").into());
    }
    Ok((instances, lines.len() - 3))
}

/// Reads every page of instances and walks through its tokens: bytes, tokens, and the processor time of the walk.
fn tokenise(url: &str, key: &str) -> Result<(usize, u64, Duration), Failure> {
    let (mut bytes, mut tokens, mut time) = (0, 0, Duration::ZERO);
    for account in accounts(url, key)? {
        let (key, token) = session(url, key, &account)?;
        for region in REGIONS {
            let mut caller = Caller::new(url, &key, region);
            caller.token.clone_from(&token);
            let mut next = None;
            loop {
                let page = page(&caller, next.as_deref())?;
                let xml = page.split_once("\r\n\r\n").map_or("", |(_, body)| body);
                let before = support::thread_time();
                for token in xmlparser::Tokenizer::from(xml) {
                    std::hint::black_box(token?);
                    tokens += 1;
                }
                time += support::thread_time().saturating_sub(before);
                bytes += xml.len();
                next = between(xml, "<nextToken>", "</nextToken>").map(str::to_owned);
                if next.is_none() {
                    break;
                }
            }
        }
    }
    Ok((bytes, tokens, time))
}

/// The Regions that need no opt-in.
const REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Every account of the organisation.
fn accounts(url: &str, key: &str) -> Result<Vec<String>, Failure> {
    let caller = Caller::new(url, key, "us-east-1");
    let mut accounts = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let body = next.map_or_else(|| "{}".to_owned(), |token| format!(r#"{{"NextToken":"{token}"}}"#));
        let answer = caller.target("organizations", "AWSOrganizationsV20161128.ListAccounts", &body)?;
        let json = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let page: serde_json::Value = serde_json::from_str(json)?;
        let ids =
            page["Accounts"].as_array().ok_or("no accounts")?.iter().filter_map(|one| one["Id"].as_str());
        accounts.extend(ids.map(str::to_owned));
        next = page["NextToken"].as_str().map(str::to_owned);
        if next.is_none() {
            return Ok(accounts);
        }
    }
}

/// A key for an account, and its token: a session of the role, or the caller's own where that is refused.
fn session(url: &str, key: &str, account: &str) -> Result<(String, Option<String>), Failure> {
    let body = format!(
        "Action=AssumeRole&Version=2011-06-15&RoleSessionName=bench&RoleArn=arn%3Aaws%3Aiam%3A%3A{account}%3Arole%2F{ROLE}"
    );
    let answer = Caller::new(url, key, "us-east-1").post("sts", &body)?;
    let Some(id) = between(&answer, "<AccessKeyId>", "</AccessKeyId>") else {
        return Ok((key.to_owned(), None));
    };
    let token = between(&answer, "<SessionToken>", "</SessionToken>").ok_or("a session without a token")?;
    Ok((id.to_owned(), Some(token.to_owned())))
}

fn page(caller: &Caller, token: Option<&str>) -> Result<String, Failure> {
    let mut body =
        "Action=DescribeInstances&Version=2016-11-15&MaxResults=1000&IncludeManagedResources=true".to_owned();
    if let Some(token) = token {
        body.push_str("&NextToken=");
        body.push_str(&token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"));
    }
    for _ in 0..10 {
        let answer = caller.post("ec2", &body)?;
        if answer.starts_with("HTTP/1.1 200") {
            return Ok(answer);
        }
        // Only a full second of the allowed rate helps.
        std::thread::sleep(Duration::from_secs(1));
    }
    Err(format!("no page of instances in {}", caller.region).into())
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}
