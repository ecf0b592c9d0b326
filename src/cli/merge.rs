//! `imdsctl report merge`: one report of several, held against what was to be read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::exit::Exit;
use crate::model::{AccountId, Region};
use crate::report::{Expectation, Merge, Scopes, sanitize};

use super::baseline::Against;
use super::conclusion::Conclusion;
use super::console::Console;
use super::deliver::Doors;
use super::reporting::Reporting;
use super::{Error, saved, signals};

/// How many accounts and Regions are named where there are more.
const NAMED: usize = 3;

/// Which reports become one, and what is asked of it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The reports; - is stdin. With --expect there may be none, and one that is not there is a hole instead of an error.
    #[arg(required_unless_present = "expect", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What was to be read, as `imdsctl scopes -o json` writes it. An account and Region of it that no report has is failed
    /// coverage, which makes the report incomplete.
    #[arg(long, value_name = "SCOPES")]
    expect: Option<PathBuf>,
    #[command(flatten)]
    reporting: Reporting,
    #[command(flatten)]
    against: Against,
}

/// Runs the command.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Error> {
    let Args { files, expect, reporting, against } = args;
    let others = [expect.as_deref(), against.path()];
    saved::check_stdin(files.iter().map(PathBuf::as_path).chain(others.into_iter().flatten()))?;
    let outputs = reporting.open()?;
    let runtime = super::runtime()?;
    let stopped = signals::stopped(&runtime)?;
    let baseline = against.open(&outputs, reporting.delivery(), &runtime)?;
    let expected = expect.as_deref().map(expected).transpose()?;
    let mut merge = Merge::new(outputs.store());
    for file in files {
        if expected.is_some() && saved::is_missing(file) {
            tracing::warn!("{} is not there: what it was to hold counts as not read", file.display());
            continue;
        }
        merge.add(saved::open(file)?, &stopped).map_err(|error| saved::wrong(file, error))?;
    }
    if let Some(expected) = &expected {
        tell(&merge.expect(expected, Timestamp::now()));
    }
    let lists_passed = merge.lists_passed();
    let report = saved::whole(merge)?;
    let doors = Doors::default();
    let conclusion = Conclusion { reporting, against, baseline, lists_passed, is_over: true, doors };
    conclusion.draw(&report, outputs, Ok(()), console)
}

/// What was to be read.
fn expected(path: &Path) -> Result<Scopes, Error> {
    Scopes::read(saved::open(path)?).map_err(|error| saved::wrong(path, error.into()))
}

/// Says what is missing, and what is there that nobody expected.
fn tell(Expectation { missing, unexpected }: &Expectation) {
    if !missing.is_empty() {
        tracing::warn!("no report has {}: failed coverage", named(missing));
    }
    if !unexpected.is_empty() {
        tracing::warn!("{} not expected: kept all the same", named(unexpected));
    }
}

/// How many accounts and Regions there are, and which the first are.
fn named(scopes: &BTreeSet<(AccountId, Region)>) -> String {
    let names: Vec<_> =
        scopes.iter().take(NAMED).map(|(account, region)| format!("{account} {region}")).collect();
    let more = if scopes.len() > NAMED { ", …" } else { "" };
    let noun = if scopes.len() == 1 { "account and Region" } else { "accounts and Regions" };
    // They are as the files say.
    format!("{} {noun} ({}{more})", scopes.len(), sanitize(&names.join(", "), false))
}
