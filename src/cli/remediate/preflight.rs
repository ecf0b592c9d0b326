//! `--preflight`: what EC2 would say to each step, by its own dry runs, which change nothing.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::aws::{Changer, NewVersion, Rehearsal};
use crate::journal::does;
use crate::model::{MetadataOptions, OptionName, Scope};
use crate::plan::{Action, Plan, Step, StepId};

/// A plan, and what a preflight said.
#[derive(Debug, Serialize)]
pub struct Rehearsed<'a> {
    #[serde(flatten)]
    pub plan: &'a Plan,
    /// What EC2 would say to each step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preflight: Option<Vec<Said>>,
}

impl<'a> Rehearsed<'a> {
    /// A plan without a preflight.
    pub const fn not(plan: &'a Plan) -> Self {
        Self { plan, preflight: None }
    }
}

/// What EC2 would say to a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Where.
    #[serde(flatten)]
    pub scope: Scope,
    /// The step.
    pub step: StepId,
    /// What it does, in words.
    pub does: String,
    /// What EC2 says.
    pub answer: Answer,
    /// Why, where it is not allowed.
    pub why: Option<String>,
}

/// What EC2 says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Allowed,
    Denied,
    NotTestable,
}

/// Asks about every step that is not blocked.
pub async fn rehearse(plan: &Plan, changers: &BTreeMap<Scope, Changer>) -> Vec<Said> {
    let mut said = Vec::new();
    for (scope, step) in plan.steps().filter(|(_, step)| step.blocked.is_none()) {
        let Some(changer) = changers.get(scope) else { continue };
        let (answer, why) = match rehearse_step(changer, step).await {
            Rehearsal::Allowed => (Answer::Allowed, None),
            Rehearsal::Denied { message } => (Answer::Denied, Some(message)),
            Rehearsal::NotTestable { reason } => (Answer::NotTestable, Some(reason)),
        };
        let (scope, does) = (scope.clone(), does(&step.action));
        said.push(Said { scope, step: step.id.clone(), does, answer, why });
    }
    said
}

async fn rehearse_step(changer: &Changer, step: &Step) -> Rehearsal {
    match &step.action {
        Action::CreateTemplateVersion { template, source, metadata, description, client_token, .. } => {
            let new = NewVersion {
                template: template.clone(),
                source: *source,
                metadata: *metadata,
                description: description.clone(),
                client_token: client_token.clone(),
            };
            match changer.version(template, *source).await {
                Ok(version) => changer.rehearse_create_version(&new, &version).await,
                Err(error) => Rehearsal::NotTestable { reason: error.summary() },
            }
        }
        // What will be the default may not exist yet. Whether it may be moved does not depend on where to.
        Action::SetDefaultVersion { template, from, .. } => {
            changer.rehearse_set_default(template, *from).await
        }
        Action::DeleteTemplateVersion { template, version, .. } => {
            changer.rehearse_delete_version(template, *version).await
        }
        Action::ModifyInstance { instance, metadata, .. } => {
            changer.rehearse_modify_instance(instance, metadata).await
        }
        Action::ModifyAccountDefaults { metadata, .. } => {
            changer.rehearse_modify_defaults(metadata, &[]).await
        }
        Action::RestoreAccountDefaults { metadata, .. } => {
            let unset: Vec<_> =
                OptionName::ALL.into_iter().filter(|option| is_lost(metadata, *option)).collect();
            changer.rehearse_modify_defaults(metadata, &unset).await
        }
        Action::UpdateNodeGroup { .. } => none("EKS"),
        Action::UpdateAutoScalingGroup { .. } | Action::RefreshInstances { .. } => none("Auto Scaling"),
    }
}

/// Whether an account's default loses its preference: there is none for IPv6.
fn is_lost(metadata: &MetadataOptions, option: OptionName) -> bool {
    option != OptionName::HttpProtocolIpv6 && metadata.get(option).is_none()
}

fn none(service: &str) -> Rehearsal {
    Rehearsal::NotTestable { reason: format!("{service} has no dry run") }
}
