//! The pace: how fast each API of each account may be asked in each Region.
//!
//! AWS counts requests by account, Region and API, and refuses what is too much, no matter whose it was. So
//! imdsctl takes a share of what AWS allows and leaves the rest to others. Each *attempt* waits for a token of its
//! API's bucket, retries included. An answer that says to slow down halves the pace of that bucket, and of no
//! other; answers that do not bring it back little by little.
//!
//! The wait is in the HTTP client, since that is where every attempt passes, and before the clock of the attempt
//! starts: a request never times out because others were ahead of it.

mod bucket;
mod clock;
mod limits;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_ec2::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;

use self::bucket::Bucket;
use self::clock::{Clock, Machine};
pub use self::limits::ApiShare;
use self::limits::{Limit, Size, counted_as};

/// How many buckets there are before those that are as good as new are forgotten.
const FIRST_SWEEP: usize = 1024;

/// The buckets of this process. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Pacer {
    share: ApiShare,
    clock: Arc<dyn Clock>,
    lanes: Arc<Mutex<Lanes>>,
}

#[derive(Debug)]
struct Lanes {
    by_api: HashMap<Api, Arc<Lane>>,
    /// At how many of them it is worth looking for those that nobody needs.
    sweep_at: usize,
}

/// What AWS counts apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Api {
    place: Place,
    operation: String,
    size: Size,
}

/// An account and Region, and a service there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    account: Arc<str>,
    region: Arc<str>,
    service: &'static str,
}

/// One API's bucket, and the queue before it.
#[derive(Debug)]
struct Lane {
    clock: Arc<dyn Clock>,
    /// Held by whoever is first in the queue. It is fair: nobody is overtaken.
    first: tokio::sync::Mutex<()>,
    bucket: Mutex<Bucket>,
}

impl Pacer {
    pub fn new(share: ApiShare) -> Self {
        Self::with_clock(share, Arc::new(Machine::start()))
    }

    fn with_clock(share: ApiShare, clock: Arc<dyn Clock>) -> Self {
        let lanes = Lanes { by_api: HashMap::new(), sweep_at: FIRST_SWEEP };
        Self { share, clock, lanes: Arc::new(Mutex::new(lanes)) }
    }

    /// The interceptor that leads requests of one client to their buckets.
    pub fn guide(&self, account: &str, region: &str, service: &'static str) -> Guide {
        let place = Place { account: account.into(), region: region.into(), service };
        Guide { place, pacer: self.clone() }
    }

    fn turn(&self, api: Api) -> Turn {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        lanes.sweep(now);
        let limit = Limit::of(api.place.service, api.size).share(self.share);
        let lane = || {
            let bucket = Mutex::new(Bucket::new(limit, now));
            Arc::new(Lane { clock: Arc::clone(&self.clock), first: tokio::sync::Mutex::default(), bucket })
        };
        Turn(Arc::clone(lanes.by_api.entry(api).or_insert_with(lane)))
    }
}

impl Lanes {
    /// Forgets what is as good as new, now and then: an organisation has a hundred thousand buckets, most of which
    /// are used for a second.
    fn sweep(&mut self, now: Duration) {
        if self.by_api.len() < self.sweep_at {
            return;
        }
        self.by_api.retain(|_, lane| Arc::strong_count(lane) > 1 || !lane.bucket().is_fresh(now));
        self.sweep_at = FIRST_SWEEP.max(self.by_api.len() * 2);
    }
}

impl Lane {
    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request's right to be sent, once it is its turn. It travels with the request.
#[derive(Clone, Debug)]
pub(super) struct Turn(Arc<Lane>);

/// When a request was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent(Duration);

impl Turn {
    /// Waits for a token, behind those who came before.
    pub async fn wait(&self) -> Sent {
        let _first = self.0.first.lock().await;
        loop {
            let now = self.0.clock.now();
            // A statement of its own: the bucket must not stay locked while waiting.
            let taken = self.0.bucket().take(now);
            match taken {
                Ok(()) => return Sent(now),
                Err(wait) => self.0.clock.sleep(wait).await,
            }
        }
    }

    /// Learns from an answer whether this was too fast.
    pub fn answered(&self, sent: Sent, refused: bool) {
        let now = self.0.clock.now();
        let mut bucket = self.0.bucket();
        if refused { bucket.refused(sent.0, now) } else { bucket.passed(now) }
    }
}

/// Gives each attempt of one client's requests its turn.
#[derive(Debug)]
pub(super) struct Guide {
    place: Place,
    pacer: Pacer,
}

impl Intercept for Guide {
    fn name(&self) -> &'static str {
        "Pace"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map_or("", Metadata::name);
        let body = context.request().body().bytes().unwrap_or_default();
        let size = Size::of(self.place.service, operation, body);
        let operation = counted_as(self.place.service, operation).to_owned();
        let turn = self.pacer.turn(Api { place: self.place.clone(), operation, size });
        context.request_mut().add_extension(turn);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures::future::{Either, join_all, select};

    use super::clock::tests::Virtual;
    use super::*;

    /// A pacer in a time of its own.
    #[derive(Default)]
    struct World(Virtual, Option<Pacer>);

    impl World {
        fn turn(&mut self, account: &str, operation: &str) -> Turn {
            let clock = || Arc::new(self.0.clone());
            let pacer = self.1.get_or_insert_with(|| Pacer::with_clock(ApiShare::default(), clock()));
            let place = Place { account: account.into(), region: "eu-west-1".into(), service: "eks" };
            pacer.turn(Api { place, operation: operation.to_owned(), size: Size::Ordinary })
        }

        /// How long it takes until all of so many requests could be sent.
        fn sending(&self, turn: &Turn, count: usize) -> Duration {
            let start = self.0.now();
            self.0.run(join_all((0..count).map(|_| turn.wait())));
            self.0.now().saturating_sub(start)
        }
    }

    #[test]
    fn half_of_what_aws_allows_is_taken() {
        let mut world = World::default();
        let turn = world.turn("1", "DescribeNodegroup");
        assert_eq!(world.sending(&turn, 20), Duration::ZERO);
        assert_eq!(world.sending(&turn, 10).as_millis(), 2000, "ten at five a second");
    }

    #[test]
    fn a_refusal_slows_one_api_of_one_account() {
        let mut world = World::default();
        let slowed = world.turn("1", "DescribeNodegroup");
        let sent = world.0.run(slowed.wait());
        slowed.answered(sent, true);
        assert_eq!(world.sending(&slowed, 2).as_millis(), 800, "two at two and a half a second");
        for (account, operation) in [("2", "DescribeNodegroup"), ("1", "ListNodegroups")] {
            let other = world.turn(account, operation);
            assert_eq!(world.sending(&other, 20), Duration::ZERO);
        }
        let same = world.turn("1", "DescribeNodegroup");
        assert!(world.sending(&same, 1) > Duration::ZERO, "it is the same bucket");
    }

    #[test]
    fn whoever_comes_first_is_served_first() {
        let mut world = World::default();
        let turn = world.turn("1", "ListNodegroups");
        world.sending(&turn, 20);
        let order = Mutex::new(Vec::new());
        world.0.run(join_all((0..5).map(async |number| {
            turn.wait().await;
            order.lock().unwrap().push(number);
        })));
        assert_eq!(order.into_inner().unwrap(), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn whoever_gives_up_waiting_costs_nothing() {
        let mut world = World::default();
        let turn = world.turn("1", "ListNodegroups");
        world.sending(&turn, 20);
        let patience = world.0.sleep(Duration::from_millis(10));
        let first = world.0.run(select(Box::pin(turn.wait()), patience));
        assert!(matches!(first, Either::Right(_)));
        drop(first);
        world.0.run(world.0.sleep(Duration::from_millis(200)));
        assert_eq!(world.sending(&turn, 1), Duration::ZERO);
    }

    #[test]
    fn buckets_that_nobody_needs_are_forgotten_and_others_are_not() {
        let mut world = World::default();
        let slowed = world.turn("slowed", "ListClusters");
        let sent = world.0.run(slowed.wait());
        slowed.answered(sent, true);
        drop(slowed);
        for account in 0..FIRST_SWEEP * 3 {
            let turn = world.turn(&account.to_string(), "ListClusters");
            world.sending(&turn, 1);
            world.0.run(world.0.sleep(Duration::from_millis(10)));
        }
        let known = world.1.as_ref().unwrap().lanes.lock().unwrap().by_api.len();
        assert!(known <= FIRST_SWEEP, "{known}");
        let now = world.0.now();
        assert!(!world.turn("slowed", "ListClusters").0.bucket().is_fresh(now), "it is still slow");
    }
}
