//! `--demo`: the built-in fleet, whatever the environment says.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::program::{Outcome, Program, Report};

const AUDIT: &str = "audit --all-regions --demo -o table -o json=a.json";

#[test]
fn the_first_command_of_the_readme() {
    let outcome = Program::new().line("audit --all-regions --demo").run().code(1);
    assert_eq!(outcome.stderr, "");
    for word in ["Summary", "Coverage", "What to do next", "platform", "hop-limit-min"] {
        assert!(outcome.stdout.contains(word), "{word}");
    }
    assert_eq!(outcome.files(), [""; 0]);
}

/// The picture in the README is what the command prints, but for the time and what `…` stands for.
#[test]
fn the_picture_in_the_readme_is_real() {
    let readme = include_str!("../../README.md");
    let picture = readme.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    let printed = Program::new().line("audit --all-regions --demo").run().code(1).stdout;
    let parts: Vec<&str> = picture.split("…\n").collect();
    assert_eq!(parts.len(), 2);
    for part in parts {
        let (first, rest) = part.split_once('\n').unwrap();
        assert!(first.is_empty() || first.starts_with("imdsctl "), "{first}");
        assert!(printed.contains(rest.trim_end()), "not what is printed:\n{rest}");
    }
}

/// Counts connections, and drops them.
pub fn listener() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for _ in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (url, count)
}

/// In an environment that leads anywhere but to an AWS.
pub fn hostile(url: &str) -> Program {
    let program = Program::new()
        .file("config", "[profile prod\nregion = = =\n\u{1}junk")
        .file("credentials", "junk")
        .without_env("AWS_EC2_METADATA_DISABLED");
    let (config, credentials) = (program.path("config"), program.path("credentials"));
    let mut program = program.env("AWS_CONFIG_FILE", config).env("AWS_SHARED_CREDENTIALS_FILE", credentials);
    for name in [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_EC2",
        "AWS_ENDPOINT_URL_EKS",
        "AWS_ENDPOINT_URL_STS",
        "AWS_ENDPOINT_URL_AUTO_SCALING",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        program = program.env(name, url);
    }
    program.envs([
        ("NO_PROXY", ""),
        ("AWS_PROFILE", "nonexistent"),
        ("AWS_ACCESS_KEY_ID", "AKIAREALKEYOFSOMEONE"),
        ("AWS_SECRET_ACCESS_KEY", "real-secret"),
        ("AWS_SESSION_TOKEN", "real-token"),
        ("AWS_ROLE_ARN", "arn:aws:iam::999999999999:role/other"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent"),
        ("AWS_CA_BUNDLE", "/nonexistent"),
        ("SSL_CERT_FILE", "/nonexistent"),
        ("AWS_REGION", "xx"),
        ("AWS_DEFAULT_REGION", "yy"),
        ("AWS_MAX_ATTEMPTS", "abc"),
        ("AWS_RETRY_MODE", "eager"),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
        ("AWS_DEFAULTS_MODE", "none-such"),
        ("AWS_SIGV4A_SIGNING_REGION_SET", "*"),
    ])
}

fn without_run(outcome: &Outcome) -> Report {
    let mut report = Report::parse(&outcome.read("a.json"));
    report.0["run"] = serde_json::Value::Null;
    report
}

#[test]
fn nothing_in_the_environment_leads_it_anywhere_else() {
    let (url, connections) = listener();
    let there = hostile(&url).line(AUDIT).run().code(1);
    let here = Program::new().line(AUDIT).run().code(1);
    assert_eq!(connections.load(Ordering::SeqCst), 0, "somebody else was asked");
    assert_eq!(there.stderr, "");
    assert!(there.table() == here.table(), "the tables differ");
    assert!(without_run(&there).0 == without_run(&here).0, "the reports differ");
}

/// The environment of the test above is one that would lead an audit without `--demo` astray.
#[test]
fn the_same_environment_does_lead_others_elsewhere() {
    let (url, connections) = listener();
    let program = hostile(&url)
        .line("audit --region eu-west-1 --timeout 1")
        .env("AWS_MAX_ATTEMPTS", "1")
        .env("AWS_RETRY_MODE", "standard")
        .env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false")
        .env("AWS_USE_FIPS_ENDPOINT", "false")
        .env("AWS_USE_DUALSTACK_ENDPOINT", "false")
        .without_env("AWS_CONFIG_FILE")
        .without_env("AWS_SHARED_CREDENTIALS_FILE")
        .without_env("AWS_PROFILE");
    program.run().code(2);
    assert!(connections.load(Ordering::SeqCst) > 0);
}

fn words(report: &Report, word: impl Fn(&serde_json::Value) -> Vec<serde_json::Value>) -> BTreeSet<String> {
    let found = report.findings().iter().flat_map(word);
    found.filter_map(|word| word.as_str().map(str::to_owned)).collect()
}

fn set(words: &str) -> BTreeSet<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn the_demo_tells_the_whole_story() {
    let line = "audit --demo --include-passed --policy al2023 --policy imdsv2 -o json";
    let report = Program::new().line(line).run().code(1).report();
    let field = |name: &str| words(&report, |finding| vec![finding[name].clone()]);
    assert_eq!(
        field("managed_by"),
        set("auto_mode karpenter managed_node_group managed_node_group_default self_managed standalone")
    );
    assert_eq!(
        field("source"),
        set(
            "account_default built_in eks_launch_template image instance launch_configuration launch_template \
             unresolved"
        )
    );
    assert_eq!(field("status"), set("fail not_applicable pass unknown"));
    assert_eq!(
        words(&report, |finding| vec![finding["resource"]["type"].clone()]),
        set("account_defaults auto_scaling_group instance launch_template node_group")
    );
    let each = |list: &'static str, name: &'static str| {
        words(&report, move |finding| {
            finding[list].as_array().unwrap().iter().map(|item| item[name].clone()).collect()
        })
    };
    assert_eq!(each("templates", "owned_by"), set("eks karpenter user"));
    assert_eq!(
        each("fixes", "kind"),
        set(
            "edit_iac edit_node_class migrate_launch_configuration modify_account_defaults modify_instance none \
             patch_launch_template refresh_instances replace_node_group set_default_version \
             update_auto_scaling_group update_node_group"
        )
    );
    assert_eq!(
        words(&report, |finding| vec![finding["image"]["family"].clone()]),
        set("al2 al2023 bottlerocket unknown windows")
    );
}

#[test]
fn the_demo_by_its_default_policy_has_failures_and_unknowns_and_no_holes() {
    let report = Program::new().line("audit --demo -o json").run().code(1).report();
    let field = |name: &str| words(&report, |finding| vec![finding[name].clone()]);
    assert_eq!(field("status"), set("fail unknown"));
    assert_eq!(report.0["run"]["api_throttled"], 0);
    assert_eq!((report.count("accounts"), report.count("clusters")), (4, 10));
    assert!((150..=250).contains(&report.count("instances")));
    let statuses: BTreeSet<_> = report.0["coverage"]
        .as_array()
        .unwrap()
        .iter()
        .map(|scope| (scope["status"].as_str().unwrap(), scope["guard"].as_str().unwrap()))
        .collect();
    assert_eq!(statuses, BTreeSet::from([("complete", "client_gate"), ("skipped", "client_gate")]));
}

#[test]
fn accounts_of_the_demo_are_its_profiles() {
    let report = Program::new().line("audit --demo --profile payments -o json").run().code(1).report();
    assert_eq!(report.count("accounts"), 1);
    assert!(report.findings().iter().all(|finding| finding["account_name"] == "payments"));
    let said = Program::new().line("audit --demo --profile prod").run().refused();
    assert!(said.starts_with("the demo has no profile \"prod\"; its accounts are "), "{said}");
    let said = Program::new().line("audit --demo --region eu-wst-1").run().refused();
    assert!(said.ends_with("did you mean eu-west-1?"), "{said}");
}

#[test]
fn the_demo_can_be_kept() {
    let first = Program::new().line("audit --demo --demo-state state.json -o json").run().code(1);
    assert_eq!(first.files(), ["state.json"]);
    let state = first.read("state.json");
    let second =
        Program::new().line("audit --demo --demo-state state.json -o json").file("state.json", &state);
    let second = second.run().code(1);
    assert!(first.report().0["findings"] == second.report().0["findings"]);
    assert!(second.read("state.json") == state, "an audit changes nothing");
}

#[test]
fn a_state_of_no_use_is_refused_and_left_alone() {
    for text in ["", "{", "{\"format\": \"other\"}", "[]", "\u{0}\u{1b}[31m"] {
        let line = "audit --demo --demo-state state.json -o json=report.json";
        let outcome = Program::new().line(line).file("state.json", text).run();
        assert_eq!(outcome.read("state.json"), text);
        assert_eq!(outcome.files(), ["state.json"]);
        let said = outcome.refused();
        assert!(said.contains("state.json"), "{said}");
    }
    let said = Program::new().line("audit --demo --demo-state nowhere/state.json").run().refused();
    assert!(said.contains("nowhere/state.json"), "{said}");
}
