//! The formats of plans.

use std::io;
use std::str::FromStr;

use super::PlanView;
use crate::harmless::write_document;
use crate::report::format::by_name;
use crate::report::{TableStyle, UnknownFormat};

/// The formats of plans, by the names that `-o` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanFormat {
    /// For people on a terminal.
    Table,
    /// The contract, as one object: what `--plan` reads again.
    Json,
}

impl PlanFormat {
    const NAMES: [(&'static str, Self); 2] = [("table", Self::Table), ("json", Self::Json)];

    /// Writes the whole document. Only the table has a style, and says what a rehearsal came to.
    pub fn write(self, view: &PlanView<'_>, style: TableStyle, out: &mut dyn io::Write) -> io::Result<()> {
        match self {
            Self::Table => super::write_table(view, style, out),
            Self::Json => write_document(&view.plan, out),
        }
    }
}

impl FromStr for PlanFormat {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        by_name(name, &Self::NAMES)
    }
}
