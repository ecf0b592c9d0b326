//! The `imdsctl` command: parses, dispatches, and turns the outcome into an exit code.

use std::process::ExitCode;

use clap::Parser;
use imdsctl::cli::{self, Cli};
use imdsctl::exit::Exit;

fn main() -> ExitCode {
    // clap writes help and version to stdout, usage errors to stderr, and ends with 0 or 2.
    let cli = Cli::parse();
    std::panic::catch_unwind(|| cli::run(cli)).unwrap_or(Exit::Bug).into()
}
