//! Reports that are read again.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use tempfile::SpooledTempFile;

use crate::report::{Assembled, Merge, MergeError, ReadError};

use super::Error;

/// How much is read at a time.
const CHUNK: usize = 64 << 10;

/// Opens a report; `-` is stdin.
pub fn open(path: &Path) -> Result<Box<dyn BufRead>, Error> {
    if is_stdin(path) {
        return Ok(Box::new(BufReader::with_capacity(CHUNK, io::stdin())));
    }
    let file = File::open(path).map_err(|error| wrong(path, ReadError::Io(error).into()))?;
    Ok(opened(file))
}

/// A file that is open already.
pub fn opened(file: File) -> Box<dyn BufRead> {
    Box::new(BufReader::with_capacity(CHUNK, file))
}

/// Stdin can be read once.
pub fn check_stdin<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Result<(), Error> {
    match paths.into_iter().filter(|path| is_stdin(path)).count() {
        0 | 1 => Ok(()),
        _ => Err(Error::usage("two reports cannot both come from stdin")),
    }
}

/// Whether there is no such file.
pub fn is_missing(path: &Path) -> bool {
    !is_stdin(path) && path.metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// Reads a report of this name whole, its findings kept in `store`; beside it stands whether it lists what passed.
pub fn read(
    input: Box<dyn BufRead>,
    path: &Path,
    store: SpooledTempFile,
    stopped: &dyn Fn() -> bool,
) -> Result<(Assembled<SpooledTempFile>, bool), Error> {
    let mut merge = Merge::new(store);
    merge.add(input, stopped).map_err(|error| wrong(path, error))?;
    let lists_passed = merge.lists_passed();
    let version = merge.version().to_owned();
    Ok((finish(merge, &version)?, lists_passed))
}

/// What was read, as of this version of imdsctl.
pub fn whole(merge: Merge<SpooledTempFile>) -> Result<Assembled<SpooledTempFile>, Error> {
    finish(merge, env!("CARGO_PKG_VERSION"))
}

fn finish(merge: Merge<SpooledTempFile>, version: &str) -> Result<Assembled<SpooledTempFile>, Error> {
    let report = merge.finish(version).ok_or_else(|| Error::usage("there is no report to read"))?;
    report.map_err(|error| Error::kept(&error))
}

/// What is wrong with a report, and where.
pub fn wrong(path: &Path, error: MergeError) -> Error {
    let path = if is_stdin(path) { "stdin".into() } else { path.to_string_lossy() };
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
