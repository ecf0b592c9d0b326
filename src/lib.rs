//! imdsctl audits the EC2 instance metadata options of EKS fleets: which nodes, and which templates that will
//! make the next nodes, break a policy; where each wrong value comes from; and where its fix belongs.
//!
//! Data flows one way, and each module can be understood alone:
//!
//! ```text
//! cli ──> scope ──> scan ──> aws ──> model::Inventory ──> lineage ──> policy ──> report
//!                                       └─ inventory        └─ resolve   └ explain ┘
//! ```
//!
//! What holds it together, checked by `tests/offline/architecture.rs`:
//!
//! - `model ← finding ← resolve ← lineage ← policy ← explain`, and `model, finding, explain, plan, asff ← report`, and
//!   `model, asff ← deliver, aws`, `aws ← scan`, `model ← scope ← scan`, `model ← inventory`,
//!   `model, finding ← plan ← journal`, `aws, journal ← apply`, and `policy, plan ← remediate`. Only [`cli`] sees both `aws` and `policy`.
//! - The AWS SDK is named under `src/aws` alone. Reading ends where `src/aws/convert` returns model types; from there to
//!   the bytes of a report everything is synchronous, pure and total.
//! - Nobody below the edges, [`cli`] and `function`, reads arguments, the environment or the clock, but for how fast to ask;
//!   and nobody but they print.

pub mod apply;
pub mod asff;
pub mod aws;
pub mod cli;
pub mod deliver;
pub mod exit;
pub mod explain;
pub mod finding;
#[cfg(feature = "lambda")]
pub mod function;
pub mod harmless;
pub mod inventory;
pub mod journal;
pub mod lineage;
pub mod model;
pub mod plan;
pub mod policy;
pub mod remediate;
pub mod report;
pub mod resolve;
pub mod scan;
pub mod schema;
pub mod scope;
pub mod yaml;

#[cfg(test)]
mod testing;
