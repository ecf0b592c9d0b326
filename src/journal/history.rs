//! What a journal comes to: how each step stands.

use std::collections::{BTreeMap, BTreeSet};

use super::{Begin, Effect, Ending, Entry, Outcome};
use crate::plan::StepId;

/// What a journal comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// Its first line.
    pub begin: Begin,
    /// How its last run ended; nothing while one is under way, or where one was cut off.
    pub ending: Option<Ending>,
    steps: BTreeMap<StepId, Standing>,
    planned: BTreeSet<StepId>,
}

/// How a step stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// How often it was about to be sent.
    pub attempts: u32,
    /// The token of the last request, where there was one.
    pub token: Option<String>,
    /// The updates or refreshes that there were before the last request.
    pub known: Vec<String>,
    /// What AWS took on, of the last request.
    pub sent: Option<Effect>,
    /// Whether AWS took on anything, of any request.
    pub touched: bool,
    /// What came of it; nothing where that is not known yet.
    pub outcome: Option<Outcome>,
}

impl Standing {
    /// What is known of it, where it is as it was meant to be.
    pub fn effect(&self) -> Option<&Effect> {
        match &self.outcome {
            Some(Outcome::Done { effect, .. } | Outcome::Already { effect, .. }) => Some(effect),
            Some(Outcome::Refused { .. } | Outcome::Failed { .. }) | None => None,
        }
    }

    /// Whether only AWS can tell whether it was done, or how it ends.
    pub fn is_open(&self) -> bool {
        match &self.outcome {
            None => true,
            Some(Outcome::Failed { perhaps, .. }) => *perhaps,
            Some(_) => false,
        }
    }

    /// What is known of what it did, however it ended.
    pub fn made(&self) -> Option<&Effect> {
        self.effect().or(self.sent.as_ref())
    }

    /// Whether something was changed under this journal, or may have been.
    pub fn is_to_be_undone(&self) -> bool {
        match &self.outcome {
            Some(Outcome::Done { .. }) | None => true,
            Some(Outcome::Failed { perhaps, .. }) => *perhaps || self.touched,
            Some(Outcome::Already { .. } | Outcome::Refused { .. }) => self.touched,
        }
    }
}

impl History {
    /// What a first line comes to.
    pub fn new(begin: Begin) -> Self {
        let planned = begin.plan.steps().map(|(_, step)| step.id.clone()).collect();
        Self { begin, ending: None, steps: BTreeMap::new(), planned }
    }

    /// How a step stands; nothing where it was not begun.
    pub fn of(&self, step: &StepId) -> Option<&Standing> {
        self.steps.get(step)
    }

    /// What is known of a step that is as it was meant to be.
    pub fn effect(&self, step: &StepId) -> Option<&Effect> {
        self.of(step)?.effect()
    }

    /// The steps that were begun and that only AWS can tell the end of, in the order of the plan.
    pub fn open(&self) -> impl Iterator<Item = &StepId> {
        let steps = self.begin.plan.steps().map(|(_, step)| &step.id);
        steps.filter(|id| self.of(id).is_some_and(Standing::is_open))
    }

    /// Adds a line; what is wrong with one that cannot stand where it does.
    pub(super) fn add(&mut self, entry: &Entry) -> Result<(), String> {
        match entry {
            Entry::Begin(_) => return Err("a journal begins only once".to_owned()),
            Entry::Resume { .. } => self.ending = None,
            Entry::End { how, .. } => self.ending = Some(*how),
            Entry::Intent { step, token, known, .. } => {
                self.known(step)?;
                let standing = self.steps.entry(step.clone()).or_default();
                standing.attempts += 1;
                standing.known.clone_from(known);
                standing.token.clone_from(token);
                standing.sent = None;
                standing.outcome = None;
            }
            Entry::Sent { step, effect, .. } => {
                let standing = self.begun(step)?;
                standing.sent = Some(effect.clone());
                standing.touched = true;
            }
            Entry::Observed { step, .. } => drop(self.begun(step)?),
            Entry::Outcome { step, outcome, .. } => self.end(step, outcome)?,
        }
        Ok(())
    }

    fn end(&mut self, step: &StepId, outcome: &Outcome) -> Result<(), String> {
        self.known(step)?;
        let begun = self.of(step).is_some_and(|standing| standing.attempts > 0);
        if !begun && matches!(outcome, Outcome::Done { .. }) {
            return Err(format!("step {step} is said to be done, and was never begun"));
        }
        let standing = self.steps.entry(step.clone()).or_default();
        standing.touched |= matches!(outcome, Outcome::Done { .. });
        standing.outcome = Some(outcome.clone());
        Ok(())
    }

    fn begun(&mut self, step: &StepId) -> Result<&mut Standing, String> {
        self.known(step)?;
        self.steps.get_mut(step).ok_or_else(|| format!("step {step} was never begun"))
    }

    fn known(&self, step: &StepId) -> Result<(), String> {
        if self.planned.contains(step) {
            return Ok(());
        }
        Err(format!("step {step} is not one of the plan"))
    }
}
