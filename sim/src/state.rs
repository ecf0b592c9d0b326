//! The state file: the world between two runs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::fleet::Fleet;
use crate::world::World;

const FORMAT: &str = "imdsctl-sim/v1";

/// A state file that cannot be used. It is left as it is.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be read.
    #[error("cannot read the state file {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not one of ours, or damaged.
    #[error(
        "{path} is not a state file of the simulated AWS, or is damaged: {message}; remove it to start afresh"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was found.
        message: String,
    },
    /// It belongs to another fleet, or to another version of this one.
    #[error(
        "the state file {path} was made from another fleet ({found}, not {wanted}); remove it to start afresh"
    )]
    OtherFleet {
        /// The file.
        path: PathBuf,
        /// The fleet it was made from.
        found: String,
        /// The fleet that is being started.
        wanted: String,
    },
    /// It cannot be written.
    #[error("cannot write the state file {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: String,
    fleet: String,
    fingerprint: String,
    world: World,
}

#[derive(Serialize)]
struct Storing<'w> {
    format: &'static str,
    fleet: &'w str,
    fingerprint: &'w str,
    world: &'w World,
}

/// Where the world of a fleet is kept.
#[derive(Debug, Clone)]
pub struct StateFile {
    path: PathBuf,
    fleet: String,
    fingerprint: String,
}

impl StateFile {
    /// For a fleet.
    pub fn new(path: PathBuf, fleet: &Fleet) -> Self {
        Self { path, fleet: fleet.name.clone(), fingerprint: fleet.fingerprint.clone() }
    }

    /// The world that was kept, if there is one.
    pub fn load(&self) -> Result<Option<World>, StateError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StateError::Read { path: self.path.clone(), source }),
        };
        let foreign = |message: String| StateError::Foreign { path: self.path.clone(), message };
        let stored: Stored = serde_json::from_slice(&text).map_err(|error| foreign(error.to_string()))?;
        if stored.format != FORMAT {
            return Err(foreign(format!("its format is {:?}, not {FORMAT:?}", stored.format)));
        }
        if stored.fingerprint != self.fingerprint {
            return Err(StateError::OtherFleet {
                path: self.path.clone(),
                found: format!("{} {}", stored.fleet, stored.fingerprint),
                wanted: format!("{} {}", self.fleet, self.fingerprint),
            });
        }
        Ok(Some(stored.world))
    }

    /// Keeps a world: written beside and renamed, so that the file is whole or the old one.
    pub fn save(&self, world: &World) -> Result<(), StateError> {
        let stored = Storing { format: FORMAT, fleet: &self.fleet, fingerprint: &self.fingerprint, world };
        let written =
            serde_json::to_vec(&stored).map_err(io::Error::other).and_then(|text| replace(&self.path, &text));
        written.map_err(|source| StateError::Write { path: self.path.clone(), source })
    }
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    let written =
        write_new(&beside, text).and_then(|()| fs::rename(&beside, path)).and_then(|()| sync_folder(path));
    if written.is_err() {
        // The error that matters is the first one.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn write_new(path: &Path, text: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private(OpenOptions::new().write(true).create_new(true)).open(path)?;
    file.write_all(text)?;
    File::sync_all(&file)
}

/// The new name of a file is on the disk when its folder is.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same function as on Unix, where it can fail")]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}
