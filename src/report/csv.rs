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

use std::io::{self, Write as _};

use super::text::{escape, is_active};
use super::{Format, Report};
use crate::finding::{Expectation, Finding, Fix, TemplateUse};
use crate::model::Confidence;

/// CSV, safe to open in a spreadsheet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Csv;

impl Format for Csv {
    fn write(&self, report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
        let mut out = io::BufWriter::new(out);
        let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut out);
        csv.write_record(COLUMNS.iter().map(|(name, _)| name))?;
        for finding in &report.findings {
            for (_, cell) in COLUMNS {
                csv.write_field(neutral(cell(finding)))?;
            }
            csv.write_record(None::<&[u8]>)?;
        }
        csv.flush()?;
        drop(csv);
        out.flush()
    }
}

/// How a column gets its cell.
type Cell = fn(&Finding) -> String;

/// The columns, in the order of the contract.
const COLUMNS: &[(&str, Cell)] = &[
    ("id", |f| f.id.clone()),
    ("policy", |f| f.policy.clone()),
    ("rule", |f| f.rule.clone()),
    ("severity", |f| f.severity.to_string()),
    ("status", |f| f.status.to_string()),
    ("partition", |f| text(f.partition.as_ref())),
    ("account_id", |f| text(f.account_id.as_ref())),
    ("account_name", |f| text(f.account_name.as_ref())),
    ("region", |f| text(f.region.as_ref())),
    ("resource_type", |f| f.resource.r#type.to_string()),
    ("resource_id", |f| f.resource.id.clone()),
    ("resource_name", |f| text(f.resource.name.as_ref())),
    ("resource_arn", |f| text(f.resource.arn.as_ref())),
    ("cluster", |f| text(f.cluster.as_ref())),
    ("cluster_arn", |f| text(f.cluster_arn.as_ref())),
    ("node_group", |f| text(f.node_group.as_ref())),
    ("managed_by", |f| text(f.managed_by.as_ref())),
    ("nodes", |f| f.nodes.to_string()),
    ("image_id", |f| text(f.image.as_ref().and_then(|image| image.id.as_ref()))),
    ("image_name", |f| text(f.image.as_ref().and_then(|image| image.name.as_ref()))),
    ("image_family", |f| text(f.image.as_ref().map(|image| image.family).as_ref())),
    ("image_confidence", |f| text(f.image.as_ref().map(|image| confidence(image.confidence)).as_ref())),
    ("option", |f| text(f.option.as_ref())),
    ("expected", |f| f.expected.as_ref().map(expectation).unwrap_or_default()),
    ("actual", |f| text(f.actual.as_ref())),
    ("source", |f| text(f.source.as_ref())),
    ("templates", |f| join(f.templates.iter().map(template))),
    ("fixes", |f| join(f.fixes.iter().map(fix))),
    ("fixes_automatic", |f| automatic(&f.fixes).to_owned()),
    ("fix_notes", |f| join(f.fixes.iter().filter_map(|fix| fix.note.clone()))),
    ("exemption_id", |f| text(f.exemption.as_ref().map(|exemption| &exemption.id))),
    ("exemption_reason", |f| text(f.exemption.as_ref().map(|exemption| &exemption.reason))),
    ("exemption_expires", |f| text(f.exemption.as_ref().and_then(|e| e.expires.as_ref()))),
    ("exemption_owner", |f| text(f.exemption.as_ref().and_then(|e| e.owner.as_ref()))),
    ("notes", |f| join(f.notes.iter().cloned())),
];

fn text(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn join(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join("; ")
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
    let name = template.name.clone().or_else(|| template.id.as_ref().map(ToString::to_string));
    let version = template.version.map(|version| format!("@{version}"));
    name.unwrap_or_default() + &version.unwrap_or_default()
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
fn neutral(cell: String) -> String {
    let mut start = true;
    let needs = cell.chars().any(|character| {
        let formula = start && begins_formula(character);
        start = begins_cell(character) || (start && character == ' ');
        formula || (is_active(character) && !matches!(character, '\n' | '\t'))
    });
    if needs { neutralised(&cell) } else { cell }
}

fn neutralised(cell: &str) -> String {
    let mut safe = String::with_capacity(cell.len() + 8);
    let mut start = true;
    for character in cell.chars() {
        if start && begins_formula(character) {
            safe.push('\'');
        }
        if is_active(character) && !matches!(character, '\n' | '\t') {
            escape(character, &mut safe);
        } else {
            safe.push(character);
        }
        start = begins_cell(character) || (start && character == ' ');
    }
    safe
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
            assert_eq!(neutral(cell.to_owned()), safe);
        }
    }

    #[test]
    fn other_cells_stay_as_they_are() {
        for cell in ["", "eks-workers", "a=b", "2", "one\ntwo", "\"quoted\", and more", "🚀"] {
            assert_eq!(neutral(cell.to_owned()), cell);
        }
    }
}
