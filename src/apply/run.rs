//! A run: which step is next, and when it is over.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;

use super::changes::At;
use super::cloud::Cloud;
use super::context::{Context, Stopping};
use super::step::End;
use super::{Event, Options};
use crate::journal::{Ending, Entry, Journal, Medium};
use crate::model::Scope;
use crate::plan::{Action, Plan, Step, StepId};

/// What a run is given.
pub struct Run<'a, C, M> {
    /// What is to be done, and nothing else.
    pub plan: &'a Plan,
    /// How.
    pub options: Options,
    /// What changes each account and Region of the plan.
    pub clouds: &'a BTreeMap<Scope, C>,
    /// Where all of it is written down, and what earlier runs did.
    pub journal: &'a mut Journal<M>,
    /// What time it is.
    pub clock: &'a dyn Fn() -> Timestamp,
    /// Who is told.
    pub events: &'a mut dyn FnMut(Event<'_>),
}

/// How a run ended. What came of each step stands in the journal.
#[derive(Debug)]
pub struct Applied {
    /// How.
    pub ending: Ending,
    /// Why, where not all was done.
    pub why: Option<String>,
    /// How many changes were sent.
    pub changes: usize,
    /// Why the journal could not be written to its end.
    pub unwritten: Option<io::Error>,
}

/// What is exclusive to a step while it is taken.
type Key = (Scope, String);

/// What has happened in a run so far.
#[derive(Default)]
struct State {
    tried: BTreeSet<StepId>,
    busy: Vec<Key>,
    halted: Option<String>,
    unwritten: Option<io::Error>,
    /// Whether the first group that was rolled out was looked at.
    canary_passed: bool,
}

impl<C: Cloud, M: Medium> Run<'_, C, M> {
    /// Runs it. When `stop` completes, what is being sent is brought to its end, what takes a while is left to AWS, and
    /// nothing else is begun.
    pub async fn go(self, stop: impl Future<Output = ()>) -> Applied {
        let Run { plan, options, clouds, journal, clock, events } = self;
        let context = Context {
            plan,
            options,
            clouds,
            journal: RefCell::new(journal),
            clock,
            events: RefCell::new(events),
            stopping: Stopping::default(),
            changes: Cell::new(0),
        };
        let state = context.run(stop).await;
        context.end(state)
    }
}

impl<'a, C: Cloud, M: Medium> Context<'a, C, M> {
    async fn run(&self, stop: impl Future<Output = ()>) -> State {
        let mut state = State::default();
        let mut running = FuturesUnordered::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            while running.len() < self.options.parallel_clusters.get()
                && let Some((scope, step)) = self.next(&state)
            {
                state.tried.insert(step.id.clone());
                state.busy.extend(keys(scope, step));
                running.push(self.take(scope, step, state.canary_passed));
            }
            if running.is_empty() {
                break;
            }
            tokio::select! {
                biased;
                () = &mut stop, if !self.stopping.is_asked() => {
                    self.tell(Event::Stopping);
                    self.stopping.ask();
                }
                Some((scope, taken, end)) = running.next() => {
                    let free = keys(scope, taken);
                    state.busy.retain(|key| !free.contains(key));
                    state.note(taken, end);
                }
            }
        }
        state
    }

    /// The next step that can be taken, in the order of the plan.
    fn next(&self, state: &State) -> Option<(&'a Scope, &'a Step)> {
        if state.halted.is_some() || state.unwritten.is_some() || self.stopping.is_asked() {
            return None;
        }
        let open = |step: &Step| self.standing(&step.id).is_some_and(|standing| standing.is_open());
        let first_only = self.options.canary && !state.canary_passed;
        let rolling = self.plan.steps().any(|(scope, step)| {
            is_rollout(step) && keys(scope, step).iter().any(|key| state.busy.contains(key))
        });
        self.plan.steps().find(|(scope, step)| {
            step.blocked.is_none()
                && !state.tried.contains(&step.id)
                && (!self.is_done(&step.id) || (first_only && is_rollout(step)))
                && (!self.options.settle_only || open(step))
                && step.after.iter().all(|earlier| self.is_done(earlier) || self.options.settle_only)
                && keys(scope, step).iter().all(|key| !state.busy.contains(key))
                && !(first_only && rolling && is_rollout(step))
        })
    }

    async fn take(
        &self,
        scope: &'a Scope,
        step: &'a Step,
        canary_passed: bool,
    ) -> (&'a Scope, &'a Step, End) {
        let Some(cloud) = self.clouds.get(scope) else {
            return (scope, step, End::Halt(format!("nobody is signed in to {scope}")));
        };
        let at = At { context: self, scope, cloud, step };
        // What an earlier run did is only looked at.
        let end = if self.is_done(&step.id) { End::Done } else { at.take().await };
        let first = self.options.canary && !canary_passed && is_rollout(step);
        let end = match end {
            End::Done if first => at.canary().await,
            end => end,
        };
        (scope, step, end)
    }

    fn end(&self, state: State) -> Applied {
        let changes = self.changes.get();
        let left = self.plan.steps().any(|(_, step)| step.blocked.is_none() && !self.is_done(&step.id));
        let (ending, why) = match state.halted {
            Some(why) => (Ending::Stopped, Some(why)),
            None if self.stopping.is_asked() && left => (Ending::Interrupted, None),
            None => (Ending::Finished, None),
        };
        let mut unwritten = state.unwritten;
        if unwritten.is_none() && !self.options.settle_only {
            let end = Entry::End { at: (self.clock)(), how: ending, why: why.clone() };
            unwritten = self.journal.borrow_mut().add(&end).err();
        }
        Applied { ending, why, changes, unwritten }
    }
}

impl State {
    fn note(&mut self, step: &Step, end: End) {
        match end {
            End::Done => self.canary_passed |= is_rollout(step),
            End::Kept | End::Stopped => {}
            End::Halt(why) => {
                // The first one is the reason; others went on meanwhile.
                self.halted.get_or_insert(why);
            }
            End::Unwritten(error) => {
                self.halted.get_or_insert_with(|| format!("the journal could not be written: {error}"));
                self.unwritten.get_or_insert(error);
            }
        }
    }
}

/// Whether a step replaces nodes, and so takes a while.
pub fn is_rollout(step: &Step) -> bool {
    matches!(step.action, Action::UpdateNodeGroup { .. } | Action::RefreshInstances { .. })
}

/// What no other step may be about at the same time: the clusters whose nodes are replaced, or all else in a scope.
fn keys(scope: &Scope, step: &Step) -> Vec<Key> {
    let name = |name: &str| (scope.clone(), name.to_owned());
    match &step.action {
        Action::UpdateNodeGroup { cluster, .. } => vec![name(cluster)],
        Action::RefreshInstances { group, .. } if step.reach.clusters.is_empty() => vec![name(group)],
        Action::RefreshInstances { .. } => step.reach.clusters.iter().map(|cluster| name(cluster)).collect(),
        _ => vec![name("")],
    }
}
