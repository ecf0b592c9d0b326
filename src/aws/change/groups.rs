//! Auto Scaling groups: as they are, and launching from other versions.

use aws_sdk_autoscaling::types;

use super::launch::{Launch, Named};
use super::{Changer, guard};
use crate::aws::convert::autoscaling as convert;
use crate::aws::errors::{CallError, ErrorKind, failed};
use crate::aws::operations::{DESCRIBE_AUTO_SCALING_GROUPS, Operation, UPDATE_AUTO_SCALING_GROUP};
use crate::model::{GroupLaunch, InstanceId, Tags, TemplateId, TemplateRef, VersionRef};

/// An Auto Scaling group as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupNow {
    /// What it launches from.
    pub launch: GroupLaunch,
    /// Its instances, by id.
    pub instances: Vec<GroupInstance>,
    /// How many it should have.
    pub desired: i32,
    /// Its tags.
    pub tags: Tags,
}

/// An instance as its group knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupInstance {
    /// Its id.
    pub id: InstanceId,
    /// Where it is in its life, such as `InService`.
    pub lifecycle: String,
    /// Whether the group takes it for healthy.
    pub healthy: bool,
    /// What it was launched from.
    pub template: Option<TemplateRef>,
}

/// A reference of a group to a template's version that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repointed {
    /// The template.
    pub template: TemplateId,
    /// What the group names now.
    pub from: VersionRef,
    /// What it will name.
    pub to: VersionRef,
}

impl Changer {
    /// A group.
    ///
    /// # Errors
    ///
    /// When it cannot be read; with [`ErrorKind::NotFound`] where there is none.
    pub async fn group(&self, name: &str) -> Result<GroupNow, CallError> {
        Ok(now(&self.described(name).await?))
    }

    async fn described(&self, name: &str) -> Result<types::AutoScalingGroup, CallError> {
        let call = self.clients.autoscaling.describe_auto_scaling_groups();
        let answer = call.auto_scaling_group_names(name).send().await;
        let groups = answer.map_err(failed(DESCRIBE_AUTO_SCALING_GROUPS))?.auto_scaling_groups;
        let mut groups = groups.unwrap_or_default().into_iter();
        groups.find(|group| group.auto_scaling_group_name() == Some(name)).ok_or_else(|| {
            let message = format!("there is no Auto Scaling group {name}");
            CallError::new(DESCRIBE_AUTO_SCALING_GROUPS, ErrorKind::NotFound, "NotFound", message)
        })
    }

    /// What a group launches from with these references changed, if group and templates are the user's.
    pub(super) async fn repointed(
        &self,
        operation: Operation,
        name: &str,
        changes: &[Repointed],
    ) -> Result<Launch, CallError> {
        let mut named = Vec::new();
        for change in changes {
            named.push(Named { change, name: self.own_template(operation, &change.template).await?.name });
        }
        // Last, so that nothing comes between this look at the group and what is done to it.
        let group = self.described(name).await?;
        guard::own_group(operation, name, &now(&group))?;
        Launch::repointed(&group, &named).map_err(|why| {
            CallError::refused(operation, ErrorKind::Changed, format!("Auto Scaling group {name}: {why}"))
        })
    }

    /// Has a group launch from other versions. All that it launches from is sent back as it was read a moment before,
    /// with these versions changed. Its instances stay as they are.
    ///
    /// # Errors
    ///
    /// When Auto Scaling refuses; when the group does not refer to a version as it is said to, with
    /// [`ErrorKind::Changed`]; when the group or a template is not the user's.
    pub async fn update_group(&self, name: &str, changes: &[Repointed]) -> Result<(), CallError> {
        let launch = self.repointed(UPDATE_AUTO_SCALING_GROUP, name, changes).await?;
        let call = self.clients.autoscaling.update_auto_scaling_group().auto_scaling_group_name(name);
        let call = match launch {
            Launch::Template(template) => call.launch_template(template),
            Launch::Mixed(policy) => call.mixed_instances_policy(policy),
        };
        call.send().await.map_err(failed(UPDATE_AUTO_SCALING_GROUP)).map(drop)
    }
}

fn now(from: &types::AutoScalingGroup) -> GroupNow {
    let mut instances: Vec<_> = from.instances().iter().filter_map(instance).collect();
    instances.sort();
    GroupNow {
        launch: convert::launch(from),
        instances,
        desired: from.desired_capacity().unwrap_or_default(),
        tags: convert::tags(from.tags()),
    }
}

fn instance(from: &types::Instance) -> Option<GroupInstance> {
    Some(GroupInstance {
        id: convert::instance_id(from)?,
        lifecycle: from.lifecycle_state().map_or("", |state| state.as_str()).to_owned(),
        healthy: from.health_status().is_some_and(|status| status.eq_ignore_ascii_case("healthy")),
        template: from.launch_template().and_then(convert::reference),
    })
}
