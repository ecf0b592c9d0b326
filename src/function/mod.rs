//! imdsctl as a function of AWS Lambda.
//!
//! ```text
//! Lambda ── event ──> invocation ── child ──> imdsctl, a process
//!        <── answer or failure ──┘        └── logs, a report's outline
//! ```
//!
//! A run of several invocations (`sharded`) hands on from one to the next by objects of S3 (`runs`).
//!
//! This is the other edge of the program, beside [`crate::cli`]: it asks for the environment and the time, and writes to
//! stdout and stderr. What it does is done by the command, with the function's variables as settings.

mod answer;
mod child;
mod deadline;
mod event;
mod failure;
mod folder;
mod invocation;
mod metrics;
mod outcome;
mod runs;
mod settings;
mod sharded;

use std::io::{self, Write as _};

use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde_json::Value;
use tracing_subscriber::filter::LevelFilter;

use crate::cli;
use crate::exit::Exit;

use invocation::Invocation;

/// What Lambda sets, and its runtime does not begin without.
const LAMBDA: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
];

/// Handles one event after the other, for as long as there are any.
pub fn run() -> Exit {
    if let Some(missing) = LAMBDA.iter().find(|name| std::env::var_os(name).is_none()) {
        tell(&format!(
            "error: this is imdsctl for AWS Lambda, and {missing} is not set: run it there, or with arguments as the command \
             imdsctl\n"
        ));
        return Exit::Usage;
    }
    cli::logging::start_json(LevelFilter::INFO);
    match serve() {
        Ok(()) => Exit::Success,
        Err(error) => {
            tracing::error!("{error}");
            Exit::Bug
        }
    }
}

fn serve() -> Result<(), lambda_runtime::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let handle = |event: LambdaEvent<Value>| async move {
        let (event, context) = event.into_parts();
        Invocation::handle(&event, &context).await
    };
    runtime.block_on(Runtime::new(service_fn(handle)).run())
}

/// Writes a line to stderr.
fn tell(line: &str) {
    // There is nobody left to tell if stderr is gone.
    let _ = io::stderr().write_all(line.as_bytes());
}
