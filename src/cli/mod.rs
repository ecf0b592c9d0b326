//! The command line: what was typed becomes settings once, and settings become a run.
//!
//! Nothing below this module reads arguments, the environment or the clock.

mod audit;
mod baseline;
mod conclusion;
mod console;
mod deliver;
mod demo;
mod diff;
mod draft;
mod explain;
mod finder;
mod iam_policy;
pub(crate) mod logging;
mod merge;
mod offline;
mod output;
mod pace;
mod policy;
mod progress;
mod remediate;
mod report;
mod reporting;
mod rollback;
mod save;
mod saved;
mod scopes;
mod session;
mod settings;
mod shard;
mod signals;
mod sink;
mod targets;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::exit::Exit;

use console::Console;

/// Audits the EC2 instance metadata options of EKS fleets, and of what will launch their next nodes.
///
/// Examples:
///   imdsctl audit --all-regions --demo                 try it: no AWS account needed
///   imdsctl audit --all-regions                        every Region of the account you are signed in to
///   imdsctl audit --region eu-west-1 --profile prod    one Region of another
///   imdsctl audit --all-regions -o table -o json=report.json
///   imdsctl audit --all-regions --save-inventory fleet.ndjson
///   imdsctl audit --inventory fleet.ndjson --policy imdsv2
///   imdsctl remediate --all-regions --dry-run          what would be changed to mend it
///   imdsctl report merge one.json two.json -o csv=both.csv
///   imdsctl report diff yesterday.json today.json      what is new, what is fixed
///
/// Flags can be set in imdsctl.toml and as IMDSCTL_* variables: see `imdsctl settings`.
///
/// Exit codes: 0 compliant · 1 findings · 2 usage, policy or credentials · 4 incomplete · 70 bug · 130 interrupted
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110, verbatim_doc_comment, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "On stderr")]
struct Global {
    /// Say more on stderr; twice for debugging. Never prints what AWS sends.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// No progress and no hints on stderr, only errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// How log lines look.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    log_format: LogFormat,
    /// Colours: on a terminal only, always or never. NO_COLOR is honoured.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read the fleet, judge it, report.
    Audit(Box<audit::Args>),
    /// Show which accounts and Regions an audit with the same flags reads, and as whom.
    Scopes(scopes::Args),
    /// Explain one resource: where its options come from, the rules on them, and the fix.
    Explain(explain::Args),
    /// Plan the fixes, show them, apply them, and say what became of them.
    Remediate(Box<remediate::Args>),
    /// Take back what a journal says was done.
    Rollback(Box<rollback::Args>),
    /// Show, convert, merge and compare reports.
    #[command(subcommand)]
    Report(report::Command),
    /// List, show and check policies.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Print the IAM policies that reading and changing take, and no more than that.
    #[command(subcommand)]
    IamPolicy(iam_policy::Command),
    /// Show what settings files and variables set, and where.
    Settings(settings::Args),
}

/// Runs the command that was typed, with the settings beneath it, to its end. Errors are told on stderr.
pub fn run() -> Exit {
    // Help, version and usage errors are clap's to write, and to end with.
    let matches = Cli::command().get_matches();
    let typed = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match settings::beneath(&matches) {
        Ok((cli, notes)) => run_with(cli, &notes),
        Err(error) => {
            Console::new(&typed.global).error(&error.to_string());
            error.exit()
        }
    }
}

fn run_with(cli: Cli, notes: &[settings::Note]) -> Exit {
    let console = Console::new(&cli.global);
    logging::start(&cli.global);
    notes.iter().for_each(settings::Note::tell);
    let outcome = match cli.command {
        Command::Audit(args) => audit::run(&args, &console),
        Command::Scopes(args) => scopes::run(&args, &console),
        Command::IamPolicy(command) => iam_policy::run(&command, &console),
        Command::Explain(args) => explain::run(&args, &console),
        Command::Remediate(args) => remediate::run(&args, &console),
        Command::Rollback(args) => rollback::run(&args, &console),
        Command::Report(command) => report::run(&command, &console),
        Command::Policy(command) => policy::run(command, &console),
        Command::Settings(args) => settings::run(&args, &console),
    };
    outcome.unwrap_or_else(|error| {
        console.error(&error.to_string());
        error.exit()
    })
}

/// What a command that talks to AWS runs on.
fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Error::Bug(format!("cannot start: {error}")))
}

/// Why a command could not do what was asked, as a sentence for the user.
#[derive(Debug, thiserror::Error)]
enum Error {
    /// The user can change it: arguments, a policy, a path, credentials.
    #[error("{0}")]
    Usage(String),
    /// The work was done and its result could not be written.
    #[error("{0}")]
    Output(String),
    /// Something that was to be read is not all there, and nobody can tell what is missing.
    #[error("{0}")]
    Incomplete(String),
    /// The user stopped it before there was anything to write.
    #[error("interrupted before {0}")]
    Interrupted(&'static str),
    /// The machine refused something that imdsctl cannot do without.
    #[error("{0}")]
    Bug(String),
}

impl Error {
    fn usage(message: impl std::fmt::Display) -> Self {
        Self::Usage(message.to_string())
    }

    /// Findings could not be kept until they are written.
    fn kept(error: &std::io::Error) -> Self {
        Self::Output(format!("cannot keep what was found: {error}"))
    }

    /// One error of all that failed to be written, a line each.
    fn gather(written: impl IntoIterator<Item = Result<(), Self>>) -> Result<(), Self> {
        let failures: Vec<String> =
            written.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect();
        if failures.is_empty() { Ok(()) } else { Err(Self::Output(failures.join("\n"))) }
    }

    const fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Output(_) | Self::Incomplete(_) => Exit::Incomplete,
            Self::Interrupted(_) => Exit::Interrupted,
            Self::Bug(_) => Exit::Bug,
        }
    }
}
