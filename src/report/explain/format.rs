//! The formats of explanations.

use std::io::{self, Write as _};
use std::str::FromStr;

use serde::Serialize as _;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::Explained;
use crate::harmless::Harmless;
use crate::report::{TableStyle, UnknownFormat};

/// The formats of explanations, by the names that `-o` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExplanationFormat {
    /// For people on a terminal.
    Table,
    /// The contract, as one object.
    Json,
}

impl ExplanationFormat {
    const NAMES: [(&'static str, Self); 2] = [("table", Self::Table), ("json", Self::Json)];

    /// Writes the whole document. Only the table has a style.
    pub fn write(self, explained: &Explained, style: TableStyle, out: &mut dyn io::Write) -> io::Result<()> {
        match self {
            Self::Table => super::write_table(explained, style, out),
            Self::Json => write_json(explained, out),
        }
    }
}

/// As harmless to `cat` as the JSON report.
fn write_json(explained: &Explained, out: &mut dyn io::Write) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    explained.serialize(&mut Serializer::with_formatter(&mut out, Harmless(PrettyFormatter::new())))?;
    out.write_all(b"\n")?;
    out.flush()
}

impl FromStr for ExplanationFormat {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found
            .map(|(_, format)| *format)
            .ok_or_else(|| UnknownFormat::new(name, Self::NAMES.iter().map(|(known, _)| *known)))
    }
}
