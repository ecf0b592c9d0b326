//! Explanations, for people on a terminal: the lineage as a rail of stages, the options and the rules on them as
//! a table, and then what to do.

mod contract;
mod format;
mod lineage;
mod members;
mod options;

#[cfg(test)]
mod tests;

use std::io::{self, Write as _};

use super::TableStyle;
use super::table::page::{Page, Paint, Text};
use super::words;
use crate::explain::{Explanation, Kind, Step};
use crate::finding::{FixKind, Status};
use crate::harmless::buffered;

pub use contract::{EXPLANATION_SCHEMA, Explained, MOST};
pub use format::ExplanationFormat;

/// How many notes and failed calls are listed.
const LISTED: usize = 10;

/// Where labels begin, and where what is said beside them does.
const LABEL: usize = 2;
const INDENT: usize = 8;

/// Writes explanations, one under the other.
fn write_table(explained: &Explained, style: TableStyle, out: &mut dyn io::Write) -> io::Result<()> {
    let mut out = buffered(out);
    let page = &mut Page::new(&mut out, style);
    let shown = explained.explanations.len() as u64;
    if explained.found > 1 {
        let mut text = page.text().paint(Paint::Strong, format!("{} resources", explained.found));
        text = text.say(" have that name");
        if explained.found > shown {
            text = text
                .say(format!("; the first {shown} are shown: name one by its id or ARN, or say --region"));
        }
        page.paragraph(0, &text.say("."))?;
        page.gap()?;
    }
    for (at, explanation) in explained.explanations.iter().enumerate() {
        if at > 0 {
            page.gap()?;
            page.gap()?;
        }
        write(page, explanation)?;
    }
    let holes = explained.holes_elsewhere();
    if holes > 0 {
        page.gap()?;
        let scopes = words::count(holes, "other scope");
        let text = format!("{scopes} could not be read completely: there may be more of that name.");
        page.paragraph(0, &page.text().paint(Paint::Warning, text))?;
    }
    out.flush()
}

fn write(page: &mut Page<'_>, explanation: &Explanation) -> io::Result<()> {
    head(page, explanation)?;
    lineage::write(page, explanation)?;
    options::write(page, explanation)?;
    members::write(page, explanation)?;
    fixes(page, explanation)?;
    notes(page, explanation)?;
    unread(page, explanation)
}

/// What it is and where.
fn head(page: &mut Page<'_>, explanation: &Explanation) -> io::Result<()> {
    let kind = match explanation.kind {
        Kind::Cluster => "cluster",
        Kind::NodeGroup => "node group",
        Kind::AutoScalingGroup => "Auto Scaling group",
        Kind::LaunchTemplate => "launch template",
        Kind::Instance => "instance",
    };
    let mut text = page.text().say(kind).say(" ").id(&explanation.id);
    if let Some(name) = explanation.name.as_deref().filter(|name| !name.is_empty()) {
        text = text.say(" (").name(name).say(")");
    }
    page.paragraph(0, &text)?;
    let scope = &explanation.scope;
    let mut text = page.text();
    text = match &scope.account_name {
        Some(name) => text.name(name).say(" "),
        None => text.say("account "),
    };
    text = text.word(scope.account_id.as_str()).dot().word(scope.region.as_str());
    if let Some(cluster) = &explanation.cluster {
        text = text.dot().say("cluster ").word(cluster);
    }
    if let Some(by) = explanation.managed_by {
        text = text.dot().fact(Paint::Plain, words::managed_by(by));
    }
    page.paragraph(0, &text)?;
    verdict(page, explanation)
}

/// The answer in one line.
fn verdict(page: &mut Page<'_>, explanation: &Explanation) -> io::Result<()> {
    let ways = explanation.ways.iter();
    // What an instance's group gives its next node is not the instance's own doing.
    let ways = ways.take(if explanation.kind == Kind::Instance { 1 } else { usize::MAX });
    let checks: Vec<_> = ways.flat_map(|way| &way.options).flat_map(|line| &line.checks).collect();
    let Some(worst) = checks.iter().map(|check| check.status).min() else { return Ok(()) };
    let several = options::several_policies(explanation);
    let mut rules: Vec<String> = Vec::new();
    for check in checks.iter().filter(|check| check.status == worst) {
        let rule = if several { format!("{}/{}", check.policy, check.rule) } else { check.rule.clone() };
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    let subject = match (explanation.kind, explanation.noun()) {
        (Kind::Instance, _) => String::new(),
        (Kind::LaunchTemplate, "node") => "a node from it ".to_owned(),
        (Kind::LaunchTemplate, _) => "an instance from it ".to_owned(),
        (_, noun) => format!("its next {noun} "),
    };
    let verb = match worst {
        Status::Fail => format!("{subject}breaks "),
        Status::Unknown => format!("{subject}may break "),
        Status::Exempt => format!("{subject}is exempt from "),
        Status::Pass | Status::NotApplicable => format!("{subject}breaks no rule"),
    };
    let (mark, paint) = options::mark(page.unicode(), worst);
    let text = page.text().fact(paint, &format!("{mark} ")).say(verb);
    let text = match worst {
        Status::Pass | Status::NotApplicable => text,
        _ => text.id(&words::and(&rules)),
    };
    let text = match checks.first() {
        Some(check) if !several => text.say(" of policy ").word(&check.policy),
        _ => text,
    };
    page.paragraph(0, &text)
}

/// A heading within an explanation.
fn heading(page: &mut Page<'_>, words: &str) -> io::Result<()> {
    page.gap()?;
    page.paragraph(0, &page.text().paint(Paint::Strong, words))
}

fn fixes(page: &mut Page<'_>, explanation: &Explanation) -> io::Result<()> {
    if explanation.fixes.is_empty() {
        return Ok(());
    }
    heading(page, if explanation.fixes.len() == 1 { "fix" } else { "fix, in this order" })?;
    for (at, step) in explanation.fixes.iter().enumerate() {
        let label = page.text().paint(Paint::Faint, (at + 1).to_string());
        let what = self::step(page.text(), step);
        let notes = step.notes.iter().map(|note| page.text().prose(note));
        let lines: Vec<Text> = std::iter::once(what).filter(|what| !what.is_empty()).chain(notes).collect();
        let mut label = Some(label);
        for line in &lines {
            match label.take() {
                Some(label) => page.labelled(&label, LABEL, LABEL + 3, line)?,
                None => page.paragraph(LABEL + 3, line)?,
            }
        }
    }
    Ok(())
}

fn step(text: Text, fix: &Step) -> Text {
    let (verb, noun, rest) = words::fix(fix.kind);
    // Why there is none is all that there is to say, and the notes say it.
    if fix.kind == FixKind::None {
        return text;
    }
    let text = text.say(verb).say(" ").say(noun);
    let text = match (fix.kind, &fix.target, &fix.target_name) {
        // A node group's ARN is for scripts; its cluster and name are what one knows it by.
        (FixKind::UpdateNodeGroup | FixKind::ReplaceNodeGroup, _, Some(name)) => text.say(" ").id(name),
        (_, Some(target), Some(name)) => text.say(" ").name(name).say(" (").id(target).say(")"),
        (_, Some(target), None) => text.say(" ").id(target),
        (_, None, _) => text,
    };
    let text = text.say(rest).say(" ");
    if fix.automatic { text.fact(Paint::Good, "[automatic]") } else { text.fact(Paint::Warning, "[by hand]") }
}

fn notes(page: &mut Page<'_>, explanation: &Explanation) -> io::Result<()> {
    let shown = explanation.notes.iter().take(LISTED);
    for (at, note) in shown.enumerate() {
        if at == 0 {
            page.gap()?;
        }
        let label = page.text().paint(Paint::Faint, if at == 0 { "note" } else { "    " });
        page.labelled(&label, LABEL, INDENT, &page.text().prose(note))?;
    }
    Ok(())
}

fn unread(page: &mut Page<'_>, explanation: &Explanation) -> io::Result<()> {
    if explanation.unread.is_empty() {
        return Ok(());
    }
    heading(page, "could not be read here, so that something may be missing above")?;
    for error in explanation.unread.iter().take(LISTED) {
        let text = page
            .text()
            .word(&error.service)
            .say(":")
            .word(&error.operation)
            .say(" ")
            .paint(Paint::Warning, "")
            .word(&error.code)
            .say(": ")
            .prose(&error.message);
        page.paragraph(LABEL, &text)?;
    }
    Ok(())
}
