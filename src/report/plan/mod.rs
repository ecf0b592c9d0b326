//! Plans, for people on a terminal: a section for each account and Region with what changes, what stays with people,
//! what is skipped and what to know; then what it comes to.

mod format;
mod left;
mod steps;
mod summary;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use super::TableStyle;
use super::table::page::{Page, Paint, Text};
use super::words;
use crate::harmless::buffered;
use crate::model::{CoverageStatus, Scope};
use crate::plan::{Plan, ScopePlan, StepId};

pub use format::PlanFormat;

/// How many of a kind are listed before the rest is only counted.
const LISTED: usize = 10;

/// Where labels begin, and where what is said beside them does.
const LABEL: usize = 2;
const INDENT: usize = 14;

/// A plan with what is said beside it.
#[derive(Clone, Debug)]
pub struct PlanView<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Whether nothing but showing it is to come, so that a reader has to be told how to go on.
    pub dry_run: bool,
    /// What AWS said of steps that were rehearsed.
    pub rehearsed: BTreeMap<StepId, Rehearsed>,
}

/// What AWS says of a step that it was asked about and did not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rehearsed {
    /// It would have done it.
    Allowed,
    /// It would not, and why.
    Denied(String),
    /// Its API has no way to ask.
    NotTestable,
}

impl<'a> PlanView<'a> {
    /// A plan that is only shown.
    pub const fn dry_run(plan: &'a Plan) -> Self {
        Self { plan, dry_run: true, rehearsed: BTreeMap::new() }
    }
}

fn write_table(view: &PlanView<'_>, style: TableStyle, out: &mut dyn io::Write) -> io::Result<()> {
    let mut out = buffered(out);
    let page = &mut Page::new(&mut out, style);
    head(page, view.plan)?;
    summary::verdict(page, view.plan)?;
    for part in &view.plan.scopes {
        page.title(&title(&part.scope, style.unicode))?;
        scope(page, part, view)?;
    }
    if !view.plan.scopes.is_empty() {
        page.title("Summary")?;
        summary::write(page, view)?;
    }
    out.flush()
}

/// What made the plan, for which policy, and when.
fn head(page: &mut Page<'_>, plan: &Plan) -> io::Result<()> {
    let mut text = page.text().paint(Paint::Strong, "imdsctl").say(" ").name(&plan.version).dot();
    text = text.say("plan for ").say(words::plural(plan.policies.len() as u64, "policy")).say(" ");
    for (at, policy) in plan.policies.iter().enumerate() {
        text = if at == 0 { text } else { text.say(", ") }.name(&policy.name).say(" ").name(&policy.version);
    }
    let made = plan.made_at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    page.paragraph(0, &text.dot().say(made))?;
    page.gap()
}

fn title(scope: &Scope, unicode: bool) -> String {
    let name = scope.account_name.as_ref().map_or_else(String::new, |name| format!("{name} "));
    let text = format!("{name}{} {}", scope.account_id, scope.region);
    super::sanitize(&text, !unicode).into_owned()
}

fn scope(page: &mut Page<'_>, part: &ScopePlan, view: &PlanView<'_>) -> io::Result<()> {
    if part.coverage != CoverageStatus::Complete {
        let text = page.text().paint(Paint::Warning, "Not everything could be read here.");
        page.paragraph(0, &text.say(" What was not seen is not planned for."))?;
        page.gap()?;
    }
    steps::write(page, part, view)?;
    left::manual(page, part)?;
    left::skipped(page, part)?;
    left::risks(page, part)
}

/// A heading within a section.
fn heading(page: &mut Page<'_>, words: &str, gap: bool) -> io::Result<()> {
    if gap {
        page.gap()?;
    }
    page.paragraph(0, &page.text().paint(Paint::Strong, words))
}

/// A line, or several, with a label in the left column.
fn label(page: &mut Page<'_>, label: &str, text: &Text) -> io::Result<()> {
    let label = page.text().paint(Paint::Faint, label);
    page.labelled(&label, LABEL, INDENT, text)
}
