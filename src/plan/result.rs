//! What became of a plan: the contract `imdsctl.remediation/v1`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Manual, Skipped, StepId};
use crate::finding::Resource;
use crate::model::{ReadError, Scope};
use crate::schema::of;

/// The value of a result's `schema` member.
pub const RESULT_SCHEMA: &str = "imdsctl.remediation/v1";

/// The JSON Schema of what `remediate` and `rollback` write with `-o json`, as open as that of a report.
pub fn result_schema() -> serde_json::Value {
    of::<Results>("urn:imdsctl:remediation:v1", "imdsctl remediation, version 1", RESULT_SCHEMA)
}

/// What became of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Results {
    /// `imdsctl.remediation/v1`
    pub schema: String,
    /// `imdsctl`
    pub tool: String,
    /// The version of imdsctl.
    pub version: String,
    /// When the run began.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started_at: Timestamp,
    /// When it ended.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub finished_at: Timestamp,
    /// How often each operation was called, as `service:Operation`.
    pub api_calls: BTreeMap<String, u64>,
    /// The journal, by its path; null where nothing was to be done.
    pub journal: Option<String>,
    /// The journal that was taken back; null where none was.
    pub undoes: Option<String>,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Why it ended before all was done; null where it did not.
    pub stopped: Option<String>,
    /// How many changes this run has sent.
    pub changes: u64,
    /// Every step, in the order of the plan.
    pub steps: Vec<StepResult>,
    /// Every finding that a step serves.
    pub findings: Vec<FindingResult>,
    /// What a person has to do.
    pub manual: Vec<ManualLeft>,
    /// What is wrong, and is neither planned nor manual.
    pub skipped: Vec<SkippedLeft>,
    /// What could not be read again afterwards.
    pub unread: Vec<Unread>,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepResult {
    /// Where.
    #[serde(flatten)]
    pub scope: Scope,
    /// The step.
    pub id: StepId,
    /// What it does, in words.
    pub does: String,
    /// How it stands.
    pub state: StepState,
    /// Why, where it is not done.
    pub why: Option<String>,
    /// The version that it made or took into use.
    pub template_version: Option<i64>,
    /// The id of the node group's update.
    pub update_id: Option<String>,
    /// The id of the instance refresh.
    pub refresh_id: Option<String>,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It was done.
    Done,
    /// It was so already.
    Already,
    /// It goes on in AWS, or only AWS can tell.
    Open,
    /// What had to hold before did not.
    Refused,
    /// It failed.
    Failed,
    /// It was not begun.
    Left,
    /// The plan says that it is not to be done.
    Blocked,
}

impl StepState {
    /// Its word in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Already => "already",
            Self::Open => "open",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Left => "left",
            Self::Blocked => "blocked",
        }
    }
}

/// What became of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingResult {
    /// Where.
    #[serde(flatten)]
    pub scope: Scope,
    /// Its id, as in an audit's report.
    pub id: String,
    /// How it stands.
    pub state: FindingState,
    /// What it is about; null where it is fixed.
    pub resource: Option<Resource>,
    /// The rule that is broken; null where it is fixed.
    pub rule: Option<String>,
}

/// How a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingState {
    /// It is gone.
    Fixed,
    /// It is still there, and what replaces it is under way.
    Pending,
    /// It is still there.
    Failing,
    /// Nobody has looked, or could.
    Unverified,
}

impl FindingState {
    /// Its word in every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Pending => "pending",
            Self::Failing => "still failing",
            Self::Unverified => "not verified",
        }
    }
}

/// What a person has to do, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ManualLeft {
    /// Where.
    #[serde(flatten)]
    pub scope: Scope,
    /// What.
    #[serde(flatten)]
    pub manual: Manual,
}

/// What is wrong and was not planned for, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SkippedLeft {
    /// Where.
    #[serde(flatten)]
    pub scope: Scope,
    /// What.
    #[serde(flatten)]
    pub skipped: Skipped,
}

/// What could not be read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unread {
    /// The account.
    pub account_id: String,
    /// The Region.
    pub region: String,
    /// Why.
    pub errors: Vec<ReadError>,
}

impl Results {
    /// How many steps stand so.
    pub fn steps_in(&self, state: StepState) -> usize {
        self.steps.iter().filter(|step| step.state == state).count()
    }

    /// How many findings stand so.
    pub fn findings_in(&self, state: FindingState) -> usize {
        self.findings.iter().filter(|finding| finding.state == state).count()
    }

    /// Whether something that was to be done is not.
    pub fn is_unfinished(&self) -> bool {
        use StepState::{Already, Blocked, Done};

        self.steps.iter().any(|step| !matches!(step.state, Done | Already | Blocked))
    }
}
