//! Where reports go beyond this machine, and what is said there. Pure: [`crate::aws::Courier`] carries it.

mod announcement;
mod object;
mod signature;

pub use announcement::{Announcement, SCHEMA};
pub use object::{BadObject, Object, ObjectPattern, Prefix};
pub use signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER, signature};
