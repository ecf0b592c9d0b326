//! The journal of a run that changes something: what was about to be done, and what came of it, a line each.
//!
//! These types are the contract `imdsctl.journal/v1`; `docs/applying.md` describes each line. A journal is only ever
//! added to. Its first line holds the whole plan; the intent to change something is on the disk before the request is
//! sent, and what came of it right after the answer. So whatever happens to imdsctl, the machine or the network, a
//! journal names everything that was done or may have been done, and what it was before: enough to finish, and enough
//! to undo ([`undo`]).
//!
//! Nothing here opens a file: a journal is given something to write to, and text to read.

mod history;
mod read;
mod undo;
mod words;
mod write;

#[cfg(test)]
mod tests;

pub use history::{History, Standing};
pub use read::{ReadError, read};
pub use undo::{Undoing, undo};
pub use words::{before, does};
pub use write::{Journal, Medium};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::{Plan, StepId};
use crate::schema::of;

/// The value of the `schema` member of a journal's first line.
pub const SCHEMA: &str = "imdsctl.journal/v1";

/// The JSON Schema of a line of a journal, as open as that of a report.
pub fn line_schema() -> serde_json::Value {
    of::<Entry>("urn:imdsctl:journal:v1", "a line of an imdsctl journal, version 1", SCHEMA)
}

/// A line of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// The first line.
    Begin(Box<Begin>),
    /// A later run goes on where an earlier one ended.
    Resume {
        /// When.
        #[schemars(with = "String", extend("format" = "date-time"))]
        at: Timestamp,
        /// The version of imdsctl.
        version: String,
    },
    /// A step is about to be sent. Where nothing follows, nobody can tell from the journal whether it was.
    Intent {
        /// When.
        #[schemars(with = "String", extend("format" = "date-time"))]
        at: Timestamp,
        /// The step.
        step: StepId,
        /// What it does, for people.
        does: String,
        /// What was there before, for people; the plan has it in full.
        before: String,
        /// By which AWS knows the request again, where it takes such a token.
        token: Option<String>,
        /// The updates or refreshes that there were before: another one is this step's.
        known: Vec<String>,
    },
    /// AWS took a step on that takes a while.
    Sent {
        /// When.
        #[schemars(with = "String", extend("format" = "date-time"))]
        at: Timestamp,
        /// The step.
        step: StepId,
        /// What is known of it.
        effect: Effect,
    },
    /// How far a step is that takes a while.
    Observed {
        /// When.
        #[schemars(with = "String", extend("format" = "date-time"))]
        at: Timestamp,
        /// The step.
        step: StepId,
        /// How far.
        what: String,
    },
    /// What came of a step.
    Outcome {
        /// When.
        #[schemars(with = "String", extend("format" = "date-time"))]
        at: Timestamp,
        /// The step.
        step: StepId,
        /// What came of it.
        #[serde(flatten)]
        outcome: Outcome,
    },
    /// A run ends.
    End {
        /// When.
        #[schemars(with = "String", extend("format" = "date-time"))]
        at: Timestamp,
        /// How.
        how: Ending,
        /// Why, where it did not do all that was planned.
        why: Option<String>,
    },
}

/// What stands in the first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Begin {
    /// `imdsctl.journal/v1`
    pub schema: String,
    /// `imdsctl`
    pub tool: String,
    /// The version of imdsctl.
    pub version: String,
    /// When it was begun.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub began_at: Timestamp,
    /// The journal that it undoes, by its path; null where it undoes none.
    pub undoes: Option<String>,
    /// All that was to be done.
    pub plan: Plan,
}

/// What is known of something that was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Effect {
    /// The version of a launch template that was made, taken into use or used.
    pub version: Option<i64>,
    /// The id of the node group's update.
    pub update_id: Option<String>,
    /// The id of the instance refresh.
    pub refresh_id: Option<String>,
}

impl Effect {
    /// A version.
    pub fn version(number: i64) -> Self {
        Self { version: Some(number), ..Self::default() }
    }
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It was done, under this journal.
    Done {
        /// What is known of it.
        effect: Effect,
        /// Whether an earlier run did it, and this one found it done.
        found: bool,
    },
    /// It was so already, without this journal. Nothing was sent, and there is nothing to undo.
    Already {
        /// What is known of it.
        effect: Effect,
        /// What was found.
        why: String,
    },
    /// What had to hold before did not. Nothing was sent.
    Refused {
        /// What has changed.
        why: String,
    },
    /// It failed.
    Failed {
        /// AWS's code, or our own word.
        code: String,
        /// What it means.
        message: String,
        /// Whether something may have been changed all the same.
        perhaps: bool,
    },
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All that could be done was.
    Finished,
    /// Something failed or was refused, or as many changes were made as were allowed.
    Stopped,
    /// Somebody asked it to stop.
    Interrupted,
}
