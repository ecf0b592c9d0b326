//! EKS.

mod describe;
mod list;

use super::{Access, Asked, Call, RestOperation};
use crate::wire::error::ApiError;
use crate::world::{Cluster, Region};

/// Every operation.
pub const OPERATIONS: &[RestOperation] = &[
    RestOperation {
        name: "ListClusters",
        method: "GET",
        path: "/clusters",
        access: Access::Any,
        run: list::clusters,
    },
    RestOperation {
        name: "DescribeCluster",
        method: "GET",
        path: "/clusters/{}",
        access: Access::On(cluster_arn),
        run: describe::cluster,
    },
    RestOperation {
        name: "ListNodegroups",
        method: "GET",
        path: "/clusters/{}/node-groups",
        access: Access::On(cluster_arn),
        run: list::node_groups,
    },
    RestOperation {
        name: "DescribeNodegroup",
        method: "GET",
        path: "/clusters/{}/node-groups/{}",
        access: Access::On(node_group_arn),
        run: describe::node_group,
    },
    RestOperation {
        name: "ListFargateProfiles",
        method: "GET",
        path: "/clusters/{}/fargate-profiles",
        access: Access::On(cluster_arn),
        run: list::fargate_profiles,
    },
];

fn cluster_arn(call: &Call<'_>, asked: &Asked<'_>) -> String {
    call.account.arn("eks", call.region_name, &format!("cluster/{}", asked.path[0]))
}

/// The ARN of a node group ends in an id, which a request does not have.
fn node_group_arn(call: &Call<'_>, asked: &Asked<'_>) -> String {
    let (cluster, name) = (&asked.path[0], &asked.path[1]);
    let group = call.region.clusters.get(cluster).and_then(|cluster| cluster.node_groups.get(name));
    group.map_or_else(
        || call.account.arn("eks", call.region_name, &format!("nodegroup/{cluster}/{name}/*")),
        |group| group.arn.clone(),
    )
}

fn cluster<'r>(region: &'r Region, name: &str) -> Result<&'r Cluster, ApiError> {
    region.clusters.get(name).ok_or_else(|| {
        ApiError::new(404, "ResourceNotFoundException", format!("No cluster found for name: {name}."))
            .with("clusterName", name)
    })
}
