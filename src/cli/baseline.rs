//! `--baseline`: an audit, or a merge, is compared with an earlier report, which it may take the place of.

use std::fmt;
use std::io::{BufRead, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tempfile::{NamedTempFile, SpooledTempFile};
use tokio::runtime::Runtime;

use crate::deliver::{BadObject, Object, ObjectPattern};
use crate::report::{Assembled, Diff, Format as _, Json, Renewal, Side, View};

use super::deliver::{self, Delivery};
use super::draft::Audited;
use super::output::Outputs;
use super::sink::Sink;
use super::{Error, saved, signals};

/// What a report is compared with.
#[derive(Debug, clap::Args)]
pub struct Against {
    /// Say what is new, and what is fixed, since this report, JSON or NDJSON: a file or `s3://BUCKET/KEY`.
    #[arg(long, value_name = "FILE")]
    baseline: Option<Place>,
    /// Make this report what the next one is compared with: write it to the file of --baseline, which need not be there
    /// yet. What could not be read this time is kept as it was.
    #[arg(long, requires = "baseline")]
    update_baseline: bool,
    /// Findings change the exit code only if they are new since --baseline, or no longer exempt.
    #[arg(long, requires = "baseline")]
    pub fail_on_new: bool,
}

/// Where an earlier report is: at the same place for each run.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    File(PathBuf),
    Object(Object),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !ObjectPattern::is_meant(text) {
            return Ok(Self::File(text.into()));
        }
        let object: ObjectPattern = text.parse().map_err(|error: BadObject| error.to_string())?;
        match object.constant() {
            Some(object) => Ok(Self::Object(object.clone())),
            None => Err("the next run has to find it: its key cannot have placeholders".to_owned()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Object(object) => object.fmt(f),
        }
    }
}

/// An earlier report, read, and where it is renewed.
#[derive(Debug)]
pub struct Baseline {
    /// Nothing on the first run.
    known: Option<Known>,
    renewed: Option<Renewed>,
}

#[derive(Debug)]
struct Known {
    report: Assembled<SpooledTempFile>,
    lists_passed: bool,
}

/// Where the next run finds what to compare with.
#[derive(Debug)]
enum Renewed {
    File(Sink),
    /// Written here first: an object is put in one piece.
    Object(Object, NamedTempFile, Box<Delivery>),
}

impl Against {
    /// The file of the earlier report, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.baseline {
            Some(Place::File(path)) => Some(path),
            Some(Place::Object(_)) | None => None,
        }
    }

    /// Opens it and reads it, before anything else is. What is on S3 is fetched by `delivery`.
    pub fn open(
        &self,
        outputs: &Outputs,
        delivery: &Delivery,
        runtime: &Runtime,
    ) -> Result<Option<Baseline>, Error> {
        let Some(place) = &self.baseline else { return self.check_without().map(|()| None) };
        // First, since a pipe may keep whoever opens it waiting.
        let stopped = signals::stopped(runtime)?;
        let renewed = self.update_baseline.then(|| place.renewed(outputs, delivery)).transpose()?;
        let known = match place.read(renewed.is_some(), delivery, runtime)? {
            None => {
                tracing::info!("{place} is not there yet: this report makes it");
                None
            }
            Some(input) => {
                let name = place.to_string();
                let (report, lists_passed) = saved::read(input, Path::new(&name), outputs.store(), &stopped)?;
                Some(Known { report, lists_passed })
            }
        };
        Ok(Some(Baseline { known, renewed }))
    }

    /// Whether it is beyond this machine.
    pub const fn leaves(&self) -> bool {
        matches!(self.baseline, Some(Place::Object(_)))
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

impl Place {
    /// The report there; nothing, where it `may_be_missing` and is. That it is denied is no sign of that.
    fn read(
        &self,
        may_be_missing: bool,
        delivery: &Delivery,
        runtime: &Runtime,
    ) -> Result<Option<Box<dyn BufRead>>, Error> {
        let file = match self {
            Self::File(path) if may_be_missing && saved::is_missing(path) => None,
            Self::File(path) => Some(saved::open(path)?),
            Self::Object(object) => delivery.fetch(object, runtime)?.map(saved::opened),
        };
        if file.is_none() && !may_be_missing {
            return Err(Error::usage(format!("cannot read {self}: there is no such object")));
        }
        Ok(file)
    }

    fn renewed(&self, outputs: &Outputs, delivery: &Delivery) -> Result<Renewed, Error> {
        let shared = || {
            Error::usage(format!(
                "a report and the baseline cannot share {self}: with --update-baseline it is written by itself"
            ))
        };
        match self {
            Self::File(path) => {
                if path == Path::new("-") {
                    return Err(Error::usage(
                        "--update-baseline needs a file that can be read again, not stdin",
                    ));
                }
                let sink = Sink::open(path)?;
                if outputs.lead_to(sink.path()) {
                    return Err(shared());
                }
                if sink.folder().is_none() {
                    return Err(Error::usage(format!(
                        "--update-baseline needs a file that can be replaced, and {self} is none"
                    )));
                }
                Ok(Renewed::File(sink))
            }
            Self::Object(object) if outputs.put(object) => Err(shared()),
            Self::Object(object) => {
                Ok(Renewed::Object(object.clone(), deliver::kept(object)?, Box::new(delivery.clone())))
            }
        }
    }
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
        let Some(renewed) = self.renewed else { return Ok(()) };
        let Some(known) = self.known else { return renewed.write(&report.view()) };
        let renewal = known.report.renew(report, (known.lists_passed, lists_passed), store);
        match renewal.map_err(|error| Error::kept(&error))? {
            Renewal::Whole => renewed.write(&report.view()),
            Renewal::Joined(joined) => renewed.write(&joined.view()),
            Renewal::Stays(scopes) => {
                tracing::warn!(
                    "{renewed} stays as it is: it knows {scopes} accounts and Regions that this report has not read, and was \
                     judged by other policies; to begin anew, remove it"
                );
                Ok(())
            }
        }
    }
}

impl Renewed {
    fn write(self, report: &View<'_>) -> Result<(), Error> {
        match self {
            Self::File(sink) => sink.write(|out| Json.write(report, out)),
            Self::Object(object, mut file, delivery) => {
                let mut out = BufWriter::new(file.as_file_mut());
                let written = Json.write(report, &mut out).and_then(|()| out.flush());
                drop(out);
                written.map_err(|error| {
                    Error::Output(format!("cannot keep what is to be {object} until it is whole: {error}"))
                })?;
                delivery.put_alone(&object, file)
            }
        }
    }
}

impl fmt::Display for Renewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(sink) => sink.path().display().fmt(f),
            Self::Object(object, ..) => object.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_is_a_file_or_an_object_that_the_next_run_finds() {
        assert_eq!("base.json".parse(), Ok(Place::File("base.json".into())));
        let object: Place = "s3://reports/imdsctl/baseline.json".parse().unwrap();
        assert_eq!(object.to_string(), "s3://reports/imdsctl/baseline.json");
        assert!("s3://reports/{date}.json".parse::<Place>().unwrap_err().contains("next run"));
        assert!("s3://reports".parse::<Place>().unwrap_err().contains("a key follows"));
    }
}
