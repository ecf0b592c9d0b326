//! Rollouts: how groups come to have other instances than they had. Plain rules on a Region, without a clock and
//! without a wire; whoever calls them says what time it is and when a while has passed.

mod admission;
mod copies;
mod group_settings;
mod health;
mod launching;
mod preferences;
mod refreshes;
#[cfg(test)]
mod tests;
mod updates;

pub use self::admission::{AskedTemplate, AskedUpdate, Release, UpdateRefusal};
pub use self::copies::{CopyFor, copy_data};
pub use self::group_settings::{GroupChange, GroupRefusal};
pub use self::launching::{Launching, Turnover};
pub use self::preferences::{Preferences, Reserved};
pub use self::refreshes::{Refresh, RefreshFailure, RefreshStatus};
pub use self::updates::{Update, UpdateFailure, UpdateStatus};
