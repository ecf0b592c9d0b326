//! Auto Scaling groups back to what they launched from, a step at a time.

use super::{Scope, number};
use crate::model::{GroupLaunch, VersionRef};
use crate::plan::{Action, Block, Launching, Moved, Repoint, moves};

/// The group that an action is about, what it was seen to launch from, and the references that change.
pub fn of_group(action: &Action) -> Option<(&str, &GroupLaunch, &[Repoint])> {
    match action {
        Action::UpdateAutoScalingGroup { group, seen, repoint, .. }
        | Action::RefreshInstances { group, seen, repoint, .. } => Some((group, seen, repoint)),
        _ => None,
    }
}

/// How a step on a group is taken back.
pub struct Back {
    /// What does it.
    pub action: Action,
    /// Why it cannot be.
    pub blocked: Option<Block>,
    /// Whether it gives `$Latest` or `$Default` back, which has to mean again what it meant.
    pub by_name: bool,
}

impl Scope<'_> {
    /// How a step on a group is taken back; nothing, where the action is about something else.
    pub(super) fn back(&self, action: &Action) -> Option<Back> {
        let (group, _, repoint) = of_group(action)?;
        let (before, now) = self.launching(group, action)?;
        let moved = moves(repoint, |choice| number(self.history, choice)).unwrap_or_default();
        let back: Vec<Moved> = moved.iter().map(Moved::back).collect();
        let by_name = back.iter().any(|one| !matches!(one.to, VersionRef::Number(_)));
        let why = if back.is_empty() {
            Some(
                "its instances were replaced by others from the same versions: there is nothing to go back to",
            )
        } else if before.blurs(&moved) {
            Some(
                "references to different versions of one template were made one, and nobody can tell them apart again",
            )
        } else {
            None
        };
        let blocked = why.map(|why| Block { why: why.to_owned(), unless: None });
        let mut action = action.clone();
        if let Action::UpdateAutoScalingGroup { seen, repoint, .. }
        | Action::RefreshInstances { seen, repoint, .. } = &mut action
        {
            *seen = now.launch().clone();
            *repoint = back.into_iter().map(Repoint::from).collect();
        }
        Some(Back { action, blocked, by_name })
    }

    /// What a group launched from before an action, and launches from after all that was done.
    fn launching(&self, group: &str, action: &Action) -> Option<(Launching, Launching)> {
        let mut before = None;
        let mut now: Option<Launching> = None;
        for step in &self.part.steps {
            let Some((name, seen, repoint)) = of_group(&step.action) else { continue };
            let standing = self.history.of(&step.id);
            let done = standing.is_some_and(|one| one.effect().is_some() || one.is_to_be_undone());
            if name != group || !done {
                continue;
            }
            let now = now.get_or_insert_with(|| Launching::new(seen));
            if step.action == *action {
                before = Some(now.clone());
            }
            now.take(&moves(repoint, |choice| number(self.history, choice)).unwrap_or_default());
        }
        Some((before?, now?))
    }
}
