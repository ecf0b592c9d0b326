//! Changes of scope, for people: what was read and asked otherwise, and what follows for what failed.

use std::collections::BTreeMap;
use std::io;

use super::groups::Grouped;
use super::{Class, Diff, PolicyChange, ScopeChange, ScopeChangeKind, table};
use crate::finding::Severity;
use crate::model::{AccountId, CoverageStatus, Region};
use crate::report::table::page::{Page, Paint, Text};
use crate::report::table::problem::{self, LISTED, label};
use crate::report::words::{and, count, grouped};

/// Everything that is no change of compliance.
pub(super) fn section(page: &mut Page<'_>, diff: &Diff<'_>, groups: &Grouped) -> io::Result<()> {
    let (scopes, policies) = (diff.scopes(), diff.policies());
    let apart = [Class::NotSeen, Class::NewlySeen, Class::NewlyJudged, Class::NoLongerJudged];
    if scopes.is_empty() && policies.is_empty() && apart.iter().all(|class| none(diff, *class)) {
        return Ok(());
    }
    page.title("Changes of scope: neither new nor fixed")?;
    for class in [Class::NotSeen, Class::NewlySeen] {
        findings(page, diff, groups, class)?;
    }
    readings(page, &scopes)?;
    for class in [Class::NewlyJudged, Class::NoLongerJudged] {
        findings(page, diff, groups, class)?;
    }
    policies.iter().try_for_each(|policy| self::policy(page, policy))
}

fn none(diff: &Diff<'_>, class: Class) -> bool {
    diff.summary().of(class).is_none_or(|count| count.findings == 0)
}

/// The same in one line of a report.
pub(super) fn in_short(page: &mut Page<'_>, diff: &Diff<'_>) -> io::Result<()> {
    let mut facts = Vec::new();
    for (class, words) in [
        (Class::NotSeen, "could not be looked at again"),
        (Class::NewlySeen, "could not be seen before"),
        (Class::NewlyJudged, "by rules not asked before, or not in this way"),
        (Class::NoLongerJudged, "by rules not asked any more, or not in this way"),
    ] {
        if let Some(count) = diff.summary().of(class).filter(|count| count.findings > 0) {
            facts.push(format!("{} {words}", grouped(count.findings)));
        }
    }
    if facts.is_empty() {
        return Ok(());
    }
    label(page, "scope", &page.text().say(and(&facts)).say(": imdsctl report diff tells more"))
}

/// Where failures are: what the place is called, how many there are, and the worst.
type Places<'g> = BTreeMap<(Option<&'g AccountId>, Option<&'g Region>), (Text, u64, Severity)>;

/// What failed and is of no other class for the scope alone, by account and Region.
fn findings(page: &mut Page<'_>, diff: &Diff<'_>, groups: &Grouped, class: Class) -> io::Result<()> {
    let Some(all) = diff.summary().of(class).filter(|count| count.findings > 0) else { return Ok(()) };
    let (word, paint, said) = match class {
        Class::NotSeen => ("not seen", Paint::Warning, "could not be looked at again"),
        Class::NewlySeen => ("now seen", Paint::Plain, "could not be seen before"),
        Class::NewlyJudged => {
            ("judged", Paint::Plain, "of rules that were not asked before, or not in this way")
        }
        _ => ("dropped", Paint::Plain, "of rules that are not asked any more, or not in this way"),
    };
    let text = page.text().say(count(all.findings, "failed check"));
    let text = table::by_severity(text, all).say(" ").paint(paint, said);
    label(page, word, &text)?;
    let mut by_place = Places::new();
    for group in groups.of_class(class) {
        let key = (group.key.account_id.as_ref(), group.key.region.as_ref());
        let place = by_place.entry(key);
        let place = place.or_insert_with(|| (table::place(page.text(), group), 0, group.key.severity));
        place.1 += group.findings;
        place.2 = place.2.min(group.key.severity);
    }
    let places = by_place.len() as u64;
    for (place, number, worst) in by_place.into_values().take(LISTED) {
        label(page, "", &place.say(format!(": {}, at worst {worst}", grouped(number))))?;
    }
    problem::more(page, places)
}

/// What a scope's reading was and is, which scopes of an account may share.
type Turn<'a> = (ScopeChangeKind, &'a AccountId, Option<CoverageStatus>, Option<CoverageStatus>);

fn readings(page: &mut Page<'_>, scopes: &[ScopeChange]) -> io::Result<()> {
    let mut turns: BTreeMap<Turn<'_>, Vec<&ScopeChange>> = BTreeMap::new();
    for scope in scopes {
        let status = |reading: &Option<super::ScopeReading>| reading.as_ref().map(|reading| reading.status);
        let key = (scope.change, &scope.account_id, status(&scope.before), status(&scope.after));
        turns.entry(key).or_default().push(scope);
    }
    for ((kind, account, before, after), scopes) in turns.iter().take(LISTED) {
        let text = match &scopes[0].account_name {
            Some(name) => page.text().name(name).say(" ").word(account.as_str()),
            None => page.text().say("account ").word(account.as_str()),
        };
        let mut text = text.dot();
        for (at, scope) in scopes.iter().enumerate() {
            text = if at == 0 { text } else { text.say(", ") }.word(scope.region.as_str());
        }
        let (word, said) = words(*kind, *before, *after);
        label(page, word, &text.say(": ").say(said))?;
    }
    problem::more(page, turns.len() as u64)
}

fn words(
    kind: ScopeChangeKind,
    before: Option<CoverageStatus>,
    after: Option<CoverageStatus>,
) -> (&'static str, String) {
    let status = |status: Option<CoverageStatus>| match status {
        Some(CoverageStatus::Complete) => "complete",
        Some(CoverageStatus::Partial) => "partial",
        Some(CoverageStatus::Failed) => "failed",
        Some(CoverageStatus::Skipped) => "skipped",
        None => "not asked for",
    };
    let turn = format!("was {}, is {}", status(before), status(after));
    match kind {
        ScopeChangeKind::Better => ("better", turn),
        ScopeChangeKind::Worse => ("worse", turn),
        ScopeChangeKind::NewlyRead => ("added", "only the later report is about it".to_owned()),
        ScopeChangeKind::NoLongerRead => ("left out", "only the earlier report is about it".to_owned()),
        ScopeChangeKind::Wider => ("wider", "all instances are judged, not only nodes".to_owned()),
        ScopeChangeKind::Narrower => ("narrower", "only nodes are judged, not all instances".to_owned()),
    }
}

fn policy(page: &mut Page<'_>, policy: &PolicyChange) -> io::Result<()> {
    let text = page.text().word(&policy.name);
    let text = match (&policy.before, &policy.after) {
        (Some(before), Some(after)) if before.version == after.version => {
            text.say(" has another text, of the same version ").name(&after.version)
        }
        (Some(before), Some(after)) => {
            text.say(" was ").name(&before.version).say(" and is ").name(&after.version)
        }
        (None, _) => text.say(" was not judged by before"),
        (_, None) => text.say(" is not judged by any more"),
    };
    let mut text = text;
    let both = policy.before.is_some() && policy.after.is_some();
    for (word, rules) in [
        ("new", &policy.rules_added),
        ("gone", &policy.rules_removed),
        ("asked otherwise", &policy.rules_changed),
    ] {
        if both && !rules.is_empty() {
            text = text.dot().say(format!("{} {word}: ", count(rules.len() as u64, "rule")));
            for (at, rule) in rules.iter().enumerate() {
                text = if at == 0 { text } else { text.say(", ") }.word(rule);
            }
        }
    }
    label(page, "policy", &text)
}
