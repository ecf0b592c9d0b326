//! The tags by which EKS and those who launch nodes for it leave traces on instances and groups.

use tokio::sync::mpsc;

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

/// What a listing tells of traces while it goes on. Dropped when the listing has ended.
#[derive(Clone, Debug)]
pub(super) struct Lookout(mpsc::Sender<()>);

/// Whether any of the listings found a trace.
#[derive(Debug)]
pub(super) struct Verdict(mpsc::Receiver<()>);

/// For the listings, and for whoever acts on what they find without waiting for their end.
pub(super) fn lookout() -> (Lookout, Verdict) {
    let (sender, receiver) = mpsc::channel(1);
    (Lookout(sender), Verdict(receiver))
}

impl Lookout {
    /// Tells of a trace, if this is one.
    pub fn tell(&self, is_trace: bool) {
        if is_trace {
            // One is enough: a channel that is full, or that nobody listens to any more, has had it.
            let _ = self.0.try_send(());
        }
    }
}

impl Verdict {
    /// True at the first trace; false when every listing ended without any.
    pub async fn reached(mut self) -> bool {
        self.0.recv().await.is_some()
    }
}

/// The cluster and node group of something that EKS tagged as part of a managed node group.
pub(super) fn node_group(tags: &Tags) -> Option<(&str, &str)> {
    Some((tags.get("eks:cluster-name")?, tags.node_group()?))
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

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
    fn the_first_trace_decides_and_so_does_the_end_of_all_listings() {
        let (one, verdict) = lookout();
        let verdict = verdict.reached().shared();
        let now = || verdict.clone().now_or_never();
        let other = one.clone();
        other.tell(false);
        assert_eq!(now(), None, "both may still find one");
        drop(one);
        assert_eq!(now(), None, "the other may still find one");
        other.tell(true);
        other.tell(true);
        assert_eq!(now(), Some(true));
        let (only, verdict) = lookout();
        drop(only);
        assert_eq!(verdict.reached().now_or_never(), Some(false));
    }

    #[test]
    fn a_trace_is_a_whole_key_or_a_prefix() {
        assert!(are_in(&tags("kubernetes.io/cluster/blue")));
        assert!(are_in(&tags("karpenter.sh/nodepool")));
        assert!(!are_in(&tags("karpenter.sh/nodepool-hash")));
        assert!(!are_in(&tags("aws:autoscaling:groupName")));
    }
}
