//! Tags of a resource, and what EKS and Karpenter say with them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// Tags whose value is the name of a cluster, from the surest on. Any of them may be missing.
pub const CLUSTER_TAGS: &[&str] =
    &["aws:eks:cluster-name", "eks:cluster-name", "eks:eks-cluster-name", "alpha.eksctl.io/cluster-name"];

/// The tag whose value is the name of a managed node group.
pub const NODE_GROUP_TAG: &str = "eks:nodegroup-name";

/// The tag whose key ends with the name of a cluster; its value is `owned` or `shared`.
pub const CLUSTER_TAG_PREFIX: &str = "kubernetes.io/cluster/";

/// The tag whose key ends with the name of a cluster whose cluster-autoscaler scales an Auto Scaling group. Other
/// tags start the same way, `k8s.io/cluster-autoscaler/enabled` on nearly every such group.
const AUTOSCALER_TAG_PREFIX: &str = "k8s.io/cluster-autoscaler/";

/// Tags that Karpenter gives what it makes, its older names included.
pub const KARPENTER_TAGS: &[&str] = &[
    "karpenter.k8s.aws/ec2nodeclass",
    "karpenter.sh/nodepool",
    "karpenter.sh/nodeclaim",
    "karpenter.sh/provisioner-name",
];

/// Tags, sorted by key. Copies share them, since the instances of a group have the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(
    /// Nothing where there are none.
    Option<Arc<[(String, String)]>>,
);

impl Tags {
    /// No tags.
    pub const fn new() -> Self {
        Self(None)
    }

    /// The value of a tag.
    pub fn get(&self, key: &str) -> Option<&str> {
        let tags = self.0.as_deref()?;
        let at = tags.binary_search_by(|(other, _)| other.as_str().cmp(key)).ok()?;
        Some(tags[at].1.as_str())
    }

    /// Whether there is a tag of this key.
    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The first tag whose key starts with `prefix`, as the rest of its key and its value.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> Option<(&'a str, &'a str)> {
        self.iter().find_map(|(key, value)| Some((key.strip_prefix(prefix)?, value)))
    }

    /// The cluster that they name.
    pub fn cluster(&self) -> Option<&str> {
        let named = CLUSTER_TAGS.iter().find_map(|key| self.get(key)).filter(|name| !name.is_empty());
        named.or_else(|| self.with_prefix(CLUSTER_TAG_PREFIX).map(|(name, _)| name))
    }

    /// What may be the name of a cluster whose cluster-autoscaler scales this; it is one only if it exists.
    pub fn autoscaler_clusters(&self) -> impl Iterator<Item = &str> {
        self.iter().filter_map(|(key, _)| key.strip_prefix(AUTOSCALER_TAG_PREFIX))
    }

    /// The managed node group that they name.
    pub fn node_group(&self) -> Option<&str> {
        self.get(NODE_GROUP_TAG)
    }

    /// Whether they are Karpenter's, and the `EC2NodeClass` if they name it.
    pub fn karpenter_node_class(&self) -> Option<Option<&str>> {
        let known = KARPENTER_TAGS.iter().any(|key| self.contains(key));
        known.then(|| self.get("karpenter.k8s.aws/ec2nodeclass"))
    }

    /// All of them, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|tags| tags.iter()).map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Tags {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(tags: I) -> Self {
        let mut tags: Vec<_> = tags.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        tags.sort();
        Self((!tags.is_empty()).then(|| tags.into()))
    }
}

impl Serialize for Tags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Tags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Tags;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tags, an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs: Vec<(String, String)> = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                // In whatever order someone wrote them.
                Ok(pairs.into_iter().collect())
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

impl JsonSchema for Tags {
    fn schema_name() -> Cow<'static, str> {
        "Tags".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Tags: values by key.",
            "type": "object",
            "additionalProperties": { "type": "string" },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_written_as_an_object_and_found_in_any_order() {
        let read: Tags = serde_json::from_str(r#"{"b":"2","a":"1"}"#).unwrap();
        assert_eq!((read.get("a"), read.get("b")), (Some("1"), Some("2")));
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"a":"1","b":"2"}"#);
    }

    fn tags(tags: &[(&str, &str)]) -> Tags {
        tags.iter().copied().collect()
    }

    #[test]
    fn a_cluster_is_found_by_any_of_its_tags() {
        assert_eq!(tags(&[("kubernetes.io/cluster/blue", "owned")]).cluster(), Some("blue"));
        assert_eq!(tags(&[("aws:eks:cluster-name", "blue")]).cluster(), Some("blue"));
        let both = tags(&[("kubernetes.io/cluster/old", "shared"), ("eks:cluster-name", "blue")]);
        assert_eq!(both.cluster(), Some("blue"));
        assert_eq!(tags(&[("Name", "bastion")]).cluster(), None);
    }

    #[test]
    fn karpenter_is_known_with_and_without_its_node_class() {
        let old = tags(&[("karpenter.sh/provisioner-name", "default")]);
        assert_eq!(old.karpenter_node_class(), Some(None));
        let new = tags(&[("karpenter.k8s.aws/ec2nodeclass", "general")]);
        assert_eq!(new.karpenter_node_class(), Some(Some("general")));
        assert_eq!(tags(&[("Name", "bastion")]).karpenter_node_class(), None);
    }

    #[test]
    fn tags_are_found_whatever_order_they_came_in() {
        let tags: Tags =
            [("b", "2"), ("kubernetes.io/cluster/blue", "owned"), ("a", "1")].into_iter().collect();
        assert_eq!(tags.get("a"), Some("1"));
        assert_eq!(tags.get("c"), None);
        assert_eq!(tags.with_prefix("kubernetes.io/cluster/"), Some(("blue", "owned")));
    }
}
