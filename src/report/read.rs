//! Reading reports, JSON or NDJSON, of any length: findings go from the input to the assembly one at a time.
//!
//! Both are objects one after the other: a JSON report is one, with all the members of a report; an NDJSON report
//! is one for each finding, and some more for the other members. So both are read in one way, which also reads
//! what other tools made of them without changing what they say.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read, Seek, Write};

use serde::de::DeserializeSeed as _;
use serde_json::error::Category;

use super::members::{Members, Object};
use super::spool::Segment;
use super::{Assembly, PolicySummary, Run, ScopeReport};
use crate::model::{AccountId, Region};

/// Why a report cannot be used. The name of the file is for the caller to say.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read.
    #[error("{0}")]
    Io(io::Error),
    /// Its findings cannot be kept.
    #[error("{0}")]
    Store(io::Error),
    /// It is something else.
    #[error("{0}")]
    NotAReport(String),
    /// Something in it is wrong.
    #[error("{message}")]
    Wrong {
        /// In which line, from 1.
        line: usize,
        /// Where in the line, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// Part of it is missing.
    #[error("{0}")]
    Incomplete(String),
    /// Reading was stopped.
    #[error("stopped")]
    Stopped,
}

/// What a report holds, its findings kept in an assembly.
#[derive(Debug)]
pub(super) struct Saved {
    /// What changes from run to run.
    pub run: Run,
    /// The policies that were judged by.
    pub policies: Vec<PolicySummary>,
    /// What was read and what was not.
    pub coverage: Vec<ScopeReport>,
    /// Whether what passed and does not apply is among the findings; nothing where there is no such thing.
    pub lists_passed: Option<bool>,
    pub(super) segments: BTreeMap<(AccountId, Region), Segment>,
    /// The exemptions that had expired, as `policy/exemption`.
    pub(super) expired: Vec<String>,
}

/// Reads a report to its end, until `stopped` says so.
pub(super) fn read<S: Read + Write + Seek>(
    input: impl BufRead,
    assembly: &mut Assembly<S>,
    stopped: &dyn Fn() -> bool,
) -> Result<Saved, ReadError> {
    let mut members = Members::new(assembly, stopped);
    let mut objects = serde_json::Deserializer::from_reader(input);
    loop {
        if let Err(error) = Object(&mut members).deserialize(&mut objects) {
            return Err(wrong(&error, members));
        }
        match objects.end() {
            Ok(()) => return members.finish(),
            // Something stands behind it, which is the next object.
            Err(error) if error.is_syntax() => {}
            Err(error) => return Err(wrong(&error, members)),
        }
    }
}

fn wrong<S>(error: &serde_json::Error, members: Members<'_, S>) -> ReadError {
    if let Some(failure) = members.failed {
        return failure;
    }
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message).to_owned();
    match error.classify() {
        Category::Io => ReadError::Io(io::Error::other(message)),
        Category::Eof if !members.begun => ReadError::NotAReport("it is empty".to_owned()),
        Category::Eof => {
            let line = error.line();
            ReadError::Incomplete(format!("it breaks off at line {line}: copy it, or make it, again"))
        }
        Category::Syntax | Category::Data if members.is_foreign() => {
            ReadError::NotAReport(format!("it is not a report of imdsctl: {message}"))
        }
        Category::Syntax | Category::Data => {
            ReadError::Wrong { line: error.line(), column: error.column().max(1), message }
        }
    }
}
