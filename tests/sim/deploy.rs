//! The commands in the files of `deploy/`, run: what they say is what imdsctl takes, and comes to what it should.

use std::path::Path;

use serde_json::Value;

use crate::cloud::Cloud;
use crate::organization::ORGANIZATION;
use crate::outputs::without_run;
use crate::program::{Outcome, Program};

const JOBS: &str = include_str!("../../deploy/kubernetes/indexed-job.yaml");
const SERVICE: &str = include_str!("../../deploy/systemd/imdsctl.service");
const CRON: &str = include_str!("../../deploy/imdsctl.cron");

/// The arguments of a Job's container, with its volume in a folder.
fn arguments(jobs: &[Value], name: &str, reports: &Path) -> Vec<String> {
    let job = jobs.iter().find(|one| one["kind"] == "Job" && one["metadata"]["name"] == name).unwrap();
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    let arguments = container["args"].as_array().unwrap().iter().map(|one| one.as_str().unwrap());
    arguments.map(|one| one.replace("/reports/", &format!("{}/", reports.display()))).collect()
}

#[test]
fn the_jobs_of_kubernetes_come_to_the_report_of_one_audit() {
    let cloud = Cloud::start(ORGANIZATION);
    let jobs: Vec<Value> = serde_saphyr::from_multiple(JOBS).unwrap();
    let shards = jobs.iter().find(|one| one["spec"]["completionMode"] == "Indexed").unwrap();
    let shards = shards["spec"]["completions"].as_u64().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let listed = cloud.imdsctl("").args(arguments(&jobs, "imdsctl-scopes", folder.path())).run();
    listed.code(4);
    for index in 0..shards {
        let index = index.to_string();
        let of_pod = arguments(&jobs, "imdsctl-shards", folder.path());
        let of_pod = of_pod.iter().map(|one| one.replace("$(JOB_COMPLETION_INDEX)", &index));
        let pod = cloud.imdsctl("").args(of_pod).env("JOB_COMPLETION_INDEX", &index).run();
        // An account has no role, and another wants an external id: whichever shards these are in are incomplete.
        assert!(matches!(pod.code, Some(0 | 4)), "{}", pod.stderr);
    }
    let merge = Program::new().args(arguments(&jobs, "imdsctl-merge", folder.path())).run().code(4);
    assert!(merge.stdout.contains("Coverage"), "{}", merge.stdout);
    let whole = cloud.imdsctl("audit --org --all-regions -o json=report.json").run().code(4);
    let merged = std::fs::read_to_string(folder.path().join("report.json")).unwrap();
    assert!(without_run(&merged) == without_run(&whole.read("report.json")), "the JSON differs");

    // A pod that never came to write its report.
    std::fs::remove_file(folder.path().join("0.ndjson")).unwrap();
    let merge = Program::new().args(arguments(&jobs, "imdsctl-merge", folder.path())).run().code(4);
    assert!(merge.stdout.contains("imdsctl:merge NoReport"), "{}", merge.stdout);
}

#[test]
fn a_job_without_its_number_does_not_begin() {
    let refused = Program::new().line("audit --demo --shard env:JOB_COMPLETION_INDEX/4").run().refused();
    assert!(refused.contains("JOB_COMPLETION_INDEX is not set"), "{refused}");
}

/// A command of a machine that runs imdsctl by itself, in a folder with the settings of `deploy/README.md`.
#[track_caller]
fn on_a_machine(command: &str) -> Outcome {
    let readme = include_str!("../../deploy/README.md");
    let settings = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let cloud = Cloud::start(ORGANIZATION);
    let program = cloud.imdsctl("").file("imdsctl.toml", settings);
    let home = program.path("");
    let command = command.replace("/var/lib/imdsctl/", &format!("{}/", home.display()));
    program.line(&command).run()
}

#[test]
fn what_systemd_and_cron_run_writes_the_reports() {
    let start =
        SERVICE.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/imdsctl ")).unwrap();
    let by_systemd = on_a_machine(start).code(4);
    let line = CRON.lines().last().unwrap();
    let by_cron = on_a_machine(line.split_once("lock imdsctl ").unwrap().1).code(4);
    for outcome in [by_systemd, by_cron] {
        assert_eq!(outcome.stdout, "");
        assert!(outcome.read("report.json").contains("\"account_id\": \"222222222222\""));
        assert!(outcome.read("report.csv").contains("222222222222"));
    }
}
