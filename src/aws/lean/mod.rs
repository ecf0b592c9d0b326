//! Answers without what nobody reads.
//!
//! EC2 tells some sixty things of an instance, and imdsctl asks for seven. The SDK makes structures of all of them: at a
//! million instances that was half of the processor time of an audit. So what is not read is left out before the SDK
//! takes an answer apart; it remains the one that understands what is left. User data of launch templates goes the same
//! way, and is never even parsed. Only what changes something is shown whole answers.
//!
//! And since what is read of an instance is what it has in common with the others of its group, all but its id and
//! perhaps some tags, those that are alike become one before that, with all their ids: see [`fold`].
//!
//! Whatever is out of the ordinary stays as it came: see [`prune`].

mod fold;
mod prune;

use aws_sdk_ec2::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
use aws_smithy_types::body::SdkBody;

use super::operations::Task;

pub(super) use fold::BETWEEN;

/// What is read of an element.
#[derive(Clone, Copy, Debug)]
enum Keep {
    /// All that is in it.
    All,
    /// Of the elements right below it only these, as far as each says.
    Only(&'static [(&'static str, Keep)]),
    /// The same, and of those that then differ in the text of one element alone, the first, with the texts of all.
    Alike(&'static str, &'static [(&'static str, Keep)]),
}

/// Elements that are read, each with those inside it that are, or wholly; `but` names what may differ in it.
macro_rules! keep {
    ([] []) => { Keep::All };
    ([] [$($inside:tt)+]) => { Keep::Only(keep!(@ $($inside)+)) };
    ([$key:ident] [$($inside:tt)+]) => { Keep::Alike(stringify!($key), keep!(@ $($inside)+)) };
    (@ $($name:ident $(but $key:ident)? $({ $($inside:tt)+ })?),+ $(,)?) => {
        &[$((stringify!($name), keep!([$($key)?] [$($($inside)+)?]))),+]
    };
    ($($inside:tt)+) => { keep!([] [$($inside)+]) };
}

/// What [`super::convert`] reads of the answers that are large. A test holds that it gets all it asks for.
fn keep(operation: &str) -> Option<Keep> {
    Some(match operation {
        "DescribeInstances" => keep! {
            nextToken,
            reservationSet { item { instancesSet { item but instanceId {
                instanceId, imageId, instanceType, instanceState, metadataOptions, operator, tagSet,
            } } } },
        },
        "DescribeLaunchTemplateVersions" => keep! {
            nextToken,
            launchTemplateVersionSet { item {
                launchTemplateId, launchTemplateName, versionNumber, defaultVersion, createdBy,
                launchTemplateData { imageId, metadataOptions },
            } },
        },
        "DescribeAutoScalingGroups" => keep! {
            DescribeAutoScalingGroupsResult {
                NextToken,
                AutoScalingGroups { member {
                    AutoScalingGroupName, AutoScalingGroupARN, Tags,
                    LaunchConfigurationName, LaunchTemplate, MixedInstancesPolicy, WarmPoolConfiguration,
                    Instances { member { InstanceId, LifecycleState } },
                } },
            },
        },
        _ => return None,
    })
}

/// Has the SDK parse only what is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lean(Task);

impl Lean {
    /// For clients of a task. What changes something is shown all of it, since it has to send back, or compare, what
    /// nobody else reads.
    pub const fn of(task: Task) -> Self {
        Self(task)
    }
}

impl Intercept for Lean {
    fn name(&self) -> &'static str {
        "Lean"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if matches!(self.0, Task::Rehearse | Task::Remediate) {
            return Ok(());
        }
        let operation = config.load::<Metadata>().map_or("", Metadata::name);
        if let Some(lean) = keep(operation).and_then(|keep| pruned(context.response(), keep)) {
            *context.response_mut().body_mut() = SdkBody::from(lean);
        }
        Ok(())
    }
}

fn pruned(response: &HttpResponse, keep: Keep) -> Option<String> {
    let body = response.body().bytes().filter(|_| response.status().is_success())?;
    prune::pruned(std::str::from_utf8(body).ok()?, keep)
}

#[cfg(test)]
mod tests;
