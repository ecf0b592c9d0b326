//! Accounts before anyone has signed in to them.

use std::sync::Arc;

use super::Target;
use crate::aws::{Account, Base, CallError, ErrorKind, Narrowing, Permit, ReadOnly, Role};
use crate::model::{AccountId, Coverage, Guard, Partition, Region, RegionStatus, Scope};
use crate::scope::Wanted;

/// An account that is to be read, and how to get in.
#[derive(Clone, Debug)]
pub struct Prospect {
    /// Its partition.
    pub partition: Partition,
    /// The account.
    pub account_id: AccountId,
    /// Its name, where the source of the account knows one.
    pub account_name: Option<String>,
    /// The credentials that everything begins with.
    pub base: Arc<Base>,
    /// Where STS is asked for sessions.
    pub sts: Region,
    /// How to get in.
    pub entry: Entry,
    /// Which Regions of it are wanted.
    pub wanted: Wanted,
    /// The Regions that are missing if nobody gets in.
    pub expected: Arc<[Region]>,
}

/// How to get into an account.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Someone is in it already, and has asked for its Regions; not where that was denied and they are named.
    Open(Account, Option<Vec<RegionStatus>>),
    /// By a session of a role, which the base credentials may assume.
    Assume(Role),
    /// Not at all, for this reason.
    Closed(String),
}

/// Why nobody gets in to change an account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoChange {
    /// Nobody may at all.
    #[error("{0}")]
    Closed(String),
    /// Who gets in may only read.
    #[error(transparent)]
    ReadOnly(#[from] ReadOnly),
    /// The session was not granted.
    #[error(transparent)]
    Refused(#[from] CallError),
}

/// What came of an account.
#[derive(Debug, Default)]
pub(super) struct Opened {
    /// The Regions that can be read.
    pub targets: Vec<Target>,
    /// Those that cannot be, and why.
    pub unread: Vec<(Scope, Coverage)>,
}

impl Prospect {
    /// Who reads the account, as far as that is known before.
    pub fn reader(&self) -> Option<&str> {
        match &self.entry {
            Entry::Open(account, _) => Some(account.caller.as_str()),
            Entry::Assume(role) => Some(role.arn.as_str()),
            Entry::Closed(_) => None,
        }
    }

    /// What holds the reader back from changing anything.
    pub fn guard(&self) -> Guard {
        match &self.entry {
            Entry::Open(account, _) => account.guard,
            Entry::Assume(_) => Guard::SessionPolicy,
            Entry::Closed(_) => Guard::ClientGate,
        }
    }

    /// This account in one Region.
    pub fn scope(&self, region: &Region) -> Scope {
        Scope {
            partition: self.partition.clone(),
            account_id: self.account_id.clone(),
            account_name: self.account_name.clone(),
            region: region.clone(),
        }
    }

    /// The scopes that are expected of it.
    pub(super) fn expected_scopes(&self) -> impl Iterator<Item = Scope> {
        self.expected.iter().map(|region| self.scope(region))
    }

    /// Whether any scope of it may be chosen. Where all Regions are wanted, nobody knows before it is opened.
    pub(super) fn may_have(&self, chosen: impl Fn(&Scope) -> bool) -> bool {
        self.wanted == Wanted::All || self.expected_scopes().any(|scope| chosen(&scope))
    }

    /// Gets in, without asking for anything. Nothing, where there is no way in.
    ///
    /// # Errors
    /// When STS does not grant the session.
    pub async fn account(&self) -> Option<Result<Account, CallError>> {
        match &self.entry {
            Entry::Open(account, _) => Some(Ok(account.clone())),
            Entry::Closed(_) => None,
            Entry::Assume(role) => Some(self.base.assume(role, &self.sts).await),
        }
    }

    /// Gets in and asks which Regions there are. What fails is in the answer, and stops nobody else.
    pub(super) async fn open(&self) -> Opened {
        let (account, known) = match &self.entry {
            Entry::Open(account, known) => (account.clone(), known.clone()),
            Entry::Closed(reason) => return self.unread(|scope| Coverage::skipped(scope, reason)),
            Entry::Assume(role) => {
                let account = match self.base.assume(role, &self.sts).await {
                    Ok(account) => account,
                    Err(error) => return self.failed(error),
                };
                match regions(&account, &self.wanted).await {
                    Ok(known) => (account, known),
                    Err(error) => return self.failed(error),
                }
            }
        };
        let mut opened = Opened::default();
        for (region, enabled) in self.wanted.standing(&known.unwrap_or_default()) {
            let scope = self.scope(&region);
            if enabled {
                opened.targets.push(Target { account: account.clone(), scope });
            } else {
                let reason = "the Region is not enabled for the account";
                let coverage = Coverage::skipped(&scope, reason).guarded(account.guard);
                opened.unread.push((scope, coverage));
            }
        }
        opened
    }

    /// Gets in to change what is permitted: by a session of `role` that is limited to that, and how narrowly; without a
    /// role, with the base credentials, in their own account only.
    ///
    /// # Errors
    /// When nobody gets in, or when who does may only read.
    pub async fn open_to_change(
        &self,
        role: Option<&Role>,
        permit: &Permit,
    ) -> Result<(Account, Option<Narrowing>), NoChange> {
        match (role, &self.entry) {
            (_, Entry::Closed(reason)) => Err(NoChange::Closed(reason.clone())),
            (Some(role), _) => {
                let (account, narrowing) = self.base.assume_to_change(role, &self.sts, permit).await?;
                Ok((account, Some(narrowing)))
            }
            (None, Entry::Open(account, _)) => Ok((account.clone(), None)),
            (None, Entry::Assume(role)) => {
                Err(ReadOnly { account_id: self.account_id.clone(), caller: role.arn.clone() }.into())
            }
        }
    }

    fn failed(&self, error: CallError) -> Opened {
        let error = error.into();
        self.unread(|scope| Coverage::failed(scope, Clone::clone(&error)))
    }

    fn unread(&self, coverage: impl Fn(&Scope) -> Coverage) -> Opened {
        let unread = |scope| {
            let coverage = coverage(&scope).guarded(self.guard());
            (scope, coverage)
        };
        Opened { targets: Vec::new(), unread: self.expected_scopes().map(unread).collect() }
    }
}

/// The Regions of an account. Whoever names Regions needs no list of them: nothing, if that is denied. A name that
/// does not exist then shows as a Region that cannot be reached.
///
/// # Errors
/// When they cannot be listed and are needed.
pub async fn regions(account: &Account, wanted: &Wanted) -> Result<Option<Vec<RegionStatus>>, CallError> {
    match account.regions().await {
        Ok(known) => Ok(Some(known)),
        Err(error) if error.kind == ErrorKind::AccessDenied && *wanted != Wanted::All => {
            tracing::warn!("account {} may not list Regions ({})", account.account_id, error.code);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
