//! The parts of a problem: where its nodes are, and what to do about it.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;

use super::{group_of, is_node};
use crate::finding::{Finding, FixKind, ManagedBy, ResourceType};

/// Nodes of one group, or of one cluster where no group launches them, and whether its next node is affected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// What it is.
    pub kind: PlaceKind,
    /// Its id; none for nodes of no cluster.
    pub id: Option<Cow<'a, str>>,
    /// Its name, where it has one beside its id.
    pub name: Option<&'a str>,
    /// The cluster, where the id does not begin with it.
    pub cluster: Option<&'a str>,
    /// Whether the cluster is known to exist.
    pub cluster_exists: bool,
    /// How many instances have the wrong value now.
    pub nodes: u64,
    /// How many instances there are, where the resource itself was judged.
    pub of: Option<u64>,
}

impl Place<'_> {
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

/// A kind of fix with all that it is done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy<'a> {
    /// What is done.
    pub kind: FixKind,
    /// What it is done to, each once: id, and name where it has one beside its id.
    pub targets: Vec<(&'a str, Option<&'a str>)>,
    /// Whether imdsctl may do it to all of them.
    pub automatic: bool,
    /// What to know about it, each once.
    pub notes: Vec<&'a str>,
}

pub(super) fn places<'a>(findings: &[&'a Finding]) -> Vec<Place<'a>> {
    let mut places: Vec<Place<'a>> = Vec::new();
    let mut at: HashMap<(PlaceKind, Option<Cow<'a, str>>), usize> = HashMap::new();
    for finding in findings {
        let (kind, id) = place(finding);
        let index = *at.entry((kind, id.clone())).or_insert_with(|| {
            places.push(Place {
                kind,
                id,
                name: None,
                cluster: finding.cluster.as_deref(),
                cluster_exists: finding.cluster.is_none() || finding.cluster_arn.is_some(),
                nodes: 0,
                of: None,
            });
            places.len() - 1
        });
        let place = &mut places[index];
        if finding.resource.r#type == ResourceType::Instance {
            place.nodes += 1;
        } else {
            place.of = Some(finding.nodes);
            place.name = finding.resource.name.as_deref().filter(|name| !names(&finding.resource.id, name));
        }
    }
    places.sort_by(|a, b| (Reverse(a.nodes), a.kind, &a.id).cmp(&(Reverse(b.nodes), b.kind, &b.id)));
    places
}

/// Whether an id already says the name, as `CLUSTER/NAME` does.
fn names(id: &str, name: &str) -> bool {
    id == name || id.strip_suffix(name).is_some_and(|rest| rest.ends_with('/'))
}

fn place(finding: &Finding) -> (PlaceKind, Option<Cow<'_, str>>) {
    let resource = &finding.resource;
    match resource.r#type {
        ResourceType::NodeGroup => (PlaceKind::NodeGroup, Some(Cow::Borrowed(&resource.id))),
        ResourceType::AutoScalingGroup => (PlaceKind::AutoScalingGroup, Some(Cow::Borrowed(&resource.id))),
        ResourceType::Instance => {
            let cluster = || finding.cluster.as_deref().map(Cow::Borrowed);
            group_of(finding).map_or_else(
                || (PlaceKind::Nodes(finding.managed_by), cluster()),
                |(kind, id)| match kind {
                    ResourceType::NodeGroup => (PlaceKind::NodeGroup, Some(id)),
                    _ => (PlaceKind::AutoScalingGroup, Some(id)),
                },
            )
        }
        other => (PlaceKind::Resource(other), Some(Cow::Borrowed(&resource.id))),
    }
}

pub(super) fn remedies<'a>(findings: &[&'a Finding]) -> Vec<Remedy<'a>> {
    let mut remedies: Vec<Remedy<'a>> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    // Groups first: their fixes are the whole way, an instance's may be only what is left of it.
    let (nodes, groups): (Vec<&Finding>, Vec<_>) = findings.iter().partition(|finding| is_node(finding));
    for fix in groups.into_iter().chain(nodes).flat_map(|finding| &finding.fixes) {
        let at = remedies.iter().position(|remedy| remedy.kind == fix.kind).unwrap_or_else(|| {
            remedies.push(Remedy { kind: fix.kind, targets: Vec::new(), automatic: true, notes: Vec::new() });
            remedies.len() - 1
        });
        let remedy = &mut remedies[at];
        remedy.automatic &= fix.automatic;
        if let Some(target) = fix.target.as_deref()
            && seen.insert((fix.kind, "target", target))
        {
            remedy.targets.push((target, fix.target_name.as_deref()));
        }
        if let Some(note) = fix.note.as_deref()
            && seen.insert((fix.kind, "note", note))
        {
            remedy.notes.push(note);
        }
    }
    remedies
}
