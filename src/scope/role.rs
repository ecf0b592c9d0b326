//! Names that AWS has rules for: roles, sessions, external ids.

use crate::model::{AccountId, Arn, Partition};

/// The role that is assumed where nothing names another. Made for this tool, so that it can be given what an audit
/// reads and nothing else: the role that Organizations makes in new accounts is an administrator.
pub const DEFAULT_ROLE: &str = "ImdsctlAudit";

/// What stands for the account's number in a role's ARN.
const ACCOUNT: &str = "{account_id}";

/// What stands for the partition in a role's ARN.
const PARTITION: &str = "{partition}";

/// A role by its name, with its path if it has one, or by an ARN with places for account and partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleName(String);

/// Why that cannot be a role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidRole(String);

impl RoleName {
    /// Checks a role's name or ARN.
    ///
    /// # Errors
    /// In a sentence, when AWS could not have such a role.
    pub fn parse(text: &str) -> Result<Self, InvalidRole> {
        if !text.starts_with("arn:") {
            return if is_path(text) { Ok(Self(text.to_owned())) } else { Err(no_role(text)) };
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let [_, partition, "iam", "", account, resource] = parts[..] else { return Err(no_arn(text)) };
        let is_account = account == ACCOUNT || is_account_id(account);
        let is_partition = partition == PARTITION || partition.starts_with("aws");
        match resource.strip_prefix("role/") {
            Some(path) if is_account && is_partition && is_path(path) => Ok(Self(text.to_owned())),
            _ => Err(no_arn(text)),
        }
    }

    /// The role in an account.
    pub fn arn(&self, partition: &Partition, account_id: &AccountId) -> Arn {
        if !self.0.starts_with("arn:") {
            return format!("arn:{partition}:iam::{account_id}:role/{}", self.0).into();
        }
        self.0.replace(PARTITION, partition.as_str()).replace(ACCOUNT, account_id.as_str()).into()
    }

    /// The one account that the role is in, where its ARN says so.
    pub fn account_id(&self) -> Option<&str> {
        let account = self.0.strip_prefix("arn:")?.split(':').nth(3)?;
        (account != ACCOUNT).then_some(account)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether this is an account's number.
pub(super) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A role's name after its path, `team/audit/Reader`.
fn is_path(text: &str) -> bool {
    let name = text.rsplit('/').next().unwrap_or_default();
    let short = !name.is_empty() && name.len() <= 64 && text.len() <= 512;
    short
        && !text.starts_with('/')
        && text.split('/').all(|part| !part.is_empty() && part.chars().all(is_plain))
}

/// The characters of IAM's names.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_+=,.@-".contains(character)
}

fn no_role(text: &str) -> InvalidRole {
    InvalidRole(format!(
        "{text:?} is not a role's name: letters, digits and _+=,.@- in at most 64 characters, after its path if it has one"
    ))
}

fn no_arn(text: &str) -> InvalidRole {
    InvalidRole(format!("{text:?} is not a role's ARN: it must be arn:{PARTITION}:iam::{ACCOUNT}:role/NAME"))
}

/// Checks what a session is to be called.
///
/// # Errors
/// In a sentence, when STS would not take it.
pub fn session_name(text: &str) -> Result<String, String> {
    if (2..=64).contains(&text.len()) && text.chars().all(is_plain) {
        return Ok(text.to_owned());
    }
    Err("a session's name is 2 to 64 letters, digits and _+=,.@-".to_owned())
}

/// Checks an external id, without repeating it.
///
/// # Errors
/// In a sentence, when STS would not take it.
pub fn external_id(text: &str) -> Result<String, String> {
    let is_allowed = |character| is_plain(character) || ":/".contains(character);
    if (2..=1224).contains(&text.len()) && text.chars().all(is_allowed) {
        return Ok(text.to_owned());
    }
    Err("an external id is 2 to 1224 letters, digits and _+=,.@:/-".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn arn(text: &str, partition: &str) -> String {
        RoleName::parse(text).unwrap().arn(&partition.into(), &"111122223333".into()).to_string()
    }

    #[test]
    fn a_role_is_in_the_account_and_the_partition_that_are_read() {
        assert_eq!(arn("ImdsctlAudit", "aws"), "arn:aws:iam::111122223333:role/ImdsctlAudit");
        assert_eq!(arn("a/b/Reader", "aws-cn"), "arn:aws-cn:iam::111122223333:role/a/b/Reader");
        let template = "arn:{partition}:iam::{account_id}:role/Reader";
        assert_eq!(arn(template, "aws-us-gov"), "arn:aws-us-gov:iam::111122223333:role/Reader");
        assert_eq!(RoleName::parse(template).unwrap().account_id(), None);
        let fixed = RoleName::parse("arn:aws:iam::999999999999:role/Reader").unwrap();
        assert_eq!(fixed.account_id(), Some("999999999999"));
    }

    #[test]
    fn what_iam_would_not_call_a_role_is_refused() {
        let long = "x".repeat(65);
        for text in
            ["", "/Reader", "a//b", "Reader/", "no spaces", "rôle", &long, "arn:", "arn:aws:iam::1:role/R"]
        {
            assert!(RoleName::parse(text).is_err(), "{text}");
        }
        for text in [
            "arn:aws:iam::111122223333:user/R",
            "arn:aws:sts::111122223333:role/R",
            "arn:x:iam::{account_id}:role/R",
        ] {
            assert!(RoleName::parse(text).unwrap_err().to_string().contains("role's ARN"), "{text}");
        }
    }

    #[test]
    fn session_names_and_external_ids_are_as_sts_takes_them() {
        assert!(session_name("imdsctl").is_ok() && session_name("a.b@c-d_e").is_ok());
        assert!(session_name("x").is_err() && session_name("a b").is_err());
        assert!(external_id("a:b/c-1").is_ok());
        let refused = external_id("hush hush").unwrap_err();
        assert!(!refused.contains("hush"), "an external id is not repeated");
    }
}
