//! The first group whose nodes were replaced is looked at before the next one.

use super::Event;
use super::changes::At;
use super::cloud::Cloud;
use super::step::End;
use crate::aws::{CallError, GroupInstance};
use crate::journal::Medium;
use crate::model::{MetadataOptions, OptionName, TemplateId, VersionRef};
use crate::plan::Action;

impl<C: Cloud, M: Medium> At<'_, '_, C, M> {
    /// Whether the new nodes have the options that the plan gives them.
    pub(super) async fn canary(&self) -> End {
        match self.nodes_and_differences().await {
            Ok((nodes, differences)) if differences.is_empty() => {
                self.context.tell(Event::CanaryPassed { scope: self.scope, nodes });
                End::Done
            }
            Ok((_, differences)) => End::Halt(format!(
                "the first group's new nodes do not have the options that they should have: {}",
                differences.join("; ")
            )),
            Err(error) => End::Halt(format!(
                "the first group's new nodes could not be looked at: {}: {}",
                error.operation,
                error.summary()
            )),
        }
    }

    /// How many nodes were looked at, and what is wrong with them.
    async fn nodes_and_differences(&self) -> Result<(usize, Vec<String>), CallError> {
        let mut nodes = 0;
        let mut differences = Vec::new();
        for (instance, expected) in self.expected().await? {
            let Some(now) = self.cloud.instance(&instance.id).await? else { continue };
            nodes += 1;
            let wrong = OptionName::ALL.into_iter().filter(|option| {
                expected.get(*option).is_some_and(|value| now.metadata.get(*option) != Some(value))
            });
            for option in wrong {
                let shown = |options: &MetadataOptions| {
                    options.get(option).map_or_else(|| "not set".to_owned(), |value| value.to_string())
                };
                let (has, should) = (shown(&now.metadata), shown(&expected));
                differences.push(format!("{}: {option} is {has}, not {should}", instance.id));
            }
        }
        Ok((nodes, differences))
    }

    /// The instances of the group, each with the options that its version sets.
    async fn expected(&self) -> Result<Vec<(GroupInstance, MetadataOptions)>, CallError> {
        let mut expected = Vec::new();
        match &self.step.action {
            Action::UpdateNodeGroup { cluster, node_group, template, to, .. } => {
                let version = self.context.number(to).unwrap_or_default();
                let options = self.cloud.version(template, version).await?.metadata;
                for group in self.cloud.node_group(cluster, node_group).await?.auto_scaling_groups {
                    let instances = self.cloud.group(&group).await?.instances.into_iter();
                    expected.extend(instances.filter(stays).map(|instance| (instance, options)));
                }
            }
            Action::RefreshInstances { group, repoint, .. } => {
                let moves = self.context.moves(repoint).unwrap_or_default();
                for instance in self.cloud.group(group).await?.instances.into_iter().filter(stays) {
                    let Some((template, version)) = launched_from(&instance) else { continue };
                    if moves.iter().any(|one| one.template == template) {
                        let options = self.cloud.version(&template, version).await?.metadata;
                        expected.push((instance, options));
                    }
                }
            }
            _ => {}
        }
        Ok(expected)
    }
}

/// Whether an instance is not on its way out.
fn stays(instance: &GroupInstance) -> bool {
    !instance.lifecycle.starts_with("Terminat")
}

fn launched_from(instance: &GroupInstance) -> Option<(TemplateId, i64)> {
    let template = instance.template.as_ref()?;
    match template.version {
        VersionRef::Number(number) => Some((template.id.clone()?, number)),
        VersionRef::Latest | VersionRef::Default => None,
    }
}
