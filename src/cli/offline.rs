//! `--inventory`: a saved inventory is read, and nothing is asked of AWS.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use jiff::Timestamp;
use tempfile::SpooledTempFile;

use crate::inventory::{Line, ReadError, Reader, Reading};
use crate::model::Needs;
use crate::policy::Policy;
use crate::report::Run;
use crate::scan::Scanned;

use super::Error;
use super::draft::{Audited, Draft, needs};
use super::output::Outputs;

/// A saved inventory, opened.
#[derive(Debug)]
pub struct Saved<'a> {
    path: &'a Path,
    reader: Reader<'static>,
}

impl<'a> Saved<'a> {
    /// Opens a file that nothing that is written is about to replace.
    pub fn open<F: Copy>(path: &'a Path, outputs: &Outputs<F>) -> Result<Self, Error> {
        if path.canonicalize().is_ok_and(|path| outputs.lead_to(&path)) {
            return Err(Error::usage(format!("a report cannot replace {}, which is read", path.display())));
        }
        let file = File::open(path).map_err(|error| wrong(path, error.into()))?;
        let reader = Reader::new(BufReader::new(file)).map_err(|error| wrong(path, error))?;
        Ok(Self { path, reader })
    }

    /// What it holds besides what belongs to clusters.
    pub const fn holds(&self) -> Needs {
        self.reader.header().holds
    }

    /// Hands it on line by line, until it ends or `stopped` says so; then it says how the fleet was read.
    pub fn read(
        mut self,
        stopped: &dyn Fn() -> bool,
        mut take: impl FnMut(Scanned),
    ) -> Result<Reading, Error> {
        loop {
            let line = self.reader.next_line();
            // Before the line is looked at: a pipe breaks off when whoever writes it is interrupted too.
            if stopped() {
                return Err(Error::Interrupted("the inventory was read to its end"));
            }
            match line.map_err(|error| wrong(self.path, error))? {
                Line::Inventory(inventory) => take(Scanned::Read(inventory)),
                Line::Unread(coverage) => take(Scanned::Unread(*coverage)),
                Line::End(end) => {
                    if end.reading.interrupted {
                        tracing::warn!("{}: the audit that saved it was interrupted", self.path.display());
                    }
                    return Ok(end.reading);
                }
            }
        }
    }

    /// Judges it.
    pub fn judge(
        self,
        policies: &[Policy],
        all_instances: bool,
        include_passed: bool,
        store: SpooledTempFile,
        stopped: &dyn Fn() -> bool,
    ) -> Result<Audited, Error> {
        let holds = self.holds();
        for policy in policies {
            self.check(policy, holds)?;
        }
        if all_instances && !holds.instances {
            let path = self.path.display();
            return Err(Error::usage(format!(
                "{path} holds nodes and no other instances: save it again with --all-instances"
            )));
        }
        let needs = needs(policies, all_instances);
        let mut draft = Draft::new(policies, needs, Timestamp::now(), include_passed, store);
        let reading = self.read(stopped, |scanned| draft.add(scanned))?;
        draft.finish(run_of(reading))
    }

    /// What is not there cannot be judged, and is not taken for good.
    fn check(&self, policy: &Policy, holds: Needs) -> Result<(), Error> {
        match needs(std::slice::from_ref(policy), false).unmet(holds) {
            None => Ok(()),
            Some(what) => Err(Error::usage(format!(
                "{} holds no {what}, which policy {} judges: save it again",
                self.path.display(),
                policy.name
            ))),
        }
    }
}

/// A report tells of the run that read the fleet: how old what it says is, and what it took.
pub fn run_of(reading: Reading) -> Run {
    Run {
        tool: "imdsctl".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: reading.started_at,
        finished_at: reading.finished_at,
        api_calls: reading.api_calls,
        api_throttled: reading.api_throttled,
        interrupted: reading.interrupted,
    }
}

fn wrong(path: &Path, error: ReadError) -> Error {
    let path = path.display();
    match error {
        ReadError::Io(error) => Error::usage(format!("cannot read {path}: {error}")),
        ReadError::NotAnInventory(message) => Error::usage(format!("{path}: {message}")),
        ReadError::Line { line, column, message } => {
            Error::usage(format!("{path}:{line}:{column}: {message}"))
        }
        ReadError::Incomplete(message) => Error::Incomplete(format!("{path}: {message}")),
    }
}
