//! What the steps of a run share.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;

use super::{Event, Options};
use crate::journal::{Effect, Entry, Journal, Medium, Outcome, Standing, before, does};
use crate::model::{GroupLaunch, Scope, TemplateId};
use crate::plan::{Action, Launching, Moved, Plan, Repoint, Step, StepId, VersionChoice, moves};

/// What the steps of a run share. They take turns on one thread.
pub struct Context<'a, C, M> {
    pub plan: &'a Plan,
    pub options: Options,
    pub clouds: &'a BTreeMap<Scope, C>,
    pub journal: RefCell<&'a mut Journal<M>>,
    pub clock: &'a dyn Fn() -> Timestamp,
    pub events: RefCell<&'a mut dyn FnMut(Event<'_>)>,
    pub stopping: Stopping,
    /// How many changes were sent.
    pub changes: Cell<usize>,
}

/// Whether somebody asked to stop.
#[derive(Debug, Default)]
pub struct Stopping {
    asked: Cell<bool>,
    notify: Notify,
}

impl Stopping {
    pub fn ask(&self) {
        self.asked.set(true);
        self.notify.notify_waiters();
    }

    pub const fn is_asked(&self) -> bool {
        self.asked.get()
    }

    /// Waits; not longer than until somebody asks to stop.
    pub async fn pause(&self, duration: Duration) {
        let asked = self.notify.notified();
        if self.is_asked() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            () = asked => {}
        }
    }
}

impl<C, M: Medium> Context<'_, C, M> {
    pub fn tell(&self, event: Event<'_>) {
        (self.events.borrow_mut())(event);
    }

    fn write(&self, entry: &Entry) -> io::Result<()> {
        self.journal.borrow_mut().add(entry)
    }

    pub fn intent(&self, step: &Step, token: String, known: Vec<String>) -> io::Result<()> {
        let (does, before) = (does(&step.action), before(&step.action));
        let (at, step, token) = ((self.clock)(), step.id.clone(), Some(token));
        self.write(&Entry::Intent { at, step, does, before, token, known })
    }

    pub fn sent(&self, step: &Step, effect: &Effect) -> io::Result<()> {
        self.write(&Entry::Sent { at: (self.clock)(), step: step.id.clone(), effect: effect.clone() })
    }

    pub fn observed(&self, scope: &Scope, step: &Step, what: &str) -> io::Result<()> {
        self.tell(Event::Observed { scope, step, what });
        let (at, step) = ((self.clock)(), step.id.clone());
        self.write(&Entry::Observed { at, step, what: what.to_owned() })
    }

    pub fn outcome(&self, scope: &Scope, step: &Step, outcome: Outcome) -> io::Result<()> {
        self.tell(Event::Ended { scope, step, outcome: &outcome });
        self.write(&Entry::Outcome { at: (self.clock)(), step: step.id.clone(), outcome })
    }

    pub fn standing(&self, step: &StepId) -> Option<Standing> {
        self.journal.borrow().history().of(step).cloned()
    }

    /// Whether a step is as it was meant to be.
    pub fn is_done(&self, step: &StepId) -> bool {
        self.journal.borrow().history().effect(step).is_some()
    }

    /// The number that a version has by now.
    pub fn number(&self, choice: &VersionChoice) -> Option<i64> {
        match choice {
            VersionChoice::Existing(number) => Some(*number),
            VersionChoice::MadeBy(step) => self.journal.borrow().history().effect(step)?.version,
        }
    }

    /// What a step changes of a group's references.
    pub fn moves(&self, repoint: &[Repoint]) -> Option<Vec<Moved>> {
        moves(repoint, |choice| self.number(choice))
    }

    /// What a group should launch from by now: what was seen, and what earlier steps on it made of that.
    pub fn launching(&self, scope: &Scope, step: &Step, group: &str, seen: &GroupLaunch) -> Launching {
        let mut launching = Launching::new(seen);
        let steps = self.plan.steps().filter(|(other, _)| *other == scope).map(|(_, step)| step);
        for earlier in steps.take_while(|other| other.id != step.id) {
            let (Action::UpdateAutoScalingGroup { group: of, repoint, .. }
            | Action::RefreshInstances { group: of, repoint, .. }) = &earlier.action
            else {
                continue;
            };
            if of == group && self.is_done(&earlier.id) {
                launching.take(&self.moves(repoint).unwrap_or_default());
            }
        }
        launching
    }

    /// The versions of a template that were made under this journal.
    pub fn made(&self, scope: &Scope, template: &TemplateId) -> Vec<i64> {
        let steps = self.plan.steps().filter(|(other, _)| *other == scope);
        let made = steps.filter(|(_, step)| match &step.action {
            Action::CreateTemplateVersion { template: of, .. } => of == template,
            _ => false,
        });
        let journal = self.journal.borrow();
        made.filter_map(|(_, step)| journal.history().of(&step.id)?.made()?.version).collect()
    }
}
