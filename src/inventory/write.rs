//! Writing an inventory file: by account and Region, in whatever order the inventories come.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};

use serde::Serialize;

use super::packing::packed;
use super::{End, Header, Reading};
use crate::harmless::write_line;
use crate::model::{AccountId, Coverage, Inventory, Region};

/// Collects the lines of a file in a spool, so that none is held in memory, and puts them in order at the end.
#[derive(Debug)]
pub struct Writer<S> {
    spool: S,
    compressed: bool,
    length: u64,
    /// Where in the spool the line of each scope is, and how long.
    lines: BTreeMap<(AccountId, Region), (u64, u64)>,
}

/// [`super::Line`], borrowed.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Line<'a> {
    Inventory(&'a Inventory),
    Unread(&'a Coverage),
    End(&'a End),
}

impl<S: Read + Write + Seek> Writer<S> {
    /// Begins with an empty spool.
    pub const fn new(spool: S, compressed: bool) -> Self {
        Self { spool, compressed, length: 0, lines: BTreeMap::new() }
    }

    /// Adds what was read of a scope.
    pub fn inventory(&mut self, inventory: &Inventory) -> io::Result<()> {
        self.add(&inventory.coverage, &Line::Inventory(inventory))
    }

    /// Adds a scope that was not read.
    pub fn unread(&mut self, coverage: &Coverage) -> io::Result<()> {
        self.add(coverage, &Line::Unread(coverage))
    }

    fn add(&mut self, coverage: &Coverage, line: &Line<'_>) -> io::Result<()> {
        let line = self.bytes(line)?;
        self.spool.write_all(&line)?;
        let length = line.len() as u64;
        let scope = (coverage.account_id.clone(), coverage.region.clone());
        self.lines.insert(scope, (self.length, length));
        self.length += length;
        Ok(())
    }

    /// Writes the whole file.
    pub fn finish(mut self, header: &Header, reading: Reading, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&self.bytes(header)?)?;
        for (start, length) in self.lines.values() {
            self.spool.seek(SeekFrom::Start(*start))?;
            let copied = io::copy(&mut Read::take(&mut self.spool, *length), out)?;
            if copied != *length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let end = End { scopes: self.lines.len() as u64, reading };
        out.write_all(&self.bytes(&Line::End(&end))?)
    }

    fn bytes(&self, line: &impl Serialize) -> io::Result<Vec<u8>> {
        if self.compressed {
            return packed(|out| write_line(line, out));
        }
        let mut bytes = Vec::new();
        write_line(line, &mut bytes)?;
        Ok(bytes)
    }
}
