//! Other people's parsers read what imdsctl writes.

use std::path::Path;

use crate::fleet::{Audit, bare_imdsctl, fleet, succeeded};
use crate::support::python;

#[test]
fn an_audit_of_moto_is_read_by_other_parsers() {
    let Some(fleet) = fleet() else { return };
    assert_readable(&fleet.audit);
}

/// The built-in fleet has what moto cannot hold: Auto Mode, account defaults, images that ask for IMDSv2.
#[cfg(feature = "demo")]
#[test]
fn an_audit_of_the_demo_fleet_is_read_by_other_parsers() {
    if python::environment().is_none() {
        return;
    }
    let mut command = bare_imdsctl();
    command.args(["audit", "--all-regions", "--include-passed", "--demo"]);
    let audit = Audit::run(command).unwrap();
    assert_eq!(audit.exit, Some(1), "findings, and nothing unread");
    assert_readable(&audit);
}

/// Python's `jsonschema` validates the JSON, its `csv` reads the same findings from the CSV.
fn assert_readable(audit: &Audit) {
    let python = python::environment().unwrap();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/schema/report-v1.schema.json");
    let mut check = python.script("check_report.py");
    check.arg("--schema").arg(schema);
    for format in ["json", "csv"] {
        check.arg(format!("--{format}")).arg(audit.folder().join("report").with_extension(format));
    }
    let printed = succeeded("check_report.py", check.output().unwrap()).unwrap_or_else(|e| panic!("{e}"));
    let findings = audit.report["findings"].as_array().unwrap().len();
    assert_eq!(String::from_utf8(printed).unwrap().trim(), format!("{findings} findings"));
    assert!(findings > 0);
}
