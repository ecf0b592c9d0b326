//! EKS.

mod describe;
mod list;
mod update;

use super::{Access, Asked, Call, Resource, RestOperation};
use crate::wire::error::ApiError;
use crate::world::{Cluster, Region};

/// Every operation.
pub const OPERATIONS: &[RestOperation] = &[
    RestOperation::reads("ListClusters", "GET", "/clusters", Access::Any, list::clusters),
    RestOperation::reads(
        "DescribeCluster",
        "GET",
        "/clusters/{}",
        Access::On(cluster_arn),
        describe::cluster,
    ),
    RestOperation::reads(
        "ListNodegroups",
        "GET",
        "/clusters/{}/node-groups",
        Access::On(cluster_arn),
        list::node_groups,
    ),
    RestOperation::reads(
        "DescribeNodegroup",
        "GET",
        "/clusters/{}/node-groups/{}",
        Access::On(node_group_arn),
        describe::node_group,
    ),
    RestOperation::reads(
        "ListFargateProfiles",
        "GET",
        "/clusters/{}/fargate-profiles",
        Access::On(cluster_arn),
        list::fargate_profiles,
    ),
    RestOperation::writes(
        "UpdateNodegroupVersion",
        "POST",
        "/clusters/{}/node-groups/{}/update-version",
        Access::On(node_group_arn),
        update::node_group_version,
    )
    .once_by("clientRequestToken"),
    RestOperation::reads(
        "DescribeUpdate",
        "GET",
        "/clusters/{}/updates/{}",
        Access::On(updated_arn),
        update::one,
    ),
    RestOperation::reads("ListUpdates", "GET", "/clusters/{}/updates", Access::On(updated_arn), update::ids),
];

fn cluster_arn(call: &Call<'_>, asked: &Asked<'_>) -> Resource {
    let name = &asked.path[0];
    Resource {
        arn: call.account.arn("eks", call.region_name, &format!("cluster/{name}")),
        tags: call.region.clusters.get(name).map(|cluster| cluster.tags.clone()).unwrap_or_default(),
    }
}

/// The ARN of a node group ends in an id, which a request does not have.
fn node_group_arn(call: &Call<'_>, asked: &Asked<'_>) -> Resource {
    let (cluster, name) = (&asked.path[0], &asked.path[1]);
    let group = call.region.clusters.get(cluster).and_then(|cluster| cluster.node_groups.get(name));
    group.map_or_else(
        || call.account.arn("eks", call.region_name, &format!("nodegroup/{cluster}/{name}/*")).into(),
        |group| Resource { arn: group.arn.clone(), tags: group.tags.clone() },
    )
}

/// What an update is of: the node group that is named, or the cluster.
fn updated_arn(call: &Call<'_>, asked: &Asked<'_>) -> Resource {
    match asked.params.peek("nodegroupName") {
        Some(name) => {
            let path = [asked.path[0].clone(), name.to_owned()];
            node_group_arn(call, &Asked { path: &path, ..*asked })
        }
        None => cluster_arn(call, asked),
    }
}

fn cluster<'r>(region: &'r Region, name: &str) -> Result<&'r Cluster, ApiError> {
    region.clusters.get(name).ok_or_else(|| {
        ApiError::new(404, "ResourceNotFoundException", format!("No cluster found for name: {name}."))
            .with("clusterName", name)
    })
}
