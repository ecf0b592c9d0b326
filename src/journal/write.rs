//! Writing a journal: each line is on the disk before anything goes on.

use std::fs::File;
use std::io::{self, Write};

use super::{Begin, Entry, History};
use crate::harmless::write_line;

/// What a journal is written to.
pub trait Medium: Write {
    /// Returns when all that was written is where it outlives the machine's power.
    fn sync(&mut self) -> io::Result<()>;
}

impl Medium for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// A journal that is being written, and what it comes to so far.
#[derive(Debug)]
pub struct Journal<M> {
    medium: M,
    history: History,
    /// Why a line could not be written. None is written behind it: only a last line may be in pieces.
    broken: Option<String>,
}

impl<M: Medium> Journal<M> {
    /// Begins one, on an empty medium.
    pub fn begin(mut medium: M, begin: Begin) -> io::Result<Self> {
        put(&mut medium, &Entry::Begin(Box::new(begin.clone())))?;
        Ok(Self { medium, history: History::new(begin), broken: None })
    }

    /// Goes on with one, on a medium that is at the end of its last whole line.
    pub const fn resume(medium: M, history: History) -> Self {
        Self { medium, history, broken: None }
    }

    /// What it comes to so far.
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// Adds a line, and returns when it is safe. A line that could not be written counts for nothing.
    pub fn add(&mut self, entry: &Entry) -> io::Result<()> {
        if let Some(broken) = &self.broken {
            return Err(io::Error::other(broken.clone()));
        }
        put(&mut self.medium, entry).inspect_err(|error| self.broken = Some(error.to_string()))?;
        // Only a mistake of imdsctl's writes what cannot stand there, and nothing may be done after one.
        self.history.add(entry).map_err(|wrong| {
            self.broken = Some(wrong.clone());
            io::Error::other(wrong)
        })
    }
}

/// One write, so that no line is begun that is not ended unless the medium is full.
fn put(medium: &mut impl Medium, entry: &Entry) -> io::Result<()> {
    let mut line = Vec::new();
    write_line(entry, &mut line)?;
    medium.write_all(&line)?;
    medium.sync()
}

#[cfg(test)]
impl<M> Journal<M> {
    pub(super) fn into_medium(self) -> M {
        self.medium
    }

    pub(super) const fn medium_mut(&mut self) -> &mut M {
        &mut self.medium
    }
}
