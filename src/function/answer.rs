//! What the function answers: counts and places, and never what a finding says.

use serde::{Deserialize, Serialize};

use crate::model::{AccountId, Coverage, Region};
use crate::report::{Outline, Summary};

/// How many of the accounts and Regions that are left are listed. An answer has to fit into a state of Step Functions.
const LISTED: usize = 100;

/// What the function answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    Reported(Reported),
    Planned(Planned),
    Shard(ShardRead),
}

/// A report was made and is where it belongs: of `audit` and `merge`.
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

/// A run is planned: of `plan-scopes`. The state machine reads its list of shards from the bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Planned {
    pub run: String,
    pub bucket: String,
    pub shards_key: String,
    pub shards: u32,
    /// How many accounts × Regions there are to read.
    pub scopes: u64,
}

/// A shard was read as far as that is possible: of `audit-shard`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShardRead {
    /// The exit code; nothing where there was nothing to do any more.
    pub exit: Option<i32>,
    pub status: Status,
    #[serde(flatten)]
    pub left: Left,
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
    /// By the exit code of the command that made the report, and what it said.
    pub fn new(exit: i32, outline: &Outline, told: Told) -> Self {
        Self {
            exit,
            status: Status::of(exit),
            summary: Counts::of(&outline.summary, &told),
            outputs: told.reports,
            left: Left::of(outline),
        }
    }
}

impl ShardRead {
    /// Nothing is left.
    pub fn already() -> Self {
        Self { exit: None, status: Status::Complete, left: Left::default() }
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
        let scope = |left: &Coverage| Scope { account: left.account_id.clone(), region: left.region.clone() };
        Self { left: outline.left().take(LISTED).map(scope).collect(), left_count: outline.left().count() }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::{Report, Run};

    /// A report of so many Regions that an interruption left unread.
    fn unread(regions: usize) -> Outline {
        let report: Report = serde_json::from_str(include_str!("../../reports/examples/audit.json")).unwrap();
        let scope = |number: usize| Coverage {
            status: crate::model::CoverageStatus::Skipped,
            reason: Some("interrupted".to_owned()),
            region: format!("region-{number}").into(),
            ..report.coverage[0].coverage.clone()
        };
        let run = Run { interrupted: true, ..report.run.clone() };
        Outline { run, coverage: (0..regions).map(scope).collect(), summary: report.summary.clone() }
    }

    /// Step Functions takes 256 KiB from one state to the next.
    #[test]
    fn an_answer_stays_small_whatever_is_left() {
        let answer = json!(Answer::Reported(Reported::new(130, &unread(50_000), Told::default())));
        assert_eq!((&answer["status"], &answer["left_count"]), (&json!("incomplete"), &json!(50_000)));
        assert_eq!(answer["left"].as_array().unwrap().len(), LISTED);
        assert_eq!(answer["left"][7]["region"], "region-7");
        assert!(answer.to_string().len() < 16 << 10);
    }

    #[test]
    fn a_shard_with_nothing_left_says_so() {
        let answer = json!(Answer::Shard(ShardRead::already()));
        assert_eq!(answer, json!({ "exit": null, "status": "complete", "left": [], "left_count": 0 }));
    }
}
