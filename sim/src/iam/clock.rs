//! The simulator's clock for sessions: the real one, and as much later as a test says.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A clock that can be advanced. Clients compare expirations with their own clocks, so it begins at the real time.
#[derive(Debug, Default)]
pub struct Clock {
    advanced: AtomicU64,
}

impl Clock {
    /// Seconds since 1970.
    pub fn now(&self) -> i64 {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = real.as_secs().saturating_add(self.advanced.load(Ordering::Relaxed));
        i64::try_from(seconds).unwrap_or(i64::MAX)
    }

    /// Makes it later.
    pub fn advance(&self, by: Duration) {
        self.advanced.fetch_add(by.as_secs(), Ordering::Relaxed);
    }
}
