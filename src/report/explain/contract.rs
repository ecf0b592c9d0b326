//! What `explain` found, as a document.

use schemars::JsonSchema;
use serde::Serialize;

use crate::explain::Explanation;
use crate::model::Coverage;
use crate::report::{PolicySummary, Run};

/// The value of the `schema` field of explanations.
pub const EXPLANATION_SCHEMA: &str = "imdsctl.explanation/v1";

/// How many explanations are given.
pub const MOST: usize = 10;

/// What was found under a name.
///
/// Everything but `run` is the same, byte for byte, for the same fleet, policies and day.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Explained {
    /// `imdsctl.explanation/v1`
    pub schema: String,
    /// What changes from run to run.
    pub run: Run,
    /// The policies that were judged by.
    pub policies: Vec<PolicySummary>,
    /// What was asked for: an id or a name.
    pub resource: String,
    /// How many resources it means.
    pub found: u64,
    /// The first 10 of them, by type, account, Region and id.
    pub explanations: Vec<Explanation>,
    /// In how many accounts and Regions it was looked for.
    pub scopes: u64,
    /// Those of them that could not be read completely, where more of that name may be.
    pub holes: Vec<Coverage>,
}

impl Explained {
    /// How many of the holes no explanation tells of.
    pub(super) fn holes_elsewhere(&self) -> u64 {
        let explained = |hole: &&Coverage| {
            let scopes = self.explanations.iter().map(|one| &one.scope);
            scopes.into_iter().any(|scope| scope.account_id == hole.account_id && scope.region == hole.region)
        };
        self.holes.iter().filter(|hole| !explained(hole)).count() as u64
    }
}
