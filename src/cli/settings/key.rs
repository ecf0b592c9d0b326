//! What may be set: every long flag, but for those that are about one run.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Command};

/// Flags that have to be typed each time. A report of a simulated or of a saved fleet, or of a part of one, must not come
/// of a file that nobody thought of; what is printed once is asked for once; and what is changed is said where it is done.
const TYPED: &[&str] = &[
    "accept-imdsv1-callers",
    "accept-no-drain",
    "account",
    "account-defaults",
    "bucket",
    "demo",
    "demo-state",
    "dry-run",
    "expect",
    "force",
    "format",
    "include-iac",
    "inventory",
    "journal",
    "kms-key",
    "live",
    "max-changes",
    "partition",
    "plan",
    "plan-out",
    "preflight",
    "principal",
    "resume",
    "rollout",
    "save-inventory",
    "set-default",
    "shard",
    "topic",
    "yes",
];

/// What the value of a setting looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// True or false.
    Switch,
    /// How often the flag is given.
    Count,
    /// One value.
    One,
    /// The values of a flag that may be repeated.
    Many,
}

impl Shape {
    /// What is expected of a file, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Switch => "true or false",
            Self::Count => "a number from 0 to 255",
            Self::One => "a string or a number",
            Self::Many => "a list of strings",
        }
    }
}

/// What a flag is to settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It may be set.
    Set(Shape),
    /// It has to be typed.
    Typed,
    /// It is no flag that does anything by itself later: a positional argument, `--help`.
    None,
}

/// What a flag is to settings.
pub fn use_of(arg: &Arg) -> Use {
    match arg.get_long() {
        None => return Use::None,
        Some(long) if TYPED.contains(&long) => return Use::Typed,
        Some(_) => {}
    }
    match arg.get_action() {
        ArgAction::SetTrue => Use::Set(Shape::Switch),
        ArgAction::Count => Use::Set(Shape::Count),
        ArgAction::Set => Use::Set(Shape::One),
        ArgAction::Append => Use::Set(Shape::Many),
        _ => Use::None,
    }
}

/// A key as a layer may name it: one flag, of one command or of several.
#[derive(Debug)]
pub struct Key<'a> {
    /// The shape that its values have.
    pub shape: Shape,
    args: Vec<&'a Arg>,
}

/// Why a name is no key.
#[derive(Debug, PartialEq, Eq)]
pub enum NoKey {
    /// It is a flag that has to be typed.
    Typed,
    /// There is no such flag. It may be that this one is meant.
    Unknown(Option<String>),
}

impl<'a> Key<'a> {
    /// The key of this name that a command, or one below it, has.
    pub fn find(command: &'a Command, name: &str) -> Result<Self, NoKey> {
        let args: Vec<_> = all(command).into_iter().filter(|arg| arg.get_long() == Some(name)).collect();
        match args.first().map(|arg| use_of(arg)) {
            Some(Use::Set(shape)) => Ok(Self { shape, args }),
            Some(Use::Typed) => Err(NoKey::Typed),
            Some(Use::None) | None => Err(NoKey::Unknown(nearest(name, names(command)))),
        }
    }

    /// Why no command takes this value.
    pub fn refusal(&self, name: &str, text: &str) -> Option<String> {
        let mut refusals = self.args.iter().map(|arg| refusal(arg, name, text));
        let first = refusals.next()??;
        refusals.all(|refusal| refusal.is_some()).then_some(first)
    }
}

/// All flags of a command and of those below it.
fn all(command: &Command) -> Vec<&Arg> {
    let below = command.get_subcommands().flat_map(all);
    command.get_arguments().chain(below).collect()
}

/// The flags of a command, and of those below it, that may be set.
pub fn settable(command: &Command) -> impl Iterator<Item = &Arg> {
    all(command).into_iter().filter(|arg| matches!(use_of(arg), Use::Set(_)))
}

/// The names of all that may be set.
pub fn names(command: &Command) -> impl Iterator<Item = &str> {
    settable(command).filter_map(Arg::get_long)
}

/// The name that is meant by one with a slip in it.
pub fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let distance = |other: &str| strsim::damerau_levenshtein(name, other);
    let nearest = names.min_by_key(|other| distance(other))?;
    (distance(nearest) <= 2.max(nearest.len() / 4)).then(|| nearest.to_owned())
}

/// Why a flag does not take a value, in the words of its own parser. A value that is a secret is not repeated.
pub fn refusal(arg: &Arg, name: &str, text: &str) -> Option<String> {
    if !matches!(use_of(arg), Use::Set(Shape::One | Shape::Many)) {
        return None;
    }
    let alone = Arg::new("value").allow_hyphen_values(true).value_parser(arg.get_value_parser().clone());
    let parsed = Command::new("value").no_binary_name(true).arg(alone).try_get_matches_from(["--", text]);
    let error = parsed.err()?;
    let value = if is_secret(arg) { "that".to_owned() } else { format!("{text:?}") };
    let why = match (error.get(ContextKind::ValidValue), error.source()) {
        (Some(ContextValue::Strings(valid)), _) if !valid.is_empty() => {
            format!(
                "it is one of {}{}",
                valid.join(", "),
                did_you_mean(nearest(text, valid.iter().map(String::as_str)))
            )
        }
        (_, Some(why)) => why.to_string(),
        _ => "it is not valid".to_owned(),
    };
    Some(format!("{name} cannot be {value}: {why}"))
}

/// Whether the values of a flag are not to be shown.
pub fn is_secret(arg: &Arg) -> bool {
    arg.is_hide_env_values_set()
}

/// `; did you mean region?`, where there is something to be meant.
pub fn did_you_mean(name: Option<String>) -> String {
    name.map_or_else(String::new, |name| format!("; did you mean {name}?"))
}
