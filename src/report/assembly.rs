//! A report in the making: scope by scope, in whatever order they come, of one run or of several.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek, Write};
use std::ops::Range;

use jiff::Timestamp;

use super::read::Saved;
use super::spool::{Segment, Spool};
use super::{Findings, PolicySummary, Run, SCHEMA, ScopeReport, Summary, View, exemptions};
use crate::finding::Finding;
use crate::harmless::write_line;
use crate::model::{AccountId, CoverageStatus, Region};

/// A report in the making.
#[derive(Debug)]
pub struct Assembly<S> {
    spool: Spool<S>,
    policies: Vec<PolicySummary>,
    /// The exemptions that have expired, as `policy/exemption`.
    expired: BTreeSet<String>,
    scopes: BTreeMap<(AccountId, Region), Part>,
}

/// What a report holds of a scope.
#[derive(Debug)]
struct Part {
    scope: ScopeReport,
    findings: Segment,
    started_at: Timestamp,
}

impl Part {
    /// The better coverage, and of two that are equal the later run. That a scope is skipped may be learned after it
    /// could not be read, or before; so that is a question of time.
    fn rank(&self) -> (u8, Timestamp) {
        let coverage = &self.scope.coverage;
        let rank = match coverage.status {
            CoverageStatus::Complete => 3,
            CoverageStatus::Partial => 2,
            CoverageStatus::Skipped if coverage.is_interrupted() => 0,
            CoverageStatus::Failed | CoverageStatus::Skipped => 1,
        };
        (rank, self.started_at)
    }
}

impl<S: Read + Write + Seek> Assembly<S> {
    /// Begins with nothing. Findings are kept in `store`; `expired` are exemptions as `policy/exemption`.
    pub fn new(store: S, policies: Vec<PolicySummary>, expired: BTreeSet<String>) -> Self {
        Self { spool: Spool::new(store), policies, expired, scopes: BTreeMap::new() }
    }

    /// Adds a finding of the next scope. Those of a scope are added in order.
    pub fn add_finding(&mut self, finding: &Finding) -> io::Result<()> {
        self.spool.add(finding)
    }

    /// Adds a scope, all findings of which were added, of the run that began at a time. Where there is another of the
    /// same account and Region, the better coverage stays, and of two that are equal that of the later run.
    pub fn add_scope(&mut self, scope: ScopeReport, started_at: Timestamp) {
        let findings = self.spool.segment();
        self.keep(Part { scope, findings, started_at });
    }

    /// Ends the findings of a scope that is yet to be added.
    pub(super) fn end_segment(&mut self) -> Segment {
        self.spool.segment()
    }

    /// Adds the scopes of a report whose findings were added.
    pub(super) fn add_report(&mut self, saved: Saved) {
        let Saved { run, coverage, mut segments, expired, .. } = saved;
        self.expired.extend(expired);
        for scope in coverage {
            let key = (scope.coverage.account_id.clone(), scope.coverage.region.clone());
            let findings = segments.remove(&key).unwrap_or_default();
            self.keep(Part { scope, findings, started_at: run.started_at });
        }
    }

    /// The accounts and Regions that were added so far.
    pub(super) fn scopes(&self) -> impl Iterator<Item = &ScopeReport> {
        self.scopes.values().map(|part| &part.scope)
    }

    pub(super) fn policies(&self) -> &[PolicySummary] {
        &self.policies
    }

    pub(super) fn set_policies(&mut self, policies: Vec<PolicySummary>) {
        self.policies = policies;
    }

    fn keep(&mut self, part: Part) {
        let key = (part.scope.coverage.account_id.clone(), part.scope.coverage.region.clone());
        match self.scopes.get(&key) {
            Some(other) if other.rank() > part.rank() => {}
            _ => {
                self.scopes.insert(key, part);
            }
        }
    }

    /// The whole report. The run was interrupted if it says so or if a scope does.
    pub fn finish(mut self, run: Run) -> io::Result<Assembled<S>> {
        self.spool.flush()?;
        let mut summary = Summary::default();
        let (mut coverage, mut segments) = (Vec::new(), Vec::new());
        for Part { scope, findings, .. } in self.scopes.into_values() {
            summary.count_all(&findings.tally);
            segments.push(findings.range);
            coverage.push(scope);
        }
        let interrupted = run.interrupted || coverage.iter().any(|scope| scope.coverage.is_interrupted());
        let complete = !interrupted && !coverage.iter().any(|scope| scope.coverage.has_holes());
        let used: BTreeSet<_> = coverage.iter().flat_map(|scope| &scope.exemptions_used).collect();
        let of_policies = exemptions::findings(&self.policies, &self.expired, complete.then_some(&used));
        for finding in &of_policies {
            summary.count(finding);
        }
        summary.count_scopes(&coverage);
        Ok(Assembled {
            spool: self.spool,
            of_policies,
            segments,
            run: Run { interrupted, ..run },
            policies: self.policies,
            coverage,
            summary,
        })
    }
}

/// A whole report, ready to be written. Its findings are in order, and not in memory.
#[derive(Debug)]
pub struct Assembled<S> {
    pub(super) spool: Spool<S>,
    /// Findings that belong to no scope, which stand before all others.
    pub(super) of_policies: Vec<Finding>,
    pub(super) segments: Vec<Range<u64>>,
    pub(super) run: Run,
    pub(super) policies: Vec<PolicySummary>,
    pub(super) coverage: Vec<ScopeReport>,
    summary: Summary,
}

impl<S: Read + Write + Seek> Assembled<S> {
    /// It, for writing.
    pub fn view(&self) -> View<'_> {
        View {
            schema: SCHEMA,
            run: &self.run,
            policies: &self.policies,
            findings: self,
            coverage: &self.coverage,
            since: None,
            summary: &self.summary,
        }
    }
}

impl<S: Read + Write + Seek> Findings for Assembled<S> {
    fn all(&self) -> Box<dyn Iterator<Item = io::Result<Cow<'_, Finding>>> + '_> {
        let of_policies = self.of_policies.iter().map(|finding| Ok(Cow::Borrowed(finding)));
        Box::new(of_policies.chain(self.segments.iter().flat_map(|range| self.spool.read(range.clone()))))
    }

    fn of<'a>(
        &'a self,
        account_id: &'a AccountId,
        region: &'a Region,
    ) -> Box<dyn Iterator<Item = io::Result<Cow<'a, Finding>>> + 'a> {
        // By account and Region, as they were put together.
        let key = |scope: &'a ScopeReport| (&scope.coverage.account_id, &scope.coverage.region);
        let at = self.coverage.binary_search_by_key(&(account_id, region), key);
        let range = at.ok().map(|at| self.segments[at].clone());
        Box::new(self.spool.read(range.unwrap_or_default()))
    }

    fn write_lines(&self, out: &mut dyn Write) -> io::Result<()> {
        self.of_policies.iter().try_for_each(|finding| write_line(finding, &mut *out))?;
        self.segments.iter().try_for_each(|range| self.spool.copy(range.clone(), out))
    }
}
