//! Accounts × Regions: reads every scope, a bounded number at a time, and hands each inventory on as soon
//! as it is complete. What is being read is never held longer than it is being read.

use std::future::Future;

use futures::StreamExt;

use crate::aws::Account;
use crate::model::{Asked, Coverage, Inventory, Scope};

/// How many scopes are read side by side. Each is limited by AWS's answers, not by this machine.
pub const DEFAULT_CONCURRENCY: usize = 16;

/// One account in one Region, and the credentials to read it with.
#[derive(Clone, Debug)]
pub struct Target {
    /// The account.
    pub account: Account,
    /// Where to read.
    pub scope: Scope,
}

/// What happens during a scan, for whoever shows it.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Reading begins.
    Started {
        /// How many scopes are to be read.
        scopes: usize,
    },
    /// A scope was read, as far as it could be.
    Read {
        /// How far it could be read.
        coverage: &'a Coverage,
        /// How many nodes it has.
        nodes: usize,
    },
    /// The scan was interrupted.
    Interrupted {
        /// How many scopes were not read to the end.
        unread: usize,
    },
}

/// How a scan ended.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The scopes that were not read because of an interruption.
    pub unread: Vec<Scope>,
}

impl Outcome {
    /// Whether the scan was interrupted.
    pub fn interrupted(&self) -> bool {
        !self.unread.is_empty()
    }
}

/// Reads all targets. `sink` gets each inventory in the order in which reading finished, which is any.
///
/// When `stop` completes, what is being read is dropped and counts as unread.
pub async fn scan(
    targets: Vec<Target>,
    asked: &Asked,
    stop: impl Future<Output = ()>,
    mut sink: impl FnMut(Inventory),
    mut events: impl FnMut(Event<'_>),
) -> Outcome {
    events(Event::Started { scopes: targets.len() });
    let mut unread: Vec<Scope> = targets.iter().map(|target| target.scope.clone()).collect();
    let mut inventories = futures::stream::iter(targets)
        .map(|target| async move { target.account.collect(&target.scope, asked).await })
        .buffer_unordered(DEFAULT_CONCURRENCY);
    let mut stop = std::pin::pin!(stop);
    loop {
        let inventory = tokio::select! {
            // Asked first, so that a scan whose answers are always ready can still be stopped.
            biased;
            () = &mut stop => {
                events(Event::Interrupted { unread: unread.len() });
                break;
            }
            inventory = inventories.next() => inventory,
        };
        let Some(inventory) = inventory else { break };
        unread.retain(|scope| *scope != inventory.scope);
        events(Event::Read { coverage: &inventory.coverage, nodes: inventory.instances.len() });
        sink(inventory);
    }
    Outcome { unread }
}

/// The coverage of a scope that an interruption left unread.
pub fn interrupted(scope: &Scope) -> Coverage {
    Coverage::skipped(scope, "interrupted")
}
