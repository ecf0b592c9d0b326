//! How AWS's services look on the wire: who asks, what they ask, and the two languages of the answer.

pub mod auth;
pub mod cbor;
pub mod error;
pub mod filter;
pub mod page;
pub mod query;
pub mod time;
pub mod xml;
