//! Reading an inventory file, a line at a time.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, BufRead, Read};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::packing::{Damaged, Unpacked, unpacked};
use super::{Header, Line, SCHEMA};
use crate::model::{AccountId, Coverage, Region};

/// The most bytes of a first line. What has a longer one is no inventory, and is not read on.
const HEADER_BYTES: u64 = 64 << 10;

/// Why a file cannot be judged. The name of the file is for the caller to say.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is something else.
    #[error("{0}")]
    NotAnInventory(String),
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
    /// Part of it is missing, and nobody can tell which.
    #[error("{0}")]
    Incomplete(String),
}

impl ReadError {
    /// Of an input that may be compressed: what is damaged then is not all there.
    fn of(error: io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Damaged>()) {
            Some(damaged) => Self::Incomplete(format!(
                "it is compressed, and damaged or not all there ({damaged}): copy or save it again"
            )),
            None => Self::Io(error),
        }
    }
}

/// Reads the lines behind the first.
pub struct Reader<'i> {
    input: Box<dyn BufRead + 'i>,
    compressed: bool,
    header: Header,
    line: u64,
    scopes: BTreeSet<(AccountId, Region)>,
}

impl<'i> Reader<'i> {
    /// Reads the first line of an input, which may be compressed.
    pub fn new(input: impl BufRead + 'i) -> Result<Self, ReadError> {
        let Unpacked { mut input, compressed } = unpacked(input)?;
        let mut first = Vec::new();
        input.by_ref().take(HEADER_BYTES).read_until(b'\n', &mut first).map_err(ReadError::of)?;
        match header(&first) {
            Ok(header) => Ok(Self { input, compressed, header, line: 1, scopes: BTreeSet::new() }),
            Err(error) => Err(cause(error, &mut input, compressed)),
        }
    }

    /// What the first line says.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The next line. [`Line::End`] is the last, and there is no reading on behind it.
    pub fn next_line(&mut self) -> Result<Line, ReadError> {
        let mut bytes = Vec::new();
        self.input.read_until(b'\n', &mut bytes).map_err(ReadError::of)?;
        self.line += 1;
        if bytes.is_empty() {
            return Err(truncated(self.line));
        }
        let line = match parse(&bytes) {
            Ok(line) => line,
            Err(_) if !bytes.ends_with(b"\n") => return Err(truncated(self.line)),
            Err((column, message)) => {
                let error = self.wrong(column, message);
                return Err(cause(error, &mut self.input, self.compressed));
            }
        };
        match &line {
            Line::Inventory(inventory) => self.note(&inventory.coverage)?,
            Line::Unread(coverage) => self.note(coverage)?,
            Line::End(end) => self.check_end(end.scopes)?,
        }
        Ok(line)
    }

    fn wrong(&self, column: usize, message: String) -> ReadError {
        ReadError::Line { line: self.line, column, message }
    }

    fn note(&mut self, coverage: &Coverage) -> Result<(), ReadError> {
        let scope = (coverage.account_id.clone(), coverage.region.clone());
        if self.scopes.contains(&scope) {
            return Err(self.wrong(1, format!("account {} in {} is there twice", scope.0, scope.1)));
        }
        self.scopes.insert(scope);
        Ok(())
    }

    fn check_end(&mut self, scopes: u64) -> Result<(), ReadError> {
        let found = self.scopes.len() as u64;
        if scopes != found {
            let message = format!("it was saved with {scopes} scopes and holds {found}: lines are missing");
            return Err(ReadError::Incomplete(message));
        }
        if !self.input.fill_buf().map_err(ReadError::of)?.is_empty() {
            self.line += 1;
            return Err(self.wrong(1, "there is something behind the last line of the inventory".to_owned()));
        }
        Ok(())
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("header", &self.header)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// What is wrong with a line of a compressed input may be damage, which is told by the checksum behind it.
fn cause(error: ReadError, input: &mut dyn BufRead, compressed: bool) -> ReadError {
    if compressed && let Err(damage) = io::copy(input, &mut io::sink()) {
        return ReadError::of(damage);
    }
    error
}

fn truncated(line: u64) -> ReadError {
    let message = format!(
        "it breaks off at line {line}, so that what is missing cannot be told: copy or save it again"
    );
    ReadError::Incomplete(message)
}

fn header(first: &[u8]) -> Result<Header, ReadError> {
    #[derive(Deserialize)]
    struct Schema {
        schema: String,
    }

    let other = |message: String| Err(ReadError::NotAnInventory(message));
    match parse::<Schema>(first) {
        Ok(Schema { schema }) if schema == SCHEMA => {}
        Ok(Schema { schema }) if schema.starts_with("imdsctl.inventory/") => {
            return other(format!(
                "it is an inventory of schema {schema:?}, and this imdsctl reads {SCHEMA:?}"
            ));
        }
        Ok(Schema { schema }) => {
            return other(format!("it is not an inventory, but of schema {schema:?}"));
        }
        Err(_) => {
            return other(format!("it is not an inventory: its first line does not say {SCHEMA:?}"));
        }
    }
    parse(first).map_err(|(column, message)| ReadError::Line { line: 1, column, message })
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
