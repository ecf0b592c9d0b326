//! What a format is, and which there are.

use std::fmt;
use std::io;
use std::str::FromStr;

use super::{Asff, Csv, Json, Ndjson, Table, TableStyle, View};

/// A way to write a report.
pub trait Format {
    /// Writes the whole document. The same report gives the same bytes.
    fn write(&self, report: &View<'_>, out: &mut dyn io::Write) -> io::Result<()>;
}

/// The formats, by the names that `-o` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReportFormat {
    /// For people on a terminal.
    Table,
    /// The contract, as one object.
    Json,
    /// The contract, one finding a line.
    Ndjson,
    /// One row a finding, for spreadsheets.
    Csv,
    /// AWS Security Finding Format, for Security Hub.
    Asff,
}

impl ReportFormat {
    /// All of them, in the order in which help lists them.
    pub const ALL: &'static [Self] = &[Self::Table, Self::Json, Self::Ndjson, Self::Csv, Self::Asff];

    /// The name that `-o` takes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Asff => "asff",
        }
    }

    /// Its writer. Only the table has a style; what the caller knows of its terminal goes there.
    pub fn writer(self, style: TableStyle) -> Box<dyn Format> {
        match self {
            Self::Table => Box::new(Table { style }),
            Self::Json => Box::new(Json),
            Self::Ndjson => Box::new(Ndjson),
            Self::Csv => Box::new(Csv),
            Self::Asff => Box::new(Asff),
        }
    }
}

impl fmt::Display for ReportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ReportFormat {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let names: Vec<_> = Self::ALL.iter().map(|format| (format.as_str(), *format)).collect();
        by_name(name, &names)
    }
}

/// The format of this name, among those that a command knows.
pub(super) fn by_name<F: Copy>(name: &str, formats: &[(&str, F)]) -> Result<F, UnknownFormat> {
    let found = formats.iter().find(|(known, _)| *known == name);
    found.map(|(_, format)| *format).ok_or_else(|| {
        let known: Vec<_> = formats.iter().map(|(known, _)| *known).collect();
        UnknownFormat { name: name.to_owned(), known: known.join(", ") }
    })
}

/// A format's name that means none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format {name:?}: expected one of {known}")]
pub struct UnknownFormat {
    /// What was given.
    pub name: String,
    /// What could have been.
    pub known: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_found_by_its_name() {
        for format in ReportFormat::ALL {
            assert_eq!(format.to_string().parse(), Ok(*format));
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = "xml\u{1b}".parse::<ReportFormat>().unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"unknown format "xml\u{1b}": expected one of table, json, ndjson, csv, asff"#
        );
    }
}
