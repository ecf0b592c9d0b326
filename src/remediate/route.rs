//! Where each finding goes: to a version that has to be patched, to a person, or nowhere.
//!
//! The owner of an option decides. Instances are not sent anywhere here: what becomes of them depends on what becomes
//! of their group.

use crate::finding::FixKind;
use crate::lineage::{Lever, UserTemplate};
use crate::model::{LaunchTemplate, TemplateVersion, VersionRef};

use super::manual::{Hand, Place};
use super::scene::{Case, Owner, Scene};

/// Where a finding goes.
pub enum Route<'a> {
    /// All these versions have to be patched, and launched from.
    Patch(Vec<Hook<'a>>),
    /// The account's defaults have to change.
    Defaults,
    /// A person has to do it.
    Hand(Hand<'a>),
    /// Nothing is planned, and why.
    Skip(String),
}

/// A version that something launches from and that breaks a rule.
#[derive(Clone, Copy, Debug)]
pub struct Hook<'a> {
    pub template: &'a LaunchTemplate,
    pub source: &'a TemplateVersion,
    pub by: By,
}

/// How the version comes to be launched from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// An Auto Scaling group names it so.
    Reference(VersionRef),
    /// A node group runs it.
    NodeGroup,
    /// Nothing is known to; it is the default or the latest version.
    Itself,
}

const UNCERTAIN: &str = "what is not certain is never changed automatically";

/// Sends a finding on anything but an instance.
pub fn route<'a>(scene: &Scene<'a>, case: &Case<'a>) -> Route<'a> {
    if case.is_uncertain() {
        return Route::Skip(uncertain(case));
    }
    let subject = &scene.subjects[case.subject];
    match &subject.lever {
        Lever::NodeGroup { template: Some(template), .. } => of_node_group(scene, case, template),
        Lever::NodeGroup { template: None, described, target } => {
            if *described {
                let place = Place::NodeGroup {
                    cluster: subject.cluster.unwrap_or_default(),
                    name: subject.node_group.unwrap_or_default(),
                };
                let why = "it was made without a launch template and cannot be given one";
                return Route::Hand(
                    Hand::new(FixKind::ReplaceNodeGroup, Some(target.clone()), why, place)
                        .named(&subject.resource.id),
                );
            }
            Route::Skip("EKS could not be asked what the node group was made with".to_owned())
        }
        Lever::Group { templates, .. } => of_group(scene, case, templates),
        Lever::Configuration { group, name } => {
            let why = "a launch configuration cannot be changed, only replaced by a launch template";
            let place = Place::Configuration { group, name };
            Route::Hand(Hand::new(FixKind::MigrateLaunchConfiguration, Some((*name).to_owned()), why, place))
        }
        Lever::NodeClass(name) => Route::Hand(node_class(*name, subject.cluster)),
        Lever::Template(template) => of_template(scene, case, template),
        Lever::AccountDefaults { by_policy: Some(message) } => {
            let told = message.map_or_else(String::new, |message| format!(": {message}"));
            let why = format!("a declarative policy of the organisation holds the account's defaults{told}");
            let target = Some(subject.resource.id.clone());
            Route::Hand(Hand::new(FixKind::None, target, why, Place::DeclarativePolicy))
        }
        Lever::AccountDefaults { by_policy: None } => match scene.by_hand(case) {
            Some(why) => {
                let target = Some(subject.resource.id.clone());
                Route::Hand(Hand::new(FixKind::ModifyAccountDefaults, target, why, Place::Defaults))
            }
            None => Route::Defaults,
        },
        Lever::AutoMode | Lever::Service(_) | Lever::Instance => Route::Skip(nothing(case)),
    }
}

/// Karpenter's own object, which only a person can change.
pub fn node_class<'a>(name: Option<&'a str>, cluster: Option<&'a str>) -> Hand<'a> {
    let why = "Karpenter makes its launch templates anew from the EC2NodeClass, which is not in AWS";
    Hand::new(FixKind::EditNodeClass, name.map(str::to_owned), why, Place::NodeClass { name, cluster })
}

/// Why nothing can be done, in the words of the finding.
pub fn nothing(case: &Case<'_>) -> String {
    let mut fixes = case.finding.fixes.iter().filter(|fix| fix.kind == FixKind::None);
    let note = fixes.find_map(|fix| fix.note.clone());
    note.unwrap_or_else(|| "nothing is known that could be changed".to_owned())
}

pub fn uncertain(case: &Case<'_>) -> String {
    let mut fixes = case.finding.fixes.iter().filter(|fix| fix.kind == FixKind::None);
    let told = fixes.find_map(|fix| fix.note.as_deref());
    match told {
        Some(note) => note.to_owned(),
        None => UNCERTAIN.to_owned(),
    }
}

fn of_node_group<'a>(scene: &Scene<'a>, case: &Case<'a>, template: &UserTemplate<'a>) -> Route<'a> {
    match hook(scene, template, By::NodeGroup) {
        Ok(hook) => by_owner(scene, case, vec![hook]),
        Err(why) => Route::Skip(why),
    }
}

fn of_group<'a>(scene: &Scene<'a>, case: &Case<'a>, templates: &[UserTemplate<'a>]) -> Route<'a> {
    let subject = &scene.subjects[case.subject];
    let Some(group) = subject.auto_scaling_group.and_then(|name| scene.group(name)) else {
        return Route::Skip("its Auto Scaling group could not be read".to_owned());
    };
    let launches = group.launch.launches();
    let mut hooks: Vec<Hook<'a>> = Vec::new();
    for variant in case.failing() {
        // Variants stand in the order of the group's launches, and templates are each told once.
        let found = launches.get(variant).and_then(|(reference, _)| {
            let at = group.launch.templates().position(|template| template == *reference)?;
            templates.get(at)
        });
        let Some(template) = found else {
            return Route::Skip("what it launches from could not be read".to_owned());
        };
        match hook(scene, template, By::Reference(template.in_use)) {
            Ok(hook) if !hooks.iter().any(|known| known.is(&hook)) => hooks.push(hook),
            Ok(_) => {}
            Err(why) => return Route::Skip(why),
        }
    }
    by_owner(scene, case, hooks)
}

fn of_template<'a>(scene: &Scene<'a>, case: &Case<'a>, template: &UserTemplate<'a>) -> Route<'a> {
    let subject = &scene.subjects[case.subject];
    let Some(template) = scene.template(template) else {
        return Route::Skip("the launch template could not be read".to_owned());
    };
    let numbers = case.failing().filter_map(|at| subject.variants[at].template.as_ref()?.version);
    let hooks = numbers.filter_map(|number| template.versions.get(&number));
    let hooks = hooks.map(|source| Hook { template, source, by: By::Itself }).collect();
    by_owner(scene, case, hooks)
}

impl Hook<'_> {
    fn is(&self, other: &Self) -> bool {
        self.template.id == other.template.id
            && self.source.number == other.source.number
            && self.by == other.by
    }
}

fn hook<'a>(scene: &Scene<'a>, template: &UserTemplate<'a>, by: By) -> Result<Hook<'a>, String> {
    let name = template.name.unwrap_or(template.target);
    let found = scene.template(template).ok_or_else(|| {
        if scene.inventory.templates_read {
            format!("its launch template {name} no longer exists: give it one that does")
        } else {
            format!("its launch template {name} could not be read")
        }
    })?;
    if !scene.is_users(found) {
        return Err(format!(
            "it launches from {name}, which EKS or Karpenter owns: nobody else may write to it"
        ));
    }
    let source = found.version(template.in_use).ok_or_else(|| {
        format!("version {} of its launch template {name} is gone or could not be read", template.in_use)
    })?;
    Ok(Hook { template: found, source, by })
}

/// To a person where the policy says so; else to the templates.
fn by_owner<'a>(scene: &Scene<'a>, case: &Case<'a>, hooks: Vec<Hook<'a>>) -> Route<'a> {
    let Some(first) = hooks.first().copied() else {
        return Route::Skip("what it launches from could not be read".to_owned());
    };
    let Some(why) = scene.by_hand(case) else { return Route::Patch(hooks) };
    let owned = hooks.iter().find_map(|hook| Some((hook, scene.owner(&hook.template.tags)?)));
    if let Some((hook, owner)) = owned {
        return Route::Hand(Hand { why: why.to_owned(), ..by_its_owner(hook, owner) });
    }
    let place = Place::Template { template: first.template, source: first.source };
    Route::Hand(of_template_by_hand(FixKind::PatchLaunchTemplate, first.template, why, place))
}

/// What only the tool that owns a template should write.
pub fn by_its_owner<'a>(hook: &Hook<'a>, owner: Owner) -> Hand<'a> {
    let (template, source) = (hook.template, hook.source);
    let why = format!("{owner} owns {}, and would undo a change made elsewhere", template.name);
    of_template_by_hand(FixKind::EditIac, template, &why, Place::Iac { template, source, owner })
}

fn of_template_by_hand<'a>(
    kind: FixKind,
    template: &LaunchTemplate,
    why: &str,
    place: Place<'a>,
) -> Hand<'a> {
    Hand::new(kind, Some(template.id.to_string()), why, place).named(&template.name)
}
