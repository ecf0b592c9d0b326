//! Tags of a resource.

use serde::{Deserialize, Serialize};

/// Tags, sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(Vec<(String, String)>);

impl Tags {
    /// The value of a tag.
    pub fn get(&self, key: &str) -> Option<&str> {
        let at = self.0.binary_search_by(|(other, _)| other.as_str().cmp(key)).ok()?;
        Some(self.0[at].1.as_str())
    }

    /// Whether there is a tag of this key.
    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The first tag whose key starts with `prefix`, as the rest of its key and its value.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> Option<(&'a str, &'a str)> {
        self.iter().find_map(|(key, value)| Some((key.strip_prefix(prefix)?, value)))
    }

    /// All of them, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Tags {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(tags: I) -> Self {
        let mut tags: Vec<_> = tags.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        tags.sort();
        Self(tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_whatever_order_they_came_in() {
        let tags: Tags =
            [("b", "2"), ("kubernetes.io/cluster/blue", "owned"), ("a", "1")].into_iter().collect();
        assert_eq!(tags.get("a"), Some("1"));
        assert_eq!(tags.get("c"), None);
        assert_eq!(tags.with_prefix("kubernetes.io/cluster/"), Some(("blue", "owned")));
    }
}
