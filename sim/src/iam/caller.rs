//! Whoever asks.

use std::sync::Arc;

use super::Session;
use super::decision::{self, Denial, Question};
use crate::ids;
use crate::world::{AccessKey, Account, Organization, Policy, Role, World};

/// Whoever asks, in the account that they act in.
#[derive(Debug)]
pub struct Caller<'w> {
    /// The account.
    pub account: &'w Account,
    /// Its organisation, if it is in one.
    pub organization: Option<&'w Organization>,
    /// A user or a session.
    pub principal: Principal<'w>,
}

/// A user, or a session of a role.
#[derive(Debug)]
pub enum Principal<'w> {
    /// With a long-term access key.
    User(&'w AccessKey),
    /// With temporary credentials.
    Session(Arc<Session>, &'w Role),
}

impl<'w> Caller<'w> {
    /// A caller in an account.
    pub fn new(world: &'w World, account: &'w Account, principal: Principal<'w>) -> Self {
        Self { account, organization: world.organization_of(account), principal }
    }

    /// As `GetCallerIdentity` and every refusal name them.
    pub fn arn(&self) -> String {
        match &self.principal {
            Principal::User(key) => self.account.user_arn(&key.user),
            Principal::Session(session, _) => session.arn(&self.account.partition),
        }
    }

    /// As policies name them: a session by its role.
    pub fn policy_arn(&self) -> String {
        match &self.principal {
            Principal::User(_) => self.arn(),
            Principal::Session(_, role) => role.arn(&self.account.partition, &self.account.id),
        }
    }

    /// `AIDA…`, or `AROA…:session`.
    pub fn user_id(&self) -> String {
        match &self.principal {
            Principal::User(key) => {
                let user_id = ids::hex(16, &["user", &self.account.id, &key.user]).to_uppercase();
                format!("AIDA{user_id}")
            }
            Principal::Session(session, role) => format!("{}:{}", role.id, session.name),
        }
    }

    /// Are these credentials from an `AssumeRole`?
    pub fn is_session(&self) -> bool {
        matches!(self.principal, Principal::Session(..))
    }

    /// Asks every policy that has a say.
    pub fn may(&self, question: &Question<'_>) -> Result<(), Denial> {
        let (identity, session): (&Policy, Option<&Policy>) = match &self.principal {
            Principal::User(key) => (&key.permissions, None),
            Principal::Session(session, role) => (&role.permissions, session.policy.as_ref()),
        };
        decision::decide(identity, session, question, self)
    }
}
