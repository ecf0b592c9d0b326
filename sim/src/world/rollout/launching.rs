//! How a group gets new instances and gets rid of old ones.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::{self, Parts};
use crate::world::{
    Group, Instance, InstanceId, InstanceState, Launch, LaunchSource, Launcher, MetadataOptions, Place,
    Region, Switch, Tags, TemplateSpecification, Tokens, at_launch,
};

/// What the new instances of a group have, whatever they are launched from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Launching {
    /// `vpc-…`.
    pub vpc: String,
    /// The second number of their addresses.
    pub octet: u8,
    /// `sg-…`, where the template names none.
    pub security_group: String,
    /// The name of an instance profile, where the template names none.
    pub profile: Option<String>,
    /// Take the place of the template's type.
    pub instance_types: Vec<String>,
    /// Are they spot instances?
    pub spot: bool,
    /// In addition to the template's, and to those that EC2 puts on.
    pub tags: Tags,
    /// Tags that they do not have.
    pub without_tags: Vec<String>,
}

/// What came and went since the fleet was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turnover {
    /// Instances that are shutting down.
    pub leaving: Vec<InstanceId>,
    /// How many were terminated after their pods had been evicted.
    pub drained: u32,
    /// How many were terminated with their pods.
    pub undrained: u32,
}

impl Turnover {
    /// Was anything terminated?
    pub fn has_lost(&self) -> bool {
        self.drained > 0 || self.undrained > 0
    }
}

/// How an instance goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// Its pods were evicted before.
    Drained,
    /// Its pods went with it.
    Undrained,
}

/// Why EC2 launches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchFailure(pub String);

impl fmt::Display for LaunchFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One way in which a group launches: what it names itself, or one of its overrides.
struct Recipe {
    launcher: Launcher,
    image: String,
    options: MetadataOptions,
    instance_types: Vec<String>,
    tags: Tags,
    profile: Option<String>,
    security_group: Option<String>,
}

impl Recipe {
    /// Would an instance like this come out of it?
    fn makes(&self, instance: &Instance) -> bool {
        self.launcher == instance.launch.launcher
            && self.instance_types.iter().any(|one| one == instance.instance_type())
    }
}

impl Region {
    /// The instances of a group, in its order.
    pub fn members(&self, group: &Group) -> Vec<&Instance> {
        let wanted: BTreeSet<InstanceId> = group.instances.iter().copied().collect();
        self.instances.iter().filter(|instance| wanted.contains(&instance.id)).collect()
    }

    /// Those instances of a group that `source` would launch just so.
    pub fn matching(&self, group: &Group, source: &LaunchSource) -> Vec<InstanceId> {
        let recipes = self.recipes(group, source).unwrap_or_default();
        let members = self.members(group).into_iter();
        members.filter(|one| recipes.iter().any(|recipe| recipe.makes(one))).map(|one| one.id).collect()
    }

    /// Can anything be launched from `source`?
    ///
    /// # Errors
    /// What EC2 would say.
    pub fn launchable(&self, group: &Group, source: &LaunchSource) -> Result<(), LaunchFailure> {
        self.recipes(group, source).map(drop)
    }

    /// Launches into a group from `source`, which need not be what the group itself names. Several overrides get
    /// equally many instances.
    ///
    /// # Errors
    /// What EC2 says; then nothing was launched.
    pub fn launch_into(
        &mut self,
        group: &str,
        source: &LaunchSource,
        count: u32,
        now: i64,
    ) -> Result<Vec<InstanceId>, LaunchFailure> {
        let instances = self.launched(group, source, count, now)?;
        let ids: Vec<InstanceId> = instances.iter().map(|instance| instance.id).collect();
        self.instances.extend(instances);
        if let Some(into) = self.groups.get_mut(group) {
            into.instances.extend(&ids);
        }
        Ok(ids)
    }

    /// Launches others in the place of the instances in a group's warm pool. Where nothing can be launched, they stay.
    pub fn replace_warm_pool(&mut self, group: &str, source: &LaunchSource, now: i64) {
        let Some(pool) = self.groups.get(group).and_then(|group| group.warm_pool.clone()) else { return };
        let count = u32::try_from(pool.instances.len()).unwrap_or(u32::MAX);
        let Ok(mut instances) = self.launched(group, source, count, now) else { return };
        let old: BTreeSet<InstanceId> = pool.instances.iter().copied().collect();
        for instance in self.instances.iter_mut().filter(|instance| old.contains(&instance.id)) {
            instance.state = InstanceState::Terminated;
        }
        for instance in &mut instances {
            instance.state =
                if pool.state == "Running" { InstanceState::Running } else { InstanceState::Stopped };
        }
        let ids = instances.iter().map(|instance| instance.id).collect();
        self.instances.extend(instances);
        if let Some(pool) = self.groups.get_mut(group).and_then(|group| group.warm_pool.as_mut()) {
            pool.instances = ids;
        }
    }

    fn launched(
        &mut self,
        group: &str,
        source: &LaunchSource,
        count: u32,
        now: i64,
    ) -> Result<Vec<Instance>, LaunchFailure> {
        let Some(into) = self.groups.get(group) else { return Ok(Vec::new()) };
        let recipes = self.recipes(into, source)?;
        let members = self.members(into);
        let mut shares: Vec<u32> = recipes
            .iter()
            .map(|recipe| members.iter().filter(|one| recipe.makes(one)).map(|_| 1).sum())
            .collect();
        let mut counts = vec![0; recipes.len()];
        for _ in 0..count {
            let least = (0..shares.len()).min_by_key(|index| shares[*index]).unwrap_or(0);
            shares[least] += 1;
            counts[least] += 1;
        }
        let made = recipes.iter().zip(counts).filter(|(_, count)| *count > 0);
        let mut serial = self.serial;
        let mut instances = Vec::new();
        for (recipe, count) in made {
            serial += 1;
            instances.extend(self.instances_of(into, recipe, count, serial, now)?);
        }
        self.serial = serial;
        Ok(instances)
    }

    /// Terminates instances of a group. They are shutting down until [`Region::settle`].
    pub fn terminate_from(&mut self, group: &str, ids: &[InstanceId], farewell: Farewell) {
        let gone: BTreeSet<InstanceId> = ids.iter().copied().collect();
        let Some(group) = self.groups.get_mut(group) else { return };
        for list in [&mut group.instances, &mut group.protected, &mut group.standby] {
            list.retain(|id| !gone.contains(id));
        }
        let count = u32::try_from(gone.len()).unwrap_or(u32::MAX);
        match farewell {
            Farewell::Drained => group.turnover.drained += count,
            Farewell::Undrained => group.turnover.undrained += count,
        }
        group.turnover.leaving.extend(ids);
        for instance in self.instances.iter_mut().filter(|instance| gone.contains(&instance.id)) {
            instance.state = InstanceState::ShuttingDown;
        }
    }

    /// A while later: what was shutting down in a group is terminated, what was pending runs.
    pub fn settle(&mut self, group: &str) {
        let Some(group) = self.groups.get_mut(group) else { return };
        let leaving: BTreeSet<InstanceId> = group.turnover.leaving.drain(..).collect();
        let members: BTreeSet<InstanceId> = group.instances.iter().copied().collect();
        for instance in &mut self.instances {
            if leaving.contains(&instance.id) {
                instance.state = InstanceState::Terminated;
            } else if instance.state == InstanceState::Pending && members.contains(&instance.id) {
                instance.state = InstanceState::Running;
            }
        }
    }

    fn recipes(&self, group: &Group, source: &LaunchSource) -> Result<Vec<Recipe>, LaunchFailure> {
        match source {
            LaunchSource::Template(template) => Ok(vec![self.template_recipe(group, template, None)?]),
            LaunchSource::LaunchConfiguration(name) => Ok(vec![self.configuration_recipe(name)?]),
            LaunchSource::Mixed(policy) if policy.overrides.is_empty() => {
                Ok(vec![self.template_recipe(group, &policy.template, None)?])
            }
            LaunchSource::Mixed(policy) => {
                let each = policy.overrides.iter().map(|entry| {
                    let template = entry.template.as_ref().unwrap_or(&policy.template);
                    self.template_recipe(group, template, entry.instance_type.as_deref())
                });
                each.collect()
            }
        }
    }

    fn template_recipe(
        &self,
        group: &Group,
        wanted: &TemplateSpecification,
        instance_type: Option<&str>,
    ) -> Result<Recipe, LaunchFailure> {
        let gone = |what: String| {
            LaunchFailure(format!("You must use a valid fully-formed launch template. {what}"))
        };
        let Some(template) = self.templates.get(&wanted.id) else {
            return Err(gone(format!(
                "The specified launch template, with template ID {}, does not exist.",
                wanted.id
            )));
        };
        let number = template.number_of(&wanted.version);
        let Some((version, data)) =
            number.and_then(|number| Some((number, &template.versions.get(&number)?.data)))
        else {
            return Err(gone(format!(
                "Could not find the specified version {} for the launch template with ID {}.",
                wanted.version, wanted.id
            )));
        };
        let Some(image) = data.resolved_image.clone() else {
            return Err(gone("The request must contain the parameter ImageId".to_owned()));
        };
        let own_types = match instance_type {
            Some(one) => vec![one.to_owned()],
            None => group.launching.instance_types.clone(),
        };
        Ok(Recipe {
            launcher: Launcher::Template { id: template.id.clone(), name: template.name.clone(), version },
            image,
            options: data.metadata_options.unwrap_or_default(),
            instance_types: match (own_types.is_empty(), &data.instance_type) {
                (false, _) => own_types,
                (true, Some(one)) => vec![one.clone()],
                (true, None) => vec!["m6i.large".to_owned()],
            },
            tags: data.tags.clone(),
            profile: data.profile_name().map(str::to_owned),
            security_group: data.security_groups.first().cloned(),
        })
    }

    fn configuration_recipe(&self, name: &str) -> Result<Recipe, LaunchFailure> {
        let Some(configuration) = self.launch_configurations.get(name) else {
            return Err(LaunchFailure(format!("Launch configuration {name} does not exist.")));
        };
        Ok(Recipe {
            launcher: Launcher::LaunchConfiguration(name.to_owned()),
            image: configuration.image.clone(),
            options: configuration.metadata_options.unwrap_or_default(),
            instance_types: vec![configuration.instance_type.clone()],
            tags: Tags::new(),
            profile: configuration.profile.clone(),
            security_group: configuration.security_groups.first().cloned(),
        })
    }

    /// One launch into a group; `serial` makes its ids different from those of every other.
    fn instances_of(
        &self,
        group: &Group,
        recipe: &Recipe,
        count: u32,
        serial: u64,
        now: i64,
    ) -> Result<Vec<Instance>, LaunchFailure> {
        let image = self.images.get(&recipe.image).filter(|image| image.status.can_launch());
        let Some(image) = image else {
            return Err(LaunchFailure(format!("The image id '[{}]' does not exist", recipe.image)));
        };
        let options = at_launch(recipe.options, &self.account_defaults, image.imds_v2);
        let enforced = self.account_defaults.http_tokens_enforced == Some(Switch::Enabled);
        if enforced && options.http_tokens == Tokens::Optional {
            return Err(LaunchFailure(
                "You can't launch instances with IMDSv1 because httpTokensEnforced is enabled for this account."
                    .to_owned(),
            ));
        }
        let key = serial.to_string();
        let instances = Parts::of(&[&group.arn, "launch", &key]);
        let launch = Arc::new(launch(group, recipe));
        let each = (0..count).map(|index| {
            let number = instances.and(&index.to_string());
            let reservation = Instance::reservation_of(index).to_string();
            let [.., third, fourth] = number.number().to_be_bytes();
            Instance {
                id: InstanceId(number.ec2("i")),
                reservation: Parts::of(&[&group.arn, "reservation", &key, &reservation]).ec2("r"),
                index,
                launch: Arc::clone(&launch),
                launched: now,
                address: [third, fourth.clamp(4, 254)],
                state: InstanceState::Pending,
                options,
                settling: 0,
            }
        });
        Ok(each.collect())
    }
}

fn launch(group: &Group, recipe: &Recipe) -> Launch {
    let common = &group.launching;
    let mut tags = recipe.tags.clone();
    if let Launcher::Template { id, version, .. } = &recipe.launcher {
        tags.insert("aws:ec2launchtemplate:id".to_owned(), id.clone());
        tags.insert("aws:ec2launchtemplate:version".to_owned(), version.to_string());
    }
    tags.extend(common.tags.clone());
    tags.retain(|key, _| !common.without_tags.contains(key));
    let places = group.zones.iter().zip(&group.subnets);
    Launch {
        image: recipe.image.clone(),
        instance_types: recipe.instance_types.clone(),
        places: places.map(|(zone, subnet)| Place { zone: zone.clone(), subnet: subnet.clone() }).collect(),
        vpc: common.vpc.clone(),
        octet: common.octet,
        security_group: recipe.security_group.clone().unwrap_or_else(|| common.security_group.clone()),
        profile: recipe.profile.clone().or_else(|| common.profile.clone()),
        tags,
        own_tag: None,
        launcher: recipe.launcher.clone(),
        spot: common.spot,
        operator: None,
    }
}

/// How Kubernetes calls the node on an instance.
pub fn node_name(instance: &Instance) -> String {
    let region = instance.zone().trim_end_matches(|letter: char| letter.is_ascii_lowercase());
    let domain = if region == "us-east-1" { "ec2".to_owned() } else { format!("{region}.compute") };
    format!("ip-{}.{domain}.internal", instance.private_ip('-'))
}

/// The id of something that a resource does, the `number`th of its kind.
pub fn id_of(resource: &str, kind: &str, number: usize) -> String {
    ids::uuid(&[resource, kind, &number.to_string()])
}
