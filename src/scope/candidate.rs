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
