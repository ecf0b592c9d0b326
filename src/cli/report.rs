//! `imdsctl report`: what can be done with reports that were written before.

use std::path::PathBuf;

use crate::exit::Exit;
use crate::report::Merge;

use super::console::Console;
use super::reporting::{self, Reporting};
use super::{Error, diff, saved, signals};

/// Show, convert, merge and compare reports.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make one report of several: shards of an audit, or audits of different accounts.
    ///
    /// They are JSON or NDJSON, and judged by the same policies. Where several hold the same account and Region, the one that
    /// was read most completely is taken, and of two that are equal the later run's.
    Merge {
        /// The reports; - is stdin.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        #[command(flatten)]
        reporting: Reporting,
    },
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
        Command::Merge { files, reporting } => merge(files, reporting, console),
        Command::Diff(args) => diff::run(args, console),
        Command::Show { file, reporting } => merge(std::slice::from_ref(file), reporting, console),
    }
}

fn merge(files: &[PathBuf], reporting: &Reporting, console: &Console) -> Result<Exit, Error> {
    saved::check_stdin(files.iter().map(PathBuf::as_path))?;
    let outputs = reporting.open()?;
    let runtime = super::runtime()?;
    let stopped = signals::stopped(&runtime)?;
    let mut merge = Merge::new(outputs.store());
    for file in files {
        merge.add(saved::open(file)?, &stopped).map_err(|error| saved::wrong(file, error))?;
    }
    let merged = merge.finish(env!("CARGO_PKG_VERSION"));
    let merged = merged.ok_or_else(|| Error::usage("there is no report to read"))?;
    let merged = merged.map_err(|error| Error::kept(&error))?;
    let report = merged.view();
    let written = reporting.write(outputs, &report, console);
    reporting::end(reporting::afterwards(reporting.exit(&report)), written, console)
}
