//! The files of `deploy/`, held against the schemas and by the linters of those who know the formats. Nothing is
//! ignored. Each linter is also shown a file with a mistake, and has to see it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::deploy::all;
use crate::{node, python};

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(deploy(name)).unwrap()
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

/// The file passes, and with a mistake in it does not.
#[track_caller]
fn passes(name: &str, right: &str, wrong: &str, lint: impl Fn(&Path) -> Command) {
    let output = lint(&deploy(name)).output().unwrap();
    assert!(output.status.success(), "{name}: {}", said(&output));
    let folder = tempfile::tempdir().unwrap();
    let text = read(name);
    assert!(text.contains(right), "{name} has no {right:?}");
    let mistaken = folder.path().join(deploy(name).file_name().unwrap());
    std::fs::write(&mistaken, text.replacen(right, wrong, 1)).unwrap();
    let output = lint(&mistaken).output().unwrap();
    assert!(!output.status.success(), "{name}: {wrong:?} in the place of {right:?} is not seen");
}

#[test]
fn cfn_lint_finds_nothing_in_the_templates() {
    let Some(environment) = python::environment() else { return };
    let lint = |path: &Path| {
        let mut command = environment.program("cfn-lint");
        command.arg(path);
        command
    };
    passes("member-role.yaml", "MaxSessionDuration", "MaxSessionDurations", lint);
    passes("imdsctl.yaml", "provided.al2023", "provided.al2022", lint);
    passes("state-machine.yaml", "\"MaxConcurrency\"", "\"MaxConcurency\"", lint);
    passes("batch.yaml", "!Ref Image", "!Ref Picture", lint);
}

#[test]
fn the_state_machine_is_one_of_the_states_language() {
    let folder = tempfile::tempdir().unwrap();
    let validate = |definition: &str| -> Option<Output> {
        let values = [
            ("${Invoke}", "arn:aws:states:::lambda:invoke"),
            ("${ReadList}", "arn:aws:states:::s3:getObject"),
            ("${FunctionArn}", "arn:aws:lambda:eu-west-1:111122223333:function:imdsctl"),
        ];
        let text = values.iter().fold(definition.to_owned(), |text, (from, to)| text.replace(from, to));
        let path = folder.path().join("definition.json");
        std::fs::write(&path, text).unwrap();
        let mut command = node::program("asl-validator")?;
        Some(command.arg("--json-path").arg(path).output().unwrap())
    };
    let definition = read("state-machine.asl.json");
    let Some(output) = validate(&definition) else { return };
    assert!(output.status.success(), "{}", said(&output));
    let output = validate(&definition.replace("\"Next\": \"Merge\"", "\"Next\": \"Nowhere\"")).unwrap();
    assert!(said(&output).contains("Nowhere") && !output.status.success(), "{}", said(&output));
}

#[test]
fn the_manifests_are_of_the_schemas_of_kubernetes() {
    let Some(environment) = python::environment() else { return };
    // The oldest with failures by index out of beta, and the newest that is known.
    for version in ["1.33", "1.37"] {
        let lint = |path: &Path| {
            let mut command = environment.module("kubernetes_validate");
            command.args(["--strict", "--no-warn", "--kubernetes-version", version]).arg(path);
            command
        };
        passes("kubernetes/cronjob.yaml", "concurrencyPolicy", "concurencyPolicy", lint);
        passes("kubernetes/indexed-job.yaml", "completions: 4", "completions: four", lint);
    }
}

#[test]
fn the_workflow_is_one_of_github() {
    let Some(environment) = python::environment() else { return };
    passes("github-actions.yaml", "timeout-minutes", "timeout-minute", |path| {
        let mut command = environment.module("check_jsonschema");
        command.args(["--builtin-schema", "vendor.github-workflows"]).arg(path);
        command
    });
}

#[test]
fn hadolint_finds_nothing_in_the_dockerfile() {
    let Some(environment) = python::environment() else { return };
    passes("Dockerfile", "WORKDIR /src", "WORKDIR src", |path| {
        let mut command = environment.program("hadolint");
        command.args(["--no-color", "--failure-threshold", "info"]).arg(path);
        command
    });
}

#[test]
fn parliament_finds_nothing_in_the_policies() {
    let Some(environment) = python::environment() else { return };
    let findings = |policies: Value| {
        let mut command = environment.script("check_policies.py");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(policies.to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    let all = all();
    assert!(all.len() >= 12, "{:?}", all.keys());
    assert_eq!(findings(json!(all)), "");
    let mistake =
        all["iam-policy audit"].to_string().replace("ec2:DescribeInstances", "ec2:DescribeInstance");
    let mistake: Value = serde_json::from_str(&mistake).unwrap();
    let found = findings(json!({ "mistake": mistake }));
    assert!(found.contains("mistake") && found.contains("DescribeInstance"), "{found}");
}

#[test]
fn systemd_takes_the_units_and_finds_the_service_well_closed() {
    let analyze = |arguments: &[&str], folder: &Path| {
        let files = ["imdsctl.service", "imdsctl.timer"].map(|name| folder.join(name));
        let files = if arguments[0] == "security" { &files[..1] } else { &files[..] };
        Command::new("systemd-analyze").args(arguments).args(files).stdin(Stdio::null()).output()
    };
    let folder = tempfile::tempdir().unwrap();
    let service = read("systemd/imdsctl.service");
    assert!(service.contains("ExecStart=/usr/local/bin/imdsctl "));
    // It looks whether the program is there.
    let program = std::env::current_exe().unwrap();
    let service = service.replace("/usr/local/bin/imdsctl", program.to_str().unwrap());
    std::fs::write(folder.path().join("imdsctl.service"), &service).unwrap();
    std::fs::write(folder.path().join("imdsctl.timer"), read("systemd/imdsctl.timer")).unwrap();
    let verify = ["verify", "--man=no"];
    let Ok(output) = analyze(&verify, folder.path()) else {
        let _ = writeln!(std::io::stderr(), "skipped: this test needs systemd-analyze, and there is none");
        return;
    };
    assert!(output.status.success() && said(&output).is_empty(), "{}", said(&output));
    let output = analyze(&["security", "--offline=true", "--threshold=20"], folder.path()).unwrap();
    assert!(output.status.success(), "{}", said(&output));

    let mistaken =
        service.replace("ProtectSystem=strict", "ProtectSystem=strictly").replace("PrivateUsers=yes\n", "");
    std::fs::write(folder.path().join("imdsctl.service"), mistaken).unwrap();
    let output = analyze(&verify, folder.path()).unwrap();
    assert!(said(&output).contains("protect system"), "{}", said(&output));
}
