//! The report that the next run is compared with: that of this run, and what it could not see of the one before.

use std::io::{self, Read, Seek, Write};

use super::assembly::Assembled;
use super::{Assembly, Run, ScopeReport, exemptions, merge};
use crate::finding::{Finding, Status};
use crate::model::CoverageStatus;

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
        let kept: Vec<usize> = (0..self.coverage.len()).filter(|at| self.is_lost(*at, later)).collect();
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
        let is_kept = |scope: &ScopeReport| kept.iter().any(|at| is_same(&self.coverage[*at], scope));
        for at in &kept {
            self.copy(*at, listed, &mut joined)?;
        }
        for (at, _) in later.coverage.iter().enumerate().filter(|(_, scope)| !is_kept(scope)) {
            later.copy(at, listed, &mut joined)?;
        }
        let mut run = Run { interrupted: false, ..later.run.clone() };
        run.join(&self.run);
        Ok(Renewal::Joined(Box::new(joined.finish(run)?)))
    }

    /// Whether a later report would lose what this one knows of a scope.
    fn is_lost(&self, at: usize, later: &Self) -> bool {
        let scope = &self.coverage[at];
        if sight(scope) == 0 {
            return false;
        }
        match later.coverage.iter().find(|other| is_same(scope, other)) {
            None => true,
            Some(other) => {
                let hole = other.coverage.has_holes() || other.coverage.is_interrupted();
                hole && sight(other) < sight(scope)
            }
        }
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

fn is_same(one: &ScopeReport, other: &ScopeReport) -> bool {
    let key = |scope: &ScopeReport| (scope.coverage.account_id.clone(), scope.coverage.region.clone());
    key(one) == key(other)
}

const fn sight(scope: &ScopeReport) -> u8 {
    match scope.coverage.status {
        CoverageStatus::Complete => 2,
        CoverageStatus::Partial => 1,
        CoverageStatus::Failed | CoverageStatus::Skipped => 0,
    }
}
