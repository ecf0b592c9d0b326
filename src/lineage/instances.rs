//! Instances, by the options that they have.

use std::collections::HashMap;

use crate::finding::{ManagedBy, Resource, ResourceType, TemplateOwner};
use crate::model::{AutoScalingGroup, Confidence, Family, Instance, NodeGroup, TemplateId};
use crate::resolve::EffectiveOptions;

use super::groups::{managed_by, missing_cluster, node_group_id};
use super::index::{Index, Role};
use super::variants::{identity, image_in_node_group, of_version};
use super::{Lever, Subject, SubjectKind, TemplateIdentity, Variant};

/// One subject an instance.
pub fn subjects<'a>(
    index: &Index<'a>,
    of_groups: &HashMap<(ResourceType, String), usize>,
) -> impl Iterator<Item = Subject<'a>> {
    index.inventory.instances.iter().map(|instance| subject(index, of_groups, instance))
}

/// What an instance belongs to.
struct Membership<'a> {
    managed_by: ManagedBy,
    cluster: Option<&'a str>,
    node_group: Option<&'a NodeGroup>,
    node_group_name: Option<&'a str>,
    group: Option<&'a AutoScalingGroup>,
}

fn subject<'a>(
    index: &Index<'a>,
    of_groups: &HashMap<(ResourceType, String), usize>,
    instance: &'a Instance,
) -> Subject<'a> {
    let membership = membership(index, instance);
    let variant = Variant {
        template: None,
        image: instance.image.as_ref().map(|image| {
            let mut image = image_in_node_group(index, image, membership.node_group);
            if membership.managed_by == ManagedBy::AutoMode {
                // Auto Mode runs AWS's own variant of Bottlerocket, whatever its image is called.
                (image.family, image.confidence) = (Family::Bottlerocket, Confidence::Certain);
            }
            image
        }),
        options: EffectiveOptions::of_instance(&instance.metadata),
    };
    Subject {
        resource: Resource {
            r#type: ResourceType::Instance,
            id: instance.id.to_string(),
            name: instance.tags.get("Name").map(str::to_owned),
            arn: Some(index.inventory.scope.arn("ec2", &format!("instance/{}", instance.id))),
        },
        kind: SubjectKind::Instance,
        cluster: membership.cluster,
        cluster_arn: membership.cluster.and_then(|name| index.cluster(name)).map(|cluster| &cluster.arn),
        node_group: membership.node_group_name,
        auto_scaling_group: own_group(instance, &membership),
        managed_by: Some(membership.managed_by),
        nodes: 1,
        tags: &instance.tags,
        variants: vec![variant],
        launched_from: launched_from(index, instance, &membership),
        group: position(of_groups, &membership),
        lever: lever(instance, membership.managed_by),
        notes: membership.cluster.and_then(|cluster| missing_cluster(index, cluster)).into_iter().collect(),
    }
}

/// The name of the group of the user's own that an instance is in. The group itself may be gone.
fn own_group<'a>(instance: &'a Instance, membership: &Membership<'a>) -> Option<&'a str> {
    let tagged = || instance.tags.get("aws:autoscaling:groupName");
    match membership.managed_by {
        ManagedBy::SelfManaged => membership.group.map(|group| group.name.as_str()).or_else(tagged),
        _ => None,
    }
}

/// The order matters: Karpenter's and Auto Mode's instances also carry tags that others look for.
fn membership<'a>(index: &Index<'a>, instance: &'a Instance) -> Membership<'a> {
    let group = index.group_of(instance);
    let role = group.and_then(|group| index.role(group));
    let by_group = match role {
        Some(Role::Managed(node_group)) => Some(node_group.cluster.as_str()),
        Some(Role::SelfManaged(cluster)) => cluster,
        None => None,
    };
    let cluster = instance.tags.cluster().or(by_group);
    let node_group_name = instance.tags.node_group().or(match role {
        Some(Role::Managed(node_group)) => Some(node_group.name.as_str()),
        _ => None,
    });
    let node_group = cluster.zip(node_group_name).and_then(|(cluster, name)| index.node_group(cluster, name));
    let managed_by = if is_auto_mode(instance) {
        ManagedBy::AutoMode
    } else if instance.tags.karpenter_node_class().is_some() {
        ManagedBy::Karpenter
    } else if node_group_name.is_some() {
        node_group.map_or(ManagedBy::ManagedNodeGroup, managed_by)
    } else if group.is_some() || instance.tags.contains("aws:autoscaling:groupName") {
        ManagedBy::SelfManaged
    } else {
        ManagedBy::Standalone
    };
    Membership { managed_by, cluster, node_group, node_group_name, group }
}

fn is_auto_mode(instance: &Instance) -> bool {
    let operator = instance.operator.as_ref();
    operator.is_some_and(|operator| operator.principal.as_deref().is_none_or(|name| name.starts_with("eks.")))
}

fn position(
    of_groups: &HashMap<(ResourceType, String), usize>,
    membership: &Membership<'_>,
) -> Option<usize> {
    let key = match membership.managed_by {
        ManagedBy::ManagedNodeGroup | ManagedBy::ManagedNodeGroupDefault => {
            let node_group = membership.node_group?;
            (ResourceType::NodeGroup, node_group_id(&node_group.cluster, &node_group.name))
        }
        ManagedBy::SelfManaged => (ResourceType::AutoScalingGroup, membership.group?.name.clone()),
        ManagedBy::Karpenter | ManagedBy::AutoMode | ManagedBy::Standalone => return None,
    };
    of_groups.get(&key).copied()
}

/// EC2 notes on every instance which template version it was launched from. The version may be gone.
fn launched_from<'a>(
    index: &Index<'a>,
    instance: &'a Instance,
    membership: &Membership<'a>,
) -> Option<Variant<'a>> {
    let id = instance.tags.get("aws:ec2launchtemplate:id")?;
    let version = instance.tags.get("aws:ec2launchtemplate:version").and_then(|number| number.parse().ok());
    let template = index.inventory.launch_templates.get(&TemplateId::from(id));
    let read = template.and_then(|template| Some((template, template.versions.get(&version?)?)));
    if let Some((template, read)) = read {
        return Some(of_version(index, template, read, None, membership.node_group));
    }
    let identity = match template {
        Some(template) => identity(index, template, version),
        None => deleted(id, version, membership.managed_by),
    };
    Some(Variant { template: Some(identity), image: None, options: EffectiveOptions::UNRESOLVED })
}

/// A template that was deleted, as Karpenter's are sooner or later.
fn deleted(id: &str, version: Option<i64>, managed_by: ManagedBy) -> TemplateIdentity<'_> {
    let owned_by = match managed_by {
        ManagedBy::Karpenter => TemplateOwner::Karpenter,
        ManagedBy::ManagedNodeGroup | ManagedBy::ManagedNodeGroupDefault | ManagedBy::AutoMode => {
            TemplateOwner::Eks
        }
        ManagedBy::SelfManaged | ManagedBy::Standalone => TemplateOwner::User,
    };
    TemplateIdentity { id: Some(id), name: None, version, owned_by }
}

/// A node of a group is mended through its group's lever, and by itself only where the group is not known.
fn lever(instance: &Instance, managed_by: ManagedBy) -> Lever<'_> {
    match managed_by {
        ManagedBy::AutoMode => Lever::AutoMode,
        ManagedBy::Karpenter => Lever::NodeClass(instance.tags.karpenter_node_class().flatten()),
        ManagedBy::ManagedNodeGroup
        | ManagedBy::ManagedNodeGroupDefault
        | ManagedBy::SelfManaged
        | ManagedBy::Standalone => match &instance.operator {
            Some(operator) => Lever::Service(operator.principal.as_deref().unwrap_or("an AWS service")),
            None => Lever::Instance,
        },
    }
}
