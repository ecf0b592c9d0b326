//! Packages of npm for the tests, installed on first use, as `python.rs` installs Python's: from the lock file in
//! `tests/node/`, into the target directory.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

const PACKAGE: &str = include_str!("../node/package.json");
const LOCK: &str = include_str!("../node/package-lock.json");

/// A program that came with a package. Nothing where there is no npm: few who change Rust have one. A CI has.
///
/// # Panics
///
/// If npm does not succeed, or a CI has none.
pub fn program(name: &str) -> Option<Command> {
    static HOME: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
        let found = npm().arg("--version").output().is_ok_and(|output| output.status.success());
        assert!(found || std::env::var_os("CI").is_none(), "there is no npm");
        if !found {
            let _ = writeln!(std::io::stderr(), "skipped: this test needs npm, and there is none");
        }
        found.then(install)
    });
    let bin = HOME.as_ref()?.join("node_modules/.bin");
    let mut command = Command::new(bin.join(name));
    command.stdin(Stdio::null());
    Some(command)
}

fn npm() -> Command {
    let mut command = Command::new("npm");
    command.stdin(Stdio::null());
    command
}

fn install() -> PathBuf {
    let digest = Sha256::digest([PACKAGE, LOCK].join("\0"));
    let hash = u64::from_be_bytes(digest[..8].try_into().unwrap());
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let home = target.join(format!("node-{hash:016x}"));
    let lock = File::create(home.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let mark = home.join("complete");
    if !mark.exists() {
        fs::create_dir_all(&home).unwrap();
        fs::write(home.join("package.json"), PACKAGE).unwrap();
        fs::write(home.join("package-lock.json"), LOCK).unwrap();
        let flags = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        let output = npm().args(flags).current_dir(&home).output().unwrap();
        assert!(output.status.success(), "npm ci: {}", String::from_utf8_lossy(&output.stderr));
        fs::write(&mark, "").unwrap();
    }
    home
}
