//! Tests that need no server: they run on values and on files of this repository.
#![allow(clippy::unwrap_used, reason = "a helper of a test may panic as the test may")]

#[path = "../support/node.rs"]
mod node;
#[path = "../support/python.rs"]
mod python;

/// The rules of `src/lib.rs`, held against the sources.
mod architecture;
/// How much can be done, and what it costs.
mod capacity;
/// The files of `deploy/`, held against the code.
mod deploy;
/// The files of `deploy/`, held by other people's linters.
mod deploy_linters;
/// What the documents say of the code, held against it.
mod documents;
mod fixtures;
/// The examples and the schema that are kept in `reports/`.
mod report;
/// Reports that are put together scope by scope.
mod report_assembly;
/// The JSON contract, declared a second time.
mod report_contract;
/// What is new in a later report.
mod report_diff;
/// Reports held against what was to be read.
mod report_expect;
/// Names, tags and messages that someone wrote to do harm.
mod report_hostile;
/// Several reports made into one.
mod report_merge;
/// How findings become problems.
mod report_problems;
/// The table at every width, and for reports without findings.
mod report_table;
