//! A Python environment for the tests, made on first use.
//!
//! The tests need counterparts that nobody here wrote: moto as another AWS, boto3 as another client, the
//! `jsonschema` package as another reader. They are pinned in `tests/python/`, installed once by pip into the
//! target directory, and that is the only time that a test leaves the loopback interface.
//!
//! Two variables matter: `IMDSCTL_PYTHON` names the interpreter to make the environment with, in the place of
//! `python3`; and where `IMDSCTL_SKIP_PYTHON` is set, tests that need Python pass without doing anything, and
//! say so.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

const SKIP: &str = "IMDSCTL_SKIP_PYTHON";
const PYTHON: &str = "IMDSCTL_PYTHON";

/// The oldest Python that the pinned packages run on.
const OLDEST: (u32, u32) = (3, 10);

const REQUIREMENTS: &str = include_str!("../python/requirements.txt");
const CONSTRAINTS: &str = include_str!("../python/constraints.txt");

/// An environment with everything of `tests/python/requirements.txt`.
#[derive(Debug)]
pub struct Environment {
    python: PathBuf,
}

/// The environment, or nothing where Python tests are to be skipped; then the test has nothing to do.
///
/// # Panics
///
/// In one sentence that names the variable to skip with, if there is no Python or pip does not succeed.
pub fn environment() -> Option<&'static Environment> {
    static ENVIRONMENT: LazyLock<Result<Environment, String>> = LazyLock::new(Environment::make);
    if skipped() {
        say("skipped: this test needs Python, and IMDSCTL_SKIP_PYTHON is set");
        return None;
    }
    match &*ENVIRONMENT {
        Ok(environment) => Some(environment),
        Err(problem) => panic!("{problem}; {SKIP}=1 skips the tests that need Python"),
    }
}

impl Environment {
    /// Runs a script of `tests/python/`. Of this process's environment it gets next to nothing, so that no
    /// setting of whoever runs the tests can lead it to a real AWS.
    pub fn script(&self, name: &str) -> Command {
        let mut command = self.command();
        command.arg(folder().join(name));
        command
    }

    /// Runs an installed module, `python -m NAME`, as cut off from this process's environment.
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub fn module(&self, name: &str) -> Command {
        let mut command = self.command();
        command.args(["-m", name]);
        command
    }

    /// Runs a program that came with a package, as cut off from this process's environment.
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub fn program(&self, name: &str) -> Command {
        cut_off(&self.python.with_file_name(name))
    }

    fn command(&self) -> Command {
        cut_off(&self.python)
    }

    fn make() -> Result<Self, String> {
        let base = env::var_os(PYTHON).unwrap_or_else(|| OsString::from("python3"));
        let identity = identity(&base)?;
        let digest = Sha256::digest([&identity, REQUIREMENTS, CONSTRAINTS].join("\0"));
        let hash = u64::from_be_bytes(digest[..8].try_into().expect("eight bytes"));
        // Beside the build's profiles, so that `cargo clean` takes it along.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a target directory");
        let home = target.join(format!("python-{hash:016x}"));
        let python = home.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });

        // The lock goes with its holder, however that ends. Others then see by the missing mark that what it
        // made is not whole.
        let lock = File::create(home.with_extension("lock"))
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|error| format!("cannot lock {}: {error}", home.display()))?;
        let mark = home.join("complete");
        if !mark.exists() {
            say(&format!("making the Python environment of the tests in {}, once", home.display()));
            install(&base, &home, &python)?;
            fs::write(&mark, identity)
                .map_err(|error| format!("cannot write {}: {error}", mark.display()))?;
        }
        drop(lock);
        Ok(Self { python })
    }
}

fn cut_off(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(harmless());
    // Nothing is written beside the scripts.
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1");
    // Neither a user's AWS configuration nor a machine's own credentials.
    command.env("AWS_CONFIG_FILE", nowhere()).env("AWS_SHARED_CREDENTIALS_FILE", nowhere());
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command.stdin(Stdio::null());
    command
}

fn skipped() -> bool {
    env::var_os(SKIP).is_some_and(|value| !value.is_empty() && value != "0")
}

/// What an environment is only good for: this version of this interpreter.
fn identity(base: &OsString) -> Result<String, String> {
    let probe = "import sys; print(*sys.version_info[:2], sys.executable, sys.version)";
    let name = base.to_string_lossy();
    let output = Command::new(base).args(["-c", probe]).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("there is no Python: {name} cannot be started ({error})"))?;
    let answer = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let mut words = answer.split_whitespace().map_while(|word| word.parse::<u32>().ok());
    match (words.next(), words.next()) {
        (Some(major), Some(minor)) if (major, minor) >= OLDEST => Ok(answer),
        (Some(major), Some(minor)) => {
            let (oldest, of) = OLDEST;
            Err(format!("{name} is Python {major}.{minor}, and the tests need {oldest}.{of} or newer"))
        }
        _ => Err(format!("{name} does not answer like a Python: {}", last_line(&output))),
    }
}

/// Makes the environment from nothing.
fn install(base: &OsString, home: &Path, python: &Path) -> Result<(), String> {
    if home.exists() {
        fs::remove_dir_all(home).map_err(|error| format!("cannot remove {}: {error}", home.display()))?;
    }
    let run = |command: &mut Command, what: &str| {
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("{what} cannot be started: {error}"))?;
        if output.status.success() { Ok(()) } else { Err(format!("{what} failed: {}", last_line(&output))) }
    };
    run(Command::new(base).args(["-m", "venv"]).arg(home), "python3 -m venv")?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
    pip.arg("--requirement").arg(folder().join("requirements.txt"));
    pip.arg("--constraint").arg(folder().join("constraints.txt"));
    run(&mut pip, "pip install")
}

/// The last thing a program said, which is mostly why it gave up.
fn last_line(output: &Output) -> String {
    let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let mut lines = said.iter().flat_map(|text| text.lines()).map(str::trim).filter(|line| !line.is_empty());
    lines.next_back().unwrap_or("it said nothing").to_owned()
}

/// Of the workspace, whichever of its packages takes this module in.
fn folder() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = package.ancestors().map(|folder| folder.join("tests/python"));
    folders.into_iter().find(|folder| folder.is_dir()).expect("tests/python/ of the workspace")
}

/// What programs need to run at all.
fn harmless() -> impl Iterator<Item = (&'static str, OsString)> {
    let names = ["PATH", "HOME", "TMPDIR", "SystemRoot", "TEMP", "TMP"];
    names.into_iter().filter_map(|name| Some((name, env::var_os(name)?)))
}

const fn nowhere() -> &'static str {
    if cfg!(windows) { "NUL" } else { "/dev/null" }
}

/// For whoever runs the tests: past the test harness, which keeps what passing tests print.
fn say(message: &str) {
    // Whether it can be said or not changes nothing.
    let _ = writeln!(io::stderr(), "{message}");
}
