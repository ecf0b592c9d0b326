//! The folder of an invocation: the one place where anything is written, removed with it.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

const PREFIX: &str = "imdsctl-function-";

/// Whoever lives holds a lock on it.
const LOCK: &str = "lock";

/// A folder that is removed when it is dropped. Only its owner can look into it.
#[derive(Debug)]
pub struct Folder {
    folder: TempDir,
    _lock: File,
}

impl Folder {
    /// Makes one within a folder for such things, and removes what others left there that did not come to their end:
    /// an invocation that takes too long is killed, and the next one finds the disk as it was.
    pub fn make(within: &Path) -> io::Result<Self> {
        for left in left(within)? {
            std::fs::remove_dir_all(left)?;
        }
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(within)?;
        let lock = File::create_new(folder.path().join(LOCK))?;
        lock.try_lock()?;
        Ok(Self { folder, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }
}

/// The folders of invocations that are no more.
fn left(within: &Path) -> io::Result<Vec<PathBuf>> {
    let mut left = Vec::new();
    for entry in within.read_dir()? {
        let entry = entry?;
        let is_ours = |name: &OsStr| name.to_str().is_some_and(|name| name.starts_with(PREFIX));
        if is_ours(&entry.file_name()) && is_left(&entry.path()) {
            left.push(entry.path());
        }
    }
    Ok(left)
}

fn is_left(folder: &Path) -> bool {
    File::open(folder.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(folder: &Path) -> usize {
        folder.read_dir().unwrap().count()
    }

    #[test]
    fn what_a_killed_invocation_left_is_removed_and_what_is_alive_stays() {
        let within = tempfile::tempdir().unwrap();
        let alive = Folder::make(within.path()).unwrap();
        let killed = Folder::make(within.path()).unwrap();
        std::fs::write(killed.file("report.json"), "much").unwrap();
        let Folder { folder, _lock: lock } = killed;
        let path = folder.keep();
        drop(lock);
        std::fs::write(within.path().join("imdsctl-function-of-somebody"), "").unwrap();
        let next = Folder::make(within.path()).unwrap();
        assert!(!path.exists() && alive.path().exists() && next.path().exists());
        drop((alive, next));
        assert_eq!(count(within.path()), 1, "what is not ours");
    }
}
