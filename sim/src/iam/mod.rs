//! Who asks, and what they may do. Knows nothing of HTTP.
//!
//! - `identities`: from an access key and a session token to a caller; sessions live here, and only in memory.
//! - `document`: policies as JSON; what the simulator does not implement is refused, never ignored.
//! - `decision`: does a caller's policies allow an action on a resource?
//! - `trust`: does a role let someone assume it?

mod caller;
mod clock;
mod decision;
mod document;
mod glob;
mod identities;
mod trust;

pub use self::caller::{Caller, Principal};
pub use self::clock::Clock;
pub use self::decision::{Denial, Question};
pub use self::document::{action_pattern, from_json, from_value};
pub use self::identities::{Identities, Order, Session, Stranger};
pub use self::trust::admits;
