//! Fleets of any size, for benchmarks: an organisation whose accounts run EKS clusters here and there.
//!
//! They are made from numbers alone: the same size is always the same fleet. It goes through the same checks as a
//! file does.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};

use crate::ids;
use crate::regions;

/// How large a fleet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    /// Accounts of one organisation. The first is its management account.
    pub accounts: u32,
    /// Clusters, one account after the other getting one.
    pub clusters: u32,
    /// Instances, all of them nodes of the clusters.
    pub instances: u32,
}

impl Size {
    /// 50 accounts, 200 clusters, 20,000 instances.
    pub const ORGANISATION: Self = Self { accounts: 50, clusters: 200, instances: 20_000 };
    /// 100 accounts, 2,000 clusters, a million instances.
    pub const MILLION: Self = Self { accounts: 100, clusters: 2000, instances: 1_000_000 };
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.accounts, self.clusters, self.instances)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Result<Vec<u32>, _> = text.split(',').map(str::parse).collect();
        match numbers.as_deref() {
            Ok([accounts, clusters, instances]) => {
                Ok(Self { accounts: *accounts, clusters: *clusters, instances: *instances })
            }
            _ => Err("a size is three numbers: accounts,clusters,instances".to_owned()),
        }
    }
}

/// The role that the audit assumes in every account but the management account.
const ROLE: &str = "imdsctl-audit";

/// The fleet as a file would describe it.
pub(super) fn file(size: Size) -> Result<Value, String> {
    if size.clusters == 0 && size.instances > 0 {
        return Err("instances need clusters to be nodes of".to_owned());
    }
    let nodes = nodes(size);
    let accounts: Vec<Value> = (0..size.accounts).map(|index| account(size, index, &nodes)).collect();
    Ok(json!({
        "name": format!("generated-{size}"),
        "organizations": [{ "management_account": id(0) }],
        "roles": [{ "name": ROLE }],
        "accounts": accounts,
    }))
}

fn id(account: u32) -> String {
    format!("{}", 100_000_000_001_u64 + u64::from(account))
}

fn account(size: Size, index: u32, nodes: &[u32]) -> Value {
    let mut described: Vec<(&str, Vec<Value>)> = Vec::new();
    let homes = homes(size, index);
    let clusters = (0_u32..).zip(nodes).skip(index as usize).step_by(size.accounts as usize);
    for (turn, (number, nodes)) in clusters.enumerate() {
        let home = homes[turn % homes.len()];
        let cluster = cluster(number, *nodes);
        match described.iter_mut().find(|(name, _)| *name == home) {
            Some((_, clusters)) => clusters.push(cluster),
            None => described.push((home, vec![cluster])),
        }
    }
    let regions: Vec<Value> = described.into_iter().map(|(name, clusters)| region(name, &clusters)).collect();
    json!({
        "id": id(index),
        "name": format!("workload-{index:04}"),
        "access_keys": [{ "id": format!("AKIAGENERATED{index:07}") }],
        "regions": regions,
    })
}

/// The Regions in which an account has clusters: few of the 17 that every account has, and others elsewhere.
fn homes(size: Size, account: u32) -> Vec<&'static str> {
    let all: Vec<&str> =
        regions::of("aws").iter().filter(|known| !known.opt_in).map(|known| known.name).collect();
    let here = ids::number(&["homes", &account.to_string()]);
    let place = |number: u64| usize::try_from(number % all.len() as u64).unwrap_or(0);
    let each = u64::from(size.clusters / size.accounts.max(1));
    let count = (1 + here % 3).max(1 + each / 4).min(all.len() as u64);
    // Five has no divisor in common with seventeen: every step is another Region.
    (0..count).map(|step| all[place(here / 7 + 5 * step)]).collect()
}

/// The nodes of each cluster: some have five times as many as others, and all together what there is.
fn nodes(size: Size) -> Vec<u32> {
    let weight = |cluster: u32| 1 + ids::below(5, &["weight", &cluster.to_string()]);
    let all = (0..size.clusters).map(weight).sum();
    let mut from = 0;
    let mut next = |cluster| {
        let to = from + weight(cluster);
        part(size.instances, std::mem::replace(&mut from, to), to, all)
    };
    (0..size.clusters).map(&mut next).collect()
}

/// What a range of shares gets of a whole. Ranges that follow each other get all of it.
fn part(whole: u32, from: u64, to: u64, all: u64) -> u32 {
    let up_to = |shares: u64| u64::from(whole) * shares / all.max(1);
    u32::try_from(up_to(to) - up_to(from)).unwrap_or(0)
}

fn region(name: &str, clusters: &[Value]) -> Value {
    json!({
        "names": [name],
        "launch_templates": [
            { "name": "nodes", "versions": [{ "metadata_options": { "http_tokens": "required", "hop_limit": 2 } }] },
            { "name": "legacy", "versions": [{ "metadata_options": { "http_tokens": "optional", "hop_limit": 1 } }] },
            { "name": "runners", "versions": [
                { "image": "al2023-1.33", "metadata_options": { "http_tokens": "required", "hop_limit": 2 } },
            ] },
        ],
        "clusters": clusters,
    })
}

/// Every way in which nodes come about. Of a hundred nodes fifteen fail the policy for Amazon Linux 2023: eight whose
/// node group has no template (one hop), six of an old template, and of those with a good one some that someone
/// changed by hand.
fn cluster(number: u32, nodes: u32) -> Value {
    let share = |from: u64, to: u64| part(nodes, from, to, 100);
    let general = share(0, 40);
    let good = json!({ "http_tokens": "required", "hop_limit": 2 });
    json!({
        "name": format!("cluster-{number:05}"),
        "node_groups": [
            { "name": "general", "template": { "name": "nodes" }, "nodes": general,
              "drift": [{ "count": general / 40, "http_tokens": "optional" }] },
            { "name": "default", "nodes": share(40, 48) },
            { "name": "legacy", "template": { "name": "legacy" }, "nodes": share(48, 54) },
            { "name": "bottlerocket", "ami_type": "BOTTLEROCKET_x86_64", "nodes": share(54, 64) },
        ],
        "self_managed": [
            { "name": format!("runners-{number:05}"), "template": { "name": "runners" }, "nodes": share(64, 78) },
        ],
        "karpenter": [
            { "node_pool": "general", "metadata_options": good, "nodes": share(78, 98), "spot": true,
              "instance_types": ["m6i.large", "m6a.large", "c6i.large"] },
        ],
        "standalone": [{ "name": format!("debug-{number:05}"), "image": "al2023-1.33", "nodes": share(98, 100) }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cluster_has_its_part_and_nothing_is_left_over() {
        for size in [Size::ORGANISATION, Size { accounts: 7, clusters: 3, instances: 1000 }] {
            let nodes = nodes(size);
            assert_eq!(nodes.iter().sum::<u32>(), size.instances);
            assert!(nodes.iter().max() > nodes.iter().min());
        }
        assert!(file(Size { accounts: 1, clusters: 0, instances: 1 }).is_err());
        assert_eq!("50,200,20000".parse(), Ok(Size::ORGANISATION));
        assert!("50,200".parse::<Size>().is_err());
    }

    #[test]
    fn the_regions_of_an_account_are_different_ones() {
        let size = Size { accounts: 2, clusters: 200, instances: 0 };
        let mut homes = homes(size, 1);
        homes.sort_unstable();
        homes.dedup();
        assert_eq!(homes.len(), 17);
    }
}
