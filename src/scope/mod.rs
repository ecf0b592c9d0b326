//! Which accounts and Regions are meant, and which role reads them: pure, from what flags and files say and what
//! AWS lists.

mod accounts;
mod candidate;
mod filter;
mod regions;
mod role;

pub use accounts::{InvalidAccounts, accounts};
pub use candidate::{Candidate, merged};
pub use filter::Filter;
pub use regions::Wanted;
pub use role::{DEFAULT_ROLE, InvalidRole, RoleName, external_id, session_name};
