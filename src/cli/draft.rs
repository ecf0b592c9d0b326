//! A report in the making, from inventories that were just read or were saved.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::finding::Finding;
use crate::lineage::{self, SubjectKind};
use crate::model::{Coverage, Inventory, Needs};
use crate::policy::{Evaluator, Policy};
use crate::report::{PolicySummary, Report, Run, SCHEMA, Summary};

/// What has to be read even where there is no trace of EKS.
pub fn needs(policies: &[Policy], all_instances: bool) -> Needs {
    let asked = |kind| policies.iter().any(|policy| policy.asks_for(kind));
    Needs {
        templates: asked(SubjectKind::LaunchTemplate),
        account_defaults: asked(SubjectKind::AccountDefaults),
        instances: all_instances,
    }
}

/// A report in the making: each inventory is judged as it comes, counted and dropped.
pub struct Draft<'p> {
    policies: &'p [Policy],
    needs: Needs,
    evaluator: Evaluator<'p>,
    include_passed: bool,
    findings: Vec<Finding>,
    coverage: Vec<Coverage>,
    summary: Summary,
}

impl<'p> Draft<'p> {
    /// Begins with nothing read.
    pub fn new(policies: &'p [Policy], needs: Needs, now: Timestamp, include_passed: bool) -> Self {
        let today = now.to_zoned(TimeZone::UTC).date();
        Self {
            policies,
            needs,
            evaluator: Evaluator::new(policies, today),
            include_passed,
            findings: Vec::new(),
            coverage: Vec::new(),
            summary: Summary::default(),
        }
    }

    /// Judges an inventory. What more was read than is needed is left out of account.
    pub fn add(&mut self, inventory: Inventory) {
        let inventory = &inventory.narrowed(self.needs);
        let judged = self.evaluator.judge(inventory, self.include_passed);
        self.summary.passed += judged.passed;
        self.summary.not_applicable += judged.not_applicable;
        self.summary.count_inventory(inventory, judged.groups);
        self.coverage.push(Coverage {
            reason: inventory
                .coverage
                .reason
                .clone()
                .or_else(|| lineage::limits(inventory).map(str::to_owned)),
            ..inventory.coverage.clone()
        });
        self.findings.extend(judged.findings);
    }

    /// Adds a scope that was not read.
    pub fn add_unread(&mut self, coverage: Coverage) {
        self.coverage.push(Coverage { instances: self.needs.breadth(), ..coverage });
    }

    /// The whole report.
    pub fn finish(mut self, run: Run) -> Report {
        self.coverage.sort_by(|a, b| (&a.account_id, &a.region).cmp(&(&b.account_id, &b.region)));
        let mut report = Report {
            schema: SCHEMA.to_owned(),
            run,
            policies: self.policies.iter().map(summary_of).collect(),
            findings: self.findings,
            coverage: self.coverage,
            summary: self.summary,
        };
        let complete = !report.incomplete();
        report.findings.extend(self.evaluator.exemptions(complete));
        report.findings.sort_by(Finding::cmp_machine);
        for finding in &report.findings {
            report.summary.count(finding);
        }
        report.summary.count_scopes(&report.coverage);
        report
    }
}

pub(super) fn summary_of(policy: &Policy) -> PolicySummary {
    PolicySummary {
        name: policy.name.clone(),
        version: policy.version.clone(),
        sha256: policy.sha256.clone(),
    }
}
