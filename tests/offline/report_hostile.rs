use imdsctl::finding::{ExemptionSummary, Finding, ResourceType, Severity, Status};
use imdsctl::model::{Coverage, CoverageStatus, ReadError};
use imdsctl::report::{Diff, DiffFormat, PolicySummary, Report, ReportFormat, RuleSummary, Side, TableStyle};
use proptest::prelude::*;

use crate::fixtures::{self, story};
use crate::report::write;

const STYLES: [TableStyle; 3] = [
    TableStyle { width: Some(60), color: true, unicode: true },
    TableStyle { width: None, color: false, unicode: true },
    TableStyle { width: Some(120), color: true, unicode: false },
];

/// What has been used against terminals, spreadsheets, browsers and parsers.
const ATTACKS: &[&str] = &[
    "\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[31mred",
    "=HYPERLINK(\"http://evil.example\",\"click\")",
    "a;=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|'/c calc'!A0",
    "line one\r\nline two\n-3",
    "\t=1+1",
    "\u{202e}txt.exe\u{2066}\u{200b}\u{feff}",
    "<script>alert(1)</script>",
    "\",\"broken\",\"",
    "\u{9b}31m\u{2028}\u{0}",
    "  spaces   inside  ",
    "",
];

/// Puts a text into every place of a finding that holds text from outside.
fn poison(finding: &mut Finding, texts: &[String]) {
    let mut texts = texts.iter().cycle().cloned();
    let mut text = || texts.next().unwrap_or_default();
    (finding.policy, finding.rule) = (text(), text());
    finding.partition = Some(text().into());
    finding.account_id = Some(text().into());
    finding.account_name = Some(text());
    finding.region = Some(text().into());
    (finding.resource.id, finding.resource.name) = (text(), Some(text()));
    finding.resource.arn = Some(text().into());
    (finding.cluster, finding.node_group) = (Some(text()), Some(text()));
    if let Some(image) = &mut finding.image {
        (image.id, image.name) = (Some(text().into()), Some(text()));
    }
    for template in &mut finding.templates {
        (template.id, template.name) = (Some(text().into()), Some(text()));
    }
    for fix in &mut finding.fixes {
        (fix.target, fix.note) = (Some(text()), Some(text()));
    }
    if finding.status == Status::Exempt {
        let (id, reason, owner) = (text(), text(), Some(text()));
        finding.exemption = Some(ExemptionSummary { id, reason, expires: None, owner });
    }
    finding.notes = vec![text(), text()];
}

fn poisoned(texts: &[String]) -> Report {
    let mut findings = story().findings;
    for (at, finding) in findings.iter_mut().enumerate() {
        let mut rotated = texts.to_vec();
        rotated.rotate_left(at % texts.len());
        poison(finding, &rotated);
    }
    let text = |at: usize| texts[at % texts.len()].clone();
    let scope = fixtures::scope((&text(0), &text(1)), &text(2));
    let partial = Coverage {
        status: CoverageStatus::Partial,
        reason: Some(text(3)),
        errors: vec![ReadError { service: text(4), operation: text(5), code: text(6), message: text(7) }],
        ..Coverage::complete(&scope)
    };
    let coverage = vec![partial, Coverage::skipped(&scope, text(8))];
    let mut report = fixtures::report(findings, coverage);
    let exemption = ExemptionSummary { id: text(12), reason: text(13), expires: None, owner: Some(text(14)) };
    report.policies.push(PolicySummary {
        name: text(9),
        version: text(10),
        sha256: text(11),
        exemptions: vec![exemption],
        rules: vec![RuleSummary { id: text(15), sha256: text(16) }],
    });
    report
}

/// Whether a character acts on a terminal; newlines are how a table is made.
fn acts(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The text without the colours that a table may have, and nothing else that begins with an escape.
fn without_colours(text: &str) -> String {
    let colours = regex_lite::Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    colours.replace_all(text, "").into_owned()
}

fn check(report: &Report) {
    for style in STYLES {
        let table = write(report, ReportFormat::Table, style);
        let plain = if style.color { without_colours(&table) } else { table };
        assert!(!plain.contains(acts), "{plain:?}");
        assert!(style.unicode || plain.is_ascii(), "{plain}");
    }

    let csv = write(report, ReportFormat::Csv, TableStyle::PIPED);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), report.findings.len());
    for cell in rows.iter().flatten() {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
        assert!(!cell.replace('\t', "").contains(acts), "{cell:?}");
    }
    // A spreadsheet that separates by semicolons begins cells inside of ours.
    let pieces = rows.iter().flatten().flat_map(|cell| cell.split([';', '\n', '\t']));
    for piece in pieces.map(|piece| piece.trim_start_matches(' ')) {
        assert!(!piece.starts_with(['=', '+', '-', '@']), "{piece:?}");
    }

    let json = write(report, ReportFormat::Json, TableStyle::PIPED);
    assert!(!json.contains(acts));
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), *report);

    // All but every third is gone in the later one, and what is left has another severity.
    let mut later = report.clone();
    let mut at = 0;
    later.findings.retain(|_| {
        at += 1;
        at % 3 == 0
    });
    for finding in &mut later.findings {
        finding.severity = Severity::Info;
    }
    later.policies.pop();
    let side = |report| Side { report: Report::view(report), lists_passed: true };
    for (before, after) in [(report, &later), (&later, report)] {
        let diff = Diff::new(side(before), side(after)).unwrap();
        for format in [DiffFormat::Table, DiffFormat::Json, DiffFormat::Ndjson] {
            let mut bytes = Vec::new();
            format.write(&diff, TableStyle::PIPED, &mut bytes).unwrap();
            let text = String::from_utf8(bytes).unwrap();
            assert!(!text.contains(acts), "{text:?}");
        }
    }

    let asff = write(report, ReportFormat::Asff, TableStyle::PIPED);
    assert!(!asff.contains(acts));
    serde_json::from_str::<serde_json::Value>(&asff).unwrap();

    let ndjson = write(report, ReportFormat::Ndjson, TableStyle::PIPED);
    // A record a line, also for readers that end lines at more than the newline.
    assert!(!ndjson.contains(acts));
    assert_eq!(ndjson.lines().count(), report.findings.len() + 3);
    for line in ndjson.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).unwrap().is_object());
    }
}

#[test]
fn known_attacks_are_harmless_everywhere() {
    let attacks: Vec<_> = ATTACKS.iter().map(|text| (*text).to_owned()).collect();
    check(&poisoned(&attacks));
}

#[test]
fn a_name_of_emoji_does_not_tear_the_table() {
    let emoji = "👩‍👩‍👧‍👦".repeat(256);
    let table = write(&poisoned(&[emoji]), ReportFormat::Table, TableStyle::PIPED);
    assert!(table.contains('…'));
}

#[test]
fn what_an_attacker_hides_is_shown() {
    let mut report = story();
    report.findings.retain(|finding| finding.resource.r#type == ResourceType::Instance);
    for finding in &mut report.findings {
        finding.resource.name = Some("\u{202e}\u{1b}[2J".into());
    }
    let table = write(&report, ReportFormat::Table, TableStyle::PIPED);
    assert!(table.contains(r"(\u{202e}\u{1b}[2J)"), "{table}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_harmless_everywhere(
        texts in prop::collection::vec(prop_oneof![any::<String>(), prop::sample::select(ATTACKS).prop_map(str::to_owned)], 1..16)
    ) {
        check(&poisoned(&texts));
    }
}
