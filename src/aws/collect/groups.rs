//! Auto Scaling groups, warm pools and launch configurations.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt};

use super::eks::Eks;
use super::reader::{Reader, SIDE_BY_SIDE};
use super::traces;
use crate::aws::convert::autoscaling::{self as convert, Group};
use crate::aws::errors::{ErrorKind, failed};
use crate::aws::operations::{
    DESCRIBE_AUTO_SCALING_GROUPS, DESCRIBE_LAUNCH_CONFIGURATIONS, DESCRIBE_WARM_POOL,
};
use crate::aws::pages;
use crate::model::{GroupLaunch, InstanceId, LaunchConfiguration, TemplateRef};

/// The most that Auto Scaling lists in a page.
const PAGE: i32 = 100;

/// The most names that `DescribeLaunchConfigurations` is asked for at once.
const NAMES: usize = 50;

/// The warm pools are listed 50 at a time.
const WARM_PAGE: i32 = 50;

/// The groups of the Region, and which of them belong to clusters.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub all: Vec<Group>,
    related: BTreeSet<String>,
}

/// All groups of the Region.
pub(super) async fn read(reader: &Reader<'_>) -> Groups {
    let client = &reader.clients.autoscaling;
    let listed = pages::collect(DESCRIBE_AUTO_SCALING_GROUPS, async |token| {
        let call = client.describe_auto_scaling_groups().max_records(PAGE).set_next_token(token);
        let page = call.send().await.map_err(failed(DESCRIBE_AUTO_SCALING_GROUPS))?;
        let groups: Vec<_> = page.auto_scaling_groups().iter().filter_map(convert::group).collect();
        Ok((groups, page.next_token))
    });
    let (mut all, _) = reader.keep_listed(listed.await);
    all.sort_by(|a, b| a.model.name.cmp(&b.model.name));
    Groups { all, related: BTreeSet::new() }
}

impl Groups {
    /// Whether any group carries a trace of EKS.
    pub fn have_traces(&self) -> bool {
        self.all.iter().any(|group| traces::are_in(&group.model.tags))
    }

    /// Establishes which groups belong to clusters: by their tags, because they hold a node, because a node
    /// group names them, or because cluster-autoscaler's tag names a cluster that exists.
    pub fn relate(&mut self, nodes: &BTreeSet<InstanceId>, eks: &Eks) {
        let named: BTreeSet<&str> =
            eks.node_groups.iter().flat_map(|group| &group.auto_scaling_groups).map(String::as_str).collect();
        let clusters: BTreeSet<&str> = eks.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
        let related = self.all.iter().map(|group| &group.model).filter(|group| {
            traces::are_in(&group.tags)
                || named.contains(group.name.as_str())
                || group.instances.iter().any(|instance| nodes.contains(instance))
                || group.tags.autoscaler_clusters().any(|name| clusters.contains(name))
        });
        self.related = related.map(|group| group.name.clone()).collect();
    }

    fn related(&self) -> impl Iterator<Item = &Group> {
        self.all.iter().filter(|group| self.related.contains(&group.model.name))
    }

    /// Adds the instances that wait in the warm pools of clusters' groups.
    pub async fn add_warm_pools(&mut self, reader: &Reader<'_>) {
        let with_pool: Vec<String> = self
            .related()
            .filter(|group| group.has_warm_pool)
            .map(|group| group.model.name.clone())
            .collect();
        let mut pools: BTreeMap<String, Vec<InstanceId>> = stream::iter(with_pool)
            .map(async |name| (name.clone(), warm_pool(reader, &name).await))
            .buffer_unordered(SIDE_BY_SIDE)
            .collect()
            .await;
        for group in &mut self.all {
            let Some(instances) = pools.remove(&group.model.name) else { continue };
            group.model.instances.extend(instances);
            group.model.instances.sort();
            group.model.instances.dedup();
        }
    }

    /// Instances of clusters' groups that are not among `nodes` and are not about to end.
    pub fn unread_instances(&self, nodes: &BTreeSet<InstanceId>) -> Vec<String> {
        let held = self.related().flat_map(|group| {
            group.model.instances.iter().filter(|instance| !group.leaving.contains(*instance))
        });
        let unread: BTreeSet<&InstanceId> = held.filter(|instance| !nodes.contains(*instance)).collect();
        unread.into_iter().map(ToString::to_string).collect()
    }

    /// Drops instances from clusters' groups that turned out not to exist any more.
    pub fn drop_instances_but(&mut self, nodes: &BTreeSet<InstanceId>) {
        for group in self.all.iter_mut().filter(|group| self.related.contains(&group.model.name)) {
            group.model.instances.retain(|instance| nodes.contains(instance));
        }
    }

    /// Every template version that clusters' groups launch from.
    pub fn templates(&self) -> impl Iterator<Item = &TemplateRef> {
        self.related().flat_map(|group| match &group.model.launch {
            GroupLaunch::Template(template) => vec![template],
            GroupLaunch::Mixed { base, overrides } => {
                let own = overrides.iter().filter_map(|launch| launch.template.as_ref());
                std::iter::once(base).chain(own).collect()
            }
            GroupLaunch::Configuration(_) | GroupLaunch::Unknown => Vec::new(),
        })
    }

    /// The images that overrides of clusters' groups bring.
    pub fn override_images(&self) -> impl Iterator<Item = String> {
        self.related().flat_map(|group| match &group.model.launch {
            GroupLaunch::Mixed { overrides, .. } => {
                overrides.iter().filter_map(|launch| launch.image.as_ref().map(ToString::to_string)).collect()
            }
            _ => Vec::new(),
        })
    }

    fn configuration_names(&self) -> Vec<String> {
        let names: BTreeSet<&String> = self
            .related()
            .filter_map(|group| match &group.model.launch {
                GroupLaunch::Configuration(name) => Some(name),
                _ => None,
            })
            .collect();
        names.into_iter().cloned().collect()
    }
}

async fn warm_pool(reader: &Reader<'_>, group: &str) -> Vec<InstanceId> {
    let client = &reader.clients.autoscaling;
    let listed = pages::collect(DESCRIBE_WARM_POOL, async |token| {
        let call = client
            .describe_warm_pool()
            .auto_scaling_group_name(group)
            .max_records(WARM_PAGE)
            .set_next_token(token);
        let page = call.send().await.map_err(failed(DESCRIBE_WARM_POOL))?;
        let staying = page.instances().iter().filter(|instance| !convert::is_leaving(instance));
        Ok((staying.filter_map(convert::instance_id).collect(), page.next_token))
    });
    let mut listed = listed.await;
    listed.error = listed
        .error
        // Auto Scaling has no code of its own for a group that was deleted meanwhile.
        .filter(|error| error.kind != ErrorKind::NotFound && !error.message.contains("not found"))
        .map(|error| error.about(&format!("Auto Scaling group {group}")));
    reader.keep_listed(listed).0
}

/// The launch configurations that clusters' groups use. One that is missing is only absent.
pub(super) async fn configurations(
    reader: &Reader<'_>,
    groups: &Groups,
) -> BTreeMap<String, LaunchConfiguration> {
    let client = &reader.clients.autoscaling;
    let mut found = BTreeMap::new();
    for names in groups.configuration_names().chunks(NAMES) {
        let listed = pages::collect(DESCRIBE_LAUNCH_CONFIGURATIONS, async |token| {
            let call = client
                .describe_launch_configurations()
                .set_launch_configuration_names(Some(names.to_vec()))
                .max_records(PAGE)
                .set_next_token(token);
            let page = call.send().await.map_err(failed(DESCRIBE_LAUNCH_CONFIGURATIONS))?;
            let read: Vec<_> =
                page.launch_configurations().iter().filter_map(convert::launch_configuration).collect();
            Ok((read, page.next_token))
        });
        let (read, _) = reader.keep_listed(listed.await);
        found.extend(read.into_iter().map(|configuration| (configuration.name.clone(), configuration)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::convert::eks as convert_eks;
    use crate::model::{AutoScalingGroup, Cluster, NodeGroup, Scope, Tags};

    fn scope() -> Scope {
        Scope {
            partition: "aws".into(),
            account_id: "111122223333".into(),
            account_name: None,
            region: "eu-west-1".into(),
        }
    }

    fn group(name: &str, instances: &[&str], tags: &[(&str, &str)]) -> Group {
        Group {
            model: AutoScalingGroup {
                name: name.to_owned(),
                arn: None,
                tags: tags.iter().copied().collect::<Tags>(),
                launch: GroupLaunch::Configuration(format!("{name}-configuration")),
                instances: instances.iter().map(|id| InstanceId::from(*id)).collect(),
            },
            has_warm_pool: false,
            leaving: BTreeSet::new(),
        }
    }

    #[test]
    fn what_a_cluster_s_group_launches_from_is_read_however_the_group_is_known() {
        let mut groups = Groups {
            all: vec![
                group("autoscaled", &["i-1"], &[("k8s.io/cluster-autoscaler/blue", "owned")]),
                group("autoscaled-for-none", &[], &[("k8s.io/cluster-autoscaler/enabled", "true")]),
                group("by-node", &["i-2"], &[]),
                group("named", &[], &[]),
                group("tagged", &[], &[("kubernetes.io/cluster/blue", "owned")]),
                group("web", &["i-3"], &[("team", "web")]),
            ],
            related: BTreeSet::new(),
        };
        let mut eks = Eks::default();
        let arn = scope().arn("eks", "cluster/blue");
        eks.clusters.push(Cluster { name: "blue".to_owned(), arn, fargate_profiles: 0 });
        eks.node_groups.push(NodeGroup {
            auto_scaling_groups: vec!["named".to_owned()],
            ..convert_eks::named_node_group("blue", "general")
        });
        groups.relate(&BTreeSet::from(["i-2".into()]), &eks);
        assert_eq!(
            groups.configuration_names(),
            ["autoscaled", "by-node", "named", "tagged"].map(|name| format!("{name}-configuration"))
        );
        assert_eq!(groups.unread_instances(&BTreeSet::from(["i-2".into()])), ["i-1"]);
    }
}
