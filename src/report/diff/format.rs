//! The formats of comparisons.

use std::io::{self, Write as _};
use std::str::FromStr;

use serde::ser::{Error as _, SerializeSeq as _};
use serde::{Serialize, Serializer};

use super::{Compared, DIFF_SCHEMA, Diff, DiffSummary, PolicyChange, ScopeChange, table};
use crate::harmless::{buffered, write_document, write_line};
use crate::report::format::by_name;
use crate::report::{TableStyle, UnknownFormat};

/// The formats of comparisons, by the names that `-o` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffFormat {
    /// For people on a terminal.
    Table,
    /// The contract, as one object.
    Json,
    /// The contract, one change a line.
    Ndjson,
}

impl DiffFormat {
    const NAMES: [(&'static str, Self); 3] =
        [("table", Self::Table), ("json", Self::Json), ("ndjson", Self::Ndjson)];

    /// Writes the whole document. Only the table has a style.
    pub fn write(self, diff: &Diff<'_>, style: TableStyle, out: &mut dyn io::Write) -> io::Result<()> {
        let mut out = buffered(out);
        match self {
            Self::Table => table::write(diff, style, &mut out)?,
            Self::Json => json(diff, &mut out)?,
            Self::Ndjson => ndjson(diff, &mut out)?,
        }
        out.flush()
    }
}

impl FromStr for DiffFormat {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        by_name(name, &Self::NAMES)
    }
}

/// A [`Difference`](super::Difference) to be written, member by member as there.
#[derive(Serialize)]
struct Document<'d, 'a> {
    schema: &'static str,
    earlier: Compared,
    later: Compared,
    changes: Changes<'d, 'a>,
    scopes: Vec<ScopeChange>,
    policies: Vec<PolicyChange>,
    summary: &'d DiffSummary,
}

/// The changes, one by one.
struct Changes<'d, 'a>(&'d Diff<'a>);

impl Serialize for Changes<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(None)?;
        for change in self.0.changes() {
            sequence.serialize_element(&change.map_err(S::Error::custom)?)?;
        }
        sequence.end()
    }
}

fn json(diff: &Diff<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let document = Document {
        schema: DIFF_SCHEMA,
        earlier: Compared::of(diff.before()),
        later: Compared::of(diff.after()),
        changes: Changes(diff),
        scopes: diff.scopes(),
        policies: diff.policies(),
        summary: diff.summary(),
    };
    write_document(&document, out)
}

/// The lines behind the changes. The summary is last, so a file that ends with it is whole.
#[derive(Serialize)]
#[serde(untagged)]
enum Rest<'d> {
    Head { schema: &'static str, earlier: Compared, later: Compared },
    Scopes { scopes: Vec<ScopeChange>, policies: Vec<PolicyChange> },
    Summary { summary: &'d DiffSummary },
}

fn ndjson(diff: &Diff<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for change in diff.changes() {
        write_line(&change?, out)?;
    }
    let (earlier, later) = (Compared::of(diff.before()), Compared::of(diff.after()));
    let (scopes, policies) = (diff.scopes(), diff.policies());
    for rest in [
        Rest::Head { schema: DIFF_SCHEMA, earlier, later },
        Rest::Scopes { scopes, policies },
        Rest::Summary { summary: diff.summary() },
    ] {
        write_line(&rest, out)?;
    }
    Ok(())
}
