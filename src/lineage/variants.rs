//! The ways a node comes to be, and the options that it then has.

use crate::finding::{ImageSummary, Source, TemplateOwner};
use crate::model::{
    AutoScalingGroup, Confidence, GroupLaunch, ImageId, ImageRef, LaunchTemplate, NodeGroup, TemplateId,
    TemplateRef, TemplateVersion, VersionRef,
};
use crate::resolve::{
    Effective, EffectiveOptions, Launch, family_of_ami_type, iac_owner, imds_support, template_owner,
};

use super::index::Index;
use super::{TemplateIdentity, UserTemplate, Variant};

/// The ways the next node of a group may come to be, each once, in the order of the group's own definition.
pub fn of_group<'a>(
    index: &Index<'a>,
    group: &'a AutoScalingGroup,
    node_group: Option<&'a NodeGroup>,
) -> Vec<Variant<'a>> {
    match &group.launch {
        GroupLaunch::Configuration(name) => vec![of_configuration(index, name)],
        GroupLaunch::Unknown => {
            vec![Variant { template: None, image: None, options: EffectiveOptions::UNRESOLVED }]
        }
        GroupLaunch::Template(_) | GroupLaunch::Mixed { .. } => group
            .launch
            .launches()
            .into_iter()
            .map(|(reference, image)| of_reference(index, reference, image, node_group))
            .collect(),
    }
}

fn of_configuration<'a>(index: &Index<'a>, name: &str) -> Variant<'a> {
    let inventory = index.inventory;
    let Some(configuration) = inventory.launch_configurations.get(name) else {
        return Variant { template: None, image: None, options: EffectiveOptions::UNRESOLVED };
    };
    let image = configuration.image.clone().map_or(ImageRef::Unset, ImageRef::Id);
    let launch = Launch {
        set: &configuration.metadata,
        set_by: Source::LaunchConfiguration,
        defaults: &inventory.account_defaults,
        image: imds_support(inventory, &image),
    };
    Variant { template: None, image: Some(index.image_of(&image)), options: launch.resolve() }
}

fn of_reference<'a>(
    index: &Index<'a>,
    reference: &'a TemplateRef,
    image: Option<&'a ImageId>,
    node_group: Option<&'a NodeGroup>,
) -> Variant<'a> {
    let template = index.inventory.template(reference);
    match template.and_then(|template| Some((template, template.version(reference.version)?))) {
        Some((template, version)) => of_version(index, template, version, image, node_group),
        None => of_missing(index, reference, template, node_group),
    }
}

/// A version that was read.
pub fn of_version<'a>(
    index: &Index<'a>,
    template: &'a LaunchTemplate,
    version: &'a TemplateVersion,
    image: Option<&ImageId>,
    node_group: Option<&'a NodeGroup>,
) -> Variant<'a> {
    let inventory = index.inventory;
    let overridden = image.map(|id| ImageRef::Id(id.clone()));
    let image = overridden.as_ref().unwrap_or(&version.image);
    let launch = Launch {
        set: &version.metadata,
        set_by: Source::LaunchTemplate,
        defaults: &inventory.account_defaults,
        image: imds_support(inventory, image),
    };
    let resolved = launch.resolve();
    let options = match node_group {
        Some(node_group) => tell_eks_from_user(&resolved, user_version(index, node_group)),
        None => resolved,
    };
    let summary = index.image_of(image);
    Variant {
        template: Some(identity(index, template, Some(version.number))),
        image: Some(node_group.map_or(summary.clone(), |node_group| of_ami_type(node_group, summary))),
        options,
    }
}

/// A version that is gone, or could not be read. What the user's own version sets, EKS has copied; the
/// rest of a managed node group's options, and all of any other group's, cannot be told.
fn of_missing<'a>(
    index: &Index<'a>,
    reference: &'a TemplateRef,
    template: Option<&'a LaunchTemplate>,
    node_group: Option<&'a NodeGroup>,
) -> Variant<'a> {
    let identity = match template {
        Some(template) => identity(index, template, Some(template.number(reference.version))),
        None => TemplateIdentity {
            id: reference.id.as_ref().map(TemplateId::as_str),
            name: reference.name.as_deref(),
            version: match reference.version {
                VersionRef::Number(number) => Some(number),
                VersionRef::Latest | VersionRef::Default => None,
            },
            owned_by: if node_group.is_some() { TemplateOwner::Eks } else { TemplateOwner::User },
        },
    };
    if let Some(node_group) = node_group {
        return Variant { template: Some(identity), ..without_group(index, node_group) };
    }
    let image = index.image_of(&ImageRef::Unset);
    Variant { template: Some(identity), image: Some(image), options: EffectiveOptions::UNRESOLVED }
}

/// A managed node group whose Auto Scaling group, or what that launches from, is not there: being made,
/// broken, or not readable.
pub fn without_group<'a>(index: &Index<'a>, node_group: &'a NodeGroup) -> Variant<'a> {
    let users = user_version(index, node_group).map(|version| version.metadata).unwrap_or_default();
    let image = index.image_of(&ImageRef::Unset);
    Variant {
        template: None,
        image: Some(of_ami_type(node_group, image)),
        options: EffectiveOptions::of(|option| match users.get(option) {
            Some(value) => Effective { value: Some(value), source: Source::LaunchTemplate },
            None => Effective::UNRESOLVED,
        }),
    }
}

/// A copy that EKS owns says the same of all its options. Those that the user's version sets to the same
/// value are the user's; the others EKS wrote.
fn tell_eks_from_user(copy: &EffectiveOptions, user: Option<&TemplateVersion>) -> EffectiveOptions {
    EffectiveOptions::of(|option| {
        let effective = copy.get(option);
        let users = user.and_then(|version| version.metadata.get(option));
        if effective.source == Source::LaunchTemplate && users != effective.value {
            Effective { source: Source::EksLaunchTemplate, ..effective }
        } else {
            effective
        }
    })
}

/// The version of the user's template that a node group runs, where it was read.
fn user_version<'a>(index: &Index<'a>, node_group: &'a NodeGroup) -> Option<&'a TemplateVersion> {
    let reference = node_group.template.as_ref()?;
    index.inventory.template(reference)?.version(reference.version)
}

/// AWS's own word on the family stands above what an image is called.
fn of_ami_type(node_group: &NodeGroup, summary: ImageSummary) -> ImageSummary {
    match node_group.ami_type.as_deref().and_then(family_of_ami_type) {
        Some(family) => ImageSummary { family, confidence: Confidence::Certain, ..summary },
        None => summary,
    }
}

/// The image of a node of a managed node group.
pub fn image_in_node_group(
    index: &Index<'_>,
    image: &ImageId,
    node_group: Option<&NodeGroup>,
) -> ImageSummary {
    let summary = index.image(image);
    match node_group {
        Some(node_group) => of_ami_type(node_group, summary),
        None => summary,
    }
}

/// A version of a template, as a report names it.
pub fn identity<'a>(
    index: &Index<'a>,
    template: &'a LaunchTemplate,
    version: Option<i64>,
) -> TemplateIdentity<'a> {
    TemplateIdentity {
        id: Some(template.id.as_str()),
        name: Some(&template.name),
        version,
        owned_by: owner(index, template),
    }
}

/// Whose a template is.
pub fn owner(index: &Index<'_>, template: &LaunchTemplate) -> TemplateOwner {
    if index.is_eks_template(&template.id) { TemplateOwner::Eks } else { template_owner(template) }
}

/// What advice needs to know of a template of the user's.
pub fn user_template<'a>(index: &Index<'a>, reference: &'a TemplateRef) -> UserTemplate<'a> {
    let template = index.inventory.template(reference);
    let latest =
        template.and_then(|template| template.version(VersionRef::Latest).map(|latest| (template, latest)));
    let name = template.map(|template| template.name.as_str()).or(reference.name.as_deref());
    UserTemplate {
        target: template
            .map(|template| template.id.as_str())
            .or(reference.id.as_ref().map(TemplateId::as_str))
            .or(name)
            .unwrap_or_default(),
        name,
        in_use: reference.version,
        number: template.map(|template| template.number(reference.version)).or(match reference.version {
            VersionRef::Number(number) => Some(number),
            VersionRef::Latest | VersionRef::Default => None,
        }),
        latest: latest.map(|(template, latest)| {
            (latest.number, of_version(index, template, latest, None, None).options)
        }),
        iac: template.and_then(|template| iac_owner(&template.tags)),
    }
}
