//! Reads one account in one Region: as little as possible, and side by side.
//!
//! First the clusters, the Auto Scaling groups and the tagged instances. If these show no trace of EKS and
//! no policy asks for more, that is all. At the first trace, while they are still being listed, what launches the
//! next nodes: templates and account defaults. As soon as a cluster is known, its node groups. Then what these name:
//! versions in use, launch configurations, instances; last the images of all that. Where all instances are asked
//! for, all are listed in place of the tagged ones, and every group is followed as those of clusters are.
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

use futures::FutureExt;
use tokio::task::JoinSet;

use self::eks::Eks;
use self::groups::{Groups, Whose};
use self::instances::Instances;
use self::reader::Reader;
use self::templates::Templates;
use self::traces::{Lookout, Verdict};
use super::account::Account;
use super::operations::{DESCRIBE_AUTO_SCALING_GROUPS, DESCRIBE_INSTANCES, LIST_CLUSTERS};
use crate::model::{
    AccountDefaults, Asked, Coverage, CoverageStatus, ImageId, ImageRef, InstanceId, Inventory,
    LaunchConfiguration, LaunchTemplate, Needs, Others, Read, Scope, TemplateId, TemplateRef,
};

impl Account {
    /// Reads one Region of this account, as far as is `asked`.
    ///
    /// It does not fail: what could not be read is in the inventory's coverage. Dropping the future stops
    /// the reading, and leaves nothing behind.
    pub async fn collect(&self, scope: &Scope, asked: &Asked) -> Inventory {
        // A task of its own, since taking answers apart is work: Regions share the processors then.
        let mut task = JoinSet::new();
        let (account, scope, asked) = (self.clone(), scope.clone(), asked.clone());
        task.spawn(async move { account.read(&scope, &asked).await });
        match task.join_next().await {
            Some(Ok(inventory)) => inventory,
            Some(Err(failed)) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
            // The runtime is about to end, and this with it.
            Some(Err(_)) | None => std::future::pending().await,
        }
    }

    async fn read(&self, scope: &Scope, asked: &Asked) -> Inventory {
        let reader = Reader::new(scope, self.regional(&scope.region));
        let coverage = Coverage::complete(scope).guarded(self.guard);
        let mut inventory = Inventory::empty(scope.clone(), coverage);
        // On the heap: the state of all these calls together is large.
        Box::pin(fill(&reader, asked, &mut inventory)).await;
        inventory.coverage.instances = asked.needs.breadth();
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

async fn fill(reader: &Reader<'_>, asked: &Asked, inventory: &mut Inventory) {
    let needs = asked.needs;
    let (lookout, verdict) = traces::lookout();
    let (eks, (mut found, others), launches) = futures::join!(
        Box::pin(eks::read(reader, lookout.clone())),
        Box::pin(Found::list(reader, asked, lookout)),
        Box::pin(launches(reader, needs, verdict)),
    );
    inventory.traces = eks.any || !found.nodes.is_empty() || found.groups.have_traces();
    inventory.account_defaults = launches.account_defaults;
    found.eks = eks;
    found.templates = launches.templates;
    if inventory.traces || others || needs.templates || needs.account_defaults {
        Box::pin(found.complete(reader, asked)).await;
        Box::pin(found.read_images(reader, needs, inventory)).await;
    }
    found.move_into(inventory);
}

/// What decides how the next instances are launched.
struct Launches {
    templates: Templates,
    account_defaults: Read<AccountDefaults>,
}

/// Reads what decides how instances are launched, as soon as it is known to be wanted.
async fn launches(reader: &Reader<'_>, needs: Needs, verdict: Verdict) -> Launches {
    let found = verdict.reached().shared();
    let templates = async {
        let wanted = needs.templates || found.clone().await;
        if wanted { templates::read(reader).await } else { Templates::default() }
    };
    let account_defaults = async {
        let wanted = needs.templates || needs.account_defaults || found.clone().await;
        if wanted { instances::account_defaults(reader).await } else { Read::NotAsked }
    };
    let (templates, account_defaults) = futures::join!(Box::pin(templates), Box::pin(account_defaults));
    Launches { templates, account_defaults }
}

/// What was found so far.
#[derive(Debug, Default)]
struct Found {
    eks: Eks,
    groups: Groups,
    instances: Instances,
    /// Those of the instances that are nodes.
    nodes: BTreeSet<InstanceId>,
    templates: Templates,
    configurations: BTreeMap<String, LaunchConfiguration>,
}

impl Found {
    /// Lists groups and instances; and says whether there is something of no cluster that is asked for.
    async fn list(reader: &Reader<'_>, asked: &Asked, lookout: Lookout) -> (Self, bool) {
        let all = asked.needs.instances;
        let (groups, instances) = futures::join!(
            Box::pin(groups::read(reader, all, &lookout)),
            Box::pin(instances::listed(reader, all, &lookout)),
        );
        let nodes = instances.values().filter(|instance| traces::are_in(&instance.tags));
        let nodes = nodes.map(|node| node.id.clone()).collect();
        let mut found = Self { groups, instances, nodes, ..Self::default() };
        let others = found.have_others(reader, asked).await;
        lookout.tell(others);
        (found, others)
    }

    /// Whether there is something of no cluster that is asked for. An instance that is asked for by its id and is no
    /// node is read for that.
    async fn have_others(&mut self, reader: &Reader<'_>, asked: &Asked) -> bool {
        if asked.needs.instances {
            return !self.instances.is_empty() || !self.groups.all.is_empty();
        }
        let Some(name) = &asked.named else { return false };
        let id = InstanceId::from(name.as_str());
        if instances::is_id(name) && !self.instances.contains_key(&id) {
            let (named, _) = instances::of_ids(reader, vec![name.clone()]).await;
            self.instances.extend(named);
        }
        self.instances.contains_key(&id) || self.groups.all.iter().any(|group| group.model.name == *name)
    }

    /// Follows what was found: from groups to their instances, and to what they launch from.
    async fn complete(&mut self, reader: &Reader<'_>, asked: &Asked) {
        self.eks.infer_from(&self.groups);
        self.groups.relate(&self.nodes, &self.eks);
        if asked.needs.instances {
            self.groups.want_all();
        } else if let Some(name) = &asked.named {
            let group = self.instances.get(&InstanceId::from(name.as_str())).and_then(instances::group_of);
            self.groups.want(name, group, &self.templates);
        }
        let known: BTreeSet<InstanceId> = self.instances.keys().cloned().collect();
        let references: Vec<TemplateRef> =
            self.references().chain(self.groups.templates(Whose::Others)).cloned().collect();
        let groups = &self.groups;
        let instances = async {
            // Where all instances are known, each of those in no cluster says which group it is in.
            let pools = groups.warm_pools(reader, !asked.needs.instances).await;
            let late = instances::of_ids(reader, groups.unread_instances(&pools, &known)).await;
            (pools, late)
        };
        let ((), configurations, (pools, (late, all))) = futures::join!(
            Box::pin(self.templates.add_in_use(reader, references.iter())),
            Box::pin(groups::configurations(reader, groups)),
            Box::pin(instances),
        );
        self.configurations = configurations;
        self.groups.add_instances(pools);
        self.instances.extend(late);
        if all {
            self.groups.drop_instances_but(&self.instances.keys().cloned().collect());
        }
        self.nodes.extend(self.groups.staying().filter(|id| self.instances.contains_key(*id)).cloned());
    }

    /// Every template version that something of a cluster launches from: what its groups name, and what
    /// the user gave a managed node group, of which EKS launches a copy.
    fn references(&self) -> impl Iterator<Item = &TemplateRef> {
        let given = self.eks.node_groups.iter().filter_map(|group| group.template.as_ref());
        self.groups.templates(Whose::Clusters).chain(given)
    }

    async fn read_images(&self, reader: &Reader<'_>, needs: Needs, inventory: &mut Inventory) {
        let of_clusters = self.images_of_clusters();
        let of_templates = if needs.templates { self.images_of_templates() } else { BTreeSet::new() };
        let of_others = self.images_of(Whose::Others);
        let wanted = of_clusters.iter().chain(&of_templates).chain(&of_others).cloned().collect();
        let read = images::read(reader, &self.instances, &self.nodes, wanted).await;
        let alone = |of: BTreeSet<String>| -> BTreeSet<ImageId> {
            of.difference(&of_clusters).map(|id| id.as_str().into()).collect()
        };
        inventory.images = read.by_id;
        inventory.images_of_templates =
            alone(of_templates).difference(&read.told_by_others).cloned().collect();
        inventory.others.images = alone(of_others).union(&read.told_by_others).cloned().collect();
    }

    /// The images of nodes and of all that launches nodes.
    fn images_of_clusters(&self) -> BTreeSet<String> {
        let mut images = self.images_of(Whose::Clusters);
        let used: BTreeSet<_> = self
            .references()
            .filter_map(|reference| self.templates.get(reference))
            .map(|one| &one.id)
            .collect();
        // Templates that no group names: Karpenter's, which launches from them itself.
        let karpenters = self.templates.by_id.values();
        let karpenters = karpenters.filter(|template| !used.contains(&template.id) && is_for_nodes(template));
        images.extend(karpenters.flat_map(|template| self.images_of_template(template)));
        images
    }

    /// The images of templates by themselves.
    fn images_of_templates(&self) -> BTreeSet<String> {
        self.templates.by_id.values().flat_map(|template| self.images_of_template(template)).collect()
    }

    fn images_of_template(&self, template: &LaunchTemplate) -> impl Iterator<Item = String> {
        let others = self.versions_of_others();
        let versions = template.versions.values();
        let versions = versions.filter(|version| !others.contains(&(template.id.clone(), version.number)));
        versions.filter_map(|version| image_id(&version.image)).collect::<Vec<_>>().into_iter()
    }

    /// The images of instances, and of what their groups launch.
    fn images_of(&self, whose: Whose) -> BTreeSet<String> {
        let nodes = whose == Whose::Clusters;
        let instances = self.instances.values().filter(|one| self.nodes.contains(&one.id) == nodes);
        let mut images: BTreeSet<String> =
            instances.filter_map(|instance| instance.image.as_ref()).map(ToString::to_string).collect();
        images.extend(self.groups.override_images(whose));
        let names = self.groups.configuration_names(whose);
        let configured = names.iter().filter_map(|name| self.configurations.get(*name)?.image.as_ref());
        images.extend(configured.map(ToString::to_string));
        let references: Vec<&TemplateRef> = match whose {
            Whose::Clusters => self.references().collect(),
            Whose::Others => self.groups.templates(whose).collect(),
        };
        let versions = references
            .into_iter()
            .filter_map(|reference| self.templates.get(reference)?.version(reference.version));
        images.extend(versions.filter_map(|version| image_id(&version.image)));
        images
    }

    /// The versions of templates that are here only because a group of no cluster launches from them.
    fn versions_of_others(&self) -> BTreeSet<(TemplateId, i64)> {
        let numbers = |reference: &TemplateRef| {
            let template = self.templates.get(reference)?;
            Some((template, template.number(reference.version)))
        };
        let used: BTreeSet<_> =
            self.references().filter_map(numbers).map(|(template, number)| (&template.id, number)).collect();
        let others = self.groups.templates(Whose::Others).filter_map(numbers);
        others
            .filter(|(template, number)| {
                ![template.default_version, template.latest_version].contains(number)
                    && !used.contains(&(&template.id, *number))
            })
            .map(|(template, number)| (template.id.clone(), number))
            .collect()
    }

    /// What belongs to no cluster, but for the images, which are known by now.
    fn others(&self, images: BTreeSet<ImageId>) -> Others {
        let instances = self.instances.keys().filter(|id| !self.nodes.contains(*id)).cloned();
        let of_clusters = self.groups.configuration_names(Whose::Clusters);
        let configurations = self.groups.configuration_names(Whose::Others);
        Others {
            groups: self.groups.wanted().map(|group| group.model.name.clone()).collect(),
            instances: instances.collect(),
            launch_configurations: configurations.difference(&of_clusters).map(ToString::to_string).collect(),
            template_versions: self.versions_of_others(),
            images,
        }
    }

    fn move_into(mut self, inventory: &mut Inventory) {
        self.eks.sort();
        inventory.others = self.others(std::mem::take(&mut inventory.others.images));
        inventory.clusters = self.eks.clusters;
        inventory.node_groups = self.eks.node_groups;
        inventory.auto_scaling_groups = self.groups.all.into_iter().map(|group| group.model).collect();
        inventory.instances = self.instances.into_values().collect();
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
