//! A report in the making, from inventories that were just read or were saved.

use std::io::{self, Read, Seek, Write};
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tempfile::SpooledTempFile;

use crate::lineage::{self, SubjectKind};
use crate::model::{Coverage, Inventory, Needs};
use crate::policy::{Evaluator, Exemption, Policy, Tally};
use crate::report::{
    Assembled, Assembly, Complete, PolicySummary, RuleSummary, Run, ScopeCounts, ScopeReport,
};
use crate::scan::Scanned;

use super::{Error, saved};

/// What has to be read even where there is no trace of EKS.
pub fn needs(policies: &[Policy], all_instances: bool) -> Needs {
    let asked = |kind| policies.iter().any(|policy| policy.asks_for(kind));
    Needs {
        templates: asked(SubjectKind::LaunchTemplate),
        account_defaults: asked(SubjectKind::AccountDefaults),
        instances: all_instances,
    }
}

/// The report of an audit.
pub type Audited = Assembled<SpooledTempFile>;

/// A report in the making: each inventory is judged as it comes, and dropped.
pub struct Draft<'p, S> {
    needs: Needs,
    evaluator: Evaluator<'p>,
    include_passed: bool,
    started_at: Timestamp,
    assembly: Assembly<S>,
    /// The run of the report that it began with.
    resumed: Option<Run>,
    /// The first failure to keep a finding. What comes after it is not kept, and there will be no report.
    failed: Option<io::Error>,
}

impl<'p, S: Read + Write + Seek> Draft<'p, S> {
    /// Begins with nothing read. Findings are kept in `store`.
    pub fn new(
        policies: &'p [Policy],
        needs: Needs,
        started_at: Timestamp,
        include_passed: bool,
        store: S,
    ) -> Self {
        let today = started_at.to_zoned(TimeZone::UTC).date();
        let evaluator = Evaluator::new(policies, today);
        let assembly = Assembly::new(store, policies.iter().map(summary_of).collect(), evaluator.expired());
        Self { needs, evaluator, include_passed, started_at, assembly, resumed: None, failed: None }
    }

    /// Begins with the report of a file, and says what need not be read again.
    pub fn resume(&mut self, path: &Path, stopped: &dyn Fn() -> bool) -> Result<Complete, Error> {
        let (breadth, passed) = (self.needs.breadth(), self.include_passed);
        let resumed = self.assembly.resume(saved::open(path)?, breadth, passed, stopped);
        let (run, complete) = resumed.map_err(|error| saved::wrong(path, error))?;
        self.resumed = Some(run);
        Ok(complete)
    }

    /// Adds what became of a scope.
    pub fn add(&mut self, scanned: Scanned) {
        match scanned {
            Scanned::Read(inventory) => self.judge(*inventory),
            Scanned::Unread(coverage) => {
                let coverage = Coverage { instances: self.needs.breadth(), ..coverage };
                self.assembly.add_scope(ScopeReport::unread(coverage), self.started_at);
            }
        }
    }

    /// Judges an inventory. What more was read than is needed is left out of account.
    fn judge(&mut self, inventory: Inventory) {
        if self.failed.is_some() {
            return;
        }
        let inventory = &inventory.narrowed(self.needs);
        let mut kept = Ok(());
        let tally = self.evaluator.judge_each(inventory, self.include_passed, |finding| {
            if kept.is_ok() {
                kept = self.assembly.add_finding(&finding);
            }
        });
        match kept {
            Ok(()) => self.assembly.add_scope(scope_report(inventory, tally), self.started_at),
            Err(error) => self.failed = Some(error),
        }
    }

    /// The whole report, of this run and of the one that it resumed.
    pub fn finish(self, mut run: Run) -> Result<Assembled<S>, Error> {
        if let Some(before) = self.resumed {
            run.join(&before);
        }
        let assembled = match self.failed {
            Some(error) => Err(error),
            None => self.assembly.finish(run),
        };
        assembled.map_err(|error| Error::kept(&error))
    }
}

fn scope_report(inventory: &Inventory, tally: Tally) -> ScopeReport {
    let reason = || lineage::limits(inventory).map(str::to_owned);
    let coverage = inventory.coverage.clone();
    ScopeReport {
        coverage: Coverage { reason: coverage.reason.or_else(reason), ..coverage },
        counts: ScopeCounts {
            passed: tally.passed,
            failed: tally.failed,
            exempt: tally.exempt,
            unknown: tally.unknown,
            not_applicable: tally.not_applicable,
            ..ScopeCounts::of(inventory, tally.groups)
        },
        exemptions_used: tally.exemptions_used,
    }
}

pub(super) fn summary_of(policy: &Policy) -> PolicySummary {
    let rules = policy.rules.iter();
    PolicySummary {
        name: policy.name.clone(),
        version: policy.version.clone(),
        sha256: policy.sha256.clone(),
        exemptions: policy.exemptions.iter().map(Exemption::summary).collect(),
        rules: rules.map(|rule| RuleSummary { id: rule.id.clone(), sha256: policy.digest(rule) }).collect(),
    }
}
