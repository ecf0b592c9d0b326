//! The real `imdsctl`, run as a process with an environment of its own, and what a user sees of it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// No run takes this long. One that does has hung, and is killed.
const PATIENCE: Duration = Duration::from_secs(50);

/// An `imdsctl` to be run: nothing of this machine's environment reaches it, its home is an empty folder, and that
/// folder is where it runs.
#[derive(Debug)]
pub struct Program {
    command: Command,
    has_stdout: bool,
    home: TempDir,
}

impl Program {
    pub fn new() -> Self {
        Self::of(env!("CARGO_BIN_EXE_imdsctl"))
    }

    /// Another program than `imdsctl`.
    pub fn of(program: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command.env_clear().env("HOME", home.path()).current_dir(home.path()).stdin(Stdio::null());
        // Or a test without credentials waits for the metadata service of the machine it runs on.
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        Self { command, has_stdout: false, home }
    }

    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Arguments without spaces, written as one would type them.
    pub fn line(self, line: &str) -> Self {
        self.args(line.split_whitespace())
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn envs<'a>(mut self, variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.command.envs(variables);
        self
    }

    pub fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// A file in the folder where it runs.
    pub fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.path(name), text).unwrap();
        self
    }

    /// A path in the folder where it runs.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The names of all files in the folder where it runs, sorted.
    pub fn files(&self) -> Vec<String> {
        files(self.home.path())
    }

    /// Where its stdout goes, instead of into the outcome.
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.command.stdout(stdout);
        self.has_stdout = true;
        self
    }

    /// Where its stdin comes from, instead of from nowhere.
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.command.stdin(stdin);
        self
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(mut self) -> Outcome {
        if !self.has_stdout {
            self.command.stdout(Stdio::piped());
        }
        self.start().end()
    }

    /// Starts it, for a test that does something meanwhile.
    pub fn spawn(mut self) -> Started {
        self.command.stdout(Stdio::piped());
        self.start()
    }

    fn start(mut self) -> Started {
        let child = self.command.stderr(Stdio::piped()).spawn().unwrap();
        Started { child, began: Instant::now(), home: self.home }
    }
}

/// An `imdsctl` that runs.
#[derive(Debug)]
pub struct Started {
    pub child: Child,
    began: Instant,
    home: TempDir,
}

impl Started {
    /// Sends a signal by its name, `INT`.
    pub fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// A path in the folder where it runs.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Waits for its end.
    #[track_caller]
    pub fn end(self) -> Outcome {
        let process = self.child.id();
        let (sender, ended) = mpsc::channel();
        std::thread::spawn(move || sender.send(self.child.wait_with_output()));
        let Ok(output) = ended.recv_timeout(PATIENCE) else {
            signal(process, "KILL");
            panic!("imdsctl still ran after {PATIENCE:?}");
        };
        Outcome::new(output.unwrap(), self.began.elapsed(), self.home)
    }
}

fn signal(process: u32, name: &str) {
    let line = format!("kill -{name} {process}");
    assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
}

/// What a user sees of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code; none where a signal killed it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
    home: TempDir,
}

impl Outcome {
    fn new(output: std::process::Output, took: Duration, home: TempDir) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            took,
            home,
        }
    }

    /// It ended with this code.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stderr: {}\nstdout: {:.2000}", self.stderr, self.stdout);
        self
    }

    /// It was refused: code 2, nothing on stdout, and one error on stderr, which is returned.
    #[track_caller]
    pub fn refused(self) -> String {
        let this = self.code(2);
        assert_eq!(this.stdout, "");
        assert!(this.stderr.starts_with("error: "), "{}", this.stderr);
        let errors = this.stderr.lines().filter(|line| line.starts_with("error:")).count();
        assert_eq!(errors, 1, "{}", this.stderr);
        this.stderr.trim_end().trim_start_matches("error: ").to_owned()
    }

    /// The table on stdout without its first line, which says when the run was.
    pub fn table(&self) -> &str {
        self.stdout.split_once('\n').unwrap().1
    }

    /// The report on stdout.
    #[track_caller]
    pub fn report(&self) -> Report {
        Report::parse(&self.stdout)
    }

    /// A file in the folder where it ran.
    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The names of all files in the folder where it ran, sorted.
    pub fn files(&self) -> Vec<String> {
        files(self.home.path())
    }
}

/// The names of all files in a folder, sorted.
pub fn files(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A JSON report.
#[derive(Debug, Clone)]
pub struct Report(pub Value);

impl Report {
    #[track_caller]
    pub fn parse(text: &str) -> Self {
        let report: Value = serde_json::from_str(text).unwrap();
        assert_eq!(report["schema"], "imdsctl.report/v1");
        Self(report)
    }

    pub fn findings(&self) -> &[Value] {
        self.0["findings"].as_array().unwrap()
    }

    /// The findings of a resource of this id; where there is none, of resources of this name.
    pub fn of(&self, resource: &str) -> Vec<&Value> {
        let by = |key: &str| -> Vec<&Value> {
            self.findings().iter().filter(|finding| finding["resource"][key] == resource).collect()
        };
        let found = by("id");
        if found.is_empty() { by("name") } else { found }
    }

    /// The finding of one resource by one rule.
    #[track_caller]
    pub fn finding(&self, resource: &str, rule: &str) -> &Value {
        let mut found = self.of(resource);
        found.retain(|finding| finding["rule"] == rule);
        assert_eq!(found.len(), 1, "findings of {rule} on {resource}");
        found[0]
    }

    /// `status actual source` of one resource by one rule.
    #[track_caller]
    pub fn verdict(&self, resource: &str, rule: &str) -> String {
        let finding = self.finding(resource, rule);
        let word = |name: &str| match &finding[name] {
            Value::String(word) => word.clone(),
            other => other.to_string(),
        };
        format!("{} {} {}", word("status"), word("actual"), word("source"))
    }

    /// The coverage of a Region.
    #[track_caller]
    pub fn coverage(&self, region: &str) -> &Value {
        let scopes = self.0["coverage"].as_array().unwrap();
        scopes.iter().find(|scope| scope["region"] == region).unwrap()
    }

    /// `service:Operation Code` of every error of a Region.
    #[track_caller]
    pub fn errors(&self, region: &str) -> Vec<String> {
        let errors = self.coverage(region)["errors"].as_array().unwrap();
        let text = |error: &Value, name: &str| error[name].as_str().unwrap().to_owned();
        errors
            .iter()
            .map(|error| {
                assert_ne!(text(error, "message"), "");
                format!("{}:{} {}", text(error, "service"), text(error, "operation"), text(error, "code"))
            })
            .collect()
    }

    /// How often an operation was called, as the report counts.
    pub fn calls(&self, operation: &str) -> u64 {
        self.0["run"]["api_calls"][operation].as_u64().unwrap_or(0)
    }

    /// A count of the summary.
    pub fn count(&self, name: &str) -> u64 {
        self.0["summary"][name].as_u64().unwrap()
    }
}
