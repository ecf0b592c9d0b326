//! Templates by themselves, Karpenter's as predictions, and account defaults.

use std::collections::HashMap;

use crate::finding::{ManagedBy, Resource, ResourceType, Source, TemplateOwner};
use crate::model::{
    AccountDefaults, ImdsSupport, Inventory, LaunchTemplate, OptionName, OptionValue, Read, Tags,
    TemplateVersion, VersionRef,
};
use crate::resolve::{Effective, EffectiveOptions, Launch, iac_owner};

use super::groups::missing_cluster;
use super::index::Index;
use super::variants::{of_version, owner};
use super::{Lever, Subject, SubjectKind, UserTemplate, Variant};

static NO_TAGS: Tags = Tags::new();

/// Karpenter's templates predict its next nodes, as far as the EC2 API shows them.
pub fn karpenter<'a>(index: &Index<'a>) -> Vec<Subject<'a>> {
    let mut nodes: HashMap<&str, u64> = HashMap::new();
    for id in index.inventory.instances.iter().filter_map(|node| node.tags.get("aws:ec2launchtemplate:id")) {
        *nodes.entry(id).or_default() += 1;
    }
    templates_of(index, TemplateOwner::Karpenter)
        .map(|template| {
            let cluster = template.tags.cluster();
            let nodes = nodes.get(template.id.as_str()).copied().unwrap_or_default();
            let note = "predicted from a template of Karpenter's; its EC2NodeClass decides, and EC2 does not show it";
            Subject {
                kind: SubjectKind::Group,
                cluster,
                cluster_arn: cluster.and_then(|name| index.cluster(name)).map(|cluster| &cluster.arn),
                managed_by: Some(ManagedBy::Karpenter),
                nodes,
                lever: Lever::NodeClass(template.tags.karpenter_node_class().flatten()),
                notes: std::iter::once(note.to_owned())
                    .chain(cluster.and_then(|cluster| missing_cluster(index, cluster)))
                    .collect(),
                ..bare(index, template, &[VersionRef::Latest])
            }
        })
        .collect()
}

/// The user's templates, each by its default and its latest version.
pub fn by_themselves<'a>(index: &Index<'a>) -> Vec<Subject<'a>> {
    templates_of(index, TemplateOwner::User)
        .map(|template| bare(index, template, &[VersionRef::Default, VersionRef::Latest]))
        .collect()
}

fn templates_of<'a>(index: &Index<'a>, whose: TemplateOwner) -> impl Iterator<Item = &'a LaunchTemplate> {
    index.inventory.launch_templates.values().filter(move |template| owner(index, template) == whose)
}

fn bare<'a>(index: &Index<'a>, template: &'a LaunchTemplate, versions: &[VersionRef]) -> Subject<'a> {
    let mut judged: Vec<&TemplateVersion> =
        versions.iter().filter_map(|version| template.version(*version)).collect();
    judged.dedup_by_key(|version| version.number);
    let variants: Vec<_> =
        judged.into_iter().map(|version| of_version(index, template, version, None, None)).collect();
    Subject {
        resource: Resource {
            r#type: ResourceType::LaunchTemplate,
            id: template.id.to_string(),
            name: Some(template.name.clone()),
            arn: Some(index.inventory.scope.arn("ec2", &format!("launch-template/{}", template.id))),
        },
        kind: SubjectKind::LaunchTemplate,
        cluster: None,
        cluster_arn: None,
        node_group: None,
        auto_scaling_group: None,
        managed_by: None,
        nodes: 0,
        tags: &template.tags,
        launched_from: None,
        group: None,
        lever: Lever::Template(UserTemplate {
            target: template.id.as_str(),
            name: Some(&template.name),
            in_use: VersionRef::Default,
            number: Some(template.default_version),
            latest: template
                .version(VersionRef::Latest)
                .map(|latest| (latest.number, of_version(index, template, latest, None, None).options)),
            iac: iac_owner(&template.tags),
        }),
        notes: Vec::new(),
        variants,
    }
}

/// The account's defaults in the Region, if they were asked for.
pub fn account_defaults(inventory: &Inventory) -> Option<Subject<'_>> {
    let (options, defaults) = match &inventory.account_defaults {
        Read::Known(defaults) => (options_of(defaults), Some(defaults)),
        Read::Failed => (EffectiveOptions::UNRESOLVED, None),
        Read::NotAsked => return None,
    };
    let mut notes = Vec::new();
    if defaults.is_some_and(|defaults| defaults.tokens_enforced) {
        notes.push("HttpTokensEnforced: launches that would leave tokens optional are refused".to_owned());
    }
    Some(Subject {
        resource: Resource {
            r#type: ResourceType::AccountDefaults,
            id: inventory.scope.region.to_string(),
            name: None,
            arn: None,
        },
        kind: SubjectKind::AccountDefaults,
        cluster: None,
        cluster_arn: None,
        node_group: None,
        auto_scaling_group: None,
        managed_by: None,
        nodes: 0,
        tags: &NO_TAGS,
        variants: vec![Variant { template: None, image: None, options }],
        launched_from: None,
        group: None,
        lever: Lever::AccountDefaults {
            by_policy: defaults
                .filter(|defaults| defaults.managed_by_policy)
                .map(|defaults| defaults.exception_message.as_deref()),
        },
        notes,
    })
}

/// What an instance gets of which neither template nor image says anything. Enforcement means that none
/// can come up with tokens optional, whatever the default is.
fn options_of(defaults: &AccountDefaults) -> EffectiveOptions {
    let nothing = Read::Known(AccountDefaults::default());
    let launch = Launch {
        set: &defaults.metadata,
        set_by: Source::AccountDefault,
        defaults: &nothing,
        image: ImdsSupport::Unspecified,
    };
    let resolved = launch.resolve();
    EffectiveOptions::of(|option| match option {
        OptionName::HttpTokens if defaults.tokens_enforced => {
            Effective { value: Some(OptionValue::Required), source: Source::AccountDefault }
        }
        _ => resolved.get(option),
    })
}
