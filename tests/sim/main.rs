//! Tests of the real `imdsctl` as a process, against simulated AWS servers in this one.
#![allow(clippy::unwrap_used, reason = "a helper of a test may panic as the test may")]

#[path = "../support/cloud.rs"]
mod cloud;
#[cfg(feature = "lambda")]
#[path = "../support/http.rs"]
mod http;
#[cfg(feature = "lambda")]
#[path = "../support/lambda.rs"]
mod lambda;
#[path = "../support/program.rs"]
mod program;
#[path = "../support/python.rs"]
mod python;
#[path = "../support/raw.rs"]
mod raw;

/// `--accounts`, in the format of c7n-org.
mod accounts_file;
/// Every instance, of a cluster or not.
mod all_instances;
/// AWS Security Finding Format, as Security Hub takes it.
mod asff;
/// What is new, and audits compared with the one before.
mod baseline;
/// The simulated AWS itself, held by boto3 and botocore's models.
mod botocore;
/// Changing an account: who may, and what is never written.
mod change;
/// What cannot be read, and what is said of it.
mod coverage;
/// The built-in fleet, in whatever environment.
mod demo;
/// What the files of `deploy/` run.
mod deploy;
/// Everything that keeps an audit from starting.
mod errors;
/// Merged reports, held against what was to be read.
mod expect;
/// `imdsctl explain`.
mod explain;
/// Explained from a saved inventory, and as JSON.
mod explain_saved;
/// Every fault of every API, on the first, a later and the last page.
mod fault_matrix;
/// The function of AWS Lambda.
#[cfg(feature = "lambda")]
mod function;
/// Fleets made to do harm, and secrets that must not get out.
mod hostile;
/// SIGINT and SIGTERM.
mod interruption;
/// What is read once and judged again.
mod inventory;
/// Reports that are read again.
mod merge;
/// Organizations: accounts found, opened and read side by side.
mod organization;
/// Files, pipes, formats and exit codes.
mod outputs;
/// How fast AWS is asked.
mod pace;
/// What other tools get wrong, and what they cost.
mod peers;
/// `imdsctl policy`, and the help texts.
mod policy;
/// An audit reads, and nothing else.
mod read_only;
/// Plans made and carried out, cut off and finished, and taken back.
mod remediate;
/// What files and variables set.
mod settings;
