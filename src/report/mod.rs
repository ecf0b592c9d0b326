//! Reports: one file a format, each a pure function from a [`Report`] to bytes.

mod contract;

pub use contract::{PolicySummary, Report, Run, SCHEMA, Summary};
