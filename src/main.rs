//! The `imdsctl` command: runs it, and turns the outcome into an exit code.

use std::process::ExitCode;

use imdsctl::cli;
use imdsctl::exit::Exit;

fn main() -> ExitCode {
    std::panic::catch_unwind(cli::run).unwrap_or(Exit::Bug).into()
}
