//! Reports: one file a format, each a pure function from a [`Report`] to bytes.
//!
//! A report is put together by an [`Assembly`], scope by scope, and written from a [`View`]: its findings come one after the
//! other, since those of an organisation do not fit in memory.
//!
//! Nothing here prints, reads the environment or looks at a clock. Text that comes from outside (names, tag
//! values, messages of AWS) goes through `text` on its way to a format that a terminal or a spreadsheet
//! shows, and findings are put together into [`problems`] for the formats that people read.

mod asff;
mod assembly;
mod contract;
mod csv;
mod diff;
mod exemptions;
mod explain;
mod format;
mod json;
mod members;
mod merge;
mod ndjson;
mod outline;
mod plan;
pub mod problems;
mod read;
mod renew;
mod schema;
mod scope;
mod scopes;
mod spool;
mod table;
mod text;
mod view;
mod words;

pub use asff::{Asff, security_finding};
pub use assembly::{Assembled, Assembly};
pub use contract::{PolicySummary, Report, RuleSummary, Run, SCHEMA, Summary};
pub use csv::Csv;
pub use diff::{
    Change, Class, Compared, Count, DIFF_SCHEMA, Diff, DiffFormat, DiffSummary, Difference, Fact,
    PolicyChange, PolicyText, ScopeChange, ScopeChangeKind, ScopeReading, Side, Since, Standing, Told,
};
pub use explain::{EXPLANATION_SCHEMA, Explained, ExplanationFormat, MOST};
pub use format::{Format, ReportFormat, UnknownFormat};
pub use json::Json;
pub use merge::{Complete, Expectation, Merge, MergeError};
pub use ndjson::Ndjson;
pub use outline::Outline;
pub use plan::{PlanFormat, PlanView, Rehearsed};
pub use read::ReadError;
pub use renew::Renewal;
pub use schema::{SCHEMA_ID, diff_schema, explanation_schema, json_schema, scopes_schema};
pub use scope::{ScopeCounts, ScopeReport};
pub use scopes::{SCOPES_SCHEMA, Scopes, ScopesFormat, ScopesOfAccount, ScopesSummary, UnreadRegion};
pub use table::{Table, TableStyle};
pub use text::sanitize;
pub use view::{Findings, View};
