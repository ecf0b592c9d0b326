//! `--save-inventory`: what is read goes to a file as well.

use std::fs::File;
use std::path::Path;

use crate::inventory::{Header, Reading, SCHEMA, Writer};
use crate::model::Needs;
use crate::report::Run;
use crate::scan::Scanned;

use super::Error;
use super::output::Outputs;
use super::sink::Sink;

/// What is asked for where an inventory is saved: any policy may be asked of it later.
pub const fn held(all_instances: bool) -> Needs {
    Needs { instances: all_instances, ..Needs::ALL }
}

/// An inventory file in the making.
#[derive(Debug)]
pub struct Save {
    sink: Sink,
    writer: Writer<File>,
    holds: Needs,
    /// The first failure. What comes after it is not written, and nor is the file.
    failed: Option<Error>,
}

impl Save {
    /// Opens it, before anything is read.
    pub fn open(path: &Path, all_instances: bool, outputs: &Outputs) -> Result<Self, Error> {
        if path == Path::new("-") {
            return Err(Error::usage("--save-inventory needs a file: stdout is for reports"));
        }
        let sink = Sink::open(path)?;
        if outputs.lead_to(sink.path()) {
            let path = path.display();
            return Err(Error::usage(format!("a report and the inventory cannot share {path}")));
        }
        let compressed = path.extension().is_some_and(|extension| extension == "zst");
        let writer = Writer::new(sink.spool()?, compressed);
        Ok(Self { sink, writer, holds: held(all_instances), failed: None })
    }

    /// Adds what became of a scope.
    pub fn add(&mut self, scanned: &Scanned) {
        self.keep(|writer| match scanned {
            Scanned::Read(inventory) => writer.inventory(inventory),
            Scanned::Unread(coverage) => writer.unread(coverage),
        });
    }

    fn keep(&mut self, add: impl FnOnce(&mut Writer<File>) -> std::io::Result<()>) {
        if self.failed.is_some() {
            return;
        }
        if let Err(error) = add(&mut self.writer) {
            let path = self.sink.path().display();
            self.failed = Some(Error::Output(format!("cannot write {path}: {error}")));
        }
    }

    /// Writes the file, of the run that read it all.
    pub fn finish(self, run: &Run) -> Result<(), Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let header = Header {
            schema: SCHEMA.to_owned(),
            tool: run.tool.clone(),
            version: run.version.clone(),
            holds: self.holds,
        };
        let reading = Reading {
            started_at: run.started_at,
            finished_at: run.finished_at,
            api_calls: run.api_calls.clone(),
            api_throttled: run.api_throttled,
            interrupted: run.interrupted,
        };
        self.sink.write(|out| self.writer.finish(&header, reading, out))
    }
}
