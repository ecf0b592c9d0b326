//! Tests that need no server: they run on values and on files of this repository.
#![allow(clippy::unwrap_used, reason = "a helper of a test may panic as the test may")]

/// The rules of `src/lib.rs`, held against the sources.
mod architecture;
/// What the documents say of the code, held against it.
mod documents;
mod fixtures;
/// The examples and the schema that are kept in `reports/`.
mod report;
/// Reports that are put together scope by scope.
mod report_assembly;
/// The JSON contract, declared a second time.
mod report_contract;
/// Names, tags and messages that someone wrote to do harm.
mod report_hostile;
/// Several reports made into one.
mod report_merge;
/// How findings become problems.
mod report_problems;
/// The table at every width, and for reports without findings.
mod report_table;
