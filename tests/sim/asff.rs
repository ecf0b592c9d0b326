//! AWS Security Finding Format, held against botocore's model of what Security Hub takes.

use crate::cloud::Cloud;
use crate::hostile::assert_harmless;
use crate::program::{Outcome, Program, Report};
use crate::python;

const OUTPUTS: &str = "--include-passed --policy al2023 --policy imdsv2 -o json=a.json -o asff=a.asff";

/// Doctored findings, which the check must catch: a check that cannot fail is none.
#[test]
fn the_check_catches_doctored_findings() {
    let Some(environment) = python::environment() else { return };
    let output = environment.script("check_asff.py").arg("--self-test").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn assert_importable(outcome: &Outcome) {
    assert_harmless("ASFF", &outcome.read("a.asff"));
    let Some(environment) = python::environment() else { return };
    let mut check = environment.script("check_asff.py");
    check.arg("--report").arg(outcome.path("a.json")).arg("--asff").arg(outcome.path("a.asff"));
    let output = check.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let report = Report::parse(&outcome.read("a.json"));
    let of_accounts = report.findings().iter().filter(|finding| finding["account_id"].is_string()).count();
    assert!(of_accounts > 10);
    assert_eq!(said.trim(), format!("{of_accounts} findings"));
}

#[test]
fn security_hub_takes_every_finding_of_the_demo() {
    let outcome = Program::new().line("audit --all-regions --demo").line(OUTPUTS).run().code(1);
    assert_importable(&outcome);
}

#[test]
fn security_hub_takes_names_that_do_harm() {
    let cloud = Cloud::shipped("hostile");
    let outcome = cloud.imdsctl("audit --region eu-west-1 --region eu-central-1").line(OUTPUTS).run();
    assert!(matches!(outcome.code, Some(1 | 4)), "{}", outcome.stderr);
    assert_importable(&outcome);
}
