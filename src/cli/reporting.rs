//! What becomes of a report: where it is written, and how the run ends.

use clap::ValueEnum;

use crate::exit::Exit;
use crate::finding::Severity;
use crate::report::View;

use super::Error;
use super::baseline::Against;
use super::console::Console;
use super::deliver::{Delivery, Doors};
use super::output::{OutputArg, Outputs};

/// Where a report goes, and what ends a run with an error.
#[derive(Clone, Debug, clap::Args)]
pub struct Reporting {
    /// What to write: table, json, ndjson, csv or asff, to stdout, to a file or to S3 (`json=s3://bucket/{date}.json`);
    /// repeat for more.
    #[arg(short, long = "output", value_name = "FORMAT[=PATH]")]
    outputs: Vec<OutputArg>,
    #[command(flatten)]
    delivery: Delivery,
    /// The least severity of a finding that makes the exit code 1.
    #[arg(long, value_enum, default_value_t = FailOn::Low, value_name = "SEVERITY")]
    fail_on: FailOn,
}

/// The least severity that makes the exit code 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    Critical,
    High,
    Medium,
    Low,
    Info,
    /// Findings never change the exit code.
    None,
}

impl FailOn {
    pub const fn severity(self) -> Option<Severity> {
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
    fn fails(self, report: &View<'_>) -> bool {
        let counts = &report.summary.by_severity;
        let worse = |severity: &&Severity| self.severity().is_some_and(|least| **severity <= least);
        Severity::ALL.iter().filter(worse).any(|severity| counts.contains_key(severity.as_str()))
    }
}

impl Reporting {
    /// Opens all outputs.
    pub fn open(&self) -> Result<Outputs, Error> {
        if self.outputs.is_empty() {
            Outputs::open(&[OutputArg::DEFAULT])
        } else {
            Outputs::open_anywhere(&self.outputs)
        }
    }

    /// How what leaves this machine is carried.
    pub const fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// Refuses to leave this machine, for a run that is said to connect to nothing else.
    pub fn stay_here(&self, outputs: &Outputs, against: &Against) -> Result<(), Error> {
        if outputs.leave() || self.delivery.leaves() || against.leaves() {
            return Err(Error::usage(
                "--demo connects to nothing but itself: leave out outputs and a baseline on S3, --security-hub, and --notify, but for a file",
            ));
        }
        Ok(())
    }

    /// Writes the report everywhere, carries what belongs elsewhere, and tells who is to be told. Findings are imported
    /// through `doors`.
    pub fn write(
        &self,
        outputs: Outputs,
        report: &View<'_>,
        doors: &Doors,
        console: &Console,
    ) -> Result<(), Error> {
        let (parcels, written) = outputs.write(report, console);
        Error::gather([written, self.delivery.deliver(parcels, report, doors, console)])
    }

    /// How a run ends that made this report.
    pub fn exit(&self, report: &View<'_>) -> Exit {
        Self::end(report, self.fail_on.fails(report))
    }

    /// The same where only what is new counts; where there was nothing to compare with, nothing is.
    pub fn exit_by_new(&self, report: &View<'_>) -> Exit {
        let worse = |severity| report.since.is_some_and(|diff| diff.is_worse_by(severity));
        Self::end(report, self.fail_on.severity().is_some_and(worse))
    }

    fn end(report: &View<'_>, fails: bool) -> Exit {
        if report.run.interrupted {
            Exit::Interrupted
        } else if report.incomplete() {
            Exit::Incomplete
        } else if fails {
            Exit::Findings
        } else {
            Exit::Success
        }
    }
}

/// How a run ends that is not itself interrupted, whatever the report says: an interruption that it tells of is over.
pub const fn afterwards(exit: Exit) -> Exit {
    match exit {
        Exit::Interrupted => Exit::Incomplete,
        other => other,
    }
}

/// How a run ends whose outputs were written, or not.
pub fn end(exit: Exit, written: Result<(), Error>, console: &Console) -> Result<Exit, Error> {
    match written {
        Err(error) if exit == Exit::Interrupted => {
            console.error(&error.to_string());
            Ok(exit)
        }
        written => written.map(|()| exit),
    }
}
