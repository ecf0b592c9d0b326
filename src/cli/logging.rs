//! Logs on stderr, capped where the AWS SDK could print what it sends and receives.

use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::aws::cap_directives;

use super::{Global, LogFormat};

/// Starts logging as the flags say.
pub(super) fn start(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    write(level, global.log_format, global.verbose > 1);
}

/// Starts logging in JSON, for a program that has no flags.
#[cfg(feature = "lambda")]
pub(crate) fn start_json(level: LevelFilter) {
    write(level, LogFormat::Json, false);
}

/// No flag and no variable reaches past the cap: it is a filter of its own.
fn write(level: LevelFilter, format: LogFormat, with_target: bool) {
    let cap =
        cap_directives().iter().fold(EnvFilter::new("trace"), |filter, directive| match directive.parse() {
            Ok(directive) => filter.add_directive(directive),
            Err(_) => filter,
        });
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(with_target);
    let lines = match format {
        LogFormat::Text => lines.without_time().with_ansi(false).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    // A second start, as in a test, keeps the first.
    let _ = tracing_subscriber::registry().with(cap).with(lines.with_filter(level)).try_init();
}
