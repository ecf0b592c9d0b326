//! The program `bootstrap`: imdsctl as a function of AWS Lambda, and with arguments the command `imdsctl`.

use std::process::ExitCode;

use imdsctl::exit::Exit;
use imdsctl::{cli, function};

fn main() -> ExitCode {
    let is_command = std::env::args_os().len() > 1;
    let run = if is_command { cli::run } else { function::run };
    std::panic::catch_unwind(run).unwrap_or(Exit::Bug).into()
}
