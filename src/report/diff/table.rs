//! Comparisons for people: what is new first, worst first, then what is better, and what changed of the scope apart.

use std::borrow::Cow;
use std::io;

use super::groups::{Group, Grouped};
use super::{Change, Class, Count, Diff, Told, scope_table};
use crate::finding::{Finding, Severity};
use crate::report::problems::{Problem, digest};
use crate::report::table::page::{Page, Paint, Text};
use crate::report::table::problem::{self, INDENT, LISTED, label};
use crate::report::table::sentence;
use crate::report::words::{count, grouped};
use crate::report::{Findings, TableStyle, View};

/// Writes a comparison.
pub(super) fn write(diff: &Diff<'_>, style: TableStyle, out: &mut dyn io::Write) -> io::Result<()> {
    let page = &mut Page::new(out, style);
    head(page, diff)?;
    verdict(page, diff)?;
    let several = several_policies(diff);
    for (class, title) in [(Class::New, "New"), (Class::NoLongerExempt, "No longer exempt")] {
        let problems = problems(diff, class)?;
        if !problems.is_empty() {
            page.title(&format!("{title}, worst first"))?;
            problem::under_title(page, &problems.iter().collect::<Vec<_>>(), several)?;
        }
    }
    let all = Grouped::of(diff)?;
    for (class, title) in [
        (Class::Fixed, "Fixed"),
        (Class::StillFailing, "Still failing, but not as before"),
        (Class::Exempted, "Accepted by the policy now"),
    ] {
        groups(page, title, all.of_class(class))?;
    }
    scope_table::section(page, diff, &all)
}

/// Which reports are compared, and when they were made.
fn head(page: &mut Page<'_>, diff: &Diff<'_>) -> io::Result<()> {
    page.paragraph(0, &page.text().paint(Paint::Strong, "imdsctl").say(" ").say("compares two reports"))?;
    for (word, report) in [("earlier", diff.before()), ("later", diff.after())] {
        let failing = report.summary.failed + report.summary.unknown;
        let mut text = page.text().say(minute(report)).dot().say(count(report.summary.scopes, "scope"));
        text = text.dot().say(count(failing, "failed check"));
        for policy in report.policies {
            text = text.dot().say("policy ").name(&policy.name).say(" ").name(&policy.version);
        }
        label(page, word, &text)?;
    }
    page.gap()
}

fn minute(report: &View<'_>) -> String {
    report.run.finished_at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn several_policies(diff: &Diff<'_>) -> bool {
    diff.before().policies.len() > 1 || diff.after().policies.len() > 1
}

/// The whole comparison in a sentence.
fn verdict(page: &mut Page<'_>, diff: &Diff<'_>) -> io::Result<()> {
    let summary = diff.summary();
    let worse = summary.new.findings + summary.no_longer_exempt.findings;
    let text = match worse {
        0 => page.text().paint(Paint::Good, "Nothing fails that did not before."),
        1 => page.text().paint(Paint::Bad, "1 check fails that did not count before").say("; worst first."),
        _ => {
            let text = format!("{} checks fail that did not count before", grouped(worse));
            page.text().paint(Paint::Bad, text).say("; worst first.")
        }
    };
    let still = format!(
        " {} fixed, {} still failing.",
        grouped(summary.fixed.findings),
        grouped(summary.still_failing.findings)
    );
    page.paragraph(0, &text.say(still))?;
    blind(page, diff)
}

/// That not all could be compared, where that is so.
fn blind(page: &mut Page<'_>, diff: &Diff<'_>) -> io::Result<()> {
    let not_seen = diff.summary().not_seen.findings;
    let text = match not_seen {
        0 if !diff.has_lost_sight() => return Ok(()),
        0 => "Something that was read before could not be read now".to_owned(),
        _ => format!("{} could not be looked at again", count(not_seen, "failed check")),
    };
    let text = page.text().paint(Paint::Warning, text);
    page.paragraph(0, &text.say(": see the changes of scope below."))
}

/// The findings of a class, put together as in the table of a report.
fn problems(diff: &Diff<'_>, class: Class) -> io::Result<Vec<Problem>> {
    if diff.summary().of(class).is_none_or(|count| count.findings == 0) {
        return Ok(Vec::new());
    }
    Ok(digest(&OfClass { diff, class })?.problems)
}

struct OfClass<'d, 'a> {
    diff: &'d Diff<'a>,
    class: Class,
}

impl Findings for OfClass<'_, '_> {
    fn all(&self) -> Box<dyn Iterator<Item = io::Result<Cow<'_, Finding>>> + '_> {
        let of_class =
            |change: &io::Result<Change>| change.as_ref().map_or(true, |change| change.class == self.class);
        let changes = self.diff.changes().filter(of_class);
        Box::new(changes.map(|change| change.map(|change| Cow::Owned(change.finding))))
    }
}

/// Changes of one class, put together by rule, account and Region.
fn groups<'g>(page: &mut Page<'_>, title: &str, groups: impl Iterator<Item = &'g Group>) -> io::Result<()> {
    let groups: Vec<_> = groups.collect();
    if groups.is_empty() {
        return Ok(());
    }
    page.title(title)?;
    for group in groups.iter().take(LISTED) {
        self::group(page, group)?;
    }
    problem::more(page, groups.len() as u64)
}

fn group(page: &mut Page<'_>, group: &Group) -> io::Result<()> {
    let severity = page.text().paint(Paint::Faint, group.key.severity.as_str().to_uppercase());
    let text = page.text().id(&group.key.rule).dot();
    let text = place(text, group);
    page.labelled(&severity, 0, INDENT, &text)?;
    let mut said = page.text();
    for sentence in sentences(group) {
        said = if said.is_empty() { said } else { said.say(", ") }.phrase(&sentence);
    }
    page.paragraph(INDENT, &said)?;
    let mut names = page.text();
    for (id, name) in &group.resources {
        names = if names.is_empty() { names } else { names.say(", ") }.word(id);
        if let Some(name) = name.as_deref().filter(|name| !name.is_empty()) {
            names = names.say(" (").name(name).say(")");
        }
    }
    page.paragraph(INDENT, &names)?;
    problem::more(page, group.findings)
}

pub(super) fn place(text: Text, group: &Group) -> Text {
    let Some(account) = &group.key.account_id else {
        return text.say("policy ").word(&group.key.policy);
    };
    let text = match &group.account_name {
        Some(name) => text.name(name).say(" ").word(account.as_str()),
        None => text.say("account ").word(account.as_str()),
    };
    match &group.key.region {
        Some(region) => text.dot().word(region.as_str()),
        None => text,
    }
}

/// What became of how many.
fn sentences(group: &Group) -> Vec<String> {
    if group.key.class == Class::StillFailing && group.findings == 1 {
        return vec![group.key.detail.clone()];
    }
    if group.key.class == Class::StillFailing {
        return vec![format!("{}: {}", grouped(group.findings), group.key.detail)];
    }
    let of = |(told, number): (&Told, &u64)| {
        let (one, many) = match told {
            Told::Pass => ("passes", "pass"),
            Told::NotApplicable => {
                ("does not apply (no metadata service)", "do not apply (no metadata service)")
            }
            Told::NotFailing => ("does not break it any more", "do not break it any more"),
            Told::NotThere => ("is gone", "are gone"),
            Told::NotListed => ("passes or is gone", "pass or are gone"),
            Told::Exempt => ("is exempt", "are exempt"),
            _ => ("", ""),
        };
        format!("{} {}", grouped(*number), if *number == 1 { one } else { many })
    };
    group.after.iter().map(of).collect()
}

/// What is new, in the table of the later report: a few lines.
pub(in crate::report) fn since(page: &mut Page<'_>, diff: &Diff<'_>) -> io::Result<()> {
    let summary = diff.summary();
    page.title(&format!("Since {}", minute(diff.before())))?;
    for (word, count) in
        [("new", &summary.new), ("exempt", &summary.no_longer_exempt), ("fixed", &summary.fixed)]
    {
        if word != "exempt" || count.findings > 0 {
            let text = by_severity(page.text().say(grouped(count.findings)), count);
            label(page, word, &if word == "exempt" { text.say(" not any more") } else { text })?;
        }
    }
    let mut text = page.text().say(format!("{} before and now", grouped(summary.still_failing.findings)));
    if summary.still_failing_otherwise > 0 {
        text =
            text.say(format!(", {} of them not in the same way", grouped(summary.still_failing_otherwise)));
    }
    label(page, "failing", &text)?;
    scope_table::in_short(page, diff)?;
    let mut problems = problems(diff, Class::New)?;
    problems.extend(self::problems(diff, Class::NoLongerExempt)?);
    for problem in problems.iter().take(LISTED) {
        page.gap()?;
        problem.and_alongside().try_for_each(|one| problem::headline(page, one, several_policies(diff)))?;
        let reach = sentence::reach(problem);
        if !reach.is_empty() {
            page.paragraph(INDENT, &page.text().say(reach))?;
        }
        label(page, "where", &sentence::location(page.text(), problem))?;
        problem::places(page, problem)?;
    }
    problem::more(page, problems.len() as u64)
}

/// ` (3 high, 9 low)`
pub(super) fn by_severity(text: Text, count: &Count) -> Text {
    let facts = Severity::ALL.iter().filter_map(|severity| {
        let number = count.by_severity.get(severity.as_str())?;
        Some(text.empty().fact(Paint::Severity(*severity), &format!("{} {severity}", grouped(*number))))
    });
    let facts = facts.collect();
    text.in_brackets(facts)
}
