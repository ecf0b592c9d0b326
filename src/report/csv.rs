//! One row a finding, for spreadsheets and shell tools.
//!
//! RFC 4180: a header, commas, lines that end in CR LF, quotes where a cell needs them. Lists are one cell,
//! their items joined by `; `.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return for a formula,
//! and names and tags are anyone's to choose. Such a cell gets an apostrophe in front, which makes it text. So
//! does such a part of a cell behind a semicolon, a tab or a newline: a spreadsheet that separates cells by
//! another character than the comma would begin a cell there. Characters that act on a terminal are shown as
//! their escape, `\u{1b}`; newlines and tabs stay.

use std::borrow::Cow;
use std::io::{self, Write as _};

use super::text::{escape, is_active};
use super::{Format, View};
use crate::finding::{Expectation, Finding, Fix, ManagedBy, Source, TemplateUse};
use crate::harmless::buffered;
use crate::model::{AccountId, Arn, Confidence, OptionName, Partition, Region, TemplateId};

/// CSV, safe to open in a spreadsheet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Csv;

impl Format for Csv {
    fn write(&self, report: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        let mut out = buffered(out);
        let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut out);
        csv.write_record(COLUMNS.iter().map(|(name, _)| name))?;
        for finding in report.findings.all() {
            let finding = finding?;
            for (_, cell) in COLUMNS {
                csv.write_field(&*neutral(cell(&finding)))?;
            }
            csv.write_record(None::<&[u8]>)?;
        }
        csv.flush()?;
        drop(csv);
        out.flush()
    }
}

/// How a column gets its cell.
type Cell = fn(&Finding) -> Cow<'_, str>;

/// The columns, in the order of the contract.
const COLUMNS: &[(&str, Cell)] = &[
    ("id", |f| Cow::Borrowed(&f.id)),
    ("policy", |f| Cow::Borrowed(&f.policy)),
    ("rule", |f| Cow::Borrowed(&f.rule)),
    ("severity", |f| f.severity.as_str().into()),
    ("status", |f| f.status.as_str().into()),
    ("partition", |f| text(f.partition.as_ref().map(Partition::as_str))),
    ("account_id", |f| text(f.account_id.as_ref().map(AccountId::as_str))),
    ("account_name", |f| text(f.account_name.as_deref())),
    ("region", |f| text(f.region.as_ref().map(Region::as_str))),
    ("resource_type", |f| f.resource.r#type.as_str().into()),
    ("resource_id", |f| Cow::Borrowed(&f.resource.id)),
    ("resource_name", |f| text(f.resource.name.as_deref())),
    ("resource_arn", |f| text(f.resource.arn.as_ref().map(Arn::as_str))),
    ("cluster", |f| text(f.cluster.as_deref())),
    ("cluster_arn", |f| text(f.cluster_arn.as_ref().map(Arn::as_str))),
    ("node_group", |f| text(f.node_group.as_deref())),
    ("auto_scaling_group", |f| text(f.auto_scaling_group.as_deref())),
    ("managed_by", |f| text(f.managed_by.map(ManagedBy::as_str))),
    ("nodes", |f| f.nodes.to_string().into()),
    ("image_id", |f| text(f.image.as_ref().and_then(|image| Some(image.id.as_ref()?.as_str())))),
    ("image_name", |f| text(f.image.as_ref().and_then(|image| image.name.as_deref()))),
    ("image_family", |f| text(f.image.as_ref().map(|image| image.family.as_str()))),
    ("image_confidence", |f| text(f.image.as_ref().map(|image| confidence(image.confidence)))),
    ("option", |f| text(f.option.map(OptionName::as_str))),
    ("expected", |f| f.expected.as_ref().map(expectation).unwrap_or_default().into()),
    ("actual", |f| f.actual.map(|actual| actual.to_string()).unwrap_or_default().into()),
    ("source", |f| text(f.source.map(Source::as_str))),
    ("templates", |f| join(f.templates.iter().map(template))),
    ("fixes", |f| join(f.fixes.iter().map(fix))),
    ("fixes_automatic", |f| automatic(&f.fixes).into()),
    ("fix_notes", |f| join(f.fixes.iter().filter_map(|fix| fix.note.clone()))),
    ("exemption_id", |f| text(f.exemption.as_ref().map(|exemption| exemption.id.as_str()))),
    ("exemption_reason", |f| text(f.exemption.as_ref().map(|exemption| exemption.reason.as_str()))),
    ("exemption_expires", |f| expires(f).map(|day| day.to_string()).unwrap_or_default().into()),
    ("exemption_owner", |f| text(f.exemption.as_ref().and_then(|exemption| exemption.owner.as_deref()))),
    ("notes", |f| join(f.notes.iter().cloned())),
];

fn text(value: Option<&str>) -> Cow<'_, str> {
    Cow::Borrowed(value.unwrap_or_default())
}

fn join<'a>(items: impl Iterator<Item = String>) -> Cow<'a, str> {
    items.collect::<Vec<_>>().join("; ").into()
}

fn expires(finding: &Finding) -> Option<jiff::civil::Date> {
    finding.exemption.as_ref()?.expires
}

const fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Unknown => "unknown",
        Confidence::Likely => "likely",
        Confidence::Certain => "certain",
    }
}

/// `at_least:2`
fn expectation(expected: &Expectation) -> String {
    match expected {
        Expectation::Equals(value) => format!("equals:{value}"),
        Expectation::AtLeast(least) => format!("at_least:{least}"),
        Expectation::AtMost(most) => format!("at_most:{most}"),
    }
}

/// `eks-workers@7`, the id where the name is not known, no version where that is not.
fn template(template: &TemplateUse) -> String {
    let name = template.name.as_deref().or(template.id.as_ref().map(TemplateId::as_str));
    let version = template.version.map(|version| format!("@{version}"));
    name.unwrap_or_default().to_owned() + &version.unwrap_or_default()
}

/// `patch_launch_template:lt-0abc`
fn fix(fix: &Fix) -> String {
    match &fix.target {
        Some(target) => format!("{}:{target}", fix.kind),
        None => fix.kind.to_string(),
    }
}

/// Whether all of a finding's fixes are automatic; nothing where there is none.
fn automatic(fixes: &[Fix]) -> &'static str {
    match fixes {
        [] => "",
        fixes if fixes.iter().all(|fix| fix.automatic) => "true",
        _ => "false",
    }
}

/// Makes a cell safe; see the module.
fn neutral(cell: Cow<'_, str>) -> Cow<'_, str> {
    let mut start = true;
    let dangerous = cell.chars().any(|character| {
        let formula = start && begins_formula(character);
        start = begins_cell(character) || (start && character == ' ');
        formula || is_escaped(character)
    });
    if dangerous { neutralised(&cell).into() } else { cell }
}

fn neutralised(cell: &str) -> String {
    let mut safe = String::with_capacity(cell.len() + 8);
    let mut start = true;
    for character in cell.chars() {
        if start && begins_formula(character) {
            safe.push('\'');
        }
        if is_escaped(character) {
            escape(character, &mut safe);
        } else {
            safe.push(character);
        }
        start = begins_cell(character) || (start && character == ' ');
    }
    safe
}

const fn is_escaped(character: char) -> bool {
    is_active(character) && !matches!(character, '\n' | '\t')
}

/// The last four are the full-width forms, which some input methods and spreadsheets take for the others.
const fn begins_formula(character: char) -> bool {
    matches!(character, '=' | '+' | '-' | '@' | '\t' | '\r' | '＝' | '＋' | '－' | '＠')
}

const fn begins_cell(character: char) -> bool {
    matches!(character, ';' | '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text() {
        for (cell, safe) in [
            ("=1+1", "'=1+1"),
            (" @SUM(A1)", " '@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\r=x", "'\\r'=x"),
            ("a;=cmd|' /C calc'!A0", "a;'=cmd|' /C calc'!A0"),
            ("one\n-two", "one\n'-two"),
            ("\u{1b}[31m", "\\u{1b}[31m"),
        ] {
            assert_eq!(neutral(cell.into()), safe);
        }
    }

    #[test]
    fn other_cells_stay_as_they_are() {
        for cell in ["", "eks-workers", "a=b", "2", "one\ntwo", "\"quoted\", and more", "🚀"] {
            assert_eq!(neutral(cell.into()), cell);
        }
    }
}
