//! `--baseline`: an audit, or a merge, is compared with an earlier report, which it may take the place of.

use std::path::{Path, PathBuf};

use tempfile::SpooledTempFile;
use tokio::runtime::Runtime;

use crate::report::{Assembled, Diff, Format as _, Json, Renewal, Side, View};

use super::draft::Audited;
use super::output::Outputs;
use super::sink::Sink;
use super::{Error, saved, signals};

/// What a report is compared with.
#[derive(Debug, clap::Args)]
pub struct Against {
    /// Say what is new, and what is fixed, since this report, JSON or NDJSON.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Make this report what the next one is compared with: write it to the file of --baseline, which need not be there
    /// yet. What could not be read this time is kept as it was.
    #[arg(long, requires = "baseline")]
    update_baseline: bool,
    /// Findings change the exit code only if they are new since --baseline, or no longer exempt.
    #[arg(long, requires = "baseline")]
    pub fail_on_new: bool,
}

/// An earlier report, read, and where it is renewed.
#[derive(Debug)]
pub struct Baseline {
    /// Nothing on the first run.
    known: Option<Known>,
    sink: Option<Sink>,
}

#[derive(Debug)]
struct Known {
    report: Assembled<SpooledTempFile>,
    lists_passed: bool,
}

impl Against {
    /// The earlier report, if there is one.
    pub fn path(&self) -> Option<&Path> {
        self.baseline.as_deref()
    }

    /// Opens it and reads it, before anything else is.
    pub fn open(&self, outputs: &Outputs, runtime: &Runtime) -> Result<Option<Baseline>, Error> {
        let Some(path) = &self.baseline else { return self.check_without().map(|()| None) };
        // First, since a pipe may keep whoever opens it waiting.
        let stopped = signals::stopped(runtime)?;
        let sink = self.update_baseline.then(|| sink(path, outputs)).transpose()?;
        let known = if sink.is_some() && saved::is_missing(path) {
            tracing::info!("{} is not there yet: this report makes it", path.display());
            None
        } else {
            let (report, lists_passed) = saved::read(path, outputs.store(), &stopped)?;
            Some(Known { report, lists_passed })
        };
        Ok(Some(Baseline { known, sink }))
    }

    /// Settings can ask for what makes no sense; or an audit would never fail for anything.
    fn check_without(&self) -> Result<(), Error> {
        let asked = [("--update-baseline", self.update_baseline), ("--fail-on-new", self.fail_on_new)];
        match asked.into_iter().find(|(_, asked)| *asked) {
            None => Ok(()),
            Some((flag, _)) => {
                Err(Error::usage(format!("{flag} needs --baseline: the report to compare with")))
            }
        }
    }
}

fn sink(path: &Path, outputs: &Outputs) -> Result<Sink, Error> {
    if path == Path::new("-") {
        return Err(Error::usage("--update-baseline needs a file that can be read again, not stdin"));
    }
    let sink = Sink::open(path)?;
    let shown = path.display();
    if outputs.lead_to(sink.path()) {
        return Err(Error::usage(format!(
            "a report and the baseline cannot share {shown}: with --update-baseline it is written by itself"
        )));
    }
    if sink.folder().is_none() {
        return Err(Error::usage(format!(
            "--update-baseline needs a file that can be replaced, and {shown} is none"
        )));
    }
    Ok(sink)
}

impl Baseline {
    /// Compares a report with it; nothing on the first run.
    pub fn compare<'a>(&'a self, report: View<'a>, lists_passed: bool) -> Result<Option<Diff<'a>>, Error> {
        let Some(known) = &self.known else { return Ok(None) };
        let before = Side { report: known.report.view(), lists_passed: known.lists_passed };
        let diff = Diff::new(before, Side { report, lists_passed });
        diff.map(Some).map_err(|error| Error::kept(&error))
    }

    /// Renews it by a report, if it is to be. Only what was told is to be forgotten: the report was written everywhere.
    pub fn update(self, report: &Audited, lists_passed: bool, store: SpooledTempFile) -> Result<(), Error> {
        let Some(sink) = self.sink else { return Ok(()) };
        let Some(known) = self.known else { return write(sink, &report.view()) };
        let renewal = known.report.renew(report, (known.lists_passed, lists_passed), store);
        match renewal.map_err(|error| Error::kept(&error))? {
            Renewal::Whole => write(sink, &report.view()),
            Renewal::Joined(joined) => write(sink, &joined.view()),
            Renewal::Stays(scopes) => {
                let path = sink.path().display();
                tracing::warn!(
                    "{path} stays as it is: it knows {scopes} accounts and Regions that this report has not read, and was \
                     judged by other policies; to begin anew, remove it"
                );
                Ok(())
            }
        }
    }
}

fn write(sink: Sink, report: &View<'_>) -> Result<(), Error> {
    sink.write(|out| Json.write(report, out))
}
