//! One step, from its intent to its outcome.

use std::io;

use super::Event;
use super::changes::{Answer, At, Found, Look, Progress};
use super::cloud::Cloud;
use crate::aws::{CallError, ErrorKind};
use crate::finding::sha256;
use crate::journal::{Effect, Medium, Outcome, Standing};
use crate::plan::Action;

/// How often in a row AWS may fail to tell how far a step is, or not show what it took on.
const BLIND_LOOKS: u32 = 20;

/// How the taking of a step ends.
#[derive(Debug)]
pub enum End {
    /// It is as it was meant to be.
    Done,
    /// It is not, and the run goes on all the same.
    Kept,
    /// The run ends for this reason.
    Halt(String),
    /// Somebody asked to stop, and the step goes on in AWS or was not begun.
    Stopped,
    /// The journal could not be written: nobody may go on.
    Unwritten(io::Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Unwritten(error)
    }
}

impl<C: Cloud, M: Medium> At<'_, '_, C, M> {
    /// Takes the step.
    pub async fn take(&self) -> End {
        self.taken().await.unwrap_or_else(End::Unwritten)
    }

    async fn taken(&self) -> io::Result<End> {
        let standing = self.context.standing(&self.step.id).unwrap_or_default();
        let begun = standing.attempts > 0 && standing.is_open();
        if begun && let Some(effect) = &standing.sent {
            return self.follow(effect.clone(), true).await;
        }
        if begun {
            match self.find(&standing).await {
                Ok(Found::Sent(effect)) => {
                    self.context.sent(self.step, &effect)?;
                    return self.follow(effect, true).await;
                }
                Ok(Found::Nothing) if self.context.options.settle_only => {
                    let message = "an earlier run was cut off before AWS took it on";
                    return self.failed("NotSent", message.to_owned(), false);
                }
                Ok(Found::Nothing) => {}
                // It stays as open as it was.
                Err(error) => {
                    return Ok(End::Halt(format!("cannot tell whether it was done: {}", told(&error))));
                }
            }
        }
        match self.look().await {
            Ok(Look::Due) => self.go(&standing, begun).await,
            Ok(Look::Already(effect, why)) => {
                self.context.outcome(self.scope, self.step, Outcome::Already { effect, why })?;
                Ok(End::Done)
            }
            Ok(Look::Refused(why)) => self.refused(why),
            Err(error) => self.failed(&error.code, told(&error), false),
        }
    }

    /// Sends it, and sees it through.
    async fn go(&self, standing: &Standing, again: bool) -> io::Result<End> {
        if self.context.stopping.is_asked() {
            return Ok(End::Stopped);
        }
        if self.context.options.max_changes.is_some_and(|most| self.context.changes.get() >= most) {
            return Ok(End::Halt("as many changes were made as --max-changes allows".to_owned()));
        }
        let token = match &standing.token {
            // The request of then, if it still is on its way, and this one are the same to AWS.
            Some(token) if again => token.clone(),
            _ => self.token(standing.attempts),
        };
        let known = match self.known().await {
            Ok(known) => known,
            Err(error) => return self.failed(&error.code, told(&error), false),
        };
        self.context.intent(self.step, token.clone(), known)?;
        self.context.changes.set(self.context.changes.get() + 1);
        self.context.tell(Event::Sending { scope: self.scope, step: self.step });
        match self.send(&token).await {
            Ok(Answer { effect, warnings }) => {
                self.context.sent(self.step, &effect)?;
                if warnings.is_empty() {
                    return self.follow(effect, false).await;
                }
                self.failed("InvalidVersion", format!("AWS warns: {}", warnings.join("; ")), false)
            }
            Err(error) if error.is_uncertain() => self.unanswered(&error).await,
            Err(error) if matches!(error.kind, ErrorKind::Changed | ErrorKind::NotOurs | ErrorKind::Busy) => {
                self.refused(error.summary())
            }
            Err(error) => self.failed(&error.code, told(&error), false),
        }
    }

    /// The updates or refreshes that there are: if another one is there afterwards, it is this step's.
    async fn known(&self) -> Result<Vec<String>, CallError> {
        Ok(match &self.step.action {
            Action::UpdateNodeGroup { cluster, node_group, .. } => {
                let updates = self.cloud.updates(cluster, node_group).await?;
                updates.into_iter().map(|update| update.id).collect()
            }
            Action::RefreshInstances { group, .. } => {
                let refreshes = self.cloud.refreshes(group).await?;
                refreshes.into_iter().map(|refresh| refresh.id).collect()
            }
            _ => Vec::new(),
        })
    }

    /// Nobody knows whether it was done, but AWS.
    async fn unanswered(&self, error: &CallError) -> io::Result<End> {
        let standing = self.context.standing(&self.step.id).unwrap_or_default();
        match self.find(&standing).await {
            Ok(Found::Sent(effect)) => {
                self.context.sent(self.step, &effect)?;
                self.follow(effect, true).await
            }
            Ok(Found::Nothing) => {
                let message = format!("{}; AWS shows nothing of it so far", told(error));
                self.failed(&error.code, message, true)
            }
            Err(_) => {
                let message = format!("{}; whether it was done could not be read either", told(error));
                self.failed(&error.code, message, true)
            }
        }
    }

    /// Waits until it is over.
    async fn follow(&self, effect: Effect, found: bool) -> io::Result<End> {
        let (mut last, mut blind) = (String::new(), 0);
        loop {
            match self.progress(&effect).await {
                Ok(Progress::Done) => {
                    self.context.outcome(self.scope, self.step, Outcome::Done { effect, found })?;
                    return Ok(End::Done);
                }
                Ok(Progress::Failed(code, message)) => return self.failed(&code, message, false),
                Ok(Progress::Going(what)) => {
                    blind = 0;
                    if what != last {
                        self.context.observed(self.scope, self.step, &what)?;
                        last = what;
                    }
                }
                Ok(Progress::NotYet(why)) if blind >= BLIND_LOOKS => {
                    return self.failed("NotToBeSeen", why, true);
                }
                Err(error) if error.kind.is_lasting() || blind >= BLIND_LOOKS => {
                    // It stays open: that nobody can look does not make it fail.
                    return Ok(End::Halt(format!("cannot see how it goes on: {}", told(&error))));
                }
                Ok(Progress::NotYet(_)) | Err(_) => blind += 1,
            }
            self.context.stopping.pause(self.context.options.poll).await;
            if self.context.stopping.is_asked() && self.takes_a_while() {
                return Ok(End::Stopped);
            }
        }
    }

    fn takes_a_while(&self) -> bool {
        matches!(self.step.action, Action::UpdateNodeGroup { .. } | Action::RefreshInstances { .. })
    }

    fn refused(&self, why: String) -> io::Result<End> {
        let end = match &self.step.action {
            // What is still in use stays, and everything else is taken back all the same.
            Action::DeleteTemplateVersion { .. } => End::Kept,
            _ => End::Halt(why.clone()),
        };
        self.context.outcome(self.scope, self.step, Outcome::Refused { why })?;
        Ok(end)
    }

    fn failed(&self, code: &str, message: String, perhaps: bool) -> io::Result<End> {
        let end = End::Halt(format!("{message} ({code})"));
        let code = code.to_owned();
        self.context.outcome(self.scope, self.step, Outcome::Failed { code, message, perhaps })?;
        Ok(end)
    }

    /// By what AWS knows the request again. It is the same whoever makes it from the same plan where it has to be, and
    /// another one where an earlier attempt has come to its end.
    fn token(&self, attempts: u32) -> String {
        let journal = self.context.journal.borrow();
        let token = match &self.step.action {
            Action::CreateTemplateVersion { client_token, .. } => client_token.clone(),
            _ => sha256(&format!("{} {}", journal.history().begin.began_at, self.step.id)),
        };
        if attempts == 0 { token } else { sha256(&format!("{token} {attempts}")) }
    }
}

fn told(error: &CallError) -> String {
    format!("{}: {}", error.operation, error.summary())
}
