//! What is new: two reports compared, judgement by judgement, matched by what a finding's `id` is the digest of.
//!
//! What fails now and did not before is told apart from what can be seen now and could not before: [`Class`] is the table of
//! all cases. The findings of both are read side by side, a resource at a time, as often as an output asks for them.

mod class;
mod contract;
mod format;
mod groups;
mod pairs;
mod scope_table;
mod scopes;
mod sides;
pub(super) mod table;

use std::io;

use serde::Serialize;
use serde::ser::{Error as _, SerializeSeq as _, Serializer};

use super::View;
use crate::finding::{Finding, Severity};
use pairs::{Pair, Pairs};
use sides::{Known, ask_alike};

pub use class::{Class, Told};
pub use contract::{
    Change, Compared, Count, DIFF_SCHEMA, DiffSummary, Difference, Fact, PolicyChange, PolicyText,
    ScopeChange, ScopeChangeKind, ScopeReading, Since, Standing,
};
pub use format::DiffFormat;
pub use sides::Side;

/// Two reports, compared.
#[derive(Debug)]
pub struct Diff<'a> {
    before: Known<'a>,
    after: Known<'a>,
    summary: DiffSummary,
    /// Whether something of the earlier report was looked for in a hole of the later one.
    missed: bool,
}

impl<'a> Diff<'a> {
    /// Compares an earlier report with a later one. Reads the findings of both once.
    pub fn new(before: Side<'a>, after: Side<'a>) -> io::Result<Self> {
        let (before, after) = (Known::new(before), Known::new(after));
        let mut diff = Self { before, after, summary: DiffSummary::default(), missed: false };
        let (mut summary, mut missed) = (DiffSummary::default(), false);
        for judgement in diff.judgements() {
            let Judgement { class, pair, before, after } = judgement?;
            let Some(finding) = pair.after.as_ref().or(pair.before.as_ref()) else { continue };
            summary.add(class, finding.severity);
            missed |= class == Class::NotSeen && diff.after.has_hole_at(finding);
            if class == Class::StillFailing && !before.differences(&after).is_empty() {
                summary.still_failing_otherwise += 1;
            }
        }
        (diff.summary, diff.missed) = (summary, missed);
        Ok(diff)
    }

    /// What became of the judgements that failed in either report, in the order of machine formats. What fails in both in
    /// the same way is left out.
    pub fn changes(&self) -> impl Iterator<Item = io::Result<Change>> + '_ {
        self.judgements().filter_map(|judgement| match judgement {
            Ok(judgement) => judgement.change().map(Ok),
            Err(error) => Some(Err(error)),
        })
    }

    /// The accounts and Regions that were not read alike.
    pub fn scopes(&self) -> Vec<ScopeChange> {
        scopes::scope_changes(&self.before, &self.after)
    }

    /// The policies that are not the same.
    pub fn policies(&self) -> Vec<PolicyChange> {
        if self.before.is_of_nothing() || self.after.is_of_nothing() {
            return Vec::new();
        }
        scopes::policy_changes(self.before.side.report.policies, self.after.side.report.policies)
    }

    /// The counts.
    pub const fn summary(&self) -> &DiffSummary {
        &self.summary
    }

    /// The earlier report.
    pub const fn before(&self) -> &View<'a> {
        &self.before.side.report
    }

    /// The later report.
    pub const fn after(&self) -> &View<'a> {
        &self.after.side.report
    }

    /// Whether the later report has a hole where the earlier one has seen something.
    pub fn has_lost_sight(&self) -> bool {
        self.missed || scopes::has_new_hole(&self.before, &self.after)
    }

    /// Whether something began to count that is at least as bad as this: what is new, and what is no longer exempt.
    pub fn is_worse_by(&self, least: Severity) -> bool {
        self.summary.new.has_at_least(least) || self.summary.no_longer_exempt.has_at_least(least)
    }

    fn judgements(&self) -> impl Iterator<Item = io::Result<Judgement<'a>>> + use<'a, '_> {
        let pairs = Pairs::new(self.before.side.report.findings, self.after.side.report.findings);
        pairs.map(|pair| pair.map(|pair| self.judge(pair)))
    }

    fn judge(&self, pair: Pair<'a>) -> Judgement<'a> {
        let standing = |finding: &Finding| Standing::of(finding);
        let (before, after) = match (pair.before.as_deref(), pair.after.as_deref()) {
            (Some(before), None) => {
                let told = self.after.without(before, &self.before, pair.judged_after);
                (standing(before), Standing::without(told))
            }
            (None, Some(after)) => {
                let told = self.before.without(after, &self.after, pair.judged_before);
                (Standing::without(told), standing(after))
            }
            (before, after) => {
                let or_none =
                    |finding: Option<&Finding>| finding.map_or(Standing::without(Told::NotSeen), standing);
                (or_none(before), or_none(after))
            }
        };
        let either = pair.before.as_ref().or(pair.after.as_ref());
        let alike = either.is_none_or(|finding| self.ask_alike(finding));
        Judgement { class: Class::of(before.status, after.status, alike), pair, before, after }
    }

    fn ask_alike(&self, finding: &Finding) -> bool {
        // What is said of exemptions is no rule of a policy, and is the same for all.
        finding.account_id.is_none() || ask_alike(&self.before, &self.after, &finding.policy, &finding.rule)
    }

    fn ids(&self, class: Class) -> Ids<'_, 'a> {
        Ids { diff: self, class }
    }
}

/// One judgement, and its class.
struct Judgement<'a> {
    class: Class,
    pair: Pair<'a>,
    before: Standing,
    after: Standing,
}

impl Judgement<'_> {
    /// Nothing where nothing is to be told.
    fn change(self) -> Option<Change> {
        let Self { class, pair, before, after } = self;
        let changed = match class {
            Class::NotFailing => return None,
            Class::StillFailing => before.differences(&after),
            _ => Vec::new(),
        };
        if class == Class::StillFailing && changed.is_empty() {
            return None;
        }
        let finding = pair.after.or(pair.before)?.into_owned();
        Some(Change { class, changed, before, after, finding })
    }
}

/// As the member `since` of the later report: [`Since`], with no more than one finding in memory.
impl Serialize for Diff<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Members<'d, 'a> {
            baseline: Compared,
            summary: &'d DiffSummary,
            new: Ids<'d, 'a>,
            no_longer_exempt: Ids<'d, 'a>,
            fixed: Ids<'d, 'a>,
        }
        let members = Members {
            baseline: Compared::of(self.before()),
            summary: &self.summary,
            new: self.ids(Class::New),
            no_longer_exempt: self.ids(Class::NoLongerExempt),
            fixed: self.ids(Class::Fixed),
        };
        members.serialize(serializer)
    }
}

/// The ids of all findings of a class.
struct Ids<'d, 'a> {
    diff: &'d Diff<'a>,
    class: Class,
}

impl Serialize for Ids<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(None)?;
        // Where there are none, nothing is read to find that out.
        if self.diff.summary.of(self.class).is_some_and(|count| count.findings > 0) {
            for change in self.diff.changes() {
                let change = change.map_err(S::Error::custom)?;
                if change.class == self.class {
                    sequence.serialize_element(&change.finding.id)?;
                }
            }
        }
        sequence.end()
    }
}
