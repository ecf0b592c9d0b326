//! How long to wait for AWS.

use std::time::Duration;

use aws_smithy_types::timeout::TimeoutConfig;

/// The limits on waiting. The SDK by itself limits connecting only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until the first byte of an answer.
    pub read: Duration,
    /// For one attempt, until the answer is complete.
    pub attempt: Duration,
    /// For one call, all its attempts and the pauses between them.
    pub operation: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_millis(3100),
            read: Duration::from_secs(20),
            attempt: Duration::from_secs(30),
            operation: Duration::from_mins(2),
        }
    }
}

impl Timeouts {
    /// These limits with none of them longer than `limit`, and a call at most four times that. An endpoint that stays
    /// silent is given up a third earlier than an answer that does not end, so that it is known which it was.
    #[must_use]
    pub fn at_most(self, limit: Duration) -> Self {
        Self {
            connect: self.connect.min(limit),
            read: self.read.min(limit * 2 / 3),
            attempt: self.attempt.min(limit),
            operation: self.operation.min(limit.saturating_mul(4)),
        }
    }

    // The same for every client: connection pools are kept apart by connect and read timeout.
    pub(super) fn config(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.connect)
            .read_timeout(self.read)
            .operation_attempt_timeout(self.attempt)
            .operation_timeout(self.operation)
            .build()
    }
}
