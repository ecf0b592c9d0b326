//! A step of a plan.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Action;
use crate::model::{OptionName, OptionValue};

/// The name of a step: derived from where it is and what it does, so that the same plan made again has the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct StepId(pub String);

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One change to one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Its name, unique in the plan.
    pub id: StepId,
    /// What it does, and what has to hold right before.
    pub action: Action,
    /// The steps that have to be done first.
    pub after: Vec<StepId>,
    /// The options that change in effect.
    pub changes: Vec<Change>,
    /// What it reaches.
    pub reach: Reach,
    /// How the instances that it reaches asked their metadata service, where it makes tokens required of what they run,
    /// or where calls were refused already.
    pub token_use: Option<TokenUseSum>,
    /// Why it will not be done.
    pub blocked: Option<Block>,
    /// The findings, by id, that are mended once this and the other steps that name them are done. A step that only
    /// prepares what was not asked for yet has none.
    pub findings: Vec<String>,
}

impl Step {
    /// A step that waits for nothing, reaches nothing and serves nothing yet.
    pub fn new(id: StepId, action: Action) -> Self {
        Self {
            id,
            action,
            after: Vec::new(),
            changes: Vec::new(),
            reach: Reach::default(),
            token_use: None,
            blocked: None,
            findings: Vec::new(),
        }
    }
}

/// An option that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The option.
    pub option: OptionName,
    /// What is set now; null where nothing is.
    pub from: Option<OptionValue>,
    /// What will be set; null where nothing will be.
    pub to: Option<OptionValue>,
}

/// What a step reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reach {
    /// How many instances it replaces.
    pub replaced: u64,
    /// How many running instances it changes in place.
    pub changed: u64,
    /// The clusters whose nodes these are, or will be, by name.
    pub clusters: Vec<String>,
}

/// How the instances that a step reaches asked their metadata service over 14 days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenUseSum {
    /// How many instances do not require tokens yet, and were asked about.
    pub instances: u64,
    /// How many of them CloudWatch could not tell about.
    pub unknown: u64,
    /// Answered calls without a token: these will fail.
    pub without_token: u64,
    /// The instances with such calls, with how many, most first; at most 20.
    pub callers: Vec<(String, u64)>,
    /// Calls without a token that were refused already, by any of the instances that it reaches.
    pub rejected: u64,
}

/// Why a step will not be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Block {
    /// Why.
    pub why: String,
    /// The flag that lifts it, such as `--accept-imdsv1-callers`, or all those that are needed; null where none does.
    pub unless: Option<String>,
}
