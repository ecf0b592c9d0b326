//! Who may do what: roles, and policies as data. [`crate::iam`] judges by them.

use serde::{Deserialize, Serialize};

/// A role of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Unique in the account, whatever the path.
    pub name: String,
    /// `/`, or `/audit/`.
    pub path: String,
    /// `AROA…`.
    pub id: String,
    /// Who may assume it.
    pub trust: Trust,
    /// Seconds.
    pub max_session_duration: i64,
    /// What it may do.
    pub permissions: Policy,
}

/// The trust policy of a role, as far as the simulator knows such policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// Accounts by their twelve digits, users, roles and sessions by their ARNs; `*` is everyone.
    pub principals: Vec<String>,
    /// `sts:ExternalId` must be one of them, if there are any.
    pub external_ids: Vec<String>,
    /// `aws:PrincipalOrgID` must be this.
    pub organization_id: Option<String>,
}

/// A policy: what its statements say together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// In no particular order: a denial wins wherever it stands.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// What it does to what it matches.
    pub effect: Effect,
    /// `Action` or `NotAction`.
    pub actions: Patterns,
    /// `Resource` or `NotResource`.
    pub resources: Patterns,
    /// All of them must hold.
    pub conditions: Vec<Condition>,
}

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies, whatever else allows.
    Deny,
}

/// Patterns with `*` and `?`, or everything but what they match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patterns {
    /// Is it everything but these?
    pub except: bool,
    /// One of them must match.
    pub patterns: Vec<String>,
}

/// A condition: a key of the request compared with values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// How they are compared.
    pub operator: Operator,
    /// Does it hold where the request has no such key?
    pub if_exists: bool,
    /// What is compared.
    pub key: ConditionKey,
    /// With what; one is enough.
    pub values: Vec<String>,
}

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// The same.
    StringEquals,
    /// Not the same.
    StringNotEquals,
    /// Matches a pattern.
    StringLike,
    /// Matches no pattern.
    StringNotLike,
    /// Matches a pattern, part by part of the ARN.
    ArnLike,
    /// Matches no pattern, part by part of the ARN.
    ArnNotLike,
    /// True or false.
    Bool,
}

/// What a condition compares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConditionKey {
    /// `aws:RequestedRegion`.
    RequestedRegion,
    /// `aws:PrincipalArn`: for a session the ARN of its role.
    PrincipalArn,
    /// `aws:PrincipalAccount`.
    PrincipalAccount,
    /// `aws:PrincipalOrgID`.
    PrincipalOrgId,
    /// `aws:SecureTransport`: always true, the simulator stands in for what is reached by TLS.
    SecureTransport,
    /// `aws:ResourceTag/KEY`, and the same of a service, of what the action is on.
    ResourceTag(String),
    /// `sts:ExternalId`, of an `AssumeRole`.
    ExternalId,
    /// `iam:PassedToService`, where a role is passed.
    PassedToService,
}

impl Role {
    /// The ARN of the role in an account.
    pub fn arn(&self, partition: &str, account: &str) -> String {
        format!("arn:{partition}:iam::{account}:role{}{}", self.path, self.name)
    }
}

impl Patterns {
    /// Those that match one of these.
    pub fn these(patterns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { except: false, patterns: patterns.into_iter().map(Into::into).collect() }
    }
}

impl Policy {
    /// Allows some actions and denies others, on everything.
    pub fn of_actions(allow: &[String], deny: &[String]) -> Self {
        let statement = |effect, actions: &[String]| Statement {
            effect,
            actions: Patterns::these(actions),
            resources: Patterns::these(["*"]),
            conditions: Vec::new(),
        };
        let both = [(Effect::Allow, allow), (Effect::Deny, deny)];
        let statements = both.into_iter().filter(|(_, actions)| !actions.is_empty());
        Self { statements: statements.map(|(effect, actions)| statement(effect, actions)).collect() }
    }

    /// Allows everything.
    pub fn everything() -> Self {
        Self::of_actions(&["*".to_owned()], &[])
    }
}
