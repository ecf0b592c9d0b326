//! Settings: flags that need not be typed. What was typed counts most, then `IMDSCTL_*` variables, then `imdsctl.toml` in
//! the working directory, then the one in the user's configuration folder, then the defaults.
//!
//! They are known by the flags that clap knows, so that a new flag is a setting at once, with the same values and the
//! same checks. What the layers say becomes the flags' defaults, and what was typed is parsed again on top of them.

mod file;
mod key;
mod layers;
mod show;
#[cfg(test)]
mod tests;
mod variables;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches};

use super::{Cli, Error};

use layers::{Chosen, Layers};

pub use show::{Args, run};

/// The file's name, in the working directory and in the user's configuration folder.
const FILE: &str = "imdsctl.toml";

/// What one layer says of one flag.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Setting {
    /// The long name of the flag.
    key: String,
    /// The command that it is for, as it is typed (`["report", "merge"]`); empty for every command that has the flag.
    section: Vec<String>,
    place: Place,
    /// As they would be typed; of a switch `true` or `false`.
    values: Vec<Value>,
}

/// A value, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Value {
    text: String,
    place: Place,
}

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Variable(String),
    /// Line and column count from 1.
    File {
        file: String,
        line: usize,
        column: usize,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => f.write_str(name),
            Self::File { file, line, column } => write!(f, "{file}:{line}:{column}"),
        }
    }
}

/// What is wrong with a setting, and where.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    place: Place,
    message: String,
}

impl Problem {
    fn new(place: &Place, message: impl Into<String>) -> Self {
        Self { place: place.clone(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// All that is wrong, told at once.
fn wrong(mut problems: Vec<Problem>) -> Error {
    problems.sort();
    problems.dedup();
    Error::usage(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// What a user may want to know of how the settings were found.
#[derive(Debug)]
pub enum Note {
    /// A file that was read.
    Read(String),
    /// A variable that looks like a setting and is none.
    UnknownVariable(String),
}

impl Note {
    /// Tells it, once it is known how much is to be told.
    pub fn tell(&self) {
        match self {
            Self::Read(file) => tracing::info!("settings are read from {file}"),
            Self::UnknownVariable(message) => tracing::warn!("{message}"),
        }
    }
}

/// The command line, with the settings beneath it.
pub fn beneath(typed: &ArgMatches) -> Result<(Cli, Vec<Note>), Error> {
    let mut built = Cli::command();
    built.build();
    let layers = Layers::read(&built)?;
    let path = command_path(typed);
    let leaf = command_at(&built, &path);
    let chosen = layers.choose(leaf, &path, &typed_ids(leaf, typed)).map_err(wrong)?;
    // An empty list only hides what lower layers say.
    let said = chosen.iter().filter(|chosen| !chosen.setting.values.is_empty());
    let command = said.fold(Cli::command(), |command, chosen| with_default(command, &path, chosen));
    // Everything was checked: what was typed by clap, before, and the settings by the flags' own parsers.
    let matches = command.get_matches();
    let cli = Cli::from_arg_matches(&matches).map_err(|error| Error::Bug(error.to_string()))?;
    Ok((cli, layers.into_notes()))
}

/// The command that was typed: `["report", "merge"]`.
fn command_path(mut matches: &ArgMatches) -> Vec<String> {
    let mut path = Vec::new();
    while let Some((name, below)) = matches.subcommand() {
        path.push(name.to_owned());
        matches = below;
    }
    path
}

fn command_at<'a>(root: &'a Command, path: &[String]) -> &'a Command {
    path.iter().fold(root, |command, name| command.find_subcommand(name).unwrap_or(command))
}

/// The flags that were typed, as clap calls them.
fn typed_ids(leaf: &Command, mut matches: &ArgMatches) -> Vec<clap::Id> {
    while let Some((_, below)) = matches.subcommand() {
        matches = below;
    }
    let typed = |id: &clap::Id| {
        matches.try_contains_id(id.as_str()).is_ok()
            && matches.value_source(id.as_str()) == Some(ValueSource::CommandLine)
    };
    leaf.get_arguments().map(clap::Arg::get_id).filter(|id| typed(id)).cloned().collect()
}

/// The command with a setting as the default of its flag.
fn with_default(command: Command, path: &[String], chosen: &Chosen<'_>) -> Command {
    if chosen.global {
        return command.mut_arg(chosen.id.as_str(), |arg| arg.default_values(chosen.texts()));
    }
    match path.split_first() {
        Some((name, below)) => command.mut_subcommand(name, |command| with_default(command, below, chosen)),
        None => command.mut_arg(chosen.id.as_str(), |arg| arg.default_values(chosen.texts())),
    }
}

/// The settings files, from the one that counts most, each with the name that messages call it by.
fn files(variable: impl Fn(&str) -> Option<OsString>) -> Vec<(PathBuf, String)> {
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let configuration =
        absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")));
    let of_user = configuration.map(|folder| folder.join("imdsctl").join(FILE));
    let named = |path: PathBuf| {
        let name = path.display().to_string();
        (path, name)
    };
    std::iter::once(Path::new(FILE).to_owned()).chain(of_user).map(named).collect()
}
