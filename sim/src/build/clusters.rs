//! Clusters, and whatever belongs to them.

use std::collections::BTreeMap;

use super::check;
use super::network::Network;
use super::{DAY, Outcome, RegionBuilder};
use crate::fleet::nodes::ClusterSpec;
use crate::world::{Cluster, NodeGroup};

impl RegionBuilder<'_> {
    pub(super) fn add_cluster(&mut self, spec: &ClusterSpec) -> Outcome<()> {
        let place = format!("cluster {:?}", spec.name);
        let network = self.network(&spec.name);
        if spec.deleted {
            if !spec.node_groups.is_empty() || !spec.fargate_profiles.is_empty() {
                return Err(self.problem(&place, "a deleted cluster has no node groups or Fargate profiles"));
            }
        } else {
            // The name of a deleted cluster lives on only in tags, which may hold anything.
            check::eks_name(&spec.name).map_err(|message| self.problem(&place, message))?;
        }
        if self.region.clusters.contains_key(&spec.name) {
            return Err(self.problem(&place, "is described twice"));
        }
        let mut node_groups = BTreeMap::new();
        for group in &spec.node_groups {
            let built = self.add_node_group(spec, group, &network)?;
            if node_groups.insert(group.name.clone(), built).is_some() {
                return Err(self.problem(&place, format!("node group {:?} is described twice", group.name)));
            }
        }
        for group in &spec.self_managed {
            self.add_group(group, Some(&spec.name))?;
        }
        for pool in &spec.karpenter {
            self.add_karpenter(spec, pool, &network)?;
        }
        if let Some(auto) = &spec.auto_mode {
            self.add_auto_mode(spec, auto, &network)?;
        }
        for node in &spec.standalone {
            self.add_standalone(node, Some(&spec.name))?;
        }
        if !spec.deleted {
            let cluster = self.cluster(spec, network, node_groups);
            self.region.clusters.insert(spec.name.clone(), cluster);
        }
        Ok(())
    }

    fn cluster(
        &self,
        spec: &ClusterSpec,
        network: Network,
        node_groups: BTreeMap<String, NodeGroup>,
    ) -> Cluster {
        Cluster {
            name: spec.name.clone(),
            arn: self.account.arn("eks", self.name, &format!("cluster/{}", spec.name)),
            version: spec.version.clone(),
            status: spec.status.clone(),
            created: self.now - 420 * DAY,
            tags: spec.tags.clone(),
            vpc: network.vpc,
            subnets: network.subnets,
            security_group: network.security_group,
            auto_mode: spec.auto_mode.as_ref().map(|auto| auto.node_pools.clone()),
            node_groups,
            fargate_profiles: spec.fargate_profiles.clone(),
        }
    }
}
