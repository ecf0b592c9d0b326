//! How long to wait for AWS.

use std::time::Duration;

use aws_smithy_types::timeout::TimeoutConfig;

/// The limits on waiting. The SDK by itself limits connecting only.
///
/// There is none for a whole call: it may have to wait for its turn, for as long as others are ahead of it. What it
/// may take besides is bounded by its attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until the first byte of an answer.
    pub read: Duration,
    /// For one attempt, until the answer is complete.
    pub attempt: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_millis(3100),
            read: Duration::from_secs(20),
            attempt: Duration::from_secs(30),
        }
    }
}

impl Timeouts {
    /// These limits with none of them longer than `limit`. An endpoint that stays silent is given up a third earlier
    /// than an answer that does not end, so that it is known which it was.
    #[must_use]
    pub fn at_most(self, limit: Duration) -> Self {
        Self {
            connect: self.connect.min(limit),
            read: self.read.min(limit * 2 / 3),
            attempt: self.attempt.min(limit),
        }
    }

    // The same for every client: connection pools are kept apart by these. The SDK's own limit on attempts would
    // count the wait for a turn, so that the HTTP client has one.
    pub(super) fn config(self) -> TimeoutConfig {
        TimeoutConfig::builder().connect_timeout(self.connect).read_timeout(self.read).build()
    }
}
