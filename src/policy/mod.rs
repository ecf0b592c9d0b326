//! Policies: what the metadata options ought to be, read from YAML and judged by.
//!
//! A policy is parsed into [`schema`](self), then validated into [`Policy`], which cannot hold a mistake. The
//! format is described in `docs/policies.md`.

mod evaluate;
mod fixes;
mod load;
mod matcher;
mod schema;
mod validate;

#[cfg(test)]
mod tests;

pub use evaluate::{Evaluator, Judged, Tally, statuses};
pub use load::{LoadError, Problem, SHIPPED, load, parse, shipped};
pub use matcher::Matcher;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::{ExemptionSummary, Expectation, Severity, fingerprint};
use crate::lineage::SubjectKind;
use crate::model::OptionName;

/// The name of the policy that is judged by where none is named.
pub const DEFAULT_POLICY: &str = "al2023";

/// A policy that makes sense.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its name, unique in a run.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is for, in a few words.
    pub title: Option<String>,
    /// What it is for, at length.
    pub description: Option<String>,
    /// Its text as it was read.
    pub text: String,
    /// SHA-256 of its text, in hexadecimal.
    pub sha256: String,
    /// Which resources it is for.
    pub matches: Matcher,
    /// Its rules; at least one.
    pub rules: Vec<Rule>,
    /// What it accepts all the same.
    pub exemptions: Vec<Exemption>,
}

impl Policy {
    /// Whether a rule asks about this kind of subject, which then has to be read.
    pub fn asks_for(&self, kind: SubjectKind) -> bool {
        self.rules.iter().any(|rule| rule.asks_for(kind))
    }

    /// SHA-256 of all that decides how one of its rules judges: what is asked, of what. Policies whose texts differ in
    /// something else, such as an exemption, judge alike.
    pub fn digest(&self, rule: &Rule) -> String {
        let mut applies_to: Vec<_> = rule.applies_to.iter().map(|of| of.as_str()).collect();
        applies_to.sort_unstable();
        applies_to.dedup();
        let mut parts = self.matches.parts();
        parts.extend([rule.option.to_string(), rule.expected.to_string(), applies_to.join(" ")]);
        fingerprint(&parts.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// What one option ought to be.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its id, unique in the policy.
    pub id: String,
    /// The option.
    pub option: OptionName,
    /// What is asked of it.
    pub expected: Expectation,
    /// How bad it is when it does not hold.
    pub severity: Severity,
    /// Why it is asked.
    pub rationale: Option<String>,
    /// Where to read more.
    pub references: Vec<String>,
    /// Whether imdsctl may mend it.
    pub remediation: Remediation,
    /// What it is asked of.
    pub applies_to: Vec<AppliesTo>,
}

impl Rule {
    fn asks_for(&self, kind: SubjectKind) -> bool {
        self.applies_to.iter().any(|applies_to| applies_to.kind() == kind)
    }
}

/// Whether imdsctl may mend what breaks a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Remediation {
    /// It may.
    #[default]
    Automatic,
    /// A person decides.
    Manual,
}

/// What a rule is asked of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppliesTo {
    /// Instances, by the options that they have.
    Instance,
    /// Node groups and Auto Scaling groups, by what their next node gets.
    Group,
    /// Launch templates by themselves, by their default and their latest version.
    LaunchTemplate,
    /// The account's defaults in each Region.
    AccountDefaults,
}

impl AppliesTo {
    /// What a rule is asked of where it does not say.
    pub const DEFAULT: &'static [Self] = &[Self::Instance, Self::Group];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Group => "group",
            Self::LaunchTemplate => "launch_template",
            Self::AccountDefaults => "account_defaults",
        }
    }

    const fn kind(self) -> SubjectKind {
        match self {
            Self::Instance => SubjectKind::Instance,
            Self::Group => SubjectKind::Group,
            Self::LaunchTemplate => SubjectKind::LaunchTemplate,
            Self::AccountDefaults => SubjectKind::AccountDefaults,
        }
    }
}

/// What a policy accepts although a rule is broken.
#[derive(Clone, Debug)]
pub struct Exemption {
    /// Its id, unique in the policy.
    pub id: String,
    /// What it covers.
    pub matches: Matcher,
    /// The rules that it covers; all of them where none is named.
    pub rules: Vec<String>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The last day it holds, in UTC.
    pub expires: Option<Date>,
}

impl Exemption {
    /// Whether its last day is over.
    pub fn expired(&self, today: Date) -> bool {
        self.expires.is_some_and(|last| last < today)
    }

    /// What a report says of it.
    pub fn summary(&self) -> ExemptionSummary {
        ExemptionSummary {
            id: self.id.clone(),
            reason: self.reason.clone(),
            expires: self.expires,
            owner: self.owner.clone(),
        }
    }

    fn covers(&self, rule: &Rule) -> bool {
        self.rules.is_empty() || self.rules.contains(&rule.id)
    }
}
