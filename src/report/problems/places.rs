//! Where the nodes of a problem are.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::group_of;
use crate::finding::{Finding, ManagedBy, ResourceType};

/// Nodes of one group, or of one cluster where no group launches them, and whether its next node is affected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it is.
    pub kind: PlaceKind,
    /// Its id; none for nodes of no cluster.
    pub id: Option<String>,
    /// Its name, where it has one beside its id.
    pub name: Option<String>,
    /// The cluster, where the id does not begin with it.
    pub cluster: Option<String>,
    /// Whether the cluster is known to exist.
    pub cluster_exists: bool,
    /// How many instances have the wrong value now.
    pub nodes: u64,
    /// How many instances there are, where the resource itself was judged.
    pub of: Option<u64>,
}

impl Place {
    /// Whether what is launched next is affected.
    pub const fn next(&self) -> bool {
        self.of.is_some()
    }

    /// What its instances are called: nodes where they are of a cluster.
    pub const fn noun(&self) -> &'static str {
        if self.cluster.is_some() { "node" } else { "instance" }
    }
}

/// What a [`Place`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlaceKind {
    /// A managed node group.
    NodeGroup,
    /// A self-managed Auto Scaling group.
    AutoScalingGroup,
    /// The nodes of a cluster that are of no group known here.
    Nodes(Option<ManagedBy>),
    /// Something that was judged by itself: a template, the account's defaults, an exemption.
    Resource(ResourceType),
}

/// Places by what they are and their id.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(HashMap<(PlaceKind, Option<String>), Place>);

impl Places {
    pub fn add(&mut self, finding: &Finding) {
        let (kind, id) = place(finding);
        let place = self.0.entry((kind, id.clone())).or_insert_with(|| Place {
            kind,
            id,
            name: None,
            cluster: finding.cluster.clone(),
            cluster_exists: finding.cluster.is_none() || finding.cluster_arn.is_some(),
            nodes: 0,
            of: None,
        });
        if finding.resource.r#type == ResourceType::Instance {
            place.nodes += 1;
        } else {
            place.of = Some(finding.nodes);
            place.name = finding.resource.name.clone().filter(|name| !names(&finding.resource.id, name));
        }
    }

    pub fn absorb(&mut self, others: Self) {
        for (key, other) in others.0 {
            let Some(place) = self.0.get_mut(&key) else {
                self.0.insert(key, other);
                continue;
            };
            place.nodes += other.nodes;
            if other.of.is_some() {
                (place.of, place.name) = (other.of, other.name);
            }
        }
    }

    /// Those with the most nodes first.
    pub fn sorted(&self) -> Vec<&Place> {
        let mut places: Vec<_> = self.0.values().collect();
        places.sort_by(|a, b| (Reverse(a.nodes), a.kind, &a.id).cmp(&(Reverse(b.nodes), b.kind, &b.id)));
        places
    }
}

/// Whether an id already says the name, as `CLUSTER/NAME` does.
fn names(id: &str, name: &str) -> bool {
    id == name || id.strip_suffix(name).is_some_and(|rest| rest.ends_with('/'))
}

fn place(finding: &Finding) -> (PlaceKind, Option<String>) {
    let kind = |of: ResourceType| match of {
        ResourceType::NodeGroup => PlaceKind::NodeGroup,
        ResourceType::AutoScalingGroup => PlaceKind::AutoScalingGroup,
        other => PlaceKind::Resource(other),
    };
    match (finding.resource.r#type, group_of(finding)) {
        (ResourceType::Instance, None) => (PlaceKind::Nodes(finding.managed_by), finding.cluster.clone()),
        (ResourceType::Instance, Some((group, id))) => (kind(group), Some(id)),
        (other, _) => (kind(other), Some(finding.resource.id.clone())),
    }
}
