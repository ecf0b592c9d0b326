//! Several reports made into one: shards of an audit, an audit and what was read again.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read, Seek, Write};

use jiff::Timestamp;

use super::read::{ReadError, read};
use super::{Assembled, Assembly, PolicySummary, Run, ScopeReport, Scopes};
use crate::model::{AccountId, Breadth, Coverage, CoverageStatus, Region, Scope};

/// Reports to be made into one. They were judged by the same policies.
#[derive(Debug)]
pub struct Merge<S> {
    assembly: Assembly<S>,
    run: Option<Run>,
    lists_passed: Option<bool>,
}

/// How reports compare with the accounts and Regions that were to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectation {
    /// Those that no report has.
    pub missing: BTreeSet<(AccountId, Region)>,
    /// Those that a report has and nobody expected.
    pub unexpected: BTreeSet<(AccountId, Region)>,
}

/// Why a report cannot be merged with those before it.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// It cannot be used.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It was judged by other policies.
    #[error(
        "it was judged by {theirs}, and what it is put together with by {ours}: audit with the same policies"
    )]
    Policies {
        /// Those of this report.
        theirs: String,
        /// Those of the others.
        ours: String,
    },
    /// One of them holds what passed, and another does not.
    #[error("{0}")]
    Passed(&'static str),
}

impl<S: Read + Write + Seek> Merge<S> {
    /// Begins with nothing. Findings are kept in `store`.
    pub fn new(store: S) -> Self {
        let assembly = Assembly::new(store, Vec::new(), [].into());
        Self { assembly, run: None, lists_passed: None }
    }

    /// Adds a report, unless `stopped` says that it is to be no more.
    pub fn add(&mut self, input: impl BufRead, stopped: &dyn Fn() -> bool) -> Result<(), MergeError> {
        let saved = read(input, &mut self.assembly, stopped)?;
        if let Some(run) = &mut self.run {
            same_policies(&saved.policies, self.assembly.policies())?;
            run.join(&saved.run);
        } else {
            self.assembly.set_policies(saved.policies.clone());
            self.run = Some(Run { interrupted: false, ..saved.run.clone() });
        }
        match (self.lists_passed, saved.lists_passed) {
            (Some(true), Some(false)) => {
                return Err(MergeError::Passed(
                    "it was made without --include-passed, unlike those before it",
                ));
            }
            (Some(false), Some(true)) => {
                return Err(MergeError::Passed("it was made with --include-passed, unlike those before it"));
            }
            (ours, theirs) => self.lists_passed = ours.or(theirs),
        }
        self.assembly.add_report(saved);
        Ok(())
    }

    /// Holds the reports that were added, which may be none, against the accounts and Regions that were to be read. What
    /// was to be read and is in none of them is failed coverage from here on, so that the whole is incomplete. Where
    /// there is no report, the run is one of this moment that did nothing.
    pub fn expect(&mut self, expected: &Scopes, now: Timestamp) -> Expectation {
        let started_at = self.run.get_or_insert_with(|| Run::of_nothing(now)).started_at;
        let key = |coverage: &Coverage| (coverage.account_id.clone(), coverage.region.clone());
        let known: BTreeSet<_> = self.assembly.scopes().map(|scope| key(&scope.coverage)).collect();
        let wide = self.assembly.scopes().map(|scope| scope.coverage.instances).max().unwrap_or_default();
        let expected: BTreeMap<_, _> =
            expected.without_reports(wide).map(|coverage| (key(&coverage), coverage)).collect();
        let unexpected = known.iter().filter(|scope| !expected.contains_key(scope)).cloned().collect();
        let mut missing = BTreeSet::new();
        for (scope, coverage) in expected.into_iter().filter(|(scope, _)| !known.contains(scope)) {
            if coverage.has_holes() {
                missing.insert(scope);
            }
            self.assembly.add_scope(ScopeReport::unread(coverage), started_at);
        }
        Expectation { missing, unexpected }
    }

    /// Whether what passed and does not apply is among the findings, as far as there is such a thing.
    pub fn lists_passed(&self) -> bool {
        self.lists_passed == Some(true)
    }

    /// The version of imdsctl that made the first report.
    pub fn version(&self) -> &str {
        self.run.as_ref().map_or("", |run| &run.version)
    }

    /// The whole, as of this version of imdsctl; nothing where there was no report.
    pub fn finish(self, version: &str) -> Option<io::Result<Assembled<S>>> {
        let run = Run { version: version.to_owned(), ..self.run? };
        Some(self.assembly.finish(run))
    }
}

/// The scopes of a report that need not be read again.
#[derive(Clone, Debug, Default)]
pub struct Complete(BTreeSet<(AccountId, Region)>);

impl Complete {
    /// Whether a scope is among them.
    pub fn has(&self, scope: &Scope) -> bool {
        self.0.contains(&(scope.account_id.clone(), scope.region.clone()))
    }
}

impl<S: Read + Write + Seek> Assembly<S> {
    /// Begins with a report that is there already, by the same policies. What is read better now takes its place. It comes
    /// with its run. A scope is complete in it only if it was about as many instances as this run is.
    pub fn resume(
        &mut self,
        input: impl BufRead,
        breadth: Breadth,
        include_passed: bool,
        stopped: &dyn Fn() -> bool,
    ) -> Result<(Run, Complete), MergeError> {
        let saved = read(input, self, stopped)?;
        same_policies(&saved.policies, self.policies())?;
        match (saved.lists_passed, include_passed) {
            (Some(true), false) => {
                return Err(MergeError::Passed(
                    "it was made with --include-passed: resume it with that, too",
                ));
            }
            (Some(false), true) => {
                return Err(MergeError::Passed(
                    "it was made without --include-passed: resume it without that",
                ));
            }
            _ => {}
        }
        let complete = saved.coverage.iter().map(|scope| &scope.coverage);
        let complete = complete.filter(|c| c.status == CoverageStatus::Complete && c.instances >= breadth);
        let complete = complete.map(|coverage| (coverage.account_id.clone(), coverage.region.clone()));
        let resumed = (saved.run.clone(), Complete(complete.collect()));
        self.add_report(saved);
        Ok(resumed)
    }
}

impl Run {
    /// The run of a report that was put together of none.
    fn of_nothing(now: Timestamp) -> Self {
        Self {
            tool: "imdsctl".to_owned(),
            version: String::new(),
            started_at: now,
            finished_at: now,
            api_calls: BTreeMap::new(),
            api_throttled: 0,
            interrupted: false,
        }
    }

    /// Adds another run: its calls, and the time that it took.
    pub fn join(&mut self, other: &Self) {
        self.started_at = self.started_at.min(other.started_at);
        self.finished_at = self.finished_at.max(other.finished_at);
        for (operation, calls) in &other.api_calls {
            *self.api_calls.entry(operation.clone()).or_default() += calls;
        }
        self.api_throttled += other.api_throttled;
    }
}

/// Whether they have the same names and texts, in whatever order.
pub(super) fn same_policies(theirs: &[PolicySummary], ours: &[PolicySummary]) -> Result<(), MergeError> {
    let texts = |policies: &[PolicySummary]| {
        let mut texts: Vec<_> =
            policies.iter().map(|policy| (policy.name.clone(), policy.sha256.clone())).collect();
        texts.sort();
        texts
    };
    if texts(theirs) == texts(ours) {
        return Ok(());
    }
    let name = |policies: &[PolicySummary]| {
        let names = policies
            .iter()
            .map(|policy| format!("{} {} ({:.12})", policy.name, policy.version, policy.sha256));
        names.collect::<Vec<_>>().join(", ")
    };
    Err(MergeError::Policies { theirs: name(theirs), ours: name(ours) })
}
