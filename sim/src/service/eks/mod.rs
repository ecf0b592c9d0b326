//! EKS.

mod describe;
mod list;

use super::RestOperation;
use crate::wire::error::ApiError;
use crate::world::{Cluster, Region};

/// Every operation.
pub const OPERATIONS: &[RestOperation] = &[
    RestOperation { name: "ListClusters", method: "GET", path: "/clusters", run: list::clusters },
    RestOperation { name: "DescribeCluster", method: "GET", path: "/clusters/{}", run: describe::cluster },
    RestOperation {
        name: "ListNodegroups",
        method: "GET",
        path: "/clusters/{}/node-groups",
        run: list::node_groups,
    },
    RestOperation {
        name: "DescribeNodegroup",
        method: "GET",
        path: "/clusters/{}/node-groups/{}",
        run: describe::node_group,
    },
    RestOperation {
        name: "ListFargateProfiles",
        method: "GET",
        path: "/clusters/{}/fargate-profiles",
        run: list::fargate_profiles,
    },
];

fn cluster<'r>(region: &'r Region, name: &str) -> Result<&'r Cluster, ApiError> {
    region.clusters.get(name).ok_or_else(|| {
        ApiError::new(404, "ResourceNotFoundException", format!("No cluster found for name: {name}."))
            .with("clusterName", name)
    })
}
