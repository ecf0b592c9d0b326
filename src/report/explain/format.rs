//! The formats of explanations.

use std::io;
use std::str::FromStr;

use super::Explained;
use crate::harmless::write_document;
use crate::report::format::by_name;
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
            Self::Json => write_document(explained, out),
        }
    }
}

impl FromStr for ExplanationFormat {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        by_name(name, &Self::NAMES)
    }
}
