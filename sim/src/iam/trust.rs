//! Does a role let someone assume it?

use super::{Caller, Principal};
use crate::world::Trust;

/// Does the trust policy name the caller, and do its conditions hold?
pub fn admits(trust: &Trust, caller: &Caller<'_>, external_id: Option<&str>) -> bool {
    let identified = trust.external_ids.is_empty()
        || external_id.is_some_and(|id| trust.external_ids.iter().any(|known| known == id));
    let organized = trust
        .organization_id
        .as_ref()
        .is_none_or(|id| caller.organization.is_some_and(|organization| organization.id == *id));
    identified && organized && trust.principals.iter().any(|principal| names(principal, caller))
}

/// An account stands for everyone in it, a role for its sessions.
fn names(principal: &str, caller: &Caller<'_>) -> bool {
    let account = caller.account;
    principal == "*"
        || principal == account.id
        || principal == format!("arn:{}:iam::{}:root", account.partition, account.id)
        || principal == caller.arn()
        || matches!(caller.principal, Principal::Session(..)) && principal == caller.policy_arn()
}
