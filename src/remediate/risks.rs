//! What to know before a plan is carried out, a sentence each.

use crate::lineage::Lever;
use crate::model::{CoverageStatus, OptionValue, VersionRef};
use crate::plan::Action;

use super::consumers::fleets;
use super::patch::Patch;
use super::scope::Planning;

/// EC2 keeps no more versions of a template. Deleted ones do not count, and their numbers are not used again, so that
/// only the quota's nearness can be told from a number.
const VERSIONS: i64 = 10_000;
const NEAR: i64 = 9_900;

/// Adds what there is to know.
pub fn gather(planning: &mut Planning<'_, '_>) {
    let mut risks: Vec<String> = Vec::new();
    for (key, patch) in &planning.patches.by_version {
        if planning.creates.contains_key(key) {
            of_patch(planning, patch, &mut risks);
        }
    }
    of_groups(planning, &mut risks);
    of_reading(planning, &mut risks);
    planning.risks.extend(risks);
}

fn of_patch(planning: &Planning<'_, '_>, patch: &Patch<'_>, risks: &mut Vec<String>) {
    let (template, source) = (patch.template, patch.source.number);
    let name = &template.name;
    if !patch.is_of_latest() && patch.made_before().is_none() {
        let latest = template.latest_version;
        risks.push(format!(
            "the new version of {name} is made from version {source}, which is in use, and becomes the latest without \
             what those up to {latest} changed"
        ));
    }
    if template.latest_version >= NEAR {
        risks.push(format!(
            "{name} is at version {}, and EC2 keeps at most {VERSIONS} of them: delete old ones first",
            template.latest_version
        ));
    }
    let written = planning.scene.choices.include_iac;
    if let Some(owner) = planning.scene.owner(&template.tags).filter(|_| written) {
        risks.push(format!("{owner} owns {name}, and will show the new version as drift or take it back"));
    }
    if patch.metadata.http_tokens == Some(OptionValue::Optional) && planning.scene.tokens_enforced() {
        risks.push(format!(
            "the account enforces tokens (HttpTokensEnforced), so launches from the new version of {name}, which \
             leaves them optional, fail as they do now"
        ));
    }
    for (fleet, version) in fleets(planning.scene, template) {
        risks.push(match version {
            VersionRef::Latest => format!("{fleet} launches from $Latest of {name}, and so from the new version at once"),
            VersionRef::Default if planning.defaults.contains_key(&patch.key()) => {
                format!("{fleet} launches from $Default of {name}, and so from the new version once it is the default")
            }
            VersionRef::Default => format!("{fleet} launches from $Default of {name}, which stays as it is"),
            VersionRef::Number(number) => {
                format!("{fleet} launches from version {number} of {name} and stays there: change the fleet by hand")
            }
        });
    }
}

fn of_groups(planning: &Planning<'_, '_>, risks: &mut Vec<String>) {
    let scene = planning.scene;
    for subject in planning.replacements.keys() {
        let subject = &scene.subjects[*subject];
        let id = &subject.resource.id;
        if let Some(owner) = scene.owner(subject.tags) {
            risks
                .push(format!("{owner} owns {id}, and will show the version that it launches from as drift"));
        }
        if scene.choices.force && matches!(subject.lever, Lever::NodeGroup { .. }) {
            risks
                .push(format!("--force: pods of {id} are evicted although a PodDisruptionBudget forbids it"));
        }
        let mixed = subject.variants.iter().filter_map(|variant| Some(variant.image.as_ref()?.family));
        let mut families: Vec<_> = mixed.collect();
        families.sort_unstable();
        families.dedup();
        if families.len() > 1 {
            let families: Vec<_> = families.iter().map(ToString::to_string).collect();
            risks.push(format!(
                "{id} launches images of several families, and all of them change: {}",
                families.join(", ")
            ));
        }
    }
}

fn of_reading(planning: &Planning<'_, '_>, risks: &mut Vec<String>) {
    let scene = planning.scene;
    if matches!(scene.inventory.coverage.status, CoverageStatus::Partial | CoverageStatus::Failed) {
        risks.push("not everything could be read here, and what was not seen is not planned for".to_owned());
    }
    if planning.creates.is_empty() {
        return;
    }
    if scene.fleets_unread() {
        risks.push(
            "EC2 Fleets and Spot Fleets could not be read: one that launches from $Latest of a patched template would \
             launch from the new version at once"
                .to_owned(),
        );
    }
    if scene.unread("autoscaling", "DescribeAutoScalingGroups") {
        risks.push(
            "Auto Scaling groups could not be read: one that launches from $Latest of a patched template would launch \
             from the new version at once"
                .to_owned(),
        );
    }
}

/// What live changes are worth, where there are any.
pub fn of_live<'a>(mut actions: impl Iterator<Item = &'a Action>) -> Option<String> {
    let live = actions.any(|action| matches!(action, Action::ModifyInstance { .. }));
    live.then(|| "what is changed on running instances is lost when they are replaced".to_owned())
}
