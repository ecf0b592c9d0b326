//! An organisation of AWS Organizations: its root, its organizational units, and its accounts.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The organisation of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// `o-…`.
    pub id: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// The account that pays.
    pub management_account: String,
    /// Accounts that may look at the organisation as well.
    pub delegated_administrators: BTreeSet<String>,
    /// `r-…`.
    pub root: String,
    /// By id, without the root.
    pub units: BTreeMap<String, Unit>,
    /// What is in the root and in each unit, by its id.
    pub children: BTreeMap<String, Children>,
    /// Sorted by account id.
    pub members: Vec<Member>,
    /// Do answers still have `Status`, which AWS retired in favour of `State`?
    pub retired_status: bool,
}

/// An organizational unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// `ou-…`.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// What a root or a unit holds by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Children {
    /// Ids of units.
    pub units: Vec<String>,
    /// Account ids.
    pub accounts: Vec<String>,
}

/// An account as its organisation knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Twelve digits.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Of its root user.
    pub email: String,
    /// May it be used?
    pub state: AccountState,
    /// How it came.
    pub joined_method: JoinedMethod,
    /// When it came.
    pub joined: i64,
}

/// Where an account is in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountState {
    /// Made, and not yet usable.
    PendingActivation,
    /// In use.
    #[default]
    Active,
    /// Suspended by AWS.
    Suspended,
    /// About to be closed.
    PendingClosure,
    /// Closed, and kept for 90 days.
    Closed,
}

/// How an account came to its organisation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JoinedMethod {
    /// It was there before.
    Invited,
    /// It was made for it.
    #[default]
    Created,
}

impl AccountState {
    /// The `Status` of before, which had three values.
    pub fn retired(self) -> Option<&'static str> {
        match self {
            Self::PendingActivation => None,
            Self::Active => Some("ACTIVE"),
            Self::Suspended | Self::Closed => Some("SUSPENDED"),
            Self::PendingClosure => Some("PENDING_CLOSURE"),
        }
    }
}

impl Organization {
    /// The account, if it belongs here.
    pub fn member(&self, account: &str) -> Option<&Member> {
        let index = self.members.binary_search_by(|member| member.id.as_str().cmp(account)).ok()?;
        self.members.get(index)
    }

    /// May the account look at the organisation as a whole?
    pub fn is_administrator(&self, account: &str) -> bool {
        self.management_account == account || self.delegated_administrators.contains(account)
    }

    /// The ARN of something in the organisation: `account`, `ou`, `root`, and its id.
    pub fn arn(&self, kind: &str, id: &str) -> String {
        format!("arn:{}:organizations::{}:{kind}/{}/{id}", self.partition, self.management_account, self.id)
    }
}
