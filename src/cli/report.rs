//! `imdsctl report`: what can be done with reports that were written before.

use std::path::{Path, PathBuf};

use crate::exit::Exit;
use crate::report::Merge;

use super::console::Console;
use super::deliver::Doors;
use super::reporting::{self, Reporting};
use super::{Error, diff, merge, saved, signals};

/// Show, convert, merge and compare reports.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make one report of several: shards of an audit, or audits of different accounts.
    ///
    /// They are JSON or NDJSON, and judged by the same policies. Where several hold the same account and Region, the one that
    /// was read most completely is taken, and of two that are equal the later run's.
    Merge(merge::Args),
    /// Say what is new: which checks fail in a later report that did not in an earlier one, and which are fixed.
    ///
    /// They are JSON or NDJSON, of audits by whatever flags. What could not be read, is judged by another rule or is exempt
    /// is told apart from what is new or fixed. Exit codes: 0 nothing is new · 1 something new, or no longer exempt, is at
    /// or above --fail-on · 4 the later report has a hole where the earlier one has seen something.
    Diff(diff::Args),
    /// Show a report, or write it in another format.
    Show {
        /// The report, JSON or NDJSON; - is stdin.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        reporting: Reporting,
    },
}

/// Runs the command.
pub fn run(command: &Command, console: &Console) -> Result<Exit, Error> {
    match command {
        Command::Merge(args) => merge::run(args, console),
        Command::Diff(args) => diff::run(args, console),
        Command::Show { file, reporting } => show(file, reporting, console),
    }
}

fn show(file: &Path, reporting: &Reporting, console: &Console) -> Result<Exit, Error> {
    let outputs = reporting.open()?;
    let runtime = super::runtime()?;
    let stopped = signals::stopped(&runtime)?;
    let mut merge = Merge::new(outputs.store());
    merge.add(saved::open(file)?, &stopped).map_err(|error| saved::wrong(file, error))?;
    let shown = saved::whole(merge)?;
    let report = shown.view();
    let written = reporting.write(outputs, &report, &Doors::default(), console);
    reporting::end(reporting::afterwards(reporting.exit(&report)), written, console)
}
