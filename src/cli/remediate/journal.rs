//! Journals in files: made once, locked while they are written, and for their owner only.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::cli::Error;
use crate::journal::{self, Begin, Entry, Journal, ReadError};

/// A journal in a file, which nobody else writes meanwhile.
#[derive(Debug)]
pub struct JournalFile {
    pub path: PathBuf,
    pub journal: Journal<File>,
}

impl JournalFile {
    /// Begins one. Where nothing says where, in the working directory.
    pub fn create(path: Option<&Path>, begin: Begin) -> Result<Self, Error> {
        let (path, file) = match path {
            Some(path) => (path.to_owned(), make(path)),
            None => make_named(begin.began_at),
        };
        let shown = path.display();
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::usage(format!(
                "{shown} is there already: finish it with --resume {shown}, or name another journal"
            )),
            _ => Error::Output(format!("cannot write the journal {shown}: {error}; nothing was changed")),
        })?;
        lock(&file, &path)?;
        let made = Journal::begin(file, begin).and_then(|journal| {
            // Or the file may be gone with the power, though what is in it is safe.
            File::open(folder(&path))?.sync_all()?;
            Ok(journal)
        });
        match made {
            Ok(journal) => Ok(Self { path, journal }),
            Err(error) => {
                // It says nothing yet, and is of no use to anyone.
                let _ = std::fs::remove_file(&path);
                Err(Error::Output(format!("cannot write the journal {shown}: {error}; nothing was changed")))
            }
        }
    }

    /// Opens one to go on with it. A last line that was not written to its end is taken away.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let shown = path.display();
        let failed = |error: io::Error| Error::usage(format!("cannot open {shown}: {error}"));
        let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(failed)?;
        lock(&file, path)?;
        let (history, whole) = journal::read(BufReader::new(&file)).map_err(|error| wrong(path, error))?;
        file.set_len(whole).and_then(|()| file.seek(SeekFrom::Start(whole))).map_err(failed)?;
        Ok(Self { path: path.to_owned(), journal: Journal::resume(file, history) })
    }

    /// Notes that another run goes on with it.
    pub fn go_on(&mut self) -> Result<(), Error> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let entry = Entry::Resume { at: Timestamp::now(), version };
        self.journal.add(&entry).map_err(|error| {
            Error::Output(format!(
                "cannot write the journal {}: {error}; nothing was changed",
                self.path.display()
            ))
        })
    }
}

fn make(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn make_named(at: Timestamp) -> (PathBuf, io::Result<File>) {
    let time = at.strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut path = PathBuf::from(format!("imdsctl-journal-{time}.ndjson"));
    let mut file = make(&path);
    for number in 2..100 {
        if !matches!(&file, Err(error) if error.kind() == io::ErrorKind::AlreadyExists) {
            break;
        }
        path = PathBuf::from(format!("imdsctl-journal-{time}-{number}.ndjson"));
        file = make(&path);
    }
    (path, file)
}

fn lock(file: &File, path: &Path) -> Result<(), Error> {
    let shown = path.display();
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => Error::usage(format!("another imdsctl is at work with {shown}")),
        TryLockError::Error(error) => Error::usage(format!("cannot lock {shown}: {error}")),
    })
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn wrong(path: &Path, error: ReadError) -> Error {
    let path = path.display();
    match error {
        ReadError::Line { line, column, message } => {
            Error::usage(format!("{path}:{line}:{column}: {message}"))
        }
        ReadError::Io(error) => Error::usage(format!("cannot read {path}: {error}")),
        error => Error::usage(format!("{path}: {error}")),
    }
}
