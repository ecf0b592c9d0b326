//! An accounts file, in the format of c7n-org: the accounts of an organisation as somebody keeps them.
//!
//! What c7n-org takes is taken, and what it refuses is refused, with the place. Accounts of other clouds are none of
//! ours, and `vars`, addresses and keys of one's own mean nothing here.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::candidate::Candidate;
use super::role::{RoleName, external_id, is_account_id};
use crate::yaml::{self, Misread};

/// What is wrong with an accounts file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct InvalidAccounts {
    /// The line, from 1; 0 where there is none to name.
    pub line: u64,
    /// The column, from 1.
    pub column: u64,
    /// What is wrong, and what was expected.
    pub message: String,
}

impl fmt::Display for InvalidAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{}: ", self.line, self.column)?;
        }
        f.write_str(&self.message)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "keys that are c7n-org's and mean nothing here are known, so that others are not"
)]
struct RawFile {
    accounts: Option<Vec<RawAccount>>,
    vars: Option<IgnoredAny>,
    subscriptions: Option<IgnoredAny>,
    projects: Option<IgnoredAny>,
    tenancies: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct RawAccount {
    account_id: Spanned<String>,
    name: Option<String>,
    display_name: Option<String>,
    role: Option<Spanned<Roles>>,
    external_id: Option<Spanned<String>>,
    profile: Option<Spanned<String>>,
    #[serde(default)]
    regions: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
}

/// A role, or a chain of them.
struct Roles(Vec<String>);

impl<'de> Deserialize<'de> for Roles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Roles;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a role, or a list of one role")
            }

            fn visit_str<E: serde::de::Error>(self, role: &str) -> Result<Roles, E> {
                Ok(Roles(vec![role.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut roles: A) -> Result<Roles, A::Error> {
                let mut all = Vec::new();
                while let Some(role) = roles.next_element()? {
                    all.push(role);
                }
                Ok(Roles(all))
            }
        }

        deserializer.deserialize_any(OneOrMany)
    }
}

/// Reads an accounts file.
///
/// # Errors
/// With the first thing that is wrong with it.
pub fn accounts(text: &str) -> Result<Vec<Candidate>, InvalidAccounts> {
    let file: RawFile = yaml::read(text).map_err(|Misread { line, column, message }| InvalidAccounts {
        line,
        column,
        message,
    })?;
    let none = || InvalidAccounts {
        line: 0,
        column: 0,
        message: "it holds no accounts of AWS: expected a list under `accounts:`".to_owned(),
    };
    file.accounts.ok_or_else(none)?.into_iter().map(candidate).collect()
}

fn candidate(raw: RawAccount) -> Result<Candidate, InvalidAccounts> {
    let id = &raw.account_id;
    if !is_account_id(&id.value) {
        let message = format!("{:?} is not an account's number: it must be 12 digits, in quotes", id.value);
        return Err(at(id.referenced, message));
    }
    Ok(Candidate {
        account_id: id.value.as_str().into(),
        name: raw.name.or(raw.display_name),
        tags: raw.tags,
        regions: raw.regions,
        role: raw.role.map(|role| role_in(&id.value, &role)).transpose()?,
        external_id: raw.external_id.map(|id| checked(&id, external_id)).transpose()?,
        profile: raw.profile.map(|profile| profile.value),
        inactive: None,
    })
}

fn role_in(account_id: &str, role: &Spanned<Roles>) -> Result<RoleName, InvalidAccounts> {
    let [name] = &role.value.0[..] else {
        let message =
            "imdsctl assumes one role, not a chain of roles: give a role that your credentials may assume";
        return Err(at(role.referenced, message.to_owned()));
    };
    let parsed = RoleName::parse(name).map_err(|error| at(role.referenced, error.to_string()))?;
    match parsed.account_id() {
        Some(other) if other != account_id => {
            Err(at(role.referenced, format!("the role is in account {other}, not in {account_id}")))
        }
        _ => Ok(parsed),
    }
}

fn checked<T>(
    text: &Spanned<String>,
    check: impl Fn(&str) -> Result<T, String>,
) -> Result<T, InvalidAccounts> {
    check(&text.value).map_err(|message| at(text.referenced, message))
}

fn at(place: Location, message: String) -> InvalidAccounts {
    InvalidAccounts { line: place.line(), column: place.column(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the documentation of c7n-org shows it, and with what its schema allows besides.
    const FILE: &str = r#"
vars: &shared { charge_code: xyz }
accounts:
  - account_id: "111122223333"
    name: payments-prod
    regions: [eu-west-1, us-east-1]
    role: arn:aws:iam::111122223333:role/Reader
    external_id: a-secret-1
    email: payments@example.com
    org_id: o-abc
    tags: ["env:prod", "team:pay"]
    vars: *shared
    custom: { key: 1 }
  - account_id: 012345678901
    display_name: data
    role: [Reader]
    regions: [all]
  - { account_id: "999988887777", name: lab, profile: lab }
subscriptions: []
"#;

    #[track_caller]
    fn refused(text: &str) -> String {
        accounts(text).unwrap_err().to_string()
    }

    #[test]
    fn what_c7n_org_takes_is_taken() {
        let all = accounts(FILE).unwrap();
        let [payments, data, lab] = &all[..] else { panic!("{all:?}") };
        assert_eq!(payments.account_id.as_str(), "111122223333");
        assert_eq!(payments.name.as_deref(), Some("payments-prod"));
        assert_eq!(payments.regions, ["eu-west-1", "us-east-1"]);
        assert_eq!(payments.tags, ["env:prod", "team:pay"]);
        assert_eq!(payments.external_id.as_deref(), Some("a-secret-1"));
        assert_eq!(data.account_id.as_str(), "012345678901", "a leading zero is a digit");
        assert_eq!(
            (data.name.as_deref(), data.role.as_ref().map(RoleName::as_str)),
            (Some("data"), Some("Reader"))
        );
        assert_eq!((lab.profile.as_deref(), &lab.role), (Some("lab"), &None));
    }

    #[test]
    fn what_makes_no_sense_is_told_with_its_place() {
        let account =
            |rest: &str| refused(&format!("accounts:\n  - {{ account_id: '111122223333', {rest} }}\n"));
        assert!(
            refused("accounts:\n  - account_id: '123'\n")
                .starts_with("2:17: \"123\" is not an account's number")
        );
        assert!(account("role: [a, b]").ends_with("give a role that your credentials may assume"));
        assert!(
            account("role: 'arn:aws:iam::999999999999:role/R'")
                .ends_with("in account 999999999999, not in 111122223333")
        );
        assert!(account("role: 'no spaces'").starts_with("2:"));
        let hush = account("external_id: 'hush hush'");
        assert!(hush.starts_with("2:") && !hush.contains("hush"), "{hush}");
        assert!(refused("accounts:\n  - name: x\n").contains("account_id"));
        assert!(refused("accounts: []\nacounts: []\n").starts_with("2:1:"));
        assert!(refused("subscriptions: []\n").contains("no accounts of AWS"));
        assert!(refused("accounts: [").starts_with('1'));
    }
}
