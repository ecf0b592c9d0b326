//! Where reports go beyond this machine, and what is said there. Pure: [`crate::aws::Courier`] carries it.

mod announcement;
mod hub;
mod object;
mod signature;

pub use announcement::{Announcement, SCHEMA};
pub use hub::{Batches, Ledger, Look, TooLarge};
pub use object::{BadObject, Object, ObjectPattern, Prefix, is_bucket};
pub use signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER, signature};
