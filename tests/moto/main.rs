//! imdsctl against moto, an AWS stand-in that nobody here wrote.
//!
//! A fleet is seeded through boto3, and what an audit has to find is worked out by a Python script that has
//! never heard of imdsctl. Both are in `tests/python/`, and so is what makes a Python environment of them.
#![allow(clippy::unwrap_used, reason = "a helper of a test may panic as the test may")]

#[cfg(feature = "lambda")]
#[allow(dead_code, reason = "made for the tests of several tiers")]
#[path = "../support/cloud.rs"]
mod cloud;
#[cfg(feature = "lambda")]
#[path = "../support/http.rs"]
mod http;
#[cfg(feature = "lambda")]
#[allow(dead_code, reason = "made for the tests of several tiers")]
#[path = "../support/lambda.rs"]
mod lambda;
#[cfg(feature = "lambda")]
#[allow(dead_code, reason = "made for the tests of several tiers")]
#[path = "../support/program.rs"]
mod program;
#[path = "../support/mod.rs"]
mod support;

/// Remediation, as far as moto can be changed.
mod changes;
/// Reports on S3, and messages.
mod delivery;
/// The Python environment, where there is none.
mod environment;
/// The findings and the coverage of an audit, against the truth.
mod findings;
/// The seeded fleet and the truth about it.
mod fleet;
/// The reports, read by other people's parsers.
mod formats;
/// Runs of several invocations of the function of AWS Lambda.
#[cfg(feature = "lambda")]
mod function;
/// An organisation.
mod organization;
/// Findings in Security Hub.
mod security_hub;
/// The server.
mod server;
/// The state machine, with the real function behind it.
#[cfg(feature = "lambda")]
mod state_machine;
