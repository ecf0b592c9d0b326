//! A report as formats see it: its findings come one after the other, wherever they are kept.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::ser::{Error as _, SerializeSeq as _};
use serde::{Serialize, Serializer};

use super::{Diff, PolicySummary, Run, ScopeReport, Summary};
use crate::finding::Finding;
use crate::harmless::write_line;
use crate::model::{AccountId, Breadth, CoverageStatus, Region};

/// Findings in the order of the contract: by account, Region, resource type, resource id, policy and rule.
pub trait Findings {
    /// All of them. They can be asked for as often as a format likes.
    fn all(&self) -> Box<dyn Iterator<Item = io::Result<Cow<'_, Finding>>> + '_>;

    /// Those of an account in a Region.
    fn of<'a>(
        &'a self,
        account_id: &'a AccountId,
        region: &'a Region,
    ) -> Box<dyn Iterator<Item = io::Result<Cow<'a, Finding>>> + 'a> {
        let is_there = |finding: &Finding| {
            finding.account_id.as_ref() == Some(account_id) && finding.region.as_ref() == Some(region)
        };
        Box::new(self.all().filter(move |finding| finding.as_ref().map_or(true, |finding| is_there(finding))))
    }

    /// All of them as lines of JSON, for whoever keeps them as such.
    fn write_lines(&self, out: &mut dyn Write) -> io::Result<()> {
        self.all().try_for_each(|finding| write_line(&*finding?, &mut *out))
    }
}

impl Findings for Vec<Finding> {
    fn all(&self) -> Box<dyn Iterator<Item = io::Result<Cow<'_, Finding>>> + '_> {
        Box::new(self.as_slice().iter().map(|finding| Ok(Cow::Borrowed(finding))))
    }
}

/// A [`Report`](super::Report) to be written, member by member as there. No more than one finding of it is in memory.
#[derive(Clone, Copy, Serialize)]
pub struct View<'a> {
    /// `imdsctl.report/v1`
    pub schema: &'a str,
    /// What changes from run to run.
    pub run: &'a Run,
    /// The policies that were judged by.
    pub policies: &'a [PolicySummary],
    /// What was found.
    #[serde(serialize_with = "one_by_one")]
    pub findings: &'a dyn Findings,
    /// What was read and what was not.
    pub coverage: &'a [ScopeReport],
    /// What is new since another report, where it was compared with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<&'a Diff<'a>>,
    /// The counts.
    pub summary: &'a Summary,
}

impl View<'_> {
    /// What the instances of this report are called: nodes, unless it is about others too.
    pub fn noun(&self) -> &'static str {
        let wide = self.coverage.iter().any(|scope| scope.coverage.instances == Breadth::All);
        if wide { "instance" } else { "node" }
    }

    /// Whether something was to be read, and nothing was.
    pub fn is_blind(&self) -> bool {
        let unread = |scope: &ScopeReport| {
            matches!(scope.coverage.status, CoverageStatus::Failed | CoverageStatus::Skipped)
        };
        self.incomplete() && self.coverage.iter().all(unread)
    }

    /// Whether something that was to be read was not.
    pub fn incomplete(&self) -> bool {
        self.run.interrupted || self.coverage.iter().any(|scope| scope.coverage.has_holes())
    }
}

impl std::fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("run", self.run).field("summary", self.summary).finish_non_exhaustive()
    }
}

fn one_by_one<S: Serializer>(findings: &&dyn Findings, serializer: S) -> Result<S::Ok, S::Error> {
    let mut sequence = serializer.serialize_seq(None)?;
    for finding in findings.all() {
        sequence.serialize_element(&*finding.map_err(S::Error::custom)?)?;
    }
    sequence.end()
}
