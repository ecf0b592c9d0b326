//! `imdsctl audit`: read the fleet, judge it, report.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use tokio::runtime::Runtime;

use crate::aws::Task;
use crate::exit::Exit;
use crate::finding::{Finding, Severity, Status};
use crate::policy::{self, DEFAULT_POLICY, Policy};
use crate::report::Report;
use crate::scan::Scanned;

use super::Error;
use super::console::Console;
use super::draft::{Draft, needs};
use super::offline::{Saved, stopped};
use super::output::{OutputArg, Outputs};
use super::save::{Save, held};
use super::session::{Access, Session};
use super::targets::Where;

/// Read the fleet, judge it, report. Nothing is ever changed.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    whereabouts: Where,
    /// What to judge by: a shipped policy (see `imdsctl policy list`) or a file; repeat for more.
    #[arg(long = "policy", value_name = "NAME|FILE", default_value = DEFAULT_POLICY)]
    policies: Vec<String>,
    /// Judge every instance, and what launches the next ones, whether or not it is of a cluster. To prove that all of
    /// them need tokens: --policy imdsv2.
    #[arg(long)]
    all_instances: bool,
    /// What to write: table, json, ndjson or csv, to stdout or to a file; repeat for more.
    #[arg(short, long = "output", value_name = "FORMAT[=PATH]")]
    outputs: Vec<OutputArg>,
    /// The least severity of a finding that makes the exit code 1.
    #[arg(long, value_enum, default_value_t = FailOn::Low, value_name = "SEVERITY")]
    fail_on: FailOn,
    /// Report what passed and what does not apply as well.
    #[arg(long)]
    include_passed: bool,
    #[command(flatten)]
    access: Access,
    /// Write what is read to this file too, for --inventory. Reads what any policy asks for. Compressed with zstd if its
    /// name ends with .zst.
    #[arg(long, value_name = "FILE")]
    save_inventory: Option<PathBuf>,
    /// Judge what --save-inventory wrote instead of reading: no AWS, no credentials, no network.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["Where", "Pace", "demo", "save_inventory"])]
    inventory: Option<PathBuf>,
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
    let runtime = super::runtime()?;
    let audited = match &args.inventory {
        Some(path) => judge(path, args, &policies, &outputs, &runtime).map(|report| (report, Ok(()))),
        None => read(args, &policies, &outputs, console, &runtime),
    };
    // Calls that an interruption left behind are not waited for.
    runtime.shutdown_background();
    let (report, saved) = audited?;
    let written = Error::gather([saved, outputs.write(&report, console)]);
    let exit = match exit_of(&report, args.fail_on) {
        // It was the reading that was interrupted, and that is over.
        Exit::Interrupted if args.inventory.is_some() => Exit::Incomplete,
        exit => exit,
    };
    match written {
        Err(error) if exit != Exit::Interrupted => Err(error),
        Err(error) => {
            console.error(&error.to_string());
            Ok(exit)
        }
        Ok(()) => Ok(exit),
    }
}

/// Judges a saved inventory.
fn judge(
    path: &Path,
    args: &Args,
    policies: &[Policy],
    outputs: &Outputs,
    runtime: &Runtime,
) -> Result<Report, Error> {
    // First, since a pipe may keep whoever opens it waiting.
    let stopped = stopped(runtime)?;
    Saved::open(path, outputs)?.judge(policies, args.all_instances, args.include_passed, &stopped)
}

/// Reads the fleet and judges it; beside the report stands whether the inventory could be saved.
fn read(
    args: &Args,
    policies: &[Policy],
    outputs: &Outputs,
    console: &Console,
    runtime: &Runtime,
) -> Result<(Report, Result<(), Error>), Error> {
    let mut save = args
        .save_inventory
        .as_deref()
        .map(|path| Save::open(path, args.all_instances, outputs))
        .transpose()?;
    let report = runtime.block_on(audit(args, policies, save.as_mut(), console))?;
    let saved = save.map_or(Ok(()), |save| save.finish(&report.run));
    Ok((report, saved))
}

pub(super) fn load_policies(names: &[String]) -> Result<Vec<Policy>, Error> {
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

async fn audit(
    args: &Args,
    policies: &[Policy],
    mut save: Option<&mut Save>,
    console: &Console,
) -> Result<Report, Error> {
    let mut session = Session::start(&args.access, &args.whereabouts, Task::Audit, console).await?;
    let needs = needs(policies, args.all_instances);
    let asked = if save.is_some() { held(args.all_instances) } else { needs }.into();
    let mut draft = Draft::new(policies, needs, session.started_at, args.include_passed);
    let keep = |scanned| match scanned {
        Scanned::Read(inventory) => {
            if let Some(save) = save.as_deref_mut() {
                save.add(&inventory);
            }
            draft.add(*inventory);
        }
        Scanned::Unread(coverage) => {
            if let Some(save) = save.as_deref_mut() {
                save.add_unread(&coverage);
            }
            draft.add_unread(coverage);
        }
    };
    let outcome = session.scan(|_| true, &asked, keep).await?;
    Ok(draft.finish(session.end(outcome).await?))
}
