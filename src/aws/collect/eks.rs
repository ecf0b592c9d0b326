//! Clusters, node groups and Fargate profiles.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt};

use super::groups::Groups;
use super::reader::{Reader, SIDE_BY_SIDE};
use super::traces::{self, Lookout};
use crate::aws::convert::eks as convert;
use crate::aws::errors::{ErrorKind, failed};
use crate::aws::operations::{DESCRIBE_NODEGROUP, LIST_CLUSTERS, LIST_FARGATE_PROFILES, LIST_NODEGROUPS};
use crate::aws::pages::{self, Listed};
use crate::model::{Cluster, NodeGroup};

/// The most that EKS lists in a page.
const PAGE: i32 = 100;

/// What EKS told.
#[derive(Debug, Default)]
pub(super) struct Eks {
    pub clusters: Vec<Cluster>,
    pub node_groups: Vec<NodeGroup>,
    /// Clusters whose node groups were listed to the end. Of others there may be more.
    listed: BTreeSet<String>,
    /// Whether any cluster was listed, even one that was deleted since.
    pub any: bool,
    /// Whether the clusters themselves were listed to the end.
    pub clusters_listed: bool,
}

/// The clusters and their node groups, each described as soon as its name is known. Nothing is judged by what only
/// `DescribeCluster` tells, so that is not asked for.
pub(super) async fn read(reader: &Reader<'_>, lookout: Lookout) -> Eks {
    let (names, clusters_listed) = cluster_names(reader, lookout).await;
    let mut eks = Eks { any: !names.is_empty(), clusters_listed, ..Eks::default() };
    let mut found = stream::iter(names).map(|name| cluster(reader, name)).buffer_unordered(SIDE_BY_SIDE);
    while let Some(found) = found.next().await {
        let Some(Found { cluster, node_groups, listed }) = found else { continue };
        if listed {
            eks.listed.insert(cluster.name.clone());
        }
        eks.clusters.push(cluster);
        eks.node_groups.extend(node_groups);
    }
    eks
}

/// The names of the clusters, and whether they are all.
async fn cluster_names(reader: &Reader<'_>, lookout: Lookout) -> (Vec<String>, bool) {
    let client = &reader.clients.eks;
    let listed = pages::collect(LIST_CLUSTERS, async |token| {
        let call = client.list_clusters().max_results(PAGE).set_next_token(token);
        let page = call.send().await.map_err(failed(LIST_CLUSTERS))?;
        let names = page.clusters.unwrap_or_default();
        lookout.tell(!names.is_empty());
        Ok((names, page.next_token))
    });
    reader.keep_listed(listed.await)
}

/// What was found of a cluster.
struct Found {
    cluster: Cluster,
    node_groups: Vec<NodeGroup>,
    /// Whether there can be no more of them.
    listed: bool,
}

/// A cluster with its node groups; nothing if it was deleted since it was listed.
async fn cluster(reader: &Reader<'_>, name: String) -> Option<Found> {
    let (groups, fargate_profiles) =
        futures::join!(node_groups(reader, &name), fargate_profiles(reader, &name));
    let (node_groups, listed) = groups?;
    let arn = reader.scope.arn("eks", &format!("cluster/{name}"));
    Some(Found { cluster: Cluster { name, arn, fargate_profiles }, node_groups, listed })
}

/// The node groups of a cluster, and whether they are all; nothing if there is no such cluster.
async fn node_groups(reader: &Reader<'_>, cluster: &str) -> Option<(Vec<NodeGroup>, bool)> {
    let names = node_group_names(reader, cluster).await;
    if names.error.as_ref().is_some_and(|error| error.kind == ErrorKind::NotFound) {
        return None;
    }
    let (names, listed) = reader.keep_listed(about(names, cluster));
    let described =
        futures::future::join_all(names.into_iter().map(|name| node_group(reader, cluster, name)));
    Some((described.await.into_iter().flatten().collect(), listed))
}

/// EKS's messages do not always say which cluster.
fn about(mut listed: Listed<String>, cluster: &str) -> Listed<String> {
    listed.error = listed.error.map(|error| error.about(&format!("cluster {cluster}")));
    listed
}

async fn node_group_names(reader: &Reader<'_>, cluster: &str) -> Listed<String> {
    let client = &reader.clients.eks;
    pages::collect(LIST_NODEGROUPS, async |token| {
        let call = client.list_nodegroups().cluster_name(cluster).max_results(PAGE).set_next_token(token);
        let page = call.send().await.map_err(failed(LIST_NODEGROUPS))?;
        Ok((page.nodegroups.unwrap_or_default(), page.next_token))
    })
    .await
}

/// How many Fargate profiles a cluster has.
async fn fargate_profiles(reader: &Reader<'_>, cluster: &str) -> u64 {
    let client = &reader.clients.eks;
    let mut listed = pages::collect(LIST_FARGATE_PROFILES, async |token| {
        let call =
            client.list_fargate_profiles().cluster_name(cluster).max_results(PAGE).set_next_token(token);
        let page = call.send().await.map_err(failed(LIST_FARGATE_PROFILES))?;
        Ok((page.fargate_profile_names.unwrap_or_default(), page.next_token))
    })
    .await;
    listed.error = listed.error.filter(|error| error.kind != ErrorKind::NotFound);
    let (names, _) = reader.keep_listed(about(listed, cluster));
    names.len() as u64
}

/// A node group; nothing if it was deleted since it was listed.
async fn node_group(reader: &Reader<'_>, cluster: &str, name: String) -> Option<NodeGroup> {
    let _slot = reader.slots.acquire().await;
    let call = reader.clients.eks.describe_nodegroup().cluster_name(cluster).nodegroup_name(&name);
    match call.send().await.map_err(failed(DESCRIBE_NODEGROUP)) {
        Ok(answer) => Some(match answer.nodegroup() {
            Some(group) => convert::node_group(cluster, &name, group),
            None => convert::named_node_group(cluster, &name),
        }),
        Err(error) if error.kind == ErrorKind::NotFound => None,
        Err(error) => {
            reader.note(error.about(&format!("node group {cluster}/{name}")));
            Some(convert::named_node_group(cluster, &name))
        }
    }
}

impl Eks {
    /// Adds what the tags of Auto Scaling groups tell about node groups that EKS would not describe.
    pub fn infer_from(&mut self, groups: &Groups) {
        for group in &groups.all {
            let Some((cluster, name)) = traces::node_group(&group.model.tags) else { continue };
            let known =
                self.node_groups.iter().position(|known| known.cluster == cluster && known.name == name);
            let at = match known {
                Some(at) if self.node_groups[at].described => continue,
                Some(at) => at,
                // Where EKS listed the cluster's node groups and this is none of them, it is none.
                None if !self.may_have_more(cluster) => continue,
                None => {
                    self.node_groups.push(convert::named_node_group(cluster, name));
                    self.node_groups.len() - 1
                }
            };
            self.node_groups[at].auto_scaling_groups.push(group.model.name.clone());
        }
    }

    /// Whether this cluster may have node groups that were not listed.
    fn may_have_more(&self, cluster: &str) -> bool {
        let known = self.clusters.iter().any(|known| known.name == cluster);
        if known { !self.listed.contains(cluster) } else { !self.clusters_listed }
    }

    /// In an order that does not depend on which call finished first.
    pub fn sort(&mut self) {
        self.clusters.sort_by(|a, b| a.name.cmp(&b.name));
        self.node_groups.sort_by(|a, b| (&a.cluster, &a.name).cmp(&(&b.cluster, &b.name)));
        for group in &mut self.node_groups {
            group.auto_scaling_groups.sort();
        }
    }
}
