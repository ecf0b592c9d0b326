//! The only place that names an `aws_*` crate: sessions, limits, collectors, conversion, errors.
//!
//! [`Aws`] holds what a process shares; [`Aws::connect`] turns settings into a [`Base`], credentials that work; a
//! base finds the accounts of its organization and opens sessions in them; [`Account::collect`] reads one Region of an
//! account into a [`crate::model::Inventory`] and never fails: what could not be read is part of the inventory.
//! [`Account::changer`] makes what changes one, in [`change`], and nothing else does: each client refuses, before it is
//! signed or sent, whatever its [`Task`] does not allow, and every session of a role is limited to the same by its policy.

mod account;
mod assume;
mod base;
mod change;
mod clients;
mod collect;
mod connect_error;
mod convert;
mod credentials;
mod deliver;
mod errors;
mod fleets;
mod gate;
mod http;
mod iam;
mod lean;
mod logs;
mod meter;
mod operations;
mod organization;
mod pace;
mod pages;
mod passing;
mod permit;
mod readings;
mod renewal;
mod retry;
mod session;
mod timeouts;
mod whole;

pub use account::Account;
pub use assume::Role;
pub use base::Base;
pub use change::{
    Changer, Created, GroupInstance, GroupNow, InstanceNow, NewVersion, NodeGroupNow, NodeGroupUpdate,
    ReadOnly, Refresh, RefreshNow, Rehearsal, Repointed, Rest, TemplateNow, UpdateNow, VersionNow,
    VersionUse,
};
pub use connect_error::{ConnectError, ConnectErrorKind};
pub use deliver::{Courier, Hub, Importer, NotTaken, WebhookError};
pub use errors::{CallError, ErrorKind};
pub use iam::{PolicyDocument, Sinks};
pub use logs::cap_directives;
pub use meter::{Counts, Meter};
pub use operations::{Operation, Task};
pub use organization::Member;
pub use pace::ApiShare;
pub use passing::may_pass;
pub use permit::{Narrowing, Permit, Write};
pub use readings::{ReadingsAsked, TOKEN_USE_DAYS};
pub use session::{Aws, ConnectSettings, StaticEndpoint};
pub use timeouts::Timeouts;
