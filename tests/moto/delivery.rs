//! Reports and messages on moto's S3 and SNS, read back by boto3; and a webhook.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use serde_json::Value;

use crate::fleet::{imdsctl, succeeded};
use crate::server::Server;
use crate::support::python::{self, Environment};

/// A report of the demo, and a folder for what else is written.
struct Made {
    folder: tempfile::TempDir,
    report: PathBuf,
}

fn report() -> Made {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_imdsctl"));
    command.args(["audit", "--demo", "-o"]).arg(format!("json={}", report.display()));
    command.current_dir(folder.path());
    assert_eq!(command.output().unwrap().status.code(), Some(1));
    Made { folder, report }
}

impl Made {
    /// `imdsctl report show REPORT --fail-on none FLAGS`
    fn show(&self, endpoint: &str, flags: &[&str]) -> Output {
        let mut command = imdsctl(endpoint);
        command.args(["report", "show"]).arg(&self.report).args(["--fail-on", "none"]).args(flags);
        command.current_dir(self.folder.path()).env("TMPDIR", self.folder.path());
        command.output().unwrap()
    }

    fn text(&self, path: &Path) -> String {
        std::fs::read_to_string(self.folder.path().join(path)).unwrap()
    }
}

fn ask(python: &Environment, server: &Server, what: &str) -> Value {
    let asked = python.script("moto_delivery.py").args(["--endpoint", &server.endpoint, what]).output();
    serde_json::from_slice(&succeeded("moto_delivery.py", asked.unwrap()).unwrap()).unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn reports_arrive_whole_and_whoever_listens_is_told() {
    let Some(python) = python::environment() else { return };
    let server = Server::start(python).unwrap();
    let places = ask(python, &server, "seed");
    let (bucket, topic) = (places["bucket"].as_str().unwrap(), places["topic"].as_str().unwrap());
    let made = report();
    let object = format!("json=s3://{bucket}/imdsctl/{{date}}/report.json");
    let table = format!("csv=s3://{bucket}/report.csv");
    let notify = format!("sns:{topic}");
    let key = "alias/reports";
    let flags = [
        "-o",
        &object,
        "-o",
        &table,
        "-o",
        "ndjson=here.ndjson",
        "--notify",
        &notify,
        "--notify",
        "told.json",
        "--sse-kms-key-id",
        key,
    ];
    let output = made.show(&server.endpoint, &flags);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));

    let arrived = ask(python, &server, "read");
    let report: Value = serde_json::from_str(&made.text(&made.report)).unwrap();
    let day = &report["run"]["started_at"].as_str().unwrap()[..10];
    let objects = arrived["objects"].as_object().unwrap();
    assert_eq!(objects.len(), 2, "{:?}", objects.keys());
    let found = &objects[&format!("imdsctl/{day}/report.json")];
    let of_s3: Value = serde_json::from_str(found["text"].as_str().unwrap()).unwrap();
    assert_eq!(of_s3["findings"], report["findings"]);
    assert_eq!((&found["encryption"], &found["kms_key"]), (&"aws:kms".into(), &key.into()));
    let rows = objects["report.csv"]["text"].as_str().unwrap().lines().count();
    assert_eq!(rows, report["findings"].as_array().unwrap().len() + 1);

    let messages = arrived["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 1);
    let findings =
        report["summary"]["failed"].as_u64().unwrap() + report["summary"]["unknown"].as_u64().unwrap();
    assert_eq!(messages[0]["Subject"], format!("imdsctl: {findings} findings"));
    let text = messages[0]["Message"].as_str().unwrap();
    assert!(text.contains(&format!("Report: s3://{bucket}/imdsctl/{day}/report.json")), "{text}");
    let ids = report["findings"].as_array().unwrap().iter().map(|f| f["resource"]["id"].as_str().unwrap());
    assert!(ids.into_iter().all(|id| !text.contains(id)), "what is wrong is not in the message: {text}");
    let told: Value = serde_json::from_str(&made.text(Path::new("told.json"))).unwrap();
    assert_eq!((&told["schema"], &told["findings"]), (&"imdsctl.announcement/v1".into(), &findings.into()));
}

#[test]
fn what_cannot_be_delivered_is_kept_and_the_others_are_served() {
    let Some(python) = python::environment() else { return };
    let server = Server::start(python).unwrap();
    let places = ask(python, &server, "seed");
    let bucket = places["bucket"].as_str().unwrap();
    let made = report();
    let (good, bad) = (format!("csv=s3://{bucket}/report.csv"), "json=s3://no-such-bucket/report.json");
    let missing = "sns:arn:aws:sns:eu-west-1:123456789012:nobody";
    let output = made.show(&server.endpoint, &["-o", bad, "-o", &good, "--notify", missing]);
    assert_eq!(output.status.code(), Some(4));
    let said = said(&output);
    let kept = said.lines().find(|line| line.contains("no-such-bucket")).unwrap();
    assert!(kept.contains("NoSuchBucket"), "{kept}");
    let path = kept.rsplit_once(" is in ").unwrap().1;
    let report: Value = serde_json::from_str(&made.text(Path::new(path.trim()))).unwrap();
    assert_eq!(report["schema"], "imdsctl.report/v1");
    assert!(said.contains("cannot tell arn:aws:sns:eu-west-1:123456789012:nobody"), "{said}");
    assert_eq!(ask(python, &server, "read")["objects"].as_object().unwrap().len(), 1);
}

#[test]
fn a_webhook_gets_a_signed_body_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks/a-secret-path", listener.local_addr().unwrap());
    let receiver = thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let read = connection.read(&mut buffer).unwrap();
            request.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&request).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned)
            });
            if body.len() >= length.unwrap().parse::<usize>().unwrap() {
                connection
                    .write_all(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                    .unwrap();
                return (text, listener);
            }
        }
    });
    let made = report();
    let mut command = imdsctl("http://127.0.0.1:1");
    command.args(["report", "show"]).arg(&made.report).args(["--fail-on", "none", "--notify", &url]);
    command.env("IMDSCTL_WEBHOOK_SECRET", "hush").env("NO_PROXY", "127.0.0.1");
    let output = command.output().unwrap();
    let (request, listener) = receiver.join().unwrap();
    assert_eq!(output.status.code(), Some(4), "the receiver did not take it");
    let said = said(&output);
    assert!(
        said.contains("answered 500") && !said.contains("a-secret-path") && !said.contains("hush"),
        "{said}"
    );
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "a receiver need not know a message again");

    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let header = |name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
    };
    assert!(head.starts_with("POST /hooks/a-secret-path HTTP/1.1"));
    let timestamp = header("x-imdsctl-timestamp").unwrap().parse().unwrap();
    let expected = imdsctl::deliver::signature("hush", timestamp, body.as_bytes());
    assert_eq!(header("x-imdsctl-signature"), Some(expected));
    assert_eq!(serde_json::from_str::<Value>(body).unwrap()["schema"], "imdsctl.announcement/v1");
}

#[test]
fn the_demo_leaves_nothing_anywhere_else() {
    let flags = [
        &["-o", "json=s3://reports/a.json"][..],
        &["--notify", "sns:arn:aws:sns:eu-west-1:1:t"],
        &["--baseline", "s3://reports/a.json"],
        &["--security-hub"],
    ];
    for flags in flags {
        let mut command = Command::new(env!("CARGO_BIN_EXE_imdsctl"));
        let output = command.args(["audit", "--demo"]).args(flags).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("--demo connects to nothing but itself"));
    }
}

/// What an audit of a saved inventory says, compared with the last one on S3.
#[test]
fn a_scheduled_run_compares_itself_with_the_last_one_on_s3() {
    let Some(python) = python::environment() else { return };
    let server = Server::start(python).unwrap();
    let bucket = ask(python, &server, "seed")["bucket"].as_str().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_imdsctl"));
    command.args(["audit", "--demo", "--save-inventory", "fleet.ndjson", "-o", "json=demo.json"]);
    assert_eq!(command.current_dir(folder.path()).output().unwrap().status.code(), Some(1));
    let audit = |flags: &str| {
        let mut command = imdsctl(&server.endpoint);
        command.args(["audit", "--inventory", "fleet.ndjson", "-o", "json=a.json"]);
        command.args(flags.split_whitespace()).current_dir(folder.path()).env("TMPDIR", folder.path());
        command.output().unwrap()
    };
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let object = |key: &str| ask(python, &server, "read")["objects"][key]["text"].clone();
    let place = format!("s3://{bucket}/imdsctl/baseline.json");

    let missing = audit(&format!("--baseline {place}"));
    assert_eq!(missing.status.code(), Some(2));
    assert!(said(&missing).contains("there is no such object"), "{}", said(&missing));
    let scheduled = format!("--baseline {place} --update-baseline --fail-on-new");
    let first = audit(&scheduled);
    assert_eq!(first.status.code(), Some(0), "nothing is new at first: {}", said(&first));
    assert_eq!(object("imdsctl/baseline.json"), read("a.json"));

    let second = audit(&scheduled);
    assert_eq!(second.status.code(), Some(0), "{}", said(&second));
    let report: Value = serde_json::from_str(&read("a.json")).unwrap();
    let since = &report["since"]["summary"];
    assert_eq!(since["new"]["findings"], 0);
    assert!(since["still_failing"]["findings"].as_u64().unwrap() > 0);
    let baseline = object("imdsctl/baseline.json");
    assert!(!baseline.as_str().unwrap().contains("\"since\""));

    let failed = audit(&format!("{scheduled} --policy hardened -o csv=/dev/full"));
    assert_eq!(failed.status.code(), Some(4));
    assert_eq!(object("imdsctl/baseline.json"), baseline, "what nobody was told of is new the next time");

    let shared = audit(&format!("{scheduled} -o json={place}"));
    assert_eq!(shared.status.code(), Some(2));
    assert!(said(&shared).contains("cannot share"), "{}", said(&shared));
    let denied = audit("--baseline s3://no-such-bucket/baseline.json --update-baseline");
    assert_eq!(denied.status.code(), Some(2), "that nobody knows is no first run: {}", said(&denied));
    assert!(said(&denied).contains("NoSuchBucket"), "{}", said(&denied));
    let broken = format!("s3://{bucket}/imdsctl/broken.json");
    let put = audit(&format!("-o csv={broken}"));
    assert!(put.status.code().is_some_and(|code| code <= 1), "{}", said(&put));
    let refused = audit(&format!("--baseline {broken}"));
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains(&broken), "{}", said(&refused));
    let files: Vec<_> = folder.path().read_dir().unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files.len(), 3, "nothing is left behind: {files:?}");
}
