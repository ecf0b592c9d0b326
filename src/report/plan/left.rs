//! What a plan leaves: what a person has to do, what is skipped, and what to know.

use std::collections::BTreeMap;
use std::io;

use super::{INDENT, LABEL, LISTED, heading, label};
use crate::finding::FixKind;
use crate::plan::{Manual, ScopePlan, Skipped, Snippet};
use crate::report::table::page::{Page, Paint, Text};
use crate::report::words::{self, count, grouped};

/// What stays with people, each with the lines for it.
pub(super) fn manual(page: &mut Page<'_>, part: &ScopePlan) -> io::Result<()> {
    if part.manual.is_empty() {
        return Ok(());
    }
    heading(page, "By hand", !part.steps.is_empty())?;
    for (at, manual) in part.manual.iter().take(LISTED).enumerate() {
        if at > 0 {
            page.gap()?;
        }
        one(page, manual)?;
    }
    more(page, part.manual.len())
}

fn one(page: &mut Page<'_>, manual: &Manual) -> io::Result<()> {
    let mended = count(manual.findings.len() as u64, "finding");
    let text = what(page.text(), manual).dot().paint(Paint::Faint, mended);
    page.paragraph(LABEL, &text)?;
    label(page, "why", &page.text().prose(&manual.why))?;
    manual.snippet.as_ref().map_or(Ok(()), |snippet| lines(page, snippet))
}

fn what(text: Text, manual: &Manual) -> Text {
    let (verb, noun, rest) = words::fix(manual.kind);
    let text = match manual.kind {
        FixKind::None => text.say("ask who holds it: ").say("the default in"),
        _ => text.say(verb).say(" ").say(noun),
    };
    let text = match (manual.kind, &manual.target, &manual.target_name) {
        // A node group's ARN is for scripts.
        (FixKind::ReplaceNodeGroup, _, Some(name)) => text.say(" ").id(name),
        (_, Some(target), Some(name)) => text.say(" ").id(name).say(" (").word(target).say(")"),
        (_, Some(target), None) => text.say(" ").id(target),
        (_, None, _) => text,
    };
    text.say(rest)
}

/// Lines to copy: none of them wraps, and none is cut.
fn lines(page: &mut Page<'_>, snippet: &Snippet) -> io::Result<()> {
    label(page, "in", &page.text().prose(&snippet.place))?;
    for line in snippet.text.lines() {
        let text = page.text().verbatim(line);
        if text.is_empty() {
            page.gap()?;
        } else {
            page.paragraph(INDENT, &text)?;
        }
    }
    Ok(())
}

/// What nothing is planned for: for each reason, what it is said of.
pub(super) fn skipped(page: &mut Page<'_>, part: &ScopePlan) -> io::Result<()> {
    if part.skipped.is_empty() {
        return Ok(());
    }
    let mut reasons: BTreeMap<&str, Vec<&Skipped>> = BTreeMap::new();
    for skipped in &part.skipped {
        reasons.entry(&skipped.why).or_default().push(skipped);
    }
    heading(page, "Skipped", !part.steps.is_empty() || !part.manual.is_empty())?;
    for (why, skipped) in &reasons {
        page.paragraph(LABEL, &page.text().prose(why))?;
        let mut text = page.text();
        for (at, one) in skipped.iter().take(LISTED).enumerate() {
            text = name(if at == 0 { text } else { text.say(", ") }, one);
        }
        if skipped.len() > LISTED {
            let more = grouped((skipped.len() - LISTED) as u64);
            text = text.paint(Paint::Faint, format!(", +{more} more"));
        }
        page.paragraph(LABEL + 2, &text)?;
    }
    Ok(())
}

fn name(text: Text, skipped: &Skipped) -> Text {
    let resource = &skipped.resource;
    let text = text.id(&resource.id);
    match resource.name.as_deref().filter(|name| !name.is_empty() && !resource.id.ends_with(name)) {
        Some(name) => text.say(" ").paint(Paint::Faint, "(").name(name).paint(Paint::Faint, ")"),
        None => text,
    }
}

/// What to know before it is done.
pub(super) fn risks(page: &mut Page<'_>, part: &ScopePlan) -> io::Result<()> {
    if part.risks.is_empty() {
        return Ok(());
    }
    heading(page, "To know before", true)?;
    for risk in part.risks.iter().take(LISTED) {
        let mark = page.text().paint(Paint::Warning, "!");
        page.labelled(&mark, LABEL, LABEL + 2, &page.text().prose(risk))?;
    }
    more(page, part.risks.len())
}

fn more(page: &mut Page<'_>, all: usize) -> io::Result<()> {
    match all.saturating_sub(LISTED) {
        0 => Ok(()),
        rest => {
            let text = format!("+{} more (all in -o json)", grouped(rest as u64));
            page.paragraph(LABEL, &page.text().paint(Paint::Faint, text))
        }
    }
}
