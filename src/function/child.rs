//! The command, run as a process of its own: its memory is given back when it ends, and where it crashes there is still
//! somebody who can say so.

use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep_until;

use super::deadline::Deadline;
use crate::report::Outline;

/// How a line begins that says what went wrong.
const ERROR: &str = "error: ";

/// What is the function's alone.
const OURS: [&str; 2] = ["AWS_LAMBDA_RUNTIME_API", "IMDSCTL_RUNS"];

/// What the command writes to stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdout {
    /// A report in lines, of which no finding is kept.
    Report,
    Nothing,
}

/// How the command ended.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    /// Whether it was asked to end, since the deadline was near.
    pub was_stopped: bool,
    /// What it said went wrong.
    pub errors: Vec<String>,
    /// Its report, where it wrote a whole one.
    pub outline: Option<Outline>,
}

/// The command with arguments, at home in a folder: no settings file counts, and no path leads out of it that is not
/// written in full.
pub fn command(folder: &Path) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--log-format", "json"]).current_dir(folder);
    command.env("HOME", folder).env("TMPDIR", folder).env_remove("XDG_CONFIG_HOME");
    for name in OURS {
        command.env_remove(name);
    }
    Ok(command)
}

/// Runs a command to its end, or to the deadline.
pub async fn run(mut command: Command, stdout: Stdout, deadline: Deadline) -> io::Result<Ended> {
    let (stderr, errors) = io::pipe()?;
    command.stdin(Stdio::null()).stderr(errors).kill_on_drop(true);
    let outline = match stdout {
        Stdout::Nothing => {
            command.stdout(Stdio::null());
            None
        }
        Stdout::Report => {
            let (report, stdout) = io::pipe()?;
            command.stdout(stdout);
            Some(report)
        }
    };
    let mut child = command.spawn()?;
    // It holds the other ends of the pipes, which would never come to an end.
    drop(command);
    let outline = outline.map(|report| spawn_blocking(|| Outline::read(BufReader::new(report))));
    let errors = spawn_blocking(|| forward(BufReader::new(stderr), &mut io::stderr()));
    let (status, was_stopped) = end(&mut child, deadline).await?;
    let outline = match outline {
        Some(outline) => joined(outline).await?,
        None => None,
    };
    Ok(Ended { status, was_stopped, errors: joined(errors).await?, outline })
}

async fn joined<T>(read: JoinHandle<io::Result<T>>) -> io::Result<T> {
    read.await.map_err(io::Error::other)?
}

/// Waits for the end of a process, and sees to it when it is time.
async fn end(child: &mut Child, deadline: Deadline) -> io::Result<(ExitStatus, bool)> {
    tokio::select! {
        status = child.wait() => return Ok((status?, false)),
        () = sleep_until(deadline.stop) => interrupt(child)?,
    }
    tokio::select! {
        status = child.wait() => return Ok((status?, true)),
        () = sleep_until(deadline.kill) => child.start_kill()?,
    }
    Ok((child.wait().await?, true))
}

/// Asks a process to keep what is done and end, as Ctrl-C does.
fn interrupt(child: &Child) -> io::Result<()> {
    // Without an id it has ended; with one it has not been waited for, and the id is nobody else's.
    let process = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    match process {
        Some(process) => Ok(kill_process(process, Signal::INT)?),
        None => Ok(()),
    }
}

/// Hands on what the command logs, and makes log lines of the rest. What went wrong is kept.
fn forward(mut input: impl BufRead, log: &mut impl io::Write) -> io::Result<Vec<String>> {
    let mut errors: Vec<String> = Vec::new();
    let mut bytes = Vec::new();
    while input.read_until(b'\n', &mut bytes)? > 0 {
        if bytes.starts_with(b"{") {
            // There is nobody left to tell if stderr is gone.
            let _ = log.write_all(&bytes);
        } else {
            let line = String::from_utf8_lossy(&bytes);
            let line = line.trim_end();
            tracing::error!("{}", line.strip_prefix(ERROR).unwrap_or(line));
            keep(line, &mut errors);
        }
        bytes.clear();
    }
    Ok(errors)
}

/// An error may have several lines.
fn keep(line: &str, errors: &mut Vec<String>) {
    match (line.strip_prefix(ERROR), errors.last_mut()) {
        (Some(message), _) => errors.push(message.to_owned()),
        (None, Some(last)) => {
            last.push('\n');
            last.push_str(line);
        }
        (None, None) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_kept_and_log_lines_are_not() {
        let said = "{\"level\":\"WARN\"}\nthread 'main' panicked\nerror: cannot write a\ncannot write b\n{}\nerror: and c\n";
        let mut log = Vec::new();
        let errors = forward(said.as_bytes(), &mut log).unwrap();
        assert_eq!(errors, ["cannot write a\ncannot write b", "and c"]);
        assert_eq!(log, b"{\"level\":\"WARN\"}\n{}\n");
    }
}
