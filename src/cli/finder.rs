//! From the flags to the accounts that they mean, and how to get into each.

use std::sync::Arc;

use crate::aws::{Aws, Base, CallError, ConnectSettings, ErrorKind, Member, Role};
use crate::model::{AccountId, Region, RegionStatus};
use crate::scan::{self, Entry, Prospect};
use crate::scope::{Candidate, Filter, Wanted, merged};

use super::Error;
use super::demo::Demo;
use super::targets::{BaseSettings, Where, no_such_region};

/// Collects the accounts that the flags mean.
#[derive(Debug)]
pub struct Finder<'a> {
    flags: &'a Where,
    filter: Filter,
    demo: Option<&'a Demo>,
    bases: Vec<AccountId>,
    found: Vec<Prospect>,
    /// All accounts that there are to choose from.
    candidates: Vec<Candidate>,
}

impl<'a> Finder<'a> {
    pub fn new(flags: &'a Where, filter: Filter, demo: Option<&'a Demo>) -> Self {
        Self { flags, filter, demo, bases: Vec::new(), found: Vec::new(), candidates: Vec::new() }
    }

    /// Signs in, and adds the accounts that are meant with these credentials.
    pub async fn add(
        &mut self,
        aws: &Aws,
        BaseSettings { name, settings }: BaseSettings,
    ) -> Result<(), Error> {
        let base = connect(aws, &settings).await?;
        // Two profiles may lead to the same account, which is read once.
        if self.bases.contains(&base.account.account_id) {
            return Ok(());
        }
        self.bases.push(base.account.account_id.clone());
        let mut candidates = if self.flags.is_organization() {
            organization(&base, self.flags.org_units()).await?
        } else {
            vec![Candidate { name, ..Candidate::new(base.account.account_id.clone()) }]
        };
        self.candidates.extend(candidates.iter().cloned());
        candidates.retain(|candidate| self.filter.admits(candidate));
        self.add_candidates(base, candidates).await
    }

    /// Adds accounts that a file lists. Those with a profile and no role are read with that profile, the others from
    /// `base`; nobody signs in where nothing is left to be read.
    pub async fn add_listed(
        &mut self,
        aws: &Aws,
        base: BaseSettings,
        mut listed: Vec<Candidate>,
    ) -> Result<(), Error> {
        self.candidates.extend(listed.iter().cloned());
        listed.retain(|candidate| self.filter.admits(candidate));
        let has_profile = |candidate: &Candidate| candidate.role.is_none() && candidate.profile.is_some();
        let (own, by_role): (Vec<_>, Vec<_>) = merged(listed).into_iter().partition(has_profile);
        if !by_role.is_empty() {
            let base = connect(aws, &base.settings).await?;
            self.add_candidates(base, by_role).await?;
        }
        for candidate in own {
            let profile: Vec<String> = candidate.profile.iter().cloned().collect();
            for BaseSettings { settings, .. } in self.flags.bases(&profile, self.demo)? {
                let base = connect(aws, &settings).await?;
                let (is, listed) = (&base.account.account_id, &candidate.account_id);
                if is != listed {
                    return Err(Error::usage(format!(
                        "profile {:?} leads to account {is}, and not to {listed} as the accounts file says",
                        profile.concat()
                    )));
                }
                self.add_candidates(base, vec![candidate.clone()]).await?;
            }
        }
        Ok(())
    }

    async fn add_candidates(&mut self, base: Base, candidates: Vec<Candidate>) -> Result<(), Error> {
        let mut wanted = Vec::new();
        for candidate in &candidates {
            wanted.push(self.flags.wanted(&base, &candidate.regions, self.demo.is_some())?);
        }
        let Some(first) = wanted.first() else { return Ok(()) };
        // If any account is to be read as a whole, the list is needed.
        let most = wanted.iter().find(|wanted| **wanted == Wanted::All).unwrap_or(first);
        let known = scan::regions(&base.account, most).await;
        let known = known.map_err(|error| no_regions(&base, &error))?;
        let base = Arc::new(base);
        let sts = sts_region(&base, known.as_deref());
        for (candidate, wanted) in candidates.into_iter().zip(wanted) {
            if let Some(known) = &known
                && let Some(region) = wanted.unknown_in(known)
            {
                return Err(no_such_region(known, region));
            }
            let entry = self.entry(&base, &candidate, known.as_deref());
            self.found.push(Prospect {
                partition: base.account.partition.clone(),
                account_id: candidate.account_id,
                account_name: candidate.name,
                base: Arc::clone(&base),
                sts: sts.clone(),
                entry,
                expected: wanted.expected(known.as_deref().unwrap_or_default()).into(),
                wanted,
            });
        }
        Ok(())
    }

    /// The account of the credentials is read with them, every other by a role.
    fn entry(&self, base: &Base, candidate: &Candidate, known: Option<&[RegionStatus]>) -> Entry {
        if let Some(state) = &candidate.inactive {
            return Entry::Closed(format!("the account is {state} in the organization"));
        }
        if candidate.account_id == base.account.account_id {
            return Entry::Open(base.account.clone(), known.map(<[_]>::to_vec));
        }
        let (role, external_id, session_name) = self.flags.role();
        let role = candidate.role.as_ref().unwrap_or(role);
        let partition = base.account.partition.clone();
        Entry::Assume(Role {
            arn: role.arn(&partition, &candidate.account_id),
            account_id: candidate.account_id.clone(),
            partition,
            external_id: candidate.external_id.as_ref().or(external_id).cloned(),
            session_name: session_name.to_owned(),
        })
    }

    /// All that was found, each account once.
    pub fn finish(mut self) -> Result<Vec<Prospect>, Error> {
        let unmet = self.filter.unmet(&self.candidates.iter().collect::<Vec<_>>());
        if !unmet.is_empty() {
            let all = self.candidates.len();
            return Err(Error::usage(format!(
                "none of {all} {} is or has {}",
                if all == 1 { "account" } else { "accounts" },
                unmet.join(" or ")
            )));
        }
        // Rather with credentials of the account's own than by a role of another's.
        let order =
            |prospect: &Prospect| (prospect.account_id.clone(), !matches!(prospect.entry, Entry::Open(..)));
        self.found.sort_by_cached_key(order);
        self.found.dedup_by(|a, b| a.account_id == b.account_id);
        if self.found.is_empty() {
            return Err(Error::usage("there is nothing to read: the flags leave no account"));
        }
        Ok(self.found)
    }
}

async fn connect(aws: &Aws, settings: &ConnectSettings) -> Result<Base, Error> {
    let base = aws.connect(settings).await;
    base.map_err(|error| Error::usage(about(settings.profile.as_deref(), &error.to_string())))
}

/// Where STS is asked for sessions: in the configured Region if every account has it, since a session that an opt-in
/// Region granted is of no use to an account that has not enabled that.
fn sts_region(base: &Base, known: Option<&[RegionStatus]>) -> Region {
    let configured = base.configured_region.clone().filter(|region| {
        known.is_none_or(|known| known.iter().any(|status| status.region == *region && !status.opt_in))
    });
    configured.unwrap_or_else(|| base.home_region())
}

/// The accounts of the organization, or of some units of it.
async fn organization(base: &Base, units: &[String]) -> Result<Vec<Candidate>, Error> {
    let mut members: Vec<Member> = Vec::new();
    if units.is_empty() {
        members = base.organization().await.map_err(|error| no_organization(base, &error))?;
    }
    for unit in units {
        let unit = base.organizational_unit(unit).await.map_err(|error| no_organization(base, &error))?;
        members.extend(unit);
    }
    members.sort();
    members.dedup();
    Ok(members
        .into_iter()
        .map(|Member { account_id, name, inactive }| Candidate {
            name,
            inactive,
            ..Candidate::new(account_id)
        })
        .collect())
}

fn no_organization(base: &Base, error: &CallError) -> Error {
    let advice = match error.kind {
        ErrorKind::AccessDenied => {
            ": use credentials of the management account or of a delegated administrator that may call it"
        }
        _ if error.code == "AWSOrganizationsNotInUseException" => {
            ": leave out --org to read this account alone"
        }
        _ => "",
    };
    Error::usage(format!(
        "cannot list the accounts of the organization of account {}: {} {}: {}{advice}",
        base.account.account_id,
        error.operation,
        error.code,
        error.summary()
    ))
}

fn no_regions(base: &Base, error: &CallError) -> Error {
    Error::usage(format!(
        "cannot list the Regions of account {}: {}: name them with --region",
        base.account.account_id,
        error.summary()
    ))
}

/// An error with the profile that it is about, named once.
fn about(profile: Option<&str>, error: &str) -> String {
    match profile.map(|profile| format!("profile {profile:?}")) {
        Some(profile) if !error.contains(&profile) => format!("{profile}: {error}"),
        _ => error.to_owned(),
    }
}
