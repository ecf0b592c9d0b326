//! The contract as one JSON object, `summary` last.

use std::io::{self, Write as _};

use serde::Serialize as _;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::{Format, View};
use crate::harmless::Harmless;

/// Pretty JSON with a newline at its end.
///
/// Characters that act on a terminal are escaped beyond what JSON asks, so that `cat report.json` is safe;
/// what a parser reads is the same.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl Format for Json {
    fn write(&self, report: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        let mut out = io::BufWriter::new(out);
        report.serialize(&mut Serializer::with_formatter(&mut out, Harmless(PrettyFormatter::new())))?;
        out.write_all(b"\n")?;
        out.flush()
    }
}
