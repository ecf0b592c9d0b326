//! The tags by which EKS and those who launch nodes for it leave traces on instances and groups.

use crate::model::{CLUSTER_TAG_PREFIX, CLUSTER_TAGS, KARPENTER_TAGS, NODE_GROUP_TAG, Tags};

/// Keys of tags on nodes, as the `tag-key` filter of DescribeInstances takes them, `*` included. Each may be
/// missing on a node that carries another. They are those that [`Tags`] understands.
///
/// Sources: EKS User Guide, "Use tags to organize EKS resources"; Karpenter, `pkg/providers/launchtemplate`;
/// eksctl, `pkg/apis/eksctl.io/v1alpha5`.
pub(super) fn tag_keys() -> Vec<String> {
    let whole = CLUSTER_TAGS.iter().chain(KARPENTER_TAGS).chain(&[NODE_GROUP_TAG]).map(ToString::to_string);
    whole.chain([format!("{CLUSTER_TAG_PREFIX}*")]).collect()
}

/// Whether one of the tags says that EKS, or something that launches for it, made this.
pub(super) fn are_in(tags: &Tags) -> bool {
    CLUSTER_TAGS.iter().any(|key| tags.contains(key))
        || tags.with_prefix(CLUSTER_TAG_PREFIX).is_some()
        || tags.node_group().is_some()
        || tags.karpenter_node_class().is_some()
}

/// The cluster and node group of something that EKS tagged as part of a managed node group.
pub(super) fn node_group(tags: &Tags) -> Option<(&str, &str)> {
    Some((tags.get("eks:cluster-name")?, tags.node_group()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(key: &str) -> Tags {
        [("Name", "x"), (key, "y")].into_iter().collect()
    }

    /// What judging reads a tag for, collecting has to look for.
    #[test]
    fn every_tag_that_the_model_understands_is_a_trace() {
        for key in CLUSTER_TAGS.iter().chain(KARPENTER_TAGS) {
            assert!(are_in(&tags(key)), "{key}");
            assert!(tag_keys().iter().any(|asked| asked == key), "{key}");
        }
        assert!(are_in(&tags("eks:nodegroup-name")));
        assert!(tag_keys().contains(&"kubernetes.io/cluster/*".to_owned()));
    }

    #[test]
    fn a_trace_is_a_whole_key_or_a_prefix() {
        assert!(are_in(&tags("kubernetes.io/cluster/blue")));
        assert!(are_in(&tags("karpenter.sh/nodepool")));
        assert!(!are_in(&tags("karpenter.sh/nodepool-hash")));
        assert!(!are_in(&tags("aws:autoscaling:groupName")));
    }
}
