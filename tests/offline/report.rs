use std::path::PathBuf;

use imdsctl::inventory::line_schema;
use imdsctl::journal;
use imdsctl::plan::result_schema;
use imdsctl::report::{
    Report, ReportFormat, TableStyle, diff_schema, explanation_schema, json_schema, scopes_schema,
};

use crate::fixtures::{large, story};

pub fn write(report: &Report, format: ReportFormat, style: TableStyle) -> String {
    let mut bytes = Vec::new();
    format.writer(style).write(&report.view(), &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Compares a file of this repository with what it should hold; with the variable set it is written instead.
fn golden(path: &str, variable: &str, now: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os(variable).is_some() {
        std::fs::write(&file, now).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == now,
        "{path} is stale: run `{variable}=1 cargo test --test offline report::` and look at what changed"
    );
}

#[test]
fn the_json_schemas_are_those_of_the_types() {
    let schema = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
    golden("reports/schema/report-v1.schema.json", "UPDATE_SCHEMA", &schema);
    let schema = serde_json::to_string_pretty(&explanation_schema()).unwrap() + "\n";
    golden("reports/schema/explanation-v1.schema.json", "UPDATE_SCHEMA", &schema);
    let schema = serde_json::to_string_pretty(&diff_schema()).unwrap() + "\n";
    golden("reports/schema/diff-v1.schema.json", "UPDATE_SCHEMA", &schema);
    let schema = serde_json::to_string_pretty(&scopes_schema()).unwrap() + "\n";
    golden("reports/schema/scopes-v1.schema.json", "UPDATE_SCHEMA", &schema);
    let schema = serde_json::to_string_pretty(&line_schema()).unwrap() + "\n";
    golden("reports/schema/inventory-v1.schema.json", "UPDATE_SCHEMA", &schema);
    let schema = serde_json::to_string_pretty(&imdsctl::plan::json_schema()).unwrap() + "\n";
    golden("reports/schema/plan-v1.schema.json", "UPDATE_SCHEMA", &schema);
    let schema = serde_json::to_string_pretty(&journal::line_schema()).unwrap() + "\n";
    golden("reports/schema/journal-v1.schema.json", "UPDATE_SCHEMA", &schema);
    let schema = serde_json::to_string_pretty(&result_schema()).unwrap() + "\n";
    golden("reports/schema/remediation-v1.schema.json", "UPDATE_SCHEMA", &schema);
}

#[test]
fn the_examples_are_what_is_written() {
    for format in ReportFormat::ALL {
        let extension = if *format == ReportFormat::Table { "txt" } else { format.as_str() };
        let written = write(&story(), *format, TableStyle::PIPED);
        golden(&format!("reports/examples/audit.{extension}"), "UPDATE_EXAMPLES", &written);
    }
}

/// In an optimised build 100,000 findings take well under a second in each format.
#[test]
fn many_findings_are_written_in_every_format() {
    let report = large(10_000);
    for format in ReportFormat::ALL {
        let began = std::time::Instant::now();
        let written = write(&report, *format, TableStyle::PIPED);
        println!("{format}: {} bytes in {:?}", written.len(), began.elapsed());
        assert!(written.len() > 1000);
    }
}
