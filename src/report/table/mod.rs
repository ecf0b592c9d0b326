//! What an engineer wants on a terminal: the problems, worst first, then how far the audit saw, and what to do.
//!
//! Two columns. The left one is for looking: severities and labels. The right one is for reading, and wraps.
//! Identifiers are never cut, so that they can be copied; one that does not fit gets a line of its own.

mod coverage;
pub(super) mod page;
pub(super) mod problem;
mod sections;
pub(super) mod sentence;

use std::io::{self, Write as _};

use page::Page;

use super::problems::{Problem, digest};
use super::{Format, View, diff};
use crate::finding::Status;
use crate::harmless::buffered;

/// What the caller knows of where the table is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableStyle {
    /// The terminal's columns; none where there is no terminal.
    pub width: Option<usize>,
    /// Whether to colour severities.
    pub color: bool,
    /// Whether more than ASCII can be shown; if not, text from outside is escaped as well.
    pub unicode: bool,
}

impl TableStyle {
    /// Without a terminal: 100 columns, no colour.
    pub const PIPED: Self = Self { width: None, color: false, unicode: true };

    /// Columns to write in: lines longer than 120 are hard to read, and under 60 nothing fits.
    fn columns(self) -> usize {
        self.width.unwrap_or(100).clamp(60, 120)
    }
}

impl Default for TableStyle {
    fn default() -> Self {
        Self::PIPED
    }
}

/// The table. See [`TableStyle`] for what it adapts to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Table {
    /// How it is shown.
    pub style: TableStyle,
}

impl Format for Table {
    fn write(&self, report: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        let mut out = buffered(out);
        let digest = &digest(report.findings)?;
        let of = |status: Status| -> Vec<&Problem> {
            digest.problems.iter().filter(|problem| problem.key.status == status).collect()
        };
        let (failing, unknown, exempt) = (of(Status::Fail), of(Status::Unknown), of(Status::Exempt));

        let page = &mut Page::new(&mut out, self.style);
        sections::head(page, report)?;
        sections::verdict(page, report, &failing, &unknown)?;
        let several = report.policies.len() > 1;
        match report.since {
            None => problem::section(page, &failing, several)?,
            Some(diff) => {
                diff::table::since(page, diff)?;
                sections::failing(page, &failing, several)?;
            }
        }
        sections::unknown(page, &unknown, several)?;
        sections::exempt(page, report, &exempt)?;
        sections::passed(page, report, digest)?;
        sections::summary(page, report)?;
        coverage::section(page, report)?;
        sections::next(page, report, digest, &failing)?;
        out.flush()
    }
}
