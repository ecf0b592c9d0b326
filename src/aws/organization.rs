//! The accounts of an organization.

use aws_sdk_organizations::types::{self, AccountState, AccountStatus};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::base::Base;
use super::errors::{CallError, failed};
use super::operations::{
    LIST_ACCOUNTS, LIST_ACCOUNTS_FOR_PARENT, LIST_ORGANIZATIONAL_UNITS_FOR_PARENT, Operation,
};
use super::pages;
use crate::model::AccountId;

/// How many organizational units are listed at once. AWS allows few requests a second here.
const SIDE_BY_SIDE: usize = 4;

/// An account of an organization.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// The account.
    pub account_id: AccountId,
    /// Its name in the organization.
    pub name: Option<String>,
    /// Its state where that is not `ACTIVE`, as AWS spells it: nothing of it can be read.
    pub inactive: Option<String>,
}

impl Base {
    /// All accounts of the organization, by number.
    ///
    /// # Errors
    ///
    /// When `organizations:ListAccounts` fails on any page: of a part of the accounts nobody could tell what is
    /// missing.
    pub async fn organization(&self) -> Result<Vec<Member>, CallError> {
        let client = self.sign_in.organizations();
        let listed = pages::collect(LIST_ACCOUNTS, async |token| {
            let page = client.list_accounts().set_next_token(token).send().await;
            let page = page.map_err(failed(LIST_ACCOUNTS))?;
            Ok((members(page.accounts()), page.next_token))
        });
        listed.await.complete().map(sorted)
    }

    /// All accounts of an organizational unit or a root, and of all units below it, by number.
    ///
    /// # Errors
    ///
    /// When any of the listings fails.
    pub async fn organizational_unit(&self, id: &str) -> Result<Vec<Member>, CallError> {
        let client = &self.sign_in.organizations();
        let mut found = Vec::new();
        let mut level = vec![id.to_owned()];
        // Units are at most five levels deep, and each level is listed side by side.
        while !level.is_empty() {
            let units: Vec<_> = stream::iter(level)
                .map(|unit| list_unit(client, unit))
                .buffer_unordered(SIDE_BY_SIDE)
                .try_collect()
                .await?;
            level = Vec::new();
            for (accounts, units) in units {
                found.extend(accounts);
                level.extend(units);
            }
        }
        Ok(sorted(found))
    }
}

/// The accounts of one unit, and the ids of the units directly below it.
async fn list_unit(
    client: &aws_sdk_organizations::Client,
    unit: String,
) -> Result<(Vec<Member>, Vec<String>), CallError> {
    let about = |error: CallError| error.about(&format!("organizational unit {unit}"));
    let accounts = pages::collect(LIST_ACCOUNTS_FOR_PARENT, async |token| {
        let page = client.list_accounts_for_parent().parent_id(&unit).set_next_token(token).send().await;
        let page = page.map_err(failed(LIST_ACCOUNTS_FOR_PARENT))?;
        Ok((members(page.accounts()), page.next_token))
    });
    let operation: Operation = LIST_ORGANIZATIONAL_UNITS_FOR_PARENT;
    let units = pages::collect(operation, async |token| {
        let call = client.list_organizational_units_for_parent().parent_id(&unit);
        let page = call.set_next_token(token).send().await.map_err(failed(operation))?;
        let ids = page.organizational_units().iter().filter_map(|unit| unit.id().map(str::to_owned));
        Ok((ids.collect(), page.next_token))
    });
    let (accounts, units) = futures::join!(accounts, units);
    Ok((accounts.complete().map_err(about)?, units.complete().map_err(about)?))
}

fn members(accounts: &[types::Account]) -> Vec<Member> {
    accounts.iter().filter_map(member).collect()
}

/// Nothing for an account without a number, which nobody could read.
fn member(account: &types::Account) -> Option<Member> {
    let state = account.state().map(AccountState::as_str);
    // Its predecessor, which a server that is not AWS's newest may answer alone.
    let status = account.status().map(AccountStatus::as_str);
    let state = state.or(status);
    Some(Member {
        account_id: account.id()?.into(),
        name: account.name().map(str::to_owned),
        inactive: state.filter(|state| *state != "ACTIVE").map(str::to_owned),
    })
}

fn sorted(mut members: Vec<Member>) -> Vec<Member> {
    members.sort();
    members.dedup_by(|a, b| a.account_id == b.account_id);
    members
}
