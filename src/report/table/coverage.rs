//! How far the audit saw.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::page::{Page, Paint, Text};
use super::problem::label;
use crate::model::{AccountId, Breadth, Coverage, CoverageStatus, Guard, ReadError, Region};
use crate::report::View;
use crate::report::words::{count, grouped, plural};

/// What was read, what was not, and why.
pub(super) fn section(page: &mut Page<'_>, report: &View<'_>) -> io::Result<()> {
    page.title("Coverage")?;
    let scopes = || report.coverage.iter().map(|scope| &scope.coverage);
    let of = |status| scopes().filter(move |scope| scope.status == status);
    let complete = of(CoverageStatus::Complete).count() as u64;
    let all = count(report.coverage.len() as u64, "scope");
    let text = page.text().say(format!("{} of {all} (each an account in a Region)", grouped(complete)));
    label(page, "complete", &text)?;
    breadth(page, report)?;
    for (word, status, paint) in
        [("partial", CoverageStatus::Partial, Paint::Warning), ("failed", CoverageStatus::Failed, Paint::Bad)]
    {
        for ((account, _, errors), scopes) in troubled(of(status)) {
            trouble(page, (word, paint), account, &scopes, errors)?;
        }
    }
    skipped(page, of(CoverageStatus::Skipped))?;
    remarks(page, of(CoverageStatus::Complete))?;
    guards(page, report)
}

/// That it was not about nodes alone, where it was not.
fn breadth(page: &mut Page<'_>, report: &View<'_>) -> io::Result<()> {
    let wide = report.coverage.iter().filter(|scope| scope.coverage.instances == Breadth::All).count();
    if wide == 0 {
        return Ok(());
    }
    let mut text =
        page.text().say("all instances and Auto Scaling groups, whether or not they are of a cluster");
    if wide < report.coverage.len() {
        text = text.say(format!(", in {}", count(wide as u64, "scope")));
    }
    label(page, "judged", &text)
}

/// Scopes of one account with the same trouble.
type Troubles<'a> = BTreeMap<(&'a AccountId, Option<&'a str>, &'a [ReadError]), Vec<&'a Coverage>>;

fn troubled<'a>(scopes: impl Iterator<Item = &'a Coverage>) -> Troubles<'a> {
    let mut troubles = Troubles::new();
    for scope in scopes {
        let key = (&scope.account_id, scope.reason.as_deref(), scope.errors.as_slice());
        troubles.entry(key).or_default().push(scope);
    }
    troubles
}

fn trouble(
    page: &mut Page<'_>,
    (word, paint): (&str, Paint),
    account: &AccountId,
    scopes: &[&Coverage],
    errors: &[ReadError],
) -> io::Result<()> {
    let text = match &scopes[0].account_name {
        Some(name) => page.text().name(name).say(" ").word(account.as_str()),
        None => page.text().say("account ").word(account.as_str()),
    };
    let text = regions(text.dot(), scopes.iter().map(|scope| &scope.region).collect());
    let word = page.text().paint(paint, word);
    page.labelled(&word, super::problem::LABEL, super::problem::INDENT, &text)?;
    if let Some(reason) = &scopes[0].reason {
        label(page, "", &page.text().prose(reason))?;
    }
    for error in errors {
        let call = page.text().word(&error.service).say(":").word(&error.operation);
        label(page, "", &call.say(" ").name(&error.code).say(": ").prose(&error.message))?;
    }
    Ok(())
}

fn regions(text: Text, regions: BTreeSet<&Region>) -> Text {
    regions
        .into_iter()
        .enumerate()
        .fold(text, |text, (at, region)| if at == 0 { text } else { text.say(", ") }.word(region.as_str()))
}

/// Skipped scopes by reason: there are many of them, and they are as they should be.
fn skipped<'a>(page: &mut Page<'_>, scopes: impl Iterator<Item = &'a Coverage>) -> io::Result<()> {
    let mut reasons: BTreeMap<&str, Vec<&Coverage>> = BTreeMap::new();
    for scope in scopes {
        reasons.entry(scope.reason.as_deref().unwrap_or("no reason given")).or_default().push(scope);
    }
    for (reason, scopes) in reasons {
        let accounts: BTreeSet<_> = scopes.iter().map(|scope| &scope.account_id).collect();
        let mut text = page.text().say(count(scopes.len() as u64, "Region"));
        if accounts.len() > 1 {
            text = text.say(format!(" in {}", count(accounts.len() as u64, "account")));
        }
        label(page, "skipped", &text.say(": ").prose(reason))?;
    }
    Ok(())
}

/// What to know about scopes that were read.
fn remarks<'a>(page: &mut Page<'_>, scopes: impl Iterator<Item = &'a Coverage>) -> io::Result<()> {
    let mut remarks: BTreeMap<&str, u64> = BTreeMap::new();
    for reason in scopes.filter_map(|scope| scope.reason.as_deref()) {
        *remarks.entry(reason).or_default() += 1;
    }
    for (remark, scopes) in remarks {
        let text = page.text().prose(remark).paint(Paint::Faint, format!(" ({})", count(scopes, "Region")));
        label(page, "note", &text)?;
    }
    Ok(())
}

/// What held the audit back from changing anything.
fn guards(page: &mut Page<'_>, report: &View<'_>) -> io::Result<()> {
    let scopes = report.coverage.iter().map(|scope| &scope.coverage);
    let read = scopes.filter(|scope| scope.status != CoverageStatus::Skipped);
    let accounts: BTreeMap<_, _> = read.map(|scope| (&scope.account_id, scope.guard)).collect();
    let guarded = accounts.values().filter(|guard| **guard == Guard::SessionPolicy).count() as u64;
    let all = accounts.len() as u64;
    if all == 0 {
        return Ok(());
    }
    let credentials = match guarded {
        0 => String::new(),
        _ if guarded == all => "; so do the credentials".to_owned(),
        _ => format!("; in {} {} so do the credentials", grouped(guarded), plural(guarded, "account")),
    };
    let text = format!("nothing could be changed: the client refuses all that is not a read{credentials}");
    label(page, "guard", &page.text().say(text))
}
