//! What was read, what was not, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccountId, Region, Scope};

/// Why a scope was not read when the run was interrupted. Reports are resumed by it.
const INTERRUPTED: &str = "interrupted";

/// How far one account in one Region could be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// The account.
    pub account_id: AccountId,
    /// The account's name, where the source of the scope knows one.
    pub account_name: Option<String>,
    /// The Region.
    pub region: Region,
    /// How far it could be read.
    pub status: CoverageStatus,
    /// Which of its instances the audit was about.
    #[serde(default)]
    pub instances: Breadth,
    /// Why it was skipped, or what to know about what was read.
    pub reason: Option<String>,
    /// What held the audit back from changing anything in this account.
    pub guard: Guard,
    /// Every API call that failed in the end.
    pub errors: Vec<ReadError>,
}

impl Coverage {
    /// A scope that is read without trouble, as far as is known.
    pub fn complete(scope: &Scope) -> Self {
        Self {
            account_id: scope.account_id.clone(),
            account_name: scope.account_name.clone(),
            region: scope.region.clone(),
            status: CoverageStatus::Complete,
            instances: Breadth::Nodes,
            reason: None,
            guard: Guard::ClientGate,
            errors: Vec::new(),
        }
    }

    /// A scope of which nothing could be read, and why.
    pub fn failed(scope: &Scope, error: ReadError) -> Self {
        Self { status: CoverageStatus::Failed, errors: vec![error], ..Self::complete(scope) }
    }

    /// The same, with what held the audit back there.
    #[must_use]
    pub fn guarded(self, guard: Guard) -> Self {
        Self { guard, ..self }
    }

    /// A scope that was not read, and was not asked to be.
    pub fn skipped(scope: &Scope, reason: impl Into<String>) -> Self {
        Self { status: CoverageStatus::Skipped, reason: Some(reason.into()), ..Self::complete(scope) }
    }

    /// A scope that an interruption left unread.
    pub fn interrupted(scope: &Scope) -> Self {
        Self::skipped(scope, INTERRUPTED)
    }

    /// Whether an interruption left it unread.
    pub fn is_interrupted(&self) -> bool {
        self.status == CoverageStatus::Skipped && self.reason.as_deref() == Some(INTERRUPTED)
    }

    /// Whether something that was to be read was not.
    pub const fn has_holes(&self) -> bool {
        matches!(self.status, CoverageStatus::Partial | CoverageStatus::Failed)
    }
}

/// How far a scope could be read; the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CoverageStatus {
    /// Everything was read.
    Complete,
    /// Some of it was read; `errors` says what is missing.
    Partial,
    /// Nothing of use was read.
    Failed,
    /// It was not read: the account is closed, the Region is not enabled, or the run was interrupted.
    Skipped,
}

/// Which instances of an account and Region an audit is about.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Breadth {
    /// Those that are nodes of clusters.
    #[default]
    Nodes,
    /// All of them, and every Auto Scaling group.
    All,
}

/// What held an audit back from changing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// The assumed credentials carry a session policy of read actions, and the client refuses others.
    SessionPolicy,
    /// The client refuses, before it is sent, every operation that is not a read.
    ClientGate,
}

/// An API call that failed, or what else went wrong instead of one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ReadError {
    /// The service, as in the report's `api_calls`: `ec2`, `eks`, `autoscaling`, `sts`; `imdsctl` where no call was made.
    pub service: String,
    /// The operation, such as `DescribeInstances`.
    pub operation: String,
    /// AWS's error code, or imdsctl's own word where there was no answer: `Timeout`, `Unreachable`, or `NoReport` where
    /// reports were merged and none has the account and Region.
    pub code: String,
    /// What it means, in a sentence.
    pub message: String,
}
