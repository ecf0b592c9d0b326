//! From what a journal says was done to a plan that takes it back.

mod groups;

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{History, Standing};
use crate::model::CoverageStatus;
use crate::plan::{
    Action, Block, Change, NodeGroupSeen, Plan, SCHEMA, ScopePlan, Step, StepId, VersionChoice,
};

/// How what was done is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undoing {
    /// The inverse of each step that was done or may have been done, the last one first.
    pub plan: Plan,
    /// Steps that may have been done and that cannot be taken back before AWS is asked whether they were: the version
    /// that one may have made has no number yet.
    pub unsettled: Vec<StepId>,
}

/// The plan that takes back what was done under a journal.
///
/// Every step that was done, or that may have been, has its inverse in the plan or is among the `unsettled`; nothing
/// else is touched. That something was not done after all is found out right before: then there is nothing to take back.
pub fn undo(history: &History, made_at: Timestamp, version: &str) -> Undoing {
    let original = &history.begin.plan;
    let mut unsettled = Vec::new();
    let scopes = original.scopes.iter().map(|part| Scope::new(history, part).undo(&mut unsettled));
    let scopes = scopes.filter(|part| !part.steps.is_empty()).collect();
    let plan = Plan {
        schema: SCHEMA.to_owned(),
        tool: original.tool.clone(),
        version: version.to_owned(),
        made_at,
        choices: original.choices.clone(),
        policies: original.policies.clone(),
        scopes,
    };
    Undoing { plan, unsettled }
}

/// An account and Region, while its steps are turned round.
struct Scope<'h> {
    history: &'h History,
    part: &'h ScopePlan,
    /// The steps that were done or may have been.
    touched: Vec<(&'h Step, &'h Standing)>,
    steps: Vec<Step>,
}

impl<'h> Scope<'h> {
    fn new(history: &'h History, part: &'h ScopePlan) -> Self {
        let standing = |step: &'h Step| Some((step, history.of(&step.id)?));
        let touched = part.steps.iter().filter_map(standing);
        let touched = touched.filter(|(_, standing)| standing.is_to_be_undone()).collect();
        Self { history, part, touched, steps: Vec::new() }
    }

    fn undo(mut self, unsettled: &mut Vec<StepId>) -> ScopePlan {
        let mut by_name = Vec::new();
        for at in (0..self.touched.len()).rev() {
            let (step, standing) = self.touched[at];
            if let Some(back) = self.back(&step.action) {
                if back.by_name {
                    by_name.push((step, back));
                } else {
                    self.push(step, back.action, back.blocked);
                }
            } else if let Some(action) = self.inverse(&step.action, standing) {
                self.push(step, action, None);
            } else {
                unsettled.push(step.id.clone());
            }
        }
        // `$Latest` means what it meant once the version that was made is gone, and `$Default` once it is back.
        for (step, back) in by_name {
            let earlier = self.steps.iter().filter(|other| comes_first(&other.action, &back.action));
            let earlier: Vec<_> = earlier.map(|other| other.id.clone()).collect();
            self.push(step, back.action, back.blocked);
            self.steps.last_mut().into_iter().for_each(|step| step.after.extend(earlier.iter().cloned()));
        }
        ScopePlan {
            scope: self.part.scope.clone(),
            coverage: CoverageStatus::Complete,
            steps: self.steps,
            manual: Vec::new(),
            skipped: Vec::new(),
            risks: Vec::new(),
        }
    }

    /// Adds what takes a step back, after what takes back those that needed it.
    fn push(&mut self, step: &Step, action: Action, blocked: Option<Block>) {
        let done: BTreeSet<_> = self.steps.iter().map(|step| step.id.clone()).collect();
        let needed = self.touched.iter().filter(|(other, _)| other.after.contains(&step.id));
        let after = needed.map(|(other, _)| undo_id(&other.id)).filter(|id| done.contains(id)).collect();
        let changes =
            step.changes.iter().map(|change| Change { from: change.to, to: change.from, ..*change });
        self.steps.push(Step {
            after,
            changes: changes.collect(),
            reach: step.reach.clone(),
            blocked,
            ..Step::new(undo_id(&step.id), action)
        });
    }

    /// What takes an action back; nothing, where that cannot be said before AWS is asked.
    fn inverse(&self, action: &Action, standing: &Standing) -> Option<Action> {
        Some(match action {
            Action::CreateTemplateVersion { template, name, metadata, .. } => {
                let effect = standing.effect().or(standing.sent.as_ref());
                Action::DeleteTemplateVersion {
                    template: template.clone(),
                    name: name.clone(),
                    version: effect?.version?,
                    metadata: *metadata,
                }
            }
            Action::SetDefaultVersion { template, name, from, to } => Action::SetDefaultVersion {
                template: template.clone(),
                name: name.clone(),
                from: self.number(to)?,
                to: VersionChoice::Existing(*from),
            },
            Action::UpdateNodeGroup { cluster, node_group, arn, template, to, pin, seen, force } => {
                Action::UpdateNodeGroup {
                    cluster: cluster.clone(),
                    node_group: node_group.clone(),
                    arn: arn.clone(),
                    template: template.clone(),
                    to: VersionChoice::Existing(seen.version),
                    pin: pin.clone(),
                    seen: NodeGroupSeen { version: self.number(to)?, status: seen.status.clone() },
                    force: *force,
                }
            }
            Action::ModifyInstance { instance, seen, metadata } => Action::ModifyInstance {
                instance: instance.clone(),
                seen: seen.overlaid(metadata),
                metadata: seen.within(metadata),
            },
            Action::ModifyAccountDefaults { seen, metadata } => {
                let mut set = seen.clone();
                set.metadata = seen.metadata.overlaid(metadata);
                Action::RestoreAccountDefaults { seen: set, metadata: seen.metadata }
            }
            Action::UpdateAutoScalingGroup { .. }
            | Action::RefreshInstances { .. }
            | Action::DeleteTemplateVersion { .. }
            | Action::RestoreAccountDefaults { .. } => return None,
        })
    }

    fn number(&self, choice: &VersionChoice) -> Option<i64> {
        number(self.history, choice)
    }
}

/// The number that a version has by now.
pub(super) fn number(history: &History, choice: &VersionChoice) -> Option<i64> {
    match choice {
        VersionChoice::Existing(number) => Some(*number),
        VersionChoice::MadeBy(step) => history.effect(step)?.version,
    }
}

fn undo_id(step: &StepId) -> StepId {
    StepId(format!("undo-{step}"))
}

/// Whether what a step does has to be over before another gives a group a reference back.
fn comes_first(earlier: &Action, reference: &Action) -> bool {
    let Some((group, _, repoint)) = groups::of_group(reference) else { return false };
    match earlier {
        Action::DeleteTemplateVersion { template, .. } | Action::SetDefaultVersion { template, .. } => {
            repoint.iter().any(|one| one.template == *template)
        }
        earlier => groups::of_group(earlier).is_some_and(|(other, ..)| other == group),
    }
}
