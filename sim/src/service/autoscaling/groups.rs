//! `DescribeAutoScalingGroups`.

use std::collections::HashMap;

use super::{Call, by_id, instance, is_member, page};
use crate::wire::error::ApiError;
use crate::wire::filter::Filter;
use crate::wire::query::Params;
use crate::wire::time::iso;
use crate::wire::xml::Xml;
use crate::world::{
    Group, Instance, InstanceId, InstanceRequirements, LaunchSource, MixedInstances, Override,
    TemplateSpecification, WarmPool,
};

/// `DescribeAutoScalingGroups`.
pub fn describe(call: &Call<'_>, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let question = params.question();
    let page = page(call, "DescribeAutoScalingGroups", 50, 100, &question, &mut params)?;
    let names = params.list("AutoScalingGroupNames");
    let filters = params.filters()?;
    let with_instances = params.flag("IncludeInstances")?.unwrap_or(true);
    // No group here is managed by another service: nothing to leave out.
    params.flag("IncludeManagedResources")?;
    params.finish()?;
    known(&filters)?;
    let groups: Vec<&Group> = call
        .region
        .groups
        .values()
        .filter(|group| names.is_empty() || names.contains(&group.name))
        .filter(|group| filters.iter().all(|filter| matches(filter, group)))
        .collect();
    let (groups, next) = page.of(&groups);
    let instances = by_id(call.region);
    xml.list("AutoScalingGroups", "member", groups, |xml, group| {
        write(xml, group, with_instances.then_some(&instances));
    });
    xml.optional("NextToken", next.as_deref());
    Ok(())
}

fn known(filters: &[Filter]) -> Result<(), ApiError> {
    for filter in filters {
        if !matches!(filter.name.as_str(), "tag-key" | "tag-value") && !filter.name.starts_with("tag:") {
            return Err(ApiError::bad(
                "ValidationError",
                format!(
                    "Filter type {} is not correct. Allowed Filter types are: tag-key, tag-value, tag:<key>",
                    filter.name
                ),
            ));
        }
    }
    Ok(())
}

/// Values are compared as they are: there are no wildcards here.
fn matches(filter: &Filter, group: &Group) -> bool {
    group.tags.iter().any(|tag| match filter.name.as_str() {
        "tag-key" => filter.values.contains(&tag.key),
        "tag-value" => filter.values.contains(&tag.value),
        name => name.strip_prefix("tag:") == Some(&tag.key) && filter.values.contains(&tag.value),
    })
}

fn write(xml: &mut Xml, group: &Group, instances: Option<&HashMap<InstanceId, &Instance>>) {
    xml.text("AutoScalingGroupName", &group.name);
    xml.text("AutoScalingGroupARN", &group.arn);
    match &group.source {
        LaunchSource::Template(template) => {
            xml.element("LaunchTemplate", |xml| specification(xml, template));
        }
        LaunchSource::LaunchConfiguration(name) => xml.text("LaunchConfigurationName", name),
        LaunchSource::Mixed(policy) => xml.element("MixedInstancesPolicy", |xml| mixed(xml, policy)),
    }
    xml.value("MinSize", group.min);
    xml.value("MaxSize", group.max);
    xml.value("DesiredCapacity", group.desired);
    xml.value("DefaultCooldown", 300);
    xml.texts("AvailabilityZones", "member", &group.zones);
    xml.list("LoadBalancerNames", "member", [(); 0], |_, ()| {});
    xml.list("TargetGroupARNs", "member", [(); 0], |_, ()| {});
    xml.text("HealthCheckType", "EC2");
    xml.value("HealthCheckGracePeriod", 15);
    if let Some(instances) = instances {
        let members =
            group.instances.iter().filter_map(|id| instances.get(id)).filter(|member| is_member(member));
        xml.list("Instances", "member", members, |xml, member| instance(xml, group, member, false));
    }
    xml.text("CreatedTime", &iso(group.created));
    xml.list("SuspendedProcesses", "member", [(); 0], |_, ()| {});
    xml.text("VPCZoneIdentifier", &group.subnets.join(","));
    xml.list("EnabledMetrics", "member", [(); 0], |_, ()| {});
    xml.list("Tags", "member", &group.tags, |xml, tag| {
        xml.text("ResourceId", &group.name);
        xml.text("ResourceType", "auto-scaling-group");
        xml.text("Key", &tag.key);
        xml.text("Value", &tag.value);
        xml.value("PropagateAtLaunch", tag.propagate);
    });
    xml.list("TerminationPolicies", "member", ["Default"], Xml::plain);
    xml.value("NewInstancesProtectedFromScaleIn", false);
    xml.value("CapacityRebalance", false);
    if let Some(pool) = &group.warm_pool {
        xml.element("WarmPoolConfiguration", |xml| warm_pool(xml, pool));
        xml.value("WarmPoolSize", pool.instances.len());
    }
    xml.list("TrafficSources", "member", [(); 0], |_, ()| {});
}

/// A warm pool's own settings.
pub fn warm_pool(xml: &mut Xml, pool: &WarmPool) {
    xml.value("MinSize", pool.min_size);
    xml.text("PoolState", &pool.state);
}

/// A template as a group names it.
pub fn specification(xml: &mut Xml, template: &TemplateSpecification) {
    xml.text("LaunchTemplateId", &template.id);
    xml.text("LaunchTemplateName", &template.name);
    xml.text("Version", &template.version);
}

/// A mixed instances policy.
pub fn mixed(xml: &mut Xml, policy: &MixedInstances) {
    xml.element("LaunchTemplate", |xml| {
        xml.element("LaunchTemplateSpecification", |xml| specification(xml, &policy.template));
        xml.list("Overrides", "member", &policy.overrides, one_override);
    });
    xml.element("InstancesDistribution", |xml| {
        xml.text("OnDemandAllocationStrategy", "prioritized");
        xml.value("OnDemandBaseCapacity", policy.on_demand_base);
        xml.value("OnDemandPercentageAboveBaseCapacity", policy.on_demand_percent);
        xml.text("SpotAllocationStrategy", "price-capacity-optimized");
    });
}

fn one_override(xml: &mut Xml, entry: &Override) {
    xml.optional("InstanceType", entry.instance_type.as_deref());
    if let Some(weight) = entry.weight {
        xml.value("WeightedCapacity", weight);
    }
    if let Some(template) = &entry.template {
        xml.element("LaunchTemplateSpecification", |xml| specification(xml, template));
    }
    if let Some(needs) = &entry.requirements {
        xml.element("InstanceRequirements", |xml| requirements(xml, needs));
    }
}

fn requirements(xml: &mut Xml, needs: &InstanceRequirements) {
    xml.element("VCpuCount", |xml| {
        xml.value("Min", needs.vcpus_min);
        if let Some(max) = needs.vcpus_max {
            xml.value("Max", max);
        }
    });
    xml.element("MemoryMiB", |xml| {
        xml.value("Min", needs.memory_mib_min);
        if let Some(max) = needs.memory_mib_max {
            xml.value("Max", max);
        }
    });
}
