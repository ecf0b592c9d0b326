//! How to get into accounts, to leave their findings there: with the credentials that an audit began with, and by sessions of
//! their own, never by those that read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::aws::{Aws, Base, ConnectSettings, Importer, Role};
use crate::model::{AccountId, Partition, Region};
use crate::scan::{Entry, Prospect};
use crate::scope::{DEFAULT_ROLE, RoleName};

/// What a session is called in the logs of an account.
const SESSION_NAME: &str = "imdsctl";

/// The ways that an audit has found into accounts; none, where what is delivered was read before.
#[derive(Clone, Debug, Default)]
pub struct Doors {
    known: BTreeMap<AccountId, Door>,
    /// Why nobody is to go through any.
    pub(super) closed: Option<&'static str>,
}

#[derive(Clone, Debug)]
struct Door {
    /// The profile whose credentials it is opened with.
    profile: Option<String>,
    /// The role that reads it, where it is not the credentials' own account.
    role: Option<Role>,
    /// Where STS is asked for sessions.
    sts: Region,
}

impl Doors {
    /// Those that the flags of an audit mean.
    pub fn of(prospects: &[Prospect]) -> Self {
        let door = |prospect: &Prospect| {
            let role = match &prospect.entry {
                Entry::Open(..) => None,
                Entry::Assume(role) => Some(role.clone()),
                Entry::Closed(_) => return None,
            };
            let (profile, sts) = (prospect.base.profile.clone(), prospect.sts.clone());
            Some((prospect.account_id.clone(), Door { profile, role, sts }))
        };
        Self { known: prospects.iter().filter_map(door).collect(), closed: None }
    }

    /// The same, where an `interruption` has come before: whoever wants an end does not want to wait for imports.
    #[must_use]
    pub fn unless(self, interruption: bool) -> Self {
        let closed = interruption.then_some("the audit was interrupted, and the next one imports all");
        Self { closed, ..self }
    }
}

/// Opens accounts.
#[derive(Debug)]
pub struct Opener<'a> {
    doors: &'a Doors,
    /// The profile that was asked for, for all of them.
    profile: Option<&'a str>,
    /// The role that was asked for, and its external id.
    role: Option<&'a RoleName>,
    external_id: Option<&'a str>,
    bases: BTreeMap<Option<String>, Result<Arc<Base>, String>>,
}

impl<'a> Opener<'a> {
    /// Signs in with all credentials that these accounts are opened with.
    pub async fn new(
        aws: &Aws,
        doors: &'a Doors,
        accounts: &BTreeSet<&AccountId>,
        hint: Option<&Region>,
        (profile, role, external_id): (Option<&'a str>, Option<&'a RoleName>, Option<&'a str>),
    ) -> Self {
        let mut opener = Self { doors, profile, role, external_id, bases: BTreeMap::new() };
        for account in accounts {
            let profile = opener.profile_of(account);
            if opener.bases.contains_key(&profile) {
                continue;
            }
            let settings =
                ConnectSettings { profile: profile.clone(), region_hint: hint.cloned(), endpoint: None };
            let base = aws.connect(&settings).await.map(Arc::new).map_err(|error| error.to_string());
            opener.bases.insert(profile, base);
        }
        opener
    }

    fn profile_of(&self, account: &AccountId) -> Option<String> {
        let given = self.profile.map(str::to_owned);
        given.or_else(|| self.doors.known.get(account).and_then(|door| door.profile.clone()))
    }

    /// Gets into an account: by a session of a role, unless it is the credentials' own.
    pub async fn open(&self, account: &AccountId) -> Result<Importer, String> {
        let base = self.bases.get(&self.profile_of(account));
        let base = base.cloned().unwrap_or_else(|| Err("nobody signed in".to_owned()))?;
        if base.account.account_id == *account {
            return Ok(base.importer());
        }
        let door = self.doors.known.get(account);
        let role = self.role_in(&base.account.partition, account, door);
        let sts = door.map_or_else(|| base.sts_region(), |door| door.sts.clone());
        let opened = base.assume_to_import(&role, &sts).await;
        opened.map_err(|error| format!("{} {} {}", error.operation, error.code, error.summary()))
    }

    fn role_in(&self, partition: &Partition, account: &AccountId, door: Option<&Door>) -> Role {
        let reader = door.and_then(|door| door.role.clone());
        let arn = self.role.map(|role| role.arn(partition, account));
        let external_id = self.external_id.map(str::to_owned);
        match reader {
            Some(reader) => Role {
                arn: arn.unwrap_or_else(|| reader.arn.clone()),
                external_id: external_id.or_else(|| reader.external_id.clone()),
                ..reader
            },
            None => Role {
                partition: partition.clone(),
                account_id: account.clone(),
                arn: arn
                    .unwrap_or_else(|| format!("arn:{partition}:iam::{account}:role/{DEFAULT_ROLE}").into()),
                external_id,
                session_name: SESSION_NAME.to_owned(),
            },
        }
    }
}
