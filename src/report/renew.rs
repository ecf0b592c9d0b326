//! The report that the next run is compared with: that of this run, and what it could not see of the one before.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek, Write};

use super::assembly::Assembled;
use super::{Assembly, Run, ScopeReport, exemptions, merge};
use crate::finding::{Finding, Status};
use crate::model::{AccountId, CoverageStatus, Region};

/// What becomes of a report that others are compared with.
#[derive(Debug)]
pub enum Renewal<S> {
    /// The new report takes its place: it has seen all that the old one knows.
    Whole,
    /// What the new report has seen takes its place, and what it has not is kept.
    Joined(Box<Assembled<S>>),
    /// It stays: so many accounts and Regions would be lost, and they were judged by other policies, so that they do not
    /// go into one report with the new ones.
    Stays(u64),
}

impl<S: Read + Write + Seek> Assembled<S> {
    /// Renews this report by a later one. `lists_passed` says of both whether what passed is among their findings; findings
    /// are kept in `store`.
    ///
    /// An account and Region that the later report does not know, or in which it has a hole, stays as it is here, if more
    /// of it was read here. One that is left out on purpose, since the Region is not enabled, is left out.
    pub fn renew<T: Read + Write + Seek>(
        &self,
        later: &Self,
        lists_passed: (bool, bool),
        store: T,
    ) -> io::Result<Renewal<T>> {
        let scopes: Scopes<'_> = later.coverage.iter().map(|scope| (key(scope), scope)).collect();
        let is_lost = |at: &usize| is_lost(&self.coverage[*at], &scopes);
        let kept: Vec<usize> = (0..self.coverage.len()).filter(is_lost).collect();
        if kept.is_empty() {
            return Ok(Renewal::Whole);
        }
        // A report that was put together of none at all has judged nothing, by no policy.
        let judged = if later.policies.is_empty() { self } else { later };
        if merge::same_policies(&judged.policies, &self.policies).is_err() {
            return Ok(Renewal::Stays(kept.len() as u64));
        }
        let listed = lists_passed.0 && lists_passed.1;
        let expired = judged.of_policies.iter().filter_map(exemptions::expired).collect();
        let mut joined = Assembly::new(store, judged.policies.clone(), expired);
        for at in &kept {
            self.copy(*at, listed, &mut joined)?;
        }
        let kept: BTreeSet<_> = kept.iter().map(|at| key(&self.coverage[*at])).collect();
        for (at, _) in later.coverage.iter().enumerate().filter(|(_, scope)| !kept.contains(&key(scope))) {
            later.copy(at, listed, &mut joined)?;
        }
        let mut run = Run { interrupted: false, ..later.run.clone() };
        run.join(&self.run);
        Ok(Renewal::Joined(Box::new(joined.finish(run)?)))
    }

    fn copy<T: Read + Write + Seek>(
        &self,
        at: usize,
        listed: bool,
        into: &mut Assembly<T>,
    ) -> io::Result<()> {
        let passed = |finding: &Finding| matches!(finding.status, Status::Pass | Status::NotApplicable);
        for finding in self.spool.read(self.segments[at].clone()) {
            let finding = finding?;
            if listed || !passed(&finding) {
                into.add_finding(&finding)?;
            }
        }
        into.add_scope(self.coverage[at].clone(), self.run.started_at);
        Ok(())
    }
}

/// What a report holds of each account and Region.
type Scopes<'a> = BTreeMap<(&'a AccountId, &'a Region), &'a ScopeReport>;

const fn key(scope: &ScopeReport) -> (&AccountId, &Region) {
    (&scope.coverage.account_id, &scope.coverage.region)
}

/// Whether a later report would lose what is known of a scope.
fn is_lost(scope: &ScopeReport, later: &Scopes<'_>) -> bool {
    if sight(scope) == 0 {
        return false;
    }
    later.get(&key(scope)).is_none_or(|other| {
        let hole = other.coverage.has_holes() || other.coverage.is_interrupted();
        hole && sight(other) < sight(scope)
    })
}

const fn sight(scope: &ScopeReport) -> u8 {
    match scope.coverage.status {
        CoverageStatus::Complete => 2,
        CoverageStatus::Partial => 1,
        CoverageStatus::Failed | CoverageStatus::Skipped => 0,
    }
}
