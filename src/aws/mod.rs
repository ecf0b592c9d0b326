//! The only place that names an `aws_*` crate: sessions, limits, collectors, conversion, errors.
//!
//! [`Aws`] holds what a process shares; [`Aws::connect`] turns settings into an [`Account`];
//! [`Account::collect`] reads one Region of it into a [`crate::model::Inventory`] and never fails: what
//! could not be read is part of the inventory. Everything here only reads: each client refuses, before it is
//! signed or sent, whatever is not among [`READ_OPERATIONS`].

mod account;
mod clients;
mod collect;
mod connect_error;
mod convert;
mod credentials;
mod errors;
mod gate;
mod http;
mod logs;
mod meter;
mod operations;
mod pace;
mod pages;
mod retry;
mod session;
mod timeouts;
mod whole;

pub use account::{Account, RegionStatus};
pub use connect_error::{ConnectError, ConnectErrorKind};
pub use errors::{CallError, ErrorKind};
pub use logs::cap_directives;
pub use meter::{Counts, Meter};
pub use operations::{Operation, READ_OPERATIONS};
pub use pace::ApiShare;
pub use session::{Aws, ConnectSettings, StaticEndpoint};
pub use timeouts::Timeouts;
