//! What AWS makes of a plan: a small model of it, on inventories.
//!
//! It holds every step against the inventory that it finds, as AWS would: what is not as the plan says is a failure.

use std::collections::HashMap;

use super::*;
use crate::finding::Source;
use crate::model::{
    AutoScalingGroup, GroupLaunch, ImageId, ImageRef, Instance, OptionName, TemplateRef, VersionRef,
};
use crate::plan::{NamedVersion, Repoint, StepId, VersionChoice};
use crate::resolve::{Launch, imds_support};

/// An account in the making.
pub struct World {
    pub inventory: Inventory,
    made: HashMap<StepId, i64>,
}

impl World {
    pub fn new(inventory: &Inventory) -> Self {
        Self { inventory: inventory.clone(), made: HashMap::new() }
    }

    /// Carries out what is not blocked, in order.
    pub fn apply(mut self, plan: &ScopePlan) -> Inventory {
        let mut done: Vec<&StepId> = Vec::new();
        for step in plan.steps.iter().filter(|step| step.blocked.is_none()) {
            for first in &step.after {
                assert!(done.contains(&first), "{} is taken before {first}", step.id);
            }
            self.step(&step.id, &step.action);
            done.push(&step.id);
        }
        self.inventory
    }

    fn step(&mut self, id: &StepId, action: &Action) {
        match action {
            Action::CreateTemplateVersion { template, source, metadata, seen, may_create, .. } => {
                let template = self.inventory.launch_templates.get_mut(template).unwrap();
                let from = template.versions[source].clone();
                assert_eq!(from.metadata, seen.source_metadata);
                check(&from.metadata, metadata);
                let mut later = template.versions.range(source + 1..);
                let same =
                    |version: &TemplateVersion| version.metadata == *metadata && version.image == from.image;
                if let Some((number, _)) = later.find(|(_, version)| same(version)) {
                    self.made.insert(id.clone(), *number);
                    return;
                }
                assert!(may_create);
                let number = template.latest_version + 1;
                template.versions.insert(number, TemplateVersion { number, metadata: *metadata, ..from });
                template.latest_version = number;
                self.made.insert(id.clone(), number);
            }
            Action::SetDefaultVersion { template, from, to, .. } => {
                let to = self.number(to);
                let template = self.inventory.launch_templates.get_mut(template).unwrap();
                assert_eq!(template.default_version, *from);
                template.default_version = to;
            }
            Action::UpdateNodeGroup { cluster, node_group, template, to, seen, pin, .. } => {
                let to = self.number(to);
                let mut found = self.inventory.node_groups.iter_mut();
                let group = found.find(|one| one.cluster == *cluster && one.name == *node_group).unwrap();
                assert_eq!(group.status.as_deref(), Some("ACTIVE"));
                assert_eq!(pin.is_none(), group.ami_type.as_deref() == Some("CUSTOM"));
                let users = group.template.as_mut().unwrap();
                assert_eq!(
                    (users.id.as_ref(), users.version),
                    (Some(template), VersionRef::Number(seen.version))
                );
                users.version = VersionRef::Number(to);
                let asg = group.auto_scaling_groups[0].clone();
                self.copy_for_eks(&asg, &template.clone(), to);
                self.replace(&asg);
            }
            Action::UpdateAutoScalingGroup { group, repoint, .. } => self.repoint(group, repoint),
            Action::RefreshInstances { group, repoint, .. } => {
                let launch = &self.group(group).launch;
                for reference in references(launch) {
                    assert!(
                        matches!(reference.version, VersionRef::Number(_)),
                        "cannot be taken back: {launch:?}"
                    );
                }
                self.repoint(group, repoint);
                self.replace(group);
            }
            Action::ModifyInstance { instance, seen, metadata } => {
                let found = self.inventory.instances.iter_mut().find(|one| one.id == *instance).unwrap();
                assert_eq!(found.metadata, *seen);
                for option in
                    [OptionName::HttpTokens, OptionName::HttpPutResponseHopLimit, OptionName::HttpEndpoint]
                {
                    assert!(metadata.get(option).is_some());
                }
                check(seen, metadata);
                overlay(&mut found.metadata, metadata);
            }
            Action::ModifyAccountDefaults { seen, metadata } => {
                let Read::Known(defaults) = &mut self.inventory.account_defaults else { panic!() };
                assert_eq!(defaults, seen);
                overlay(&mut defaults.metadata, metadata);
            }
            Action::DeleteTemplateVersion { .. } | Action::RestoreAccountDefaults { .. } => {
                panic!("never planned")
            }
        }
    }

    fn number(&self, choice: &VersionChoice) -> i64 {
        match choice {
            VersionChoice::Existing(number) => *number,
            VersionChoice::MadeBy(step) => self.made[step],
        }
    }

    fn named(&self, version: &NamedVersion) -> VersionRef {
        match version {
            NamedVersion::Number(choice) => VersionRef::Number(self.number(choice)),
            NamedVersion::Latest => VersionRef::Latest,
            NamedVersion::Default => VersionRef::Default,
        }
    }

    fn group(&self, name: &str) -> &AutoScalingGroup {
        self.inventory.auto_scaling_groups.iter().find(|group| group.name == name).unwrap()
    }

    fn repoint(&mut self, name: &str, repoint: &[Repoint]) {
        let changes: Vec<_> =
            repoint.iter().map(|one| (&one.template, self.named(&one.from), self.named(&one.to))).collect();
        let groups = &mut self.inventory.auto_scaling_groups;
        let group = groups.iter_mut().find(|group| group.name == name).unwrap();
        assert!(!group.tags.contains("eks:nodegroup-name"), "the group of a node group is never written");
        for (template, from, to) in changes {
            let mut found = 0;
            for reference in references_mut(&mut group.launch) {
                if reference.id.as_ref() == Some(template) && reference.version == from {
                    reference.version = to;
                    found += 1;
                }
            }
            assert!(found > 0, "{name} does not name version {from} of {template}");
        }
    }

    fn copy_for_eks(&mut self, asg: &str, template: &crate::model::TemplateId, version: i64) {
        let users = self.inventory.launch_templates[template].versions[&version].clone();
        let groups = &mut self.inventory.auto_scaling_groups;
        let group = groups.iter_mut().find(|group| group.name == asg).unwrap();
        let GroupLaunch::Template(reference) = &mut group.launch else { panic!() };
        let copy = self.inventory.launch_templates.get_mut(reference.id.as_ref().unwrap()).unwrap();
        let number = copy.latest_version + 1;
        copy.versions.insert(number, TemplateVersion { number, metadata: copied(&users.metadata), ..users });
        copy.latest_version = number;
        reference.version = VersionRef::Number(number);
    }

    /// New instances in the place of the old.
    fn replace(&mut self, group: &str) {
        let launch = self.group(group).launch.clone();
        let inventory = self.inventory.clone();
        let mut at = 0;
        for instance in &mut self.inventory.instances {
            if instance.tags.get("aws:autoscaling:groupName") != Some(group) {
                continue;
            }
            instance.id = format!("{}-new", instance.id).into();
            (instance.metadata, instance.image) = launched(&inventory, &launch, at);
            at += 1;
        }
    }
}

/// What EKS writes into its copy: what the user sets, and its own choice of the rest.
pub fn copied(users: &MetadataOptions) -> MetadataOptions {
    MetadataOptions {
        http_tokens: users.http_tokens.or(Some(REQUIRED)),
        http_put_response_hop_limit: users.http_put_response_hop_limit.or(Some(OptionValue::Number(1))),
        ..*users
    }
}

/// The options and the image of an instance that a group launches.
pub fn launched(
    inventory: &Inventory,
    launch: &GroupLaunch,
    at: usize,
) -> (MetadataOptions, Option<ImageId>) {
    let launches = launch.launches();
    let (reference, image) = launches[at % launches.len()];
    let version = inventory.template(reference).unwrap().version(reference.version).unwrap();
    let image = image.map_or_else(|| version.image.clone(), |id| ImageRef::Id(id.clone()));
    let options = Launch {
        set: &version.metadata,
        set_by: Source::LaunchTemplate,
        defaults: &inventory.account_defaults,
        image: imds_support(inventory, &image),
    }
    .resolve();
    let mut metadata = MetadataOptions::default();
    for option in OptionName::ALL {
        metadata.set(option, options.get(option).value);
    }
    let image = match image {
        ImageRef::Id(id) => Some(id),
        _ => None,
    };
    (metadata, image)
}

/// What no change may ever do.
fn check(from: &MetadataOptions, to: &MetadataOptions) {
    if let (Some(OptionValue::Number(before)), Some(OptionValue::Number(after))) =
        (from.http_put_response_hop_limit, to.http_put_response_hop_limit)
    {
        assert!(after >= before, "a hop limit is lowered");
    }
    let tags = |options: &MetadataOptions| options.instance_metadata_tags == Some(OptionValue::Enabled);
    assert!(tags(from) || !tags(to), "instance tags are switched on");
    let opens =
        from.http_endpoint == Some(OptionValue::Disabled) && to.http_endpoint == Some(OptionValue::Enabled);
    assert!(!opens, "a disabled endpoint is switched on");
}

fn overlay(options: &mut MetadataOptions, with: &MetadataOptions) {
    for option in OptionName::ALL {
        options.set(option, with.get(option).or(options.get(option)));
    }
}

fn references(launch: &GroupLaunch) -> Vec<TemplateRef> {
    references_mut(&mut launch.clone()).into_iter().map(|reference| reference.clone()).collect()
}

fn references_mut(launch: &mut GroupLaunch) -> Vec<&mut TemplateRef> {
    match launch {
        GroupLaunch::Template(template) => vec![template],
        GroupLaunch::Mixed { base, overrides } => std::iter::once(base)
            .chain(overrides.iter_mut().filter_map(|one| one.template.as_mut()))
            .collect(),
        GroupLaunch::Configuration(_) | GroupLaunch::Unknown => Vec::new(),
    }
}

/// An instance by its id.
pub fn find<'a>(inventory: &'a Inventory, id: &str) -> Option<&'a Instance> {
    inventory.instances.iter().find(|instance| instance.id.as_str() == id)
}
