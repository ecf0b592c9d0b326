//! The arithmetic of a token bucket whose pace follows what AWS answers. Pure: time comes in as a value.

use std::time::Duration;

use super::limits::Limit;

/// What a refusal leaves of the pace.
const AFTER_REFUSAL: f64 = 0.5;

/// What a request that AWS lets through adds to the pace. From half to whole that is a hundred requests:
/// slow enough to find where AWS's limit is without running into it all the time.
const AFTER_SUCCESS: f64 = 0.005;

/// The least pace. AWS does not close an API; and a request that waits for too long is refused for the age of its
/// signature.
const LEAST_PACE: f64 = 1.0 / 16.0;

/// A token bucket. Times are since any moment that is the same in all calls.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    limit: Limit,
    /// How much of the limit is used, up to 1.
    pace: f64,
    tokens: f64,
    /// When `tokens` was right.
    at: Duration,
    /// When the pace was last cut.
    cut: Option<Duration>,
}

impl Bucket {
    /// Full, and at full pace.
    pub fn new(limit: Limit, now: Duration) -> Self {
        Self { limit, pace: 1.0, tokens: limit.capacity, at: now, cut: None }
    }

    /// Takes a token, or says how long it will be until there is one.
    pub fn take(&mut self, now: Duration) -> Result<(), Duration> {
        self.refill(now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        // Rounded up: whoever comes back a hair too early would have to wait again.
        let wait = Duration::from_secs_f64((1.0 - self.tokens) / self.rate());
        Err(wait + Duration::from_micros(1))
    }

    /// AWS refused a request that was sent at that time: there are no tokens, and fewer come back than was
    /// thought. Requests that were under way when the pace was cut say nothing new about it.
    pub fn refused(&mut self, sent: Duration, now: Duration) {
        self.refill(now);
        self.tokens = 0.0;
        if self.cut.is_none_or(|cut| sent >= cut) {
            self.pace = (self.pace * AFTER_REFUSAL).max(LEAST_PACE);
            self.cut = Some(now);
        }
    }

    /// AWS let a request through.
    pub fn passed(&mut self, now: Duration) {
        self.refill(now);
        self.pace = (self.pace + AFTER_SUCCESS).min(1.0);
    }

    /// Whether it is as good as new: nothing would be lost with it.
    pub fn is_fresh(&mut self, now: Duration) -> bool {
        self.refill(now);
        self.pace >= 1.0 && self.tokens >= self.capacity()
    }

    fn refill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at);
        self.at = self.at.max(now);
        self.tokens = (self.tokens + passed.as_secs_f64() * self.rate()).min(self.capacity());
    }

    fn rate(&self) -> f64 {
        self.limit.refill * self.pace
    }

    fn capacity(&self) -> f64 {
        (self.limit.capacity * self.pace).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: Limit = Limit { capacity: 4.0, refill: 2.0 };

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn bucket() -> Bucket {
        Bucket::new(LIMIT, Duration::ZERO)
    }

    /// How many tokens can be had at once.
    fn drained(bucket: &mut Bucket, now: Duration) -> usize {
        std::iter::from_fn(|| bucket.take(now).ok()).count()
    }

    #[test]
    fn a_full_bucket_allows_a_burst_and_then_its_rate() {
        let mut bucket = bucket();
        assert_eq!(drained(&mut bucket, ms(0)), 4);
        let wait = bucket.take(ms(0)).unwrap_err();
        assert_eq!(wait, ms(500) + Duration::from_micros(1));
        assert_eq!(bucket.take(wait), Ok(()));
        assert_eq!(drained(&mut bucket, ms(60_000)), 4, "it never holds more than its capacity");
    }

    #[test]
    fn a_refusal_empties_it_and_halves_its_pace() {
        let mut bucket = bucket();
        bucket.refused(ms(10), ms(20));
        assert_eq!(bucket.take(ms(20)).unwrap_err(), ms(1000) + Duration::from_micros(1));
        assert_eq!(drained(&mut bucket, ms(60_000)), 2, "a burst is halved as well");
    }

    #[test]
    fn refusals_of_what_was_under_way_count_as_one() {
        let mut bucket = bucket();
        for _ in 0..10 {
            bucket.refused(ms(10), ms(20));
        }
        assert!((bucket.pace - 0.5).abs() < f64::EPSILON);
        bucket.refused(ms(30), ms(40));
        assert!((bucket.pace - 0.25).abs() < f64::EPSILON);
    }

    #[test]
    fn its_pace_comes_back_slowly_and_no_further() {
        let mut bucket = bucket();
        bucket.refused(ms(0), ms(0));
        let successes = std::iter::repeat_with(|| bucket.passed(ms(0)));
        successes.take(99).for_each(drop);
        assert!(bucket.pace < 1.0);
        assert!(!bucket.is_fresh(ms(60_000)));
        bucket.passed(ms(60_000));
        bucket.passed(ms(60_000));
        assert!((bucket.pace - 1.0).abs() < f64::EPSILON);
        assert!(bucket.is_fresh(ms(120_000)));
    }

    #[test]
    fn no_number_of_refusals_stops_it() {
        let mut bucket = bucket();
        for second in 0..100 {
            bucket.refused(ms(second * 1000), ms(second * 1000 + 1));
        }
        let wait = bucket.take(ms(100_000)).err().unwrap_or_default();
        assert!(wait <= Duration::from_secs(8) + Duration::from_micros(1), "{wait:?}");
    }

    proptest! {
        /// Whatever happens to it, it never lets through more than its limit allows.
        #[test]
        fn it_never_exceeds_its_limit(steps in prop::collection::vec((0_u64..2000, 0_u8..8), 1..200)) {
            let mut bucket = bucket();
            let (mut now, mut taken) = (Duration::ZERO, 0.0);
            for (wait, what) in steps {
                now += ms(wait);
                match what {
                    0 => bucket.refused(now, now),
                    1 => bucket.passed(now),
                    _ => if bucket.take(now).is_ok() { taken += 1.0 },
                }
                let allowed = LIMIT.capacity + LIMIT.refill * now.as_secs_f64();
                prop_assert!(taken <= allowed + 1e-6, "{taken} in {now:?}");
            }
        }

        /// Whoever waits as long as it was told gets a token, unless AWS refused something meanwhile.
        #[test]
        fn a_wait_is_never_in_vain(refusals in 0_u64..10, drains in 0_usize..8) {
            let mut bucket = bucket();
            for at in 0..refusals {
                bucket.refused(ms(at * 10), ms(at * 10));
            }
            let now = ms(refusals * 10);
            for _ in 0..drains {
                let _ = bucket.take(now);
            }
            if let Err(wait) = bucket.take(now) {
                prop_assert_eq!(bucket.take(now + wait), Ok(()));
            }
        }
    }
}
