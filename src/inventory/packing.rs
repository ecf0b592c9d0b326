//! Compression with zstd: told by the first bytes of a file, whatever it is called.
//!
//! A file is a sequence of frames, one a line, each with a checksum. That any zstd reads, and a line can be
//! packed as it comes, so that what is not yet in order takes no more room than the file will.

use std::io::{self, BufRead, BufReader, Cursor, Read, Write};

/// The level that zstd takes by default: these files shrink to a tenth, and it costs next to nothing.
const LEVEL: i32 = 3;

/// The first bytes of a frame.
const FRAME: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The last three of the first four bytes of a frame without content, which some compressors begin with.
const SKIPPED: [u8; 3] = [0x2a, 0x4d, 0x18];

/// What is compressed is damaged, or breaks off.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Damaged(String);

/// What is written by `write`, as one frame.
pub(super) fn packed(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Vec<u8>> {
    let mut frame = zstd::Encoder::new(Vec::new(), LEVEL)?;
    frame.include_checksum(true)?;
    write(&mut frame)?;
    frame.finish()
}

/// An input, unpacked where it is compressed.
pub(super) struct Unpacked<'i> {
    /// What it holds.
    pub input: Box<dyn BufRead + 'i>,
    /// Whether it is compressed.
    pub compressed: bool,
}

/// Unpacks an input where it is compressed.
pub(super) fn unpacked<'i>(mut input: impl BufRead + 'i) -> io::Result<Unpacked<'i>> {
    // A pipe may give less than it was asked for.
    let mut first = Vec::with_capacity(FRAME.len());
    input.by_ref().take(FRAME.len() as u64).read_to_end(&mut first)?;
    let compressed = first == FRAME || (first.ends_with(&SKIPPED) && first[0] >> 4 == 5);
    let whole = Cursor::new(first).chain(input);
    if !compressed {
        return Ok(Unpacked { input: Box::new(whole), compressed });
    }
    let unpacked = zstd::Decoder::with_buffer(whole)?;
    Ok(Unpacked { input: Box::new(BufReader::new(Telling(unpacked))), compressed })
}

/// Tells damage from a file that cannot be read.
struct Telling<R>(R);

impl<R: Read> Read for Telling<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.raw_os_error() {
            Some(_) => error,
            None => io::Error::new(io::ErrorKind::InvalidData, Damaged(error.to_string())),
        })
    }
}
