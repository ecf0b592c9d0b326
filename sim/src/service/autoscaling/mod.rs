//! Auto Scaling.

mod groups;
mod hooks;
mod launch_configurations;
mod refreshes;
mod source;
mod update;
mod warm_pool;

use std::collections::HashMap;

use super::{Access, Asked, Call, QueryOperation, Resource, launching};
use crate::wire::error::ApiError;
use crate::wire::page::Page;
use crate::wire::query::Params;
use crate::wire::xml::Xml;
use crate::world::{
    Group, GroupRefusal, Instance, InstanceId, InstanceState, LaunchSource, Launcher, Region,
};

/// Every operation.
pub const OPERATIONS: &[QueryOperation] = &[
    QueryOperation::reads("DescribeAutoScalingGroups", Access::Any, groups::describe),
    QueryOperation::reads("DescribeLaunchConfigurations", Access::Any, launch_configurations::describe),
    QueryOperation::reads("DescribeWarmPool", Access::Any, warm_pool::describe),
    QueryOperation::reads("DescribeLifecycleHooks", Access::Any, hooks::describe),
    QueryOperation::reads("DescribeInstanceRefreshes", Access::Any, refreshes::describe),
    QueryOperation::writes("UpdateAutoScalingGroup", Access::On(group_arn), update::run),
    QueryOperation::writes("StartInstanceRefresh", Access::On(group_arn), refreshes::start),
    QueryOperation::writes("CancelInstanceRefresh", Access::On(group_arn), refreshes::cancel),
    QueryOperation::writes("RollbackInstanceRefresh", Access::On(group_arn), refreshes::roll_back),
];

/// The ARN of a group has an id in the middle, which a request does not have.
fn group_arn(call: &Call<'_>, asked: &Asked<'_>) -> Resource {
    let name = asked.params.peek("AutoScalingGroupName").unwrap_or("*");
    let Some(group) = call.region.groups.get(name) else {
        let resource = format!("autoScalingGroup:*:autoScalingGroupName/{name}");
        return call.account.arn("autoscaling", call.region_name, &resource).into();
    };
    let tags = group.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
    Resource { arn: group.arn.clone(), tags }
}

/// The one parameter that every operation on a group needs.
fn group_name(params: &mut Params) -> Result<String, ApiError> {
    params.text("AutoScalingGroupName").ok_or_else(|| {
        invalid(
            "1 validation error detected: Value null at 'autoScalingGroupName' failed to satisfy constraint: Member \
             must not be null",
        )
    })
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bad("ValidationError", message)
}

/// Why a group is not changed, as Auto Scaling says it.
fn refused(group: &str, refusal: GroupRefusal) -> ApiError {
    match refusal {
        GroupRefusal::Invalid(message) => invalid(message),
        GroupRefusal::RefreshInProgress => ApiError::bad(
            "InstanceRefreshInProgress",
            "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh.",
        ),
        GroupRefusal::NoActiveRefresh => ApiError::bad(
            "ActiveInstanceRefreshNotFound",
            format!("No in progress or pending Instance Refresh found for Auto Scaling group {group}"),
        ),
        GroupRefusal::Irreversible(message) => ApiError::bad("IrreversibleInstanceRefresh", message),
    }
}

/// A group may be given only what its giver could launch from.
fn may_use(call: &Call<'_>, source: Option<&LaunchSource>) -> Result<(), ApiError> {
    for (named, data) in source.into_iter().flat_map(|source| launching::templates(call.region, source)) {
        if data.is_some_and(|data| launching::may_launch(call, data).is_err()) {
            let message = format!("You are not authorized to use launch template: {}", named.id);
            return Err(ApiError::new(403, "AccessDenied", message));
        }
    }
    Ok(())
}

/// Takes the parameters that every list has.
fn page<'w>(
    call: &Call<'w>,
    operation: &str,
    default: usize,
    max: i64,
    question: &str,
    params: &mut Params,
) -> Result<Page<'w>, ApiError> {
    let size = match params.number("MaxRecords")? {
        None => default,
        Some(size) if size < 1 => return Err(constraint(size, "greater than or equal to 1")),
        Some(size) if size > max => {
            return Err(constraint(size, &format!("less than or equal to {max}")));
        }
        Some(size) => usize::try_from(size).unwrap_or(default),
    };
    let token = params.text("NextToken");
    call.page(operation, size, token.as_deref(), question)
        .ok_or_else(|| ApiError::bad("InvalidNextToken", "The NextToken value is not valid."))
}

fn constraint(value: i64, must: &str) -> ApiError {
    ApiError::bad(
        "ValidationError",
        format!(
            "1 validation error detected: Value '{value}' at 'maxRecords' failed to satisfy constraint: \
             Member must have value {must}"
        ),
    )
}

/// The instances of a Region by id: a group knows only ids.
fn by_id(region: &Region) -> HashMap<InstanceId, &Instance> {
    region.instances.iter().map(|instance| (instance.id, instance)).collect()
}

/// An instance as its group sees it.
fn instance(xml: &mut Xml, group: &Group, instance: &Instance, warm: bool) {
    let healthy = matches!(instance.state, InstanceState::Running | InstanceState::Pending) || warm;
    xml.value("ProtectedFromScaleIn", group.protected.contains(&instance.id));
    xml.text("AvailabilityZone", instance.zone());
    xml.value("InstanceId", instance.id);
    xml.text("InstanceType", instance.instance_type());
    xml.text("HealthStatus", if healthy { "Healthy" } else { "Unhealthy" });
    let standby = group.standby.contains(&instance.id);
    xml.text("LifecycleState", if standby { "Standby" } else { lifecycle(instance.state, warm) });
    match &instance.launch.launcher {
        Launcher::Template { id, name, version } => xml.element("LaunchTemplate", |xml| {
            xml.text("LaunchTemplateId", id);
            xml.text("LaunchTemplateName", name);
            xml.value("Version", version);
        }),
        Launcher::LaunchConfiguration(name) => xml.text("LaunchConfigurationName", name),
        Launcher::Call => {}
    }
    if let LaunchSource::Mixed(policy) = &group.source {
        let weight = policy.overrides.iter().find_map(|entry| {
            entry.weight.filter(|_| entry.instance_type.as_deref() == Some(instance.instance_type()))
        });
        if let Some(weight) = weight {
            xml.value("WeightedCapacity", weight);
        }
    }
}

fn lifecycle(state: InstanceState, warm: bool) -> &'static str {
    match (warm, state) {
        (true, InstanceState::Stopped) => "Warmed:Stopped",
        (true, InstanceState::Running) => "Warmed:Running",
        (true, _) => "Warmed:Pending",
        (false, InstanceState::Pending) => "Pending",
        (false, _) => "InService",
    }
}

/// A group drops an instance when it terminates.
fn is_member(instance: &Instance) -> bool {
    !matches!(instance.state, InstanceState::Terminated | InstanceState::ShuttingDown)
}
