//! What the function answers: counts and places, and never what a finding says.

use serde::{Deserialize, Serialize};

use super::child::Ended;
use super::failure::Failure;
use crate::exit::Exit;
use crate::model::{AccountId, Region};
use crate::report::{Outline, Summary};

/// How many of the accounts and Regions that are left are listed. An answer has to fit into a state of Step Functions.
const LISTED: usize = 100;

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reported {
    /// The exit code that the command ended with; `docs/exit-codes.md` says what it means.
    exit: i32,
    status: Status,
    summary: Counts,
    /// Where the report was put on S3.
    outputs: Vec<String>,
    #[serde(flatten)]
    left: Left,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All that was to be read was read.
    Complete,
    /// Not all of it; what is left says what.
    Incomplete,
}

/// What was to be read and was not, or not to the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Left {
    /// The first of them.
    left: Vec<Scope>,
    /// How many there are.
    left_count: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Scope {
    account: AccountId,
    region: Region,
}

/// The counts of a report that do not grow with the organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Counts {
    accounts: u64,
    regions: u64,
    scopes: u64,
    clusters: u64,
    instances: u64,
    passed: u64,
    failed: u64,
    exempt: u64,
    unknown: u64,
    /// Nothing where the report was compared with none.
    new: Option<u64>,
    fixed: Option<u64>,
}

/// What was told of the report; see [`crate::deliver::Announcement`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Told {
    new: Option<u64>,
    fixed: Option<u64>,
    reports: Vec<String>,
}

impl Reported {
    /// How a command went that made a report.
    pub fn of(ended: Ended, told: Told) -> Result<Self, Failure> {
        let (exit, outline) = ended.report()?;
        Ok(Self {
            exit,
            status: Status::of(exit),
            summary: Counts::of(&outline.summary, &told),
            outputs: told.reports,
            left: Left::of(&outline),
        })
    }
}

impl Status {
    /// By the exit code of a command that made a report.
    pub const fn of(exit: i32) -> Self {
        match exit {
            0 | 1 => Self::Complete,
            _ => Self::Incomplete,
        }
    }
}

impl Left {
    /// What a report says is left.
    pub fn of(outline: &Outline) -> Self {
        let left = outline.left();
        let scope = |(account, region): (&AccountId, &Region)| Scope {
            account: account.clone(),
            region: region.clone(),
        };
        let listed = outline.left().take(LISTED).map(|left| scope((&left.account_id, &left.region)));
        Self { left: listed.collect(), left_count: left.count() }
    }
}

impl Counts {
    fn of(summary: &Summary, told: &Told) -> Self {
        Self {
            accounts: summary.accounts,
            regions: summary.regions,
            scopes: summary.scopes,
            clusters: summary.clusters,
            instances: summary.instances,
            passed: summary.passed,
            failed: summary.failed,
            exempt: summary.exempt,
            unknown: summary.unknown,
            new: told.new,
            fixed: told.fixed,
        }
    }
}

impl Ended {
    /// The exit code and the report of a command that made one, and left it wherever it was to be.
    pub fn report(self) -> Result<(i32, Outline), Failure> {
        const BAD: i32 = Exit::Usage.code() as i32;
        const BUG: i32 = Exit::Bug.code() as i32;
        let errors = self.errors.join("\n");
        match (self.status.code(), self.outline) {
            (Some(BAD), _) => Err(Failure::BadSettings(errors)),
            (Some(BUG), _) => Err(Failure::Failed(if errors.is_empty() { log_says() } else { errors })),
            (Some(exit), Some(outline)) if errors.is_empty() => Ok((exit, outline)),
            (_, outline) if self.was_stopped => Err(Failure::Incomplete(late(outline.is_some(), &errors))),
            (Some(_), _) if !errors.is_empty() => Err(Failure::NotDelivered(errors)),
            (None, _) => Err(Failure::Failed(format!(
                "imdsctl was ended by the system ({}); if its memory was full, give the function more (MemorySize)",
                self.status
            ))),
            (Some(_), _) => Err(Failure::Failed(log_says())),
        }
    }
}

fn log_says() -> String {
    "this is a bug in imdsctl; the function's log says more".to_owned()
}

/// What is said where the deadline came too early.
fn late(has_report: bool, errors: &str) -> String {
    let what = if has_report { "the report was delivered" } else { "there was anything to report" };
    let errors = if errors.is_empty() { String::new() } else { format!(": {errors}") };
    format!("the deadline came before {what}{errors}")
}
