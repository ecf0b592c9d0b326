//! The options: value, what decides it, and the rules on it.

use std::io;

use super::LABEL;
use super::lineage::source;
use crate::explain::{Check, Explanation, OptionLine, Way};
use crate::finding::Status;
use crate::report::table::page::{Page, Paint, Text};

/// Where the columns begin: the value, what decides it, the rules.
const VALUE: usize = LABEL + "http_put_response_hop_limit".len() + 2;
const SOURCE: usize = VALUE + "required".len() + 2;
const RULE: usize = SOURCE + "launch configuration".len() + 2;

/// Below this width the rules have lines of their own.
const NARROW: usize = RULE + 36;

pub(super) fn write(page: &mut Page<'_>, explanation: &Explanation) -> io::Result<()> {
    for way in &explanation.ways {
        page.gap()?;
        self::way(page, explanation, way)?;
    }
    Ok(())
}

/// Whether rules have to say which policy they are of.
pub(super) fn several_policies(explanation: &Explanation) -> bool {
    let mut checks = explanation.ways.iter().flat_map(|way| &way.options).flat_map(|line| &line.checks);
    let first = checks.next();
    first.is_some_and(|first| checks.any(|check| check.policy != first.policy))
}

fn way(page: &mut Page<'_>, explanation: &Explanation, way: &Way) -> io::Result<()> {
    let several = several_policies(explanation);
    let judged = way.options.iter().any(|line| !line.checks.is_empty());
    let title = page.text().paint(Paint::Strong, way.title.as_str()).padded(SOURCE);
    let mut title = title.paint(Paint::Faint, "decided by");
    if judged && page.columns() >= NARROW {
        title = title.padded(RULE).paint(Paint::Faint, "rule");
    }
    page.labelled(&title, 0, 0, &page.text())?;
    for line in &way.options {
        option(page, line, source(explanation, line.source), several)?;
    }
    if !judged {
        page.paragraph(LABEL, &page.text().paint(Paint::Faint, "No rule of the policy is for it."))?;
    }
    Ok(())
}

fn option(page: &mut Page<'_>, line: &OptionLine, decided_by: &str, several: bool) -> io::Result<()> {
    let worst = line.checks.iter().map(|check| check.status).min();
    let value = line.value.map_or("?".to_owned(), |value| value.to_string());
    let mut head = page.text().say(line.option.as_str()).padded(VALUE - LABEL);
    head = head.paint(paint(worst), value).padded(SOURCE - LABEL).say(decided_by);
    let rules: Vec<Text> = line.checks.iter().map(|check| rule(page, line, check, several)).collect();
    let wide = page.columns() >= NARROW;
    let mut rules = rules.iter();
    let first = if wide { rules.next().cloned() } else { None };
    let first = first.unwrap_or_else(|| page.text());
    let head = if first.is_empty() { head } else { head.padded(RULE - LABEL) };
    page.labelled(&head, LABEL, RULE, &first)?;
    for rule in rules {
        page.paragraph(if wide { RULE } else { VALUE }, rule)?;
    }
    Ok(())
}

const fn paint(worst: Option<Status>) -> Paint {
    match worst {
        Some(Status::Fail) => Paint::Bad,
        Some(Status::Unknown) => Paint::Warning,
        _ => Paint::Plain,
    }
}

fn rule(page: &Page<'_>, line: &OptionLine, check: &Check, several: bool) -> Text {
    let (mark, paint) = mark(page.unicode(), check.status);
    let mut text = page.text().fact(paint, &format!("{mark} "));
    if several {
        text = text.word(&check.policy).say("/");
    }
    text = text.word(&check.rule);
    match check.status {
        // What is not known to be wrong may be right.
        Status::Unknown if line.value.is_some() => text.say(format!(": may have to be {}", check.expected)),
        Status::Fail | Status::Unknown => {
            text.fact(Paint::Plain, ": ").say(format!("must be {}", check.expected))
        }
        Status::Exempt => text.say(format!(": exempt from being {}", check.expected)),
        Status::NotApplicable => text.say(": the endpoint is off"),
        Status::Pass => text,
    }
}

/// How a status is drawn.
pub(super) const fn mark(unicode: bool, status: Status) -> (&'static str, Paint) {
    match (status, unicode) {
        (Status::Fail, true) => ("✗", Paint::Bad),
        (Status::Fail, false) => ("FAIL", Paint::Bad),
        (Status::Unknown, _) => ("?", Paint::Warning),
        (Status::Exempt, _) => ("~", Paint::Warning),
        (Status::Pass, true) => ("✓", Paint::Good),
        (Status::Pass, false) => ("ok", Paint::Good),
        (Status::NotApplicable, _) => ("-", Paint::Faint),
    }
}
