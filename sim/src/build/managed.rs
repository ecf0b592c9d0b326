//! Managed node groups: the template that EKS owns, and the group that launches from it.

use std::collections::BTreeMap;

use super::catalogue;
use super::check;
use super::network::Network;
use super::nodes::{Order, cluster_tags, remove_tags, template_tags};
use super::templates::Resolved;
use super::{DAY, Outcome, RegionBuilder};
use crate::fleet::nodes::{ClusterSpec, NodeGroupSpec, TemplateUse};
use crate::ids;
use crate::world::{
    CopyFor, Group, GroupTag, InstanceId, InstanceState, LaunchSource, LaunchTemplate, Launcher, Launching,
    NodeGroup, ScalingConfig, Tags, TemplateData, TemplateReference, TemplateSpecification, TemplateVersion,
    Turnover, copy_data,
};

/// What the user's side of a node group comes to.
struct Plan {
    /// The user's template version, for each version of EKS's copy; the last is the present one.
    sources: Vec<Option<Resolved>>,
    ami_type: String,
    /// The image of the catalogue, where EKS chooses it.
    image: Option<String>,
    release_version: String,
}

impl RegionBuilder<'_> {
    pub(super) fn add_node_group(
        &mut self,
        cluster: &ClusterSpec,
        spec: &NodeGroupSpec,
        network: &Network,
    ) -> Outcome<NodeGroup> {
        let place = format!("cluster {:?}, node group {:?}", cluster.name, spec.name);
        check::eks_name(&spec.name).map_err(|message| self.problem(&place, message))?;
        check::update_fails(spec).map_err(|message| self.problem(&place, message))?;
        let plan = self.plan(cluster, spec, &place)?;
        let uuid = ids::uuid(&self.parts(&["node group", &cluster.name, &spec.name]));
        let group_name = format!("eks-{}-{uuid}", spec.name);
        let copies = self.copies(cluster, spec, &plan, &uuid)?;
        let instances = self.launch_managed(cluster, spec, &plan, &copies, &group_name, network, &place)?;
        self.drift(&spec.drift, instances.len(), &place)?;
        let scaling = ScalingConfig {
            min: spec.min.unwrap_or(0),
            max: spec.max.unwrap_or(spec.nodes.max(1) * 2),
            desired: spec.nodes,
        };
        self.add_managed_group(cluster, spec, &copies, &group_name, scaling, network, instances);
        if !spec.eks_copy_deleted {
            self.add_copy(cluster, spec, &copies);
        }
        let copy = copies.last().map(reference).unwrap_or_default();
        Ok(self.node_group(cluster, spec, plan, &uuid, scaling, network, group_name, copy))
    }

    fn plan(&mut self, cluster: &ClusterSpec, spec: &NodeGroupSpec, place: &str) -> Outcome<Plan> {
        let kubernetes = spec.version.as_ref().unwrap_or(&cluster.version);
        let mut sources = Vec::new();
        if let Some(template) = &spec.template {
            for older in &spec.launched_from {
                let wanted = TemplateUse { name: template.name.clone(), version: older.version.clone() };
                sources.push(Some(self.resolve(&wanted, place)?));
            }
            sources.push(Some(self.resolve(template, place)?));
        } else if spec.launched_from.is_empty() {
            sources.push(None);
        } else {
            return Err(self.problem(place, "launched_from needs template"));
        }
        let custom = sources.iter().flatten().find_map(|source| source.data.resolved_image.clone());
        if let Some(image) = custom {
            if spec.ami_type.as_deref().is_some_and(|ami_type| ami_type != "CUSTOM") {
                return Err(self.problem(place, "the template names an image: ami_type can only be CUSTOM"));
            }
            return Ok(Plan { sources, ami_type: "CUSTOM".to_owned(), image: None, release_version: image });
        }
        let ami_type = spec.ami_type.clone().unwrap_or_else(|| "AL2023_x86_64_STANDARD".to_owned());
        let Some(image) = catalogue::of_ami_type(&ami_type, kubernetes, spec.release.as_deref()) else {
            return Err(self.problem(place, format!("{ami_type:?} is not an AMI type of the catalogue")));
        };
        let Some(published) = catalogue::published(&image, self.name) else {
            return Err(self.problem(place, format!("there is no image {image:?}")));
        };
        Ok(Plan { sources, ami_type, image: Some(image), release_version: published.release_version })
    }

    /// EKS's own template, one version for each version of the user's that the group ever had.
    fn copies(
        &mut self,
        cluster: &ClusterSpec,
        spec: &NodeGroupSpec,
        plan: &Plan,
        uuid: &str,
    ) -> Outcome<Vec<Resolved>> {
        let name = format!("eks-{uuid}");
        let id = ids::ec2("lt", &self.parts(&[&name]));
        let mut copies = Vec::with_capacity(plan.sources.len());
        for (version, source) in (1_u64..).zip(&plan.sources) {
            let data = self.copy_data(cluster, spec, plan, source.as_ref(), &name)?;
            copies.push(Resolved { id: id.clone(), name: name.clone(), version, data });
        }
        Ok(copies)
    }

    fn copy_data(
        &mut self,
        cluster: &ClusterSpec,
        spec: &NodeGroupSpec,
        plan: &Plan,
        source: Option<&Resolved>,
        profile: &str,
    ) -> Outcome<TemplateData> {
        let image = match &plan.image {
            Some(reference) => Some(self.image(reference)?.id),
            None => None,
        };
        let to = CopyFor {
            cluster: &cluster.name,
            node_group: &spec.name,
            ami_type: &plan.ami_type,
            image: image.as_deref(),
            profile: Some(profile),
            security_groups: &[ids::ec2("sg", &self.parts(&[&cluster.name]))],
        };
        Ok(copy_data(source.map(|source| &source.data), to))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one call, each argument is another side of the node group"
    )]
    fn launch_managed(
        &mut self,
        cluster: &ClusterSpec,
        spec: &NodeGroupSpec,
        plan: &Plan,
        copies: &[Resolved],
        group: &str,
        network: &Network,
        place: &str,
    ) -> Outcome<Vec<InstanceId>> {
        let older: u32 = spec.launched_from.iter().map(|older| older.count).sum();
        let Some(current) = spec.nodes.checked_sub(older) else {
            return Err(self.problem(place, "launched_from has more nodes than the group"));
        };
        let counts = spec.launched_from.iter().map(|older| (older.count, 40)).chain([(current, 1)]);
        let mut launched = Vec::new();
        for (copy, (count, days)) in copies.iter().zip(counts) {
            let Some(image) = copy.data.resolved_image.clone() else {
                return Err(
                    self.problem(place, format!("the template has no image, and {} none", plan.ami_type))
                );
            };
            let launch = Order {
                key: format!("{group}/{}", copy.version),
                count,
                image: &image,
                instance_types: &types_of(spec, copy),
                options: self.options_at_launch(copy.data.metadata_options.unwrap_or_default(), &image),
                tags: node_tags(cluster, spec, copy, group),
                launcher: Launcher::Template {
                    id: copy.id.clone(),
                    name: copy.name.clone(),
                    version: copy.version,
                },
                network,
                profile: copy.data.profile.clone(),
                state: InstanceState::Running,
                spot: spec.spot,
                operator: None,
                own_tag: None,
                days,
            };
            launched.extend(self.launch(launch));
        }
        Ok(launched)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one call, each argument is another side of the node group"
    )]
    fn add_managed_group(
        &mut self,
        cluster: &ClusterSpec,
        spec: &NodeGroupSpec,
        copies: &[Resolved],
        name: &str,
        scaling: ScalingConfig,
        network: &Network,
        instances: Vec<InstanceId>,
    ) {
        let Some(copy) = copies.last() else { return };
        let uuid = ids::uuid(&self.parts(&["group", name]));
        let resource = format!("autoScalingGroup:{uuid}:autoScalingGroupName/{name}");
        let mut tags = Tags::new();
        tags.insert("eks:cluster-name".to_owned(), cluster.name.clone());
        tags.insert("eks:nodegroup-name".to_owned(), spec.name.clone());
        tags.insert("k8s.io/cluster-autoscaler/enabled".to_owned(), "true".to_owned());
        tags.insert(format!("k8s.io/cluster-autoscaler/{}", cluster.name), "owned".to_owned());
        tags.insert(format!("kubernetes.io/cluster/{}", cluster.name), "owned".to_owned());
        let group = Group {
            name: name.to_owned(),
            arn: self.account.arn("autoscaling", self.name, &resource),
            source: LaunchSource::Template(TemplateSpecification {
                id: copy.id.clone(),
                name: copy.name.clone(),
                version: copy.version.to_string(),
            }),
            min: scaling.min,
            max: scaling.max,
            desired: scaling.desired,
            zones: network.zones.clone(),
            subnets: network.subnets.clone(),
            created: self.now - 250 * DAY,
            tags: tags.into_iter().map(|(key, value)| GroupTag { key, value, propagate: true }).collect(),
            instances,
            warm_pool: None,
            launching: launching(cluster, spec, copy, name, network),
            hooks: Vec::new(),
            protected: Vec::new(),
            standby: Vec::new(),
            turnover: Turnover::default(),
            refreshes: Vec::new(),
            refresh_fails: None,
        };
        self.region.groups.insert(name.to_owned(), group);
    }

    fn add_copy(&mut self, cluster: &ClusterSpec, spec: &NodeGroupSpec, copies: &[Resolved]) {
        let Some(first) = copies.first() else { return };
        let author = format!(
            "arn:{}:sts::{}:assumed-role/AWSServiceRoleForAmazonEKSNodegroup/EKS",
            self.account.partition, self.account.id
        );
        let created = self.now - 250 * DAY;
        let versions: BTreeMap<u64, TemplateVersion> = copies
            .iter()
            .map(|copy| {
                let number = copy.version;
                let later = i64::try_from(number).unwrap_or(1) * DAY;
                let version = TemplateVersion {
                    number,
                    description: None,
                    created: created + later,
                    created_by: author.clone(),
                    data: copy.data.clone(),
                };
                (number, version)
            })
            .collect();
        let template = LaunchTemplate {
            id: first.id.clone(),
            name: first.name.clone(),
            created,
            created_by: author,
            // EKS numbers its versions in the group and leaves the default where it was.
            default_version: 1,
            last_number: versions.keys().next_back().copied().unwrap_or(0),
            versions,
            tags: Tags::from([
                ("eks:cluster-name".to_owned(), cluster.name.clone()),
                ("eks:nodegroup-name".to_owned(), spec.name.clone()),
            ]),
            operator: None,
        };
        self.region.templates.insert(first.id.clone(), template);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one call, each argument is another side of the node group"
    )]
    fn node_group(
        &self,
        cluster: &ClusterSpec,
        spec: &NodeGroupSpec,
        mut plan: Plan,
        uuid: &str,
        scaling: ScalingConfig,
        network: &Network,
        group: String,
        copy: TemplateReference,
    ) -> NodeGroup {
        let template = plan.sources.pop().flatten();
        let typed = template.as_ref().is_some_and(|template| template.data.instance_type.is_some());
        let custom = plan.ami_type == "CUSTOM";
        let resource = format!("nodegroup/{}/{}/{uuid}", cluster.name, spec.name);
        NodeGroup {
            name: spec.name.clone(),
            arn: self.account.arn("eks", self.name, &resource),
            version: (!custom).then(|| spec.version.clone().unwrap_or_else(|| cluster.version.clone())),
            release_version: plan.release_version,
            ami_type: plan.ami_type,
            status: spec.status.clone().unwrap_or_else(|| "ACTIVE".to_owned()),
            capacity_type: if spec.spot { "SPOT" } else { "ON_DEMAND" }.to_owned(),
            created: self.now - 250 * DAY,
            scaling,
            instance_types: if typed { Vec::new() } else { default_types(spec) },
            subnets: network.subnets.clone(),
            node_role: format!(
                "arn:{}:iam::{}:role/{}-node",
                self.account.partition, self.account.id, cluster.name
            ),
            labels: spec.labels.clone(),
            tags: spec.tags.clone(),
            template: template.as_ref().map(reference),
            group,
            health: spec.health.clone(),
            copy,
            updates: Vec::new(),
            blocks_eviction: spec.blocks_eviction,
            update_fails: spec.update_fails.clone(),
        }
    }
}

fn default_types(spec: &NodeGroupSpec) -> Vec<String> {
    if spec.instance_types.is_empty() { vec!["m6i.large".to_owned()] } else { spec.instance_types.clone() }
}

fn types_of(spec: &NodeGroupSpec, copy: &Resolved) -> Vec<String> {
    copy.data.instance_type.clone().map_or_else(|| default_types(spec), |one| vec![one])
}

fn node_tags(cluster: &ClusterSpec, spec: &NodeGroupSpec, copy: &Resolved, group: &str) -> Tags {
    let mut tags = copy.data.tags.clone();
    template_tags(copy, &mut tags);
    tags.extend(own_tags(cluster, group));
    remove_tags(&spec.without_tags, &mut tags);
    tags
}

/// The tags of a node that its template does not say.
fn own_tags(cluster: &ClusterSpec, group: &str) -> Tags {
    let mut tags = Tags::new();
    cluster_tags(&cluster.name, &mut tags);
    tags.insert("aws:autoscaling:groupName".to_owned(), group.to_owned());
    tags.insert("k8s.io/cluster-autoscaler/enabled".to_owned(), "true".to_owned());
    tags.insert(format!("k8s.io/cluster-autoscaler/{}", cluster.name), "owned".to_owned());
    tags
}

fn launching(
    cluster: &ClusterSpec,
    spec: &NodeGroupSpec,
    copy: &Resolved,
    group: &str,
    network: &Network,
) -> Launching {
    Launching {
        profile: copy.data.profile.clone(),
        instance_types: if copy.data.instance_type.is_some() { Vec::new() } else { default_types(spec) },
        spot: spec.spot,
        tags: own_tags(cluster, group),
        without_tags: spec.without_tags.clone(),
        ..network.launching()
    }
}

fn reference(template: &Resolved) -> TemplateReference {
    TemplateReference { id: template.id.clone(), name: template.name.clone(), version: template.version }
}
