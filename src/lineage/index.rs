//! Look-ups over an inventory, built once for all its subjects.

use std::collections::{HashMap, HashSet};

use crate::finding::ImageSummary;
use crate::model::{
    AutoScalingGroup, Cluster, ImageId, ImageRef, Instance, InstanceId, Inventory, NodeGroup, Tags,
    TemplateId, TemplateRef,
};
use crate::resolve::{summarise_image, summarise_reference};

/// An inventory with its relations resolved.
pub struct Index<'a> {
    pub inventory: &'a Inventory,
    clusters: HashMap<&'a str, &'a Cluster>,
    instances_of_group: HashMap<&'a str, Vec<&'a Instance>>,
    group_of_instance: HashMap<&'a InstanceId, &'a AutoScalingGroup>,
    node_group_of_group: HashMap<&'a str, &'a NodeGroup>,
    node_groups: HashMap<(&'a str, &'a str), &'a NodeGroup>,
    eks_templates: HashSet<&'a TemplateId>,
    groups: HashMap<&'a str, &'a AutoScalingGroup>,
    /// What is to be said of each image: few of them serve many instances.
    images: HashMap<&'a ImageId, ImageSummary>,
}

/// What an Auto Scaling group is to a cluster.
#[derive(Clone, Copy)]
pub enum Role<'a> {
    /// It is the group of a managed node group.
    Managed(&'a NodeGroup),
    /// It is a group of the user's own, serving the named cluster, or none.
    SelfManaged(Option<&'a str>),
}

impl<'a> Index<'a> {
    pub fn new(inventory: &'a Inventory) -> Self {
        let groups: HashMap<_, _> =
            inventory.auto_scaling_groups.iter().map(|group| (group.name.as_str(), group)).collect();
        let node_groups: HashMap<_, _> = inventory
            .node_groups
            .iter()
            .map(|group| ((group.cluster.as_str(), group.name.as_str()), group))
            .collect();
        let mut index = Self {
            inventory,
            clusters: inventory.clusters.iter().map(|cluster| (cluster.name.as_str(), cluster)).collect(),
            instances_of_group: HashMap::new(),
            group_of_instance: members(inventory, &groups),
            node_group_of_group: node_groups_by_group(inventory, &node_groups),
            node_groups,
            eks_templates: HashSet::new(),
            groups,
            images: inventory.images.keys().map(|id| (id, summarise_image(inventory, id))).collect(),
        };
        for instance in &inventory.instances {
            if let Some(group) = index.group_of(instance) {
                index.instances_of_group.entry(&group.name).or_default().push(instance);
            }
        }
        index.eks_templates = index.templates_of_managed_groups();
        index
    }

    /// A cluster by name.
    pub fn cluster(&self, name: &str) -> Option<&'a Cluster> {
        self.clusters.get(name).copied()
    }

    /// An Auto Scaling group by name.
    pub fn group(&self, name: &str) -> Option<&'a AutoScalingGroup> {
        self.groups.get(name).copied()
    }

    /// A managed node group by cluster and name.
    pub fn node_group(&self, cluster: &str, name: &str) -> Option<&'a NodeGroup> {
        self.node_groups.get(&(cluster, name)).copied()
    }

    /// What a report says about an image.
    pub fn image(&self, id: &ImageId) -> ImageSummary {
        self.images.get(id).cloned().unwrap_or_else(|| summarise_image(self.inventory, id))
    }

    /// What a report says about an image that a template refers to.
    pub fn image_of(&self, reference: &ImageRef) -> ImageSummary {
        match reference {
            ImageRef::Id(id) => self.image(id),
            ImageRef::Parameter(_) | ImageRef::Unset => summarise_reference(self.inventory, reference),
        }
    }

    /// The Auto Scaling group that an instance is in.
    pub fn group_of(&self, instance: &Instance) -> Option<&'a AutoScalingGroup> {
        self.group_of_instance.get(&instance.id).copied()
    }

    /// The instances of a group that were read; one that ended between two calls is not among them.
    pub fn instances_of(&self, group: &AutoScalingGroup) -> &[&'a Instance] {
        self.instances_of_group.get(group.name.as_str()).map_or(&[], Vec::as_slice)
    }

    /// Whether a template belongs to EKS because a managed node group's Auto Scaling group launches from it.
    pub fn is_eks_template(&self, id: &TemplateId) -> bool {
        self.eks_templates.contains(id)
    }

    /// What a group is to a cluster, by its tags or by a node in it; nothing where it is to none, unless it is asked
    /// about all the same.
    pub fn role(&self, group: &'a AutoScalingGroup) -> Option<Role<'a>> {
        if let Some(node_group) = self.node_group_of_group.get(group.name.as_str()) {
            return Some(Role::Managed(node_group));
        }
        let by_node = || self.instances_of(group).iter().find_map(|instance| instance.tags.cluster());
        let cluster = group.tags.cluster().or_else(by_node).or_else(|| self.autoscaler_cluster(&group.tags));
        (cluster.is_some() || self.inventory.others.groups.contains(&group.name))
            .then_some(Role::SelfManaged(cluster))
    }

    fn autoscaler_cluster(&self, tags: &'a Tags) -> Option<&'a str> {
        tags.autoscaler_clusters().find(|name| self.clusters.contains_key(name))
    }

    fn templates_of_managed_groups(&self) -> HashSet<&'a TemplateId> {
        self.inventory
            .auto_scaling_groups
            .iter()
            .filter(|group| self.node_group_of_group.contains_key(group.name.as_str()))
            .flat_map(|group| group.launch.templates())
            .filter_map(|reference: &TemplateRef| self.inventory.template(reference))
            .map(|template| &template.id)
            .collect()
    }
}

fn members<'a>(
    inventory: &'a Inventory,
    groups: &HashMap<&'a str, &'a AutoScalingGroup>,
) -> HashMap<&'a InstanceId, &'a AutoScalingGroup> {
    let tagged = inventory.instances.iter().filter_map(|instance| {
        Some((&instance.id, *groups.get(instance.tags.get("aws:autoscaling:groupName")?)?))
    });
    let listed = inventory
        .auto_scaling_groups
        .iter()
        .flat_map(|group| group.instances.iter().map(move |instance| (instance, group)));
    tagged.chain(listed).collect()
}

/// EKS names the groups of a node group; where it could not be asked, the groups' own tags do.
fn node_groups_by_group<'a>(
    inventory: &'a Inventory,
    node_groups: &HashMap<(&'a str, &'a str), &'a NodeGroup>,
) -> HashMap<&'a str, &'a NodeGroup> {
    let tagged = inventory.auto_scaling_groups.iter().filter_map(|group| {
        let key = (group.tags.cluster()?, group.tags.node_group()?);
        Some((group.name.as_str(), *node_groups.get(&key)?))
    });
    let named = inventory.node_groups.iter().flat_map(|node_group| {
        node_group.auto_scaling_groups.iter().map(move |name| (name.as_str(), node_group))
    });
    tagged.chain(named).collect()
}
