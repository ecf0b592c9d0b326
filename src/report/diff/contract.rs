//! `imdsctl.diff/v1`: how two reports differ. Fields may be added, never renamed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::class::{Class, Told};
use crate::finding::{Expectation, Finding, Severity, Source};
use crate::model::{AccountId, Breadth, CoverageStatus, OptionValue, Region};
use crate::report::View;

/// The value of the `schema` field of a comparison.
pub const DIFF_SCHEMA: &str = "imdsctl.diff/v1";

/// How two reports differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// `imdsctl.diff/v1`
    pub schema: String,
    /// The report that is compared with.
    pub earlier: Compared,
    /// The report that is compared.
    pub later: Compared,
    /// What became of the judgements that failed in either report, by account, Region, resource type, resource id, policy
    /// and rule. What fails in both in the same way is counted in the summary alone.
    pub changes: Vec<Change>,
    /// The accounts and Regions that were not read alike, by account and Region.
    pub scopes: Vec<ScopeChange>,
    /// The policies that are not the same, by name.
    pub policies: Vec<PolicyChange>,
    /// The counts.
    pub summary: DiffSummary,
}

/// One of the reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Compared {
    /// The version of imdsctl that made it.
    pub version: String,
    /// When reading began.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started_at: Timestamp,
    /// When everything was read.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub finished_at: Timestamp,
    /// Whether the run was interrupted.
    pub interrupted: bool,
    /// The policies that were judged by.
    pub policies: Vec<PolicyText>,
    /// How many accounts and Regions were to be read.
    pub scopes: u64,
    /// How many judgements failed.
    pub failed: u64,
    /// How many could not be made.
    pub unknown: u64,
}

impl Compared {
    pub(super) fn of(report: &View<'_>) -> Self {
        Self {
            version: report.run.version.clone(),
            started_at: report.run.started_at,
            finished_at: report.run.finished_at,
            interrupted: report.run.interrupted,
            policies: report
                .policies
                .iter()
                .map(|policy| PolicyText {
                    name: policy.name.clone(),
                    version: policy.version.clone(),
                    sha256: policy.sha256.clone(),
                })
                .collect(),
            scopes: report.summary.scopes,
            failed: report.summary.failed,
            unknown: report.summary.unknown,
        }
    }
}

/// Which text of a policy was judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyText {
    /// The policy's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its text, in hexadecimal.
    pub sha256: String,
}

/// What became of one judgement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// What became of it.
    pub class: Class,
    /// Of what fails in both: what differs.
    pub changed: Vec<Fact>,
    /// What the earlier report tells.
    pub before: Standing,
    /// What the later report tells.
    pub after: Standing,
    /// The finding as it is in the later report, or in the earlier one where the later has none.
    pub finding: Finding,
}

/// What a report tells of a judgement. Without a finding there is only the status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Standing {
    /// What it tells, or what it lets one know.
    pub status: Told,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// What the rule asks.
    pub expected: Option<Expectation>,
    /// The effective value.
    pub actual: Option<OptionValue>,
    /// Where the value comes from.
    pub source: Option<Source>,
    /// The id of the exemption that covers it.
    pub exemption: Option<String>,
}

impl Standing {
    pub(super) fn of(finding: &Finding) -> Self {
        Self {
            status: finding.status.into(),
            severity: Some(finding.severity),
            expected: finding.expected.clone(),
            actual: finding.actual,
            source: finding.source,
            exemption: finding.exemption.as_ref().map(|exemption| exemption.id.clone()),
        }
    }

    pub(super) const fn without(status: Told) -> Self {
        Self { status, severity: None, expected: None, actual: None, source: None, exemption: None }
    }

    pub(super) fn differences(&self, other: &Self) -> Vec<Fact> {
        let facts = [
            (Fact::Status, self.status != other.status),
            (Fact::Severity, self.severity != other.severity),
            (Fact::Expected, self.expected != other.expected),
            (Fact::Actual, self.actual != other.actual),
            (Fact::Source, self.source != other.source),
        ];
        facts.into_iter().filter_map(|(fact, differs)| differs.then_some(fact)).collect()
    }
}

/// What may differ of a judgement that fails in both reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// Whether it fails or is unknown.
    Status,
    /// How bad it is.
    Severity,
    /// What the rule asks.
    Expected,
    /// The effective value.
    Actual,
    /// Where the value comes from.
    Source,
}

/// An account and Region that was not read alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScopeChange {
    /// The account.
    pub account_id: AccountId,
    /// The account's name, where one is known.
    pub account_name: Option<String>,
    /// The Region.
    pub region: Region,
    /// What changed.
    pub change: ScopeChangeKind,
    /// How it was read earlier; null where that report does not know it.
    pub before: Option<ScopeReading>,
    /// How it was read later; null where that report does not know it.
    pub after: Option<ScopeReading>,
}

/// How the reading of an account and Region changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScopeChangeKind {
    /// More of it could be read.
    Better,
    /// Less of it could be read.
    Worse,
    /// Only the later report is about it.
    NewlyRead,
    /// Only the earlier report is about it.
    NoLongerRead,
    /// All instances are judged, not only nodes.
    Wider,
    /// Only nodes are judged, not all instances.
    Narrower,
}

/// How an account and Region was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScopeReading {
    /// How far.
    pub status: CoverageStatus,
    /// Which of its instances it was about.
    pub instances: Breadth,
    /// Why it was skipped, or what to know about what was read.
    pub reason: Option<String>,
}

/// A policy that is not the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyChange {
    /// The policy's name.
    pub name: String,
    /// Its text earlier; null where it was not judged by.
    pub before: Option<PolicyText>,
    /// Its text later; null where it was not judged by.
    pub after: Option<PolicyText>,
    /// The rules that only the later one has. Of reports that do not list rules, nothing is known.
    pub rules_added: Vec<String>,
    /// The rules that only the earlier one has.
    pub rules_removed: Vec<String>,
    /// The rules that ask something else, or of something else.
    pub rules_changed: Vec<String>,
}

/// How many judgements there are of each class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiffSummary {
    /// They fail, and did not before: they passed, or the resource was not there.
    pub new: Count,
    /// They fail as before, and are not accepted any more. They count like new ones.
    pub no_longer_exempt: Count,
    /// They failed, and do not any more: they pass, or the resource is gone.
    pub fixed: Count,
    /// They fail in both.
    pub still_failing: Count,
    /// Those of them that differ in something.
    pub still_failing_otherwise: u64,
    /// They fail as before, and are accepted now.
    pub exempted: Count,
    /// They fail, and their account and Region was not read before, or not enough of it.
    pub newly_seen: Count,
    /// They failed, and their account and Region is not read now, or not enough of it. They are not fixed.
    pub not_seen: Count,
    /// They fail by a rule that was not asked before, or not in this way.
    pub newly_judged: Count,
    /// They failed by a rule that is not asked any more, or not in this way.
    pub no_longer_judged: Count,
}

/// How many judgements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Count {
    /// How many.
    pub findings: u64,
    /// How many by severity.
    pub by_severity: BTreeMap<String, u64>,
}

impl Count {
    fn add(&mut self, severity: Severity) {
        self.findings += 1;
        *self.by_severity.entry(severity.to_string()).or_default() += 1;
    }

    pub(super) fn has_at_least(&self, least: Severity) -> bool {
        let worse = Severity::ALL.iter().filter(|severity| **severity <= least);
        worse.into_iter().any(|severity| self.by_severity.contains_key(severity.as_str()))
    }
}

impl DiffSummary {
    /// Those of a class. Of what fails in neither report nothing is counted.
    pub const fn of(&self, class: Class) -> Option<&Count> {
        Some(match class {
            Class::New => &self.new,
            Class::NoLongerExempt => &self.no_longer_exempt,
            Class::Fixed => &self.fixed,
            Class::StillFailing => &self.still_failing,
            Class::Exempted => &self.exempted,
            Class::NewlySeen => &self.newly_seen,
            Class::NotSeen => &self.not_seen,
            Class::NewlyJudged => &self.newly_judged,
            Class::NoLongerJudged => &self.no_longer_judged,
            Class::NotFailing => return None,
        })
    }

    pub(super) fn add(&mut self, class: Class, severity: Severity) {
        let count = match class {
            Class::New => &mut self.new,
            Class::NoLongerExempt => &mut self.no_longer_exempt,
            Class::Fixed => &mut self.fixed,
            Class::StillFailing => &mut self.still_failing,
            Class::Exempted => &mut self.exempted,
            Class::NewlySeen => &mut self.newly_seen,
            Class::NotSeen => &mut self.not_seen,
            Class::NewlyJudged => &mut self.newly_judged,
            Class::NoLongerJudged => &mut self.no_longer_judged,
            Class::NotFailing => return,
        };
        count.add(severity);
    }
}

/// What a report says of the one that it was compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Since {
    /// The earlier report.
    pub baseline: Compared,
    /// The counts, as of a comparison.
    pub summary: DiffSummary,
    /// The ids of findings that fail, and did not before.
    pub new: Vec<String>,
    /// The ids of findings that fail as before, and are not accepted any more.
    pub no_longer_exempt: Vec<String>,
    /// The ids of findings that failed, and do not any more. They are those of the earlier report.
    pub fixed: Vec<String>,
}
