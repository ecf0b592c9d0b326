//! The tags by which EKS and those who launch nodes for it leave traces on instances and groups.

use crate::model::Tags;

/// Keys of tags on nodes, as the `tag-key` filter of DescribeInstances takes them, `*` included. Each may be
/// missing on a node that carries another.
///
/// Sources: EKS User Guide, "Use tags to organize EKS resources"; Karpenter, `pkg/providers/launchtemplate`;
/// eksctl, `pkg/apis/eksctl.io/v1alpha5`.
pub(super) const TAG_KEYS: [&str; 9] = [
    "aws:eks:cluster-name",
    "eks:cluster-name",
    "eks:eks-cluster-name",
    "eks:nodegroup-name",
    "kubernetes.io/cluster/*",
    "karpenter.sh/nodepool",
    "karpenter.sh/nodeclaim",
    "karpenter.sh/provisioner-name",
    "alpha.eksctl.io/cluster-name",
];

/// Whether one of the tags says that EKS, or something that launches for it, made this.
pub(super) fn are_in(tags: &Tags) -> bool {
    tags.iter().any(|(key, _)| {
        TAG_KEYS.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => key.starts_with(prefix),
            None => key == *pattern,
        })
    })
}

/// The cluster and node group of something that EKS tagged as part of a managed node group.
pub(super) fn node_group(tags: &Tags) -> Option<(&str, &str)> {
    Some((tags.get("eks:cluster-name")?, tags.get("eks:nodegroup-name")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(key: &str) -> Tags {
        [("Name", "x"), (key, "y")].into_iter().collect()
    }

    #[test]
    fn a_trace_is_a_whole_key_or_a_prefix() {
        assert!(are_in(&tags("kubernetes.io/cluster/blue")));
        assert!(are_in(&tags("karpenter.sh/nodepool")));
        assert!(!are_in(&tags("karpenter.sh/nodepool-hash")));
        assert!(!are_in(&tags("aws:autoscaling:groupName")));
    }
}
