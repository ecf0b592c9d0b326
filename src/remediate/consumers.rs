//! Who else launches from a template: what follows `$Latest` or `$Default` changes as soon as these mean another version.

use crate::finding::Status;
use crate::model::{
    AutoScalingGroup, ImageRef, InstanceId, LaunchTemplate, MetadataOptions, OptionName, OptionValue, Read,
    TemplateRef, VersionRef,
};
use crate::plan::Block;
use crate::policy::statuses;
use crate::resolve::EffectiveOptions;

use super::scene::Scene;

/// A way in which an Auto Scaling group follows a template.
pub struct Follower<'a> {
    pub group: &'a AutoScalingGroup,
    /// Its subject, and which of its variants this is, where it is judged.
    judged: Option<(usize, usize)>,
    image: ImageRef,
}

/// What moving `$Latest` or `$Default` does to those who follow it.
#[derive(Default)]
pub struct Effect {
    /// Why it must not be done.
    pub blocks: Vec<Block>,
    /// The instances of groups whose next one will require tokens.
    pub to_require_tokens: Vec<InstanceId>,
    /// The clusters of the groups that change.
    pub clusters: Vec<String>,
}

/// The groups that follow a template by this reference, in the order of their names.
pub fn followers<'a>(scene: &Scene<'a>, template: &LaunchTemplate, by: VersionRef) -> Vec<Follower<'a>> {
    let mut followers = Vec::new();
    for group in &scene.inventory.auto_scaling_groups {
        let subject = scene.subject_of_group(&group.name);
        for (variant, (reference, image)) in group.launch.launches().into_iter().enumerate() {
            if reference.version != by || !means(scene, reference, template) {
                continue;
            }
            let Some(now) = template.version(by) else { continue };
            followers.push(Follower {
                group,
                judged: subject.map(|subject| (subject, variant)),
                image: image.map_or_else(|| now.image.clone(), |id| ImageRef::Id(id.clone())),
            });
        }
    }
    followers.sort_by(|one, other| one.group.name.cmp(&other.group.name));
    followers
}

/// The fleets that launch from a template, with the version that each names; nothing where they were not read.
pub fn fleets<'a>(scene: &Scene<'a>, template: &LaunchTemplate) -> Vec<(&'a str, VersionRef)> {
    let Read::Known(fleets) = &scene.readings.fleets else { return Vec::new() };
    let mut found: Vec<_> = fleets
        .iter()
        .flat_map(|fleet| fleet.templates.iter().map(move |reference| (fleet, reference)))
        .filter(|(_, reference)| means(scene, reference, template))
        .map(|(fleet, reference)| (fleet.id.as_str(), reference.version))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn means(scene: &Scene<'_>, reference: &TemplateRef, template: &LaunchTemplate) -> bool {
    scene.inventory.template(reference).is_some_and(|meant| meant.id == template.id)
}

/// What it does to the followers of a reference that it means a version with these options.
pub fn effect(
    scene: &Scene<'_>,
    followers: &[Follower<'_>],
    (before, after): (&MetadataOptions, &MetadataOptions),
    planned: Planned<'_>,
) -> Effect {
    let mut effect = Effect::default();
    for follower in followers {
        let now = scene.effective(before, &follower.image);
        let then = scene.effective(after, &follower.image);
        let differing: Vec<_> =
            OptionName::ALL.into_iter().filter(|option| differs(&now, &then, *option)).collect();
        for option in &differing {
            let value = then.get(*option).value;
            effect.blocks.extend(follower.objection(scene, (*option, value), planned));
        }
        if differing.is_empty() {
            continue;
        }
        if then.get(OptionName::HttpTokens).value == Some(OptionValue::Required) {
            effect.to_require_tokens.extend(follower.instances(scene));
        }
        effect.clusters.extend(follower.cluster(scene));
    }
    effect.blocks.dedup();
    effect.to_require_tokens.sort();
    effect.to_require_tokens.dedup();
    effect
}

fn differs(now: &EffectiveOptions, then: &EffectiveOptions, option: OptionName) -> bool {
    // Where the service is off, nothing else of it has an effect.
    let off = |options: &EffectiveOptions| {
        options.get(OptionName::HttpEndpoint).value == Some(OptionValue::Disabled)
    };
    if off(now) && off(then) && option != OptionName::HttpEndpoint {
        return false;
    }
    now.get(option).value != then.get(option).value
}

/// Whether a finding of a subject on an option is one that is to be mended.
pub type Planned<'p> = &'p dyn Fn(usize, OptionName) -> bool;

/// Why an option of a subject must not come to be this value: it is exempt, or nothing that is planned asks for it and
/// no rule says that it is right either way.
pub fn objection(
    scene: &Scene<'_>,
    (subject, variant): (usize, usize),
    (option, then): (OptionName, Option<OptionValue>),
    planned: Planned<'_>,
) -> Option<String> {
    if planned(subject, option) && is_wrong(scene, subject, variant, option) {
        return None;
    }
    if let Some(exemption) = scene.exemption(subject, option) {
        return Some(format!("exemption {exemption} keeps its {option} as it is"));
    }
    let of = &scene.subjects[subject];
    let rules = scene.policies.iter().flat_map(|policy| policy.rules.iter().map(move |rule| (policy, rule)));
    let judged = rules
        .filter(|(_, rule)| rule.option == option)
        .filter_map(|(policy, rule)| Some((rule, statuses(policy, rule, scene.scope(), of)[variant]?)));
    let mut judged = judged.peekable();
    let right = judged.peek().is_some()
        && judged.all(|(rule, status)| {
            let holds = then.is_some_and(|value| rule.expected.holds(value));
            holds && matches!(status, Status::Pass | Status::NotApplicable)
        });
    (!right).then(|| format!("nothing that is planned asks for another {option} there"))
}

fn is_wrong(scene: &Scene<'_>, subject: usize, variant: usize, option: OptionName) -> bool {
    let mut cases = scene.cases.iter().filter(|case| case.subject == subject && case.rule.option == option);
    // A rule that comes into force with an opened endpoint has no finding yet.
    let endpoint = scene.subjects[subject].variants[variant].options.get(OptionName::HttpEndpoint);
    endpoint.value == Some(OptionValue::Disabled)
        || cases.any(|case| case.statuses.get(variant) == Some(&Some(Status::Fail)))
}

impl Follower<'_> {
    /// Why an option of this group must not change.
    fn objection(
        &self,
        scene: &Scene<'_>,
        (option, then): (OptionName, Option<OptionValue>),
        planned: Planned<'_>,
    ) -> Option<Block> {
        let why = match self.judged {
            Some(variant) => objection(scene, variant, (option, then), planned)?,
            None => format!("nothing that is planned asks for another {option} there"),
        };
        let group = &self.group.name;
        let why = format!("{group} follows it too, and {why}: let it name a version by its number first");
        Some(Block { why, unless: None })
    }

    fn instances(&self, scene: &Scene<'_>) -> Vec<InstanceId> {
        match self.judged {
            Some((subject, _)) => scene.nodes(subject),
            None => self.group.instances.clone(),
        }
    }

    fn cluster(&self, scene: &Scene<'_>) -> Option<String> {
        let (subject, _) = self.judged?;
        scene.subjects[subject].cluster.map(str::to_owned)
    }
}
