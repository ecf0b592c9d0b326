//! The plan: what would be changed, in which order, on what conditions, and what is left to people.
//!
//! These types are the contract `imdsctl.plan/v1`; `docs/remediate.md` describes each member, and the JSON Schema in
//! `reports/schema/` is generated from them. A plan is data: [`crate::remediate`] makes it, a file keeps it, and
//! nothing but what it says is ever done. Members may be added, never renamed.

mod action;
mod launching;
mod result;
mod step;

pub use action::{
    Action, DefaultsSeen, NamedVersion, NodeGroupSeen, Pin, Repoint, TemplateSeen, VersionChoice,
};
pub use launching::{Launching, Moved, moves};
pub use result::{
    FindingResult, FindingState, ManualLeft, RESULT_SCHEMA, Results, SkippedLeft, StepResult, StepState,
    Unread, result_schema,
};
pub use step::{Block, Change, Reach, Step, StepId, TokenUseSum};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::{FixKind, Resource};
use crate::model::{CoverageStatus, Scope};

/// The value of a plan's `schema` member.
pub const SCHEMA: &str = "imdsctl.plan/v1";

/// The JSON Schema (draft 2020-12) of a plan, as open as that of a report: a reader accepts members and values that a
/// later version adds.
pub fn json_schema() -> serde_json::Value {
    crate::schema::of::<Plan>("urn:imdsctl:plan:v1", "imdsctl plan, version 1", SCHEMA)
}

/// What would be changed.
///
/// Everything but `made_at` is the same, byte for byte, for the same inventory, readings, policies and choices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// `imdsctl.plan/v1`
    pub schema: String,
    /// `imdsctl`
    pub tool: String,
    /// The version of imdsctl.
    pub version: String,
    /// When it was made.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub made_at: Timestamp,
    /// What was asked for.
    pub choices: Choices,
    /// The policies that it serves.
    pub policies: Vec<PolicyServed>,
    /// What is planned, by account and Region. Scopes in which nothing is wrong have no part in it.
    pub scopes: Vec<ScopePlan>,
}

impl Plan {
    /// Every step, in the order in which they are taken where nothing else is asked for.
    pub fn steps(&self) -> impl Iterator<Item = (&Scope, &Step)> {
        self.scopes.iter().flat_map(|part| part.steps.iter().map(move |step| (&part.scope, step)))
    }

    /// Whether there is nothing to do that can be done.
    pub fn is_empty(&self) -> bool {
        self.steps().all(|(_, step)| step.blocked.is_some())
    }
}

/// What was asked for, beyond patching templates that nothing launches from by `$Latest`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Choices {
    /// Move the default version of templates.
    pub set_default: bool,
    /// Let groups launch from the new version, and replace their nodes.
    pub rollout: bool,
    /// Change running instances.
    pub live: bool,
    /// Change the account's defaults.
    pub account_defaults: bool,
    /// Patch templates that an infrastructure tool owns, too.
    pub include_iac: bool,
    /// Require tokens although something asks without them, or nobody can tell.
    pub accept_imdsv1_callers: bool,
    /// Refresh instances of groups that have no hook by which they could be drained.
    pub accept_no_drain: bool,
    /// Override PodDisruptionBudgets.
    pub force: bool,
    /// Tags that tell a template that an infrastructure tool owns, beside the usual ones: `KEY` or `KEY=VALUE`.
    pub iac_tags: Vec<String>,
}

/// A policy that a plan serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyServed {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its text, in hexadecimal.
    pub sha256: String,
}

/// What is planned for one account in one Region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScopePlan {
    /// Where.
    #[serde(flatten)]
    pub scope: Scope,
    /// How far it could be read. What was not seen is not planned for.
    pub coverage: CoverageStatus,
    /// The steps, each after those that it needs.
    pub steps: Vec<Step>,
    /// What a person has to do.
    pub manual: Vec<Manual>,
    /// What is wrong, and is neither planned nor manual.
    pub skipped: Vec<Skipped>,
    /// What to know before it is done, a sentence each.
    pub risks: Vec<String>,
}

/// Something that a person has to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Manual {
    /// What kind of remedy it is.
    pub kind: FixKind,
    /// The id of what has to change.
    pub target: Option<String>,
    /// Its name, where it has one beside its id.
    pub target_name: Option<String>,
    /// Why it is left to a person.
    pub why: String,
    /// What to write, and where.
    pub snippet: Option<Snippet>,
    /// The findings that it mends, by id.
    pub findings: Vec<String>,
}

/// Lines to be put somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Snippet {
    /// What they are for, such as `EC2NodeClass default` or `aws_launch_template in Terraform`.
    pub place: String,
    /// Their language: `yaml`, `hcl`, `json` or `shell`.
    pub language: String,
    /// The lines.
    pub text: String,
}

/// Something wrong for which nothing is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// What is wrong.
    pub resource: Resource,
    /// Why nothing is planned, and what would change that.
    pub why: String,
    /// The findings, by id.
    pub findings: Vec<String>,
}
