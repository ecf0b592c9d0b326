//! Auto Scaling groups, warm pools and launch configurations.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt};

use super::eks::Eks;
use super::reader::{Reader, SIDE_BY_SIDE};
use super::templates::Templates;
use super::traces::{self, Lookout};
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

/// The groups of the Region, which of them belong to clusters, and which are wanted whether they do or not.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub all: Vec<Group>,
    related: BTreeSet<String>,
    wanted: BTreeSet<String>,
}

/// Whose something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// A cluster's.
    Clusters,
    /// No cluster's, and wanted all the same.
    Others,
}

/// By the name of a group, the instances in its warm pool.
pub(super) type Pools = BTreeMap<String, Vec<InstanceId>>;

/// All groups of the Region; where `all` are asked for, each is worth telling of.
pub(super) async fn read(reader: &Reader<'_>, all: bool, lookout: &Lookout) -> Groups {
    let client = &reader.clients.autoscaling;
    let listed = pages::collect(DESCRIBE_AUTO_SCALING_GROUPS, async |token| {
        let call = client.describe_auto_scaling_groups().max_records(PAGE).set_next_token(token);
        let page = call.send().await.map_err(failed(DESCRIBE_AUTO_SCALING_GROUPS))?;
        let groups: Vec<_> = page.auto_scaling_groups().iter().filter_map(convert::group).collect();
        lookout.tell(groups.iter().any(|group| all || traces::are_in(&group.model.tags)));
        Ok((groups, page.next_token))
    });
    let (mut all, _) = reader.keep_listed(listed.await);
    all.sort_by(|a, b| a.model.name.cmp(&b.model.name));
    Groups { all, ..Groups::default() }
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

    /// Wants all groups.
    pub fn want_all(&mut self) {
        self.wanted = self.all.iter().map(|group| group.model.name.clone()).collect();
    }

    /// Wants the group of this name, the one that an instance of this name is in, and those that launch from the
    /// template of this name.
    pub fn want(&mut self, name: &str, of_instance: Option<&str>, templates: &Templates) {
        let is_it = |reference: &TemplateRef| {
            reference.id.as_ref().is_some_and(|id| id.as_str() == name)
                || reference.name.as_deref() == Some(name)
                || templates.get(reference).is_some_and(|template| template.name == name)
        };
        let wanted = self.all.iter().map(|group| &group.model).filter(|group| {
            group.name == name
                || of_instance == Some(&group.name)
                || group.instances.iter().any(|instance| instance.as_str() == name)
                || launches_from(&group.launch).into_iter().any(is_it)
        });
        self.wanted = wanted.map(|group| group.name.clone()).collect();
    }

    /// The groups that are wanted whether they belong to clusters or not.
    pub fn wanted(&self) -> impl Iterator<Item = &Group> {
        self.all.iter().filter(|group| self.wanted.contains(&group.model.name))
    }

    fn of(&self, whose: Whose) -> impl Iterator<Item = &Group> {
        self.all.iter().filter(move |group| self.whose(&group.model.name) == Some(whose))
    }

    fn whose(&self, group: &str) -> Option<Whose> {
        if self.related.contains(group) {
            Some(Whose::Clusters)
        } else {
            self.wanted.contains(group).then_some(Whose::Others)
        }
    }

    /// The instances that wait in the warm pools of clusters' groups and, `of_others`, in those of others.
    pub async fn warm_pools(&self, reader: &Reader<'_>, of_others: bool) -> Pools {
        let mut groups: Vec<&Group> = self.of(Whose::Clusters).collect();
        if of_others {
            groups.extend(self.of(Whose::Others));
        }
        let with_pool: Vec<String> =
            groups.iter().filter(|group| group.has_warm_pool).map(|group| group.model.name.clone()).collect();
        stream::iter(with_pool)
            .map(async |name| (name.clone(), warm_pool(reader, &name).await))
            .buffer_unordered(SIDE_BY_SIDE)
            .collect()
            .await
    }

    /// Adds the instances of warm pools to their groups.
    pub fn add_instances(&mut self, mut pools: Pools) {
        for group in &mut self.all {
            let Some(instances) = pools.remove(&group.model.name) else { continue };
            group.model.instances.extend(instances);
            group.model.instances.sort();
            group.model.instances.dedup();
        }
    }

    /// Instances of clusters' groups that are not about to end.
    pub fn staying(&self) -> impl Iterator<Item = &InstanceId> {
        self.of(Whose::Clusters).flat_map(staying)
    }

    /// Instances of clusters' and wanted groups and of their warm pools that are not among `known` and are not about
    /// to end.
    pub fn unread_instances(&self, pools: &Pools, known: &BTreeSet<InstanceId>) -> Vec<String> {
        let held = self.of(Whose::Clusters).chain(self.of(Whose::Others)).flat_map(staying);
        let all = held.chain(pools.values().flatten());
        let unread: BTreeSet<&InstanceId> = all.filter(|instance| !known.contains(*instance)).collect();
        unread.into_iter().map(ToString::to_string).collect()
    }

    /// Drops instances from clusters' and wanted groups that turned out not to exist any more.
    pub fn drop_instances_but(&mut self, known: &BTreeSet<InstanceId>) {
        let Self { all, related, wanted } = self;
        for group in all.iter_mut().map(|group| &mut group.model) {
            if related.contains(&group.name) || wanted.contains(&group.name) {
                group.instances.retain(|instance| known.contains(instance));
            }
        }
    }

    /// Every template version that groups launch from.
    pub fn templates(&self, whose: Whose) -> impl Iterator<Item = &TemplateRef> {
        self.of(whose).flat_map(|group| launches_from(&group.model.launch))
    }

    /// The images that overrides of groups bring.
    pub fn override_images(&self, whose: Whose) -> impl Iterator<Item = String> {
        self.of(whose).flat_map(|group| match &group.model.launch {
            GroupLaunch::Mixed { overrides, .. } => {
                overrides.iter().filter_map(|launch| launch.image.as_ref().map(ToString::to_string)).collect()
            }
            _ => Vec::new(),
        })
    }

    /// The launch configurations that groups use.
    pub fn configuration_names(&self, whose: Whose) -> BTreeSet<&String> {
        self.of(whose)
            .filter_map(|group| match &group.model.launch {
                GroupLaunch::Configuration(name) => Some(name),
                _ => None,
            })
            .collect()
    }
}

fn staying(group: &Group) -> impl Iterator<Item = &InstanceId> {
    group.model.instances.iter().filter(|instance| !group.leaving.contains(*instance))
}

fn launches_from(launch: &GroupLaunch) -> Vec<&TemplateRef> {
    match launch {
        GroupLaunch::Template(template) => vec![template],
        GroupLaunch::Mixed { base, overrides } => {
            let own = overrides.iter().filter_map(|launch| launch.template.as_ref());
            std::iter::once(base).chain(own).collect()
        }
        GroupLaunch::Configuration(_) | GroupLaunch::Unknown => Vec::new(),
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

/// The launch configurations that clusters' and wanted groups use. One that is missing is only absent.
pub(super) async fn configurations(
    reader: &Reader<'_>,
    groups: &Groups,
) -> BTreeMap<String, LaunchConfiguration> {
    let client = &reader.clients.autoscaling;
    let mut found = BTreeMap::new();
    let names = [Whose::Clusters, Whose::Others].map(|whose| groups.configuration_names(whose));
    let names: BTreeSet<String> = names.into_iter().flatten().cloned().collect();
    for names in names.into_iter().collect::<Vec<_>>().chunks(NAMES) {
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
            ..Groups::default()
        };
        let mut eks = Eks::default();
        let arn = scope().arn("eks", "cluster/blue");
        eks.clusters.push(Cluster { name: "blue".to_owned(), arn, fargate_profiles: 0 });
        eks.node_groups.push(NodeGroup {
            auto_scaling_groups: vec!["named".to_owned()],
            ..convert_eks::named_node_group("blue", "general")
        });
        groups.relate(&BTreeSet::from(["i-2".into()]), &eks);
        let configurations = |groups: &Groups, whose| -> Vec<String> {
            groups.configuration_names(whose).into_iter().cloned().collect()
        };
        let of_clusters =
            ["autoscaled", "by-node", "named", "tagged"].map(|name| format!("{name}-configuration"));
        assert_eq!(configurations(&groups, Whose::Clusters), of_clusters);
        let nodes = BTreeSet::from(["i-2".into()]);
        assert_eq!(groups.unread_instances(&Pools::new(), &nodes), ["i-1"]);
        // Others, if they are wanted: one of them, or all.
        groups.want("i-3", None, &Templates::default());
        assert_eq!(configurations(&groups, Whose::Others), ["web-configuration"]);
        assert_eq!(groups.unread_instances(&Pools::new(), &nodes), ["i-1", "i-3"]);
        groups.want_all();
        assert_eq!(configurations(&groups, Whose::Clusters), of_clusters);
        let others = ["autoscaled-for-none-configuration", "web-configuration"];
        assert_eq!(configurations(&groups, Whose::Others), others);
    }
}
