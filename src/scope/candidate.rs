//! An account that some source names, before anyone has decided whether it is read.

use super::role::RoleName;
use crate::model::AccountId;

/// An account, and all that its source says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The account.
    pub account_id: AccountId,
    /// What the source calls it.
    pub name: Option<String>,
    /// Labels in the source, `key:value` as a rule. Not tags of AWS.
    pub tags: Vec<String>,
    /// The Regions that the source names for it; none where it leaves that to the flags.
    pub regions: Vec<String>,
    /// The role that the source names for it.
    pub role: Option<RoleName>,
    /// What the role asks for.
    pub external_id: Option<String>,
    /// The profile to read it, or to assume its role, with.
    pub profile: Option<String>,
    /// Why nothing of it can be read, if that is known: it is suspended or closed.
    pub inactive: Option<String>,
}

impl Candidate {
    /// An account of which nothing but the number is known.
    pub fn new(account_id: AccountId) -> Self {
        Self {
            account_id,
            name: None,
            tags: Vec::new(),
            regions: Vec::new(),
            role: None,
            external_id: None,
            profile: None,
            inactive: None,
        }
    }
}

/// The same accounts, each once: one that is named several times is read in the Regions of all of them.
pub fn merged(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut merged: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        match merged.iter_mut().find(|known| known.account_id == candidate.account_id) {
            // Without Regions of its own it is read where the flags say, which nothing can narrow.
            Some(known) if known.regions.is_empty() || candidate.regions.is_empty() => known.regions.clear(),
            Some(known) => known.regions.extend(candidate.regions),
            None => merged.push(candidate),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_is_named_twice_is_read_in_all_its_regions() {
        let named = |id: &str, regions: &[&str]| Candidate {
            regions: regions.iter().map(ToString::to_string).collect(),
            ..Candidate::new(id.into())
        };
        let all = merged(vec![named("1", &["a"]), named("2", &["a"]), named("1", &["b"]), named("2", &[])]);
        assert_eq!(all, [named("1", &["a", "b"]), named("2", &[])]);
    }
}
