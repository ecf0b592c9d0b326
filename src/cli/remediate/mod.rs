//! `imdsctl remediate`: plan the fixes, show them, apply them, and say what became of them.

mod apply;
mod choose;
mod file;
mod follow;
mod journal;
mod made;
mod outcome;
mod preflight;
mod sign_in;
mod table;
mod verify;

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::aws::Task;
use crate::exit::Exit;
use crate::policy::{DEFAULT_POLICY, Policy};
use crate::remediate::Planner;
use crate::report::PlanFormat;

use super::Error;
use super::audit::load_policies;
use super::console::Console;
use super::output::{OutputArg, Outputs};
use super::session::{Access, Session};
use super::sink::Sink;
use super::targets::Where;

pub use apply::{Applying, As, Work, run as run_journal};
pub use choose::{Care, Choosing};
pub use journal::JournalFile;
pub use preflight::Rehearsed;
pub use table::plan as show_plan;

/// Plan the fixes, show them, ask, apply them, and say what became of them. Every change is in a journal first, by which
/// it can be finished and taken back.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    whereabouts: Where,
    /// What to judge by: a shipped policy (see `imdsctl policy list`) or a file; repeat for more.
    #[arg(long = "policy", value_name = "NAME|FILE", default_value = DEFAULT_POLICY)]
    policies: Vec<String>,
    #[command(flatten)]
    choosing: Choosing,
    #[command(flatten)]
    care: Care,
    /// Show the plan and stop. Nothing that could change anything is sent.
    #[arg(help_heading = "What to do", long, conflicts_with_all = ["plan", "resume"])]
    dry_run: bool,
    /// With --dry-run, ask EC2 of each step whether it is allowed, by its own dry runs, which change nothing.
    #[arg(help_heading = "What to do", long, requires = "dry_run")]
    preflight: bool,
    /// Write the plan to this file too, for --plan.
    #[arg(help_heading = "What to do", long, value_name = "FILE", conflicts_with_all = ["plan", "resume"])]
    plan_out: Option<PathBuf>,
    /// Apply the plan of this file and nothing else. What has changed since is refused.
    #[arg(help_heading = "What to do", long, value_name = "FILE", conflicts_with_all = ["Choosing", "resume"])]
    plan: Option<PathBuf>,
    /// Finish what this journal says was begun.
    #[arg(help_heading = "What to do", long, value_name = "JOURNAL", conflicts_with_all = ["Choosing", "journal"])]
    resume: Option<PathBuf>,
    /// What to write: table or json, to stdout or to a file; repeat for more. The plan with --dry-run, else what became
    /// of it.
    #[arg(short, long = "output", value_name = "FORMAT[=PATH]")]
    outputs: Vec<OutputArg<PlanFormat>>,
    #[command(flatten)]
    access: Access,
}

/// Runs it. Everything that can be wrong with the arguments is found before AWS is asked anything.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Error> {
    let policies = load_policies(&args.policies)?;
    let table = [OutputArg::to_stdout(PlanFormat::Table)];
    let outputs = Outputs::open(if args.outputs.is_empty() { &table } else { &args.outputs })?;
    let plan_out = args.plan_out.as_deref().map(Sink::open).transpose()?;
    if !args.dry_run {
        args.care.can_ask(console)?;
    }
    let runtime = super::runtime()?;
    let done = runtime.block_on(Box::pin(remediate(args, &policies, outputs, plan_out, console)));
    // Calls that an interruption left behind are not waited for.
    runtime.shutdown_background();
    done
}

async fn remediate(
    args: &Args,
    policies: &[Policy],
    outputs: Outputs<PlanFormat>,
    plan_out: Option<Sink>,
    console: &Console,
) -> Result<Exit, Error> {
    if let Some(path) = &args.resume {
        let file = JournalFile::open(path)?;
        return Applying { args: args.access(), outputs, console }.finish(file, policies).await;
    }
    if let Some(path) = &args.plan {
        let plan = file::read(path)?;
        let policies = verify::policies_of(&plan, policies)?;
        let session = Session::start(&args.access, &args.whereabouts, Task::Plan, console).await?;
        let work = Work { plan, policies: &policies, holes: Vec::new(), undoes: None };
        return Applying { args: args.access(), outputs, console }.begin(work, session).await;
    }
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let planner = Planner::new(policies, today, args.choosing.choices());
    let planner = planner.map_err(Error::usage)?;
    let mut session = Session::start(&args.access, &args.whereabouts, Task::Plan, console).await?;
    let made = made::make(&mut session, &planner, policies).await?;
    let written = plan_out.map_or(Ok(()), |sink| file::write(sink, &made.plan));
    if args.dry_run {
        let exit = made.exit();
        let preflight = if args.preflight {
            let role = args.care.remediate_role.as_ref();
            let changers =
                sign_in::sign_in(&made.plan, &session.prospects(), &args.whereabouts, role).await?;
            Some(preflight::rehearse(&made.plan, &changers).await)
        } else {
            None
        };
        session.end(made.outcome).await?;
        let shown = Rehearsed { plan: &made.plan, preflight };
        let shown =
            outputs.write_each(console, |format, style, out| table::plan(&shown, true, format, style, out));
        Error::gather([written, shown])?;
        return Ok(exit);
    }
    written?;
    let work = Work { plan: made.plan, policies, holes: made.holes, undoes: None };
    Applying { args: args.access(), outputs, console }.begin(work, session).await
}

impl Args {
    fn access(&self) -> As<'_> {
        As { access: &self.access, whereabouts: &self.whereabouts, care: &self.care }
    }
}
