//! One cluster, one node group.

use serde_json::{Value, json};

use super::cluster as find;
use crate::ids;
use crate::progress::Thing;
use crate::service::Call;
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::world::{NodeGroup, Region, UpdateStatus};

/// `DescribeCluster`.
pub fn cluster(call: &Call<'_>, path: &[String], params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    let cluster = find(call.region, &path[0])?;
    let account = call.account;
    let id = ids::hex(16, &[&cluster.arn]).to_uppercase();
    let host = format!("{id}{id}.gr7.{}.eks.amazonaws.com", call.region_name);
    let mut answer = json!({
        "name": cluster.name,
        "arn": cluster.arn,
        "createdAt": cluster.created,
        "version": cluster.version,
        "endpoint": format!("https://{host}"),
        "roleArn": format!("arn:{}:iam::{}:role/eks-cluster", account.partition, account.id),
        "resourcesVpcConfig": {
            "subnetIds": cluster.subnets,
            "securityGroupIds": [],
            "clusterSecurityGroupId": cluster.security_group,
            "vpcId": cluster.vpc,
            "endpointPublicAccess": true,
            "endpointPrivateAccess": true,
            "publicAccessCidrs": ["0.0.0.0/0"],
        },
        "kubernetesNetworkConfig": {
            "serviceIpv4Cidr": "172.20.0.0/16",
            "ipFamily": "ipv4",
            "elasticLoadBalancing": { "enabled": cluster.auto_mode.is_some() },
        },
        "logging": { "clusterLogging": [{ "types": ["api", "audit"], "enabled": true }] },
        "identity": { "oidc": { "issuer": format!("https://oidc.eks.{}.amazonaws.com/id/{id}", call.region_name) } },
        "status": cluster.status,
        "certificateAuthority": { "data": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==" },
        "platformVersion": "eks.12",
        "tags": cluster.tags,
        "health": { "issues": [] },
        "accessConfig": { "authenticationMode": "API_AND_CONFIG_MAP" },
        "upgradePolicy": { "supportType": "STANDARD" },
        "deletionProtection": false,
    });
    if let Some(pools) = &cluster.auto_mode {
        answer["computeConfig"] = json!({
            "enabled": true,
            "nodePools": pools,
            "nodeRoleArn": format!("arn:{}:iam::{}:role/eks-auto-node", account.partition, account.id),
        });
        answer["storageConfig"] = json!({ "blockStorage": { "enabled": true } });
    }
    Ok(json!({ "cluster": answer }))
}

/// `DescribeNodegroup`.
pub fn node_group(call: &Call<'_>, path: &[String], params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    let group = existing_node_group(call.region, &path[0], &path[1])?;
    if group.updates.iter().any(|update| update.status == UpdateStatus::InProgress) {
        let (cluster, node_group) = (path[0].clone(), path[1].clone());
        call.saw(Thing::NodeGroupUpdate { cluster, node_group });
    }
    Ok(json!({ "nodegroup": describe(call.region, &path[0], group) }))
}

/// A node group by its name.
pub fn existing_node_group<'r>(
    region: &'r Region,
    cluster: &str,
    name: &str,
) -> Result<&'r NodeGroup, ApiError> {
    find(region, cluster)?.node_groups.get(name).ok_or_else(|| {
        let message = format!("No node group found for name: {name}.");
        ApiError::new(404, "ResourceNotFoundException", message)
            .with("clusterName", cluster)
            .with("nodegroupName", name)
    })
}

fn describe(region: &Region, cluster: &str, group: &NodeGroup) -> Value {
    let modified = group.updates.last().map_or(group.created, |update| update.created);
    let mut answer = json!({
        "nodegroupName": group.name,
        "nodegroupArn": group.arn,
        "clusterName": cluster,
        "releaseVersion": group.release_version,
        "createdAt": group.created,
        "modifiedAt": modified,
        "status": region.status_of(group),
        "capacityType": group.capacity_type,
        "scalingConfig": {
            "minSize": group.scaling.min,
            "maxSize": group.scaling.max,
            "desiredSize": group.scaling.desired,
        },
        "subnets": group.subnets,
        "amiType": group.ami_type,
        "nodeRole": group.node_role,
        "labels": group.labels,
        "resources": { "autoScalingGroups": [{ "name": group.group }] },
        "health": {
            "issues": region.issues_of(group).iter().map(|issue| json!({
                "code": issue.code,
                "message": issue.message,
                "resourceIds": issue.resource_ids,
            })).collect::<Vec<_>>(),
        },
        "updateConfig": { "maxUnavailable": 1 },
        "tags": group.tags,
    });
    if let Some(version) = &group.version {
        answer["version"] = json!(version);
    }
    if !group.instance_types.is_empty() {
        answer["instanceTypes"] = json!(group.instance_types);
    }
    match &group.template {
        Some(template) => {
            answer["launchTemplate"] = json!({
                "id": template.id,
                "name": template.name,
                "version": template.version.to_string(),
            });
        }
        None => answer["diskSize"] = json!(20),
    }
    answer
}
