//! `imdsctl audit`: read the fleet, judge it, report.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tokio::runtime::Runtime;

use crate::aws::Task;
use crate::exit::Exit;
use crate::model::{Needs, Scope};
use crate::policy::{self, DEFAULT_POLICY, Policy};
use crate::report::{Complete, Run};
use crate::scan::{Scanned, Shard};

use super::baseline::Against;
use super::conclusion::Conclusion;
use super::console::Console;
use super::deliver::Doors;
use super::draft::{Audited, Draft, needs};
use super::offline::Saved;
use super::output::Outputs;
use super::reporting::Reporting;
use super::save::{Save, held};
use super::session::{Access, Session};
use super::targets::Where;
use super::{Error, signals};

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
    #[command(flatten)]
    reporting: Reporting,
    /// Report what passed and what does not apply as well.
    #[arg(long)]
    include_passed: bool,
    #[command(flatten)]
    against: Against,
    #[command(flatten)]
    access: Access,
    /// Read one of N parts of all accounts and Regions; `imdsctl report merge` puts the reports together. In a job of an
    /// array env:VARIABLE/N: the part is the variable's, from 0.
    #[arg(long, value_name = "hash:M/N", value_parser = super::shard::parse,
        conflicts_with_all = ["inventory", "baseline", "update_baseline", "fail_on_new"])]
    shard: Option<Shard>,
    /// Complete this report, JSON or NDJSON, of an audit that was interrupted or could not read everything.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["inventory", "save_inventory"])]
    resume: Option<PathBuf>,
    /// Write what is read to this file too, for --inventory. Reads what any policy asks for. Compressed with zstd if its
    /// name ends with .zst.
    #[arg(long, value_name = "FILE")]
    save_inventory: Option<PathBuf>,
    /// Judge what --save-inventory wrote instead of reading: no AWS, no credentials, no network.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["Where", "Pace", "demo", "save_inventory"])]
    inventory: Option<PathBuf>,
}

/// Runs the audit. Everything that can be wrong with the arguments is found before AWS is asked anything.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Error> {
    let policies = load_policies(&args.policies)?;
    let outputs = args.reporting.open()?;
    if args.access.is_demo() {
        args.reporting.stay_here(&outputs, &args.against)?;
    }
    let runtime = super::runtime()?;
    let baseline = args.against.open(&outputs, args.reporting.delivery(), &runtime)?;
    let audited = match &args.inventory {
        Some(path) => judge(path, args, &policies, &outputs, &runtime).map(Read::judged),
        None => read(args, &policies, &outputs, console, &runtime),
    };
    // Calls that an interruption left behind are not waited for.
    runtime.shutdown_background();
    let Read { report, saved, doors } = audited?;
    let conclusion = Conclusion {
        reporting: &args.reporting,
        against: &args.against,
        baseline,
        lists_passed: args.include_passed,
        is_over: args.inventory.is_some(),
        doors,
    };
    conclusion.draw(&report, outputs, saved, console)
}

/// Judges a saved inventory.
fn judge(
    path: &Path,
    args: &Args,
    policies: &[Policy],
    outputs: &Outputs,
    runtime: &Runtime,
) -> Result<Audited, Error> {
    // First, since a pipe may keep whoever opens it waiting.
    let stopped = signals::stopped(runtime)?;
    Saved::open(path, outputs)?.judge(
        policies,
        args.all_instances,
        args.include_passed,
        outputs.store(),
        &stopped,
    )
}

/// A report, and what is known besides.
struct Read {
    report: Audited,
    /// Whether the inventory could be saved.
    saved: Result<(), Error>,
    /// How accounts were got into.
    doors: Doors,
}

impl Read {
    /// Of an inventory, for which nobody got into an account.
    fn judged(report: Audited) -> Self {
        Self { report, saved: Ok(()), doors: Doors::default() }
    }
}

/// Reads the fleet and judges it.
fn read(
    args: &Args,
    policies: &[Policy],
    outputs: &Outputs,
    console: &Console,
    runtime: &Runtime,
) -> Result<Read, Error> {
    let mut save = args
        .save_inventory
        .as_deref()
        .map(|path| Save::open(path, args.all_instances, outputs))
        .transpose()?;
    let needs = needs(policies, args.all_instances);
    let mut draft = Draft::new(policies, needs, Timestamp::now(), args.include_passed, outputs.store());
    let complete = match &args.resume {
        Some(path) => draft.resume(path, &signals::stopped(runtime)?)?,
        None => Complete::default(),
    };
    let shard = args.shard.unwrap_or(Shard::WHOLE);
    let missing = |scope: &Scope| shard.holds(scope) && !complete.has(scope);
    let keep = |scanned| {
        if let Some(save) = &mut save {
            save.add(&scanned);
        }
        draft.add(scanned);
    };
    let asked = if args.save_inventory.is_some() { held(args.all_instances) } else { needs };
    let (run, doors) = runtime.block_on(scan(args, asked, missing, keep, console))?;
    let saved = save.map_or(Ok(()), |save| save.finish(&run));
    Ok(Read { report: draft.finish(run)?, saved, doors })
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

/// Reads what is `missing`, and says how that went, and how it got into accounts.
async fn scan(
    args: &Args,
    asked: Needs,
    missing: impl Fn(&Scope) -> bool,
    keep: impl FnMut(Scanned),
    console: &Console,
) -> Result<(Run, Doors), Error> {
    let mut session = Session::start(&args.access, &args.whereabouts, Task::Audit, console).await?;
    let doors = Doors::of(&session.prospects);
    let outcome = session.scan(missing, &asked.into(), keep).await?;
    Ok((session.end(outcome).await?, doors))
}
