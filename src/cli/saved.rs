//! Reports that are read again.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::report::{MergeError, ReadError};

use super::Error;

/// Opens a report.
pub fn open(path: &Path) -> Result<BufReader<File>, Error> {
    let file = File::open(path).map_err(|error| wrong(path, ReadError::Io(error).into()))?;
    Ok(BufReader::with_capacity(64 << 10, file))
}

/// What is wrong with a report, and where.
pub fn wrong(path: &Path, error: MergeError) -> Error {
    let path = path.display();
    match error {
        MergeError::Read(ReadError::Io(error)) => Error::usage(format!("cannot read {path}: {error}")),
        MergeError::Read(ReadError::Wrong { line, column, message }) => {
            Error::usage(format!("{path}:{line}:{column}: {message}"))
        }
        MergeError::Read(ReadError::Incomplete(message)) => Error::Incomplete(format!("{path}: {message}")),
        MergeError::Read(ReadError::Store(error)) => Error::kept(&error),
        MergeError::Read(ReadError::Stopped) => Error::Interrupted("all reports were read"),
        error => Error::usage(format!("{path}: {error}")),
    }
}
