//! `IMDSCTL_*`: one environment variable for each setting.

use std::ffi::{OsStr, OsString};

use clap::Command;

use super::key::{Key, NoKey, Shape, did_you_mean};
use super::{Note, Place, Problem, Setting, Value};

const PREFIX: &str = "IMDSCTL_";

/// The variable of a setting.
pub fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('-', "_").to_ascii_uppercase())
}

/// The settings among all variables. One that is no setting may be for something else, and is only told.
pub fn parse(
    all: impl IntoIterator<Item = (OsString, OsString)>,
    root: &Command,
) -> Result<(Vec<Setting>, Vec<Note>), Vec<Problem>> {
    let mut ours: Vec<(String, OsString)> =
        all.into_iter().filter_map(|(name, value)| Some((ours(&name)?, value))).collect();
    ours.sort();
    let (mut settings, mut notes, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for (name, value) in ours {
        let key = name[PREFIX.len()..].replace('_', "-").to_ascii_lowercase();
        let place = Place::Variable(name.clone());
        match Key::find(root, &key) {
            Err(NoKey::Typed) => {
                problems.push(Problem::new(
                    &place,
                    format!("--{key} has to be typed each time: it cannot be set"),
                ));
            }
            Err(NoKey::Unknown(meant)) => notes.push(unknown(&name, meant)),
            // As scripts say that there is none.
            Ok(_) if value.is_empty() => {}
            Ok(found) => match values(&found, &key, &value) {
                Ok(values) => {
                    let value = |text| Value { text, place: place.clone() };
                    let values = values.into_iter().map(value).collect();
                    settings.push(Setting { key, section: Vec::new(), place, values });
                }
                Err(message) => problems.push(Problem { place, message }),
            },
        }
    }
    if problems.is_empty() { Ok((settings, notes)) } else { Err(problems) }
}

fn ours(name: &OsStr) -> Option<String> {
    name.to_str().filter(|name| name.starts_with(PREFIX)).map(str::to_owned)
}

fn unknown(name: &str, meant: Option<String>) -> Note {
    let meant = did_you_mean(meant.map(|key| variable(&key)));
    Note::UnknownVariable(format!("the variable {name} is no setting of imdsctl{meant}"))
}

/// The values as they would be typed, or what is wrong with them.
fn values(key: &Key<'_>, name: &str, value: &OsStr) -> Result<Vec<String>, String> {
    let text = value.to_str().ok_or("it is not UTF-8")?;
    let values = match key.shape {
        Shape::Switch => match text {
            "true" | "1" => vec!["true".to_owned()],
            "false" | "0" => vec!["false".to_owned()],
            _ => return Err(format!("{name} is {}, not {text:?}", key.shape.words())),
        },
        Shape::Count if text.parse::<u8>().is_err() => {
            return Err(format!("{name} is {}, not {text:?}", key.shape.words()));
        }
        Shape::Count | Shape::One => vec![text.to_owned()],
        Shape::Many => {
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
        }
    };
    match values.iter().find_map(|value| key.refusal(name, value)) {
        Some(refusal) => Err(refusal),
        None => Ok(values),
    }
}
