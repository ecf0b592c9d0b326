//! `imdsctl policy`: what policies there are, and whether one's own makes sense.

use std::fmt::Write as _;

use crate::exit::Exit;
use crate::policy::{self, DEFAULT_POLICY, Policy, SHIPPED};

use super::Error;
use super::console::Console;

/// List, show and check policies.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List the shipped policies.
    List,
    /// Print a policy, as a start for one of your own.
    Show {
        /// A shipped policy's name, or a file.
        #[arg(value_name = "NAME|FILE")]
        policy: String,
    },
    /// Check policies, and say what is wrong and where.
    Validate {
        /// Files, or names of shipped policies.
        #[arg(required = true, value_name = "FILE|NAME")]
        policies: Vec<String>,
    },
}

pub fn run(command: Command, console: &Console) -> Result<Exit, Error> {
    match command {
        Command::List => console.write_stdout(list()?.as_bytes())?,
        Command::Show { policy } => {
            let policy = policy::load(&policy).map_err(Error::usage)?;
            console.write_stdout(policy.text.as_bytes())?;
        }
        Command::Validate { policies } => return validate(&policies, console),
    }
    Ok(Exit::Success)
}

fn list() -> Result<String, Error> {
    let mut text = String::new();
    for (name, _) in SHIPPED {
        let policy = policy::load(name).map_err(Error::usage)?;
        let default = if *name == DEFAULT_POLICY { " (default)" } else { "" };
        let title = policy.title.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{:<10} {:<7} {title}{default}", policy.name, policy.version);
        for rule in &policy.rules {
            let _ = writeln!(
                text,
                "  {:<18} {:<8} {} {}",
                rule.id,
                rule.severity,
                rule.option,
                asked(&rule.expected)
            );
        }
    }
    Ok(text)
}

fn asked(expected: &crate::finding::Expectation) -> String {
    match expected {
        crate::finding::Expectation::Equals(value) => format!("is {value}"),
        bound => format!("is {bound}"),
    }
}

/// Every file is checked, so that all that is wrong is told at once.
fn validate(names: &[String], console: &Console) -> Result<Exit, Error> {
    let mut exit = Exit::Success;
    for name in names {
        match policy::load(name) {
            Ok(policy) => console.write_stdout(summary(name, &policy).as_bytes())?,
            Err(error) => {
                console.error(&error.to_string());
                exit = Exit::Usage;
            }
        }
    }
    Ok(exit)
}

fn summary(name: &str, policy: &Policy) -> String {
    let rules = policy.rules.len();
    let exemptions = policy.exemptions.len();
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    format!(
        "{name}: policy {} {} is valid: {}, {}\n",
        policy.name,
        policy.version,
        count(rules, "rule"),
        count(exemptions, "exemption")
    )
}
