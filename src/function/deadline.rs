//! How much of an invocation's time is for what.

use std::time::Duration;

use tokio::time::Instant;

/// Kept from the end of an invocation for writing what is done and handing it back.
const MARGIN: Duration = Duration::from_mins(1);

/// Of a time that is short, this part is kept.
const PART: u32 = 4;

/// When work has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// When it is asked to end, and to keep what is done.
    pub stop: Instant,
    /// When it is ended.
    pub kill: Instant,
}

impl Deadline {
    /// For an invocation that has so much time from now on.
    pub fn of(now: Instant, time: Duration) -> Self {
        let margin = MARGIN.min(time / PART);
        let before = |margin| now + time.saturating_sub(margin);
        Self { stop: before(margin), kill: before(margin / PART) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(seconds: u64) -> (Duration, Duration) {
        let now = Instant::now();
        let deadline = Deadline::of(now, Duration::from_secs(seconds));
        (deadline.stop - now, deadline.kill - now)
    }

    #[test]
    fn a_minute_is_kept_of_a_quarter_of_an_hour() {
        assert_eq!(of(900), (Duration::from_mins(14), Duration::from_secs(885)));
        assert_eq!(of(8), (Duration::from_secs(6), Duration::from_millis(7500)));
        assert_eq!(of(0), (Duration::ZERO, Duration::ZERO));
    }

    proptest! {
        #[test]
        fn work_is_asked_to_end_before_it_is_ended_and_both_before_the_time_is_over(seconds in 1_u64..100_000) {
            let (stop, kill) = of(seconds);
            prop_assert!(stop < kill && kill < Duration::from_secs(seconds));
        }
    }
}
