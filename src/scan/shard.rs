//! A part of all scopes, told from the others without asking anybody.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::model::Scope;

/// Some of the scopes: of `of` runs that are told the same accounts and Regions, each reads others, and together they
/// read all. Which run reads a scope depends on nothing but the account, the Region and `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 1.
    number: u32,
    /// How many there are.
    of: u32,
}

impl Shard {
    /// All scopes.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// Whether it holds an account in a Region.
    pub fn holds(self, scope: &Scope) -> bool {
        let digest = Sha256::digest(format!("{}/{}", scope.account_id, scope.region));
        let first = digest.iter().take(8).fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        first % u64::from(self.of) == u64::from(self.number - 1)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hash:{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.strip_prefix("hash:").and_then(|parts| parts.split_once('/'));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let numbers = parts.filter(|(number, of)| digits(number) && digits(of));
        let numbers = numbers.and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match numbers {
            None => Err("expected hash:M/N, as in hash:1/3 for the first of three".to_owned()),
            Some((_, 0)) => Err("there cannot be 0 shards".to_owned()),
            Some((number, of)) if number == 0 || number > of => {
                Err(format!("of {of} shards the first is hash:1/{of} and the last hash:{of}/{of}"))
            }
            Some((number, of)) => Ok(Self { number, of }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(account: &str, region: &str) -> Scope {
        let (partition, account_id, region) = ("aws".into(), account.into(), region.into());
        Scope { partition, account_id, account_name: None, region }
    }

    fn scopes() -> impl Iterator<Item = Scope> {
        (0..200u64).flat_map(|account| {
            ["eu-west-1", "us-east-1", "ap-southeast-2"]
                .map(|region| scope(&format!("{:012}", account * 7919), region))
        })
    }

    #[test]
    fn every_scope_is_in_one_shard() {
        for of in [1, 2, 3, 7, 1000] {
            let shards: Vec<Shard> =
                (1..=of).map(|number| format!("hash:{number}/{of}").parse().unwrap()).collect();
            for scope in scopes() {
                let holding = shards.iter().filter(|shard| shard.holds(&scope));
                assert_eq!(holding.count(), 1, "{scope} of {of}");
            }
        }
    }

    #[test]
    fn shards_are_about_as_large() {
        for number in 1..=4 {
            let shard: Shard = format!("hash:{number}/4").parse().unwrap();
            let held = scopes().filter(|scope| shard.holds(scope)).count();
            assert!((100..=200).contains(&held), "{shard}: {held} of 600");
        }
    }

    /// Shards of different versions of imdsctl belong together.
    #[test]
    fn where_a_scope_belongs_never_changes() {
        let shard = |account: &str, region: &str| {
            let holds = |number: &u32| Shard { number: *number, of: 16 }.holds(&scope(account, region));
            (1..=16).find(holds).unwrap()
        };
        let scopes =
            [("111122223333", "eu-west-1"), ("111122223333", "us-east-1"), ("444455556666", "eu-west-1")];
        assert_eq!(scopes.map(|(account, region)| shard(account, region)), [11, 14, 14]);
    }

    #[test]
    fn what_is_no_shard_is_told_from_one() {
        let parse = |text: &str| text.parse::<Shard>();
        assert_eq!(parse("hash:3/3"), Ok(Shard { number: 3, of: 3 }));
        assert_eq!(parse("hash:1/1"), Ok(Shard::WHOLE));
        for text in
            ["", "1/3", "hash:1", "hash:+1/3", "hash:-1/3", "hash:a/3", "hash:1/3/4", "hash:1/99999999999"]
        {
            assert!(parse(text).unwrap_err().contains("expected hash:M/N"), "{text}");
        }
        assert_eq!(parse("hash:0/3").unwrap_err(), "of 3 shards the first is hash:1/3 and the last hash:3/3");
        assert_eq!(parse("hash:4/3").unwrap_err(), "of 3 shards the first is hash:1/3 and the last hash:3/3");
        assert_eq!(parse("hash:1/0").unwrap_err(), "there cannot be 0 shards");
    }
}
