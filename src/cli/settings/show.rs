//! `imdsctl settings`: what is set for a command, and where.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory};

use crate::exit::Exit;
use crate::harmless::write_line;

use super::key::{Shape, Use, did_you_mean, is_secret, nearest, use_of};
use super::layers::{Chosen, Layers};
use super::{Cli, Error, wrong};
use crate::cli::console::Console;

/// The column at which it says where a setting comes from.
const PLACE_COLUMN: usize = 40;

/// Show what settings files and variables set for a command, and where. What is not set is commented out.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The command, as it is typed.
    #[arg(value_name = "COMMAND", default_value = "audit")]
    command: Vec<String>,
}

/// Shows them, as a settings file that would say the same.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Error> {
    let mut root = Cli::command();
    root.build();
    let command = args.command.iter().try_fold(&root, |command, name| below(command, name))?;
    let layers = Layers::read(&root)?;
    let chosen = layers.choose(command, &args.command, &[]).map_err(wrong)?;
    let mut text = String::new();
    for arg in command.get_arguments() {
        if let (Use::Set(shape), Some(key)) = (use_of(arg), arg.get_long()) {
            let chosen = chosen.iter().find(|chosen| chosen.id == *arg.get_id());
            let _ = writeln!(text, "{}", line(key, shape, arg, chosen)?);
        }
    }
    console.write_stdout(text.as_bytes())?;
    Ok(Exit::Success)
}

fn below<'a>(command: &'a Command, name: &str) -> Result<&'a Command, Error> {
    command.find_subcommand(name).ok_or_else(|| {
        let meant = nearest(name, command.get_subcommands().map(Command::get_name));
        Error::usage(format!("there is no command {name:?}{}", did_you_mean(meant)))
    })
}

fn line(key: &str, shape: Shape, arg: &Arg, chosen: Option<&Chosen<'_>>) -> Result<String, Error> {
    let (values, place) = match chosen {
        Some(chosen) if !chosen.setting.values.is_empty() => {
            (chosen.texts(), chosen.setting.place.to_string())
        }
        _ => {
            let defaults = arg.get_default_values().iter();
            (defaults.map(|value| value.to_string_lossy().into_owned()).collect(), "default".to_owned())
        }
    };
    let value = match &values[..] {
        [] => return Ok(format!("# {key}")),
        _ if is_secret(arg) => {
            return Ok(format!("# {:<1$} # {place}", format!("{key} is not shown"), PLACE_COLUMN - 2));
        }
        [value] if matches!(shape, Shape::Switch | Shape::Count) => value.clone(),
        [value] if shape == Shape::One => match value.parse::<u32>() {
            Ok(number) => number.to_string(),
            Err(_) => quoted(value)?,
        },
        values => format!(
            "[{}]",
            values.iter().map(|value| quoted(value)).collect::<Result<Vec<_>, _>>()?.join(", ")
        ),
    };
    Ok(format!("{:<PLACE_COLUMN$} # {place}", format!("{key} = {value}")))
}

/// A string as TOML and JSON both write it.
fn quoted(text: &str) -> Result<String, Error> {
    let mut line = Vec::new();
    write_line(&text, &mut line).map_err(|error| Error::Bug(error.to_string()))?;
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}
