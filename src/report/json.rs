//! The contract as one JSON object, `summary` last.

use std::io;

use super::{Format, View};
use crate::harmless::write_document;

/// Pretty JSON with a newline at its end.
///
/// Characters that act on a terminal are escaped beyond what JSON asks, so that `cat report.json` is safe;
/// what a parser reads is the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl Format for Json {
    fn write(&self, report: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        write_document(report, out)
    }
}
