//! Where the findings of a report in the making are kept: in lines, a segment a scope, wherever the caller wants them.
//! An audit of a whole organisation finds more than fits in memory.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::ops::Range;

use super::Summary;
use crate::finding::Finding;
use crate::harmless::write_line;

/// How many bytes are written and read at a time.
const CHUNK: usize = 64 << 10;

/// Findings in lines.
#[derive(Debug)]
pub struct Spool<S> {
    /// Reading moves where the next byte comes from, and reports are read while they are only borrowed.
    store: RefCell<S>,
    /// What is yet to be written to it.
    pending: Vec<u8>,
    /// How many bytes were added, the pending ones included.
    length: u64,
    /// Where the segment begins that is being added.
    start: u64,
    tally: Summary,
}

/// Findings that were added one after the other, and how they count.
#[derive(Clone, Debug, Default)]
pub struct Segment {
    pub(super) range: Range<u64>,
    pub(super) tally: Summary,
}

impl<S: Read + Write + Seek> Spool<S> {
    /// Begins with an empty store.
    pub fn new(store: S) -> Self {
        let store = RefCell::new(store);
        Self { store, pending: Vec::new(), length: 0, start: 0, tally: Summary::default() }
    }

    /// Adds a finding. Those of a segment are added in order.
    pub fn add(&mut self, finding: &Finding) -> io::Result<()> {
        let before = self.pending.len();
        write_line(finding, &mut self.pending)?;
        self.length += (self.pending.len() - before) as u64;
        self.tally.count(finding);
        if self.pending.len() < CHUNK { Ok(()) } else { self.flush() }
    }

    /// Ends a segment: all that was added since the last.
    pub fn segment(&mut self) -> Segment {
        let range = self.start..self.length;
        self.start = self.length;
        Segment { range, tally: std::mem::take(&mut self.tally) }
    }

    /// Writes what is pending; what was added can be read from then on.
    pub fn flush(&mut self) -> io::Result<()> {
        let store = self.store.get_mut();
        store.write_all(&self.pending)?;
        self.pending.clear();
        store.flush()
    }

    /// Writes the lines of a segment as they are.
    pub fn copy(&self, range: Range<u64>, out: &mut dyn Write) -> io::Result<()> {
        let mut lines = BufReader::with_capacity(CHUNK, Part { store: &self.store, range });
        io::copy(&mut lines, out).map(|_| ())
    }

    /// The findings of a segment.
    pub fn read(&self, range: Range<u64>) -> impl Iterator<Item = io::Result<Cow<'_, Finding>>> + use<'_, S> {
        let mut lines = BufReader::with_capacity(CHUNK, Part { store: &self.store, range });
        let mut line = Vec::new();
        std::iter::from_fn(move || {
            line.clear();
            match lines.read_until(b'\n', &mut line) {
                Ok(0) => None,
                Ok(_) => Some(serde_json::from_slice(&line).map(Cow::Owned).map_err(io::Error::from)),
                Err(error) => Some(Err(error)),
            }
        })
    }
}

/// A part of a store.
struct Part<'s, S> {
    store: &'s RefCell<S>,
    range: Range<u64>,
}

impl<S: Read + Seek> Read for Part<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.range.end - self.range.start).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        let mut store = self.store.borrow_mut();
        store.seek(SeekFrom::Start(self.range.start))?;
        let read = store.read(&mut buffer[..wanted])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.range.start += read as u64;
        Ok(read)
    }
}
