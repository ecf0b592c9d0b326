//! Finding a policy by name or path, and reading it.

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Policy;
use super::schema::RawPolicy;
use super::validate::validate;
use crate::yaml::{self, Misread};

/// The policies in the binary: name and text.
pub const SHIPPED: &[(&str, &str)] = &[
    ("al2023", include_str!("../../policies/al2023.yaml")),
    ("hardened", include_str!("../../policies/hardened.yaml")),
    ("imdsv2", include_str!("../../policies/imdsv2.yaml")),
];

/// The most that a policy file may hold, in bytes. Real ones are a few kilobytes.
const MAX_BYTES: u64 = 1 << 20;

/// Why a policy could not be had.
#[derive(Debug, Error)]
pub enum LoadError {
    /// It is neither a shipped policy nor a file.
    #[error(
        "there is no policy {name:?}: it is neither a file nor one of the shipped policies ({})",
        names()
    )]
    Missing {
        /// What was asked for.
        name: String,
    },
    /// The file could not be read.
    #[error("cannot read the policy {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not a policy.
    #[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Invalid {
        /// All that is wrong with it.
        problems: Vec<Problem>,
    },
}

/// One thing that is wrong with a policy, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, or the name of a shipped policy.
    pub origin: String,
    /// The line, from 1; 0 where there is none to name.
    pub line: u64,
    /// The column, from 1.
    pub column: u64,
    /// What is wrong and what was expected.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.origin)?;
        if self.line > 0 {
            write!(f, "{}:{}:", self.line, self.column)?;
        }
        write!(f, " {}", self.message)
    }
}

/// A policy by the name of a shipped one, else by its path.
///
/// # Errors
/// When there is no such policy, when its file cannot be read, and when it is not a policy.
pub fn load(name_or_path: &str) -> Result<Policy, LoadError> {
    if let Some(policy) = shipped(name_or_path) {
        return policy;
    }
    let path = Path::new(name_or_path);
    let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
    let metadata = match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(LoadError::Missing { name: name_or_path.to_owned() });
        }
        metadata => metadata.map_err(unreadable)?,
    };
    if metadata.len() > MAX_BYTES {
        return Err(unreadable(std::io::Error::other("it is larger than 1 MiB")));
    }
    parse(name_or_path, &std::fs::read_to_string(path).map_err(unreadable)?)
}

/// A shipped policy.
pub fn shipped(name: &str) -> Option<Result<Policy, LoadError>> {
    let (name, text) = SHIPPED.iter().find(|(shipped, _)| *shipped == name)?;
    Some(parse(name, text))
}

/// Reads a policy; `origin` is what errors call it.
///
/// # Errors
/// When it is not a policy: with every problem that could be told.
pub fn parse(origin: &str, text: &str) -> Result<Policy, LoadError> {
    let raw: RawPolicy = yaml::read(text).map_err(|Misread { line, column, message }| {
        let problem = Problem { origin: origin.to_owned(), line, column, message };
        LoadError::Invalid { problems: vec![problem] }
    })?;
    validate(origin, text, raw).map_err(|problems| LoadError::Invalid { problems })
}

fn names() -> String {
    SHIPPED.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}
