//! Managed node groups and self-managed Auto Scaling groups, by what their next node gets.

use std::collections::HashMap;

use crate::finding::{ManagedBy, Resource, ResourceType, Source};
use crate::model::{AutoScalingGroup, GroupLaunch, NodeGroup, OptionName, OptionValue};

use super::index::{Index, Role};
use super::variants::{of_group, user_template, without_group};
use super::{Lever, Subject, SubjectKind, Variant};

/// One subject a managed node group, and one a self-managed group, of a cluster or not.
pub fn subjects<'a>(index: &Index<'a>) -> Vec<Subject<'a>> {
    let managed = index.inventory.node_groups.iter().map(|group| managed(index, group));
    let own = index.inventory.auto_scaling_groups.iter().filter_map(|group| match index.role(group)? {
        Role::SelfManaged(cluster) => Some(self_managed(index, group, cluster)),
        Role::Managed(_) => None,
    });
    managed.chain(own).collect()
}

/// Where each group stands in a list of subjects, by resource type and id.
pub fn positions(subjects: &[Subject<'_>]) -> HashMap<(ResourceType, String), usize> {
    let key = |subject: &Subject<'_>| (subject.resource.r#type, subject.resource.id.clone());
    subjects.iter().enumerate().map(|(position, subject)| (key(subject), position)).collect()
}

/// The id of a managed node group in reports. Its name alone is unique only in its cluster.
pub fn node_group_id(cluster: &str, name: &str) -> String {
    format!("{cluster}/{name}")
}

fn managed<'a>(index: &Index<'a>, node_group: &'a NodeGroup) -> Subject<'a> {
    let groups: Vec<_> = groups_of(index, node_group);
    let mut variants: Vec<_> =
        groups.iter().flat_map(|group| of_group(index, group, Some(node_group))).collect();
    if variants.is_empty() {
        variants.push(without_group(index, node_group));
    }
    let id = node_group_id(&node_group.cluster, &node_group.name);
    let cluster = index.cluster(&node_group.cluster);
    let mut notes = notes(index, Some(&node_group.cluster), &variants);
    if !node_group.described {
        notes.push(
            "EKS could not be asked about this node group; it is known by its Auto Scaling group".to_owned(),
        );
    }
    if let Some(status) = node_group.status.as_deref().filter(|status| *status != "ACTIVE") {
        notes.push(format!("EKS says that the node group is {status}"));
    }
    Subject {
        kind: SubjectKind::Group,
        cluster: Some(&node_group.cluster),
        cluster_arn: cluster.map(|cluster| &cluster.arn),
        node_group: Some(&node_group.name),
        auto_scaling_group: None,
        managed_by: Some(managed_by(node_group)),
        nodes: groups.iter().map(|group| index.instances_of(group).len() as u64).sum(),
        tags: &node_group.tags,
        variants,
        launched_from: None,
        group: None,
        lever: Lever::NodeGroup {
            target: node_group.arn.as_ref().map_or_else(|| id.clone(), ToString::to_string),
            template: node_group.template.as_ref().map(|reference| user_template(index, reference)),
            described: node_group.described,
        },
        notes,
        resource: Resource {
            r#type: ResourceType::NodeGroup,
            id,
            name: Some(node_group.name.clone()),
            arn: node_group.arn.clone(),
        },
    }
}

/// A node group that EKS did not describe is taken for one with a template: the careful reading, since then
/// nothing is said about replacing it.
pub fn managed_by(node_group: &NodeGroup) -> ManagedBy {
    if node_group.template.is_some() || !node_group.described {
        ManagedBy::ManagedNodeGroup
    } else {
        ManagedBy::ManagedNodeGroupDefault
    }
}

fn groups_of<'a>(index: &Index<'a>, node_group: &'a NodeGroup) -> Vec<&'a AutoScalingGroup> {
    let is_its_own = |group: &&AutoScalingGroup| matches!(index.role(group), Some(Role::Managed(owner)) if std::ptr::eq(owner, node_group));
    let groups = &index.inventory.auto_scaling_groups;
    if node_group.auto_scaling_groups.is_empty() {
        groups.iter().filter(is_its_own).collect()
    } else {
        node_group.auto_scaling_groups.iter().filter_map(|name| index.group(name)).collect()
    }
}

fn self_managed<'a>(index: &Index<'a>, group: &'a AutoScalingGroup, cluster: Option<&'a str>) -> Subject<'a> {
    let variants = of_group(index, group, None);
    Subject {
        resource: Resource {
            r#type: ResourceType::AutoScalingGroup,
            id: group.name.clone(),
            name: None,
            arn: group.arn.clone(),
        },
        kind: SubjectKind::Group,
        cluster,
        cluster_arn: cluster.and_then(|name| index.cluster(name)).map(|cluster| &cluster.arn),
        node_group: None,
        auto_scaling_group: Some(&group.name),
        managed_by: Some(ManagedBy::SelfManaged),
        nodes: index.instances_of(group).len() as u64,
        tags: &group.tags,
        notes: notes(index, cluster, &variants),
        variants,
        launched_from: None,
        group: None,
        lever: match &group.launch {
            GroupLaunch::Configuration(name) => Lever::Configuration { group: &group.name, name },
            launch => Lever::Group {
                name: &group.name,
                templates: launch.templates().map(|reference| user_template(index, reference)).collect(),
            },
        },
    }
}

fn notes(index: &Index<'_>, cluster: Option<&str>, variants: &[Variant<'_>]) -> Vec<String> {
    let mut notes: Vec<_> = cluster.and_then(|name| missing_cluster(index, name)).into_iter().collect();
    let enforced = index.inventory.account_defaults.known().is_some_and(|defaults| defaults.tokens_enforced);
    let optional = |variant: &Variant<'_>| {
        let tokens = variant.options.get(OptionName::HttpTokens);
        tokens.value == Some(OptionValue::Optional)
    };
    if enforced && variants.iter().any(optional) {
        notes.push("the account enforces tokens (HttpTokensEnforced), so the next launch fails".to_owned());
    }
    for template in
        variants.iter().filter(|variant| lost(variant)).filter_map(|variant| variant.template.as_ref())
    {
        notes.push(lost_template(index, template));
    }
    notes
}

fn lost(variant: &Variant<'_>) -> bool {
    variant.options.get(OptionName::HttpTokens).source == Source::Unresolved
        && variant.image.as_ref().is_none_or(|image| image.id.is_none() && image.name.is_none())
}

fn lost_template(index: &Index<'_>, template: &super::TemplateIdentity<'_>) -> String {
    let name = template.name.or(template.id).unwrap_or("its launch template");
    let version = template.version.map_or_else(String::new, |version| format!(" version {version}"));
    if index.inventory.templates_read {
        format!("{name}{version} no longer exists")
    } else {
        format!("{name}{version} could not be read")
    }
}

/// A cluster that tags name and EKS does not list.
pub fn missing_cluster(index: &Index<'_>, cluster: &str) -> Option<String> {
    (index.inventory.clusters_read() && index.cluster(cluster).is_none())
        .then(|| format!("EKS has no cluster {cluster} here: it was deleted, or is not an EKS cluster"))
}
