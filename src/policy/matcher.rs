//! Which resources a policy or an exemption is for.

use globset::{Glob, GlobMatcher};
use serde_saphyr::Location;

use super::schema::{Placed, RawMatch, Strings};
use crate::finding::ManagedBy;
use crate::lineage::{Subject, SubjectKind};
use crate::model::{Family, Scope};

/// Conditions, all of which must hold. A condition that names nothing always holds.
#[derive(Clone, Debug, Default)]
pub struct Matcher {
    families: Vec<Family>,
    managed_by: Vec<ManagedBy>,
    clusters: Option<Vec<GlobMatcher>>,
    accounts: Option<Vec<GlobMatcher>>,
    regions: Option<Vec<GlobMatcher>>,
    tags: Vec<(String, GlobMatcher)>,
}

/// Whether a node's family is one that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FamilyMatch {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// The node's family is not known. It is judged as if it matched, but never said to fail.
    Perhaps,
}

impl Matcher {
    pub(super) fn new(raw: RawMatch, mut fail: impl FnMut(Location, String)) -> Self {
        let mut globs = |strings: Placed<Strings>| {
            strings.map(|strings| {
                let globs = strings.value.0.iter();
                globs.filter_map(|text| glob(text, strings.referenced, &mut fail)).collect()
            })
        };
        Self {
            families: raw.family,
            managed_by: raw.managed_by,
            clusters: globs(raw.cluster),
            accounts: globs(raw.account),
            regions: globs(raw.region),
            tags: raw
                .tags
                .into_iter()
                .filter_map(|(key, value)| Some((key, glob(&value.value, value.referenced, &mut fail)?)))
                .collect(),
        }
    }

    /// What it asks, in parts that are the same however it was written.
    pub(super) fn parts(&self) -> Vec<String> {
        let globs = |name: &str, globs: Option<&[GlobMatcher]>| {
            let globs = globs.map(|globs| globs.iter().map(|glob| glob.glob().glob().to_owned()).collect());
            globs.map_or_else(|| format!("{name} any"), |globs| part(name, globs))
        };
        vec![
            part("family", self.families.iter().map(ToString::to_string).collect()),
            part("managed_by", self.managed_by.iter().map(ToString::to_string).collect()),
            globs("cluster", self.clusters.as_deref()),
            globs("account", self.accounts.as_deref()),
            globs("region", self.regions.as_deref()),
            part(
                "tags",
                self.tags.iter().map(|(key, glob)| format!("{key}={}", glob.glob().glob())).collect(),
            ),
        ]
    }

    /// Whether all conditions but the family hold. Account defaults belong to an account and a Region and
    /// serve nodes of every kind, so only those two conditions are asked of them.
    pub fn holds(&self, scope: &Scope, subject: &Subject<'_>) -> bool {
        any(self.accounts.as_deref(), Some(scope.account_id.as_str()))
            && any(self.regions.as_deref(), Some(scope.region.as_str()))
            && (subject.kind == SubjectKind::AccountDefaults || self.holds_for_node(subject))
    }

    fn holds_for_node(&self, subject: &Subject<'_>) -> bool {
        let managed_by = self.managed_by.is_empty()
            || subject.managed_by.is_some_and(|managed_by| self.managed_by.contains(&managed_by));
        let tagged = |(key, glob): &(String, GlobMatcher)| {
            subject.tags.get(key).is_some_and(|value| glob.is_match(value))
        };
        managed_by && any(self.clusters.as_deref(), subject.cluster) && self.tags.iter().all(tagged)
    }

    /// Whether what satisfies one plainly may satisfy the other. Where they name different clusters, accounts, Regions
    /// or tags they may well be kept apart, which shows only on the resources themselves.
    pub fn plainly_overlaps(&self, other: &Self) -> bool {
        meet(&self.families, &other.families)
            && meet(&self.managed_by, &other.managed_by)
            && same_or_open(self.clusters.as_deref(), other.clusters.as_deref())
            && same_or_open(self.accounts.as_deref(), other.accounts.as_deref())
            && same_or_open(self.regions.as_deref(), other.regions.as_deref())
            && (self.tags.is_empty() || other.tags.is_empty() || texts_of_tags(self).eq(texts_of_tags(other)))
    }

    /// Whether the family is asked for; `None` is that of a subject that has no image.
    pub fn family(&self, family: Option<Family>) -> FamilyMatch {
        match family {
            _ if self.families.is_empty() => FamilyMatch::Yes,
            None => FamilyMatch::Yes,
            Some(family) if self.families.contains(&family) => FamilyMatch::Yes,
            Some(Family::Unknown) => FamilyMatch::Perhaps,
            Some(_) => FamilyMatch::No,
        }
    }
}

/// A condition with its values, in an order of their own. They are quoted, so that none can look like two.
fn part(name: &str, mut values: Vec<String>) -> String {
    values.sort();
    values.dedup();
    format!("{name} {values:?}")
}

/// Whether two lists have something in common; an empty one holds everything.
fn meet<T: PartialEq>(one: &[T], other: &[T]) -> bool {
    one.is_empty() || other.is_empty() || one.iter().any(|item| other.contains(item))
}

fn same_or_open(one: Option<&[GlobMatcher]>, other: Option<&[GlobMatcher]>) -> bool {
    let texts = |globs: &[GlobMatcher]| -> Vec<String> {
        globs.iter().map(|glob| glob.glob().glob().to_owned()).collect()
    };
    match (one, other) {
        (Some(one), Some(other)) => meet(&texts(one), &texts(other)),
        _ => true,
    }
}

fn texts_of_tags(matcher: &Matcher) -> impl Iterator<Item = (&str, &str)> {
    matcher.tags.iter().map(|(key, glob)| (key.as_str(), glob.glob().glob()))
}

fn glob(text: &str, at: Location, fail: &mut impl FnMut(Location, String)) -> Option<GlobMatcher> {
    match Glob::new(text) {
        Ok(glob) => Some(glob.compile_matcher()),
        Err(error) => {
            fail(at, format!("{text:?} is not a glob: {}", error.kind()));
            None
        }
    }
}

/// Whether any glob matches. Without globs anything goes; a value that is missing matches none.
fn any(globs: Option<&[GlobMatcher]>, value: Option<&str>) -> bool {
    match (globs, value) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(globs), Some(value)) => globs.iter().any(|glob| glob.is_match(value)),
    }
}
