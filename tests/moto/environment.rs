//! What whoever runs the tests without Python is told.

use std::env;
use std::process::{Command, Output};

/// A test of this binary that needs Python.
const TEST: &str = "findings::an_audit_finds_what_is_there_and_nothing_else";

/// Runs that test in a process of its own.
fn run(variables: &[(&str, &str)]) -> (Output, String) {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", TEST, "--nocapture"]);
    command.env_remove("IMDSCTL_SKIP_PYTHON").env_remove("RUST_BACKTRACE").envs(variables.iter().copied());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, said)
}

#[test]
fn without_python_the_tests_fail_with_a_sentence_that_says_how_to_skip_them() {
    let (output, said) = run(&[("IMDSCTL_PYTHON", "/no/such/python")]);
    assert!(!output.status.success());
    let sentence = said.lines().find(|line| line.contains("there is no Python")).unwrap_or(&said);
    assert!(sentence.contains("/no/such/python cannot be started"), "{sentence}");
    assert!(sentence.ends_with("IMDSCTL_SKIP_PYTHON=1 skips the tests that need Python"), "{sentence}");
}

#[test]
fn what_is_no_python_is_not_taken_for_one() {
    let (output, said) = run(&[("IMDSCTL_PYTHON", env!("CARGO_BIN_EXE_imdsctl"))]);
    assert!(!output.status.success());
    assert!(said.contains("does not answer like a Python"), "{said}");
    assert!(said.contains("IMDSCTL_SKIP_PYTHON"), "{said}");
}

#[test]
fn skipped_tests_pass_and_say_so() {
    let (output, said) = run(&[("IMDSCTL_SKIP_PYTHON", "1"), ("IMDSCTL_PYTHON", "/no/such/python")]);
    assert!(output.status.success(), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    assert!(said.contains("skipped"), "{said}");
}
