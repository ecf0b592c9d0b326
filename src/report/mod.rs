//! Reports: one file a format, each a pure function from a [`Report`] to bytes.
//!
//! Nothing here prints, reads the environment or looks at a clock. Text that comes from outside (names, tag
//! values, messages of AWS) goes through `text` on its way to a format that a terminal or a spreadsheet
//! shows, and findings are put together into [`problems`] for the formats that people read.

mod contract;
mod csv;
mod explain;
mod format;
mod json;
mod ndjson;
pub mod problems;
mod schema;
mod table;
mod text;
mod words;

pub use contract::{PolicySummary, Report, Run, SCHEMA, Summary};
pub use csv::Csv;
pub use explain::{EXPLANATION_SCHEMA, Explained, ExplanationFormat, MOST};
pub use format::{Format, ReportFormat, UnknownFormat};
pub use json::Json;
pub use ndjson::Ndjson;
pub use schema::{SCHEMA_ID, explanation_schema, json_schema};
pub use table::{Table, TableStyle};
pub use text::sanitize;
