//! A step at its place, and what each kind of action does there.

use super::cloud::Cloud;
use super::context::Context;
use crate::aws::{CallError, ErrorKind};
use crate::journal::{Effect, Medium, Standing};
use crate::model::Scope;
use crate::plan::{Action, Step};

/// A step, and the account and Region where it is taken.
pub struct At<'c, 'a, C, M> {
    pub context: &'c Context<'a, C, M>,
    pub scope: &'a Scope,
    pub cloud: &'a C,
    pub step: &'a Step,
}

/// Whether a step is to be sent.
#[derive(Debug)]
pub enum Look {
    /// All that was seen holds.
    Due,
    /// There is nothing to send.
    Already(Effect, String),
    /// What was seen does not hold.
    Refused(String),
}

/// What came of a step that was begun, as far as AWS can tell.
#[derive(Debug)]
pub enum Found {
    /// It was sent, and goes on or is over.
    Sent(Effect),
    /// There is no trace of it.
    Nothing,
}

/// What AWS answered to a step.
#[derive(Debug)]
pub struct Answer {
    /// What is known of it.
    pub effect: Effect,
    /// What AWS finds wrong with it, although it did it.
    pub warnings: Vec<String>,
}

impl From<Effect> for Answer {
    fn from(effect: Effect) -> Self {
        Self { effect, warnings: Vec::new() }
    }
}

/// How far a step is that was sent.
#[derive(Debug)]
pub enum Progress {
    /// It is as it was meant to be.
    Done,
    /// It goes on.
    Going(String),
    /// AWS took it on and does not show it yet.
    NotYet(String),
    /// It failed: a code and what it means.
    Failed(String, String),
}

impl Progress {
    pub fn failed(code: &str, message: impl Into<String>) -> Self {
        Self::Failed(code.to_owned(), message.into())
    }
}

/// What is not there any more refuses a step; it is no failure of the call.
pub fn gone(error: CallError, what: impl FnOnce() -> String) -> Result<Look, CallError> {
    if error.kind == ErrorKind::NotFound { Ok(Look::Refused(what())) } else { Err(error) }
}

impl<C: Cloud, M: Medium> At<'_, '_, C, M> {
    /// Whether it is to be sent: everything that has to hold is read.
    pub async fn look(&self) -> Result<Look, CallError> {
        match &self.step.action {
            Action::CreateTemplateVersion { .. } => self.look_at_template().await,
            Action::SetDefaultVersion { template, from, to, .. } => {
                self.look_at_default(template, *from, to).await
            }
            Action::DeleteTemplateVersion { template, version, metadata, .. } => {
                self.look_at_made(template, *version, metadata).await
            }
            Action::UpdateNodeGroup { .. } => self.look_at_node_group().await,
            Action::UpdateAutoScalingGroup { group, seen, repoint, .. } => {
                self.look_at_group(group, seen, repoint).await
            }
            Action::RefreshInstances { group, seen, repoint, .. } => {
                self.look_at_refresh(group, seen, repoint).await
            }
            Action::ModifyInstance { instance, seen, metadata } => {
                self.look_at_instance(instance, seen, metadata).await
            }
            Action::ModifyAccountDefaults { seen, metadata } => {
                self.look_at_defaults(seen, &seen.metadata.overlaid(metadata)).await
            }
            Action::RestoreAccountDefaults { seen, metadata } => self.look_at_defaults(seen, metadata).await,
        }
    }

    /// What came of it, where an earlier run has begun it or no answer came.
    pub async fn find(&self, standing: &Standing) -> Result<Found, CallError> {
        match &self.step.action {
            Action::CreateTemplateVersion { .. } => self.find_version().await,
            Action::UpdateNodeGroup { .. } => self.find_update(standing).await,
            Action::RefreshInstances { group, .. } => self.find_refresh(group, standing).await,
            // What it was to bring about is there, or it is not.
            _ => Ok(match self.look().await? {
                Look::Already(effect, _) => Found::Sent(effect),
                Look::Due | Look::Refused(_) => Found::Nothing,
            }),
        }
    }

    /// Sends it.
    pub async fn send(&self, token: &str) -> Result<Answer, CallError> {
        match &self.step.action {
            Action::CreateTemplateVersion { .. } => self.create_version(token).await,
            Action::SetDefaultVersion { template, to, .. } => self.set_default(template, to).await,
            Action::DeleteTemplateVersion { template, version, .. } => {
                self.cloud.delete_version(template, *version).await.map(|()| Effect::version(*version).into())
            }
            Action::UpdateNodeGroup { .. } => self.update_node_group(token).await,
            Action::UpdateAutoScalingGroup { group, seen, repoint, .. } => {
                self.update_group(group, seen, repoint).await
            }
            Action::RefreshInstances { group, seen, repoint, min_healthy_percentage, .. } => {
                self.start_refresh(group, seen, repoint, *min_healthy_percentage).await
            }
            Action::ModifyInstance { instance, metadata, .. } => {
                self.cloud.modify_instance(instance, metadata).await.map(|()| Effect::default().into())
            }
            Action::ModifyAccountDefaults { metadata, .. } => {
                self.cloud.modify_defaults(metadata, &[]).await.map(|()| Effect::default().into())
            }
            Action::RestoreAccountDefaults { seen, metadata } => self.restore_defaults(seen, metadata).await,
        }
    }

    /// How far it is, after it was sent. That AWS said yes is not taken for proof.
    pub async fn progress(&self, effect: &Effect) -> Result<Progress, CallError> {
        match &self.step.action {
            Action::CreateTemplateVersion { .. } => self.check_version(effect).await,
            Action::UpdateNodeGroup { cluster, node_group, .. } => {
                self.watch_update(cluster, node_group, effect).await
            }
            Action::RefreshInstances { group, .. } => self.watch_refresh(group, effect).await,
            Action::ModifyInstance { instance, metadata, .. } => {
                self.watch_instance(instance, metadata).await
            }
            _ => Ok(match self.look().await? {
                Look::Already(..) => Progress::Done,
                Look::Due => Progress::NotYet("AWS shows what was there before".to_owned()),
                Look::Refused(why) => Progress::failed("NotAsSent", why),
            }),
        }
    }
}
