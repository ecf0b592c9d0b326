//! `imdsctl report diff`: what is new in a later report.

use std::path::PathBuf;

use crate::exit::Exit;
use crate::report::{Diff, DiffFormat, Side};

use super::console::Console;
use super::output::{OutputArg, Outputs};
use super::reporting::{self, FailOn};
use super::{Error, saved, signals};

/// Which reports are compared, and where that is written.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The earlier report, JSON or NDJSON; - is stdin.
    #[arg(value_name = "EARLIER")]
    before: PathBuf,
    /// The later report, JSON or NDJSON; - is stdin.
    #[arg(value_name = "LATER")]
    after: PathBuf,
    /// What to write: table, json or ndjson, to stdout or to a file; repeat for more.
    #[arg(short, long = "output", value_name = "FORMAT[=PATH]")]
    outputs: Vec<OutputArg<DiffFormat>>,
    /// The least severity of what is new that makes the exit code 1.
    #[arg(long, value_enum, default_value_t = FailOn::Low, value_name = "SEVERITY")]
    fail_on: FailOn,
}

/// Runs the command.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Error> {
    let Args { before, after, outputs, fail_on } = args;
    saved::check_stdin([before.as_path(), after.as_path()])?;
    let outputs = match outputs.as_slice() {
        [] => Outputs::open(&[OutputArg::to_stdout(DiffFormat::Table)])?,
        asked => Outputs::open(asked)?,
    };
    let runtime = super::runtime()?;
    let stopped = signals::stopped(&runtime)?;
    let read = |path| saved::read(saved::open(path)?, path, outputs.store(), &stopped);
    let ((before, before_lists), (after, after_lists)) = (read(before)?, read(after)?);
    let before = Side { report: before.view(), lists_passed: before_lists };
    let after = Side { report: after.view(), lists_passed: after_lists };
    let diff = Diff::new(before, after).map_err(|error| Error::kept(&error))?;
    let written = outputs.write_each(console, |format, style, out| format.write(&diff, style, out));
    reporting::end(exit(&diff, *fail_on), written, console)
}

fn exit(diff: &Diff<'_>, fail_on: FailOn) -> Exit {
    if diff.has_lost_sight() {
        Exit::Incomplete
    } else if fail_on.severity().is_some_and(|least| diff.is_worse_by(least)) {
        Exit::Findings
    } else {
        Exit::Success
    }
}
