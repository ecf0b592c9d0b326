//! `imdsctl rollback`: take back what a journal says was done.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::apply::Options;
use crate::aws::Task;
use crate::exit::Exit;
use crate::journal::{Undoing, undo};
use crate::report::PlanFormat;
use crate::scan::Outcome;

use super::Error;
use super::console::Console;
use super::output::{OutputArg, Outputs};
use super::remediate::{Applying, As, Care, JournalFile, Rehearsed, Work, run_journal, show_plan};
use super::session::{Access, Session};
use super::targets::Where;

/// Take back what a journal says was done, in reverse: default versions, node groups, Auto Scaling groups, instances and
/// account defaults; versions that were made go away if nothing uses them. Has a journal of its own.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The journal.
    #[arg(value_name = "JOURNAL")]
    journal_to_undo: PathBuf,
    #[command(flatten)]
    whereabouts: Where,
    #[command(flatten)]
    care: Care,
    /// Show what would be taken back and stop. Nothing that could change anything is sent.
    #[arg(help_heading = "What to do", long)]
    dry_run: bool,
    /// What to write: table or json, to stdout or to a file; repeat for more. The plan with --dry-run, else what became
    /// of it.
    #[arg(short, long = "output", value_name = "FORMAT[=PATH]")]
    outputs: Vec<OutputArg<PlanFormat>>,
    #[command(flatten)]
    access: Access,
}

/// Takes it back.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Error> {
    let table = [OutputArg::to_stdout(PlanFormat::Table)];
    let outputs = Outputs::open(if args.outputs.is_empty() { &table } else { &args.outputs })?;
    if !args.dry_run {
        args.care.can_ask(console)?;
    }
    let runtime = super::runtime()?;
    let done = runtime.block_on(Box::pin(roll_back(args, outputs, console)));
    // Calls that an interruption left behind are not waited for.
    runtime.shutdown_background();
    done
}

async fn roll_back(args: &Args, outputs: Outputs<PlanFormat>, console: &Console) -> Result<Exit, Error> {
    let mut file = JournalFile::open(&args.journal_to_undo)?;
    let shown = args.journal_to_undo.display();
    if file.journal.history().begin.undoes.is_some() {
        return Err(Error::usage(format!(
            "{shown} is the journal of a rollback: finish it with `remediate --resume`, or plan anew with `remediate`"
        )));
    }
    let mut session = Session::start(&args.access, &args.whereabouts, Task::Plan, console).await?;
    let access = As { access: &args.access, whereabouts: &args.whereabouts, care: &args.care };
    let open = file.journal.history().open().count();
    if open > 0 && !args.dry_run {
        let steps = if open == 1 { "1 step".to_owned() } else { format!("{open} steps") };
        console.note(&format!(
            "{steps} of {shown} may have been done: asking AWS, and waiting for what goes on"
        ));
        file.go_on()?;
        let prospects = session.prospects();
        let options =
            Options { settle_only: true, canary: false, ..args.care.options(args.access.is_demo()) };
        let settled = run_journal(&mut file, &mut session, &prospects, access, console, options).await?;
        if let Some(error) = settled.unwritten {
            return Err(Error::Output(format!("cannot write the journal {shown}: {error}")));
        }
        if file.journal.history().open().next().is_some() {
            session.end(Outcome::default()).await?;
            let why = settled.why.unwrap_or_else(|| "it was interrupted".to_owned());
            return Err(Error::Incomplete(format!("nothing was taken back: {why}")));
        }
    }
    let version = env!("CARGO_PKG_VERSION");
    let Undoing { plan, unsettled } = undo(file.journal.history(), Timestamp::now(), version);
    if args.dry_run {
        for step in &unsettled {
            console
                .note(&format!("step {step} may have been done: rollback asks AWS before it does anything"));
        }
        session.end(Outcome::default()).await?;
        let empty = plan.scopes.is_empty() && unsettled.is_empty();
        let shown = Rehearsed::not(&plan);
        outputs.write_each(console, |format, style, out| show_plan(&shown, true, format, style, out))?;
        return Ok(if empty { Exit::Success } else { Exit::Findings });
    }
    let undoes = Some(args.journal_to_undo.display().to_string());
    let work = Work { plan, policies: &[], holes: Vec::new(), undoes };
    // The journal stays locked until all of it is taken back.
    let done = Applying { args: access, outputs, console }.begin(work, session).await;
    drop(file);
    done
}
