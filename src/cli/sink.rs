//! Files that a run writes: tried before the scan, whole or absent at its end, and for their owner only.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Error;

/// As many links as Linux follows.
const MAX_LINKS: usize = 40;

/// Somewhere to write, opened.
#[derive(Debug)]
pub struct Sink {
    path: PathBuf,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// Written beside its path, and renamed when it is whole. Readable by its owner only.
    Beside(NamedTempFile),
    /// A pipe or a device, which cannot be renamed over.
    Stream(File),
}

impl Sink {
    /// Opens a path, and leaves nothing there until it is written.
    pub fn open(path: &Path) -> Result<Self, Error> {
        open(path).map_err(|error| Error::usage(format!("cannot write {}: {error}", path.display())))
    }

    /// Where it leads.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that it is written in, where it is a file.
    pub fn folder(&self) -> Option<&Path> {
        matches!(self.way, Way::Beside(_)).then(|| folder(&self.path))
    }

    /// A nameless file for what is not yet in order, in the same folder where that is possible: there is room for
    /// as much there.
    pub fn spool(&self) -> Result<File, Error> {
        let spool = self.folder().map_or_else(tempfile::tempfile, tempfile::tempfile_in);
        spool.map_err(|error| Error::usage(format!("cannot write beside {}: {error}", self.path.display())))
    }

    /// Writes all of it.
    pub fn write(self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
        let Self { path, way } = self;
        let written = match way {
            Way::Beside(beside) => write_beside(beside, &path, write),
            Way::Stream(mut file) => write_to(&mut file, write),
        };
        written.map_err(|error| Error::Output(format!("cannot write {}: {error}", path.display())))
    }
}

fn write_beside(
    mut beside: NamedTempFile,
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    write_to(beside.as_file_mut(), write)?;
    beside.as_file().sync_all()?;
    beside.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn write_to(file: &mut File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    out.flush()
}

fn open(path: &Path) -> io::Result<Sink> {
    let path = target(path)?;
    let existing = path.metadata().ok();
    if existing.as_ref().is_some_and(std::fs::Metadata::is_dir) {
        return Err(io::Error::other("it is a directory"));
    }
    if existing.is_some_and(|metadata| !metadata.is_file()) {
        let file = OpenOptions::new().write(true).open(&path)?;
        return Ok(Sink { path, way: Way::Stream(file) });
    }
    let folder = folder(&path);
    if !folder.is_dir() {
        return Err(io::Error::other(format!("there is no folder {}", folder.display())));
    }
    let beside = tempfile::Builder::new().prefix(".imdsctl-").tempfile_in(folder)?;
    Ok(Sink { path, way: Way::Beside(beside) })
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Where a path leads. A link is written through, as every other tool would, to a file that is yet to be as well.
fn target(path: &Path) -> io::Result<PathBuf> {
    if path.exists() {
        return path.canonicalize();
    }
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(next) = path.read_link() else { return Ok(path) };
        // Relative to the folder that the link is in; an absolute path replaces it.
        path = path.parent().map_or_else(|| next.clone(), |folder| folder.join(&next));
    }
    Err(io::Error::other("it is a link that leads to itself"))
}
