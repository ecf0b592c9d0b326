//! A policy as it is written, before anyone has asked whether it makes sense.
//!
//! Values that validation may object to carry the place where they were written.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IntoDeserializer, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::{AppliesTo, Remediation};
use crate::finding::{ManagedBy, Severity};
use crate::model::{Family, OptionName, OptionValue};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RawPolicy {
    pub api_version: Spanned<String>,
    pub kind: Spanned<String>,
    pub metadata: RawMetadata,
    pub spec: RawSpec,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawMetadata {
    pub name: Spanned<String>,
    pub version: String,
    pub title: Option<String>,
    pub description: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSpec {
    #[serde(default, rename = "match")]
    pub matches: RawMatch,
    pub rules: Spanned<Vec<RawRule>>,
    #[serde(default)]
    pub exemptions: Vec<RawExemption>,
}

/// Conditions, all of which must hold; of the values of one condition any may.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawMatch {
    #[serde(default, deserialize_with = "one_or_many")]
    pub family: Vec<Family>,
    #[serde(default, deserialize_with = "one_or_many")]
    pub managed_by: Vec<ManagedBy>,
    #[serde(default)]
    pub cluster: Placed<Strings>,
    #[serde(default)]
    pub account: Placed<Strings>,
    #[serde(default)]
    pub region: Placed<Strings>,
    #[serde(default)]
    pub tags: BTreeMap<String, Spanned<String>>,
}

/// An optional value with its place.
pub type Placed<T> = Option<Spanned<T>>;

/// One string, or a list of them.
#[derive(Default)]
pub struct Strings(pub Vec<String>);

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_or_many(deserializer).map(Self)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRule {
    pub id: Spanned<String>,
    pub option: OptionName,
    pub equals: Option<Spanned<OptionValue>>,
    pub at_least: Option<Spanned<i64>>,
    pub at_most: Option<Spanned<i64>>,
    pub severity: Severity,
    pub rationale: Option<String>,
    #[serde(default)]
    pub references: Vec<String>,
    #[serde(default)]
    pub remediation: Remediation,
    pub applies_to: Option<Spanned<Vec<AppliesTo>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawExemption {
    pub id: Spanned<String>,
    #[serde(default, rename = "match")]
    pub matches: RawMatch,
    #[serde(default)]
    pub rules: Vec<Spanned<String>>,
    pub reason: Spanned<String>,
    pub owner: Option<String>,
    pub expires: Option<Spanned<String>>,
}

/// Reads `x` like `[x]`. A visitor, since untagged enums make unreadable errors.
fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct OneOrMany<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a word, or a list of words")
        }

        fn visit_str<E: Error>(self, word: &str) -> Result<Self::Value, E> {
            T::deserialize(word.into_deserializer()).map(|one| vec![one])
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
            self.visit_str(&number.to_string())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut words: A) -> Result<Self::Value, A::Error> {
            let mut many = Vec::new();
            while let Some(word) = words.next_element()? {
                many.push(word);
            }
            Ok(many)
        }
    }

    deserializer.deserialize_any(OneOrMany(PhantomData))
}
