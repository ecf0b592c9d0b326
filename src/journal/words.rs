//! What a step does, and what was before, in words: for people who read a journal, and for progress.

use crate::model::{GroupLaunch, MetadataOptions, OptionName, TemplateId, TemplateRef};
use crate::plan::{Action, NamedVersion, Repoint, VersionChoice};

/// What an action does.
pub fn does(action: &Action) -> String {
    match action {
        Action::CreateTemplateVersion { template, name, source, metadata, .. } => {
            format!(
                "make a version of launch template {name} ({template}) from version {source}: {}",
                options(metadata)
            )
        }
        Action::SetDefaultVersion { template, name, to, .. } => {
            format!("make {} the default of launch template {name} ({template})", version(to))
        }
        Action::UpdateNodeGroup { cluster, node_group, to, .. } => {
            format!("update node group {cluster}/{node_group} to {} of its launch template", version(to))
        }
        Action::UpdateAutoScalingGroup { group, repoint, .. } => {
            format!("let Auto Scaling group {group} launch from {}", targets(repoint))
        }
        Action::RefreshInstances { group, repoint, .. } if repoint.is_empty() => {
            format!("replace the instances of Auto Scaling group {group}")
        }
        Action::RefreshInstances { group, repoint, .. } => {
            format!("replace the instances of Auto Scaling group {group} by others from {}", targets(repoint))
        }
        Action::ModifyInstance { instance, metadata, .. } => {
            format!("change instance {instance}: {}", options(metadata))
        }
        Action::ModifyAccountDefaults { metadata, .. } => {
            format!("change the account's defaults: {}", options(metadata))
        }
        Action::DeleteTemplateVersion { template, name, version, .. } => {
            format!("delete version {version} of launch template {name} ({template})")
        }
        Action::RestoreAccountDefaults { metadata, .. } => {
            format!("restore the account's defaults: {}", options(metadata))
        }
    }
}

/// What an action finds and changes.
pub fn before(action: &Action) -> String {
    match action {
        Action::CreateTemplateVersion { seen, .. } => {
            format!("latest version {}, default version {}", seen.latest, seen.default)
        }
        Action::SetDefaultVersion { from, .. } => format!("default version {from}"),
        Action::UpdateNodeGroup { seen, .. } => format!("version {}", seen.version),
        Action::UpdateAutoScalingGroup { seen, .. } | Action::RefreshInstances { seen, .. } => launch(seen),
        Action::ModifyInstance { seen, .. } => options(seen),
        Action::ModifyAccountDefaults { seen, .. } | Action::RestoreAccountDefaults { seen, .. } => {
            options(&seen.metadata)
        }
        Action::DeleteTemplateVersion { metadata, .. } => options(metadata),
    }
}

fn options(metadata: &MetadataOptions) -> String {
    let set = OptionName::ALL.into_iter();
    let set = set.filter_map(|name| metadata.get(name).map(|value| format!("{name} {value}")));
    let set: Vec<_> = set.collect();
    if set.is_empty() { "nothing set".to_owned() } else { set.join(", ") }
}

fn version(choice: &VersionChoice) -> String {
    match choice {
        VersionChoice::Existing(number) => format!("version {number}"),
        VersionChoice::MadeBy(_) => "the new version".to_owned(),
    }
}

fn targets(repoint: &[Repoint]) -> String {
    let target = |repoint: &Repoint| match &repoint.to {
        NamedVersion::Number(choice) => format!("{} of {}", version(choice), repoint.template),
        NamedVersion::Latest => format!("$Latest of {}", repoint.template),
        NamedVersion::Default => format!("$Default of {}", repoint.template),
    };
    repoint.iter().map(target).collect::<Vec<_>>().join(", ")
}

fn launch(launch: &GroupLaunch) -> String {
    let reference = |template: &TemplateRef| {
        let name = template.id.as_ref().map(TemplateId::as_str).or(template.name.as_deref());
        format!("version {} of {}", template.version, name.unwrap_or("a template without a name"))
    };
    match launch {
        GroupLaunch::Configuration(name) => format!("launch configuration {name}"),
        GroupLaunch::Unknown => "nothing that is known".to_owned(),
        launch => launch.templates().map(reference).collect::<Vec<_>>().join(", "),
    }
}
