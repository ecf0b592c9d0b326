use imdsctl::model::Coverage;
use imdsctl::report::{Report, ReportFormat, ScopeReport, TableStyle};
use unicode_width::UnicodeWidthStr as _;

use crate::fixtures::{DATA, large, report, scope, story};
use crate::report::write;

fn table(report: &Report, width: usize) -> String {
    write(report, ReportFormat::Table, TableStyle { width: Some(width), color: false, unicode: true })
}

fn snapshot(name: &str, table: &str) {
    insta::with_settings!({ snapshot_path => "report_snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, table);
    });
}

/// A report of a fleet in which everything passed.
fn compliant() -> Report {
    let mut report = report(Vec::new(), vec![Coverage::complete(&scope(DATA, "us-east-1"))]);
    (report.summary.clusters, report.summary.node_groups) = (2, 6);
    (report.summary.instances, report.summary.passed) = (1204, 3648);
    report
}

#[test]
fn it_fits_every_width() {
    for width in [60, 72, 80, 100, 120, 200] {
        for line in table(&story(), width).lines() {
            assert!(line.width() <= width.min(120), "{} columns at {width}: {line}", line.width());
            assert_eq!(line, line.trim_end());
        }
    }
}

#[test]
fn a_narrow_terminal_cuts_no_identifier() {
    let table = table(&story(), 20);
    for id in ["lt-0f3a9c1b7d2e45681", "i-0c33c0ffee0000001", "legacy-ingest-lc-2021", "444455556666"] {
        assert!(table.contains(id), "{id}");
    }
}

#[test]
fn widths() {
    for width in [60, 80, 120] {
        snapshot(&format!("width-{width}"), &table(&story(), width));
    }
}

#[test]
fn ascii() {
    let style = TableStyle { width: Some(80), color: false, unicode: false };
    let table = write(&story(), ReportFormat::Table, style);
    assert!(table.is_ascii());
}

#[test]
fn colours() {
    let style = TableStyle { width: Some(80), color: true, unicode: true };
    let table = write(&story(), ReportFormat::Table, style);
    assert!(table.contains("\u{1b}[31;1mHIGH\u{1b}[0m"), "{table:?}");
    assert!(!table.contains("\u{1b}[0m\u{1b}[0m"));
}

#[test]
fn a_large_fleet_is_a_short_table() {
    let table = table(&large(3000), 100);
    snapshot("large", &table);
}

#[test]
fn a_compliant_fleet_is_a_calm_table() {
    snapshot("compliant", &table(&compliant(), 100));
}

#[test]
fn nothing_to_judge_is_said() {
    let report = report(Vec::new(), vec![Coverage::complete(&scope(DATA, "us-east-1"))]);
    assert!(table(&report, 100).contains("Nothing to judge"));
}

#[test]
fn an_interrupted_run_says_so_at_its_end() {
    let mut report = compliant();
    report.run.interrupted = true;
    report.coverage.push(ScopeReport::unread(Coverage::interrupted(&scope(DATA, "us-west-2"))));
    snapshot("interrupted", &table(&report, 100));
}

#[test]
fn colour_adds_nothing_but_colour() {
    let style = |color| TableStyle { width: Some(100), color, unicode: true };
    let coloured = write(&story(), ReportFormat::Table, style(true));
    let plain = write(&story(), ReportFormat::Table, style(false));
    assert!(coloured.contains("\u{1b}[31;1mHIGH\u{1b}[0m"), "the worst is red");
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        stripped.push_str(before);
        let (code, after) = after.split_once('m').unwrap();
        assert!(code.chars().all(|c| c.is_ascii_digit() || c == ';'), "{code}");
        rest = after;
    }
    stripped.push_str(rest);
    assert_eq!(stripped, plain);
}
