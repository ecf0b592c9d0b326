//! The lineage of a subject, stage by stage.

use super::query::groups_of;
use super::{Link, Says, Stage, StageKind, Values};
use crate::finding::{ImageSummary, ManagedBy, ResourceType, Source, TemplateOwner};
use crate::lineage::{Lever, Subject, TemplateIdentity, UserTemplate, Variant};
use crate::model::{
    Confidence, ImageRef, ImdsSupport, Inventory, LaunchTemplate, MetadataOptions, OptionName, OptionValue,
    Read, TemplateVersion, VersionRef,
};
use crate::resolve::{iac_owner, imds_support};

/// How the options of a subject come to be. `group` is the subject of an instance's group.
pub(super) fn lineage(
    inventory: &Inventory,
    subject: &Subject<'_>,
    group: Option<&Subject<'_>>,
) -> Vec<Link> {
    let mut links = Vec::new();
    if subject.managed_by == Some(ManagedBy::AutoMode) {
        let summary = subject.variants[0].image.as_ref();
        links.extend(summary.and_then(|summary| image(inventory, summary, None)).map(Link::One));
        links.push(Link::One(stage(StageKind::AutoMode)));
    } else {
        links.extend(account_default(inventory).map(Link::One));
        links.extend(ways(inventory, subject, group));
    }
    links.extend(groups(inventory, group.unwrap_or(subject)).into_iter().map(Link::One));
    if subject.resource.r#type == ResourceType::Instance {
        links.push(Link::One(instance(inventory, subject, group)));
    }
    links
}

/// What lies between the account's default and the group: in one line, or in one for each way.
fn ways(inventory: &Inventory, subject: &Subject<'_>, group: Option<&Subject<'_>>) -> Vec<Link> {
    let lever = group.map_or(&subject.lever, |group| &group.lever);
    if subject.resource.r#type == ResourceType::Instance {
        // An instance has its own image and its own options; what launched it says where they come from.
        let launch = subject.launched_from.as_ref().unwrap_or(&subject.variants[0]);
        let summary = subject.variants[0].image.as_ref();
        return way(inventory, lever, launch, summary).into_iter().map(Link::One).collect();
    }
    let mut all: Vec<_> =
        subject.variants.iter().map(|one| way(inventory, lever, one, one.image.as_ref())).collect();
    if all.len() == 1 {
        return all.remove(0).into_iter().map(Link::One).collect();
    }
    vec![Link::Ways(all)]
}

fn way(
    inventory: &Inventory,
    lever: &Lever<'_>,
    variant: &Variant<'_>,
    summary: Option<&ImageSummary>,
) -> Vec<Stage> {
    let identity = variant.template.as_ref();
    let version = identity.and_then(|identity| read(inventory, identity)).map(|(_, version)| version);
    let mut stages: Vec<Stage> =
        summary.and_then(|summary| image(inventory, summary, version)).into_iter().collect();
    match lever {
        Lever::NodeGroup { template, described, .. } => {
            stages.extend(template.as_ref().map(|template| users_template(inventory, template)));
            let generated = template.is_none() && *described;
            stages.extend(identity.map(|identity| eks_template(inventory, identity, variant, generated)));
        }
        Lever::Configuration { name, .. } => stages.push(configuration(inventory, name)),
        Lever::NodeClass(name) => {
            stages.push(Stage { name: name.map(str::to_owned), ..stage(StageKind::NodeClass) });
            stages
                .extend(identity.map(|identity| template(inventory, identity, StageKind::KarpenterTemplate)));
        }
        Lever::Group { .. } | Lever::Template(_) | Lever::Instance | Lever::Service(_) => {
            stages.extend(identity.map(|identity| {
                let kind = match identity.owned_by {
                    TemplateOwner::User => StageKind::LaunchTemplate,
                    TemplateOwner::Eks => StageKind::EksTemplate,
                    TemplateOwner::Karpenter => StageKind::KarpenterTemplate,
                };
                template(inventory, identity, kind)
            }));
        }
        Lever::AutoMode | Lever::AccountDefaults { .. } => {}
    }
    stages
}

const fn stage(kind: StageKind) -> Stage {
    Stage { kind, id: None, name: None, version: None, says: Says::Nothing, facts: Vec::new() }
}

fn set(metadata: &MetadataOptions) -> Says {
    let options = OptionName::ALL.into_iter();
    Says::Sets(options.filter_map(|option| Some((option, metadata.get(option)?))).collect())
}

fn account_default(inventory: &Inventory) -> Option<Stage> {
    let stage = stage(StageKind::AccountDefault);
    let defaults = match &inventory.account_defaults {
        Read::Known(defaults) => defaults,
        Read::Failed => return Some(Stage { says: Says::Unread, ..stage }),
        Read::NotAsked => return None,
    };
    let mut facts = Vec::new();
    if defaults.tokens_enforced {
        facts.push("refuses launches with optional tokens".to_owned());
    }
    if defaults.managed_by_policy {
        facts.push("a declarative policy of the organisation holds it".to_owned());
    }
    Some(Stage { says: set(&defaults.metadata), facts, ..stage })
}

/// The image; nothing where what would name it could not be read.
fn image(inventory: &Inventory, summary: &ImageSummary, version: Option<&TemplateVersion>) -> Option<Stage> {
    let reference = match (&summary.id, version) {
        (Some(id), _) => ImageRef::Id(id.clone()),
        (None, Some(version)) => version.image.clone(),
        (None, None) => return None,
    };
    let mut facts = vec![match summary.confidence {
        Confidence::Unknown => "of unknown family".to_owned(),
        sure => format!("{}, {}", summary.family, sure_word(sure)),
    }];
    let says = match imds_support(inventory, &reference) {
        _ if reference == ImageRef::Unset => {
            facts = vec!["none is named: who launches from it brings one".to_owned()];
            Says::Nothing
        }
        ImdsSupport::V2 => Says::Sets(Values::from([
            (OptionName::HttpTokens, OptionValue::Required),
            (OptionName::HttpPutResponseHopLimit, OptionValue::Number(2)),
        ])),
        ImdsSupport::Unspecified => Says::Sets(Values::new()),
        ImdsSupport::Unknown => Says::Unread,
    };
    Some(Stage {
        id: summary.id.as_ref().map(ToString::to_string),
        name: summary.name.clone(),
        says,
        facts,
        ..stage(StageKind::Image)
    })
}

const fn sure_word(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Certain => "certain",
        Confidence::Likely => "likely",
        Confidence::Unknown => "unknown",
    }
}

fn read<'a>(
    inventory: &'a Inventory,
    identity: &TemplateIdentity<'_>,
) -> Option<(&'a LaunchTemplate, &'a TemplateVersion)> {
    let template = inventory.launch_templates.get(&identity.id?.into())?;
    Some((template, template.versions.get(&identity.version?)?))
}

fn template(inventory: &Inventory, identity: &TemplateIdentity<'_>, kind: StageKind) -> Stage {
    let read = read(inventory, identity);
    let mut facts = Vec::new();
    if let Some((template, version)) = read {
        if template.latest_version > version.number && kind == StageKind::LaunchTemplate {
            facts.push(format!("latest is {}", template.latest_version));
        }
        facts.extend(iac_owner(&template.tags).map(|owner| format!("owned by {owner}")));
    }
    Stage {
        id: identity.id.map(str::to_owned),
        name: identity.name.map(str::to_owned),
        version: identity.version,
        says: match read {
            Some((_, version)) => set(&version.metadata),
            None if inventory.templates_read => Says::Gone,
            None => Says::Unread,
        },
        facts,
        ..stage(kind)
    }
}

/// The template that a node group was made with.
fn users_template(inventory: &Inventory, user: &UserTemplate<'_>) -> Stage {
    let identity = TemplateIdentity {
        id: Some(user.target),
        name: user.name,
        version: user.number,
        owned_by: TemplateOwner::User,
    };
    let mut stage = template(inventory, &identity, StageKind::LaunchTemplate);
    if user.in_use != VersionRef::Number(user.number.unwrap_or_default()) {
        stage.facts.insert(0, format!("taken as {}", user.in_use));
    }
    stage
}

/// A copy says again what the user's version sets; what EKS added is what it is shown for.
fn eks_template(
    inventory: &Inventory,
    identity: &TemplateIdentity<'_>,
    variant: &Variant<'_>,
    generated: bool,
) -> Stage {
    let mut stage = template(inventory, identity, StageKind::EksTemplate);
    if !matches!(stage.says, Says::Sets(_)) {
        return stage;
    }
    let added = OptionName::ALL.into_iter().filter_map(|option| {
        let effective = variant.options.get(option);
        effective.value.filter(|_| effective.source == Source::EksLaunchTemplate).map(|value| (option, value))
    });
    if generated {
        stage.facts.insert(0, "EKS made it: the node group has no template".to_owned());
    } else {
        stage.says = Says::Adds(added.collect());
    }
    stage
}

fn configuration(inventory: &Inventory, name: &str) -> Stage {
    let read = inventory.launch_configurations.get(name);
    Stage {
        name: Some(name.to_owned()),
        says: read.map_or(Says::Unread, |configuration| set(&configuration.metadata)),
        ..stage(StageKind::LaunchConfiguration)
    }
}

/// The Auto Scaling groups, and the node group that they belong to.
fn groups(inventory: &Inventory, subject: &Subject<'_>) -> Vec<Stage> {
    let group = |name: &str| Stage { id: Some(name.to_owned()), ..stage(StageKind::AutoScalingGroup) };
    let (nodes, noun) = (subject.nodes, subject.noun());
    let nodes = format!("{nodes} {noun}{}", if nodes == 1 { "" } else { "s" });
    match subject.resource.r#type {
        ResourceType::AutoScalingGroup => {
            vec![Stage { facts: vec![nodes], ..group(&subject.resource.id) }]
        }
        ResourceType::NodeGroup => {
            let mut stages: Vec<_> =
                groups_of(inventory, subject).iter().map(|found| group(&found.name)).collect();
            stages.push(Stage {
                id: Some(subject.resource.id.clone()),
                facts: vec![nodes],
                ..stage(StageKind::NodeGroup)
            });
            stages
        }
        // A group that was not found is known by the tag of its instance.
        ResourceType::Instance => match (subject.cluster.zip(subject.node_group), subject.auto_scaling_group)
        {
            (Some((cluster, name)), _) => {
                let id = Some(format!("{cluster}/{name}"));
                vec![Stage { id, facts: vec![lost()], ..stage(StageKind::NodeGroup) }]
            }
            (None, Some(name)) => vec![Stage { facts: vec![lost()], ..group(name) }],
            (None, None) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn lost() -> String {
    "not found: gone, or not readable".to_owned()
}

fn instance(inventory: &Inventory, subject: &Subject<'_>, group: Option<&Subject<'_>>) -> Stage {
    let read = inventory.instances.iter().find(|one| one.id.as_str() == subject.resource.id);
    let mut facts: Vec<String> = read.and_then(|one| one.instance_type.clone()).into_iter().collect();
    let from = subject.launched_from.as_ref().and_then(|variant| variant.template.as_ref());
    let now = group.and_then(|group| match &group.variants[..] {
        [only] => only.template.as_ref(),
        _ => None,
    });
    if let (Some(from), Some(now)) = (from, now) {
        let version = |number: Option<i64>| number.map_or("?".to_owned(), |number| number.to_string());
        if from.id != now.id {
            facts.push("its group launches from another template now".to_owned());
        } else if from.version != now.version {
            facts.push(format!(
                "launched from version {}, its group launches from version {} now",
                version(from.version),
                version(now.version)
            ));
        }
    }
    Stage {
        id: Some(subject.resource.id.clone()),
        name: subject.resource.name.clone(),
        says: differences(subject),
        facts,
        ..stage(StageKind::Instance)
    }
}

/// Where an instance is not what it would be if it were launched again from the same version.
fn differences(subject: &Subject<'_>) -> Says {
    let Some(launch) = &subject.launched_from else { return Says::Nothing };
    let differs = OptionName::ALL.into_iter().filter_map(|option| {
        let has = subject.variants[0].options.get(option).value?;
        launch.options.get(option).value.filter(|launched| *launched != has).map(|_| (option, has))
    });
    let differs: Values = differs.collect();
    if differs.is_empty() { Says::Nothing } else { Says::Differs(differs) }
}
