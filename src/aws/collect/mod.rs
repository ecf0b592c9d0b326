//! Reads one account in one Region: as little as possible, and side by side.
//!
//! First the clusters, the Auto Scaling groups and the tagged instances. If these show no trace of EKS and
//! no policy asks for more, that is all. Else what launches the next nodes: templates, launch
//! configurations, account defaults; last the images of all that.
//!
//! There is no call per instance and none per template, but for a template of which a version is in use that
//! is neither default nor latest.

mod eks;
mod groups;
mod images;
mod instances;
mod reader;
mod templates;
mod traces;

use std::collections::{BTreeMap, BTreeSet};

use self::eks::Eks;
use self::groups::Groups;
use self::instances::Instances;
use self::reader::Reader;
use self::templates::Templates;
use super::account::Account;
use super::operations::{DESCRIBE_AUTO_SCALING_GROUPS, DESCRIBE_INSTANCES, LIST_CLUSTERS};
use crate::model::{
    Coverage, CoverageStatus, ImageId, ImageRef, InstanceId, Inventory, LaunchConfiguration, LaunchTemplate,
    Needs, Scope, TemplateRef,
};

impl Account {
    /// Reads one Region of this account.
    ///
    /// It does not fail: what could not be read is in the inventory's coverage. Dropping the future stops
    /// the reading, and leaves nothing behind.
    pub async fn collect(&self, scope: &Scope, needs: Needs) -> Inventory {
        let reader = Reader::new(scope, self.regional(&scope.region));
        let mut inventory = Inventory::empty(scope.clone(), Coverage::complete(scope));
        // On the heap: the state of all these calls together is large.
        Box::pin(fill(&reader, needs, &mut inventory)).await;
        inventory.coverage.status = status(&reader, &inventory);
        inventory.coverage.errors = reader.into_errors();
        inventory
    }
}

/// Failed if nothing of what shows clusters and nodes could be read; partial if anything failed.
fn status(reader: &Reader<'_>, inventory: &Inventory) -> CoverageStatus {
    let essential = [LIST_CLUSTERS, DESCRIBE_AUTO_SCALING_GROUPS, DESCRIBE_INSTANCES];
    let nothing = inventory.clusters.is_empty()
        && inventory.auto_scaling_groups.is_empty()
        && inventory.instances.is_empty();
    if nothing && essential.iter().all(|operation| reader.has_failed(*operation)) {
        CoverageStatus::Failed
    } else if reader.is_clean() {
        CoverageStatus::Complete
    } else {
        CoverageStatus::Partial
    }
}

async fn fill(reader: &Reader<'_>, needs: Needs, inventory: &mut Inventory) {
    let (clusters, groups, nodes) = futures::join!(
        Box::pin(eks::cluster_names(reader)),
        Box::pin(groups::read(reader)),
        Box::pin(instances::tagged(reader)),
    );
    let traces = !clusters.0.is_empty() || !nodes.is_empty() || groups.have_traces();
    inventory.traces = traces;
    let mut found = Found { groups, nodes, ..Found::default() };
    if traces || needs.templates || needs.account_defaults {
        let with_templates = traces || needs.templates;
        (found.eks, found.templates, inventory.account_defaults) = futures::join!(
            Box::pin(eks::clusters(reader, clusters)),
            Box::pin(templates_if(reader, with_templates)),
            Box::pin(instances::account_defaults(reader)),
        );
        Box::pin(found.complete(reader)).await;
        let images = found.images(needs);
        inventory.images_of_templates = found.images_of_templates(&images);
        inventory.images = Box::pin(images::read(reader, &found.nodes, images)).await;
    }
    found.move_into(inventory);
}

async fn templates_if(reader: &Reader<'_>, wanted: bool) -> Templates {
    if wanted { templates::read(reader).await } else { Templates::default() }
}

/// What was found so far.
#[derive(Debug, Default)]
struct Found {
    eks: Eks,
    groups: Groups,
    nodes: Instances,
    templates: Templates,
    configurations: BTreeMap<String, LaunchConfiguration>,
}

impl Found {
    /// Follows what was found: from groups to their instances, and to what they launch from.
    async fn complete(&mut self, reader: &Reader<'_>) {
        self.eks.infer_from(&self.groups);
        let known: BTreeSet<InstanceId> = self.nodes.keys().cloned().collect();
        self.groups.relate(&known, &self.eks);
        self.groups.add_warm_pools(reader).await;
        let unread = self.groups.unread_instances(&known);
        let references: Vec<TemplateRef> = self.references().cloned().collect();
        let ((), configurations, (late, all)) = futures::join!(
            Box::pin(self.templates.add_in_use(reader, references.iter())),
            Box::pin(groups::configurations(reader, &self.groups)),
            Box::pin(instances::of_ids(reader, unread)),
        );
        self.configurations = configurations;
        self.nodes.extend(late);
        if all {
            self.groups.drop_instances_but(&self.nodes.keys().cloned().collect());
        }
    }

    /// Every template version that something of a cluster launches from: what its groups name, and what
    /// the user gave a managed node group, of which EKS launches a copy.
    fn references(&self) -> impl Iterator<Item = &TemplateRef> {
        let given = self.eks.node_groups.iter().filter_map(|group| group.template.as_ref());
        self.groups.templates().chain(given)
    }

    /// The images of all that launches nodes, besides those of the nodes themselves.
    fn images(&self, needs: Needs) -> BTreeSet<String> {
        let mut images: BTreeSet<String> = self.groups.override_images().collect();
        let configured =
            self.configurations.values().filter_map(|configuration| configuration.image.as_ref());
        images.extend(configured.map(ToString::to_string));
        let mut used = BTreeSet::new();
        for reference in self.references() {
            let Some(template) = self.templates.get(reference) else { continue };
            used.insert(&template.id);
            images.extend(template.version(reference.version).and_then(|version| image_id(&version.image)));
        }
        // Templates that no group names: Karpenter's, which launches from them itself, and all if asked.
        let judged =
            self.templates.by_id.values().filter(|template| {
                needs.templates || (!used.contains(&template.id) && is_for_nodes(template))
            });
        for template in judged {
            images.extend(template.versions.values().filter_map(|version| image_id(&version.image)));
        }
        images
    }

    /// Of these images, those that are wanted for templates by themselves alone.
    fn images_of_templates(&self, images: &BTreeSet<String>) -> BTreeSet<ImageId> {
        let mut otherwise = self.images(Needs::default());
        let of_nodes = self.nodes.values().filter_map(|node| node.image.as_ref());
        otherwise.extend(of_nodes.map(ToString::to_string));
        images.difference(&otherwise).map(|id| id.as_str().into()).collect()
    }

    fn move_into(mut self, inventory: &mut Inventory) {
        self.eks.sort();
        inventory.clusters = self.eks.clusters;
        inventory.node_groups = self.eks.node_groups;
        inventory.auto_scaling_groups = self.groups.all.into_iter().map(|group| group.model).collect();
        inventory.instances = self.nodes.into_values().collect();
        inventory.templates_read = self.templates.complete;
        inventory.launch_templates = self.templates.by_id;
        inventory.launch_configurations = self.configurations;
    }
}

fn is_for_nodes(template: &LaunchTemplate) -> bool {
    template.name.starts_with("karpenter.k8s.aws/") || traces::are_in(&template.tags)
}

fn image_id(image: &ImageRef) -> Option<String> {
    match image {
        ImageRef::Id(id) => Some(id.to_string()),
        ImageRef::Unset | ImageRef::Parameter(_) => None,
    }
}
