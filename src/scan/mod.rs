//! Accounts × Regions: opens each account, reads every scope of it, a bounded number at a time, and hands each
//! inventory on as soon as it is complete. What is being read is never held longer than it is being read.
//!
//! Accounts are opened side by side, a little ahead of what is read: the first is read while the last is not yet
//! asked for a session. One that cannot be opened is a hole in the coverage, and nobody waits for it; one that
//! hardly answers leaves places to the others.

mod prospect;
mod queue;
mod shard;
mod survey;

use std::collections::BTreeMap;
use std::future::Future;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::task::JoinSet;

use crate::aws::Account;
use crate::model::{AccountId, Asked, Coverage, Guard, Inventory, Region, Scope};

use self::prospect::Opened;
pub use self::prospect::{Entry, NoChange, Prospect, regions};
use self::queue::Queue;
pub use self::shard::Shard;
pub use self::survey::{Surveyed, survey};

/// How many scopes are read side by side where nothing else is said. Most of them have no cluster, and wait for three
/// answers. Memory grows with it, though little: a million instances in 1,700 scopes took 189 MiB with 32, and 198 MiB
/// with 64.
pub const DEFAULT_CONCURRENCY: NonZeroUsize = NonZeroUsize::new(64).expect("it is not zero");

/// How many accounts are opened side by side.
const OPENING: usize = 32;

/// How many scopes may wait for each that is being read, before no more accounts are opened.
const AHEAD: usize = 2;

/// One account in one Region, and the credentials to read it with.
#[derive(Clone, Debug)]
pub struct Target {
    /// The account.
    pub account: Account,
    /// Where to read.
    pub scope: Scope,
}

/// What became of a scope.
#[derive(Debug)]
pub enum Scanned {
    /// It was read, as far as it could be.
    Read(Box<Inventory>),
    /// It was not, and why.
    Unread(Coverage),
}

/// What happens during a scan, for whoever shows it.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// The scan begins.
    Started {
        /// How many accounts are to be opened.
        accounts: usize,
    },
    /// An account was opened, or could not be.
    Opened {
        /// The account.
        account: &'a AccountId,
        /// How many scopes of it are to be read.
        scopes: usize,
    },
    /// A scope was read, as far as it could be.
    Read {
        /// How far it could be read.
        coverage: &'a Coverage,
        /// How many nodes it has.
        nodes: usize,
    },
    /// A scope will not be read: its account cannot be opened, or has not enabled the Region.
    Unread {
        /// Why.
        coverage: &'a Coverage,
    },
    /// The scan was interrupted.
    Interrupted {
        /// How many scopes were not read to the end.
        unread: usize,
    },
}

/// How a scan ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many scopes were read, as far as they could be.
    pub read: usize,
    /// How many could not be, because their account could not be opened.
    pub failed: usize,
    /// How many were passed over as not chosen.
    pub passed_over: usize,
    /// How many were not read because of an interruption.
    pub interrupted: usize,
}

impl Outcome {
    /// Whether the scan was interrupted.
    pub const fn interrupted(&self) -> bool {
        self.interrupted > 0
    }
}

/// Opens all prospects and reads what is wanted of them. `sink` gets each scope in the order in which it was done
/// with, which is any.
///
/// Only scopes that are `chosen` are read or told of. Whoever wants a part of what the flags mean says so here: it
/// is asked about every scope once, before anything of it is read.
///
/// At most `concurrency` scopes are in memory, each for as long as it is read and handed on.
///
/// When `stop` completes, what is being opened or read is dropped, and told of as interrupted.
pub async fn scan(
    prospects: Vec<Prospect>,
    chosen: impl Fn(&Scope) -> bool,
    asked: &Asked,
    concurrency: NonZeroUsize,
    stop: impl Future<Output = ()>,
    mut sink: impl FnMut(Scanned),
    mut events: impl FnMut(Event<'_>),
) -> Outcome {
    let mut outcome = Outcome::default();
    let (prospects, others): (Vec<_>, _) =
        prospects.into_iter().partition(|prospect| prospect.may_have(&chosen));
    outcome.passed_over = others.iter().map(|prospect| prospect.expected.len()).sum();
    events(Event::Started { accounts: prospects.len() });
    let mut missing = Missing::new(&prospects, &chosen);
    let mut prospects = prospects.into_iter().enumerate();
    let mut opening = FuturesUnordered::new();
    let concurrency = concurrency.get();
    let mut queue = Queue::new();
    // Tasks of their own, since taking answers apart is work for as many processors as there are.
    let mut reading = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        while opening.len() < OPENING && queue.len() < AHEAD * concurrency {
            let Some((at, prospect)) = prospects.next() else { break };
            opening.push(async move { (at, Box::pin(prospect.open()).await, prospect.account_id) });
        }
        while reading.len() < concurrency {
            let Some((at, target)): Option<(usize, Target)> = queue.next() else { break };
            let asked = asked.clone();
            reading.spawn(async move { (at, target.account.collect(&target.scope, &asked).await) });
        }
        if opening.is_empty() && reading.is_empty() {
            break;
        }
        tokio::select! {
            // Asked first, so that a scan whose answers are always ready can still be stopped.
            biased;
            () = &mut stop => {
                outcome.interrupted = missing.count();
                events(Event::Interrupted { unread: outcome.interrupted });
                missing.interrupted().for_each(|coverage| sink(Scanned::Unread(coverage)));
                break;
            }
            Some(read) = reading.join_next(), if !reading.is_empty() => {
                // None is aborted while it is waited for, so that one without an answer has panicked.
                let (at, inventory) = read.unwrap_or_else(|error| resume_unwind(error.into_panic()));
                queue.done(at);
                missing.found(at, &inventory.scope.region);
                outcome.read += 1;
                events(Event::Read { coverage: &inventory.coverage, nodes: inventory.instances.len() });
                sink(Scanned::Read(Box::new(inventory)));
            }
            Some((at, opened, account)) = opening.next(), if !opening.is_empty() => {
                let Opened { mut targets, mut unread } = opened;
                let all = targets.len() + unread.len();
                targets.retain(|target| chosen(&target.scope));
                unread.retain(|(scope, _)| chosen(scope));
                outcome.passed_over += all - targets.len() - unread.len();
                missing.opened(at, &targets);
                events(Event::Opened { account: &account, scopes: targets.len() });
                for (_, coverage) in unread {
                    outcome.failed += usize::from(!coverage.errors.is_empty());
                    events(Event::Unread { coverage: &coverage });
                    sink(Scanned::Unread(coverage));
                }
                queue.extend(at, targets);
            }
        }
    }
    outcome
}

/// The scopes that are still to be read, by the number of their account in the scan.
struct Missing(BTreeMap<usize, Vec<(Scope, Guard)>>);

impl Missing {
    /// All that is expected.
    fn new(prospects: &[Prospect], chosen: &impl Fn(&Scope) -> bool) -> Self {
        let expected = |prospect: &Prospect| {
            let scopes = prospect.expected_scopes().filter(|scope| chosen(scope));
            scopes.map(|scope| (scope, prospect.guard())).collect()
        };
        Self(prospects.iter().map(expected).enumerate().collect())
    }

    /// Instead of what was expected of an account, this is to be read.
    fn opened(&mut self, at: usize, targets: &[Target]) {
        let scopes = targets.iter().map(|target| (target.scope.clone(), target.account.guard));
        self.0.insert(at, scopes.collect());
    }

    fn found(&mut self, at: usize, region: &Region) {
        if let Some(scopes) = self.0.get_mut(&at) {
            scopes.retain(|(scope, _)| scope.region != *region);
        }
    }

    fn count(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    fn interrupted(self) -> impl Iterator<Item = Coverage> {
        let scopes = self.0.into_values().flatten();
        scopes.map(|(scope, guard)| Coverage::interrupted(&scope).guarded(guard))
    }
}
