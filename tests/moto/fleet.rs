//! The seeded fleet, the truth about it, and an audit of it. Each is made once for all tests of this process.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::server::Server;
use crate::support::python::{self, Environment};

/// A server with a fleet on it.
#[derive(Debug)]
pub struct Fleet {
    server: Server,
    /// What an audit has to find, as `tests/python/moto_truth.py` works it out.
    pub truth: Value,
    /// What one has found, passes included: as JSON, and as the files that it wrote.
    pub audit: Audit,
}

/// An audit, and the files it wrote.
#[derive(Debug)]
pub struct Audit {
    /// `report.json`, parsed.
    pub report: Value,
    /// The exit code.
    pub exit: Option<i32>,
    /// Where `report.json` and `report.csv` are.
    folder: TempDir,
}

impl Audit {
    /// Runs `command`, a complete `imdsctl audit`, with files as its output.
    pub fn run(mut command: Command) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        for format in ["json", "csv"] {
            let path = folder.path().join("report").with_extension(format);
            command.arg("--output").arg(format!("{format}={}", path.display()));
        }
        let output = command.output().map_err(|error| error.to_string())?;
        let report = std::fs::read(folder.path().join("report.json"))
            .map_err(|_| format!("the audit wrote no report: {}", String::from_utf8_lossy(&output.stderr)))?;
        let report = serde_json::from_slice(&report).map_err(|error| error.to_string())?;
        Ok(Self { report, exit: output.status.code(), folder })
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// The fleet, or nothing where the tests that need Python are skipped.
pub fn fleet() -> Option<&'static Fleet> {
    static FLEET: LazyLock<Result<Fleet, String>> =
        LazyLock::new(|| python::environment().ok_or_else(|| "skipped".to_owned()).and_then(Fleet::seed));
    python::environment()?;
    match &*FLEET {
        Ok(fleet) => Some(fleet),
        Err(problem) => panic!("{problem}"),
    }
}

impl Fleet {
    fn seed(python: &Environment) -> Result<Self, String> {
        let server = Server::start(python)?;
        let run = |script: &str| {
            let output = python.script(script).args(["--endpoint", &server.endpoint]).output();
            succeeded(script, output.map_err(|error| error.to_string())?)
        };
        run("moto_seed.py")?;
        let truth = serde_json::from_slice(&run("moto_truth.py")?).map_err(|error| error.to_string())?;
        let mut command = imdsctl(&server.endpoint);
        command.args(["audit", "--all-regions", "--include-passed"]);
        let audit = Audit::run(command)?;
        Ok(Self { server, truth, audit })
    }

    /// imdsctl with this server for AWS.
    pub fn imdsctl(&self) -> Command {
        imdsctl(&self.server.endpoint)
    }
}

/// What the program printed, if it did well.
pub fn succeeded(name: &str, output: Output) -> Result<Vec<u8>, String> {
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("{name}: {}\n{said}", String::from_utf8_lossy(&output.stdout)))
    }
}

/// The real binary, with nothing in its environment but what the README says is enough.
pub fn imdsctl(endpoint: &str) -> Command {
    let mut command = bare_imdsctl();
    command
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret");
    command
}

/// The real binary, with no AWS setting at all. Its home is one without any.
pub fn bare_imdsctl() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imdsctl"));
    command.env_clear().env("HOME", env!("CARGO_TARGET_TMPDIR"));
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
}
