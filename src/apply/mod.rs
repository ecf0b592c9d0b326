//! Runs a plan: one change at a time in each cluster, each under a journal.
//!
//! ```text
//! step ──> has an earlier run begun it? ──> does all hold that was seen? ──> intent ──> send ──> wait ──> outcome
//!               └─ ask AWS what came of it     └─ refused, or so already       └─ on the disk before anything is sent
//! ```
//!
//! Nothing is done but what the plan says. What has to hold before a step is read again right before it. The first
//! failure or refusal ends the run: what goes on in AWS is waited for, and nothing else is begun. Where something was
//! sent and no answer came, AWS is asked whether it was done, and it is never sent twice.
//!
//! The clock, the journal's file and the signal to stop are handed in; what happens is told by [`Event`]s.

mod canary;
mod changes;
mod cloud;
mod context;
mod groups;
mod node_groups;
mod others;
mod run;
mod step;
mod templates;

#[cfg(test)]
mod tests;

pub use cloud::{Cloud, Comparable, Version};
pub use run::{Applied, Run};

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::journal::Outcome;
use crate::model::Scope;
use crate::plan::Step;

/// How a plan is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many steps may go on at once, each in another cluster.
    pub parallel_clusters: NonZeroUsize,
    /// Whether the first group whose nodes are replaced is looked at before the next one.
    pub canary: bool,
    /// The most changes that are sent.
    pub max_changes: Option<usize>,
    /// How long to wait between two looks at something that takes a while.
    pub poll: Duration,
    /// Whether only what an earlier run left open is brought to its end, and nothing is begun.
    pub settle_only: bool,
}

/// What happens during a run, for whoever shows it.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A step is about to be sent.
    Sending {
        /// Where.
        scope: &'a Scope,
        /// The step.
        step: &'a Step,
    },
    /// How far a step is.
    Observed {
        /// Where.
        scope: &'a Scope,
        /// The step.
        step: &'a Step,
        /// How far.
        what: &'a str,
    },
    /// What came of a step.
    Ended {
        /// Where.
        scope: &'a Scope,
        /// The step.
        step: &'a Step,
        /// What came of it.
        outcome: &'a Outcome,
    },
    /// The first group's new nodes have the options that they should have.
    CanaryPassed {
        /// Where.
        scope: &'a Scope,
        /// How many nodes were looked at.
        nodes: usize,
    },
    /// Somebody asked the run to stop.
    Stopping,
}
