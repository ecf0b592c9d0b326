//! A simulated AWS over HTTP: the operations of STS, Organizations, EC2, Auto Scaling, EKS and `CloudWatch` that imdsctl
//! uses.
//!
//! A [`Fleet`] is described in YAML; from it a world is made, as AWS would have made it, and [`Sim::start`] serves
//! it on a loopback port in AWS's own wire formats. It imports nothing of imdsctl.
//!
//! ```text
//! fleet (YAML) ──> build ──> world <── service (one file for each operation)
//!                              │             ▲
//!                   state ── keeper        wire ── front ── server
//! ```
//!
//! - `fleet`: what a fleet file may say; `build` turns it into a world.
//! - `world`: plain data, serializable, ignorant of the wire.
//! - `service`: a table of operations for each service. `wire`: parameters, filters, pages, XML, errors.
//! - `front`: from a request to an `answer`. The account, the Region and the service come from the credential scope
//!   of the SigV4 header. The signature is **not** verified. `route` finds the operation, `perform` runs it.
//! - `keeper`: the world while it is served; a write is seen and kept whole or not at all. `progress`: what takes time.
//! - `iam`: who has an access key or a session of a role, and what policies let them do.
//! - `throttle`: AWS's token buckets. `faults`: what goes wrong on purpose. `refusal`: how each service says no.
//! - `log`: what was asked, and when; `counts`: how often.
//!
//! The same fleet has the same ids, dates and answers in every run.

#![warn(missing_docs)]

mod answer;
mod build;
mod counts;
mod faults;
mod fleet;
mod front;
mod iam;
mod ids;
mod keeper;
mod log;
mod perform;
mod progress;
mod refusal;
mod regions;
mod route;
mod server;
mod service;
mod state;
mod throttle;
mod turnover;
mod wire;
mod world;

pub use counts::{Count, Counts};
pub use fleet::{Fault, FaultKind, FaultPage, Fleet, FleetError, FleetKey, Size};
pub use log::Request;
pub use server::{Options, Running, Sim, SimError};
pub use service::sts::AssumeRoleRequest;
pub use state::StateError;
pub use throttle::{Bucket, BucketRule, Throttling};
pub use turnover::GroupTurnover;
