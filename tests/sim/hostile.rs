//! Fleets made to do harm to whoever prints them, and secrets that must not get out.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::cloud::Cloud;
use crate::outputs::without_run;
use crate::program::{Outcome, Program, Report};

/// Whether a character acts on a terminal instead of being shown on it.
fn acts(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || character == '\u{feff}'
}

#[track_caller]
pub fn assert_harmless(what: &str, text: &str) {
    if let Some(at) = text.find(acts) {
        let context: String = text[at..].chars().take(40).collect();
        panic!("{what}: {context:?}");
    }
}

fn audited(cloud: &Cloud) -> Outcome {
    let line = "audit -vv --region eu-west-1 --region eu-central-1 --include-passed --policy al2023 --policy imdsv2 \
                -o table -o json=a.json -o csv=b.csv -o ndjson=c.ndjson --save-inventory d.ndjson";
    cloud.imdsctl(line).env("RUST_LOG", "trace").run()
}

/// All strings of a JSON value.
fn strings<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(members) => members.values().for_each(|member| strings(member, found)),
        _ => {}
    }
}

#[test]
fn names_that_do_harm_are_shown_and_do_none() {
    let cloud = Cloud::shipped("hostile");
    let outcome = audited(&cloud);
    // A strict reader may refuse the XML of eu-central-1; that Region is then incomplete, and says so.
    assert!(matches!(outcome.code, Some(1 | 4)), "{}", outcome.stderr);
    assert_harmless("the table", &outcome.stdout);
    assert_harmless("stderr", &outcome.stderr);
    let json = outcome.read("a.json");
    assert_harmless("JSON", &json);
    let report = Report::parse(&json);
    assert_eq!(report.coverage("eu-west-1")["status"], "complete");
    assert!(report.findings().len() > 10);
    let mut found = Vec::new();
    strings(&report.0, &mut found);
    for name in [
        "=1+1",
        "<script>alert(1)</script>",
        "two\nlines, \"quoted\"\tand a tab",
        "\u{9b}31mred\u{9b}0m\u{9d}0;title\u{9c}",
        "\u{202e}txet desrever",
        "+1-800,\"call\"",
        "@import\r\nSet-Cookie: a=b",
        "\u{9b}2Jscreen gone",
        "orphan\n\"of\", <nobody>",
        "=gone\u{9b}31m<b>",
    ] {
        assert!(found.contains(&name), "JSON keeps {name:?} as it is");
    }
    let csv = outcome.read("b.csv");
    assert_harmless_csv(&csv, &report);
    assert_harmless("NDJSON", &outcome.read("c.ndjson"));
    assert_judged_again(&outcome, &json);
}

/// The saved inventory is harmless as well, and still holds every name as it is.
#[track_caller]
fn assert_judged_again(outcome: &Outcome, json: &str) {
    let inventory = outcome.read("d.ndjson");
    assert_harmless("the inventory", &inventory);
    let line = "audit --inventory d.ndjson --include-passed --policy al2023 --policy imdsv2 -o json";
    let offline = Program::new().file("d.ndjson", &inventory).line(line).run();
    assert_eq!(offline.code, outcome.code, "{}", offline.stderr);
    assert!(without_run(&offline.stdout) == without_run(json));
}

#[track_caller]
fn assert_harmless_csv(csv: &str, report: &Report) {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let width = reader.headers().unwrap().len();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), report.findings().len());
    for cell in rows.iter().flat_map(|row| {
        assert_eq!(row.len(), width);
        row.iter()
    }) {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?} is a formula");
        assert_harmless("CSV", &cell.replace('\t', ""));
    }
}

#[test]
fn the_longest_names_stay_whole() {
    let crabs = "🦀".repeat(255);
    let cloud = Cloud::with(&format!(
        r#"
- names: [eu-west-1]
  launch_templates: [{{ name: bad, versions: [{{ image: al2023-1.33, metadata_options: {{ hop_limit: 1 }} }}] }}]
  clusters: [{{ name: blue, self_managed: [{{ name: "{crabs}", template: {{ name: bad }}, nodes: 1 }}] }}]
"#
    ));
    let line = "audit --region eu-west-1 -o table -o json=a.json -o csv=b.csv";
    let outcome = cloud.imdsctl(line).run().code(1);
    let report = Report::parse(&outcome.read("a.json"));
    assert_eq!(report.finding(&crabs, "hop-limit-min")["status"], "fail");
    assert!(outcome.read("b.csv").contains(&crabs));
    assert_harmless("the table", &outcome.stdout);
    assert!(outcome.stdout.contains("🦀"));
}

const SECRETS: [&str; 9] = [
    "DB_PASSWORD",
    "hunter2",
    // DB_PASSWORD=hunter in Base64, and as it stands behind one and behind two other characters.
    "REJfUEFTU1dPUkQ9aHVudGVy",
    "EQl9QQVNTV09SRD1odW50ZX",
    "RCX1BBU1NXT1JEPWh1bnRlc",
    // What the simulated AWS gives where a fleet does not say, to launch configurations too: as it is, and in Base64.
    "correct-horse",
    "Y29ycmVjdC1ob3JzZ",
    "NvcnJlY3QtaG9yc2",
    "jb3JyZWN0LWhvcnNl",
];

const WITH_SECRETS: &str = r#"
- names: [eu-west-1]
  launch_templates:
    - name: own
      versions: [{ image: al2023-1.33, user_data: "DB_PASSWORD=hunter2", metadata_options: { hop_limit: 1 } }]
    - name: managed
      versions: [{ user_data: "DB_PASSWORD=hunter2", metadata_options: { hop_limit: 1 } }]
  clusters:
    - name: blue
      node_groups: [{ name: given, template: { name: managed }, nodes: 1 }]
      self_managed:
        - { name: workers, template: { name: own }, nodes: 1 }
        - { name: configured, launch_configuration: old, nodes: 1 }
  launch_configurations:
    - { name: old, image: al2023-1.33, metadata_options: { hop_limit: 1 } }
    - { name: older, image: al2023-base, metadata_options: { hop_limit: 1 } }
  groups:
    - { name: web, template: { name: own }, nodes: 1 }
    - { name: legacy, launch_configuration: older, nodes: 1 }
  instances: [{ name: bastion, image: al2023-base, template: { name: own } }]
"#;

/// What a service answers, to whoever asks it directly.
fn answer(cloud: &Cloud, service: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(cloud.url().trim_start_matches("http://")).unwrap();
    let key = &cloud.keys()[0].id;
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {service}\r\nconnection: close\r\ncontent-length: {}\r\nauthorization: \
         AWS4-HMAC-SHA256 Credential={key}/20261115/eu-west-1/{service}/aws4_request, SignedHeaders=host, \
         Signature=0\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// With every switch thrown that makes programs talk.
fn talkative(cloud: &Cloud, line: &str) -> Program {
    cloud.imdsctl(line).envs([
        (
            "RUST_LOG",
            "trace,aws_smithy_runtime=trace,aws_sdk_ec2=trace,aws_sdk_autoscaling=trace,hyper=trace",
        ),
        ("RUST_LIB_BACKTRACE", "1"),
        ("RUST_BACKTRACE", "full"),
        ("AWS_SDK_LOG_LEVEL", "trace"),
        ("AWS_LOG_LEVEL", "trace"),
        ("AWS_MAX_ATTEMPTS", "1"),
        ("AWS_SECRET_ACCESS_KEY", "the-secret-key"),
        ("AWS_SESSION_TOKEN", "the-session-token"),
    ])
}

/// Neither the output of a command nor a file that it left holds a secret, compressed or not.
#[track_caller]
fn assert_discreet(outcome: &Outcome) {
    let mut written = vec![outcome.stdout.clone(), outcome.stderr.clone()];
    for name in outcome.files() {
        let bytes = std::fs::read(outcome.path(&name)).unwrap();
        let compressed = bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
        let plain = if compressed { zstd::decode_all(&bytes[..]).unwrap() } else { bytes };
        written.push(String::from_utf8(plain).unwrap());
    }
    for secret in SECRETS.iter().chain(&["the-secret-key", "the-session-token"]) {
        for text in &written {
            assert!(!text.contains(secret), "{secret} got out: {text:.3000}");
        }
    }
}

#[test]
fn user_data_and_credentials_never_get_out() {
    let templates =
        "Action=DescribeLaunchTemplateVersions&Version=2016-11-15&LaunchTemplateVersion.1=$Latest";
    let configurations = "Action=DescribeLaunchConfigurations&Version=2011-01-01";
    // The answers that carry user data also break off, and turn out to be denied: errors quote nothing of them.
    for error in ["", "truncated_body", "access_denied"] {
        let fault = |operation| format!("- {{ operation: '{operation}', error: {error} }}\n");
        let faults = ["ec2:DescribeLaunchTemplateVersions", "autoscaling:DescribeLaunchConfigurations"];
        let faults = if error.is_empty() { String::new() } else { faults.map(fault).concat() };
        let cloud = Cloud::faulty(&faults, WITH_SECRETS);
        if error.is_empty() {
            for (service, body) in [("ec2", templates), ("autoscaling", configurations)] {
                let answer = answer(&cloud, service, body);
                assert!(SECRETS.iter().any(|secret| answer.contains(secret)), "nothing to find: {answer}");
            }
        }
        let incomplete = !error.is_empty();
        for flags in ["--save-inventory d.ndjson", "--all-instances --save-inventory d.ndjson.zst"] {
            let line = "audit -vvvv --region eu-west-1 --include-passed --policy al2023 --policy imdsv2 -o table \
                        -o json=a.json -o csv=b.csv -o ndjson=c.ndjson";
            let outcome = talkative(&cloud, line).line(flags).run().code(if incomplete { 4 } else { 1 });
            assert_eq!(outcome.files().len(), 4);
            assert_discreet(&outcome);
        }
        for resource in ["blue/given", "workers", "configured", "legacy", "own", "web"] {
            let line = "explain -vvvv --region eu-west-1 -o table -o json=a.json";
            let outcome = talkative(&cloud, line).line(resource).run();
            assert!(matches!(outcome.code, Some(0 | 4)), "{resource}: {}", outcome.stderr);
            assert_discreet(&outcome);
        }
    }
}
