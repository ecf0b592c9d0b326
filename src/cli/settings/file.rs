//! `imdsctl.toml`: keys for every command that has the flag, and sections for one command alone.

use std::io::{ErrorKind, Read as _};
use std::path::Path;

use clap::Command;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::key::{Key, NoKey, Shape, did_you_mean, settable};
use super::{Place, Problem, Setting, Value};

/// The most that a settings file may hold, in bytes. Real ones are a few hundred.
const MAX_BYTES: u64 = 1 << 20;

/// The text of a file; nothing where there is none.
pub fn read(path: &Path) -> Result<Option<String>, String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("cannot read {}: {error}", path.display());
    match std::fs::metadata(path) {
        // A home that is no folder, as `/dev/null` is, holds no file.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(unreadable(&error)),
        // Whoever opens a pipe may wait forever.
        Ok(metadata) if !metadata.is_file() => return Err(unreadable(&"it is not a file")),
        Ok(_) => {}
    }
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| unreadable(&error))?;
    file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(unreadable(&"it is larger than 1 MiB"));
    }
    Ok(Some(text))
}

/// The settings of a file, by what `root` and the commands below it take.
pub fn parse(file: &str, text: &str, root: &Command) -> Result<Vec<Setting>, Vec<Problem>> {
    let mut parser = Parser { file, text, settings: Vec::new(), problems: Vec::new() };
    match DeTable::parse(text) {
        Ok(table) => parser.table(table.get_ref(), root, &[]),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            let message = error.message().lines().next().unwrap_or_default();
            parser.problem(at, format!("not TOML: {message}"));
        }
    }
    if parser.problems.is_empty() { Ok(parser.settings) } else { Err(parser.problems) }
}

struct Parser<'a> {
    file: &'a str,
    text: &'a str,
    settings: Vec<Setting>,
    problems: Vec<Problem>,
}

impl Parser<'_> {
    fn table(&mut self, table: &DeTable<'_>, command: &Command, section: &[String]) {
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let below = command.find_subcommand(name).filter(|below| has_flags_of_its_own(below));
            match (below, value.get_ref().as_table()) {
                (Some(below), Some(table)) => {
                    self.table(table, below, &[section, &[name.to_owned()]].concat());
                }
                _ => self.key(key.span().start, name, value, command, section),
            }
        }
    }

    fn key(
        &mut self,
        at: usize,
        name: &str,
        value: &Spanned<DeValue<'_>>,
        command: &Command,
        section: &[String],
    ) {
        let key = match Key::find(command, name) {
            Ok(key) => key,
            Err(NoKey::Typed) => {
                return self
                    .problem(at, format!("--{name} has to be typed each time: it cannot be set here"));
            }
            Err(NoKey::Unknown(meant)) => {
                let of = if section.is_empty() {
                    String::new()
                } else {
                    format!(" of `imdsctl {}`", section.join(" "))
                };
                return self.problem(at, format!("there is no setting {name:?}{of}{}", did_you_mean(meant)));
            }
        };
        let Some(values) = self.values(key.shape, value) else {
            let (expected, found) = (key.shape.words(), kind(value.get_ref()));
            return self.problem(value.span().start, format!("{name} is {expected}, not {found}"));
        };
        for value in &values {
            if let Some(refusal) = key.refusal(name, &value.text) {
                self.problems.push(Problem::new(&value.place, refusal));
            }
        }
        let place = self.place(at);
        self.settings.push(Setting { key: name.to_owned(), section: section.to_owned(), place, values });
    }

    /// The values as they would be typed; nothing where they have another shape.
    fn values(&self, shape: Shape, value: &Spanned<DeValue<'_>>) -> Option<Vec<Value>> {
        let of = |text: Option<String>, value: &Spanned<DeValue<'_>>| {
            text.map(|text| Value { text, place: self.place(value.span().start) })
        };
        let inner = value.get_ref();
        match (shape, inner) {
            (Shape::Switch, DeValue::Boolean(on)) => Some(vec![of(Some(on.to_string()), value)?]),
            (Shape::Count, DeValue::Integer(_)) => {
                let count = text_of(inner).filter(|text| text.parse::<u8>().is_ok());
                Some(vec![of(count, value)?])
            }
            (Shape::Many, DeValue::Array(items)) => {
                items.iter().map(|item| of(text_of(item.get_ref()), item)).collect()
            }
            (Shape::One | Shape::Many, _) => Some(vec![of(text_of(inner), value)?]),
            _ => None,
        }
    }

    fn problem(&mut self, at: usize, message: String) {
        let place = self.place(at);
        self.problems.push(Problem { place, message });
    }

    /// The place of a byte of the file.
    fn place(&self, at: usize) -> Place {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Place::File { file: self.file.to_owned(), line, column }
    }
}

/// Whether a command has a section: `policy` has none, and is a key.
fn has_flags_of_its_own(command: &Command) -> bool {
    settable(command).any(|arg| !arg.is_global_set())
}

/// A string or a whole number as it would be typed.
fn text_of(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.clone().into_owned()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string())
        }
        _ => None,
    }
}

/// What a value is, in words.
fn kind(value: &DeValue<'_>) -> String {
    let words = match value {
        DeValue::Integer(number) => return number.to_string(),
        DeValue::Boolean(on) => return on.to_string(),
        DeValue::String(_) => "a string",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(items) if items.iter().any(|item| text_of(item.get_ref()).is_none()) => {
            "a list of something else"
        }
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    words.to_owned()
}
