//! The formats of plans.

use std::io::{self, Write as _};
use std::str::FromStr;

use serde::Serialize as _;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::PlanView;
use crate::harmless::Harmless;
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
            Self::Json => write_json(view, out),
        }
    }
}

/// As harmless to `cat` as the JSON report.
fn write_json(view: &PlanView<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    view.plan.serialize(&mut Serializer::with_formatter(&mut out, Harmless(PrettyFormatter::new())))?;
    out.write_all(b"\n")?;
    out.flush()
}

impl FromStr for PlanFormat {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found
            .map(|(_, format)| *format)
            .ok_or_else(|| UnknownFormat::new(name, Self::NAMES.iter().map(|(known, _)| *known)))
    }
}
