//! `imdsctl audit`: read the fleet, judge it, report.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::aws::{Aws, Timeouts};
use crate::exit::Exit;
use crate::finding::{Finding, Severity, Status};
use crate::lineage::{self, SubjectKind};
use crate::model::{Coverage, Inventory, Needs};
use crate::policy::{self, DEFAULT_POLICY, Evaluator, Policy};
use crate::report::{PolicySummary, Report, Run, SCHEMA, Summary};
use crate::scan;

use super::console::Console;
use super::demo::Demo;
use super::output::{OutputArg, Outputs};
use super::progress::Progress;
use super::targets::{Targets, Where};
use super::{Error, signals};

/// Read the fleet, judge it, report. Nothing is ever changed.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    whereabouts: Where,
    /// What to judge by: a shipped policy (see `imdsctl policy list`) or a file; repeat for more.
    #[arg(long = "policy", value_name = "NAME|FILE", default_value = DEFAULT_POLICY)]
    policies: Vec<String>,
    /// What to write: table, json, ndjson or csv, to stdout or to a file; repeat for more.
    #[arg(short, long = "output", value_name = "FORMAT[=PATH]")]
    outputs: Vec<OutputArg>,
    /// The least severity of a finding that makes the exit code 1.
    #[arg(long, value_enum, default_value_t = FailOn::Low, value_name = "SEVERITY")]
    fail_on: FailOn,
    /// Report what passed and what does not apply as well.
    #[arg(long)]
    include_passed: bool,
    /// Give up on an answer of AWS after this many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..))]
    timeout: u16,
    /// Read a built-in simulated fleet instead of AWS. Ignores all AWS settings; without --region, reads all Regions.
    #[arg(long)]
    demo: bool,
    /// Keep the simulated fleet in this file from one command to the next.
    #[arg(long, value_name = "FILE", requires = "demo")]
    demo_state: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Critical,
    High,
    Medium,
    Low,
    Info,
    /// Findings never change the exit code.
    None,
}

impl FailOn {
    const fn severity(self) -> Option<Severity> {
        match self {
            Self::Critical => Some(Severity::Critical),
            Self::High => Some(Severity::High),
            Self::Medium => Some(Severity::Medium),
            Self::Low => Some(Severity::Low),
            Self::Info => Some(Severity::Info),
            Self::None => None,
        }
    }

    /// Unknown counts like fail; severities are ordered from the worst.
    fn fails(self, finding: &Finding) -> bool {
        matches!(finding.status, Status::Fail | Status::Unknown)
            && self.severity().is_some_and(|least| finding.severity <= least)
    }
}

/// Runs the audit. Everything that can be wrong with the arguments is found before AWS is asked anything.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Error> {
    let policies = load_policies(&args.policies)?;
    let outputs = if args.outputs.is_empty() { vec![OutputArg::DEFAULT] } else { args.outputs.clone() };
    let outputs = Outputs::open(&outputs)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Bug(format!("cannot start: {error}")))?;
    let report = runtime.block_on(audit(args, &policies, console));
    // Calls that an interruption left behind are not waited for.
    runtime.shutdown_background();
    let report = report?;
    let written = outputs.write(&report, console);
    let exit = exit_of(&report, args.fail_on);
    match written {
        Err(error) if exit != Exit::Interrupted => Err(error),
        Err(error) => {
            console.error(&error.to_string());
            Ok(exit)
        }
        Ok(()) => Ok(exit),
    }
}

fn load_policies(names: &[String]) -> Result<Vec<Policy>, Error> {
    let mut policies: Vec<Policy> = Vec::new();
    for name in names {
        let policy = policy::load(name).map_err(Error::usage)?;
        if policies.iter().any(|other| other.name == policy.name) {
            return Err(Error::usage(format!("there are two policies named {:?}", policy.name)));
        }
        policies.push(policy);
    }
    Ok(policies)
}

fn exit_of(report: &Report, fail_on: FailOn) -> Exit {
    if report.run.interrupted {
        Exit::Interrupted
    } else if report.incomplete() {
        Exit::Incomplete
    } else if report.findings.iter().any(|finding| fail_on.fails(finding)) {
        Exit::Findings
    } else {
        Exit::Success
    }
}

async fn audit(args: &Args, policies: &[Policy], console: &Console) -> Result<Report, Error> {
    let stop = signals::interruption()?;
    let mut stop = std::pin::pin!(stop);
    let demo = if args.demo { Some(Demo::start(args.demo_state.as_deref()).await?) } else { None };
    let aws = Aws::new(Timeouts::default().at_most(Duration::from_secs(args.timeout.into())));
    let mut progress = Progress::new(console);
    let started_at = Timestamp::now();
    let sign_ins = args.whereabouts.sign_ins(demo.as_ref())?;
    let Targets { targets, skipped } = tokio::select! {
        targets = args.whereabouts.find(&aws, sign_ins, demo.is_some()) => targets?,
        () = &mut stop => return Err(Error::Interrupted),
    };

    let mut draft = Draft::new(policies, started_at, args.include_passed, skipped);
    let outcome = scan::scan(
        targets,
        needs(policies),
        stop,
        |inventory| draft.add(&inventory),
        |event| progress.on(event),
    )
    .await;
    progress.finish();
    draft.coverage.extend(outcome.unread.iter().map(scan::interrupted));
    if let Some(demo) = demo {
        demo.stop().await?;
    }
    let counts = aws.meter().snapshot();
    Ok(draft.finish(Run {
        tool: "imdsctl".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at,
        finished_at: Timestamp::now(),
        api_calls: counts.calls,
        api_throttled: counts.throttled,
        interrupted: outcome.interrupted(),
    }))
}

/// What has to be read even where there is no trace of EKS.
fn needs(policies: &[Policy]) -> Needs {
    let asked = |kind| policies.iter().any(|policy| policy.asks_for(kind));
    Needs {
        templates: asked(SubjectKind::LaunchTemplate),
        account_defaults: asked(SubjectKind::AccountDefaults),
    }
}

/// A report in the making: each inventory is judged as it comes, counted and dropped.
struct Draft<'p> {
    policies: &'p [Policy],
    evaluator: Evaluator<'p>,
    include_passed: bool,
    findings: Vec<Finding>,
    coverage: Vec<Coverage>,
    summary: Summary,
}

impl<'p> Draft<'p> {
    fn new(policies: &'p [Policy], now: Timestamp, include_passed: bool, skipped: Vec<Coverage>) -> Self {
        let today = now.to_zoned(TimeZone::UTC).date();
        Self {
            policies,
            evaluator: Evaluator::new(policies, today),
            include_passed,
            findings: Vec::new(),
            coverage: skipped,
            summary: Summary::default(),
        }
    }

    fn add(&mut self, inventory: &Inventory) {
        let judged = self.evaluator.judge(inventory, self.include_passed);
        self.summary.passed += judged.passed;
        self.summary.not_applicable += judged.not_applicable;
        self.summary.count_inventory(inventory, lineage::groups_of_clusters(inventory));
        self.coverage.push(Coverage {
            reason: inventory
                .coverage
                .reason
                .clone()
                .or_else(|| lineage::limits(inventory).map(str::to_owned)),
            ..inventory.coverage.clone()
        });
        self.findings.extend(judged.findings);
    }

    fn finish(mut self, run: Run) -> Report {
        self.coverage.sort_by(|a, b| (&a.account_id, &a.region).cmp(&(&b.account_id, &b.region)));
        let mut report = Report {
            schema: SCHEMA.to_owned(),
            run,
            policies: self.policies.iter().map(summary_of).collect(),
            findings: self.findings,
            coverage: self.coverage,
            summary: self.summary,
        };
        let complete = !report.incomplete();
        report.findings.extend(self.evaluator.exemptions(complete));
        report.findings.sort_by(Finding::cmp_machine);
        for finding in &report.findings {
            report.summary.count(finding);
        }
        report.summary.count_scopes(&report.coverage);
        report
    }
}

fn summary_of(policy: &Policy) -> PolicySummary {
    PolicySummary {
        name: policy.name.clone(),
        version: policy.version.clone(),
        sha256: policy.sha256.clone(),
    }
}
