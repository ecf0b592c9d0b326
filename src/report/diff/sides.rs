//! What each of two reports could have told: of which accounts and Regions, and by which rules.

use std::collections::{BTreeMap, BTreeSet};

use super::class::Told;
use crate::finding::{Finding, ResourceType};
use crate::model::{AccountId, Breadth, CoverageStatus, Region};
use crate::report::{PolicySummary, ScopeReport, View, exemptions};

/// A report to be compared.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// It.
    pub report: View<'a>,
    /// Whether what passed and does not apply is among its findings.
    pub lists_passed: bool,
}

/// How much of an account and Region was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sight {
    /// Nothing.
    None,
    /// Some of it.
    Part,
    /// All of it.
    Whole,
}

impl Sight {
    pub const fn of(scope: Option<&ScopeReport>) -> Self {
        let Some(scope) = scope else { return Self::None };
        match scope.coverage.status {
            CoverageStatus::Complete => Self::Whole,
            CoverageStatus::Partial => Self::Part,
            CoverageStatus::Failed | CoverageStatus::Skipped => Self::None,
        }
    }
}

pub(super) type Scopes<'a> = BTreeMap<(&'a AccountId, &'a Region), &'a ScopeReport>;

/// A side, with what is asked of it again and again.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub side: Side<'a>,
    pub scopes: Scopes<'a>,
}

impl<'a> Known<'a> {
    pub fn new(side: Side<'a>) -> Self {
        let key = |scope: &'a ScopeReport| ((&scope.coverage.account_id, &scope.coverage.region), scope);
        Self { side, scopes: side.report.coverage.iter().map(key).collect() }
    }

    pub fn policy(&self, name: &str) -> Option<&'a PolicySummary> {
        self.side.report.policies.iter().find(|policy| policy.name == name)
    }

    fn scope_of(&self, finding: &Finding) -> Option<&'a ScopeReport> {
        let key = (finding.account_id.as_ref()?, finding.region.as_ref()?);
        self.scopes.get(&key).copied()
    }

    /// The digest of a rule: nothing where this side does not ask it, and an error where it does not list its rules.
    fn rule(&self, policy: &str, rule: &str) -> Option<Result<&'a str, &'a PolicySummary>> {
        let policy = self.policy(policy)?;
        if policy.rules.is_empty() {
            return Some(Err(policy));
        }
        let rule = policy.rules.iter().find(|one| one.id == rule)?;
        Some(Ok(&rule.sha256))
    }

    /// Whether it was put together of no report at all, so that nobody looked, by whatever policy.
    pub const fn is_of_nothing(&self) -> bool {
        self.side.report.policies.is_empty()
    }

    /// Whether it has a hole where a finding is.
    pub fn has_hole_at(&self, finding: &Finding) -> bool {
        match self.scope_of(finding) {
            Some(scope) => has_hole(scope),
            None => self.side.report.run.interrupted,
        }
    }

    /// What this side lets one know of a finding that only the other has. `judged` says whether this side has another
    /// finding of the same resource by the same policy.
    pub fn without(&self, finding: &Finding, other: &Self, judged: bool) -> Told {
        if self.is_of_nothing() {
            return Told::NotSeen;
        }
        if finding.resource.r#type == ResourceType::Exemption {
            return self.without_exemption(finding, other);
        }
        if self.rule(&finding.policy, &finding.rule).is_none() {
            return Told::NotJudged;
        }
        if judged {
            return Told::NotFailing;
        }
        match self.scope_of(finding).filter(|scope| looked_at(finding, scope, other.scope_of(finding))) {
            None => Told::NotSeen,
            Some(scope) if self.lists_all(scope) => Told::NotThere,
            Some(_) => Told::NotListed,
        }
    }

    fn lists_all(&self, scope: &ScopeReport) -> bool {
        self.side.lists_passed || scope.counts.passed + scope.counts.not_applicable == 0
    }

    /// The same of what is said of an exemption itself. That it is unused is said where all was read.
    fn without_exemption(&self, finding: &Finding, other: &Self) -> Told {
        let Some(policy) = self.policy(&finding.policy) else { return Told::NotJudged };
        if !policy.exemptions.iter().any(|exemption| exemption.id == finding.resource.id) {
            return Told::NotThere;
        }
        let anywhere = exemptions::expired(finding).is_some();
        let as_far = !self.side.report.incomplete() && self.read() == other.read();
        if anywhere || as_far { Told::NotFailing } else { Told::NotSeen }
    }

    /// Which accounts and Regions were read, and how wide.
    fn read(&self) -> BTreeSet<(&'a AccountId, &'a Region, Breadth)> {
        let read = self.scopes.iter().filter(|(_, scope)| Sight::of(Some(scope)) > Sight::None);
        read.map(|((account, region), scope)| (*account, *region, scope.coverage.instances)).collect()
    }
}

/// Whether something was to be read here and was not.
pub(super) fn has_hole(scope: &ScopeReport) -> bool {
    scope.coverage.has_holes() || scope.coverage.is_interrupted()
}

/// Whether both sides ask a rule in the same way. Sides that do not list their rules do if their policies are the same.
pub(super) fn ask_alike(before: &Known<'_>, after: &Known<'_>, policy: &str, rule: &str) -> bool {
    match (before.rule(policy, rule), after.rule(policy, rule)) {
        (Some(Ok(before)), Some(Ok(after))) => before == after,
        (Some(_), Some(_)) => match (before.policy(policy), after.policy(policy)) {
            (Some(before), Some(after)) => before.sha256 == after.sha256,
            _ => false,
        },
        _ => false,
    }
}

/// Whether all of a scope was read, and instances of no cluster were judged where this is one. They are if the other side
/// has not judged them either.
fn looked_at(finding: &Finding, scope: &ScopeReport, other: Option<&ScopeReport>) -> bool {
    let wider = other.is_some_and(|other| other.coverage.instances == Breadth::All);
    let alone = finding.cluster.is_none()
        && matches!(finding.resource.r#type, ResourceType::Instance | ResourceType::AutoScalingGroup);
    let beyond = alone && wider && scope.coverage.instances == Breadth::Nodes;
    Sight::of(Some(scope)) == Sight::Whole && !beyond
}
