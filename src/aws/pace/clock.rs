//! Time as the pace knows it, so that tests need not wait.

use std::fmt::Debug;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::Instant;

/// Time that passes.
pub(super) trait Clock: Debug + Send + Sync {
    /// Since the clock was made.
    fn now(&self) -> Duration;

    /// Completes once so much time has passed.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The clock of this machine.
#[derive(Debug)]
pub(super) struct Machine(Instant);

impl Machine {
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Machine {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex};
    use std::task::{Context, Poll, Wake, Waker};

    use super::*;

    /// A clock that stands still until everybody waits for it.
    #[derive(Clone, Debug, Default)]
    pub struct Virtual(Arc<Mutex<State>>);

    #[derive(Debug, Default)]
    struct State {
        now: Duration,
        sleepers: Vec<(Duration, Waker)>,
    }

    impl Clock for Virtual {
        fn now(&self) -> Duration {
            self.0.lock().unwrap().now
        }

        fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
            let (state, until) = (Arc::clone(&self.0), self.now() + duration);
            Box::pin(std::future::poll_fn(move |context| {
                let mut state = state.lock().unwrap();
                if state.now >= until {
                    return Poll::Ready(());
                }
                state.sleepers.push((until, context.waker().clone()));
                Poll::Pending
            }))
        }
    }

    struct Flag(AtomicBool);

    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    impl Virtual {
        /// Runs a future to its end, and lets time pass when it can do nothing else.
        pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
            let mut future = pin!(future);
            let flag = Arc::new(Flag(AtomicBool::new(false)));
            let waker = Waker::from(Arc::clone(&flag));
            loop {
                if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return done;
                }
                while !flag.0.swap(false, Ordering::SeqCst) {
                    self.pass();
                }
            }
        }

        /// Lets time pass until the first sleeper wakes.
        fn pass(&self) {
            let mut state = self.0.lock().unwrap();
            let next = state.sleepers.iter().map(|(until, _)| *until).min();
            state.now = next.expect("a future that waits for nothing");
            let now = state.now;
            for (_, waker) in state.sleepers.extract_if(.., |(until, _)| *until <= now) {
                waker.wake();
            }
        }
    }
}
