//! Reading a journal.

use std::io::{self, BufRead};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Begin, Entry, History, SCHEMA};

/// Why a journal cannot be gone by. The name of the file is for the caller to say.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is something else.
    #[error("{0}")]
    NotAJournal(String),
    /// It was cut off before its first line was written, and so before anything was changed.
    #[error("it breaks off in its first line: nothing was changed under it")]
    NotBegun,
    /// A line of it is wrong.
    #[error("{message}")]
    Line {
        /// Which, from 1.
        line: u64,
        /// Where in the line, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
}

/// Reads a journal to its end: what it comes to, and how many bytes of it are whole lines.
///
/// A last line that was not written to its end counts for nothing. It was not on the disk when the run was cut off, and
/// so what it announces was not sent, or what it tells can be asked of AWS. Anything else that is wrong is an error.
pub fn read(mut input: impl BufRead) -> Result<(History, u64), ReadError> {
    let mut line = Vec::new();
    input.read_until(b'\n', &mut line)?;
    if !line.ends_with(b"\n") {
        return Err(if looks_like_ours(&line) { ReadError::NotBegun } else { other(&line) });
    }
    let mut history = History::new(begin(&line)?);
    let mut whole = line.len() as u64;
    for number in 2.. {
        line.clear();
        input.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            break;
        }
        let wrong = |(column, message)| ReadError::Line { line: number, column, message };
        let entry = parse(&line).map_err(wrong)?;
        history.add(&entry).map_err(|message| wrong((1, message)))?;
        whole += line.len() as u64;
    }
    Ok((history, whole))
}

/// Whether a text is the beginning of a journal, however short.
fn looks_like_ours(line: &[u8]) -> bool {
    let start = format!(r#"{{"entry":"begin","schema":"{SCHEMA}""#);
    let shorter = line.len().min(start.len());
    line[..shorter] == start.as_bytes()[..shorter]
}

fn begin(line: &[u8]) -> Result<Begin, ReadError> {
    #[derive(Deserialize)]
    struct Schema {
        schema: String,
    }

    match parse::<Schema>(line) {
        Ok(Schema { schema }) if schema == SCHEMA => {}
        Ok(Schema { schema }) if schema.starts_with("imdsctl.journal/") => {
            let message = format!("it is a journal of schema {schema:?}, and this imdsctl reads {SCHEMA:?}");
            return Err(ReadError::NotAJournal(message));
        }
        _ => return Err(other(line)),
    }
    let wrong = |(column, message)| ReadError::Line { line: 1, column, message };
    match parse(line).map_err(wrong)? {
        Entry::Begin(begin) => Ok(*begin),
        _ => Err(other(line)),
    }
}

fn other(line: &[u8]) -> ReadError {
    #[derive(Deserialize)]
    struct Schema {
        schema: String,
    }

    ReadError::NotAJournal(match parse::<Schema>(line) {
        Ok(Schema { schema }) => format!("it is not a journal, but of schema {schema:?}"),
        Err(_) => format!("it is not a journal: its first line does not say {SCHEMA:?}"),
    })
}

/// A line, or the column of what is wrong with it and why.
fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, (usize, String)> {
    serde_json::from_slice(line).map_err(|error| {
        let text = error.to_string();
        // Each line is a document of its own, so where serde_json says "line 1" that is not the file's.
        let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
        (error.column().max(1), message.to_owned())
    })
}
