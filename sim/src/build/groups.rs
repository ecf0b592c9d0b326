//! Auto Scaling groups that EKS does not manage.

use super::check;
use super::network::Network;
use super::nodes::{Order, cluster_tags, remove_tags, template_tags};
use super::templates::Resolved;
use super::{DAY, Outcome, RegionBuilder};
use crate::fleet::nodes::{GroupSpec, HookSpec, MixedSpec, TemplateUse, Transition, WarmPoolSpec};
use crate::ids;
use crate::world::{
    Group, GroupTag, InstanceId, InstanceState, LaunchSource, Launcher, Launching, LifecycleHook,
    MetadataOptions, MixedInstances, Override, Tags, TemplateSpecification, Turnover, WarmPool,
};

/// One way in which a group launches: the group itself, one of its overrides, or a version it had before.
struct Recipe {
    template: Option<Resolved>,
    launch_configuration: Option<String>,
    image: String,
    options: MetadataOptions,
    instance_type: String,
    key: String,
}

impl RegionBuilder<'_> {
    /// Adds a group with its nodes; they belong to a cluster where one is named.
    pub(super) fn add_group(&mut self, spec: &GroupSpec, cluster: Option<&str>) -> Outcome<()> {
        let place = format!("group {:?}", spec.name);
        if self.region.groups.contains_key(&spec.name) {
            return Err(self.problem(&place, "is described twice"));
        }
        let network = self.network(cluster.unwrap_or("default"));
        let (source, recipes) = self.recipes(spec, &place)?;
        let mut tags = spec.tags.clone();
        tags.insert("Name".to_owned(), spec.name.clone());
        if let Some(cluster) = cluster {
            tags.insert(format!("kubernetes.io/cluster/{cluster}"), "owned".to_owned());
            tags.insert("k8s.io/cluster-autoscaler/enabled".to_owned(), "true".to_owned());
        }
        remove_tags(&spec.without_tags, &mut tags);
        let mut instances = self.launch_older(spec, cluster, &network, &place)?;
        let current = spec.nodes.checked_sub(u32::try_from(instances.len()).unwrap_or(u32::MAX));
        let Some(current) = current else {
            return Err(self.problem(&place, "launched_from has more nodes than the group"));
        };
        instances.extend(self.launch_each(spec, &recipes, current, cluster, &network));
        self.drift(&spec.drift, instances.len(), &place)?;
        let warm_pool = spec
            .warm_pool
            .as_ref()
            .map(|pool| self.launch_warm_pool(spec, pool, &recipes[0], cluster, &network));
        check::rollout(spec).map_err(|message| self.problem(&place, message))?;
        let protected = instances[..spec.protected as usize].to_vec();
        let standby = instances[instances.len() - spec.standby as usize..].to_vec();
        let launching = Launching {
            profile: Some(profile(cluster)),
            instance_types: spec.instance_type.iter().cloned().collect(),
            tags: own_tags(spec, cluster),
            without_tags: spec.without_tags.clone(),
            ..network.launching()
        };
        let uuid = ids::uuid(&self.parts(&["group", &spec.name]));
        let resource = format!("autoScalingGroup:{uuid}:autoScalingGroupName/{}", spec.name);
        let group = Group {
            name: spec.name.clone(),
            arn: self.account.arn("autoscaling", self.name, &resource),
            source,
            min: spec.min.unwrap_or(0),
            max: spec.max.unwrap_or(spec.nodes.max(1) * 2),
            desired: spec.nodes,
            zones: network.zones,
            subnets: network.subnets,
            created: self.now - 300 * DAY,
            tags: tags.into_iter().map(|(key, value)| GroupTag { key, value, propagate: true }).collect(),
            instances,
            warm_pool,
            launching,
            hooks: spec.lifecycle_hooks.iter().map(hook).collect(),
            protected,
            standby,
            turnover: Turnover::default(),
            refreshes: Vec::new(),
            refresh_fails: spec.refresh_fails.clone(),
        };
        self.region.groups.insert(spec.name.clone(), group);
        Ok(())
    }

    fn recipes(&mut self, spec: &GroupSpec, place: &str) -> Outcome<(LaunchSource, Vec<Recipe>)> {
        match (&spec.template, &spec.launch_configuration, &spec.mixed) {
            (Some(template), None, None) => {
                let recipe = self.template_recipe(template, spec, "current", place)?;
                Ok((LaunchSource::Template(self.specification(template, place)?), vec![recipe]))
            }
            (None, Some(name), None) => {
                let Some(configuration) = self.region.launch_configurations.get(name) else {
                    return Err(self.problem(place, format!("there is no launch configuration {name:?}")));
                };
                let recipe = Recipe {
                    template: None,
                    launch_configuration: Some(name.clone()),
                    image: configuration.image.clone(),
                    options: configuration.metadata_options.unwrap_or_default(),
                    instance_type: configuration.instance_type.clone(),
                    key: "current".to_owned(),
                };
                Ok((LaunchSource::LaunchConfiguration(name.clone()), vec![recipe]))
            }
            (Some(template), None, Some(mixed)) => self.mixed_recipes(spec, template, mixed, place),
            _ => {
                Err(self.problem(place, "needs either template, perhaps with mixed, or launch_configuration"))
            }
        }
    }

    fn mixed_recipes(
        &mut self,
        spec: &GroupSpec,
        base: &TemplateUse,
        mixed: &MixedSpec,
        place: &str,
    ) -> Outcome<(LaunchSource, Vec<Recipe>)> {
        let by_type = mixed.overrides.iter().filter(|entry| entry.instance_type.is_some()).count();
        let by_needs = mixed.overrides.iter().filter(|entry| entry.requirements.is_some()).count();
        if mixed.overrides.is_empty()
            || by_type.max(by_needs) != mixed.overrides.len()
            || by_type.min(by_needs) > 0
        {
            let message = "mixed needs overrides that all have an instance_type, or all have requirements";
            return Err(self.problem(place, message));
        }
        let mut overrides = Vec::new();
        let mut recipes = Vec::new();
        for (index, entry) in mixed.overrides.iter().enumerate() {
            let used = entry.template.as_ref().unwrap_or(base);
            let mut recipe = self.template_recipe(used, spec, &format!("override {index}"), place)?;
            if let Some(instance_type) = &entry.instance_type {
                recipe.instance_type.clone_from(instance_type);
            }
            recipes.push(recipe);
            overrides.push(Override {
                instance_type: entry.instance_type.clone(),
                requirements: entry.requirements.clone(),
                template: match &entry.template {
                    Some(template) => Some(self.specification(template, place)?),
                    None => None,
                },
                weight: entry.weight,
            });
        }
        let source = LaunchSource::Mixed(MixedInstances {
            template: self.specification(base, place)?,
            overrides,
            on_demand_base: mixed.on_demand_base,
            on_demand_percent: mixed.on_demand_percent,
        });
        Ok((source, recipes))
    }

    fn specification(&self, wanted: &TemplateUse, place: &str) -> Outcome<TemplateSpecification> {
        let resolved = self.resolve(wanted, place)?;
        Ok(TemplateSpecification { id: resolved.id, name: resolved.name, version: wanted.version.clone() })
    }

    fn template_recipe(
        &self,
        wanted: &TemplateUse,
        spec: &GroupSpec,
        key: &str,
        place: &str,
    ) -> Outcome<Recipe> {
        let template = self.resolve(wanted, place)?;
        let Some(image) = template.data.resolved_image.clone() else {
            return Err(self.problem(
                place,
                format!("launch template {:?} version {} has no image", template.name, template.version),
            ));
        };
        Ok(Recipe {
            launch_configuration: None,
            image,
            options: template.data.metadata_options.unwrap_or_default(),
            instance_type: spec
                .instance_type
                .clone()
                .or_else(|| template.data.instance_type.clone())
                .unwrap_or_else(|| "m6i.large".to_owned()),
            key: key.to_owned(),
            template: Some(template),
        })
    }

    fn launch_older(
        &mut self,
        spec: &GroupSpec,
        cluster: Option<&str>,
        network: &Network,
        place: &str,
    ) -> Outcome<Vec<InstanceId>> {
        let mut launched = Vec::new();
        for older in &spec.launched_from {
            let Some(template) = &spec.template else {
                return Err(self.problem(place, "launched_from needs template"));
            };
            let wanted = TemplateUse { name: template.name.clone(), version: older.version.clone() };
            let key = format!("older {}", older.version);
            let recipe = self.template_recipe(&wanted, spec, &key, place)?;
            launched.extend(self.launch_recipe(spec, &recipe, older.count, cluster, network, 60));
        }
        Ok(launched)
    }

    /// Spreads nodes over the recipes, the first ones getting what is left over.
    fn launch_each(
        &mut self,
        spec: &GroupSpec,
        recipes: &[Recipe],
        nodes: u32,
        cluster: Option<&str>,
        network: &Network,
    ) -> Vec<InstanceId> {
        let shares = u32::try_from(recipes.len()).unwrap_or(1).max(1);
        let mut launched = Vec::new();
        for (index, recipe) in (0_u32..).zip(recipes) {
            let count = nodes / shares + u32::from(index < nodes % shares);
            launched.extend(self.launch_recipe(spec, recipe, count, cluster, network, 1));
        }
        launched
    }

    fn launch_warm_pool(
        &mut self,
        spec: &GroupSpec,
        pool: &WarmPoolSpec,
        recipe: &Recipe,
        cluster: Option<&str>,
        network: &Network,
    ) -> WarmPool {
        let mut launch = self.group_launch(spec, recipe, pool.nodes, cluster, network, 3);
        launch.key.push_str("/warm");
        launch.state = if pool.state == "Running" { InstanceState::Running } else { InstanceState::Stopped };
        let instances = self.launch(launch);
        WarmPool { state: pool.state.clone(), min_size: pool.min_size, instances }
    }

    fn launch_recipe(
        &mut self,
        spec: &GroupSpec,
        recipe: &Recipe,
        count: u32,
        cluster: Option<&str>,
        network: &Network,
        days: i64,
    ) -> Vec<InstanceId> {
        let launch = self.group_launch(spec, recipe, count, cluster, network, days);
        self.launch(launch)
    }

    fn group_launch<'r>(
        &self,
        spec: &GroupSpec,
        recipe: &'r Recipe,
        count: u32,
        cluster: Option<&str>,
        network: &'r Network,
        days: i64,
    ) -> Order<'r> {
        let mut tags = Tags::new();
        if let Some(template) = &recipe.template {
            tags.extend(template.data.tags.clone());
            template_tags(template, &mut tags);
        }
        tags.extend(own_tags(spec, cluster));
        remove_tags(&spec.without_tags, &mut tags);
        let launcher = match (&recipe.template, &recipe.launch_configuration) {
            (Some(template), _) => Launcher::Template {
                id: template.id.clone(),
                name: template.name.clone(),
                version: template.version,
            },
            (None, Some(name)) => Launcher::LaunchConfiguration(name.clone()),
            (None, None) => Launcher::Call,
        };
        Order {
            key: format!("{}/{}", spec.name, recipe.key),
            count,
            image: &recipe.image,
            instance_types: std::slice::from_ref(&recipe.instance_type),
            options: self.options_at_launch(recipe.options, &recipe.image),
            tags,
            launcher,
            network,
            profile: Some(profile(cluster)),
            state: InstanceState::Running,
            spot: false,
            operator: None,
            own_tag: None,
            days,
        }
    }
}

/// The tags of a group's instances that its template does not say.
fn own_tags(spec: &GroupSpec, cluster: Option<&str>) -> Tags {
    let mut tags = spec.tags.clone();
    tags.insert("Name".to_owned(), spec.name.clone());
    tags.insert("aws:autoscaling:groupName".to_owned(), spec.name.clone());
    if let Some(cluster) = cluster {
        cluster_tags(cluster, &mut tags);
        tags.insert("k8s.io/cluster-autoscaler/enabled".to_owned(), "true".to_owned());
    }
    tags
}

fn profile(cluster: Option<&str>) -> String {
    cluster.map_or_else(|| "web".to_owned(), |name| format!("{name}-node"))
}

fn hook(spec: &HookSpec) -> LifecycleHook {
    LifecycleHook {
        name: spec.name.clone(),
        terminating: spec.transition == Transition::Terminating,
        heartbeat_timeout: spec.heartbeat_timeout,
        default_result: spec.default_result.clone(),
    }
}
