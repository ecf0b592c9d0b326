//! What a group launches from, as requests say it.

use super::invalid;
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::world::{
    InstanceRequirements, LaunchSource, MixedInstances, Override, Region, TemplateSpecification,
};

/// What a structure says to launch from: `LaunchTemplate`, `MixedInstancesPolicy`, or `LaunchConfigurationName` where
/// that is possible. `before` is the name of the structure and a dot, or nothing.
pub fn read(params: &mut Params, before: &str, region: &Region) -> Result<Option<LaunchSource>, ApiError> {
    let configuration = if before.is_empty() { params.text("LaunchConfigurationName") } else { None };
    let template = template(params, &format!("{before}LaunchTemplate."), region)?;
    let mixed = mixed(params, &format!("{before}MixedInstancesPolicy."), region)?;
    match (configuration, template, mixed) {
        (None, None, None) => Ok(None),
        (Some(name), None, None) => Ok(Some(LaunchSource::LaunchConfiguration(name))),
        (None, Some(template), None) => Ok(Some(LaunchSource::Template(template))),
        (None, None, Some(mixed)) => Ok(Some(LaunchSource::Mixed(mixed))),
        _ => Err(invalid(
            "Valid requests must contain either launch configuration name, launch template or mixed instances policy",
        )),
    }
}

fn template(
    params: &mut Params,
    before: &str,
    region: &Region,
) -> Result<Option<TemplateSpecification>, ApiError> {
    let id = params.text(&format!("{before}LaunchTemplateId"));
    let name = params.text(&format!("{before}LaunchTemplateName"));
    let version = params.text(&format!("{before}Version"));
    let found = match (&id, &name) {
        (None, None) if version.is_none() => return Ok(None),
        (Some(id), None) => region.templates.get(id),
        (None, Some(name)) => region.templates.values().find(|template| template.name == *name),
        _ => {
            return Err(invalid("Valid requests must contain either launchTemplateId or LaunchTemplateName"));
        }
    };
    let found = found.ok_or_else(|| {
        let wanted = match (id, name) {
            (Some(id), _) => format!("template ID {id}"),
            (None, name) => format!("template name {}", name.unwrap_or_default()),
        };
        invalid(format!(
            "You must use a valid fully-formed launch template. The specified launch template, with {wanted}, does not \
             exist."
        ))
    })?;
    Ok(Some(TemplateSpecification {
        id: found.id.clone(),
        name: found.name.clone(),
        version: version.unwrap_or_else(|| "$Default".to_owned()),
    }))
}

/// A policy is as a whole what the request says: overrides that it does not repeat are gone.
fn mixed(params: &mut Params, before: &str, region: &Region) -> Result<Option<MixedInstances>, ApiError> {
    let launch = format!("{before}LaunchTemplate.");
    let distribution = format!("{before}InstancesDistribution.");
    let list = format!("{launch}Overrides.member.");
    // An empty list is sent as its name alone.
    params.text(&format!("{launch}Overrides"));
    let own = template(params, &format!("{launch}LaunchTemplateSpecification."), region)?;
    let mut overrides = Vec::new();
    for number in params.members(&list) {
        overrides.push(one_override(params, &format!("{list}{number}."), region)?);
    }
    for (name, only) in [
        ("OnDemandAllocationStrategy", "prioritized"),
        ("SpotAllocationStrategy", "price-capacity-optimized"),
    ] {
        let wanted = params.text(&format!("{distribution}{name}"));
        if wanted.is_some_and(|wanted| wanted != only) {
            return Err(invalid(format!("The simulator knows no {name} but {only}")));
        }
    }
    let base = whole(params, &format!("{distribution}OnDemandBaseCapacity"))?;
    let percent = whole(params, &format!("{distribution}OnDemandPercentageAboveBaseCapacity"))?;
    match own {
        Some(template) => Ok(Some(MixedInstances {
            template,
            overrides,
            on_demand_base: base.unwrap_or(0),
            on_demand_percent: percent.unwrap_or(100),
        })),
        None if overrides.is_empty() && base.is_none() && percent.is_none() => Ok(None),
        None => Err(invalid("LaunchTemplateSpecification of the mixed instances policy must not be null")),
    }
}

fn one_override(params: &mut Params, before: &str, region: &Region) -> Result<Override, ApiError> {
    let weight = match params.text(&format!("{before}WeightedCapacity")) {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| invalid("WeightedCapacity must be a whole number"))?),
    };
    let needs = format!("{before}InstanceRequirements.");
    let (vcpus, memory) = (format!("{needs}VCpuCount."), format!("{needs}MemoryMiB."));
    let vcpus_max = whole(params, &format!("{vcpus}Max"))?;
    let memory_mib_max = whole(params, &format!("{memory}Max"))?;
    let least = (whole(params, &format!("{vcpus}Min"))?, whole(params, &format!("{memory}Min"))?);
    let requirements = match least {
        (Some(vcpus_min), Some(memory_mib_min)) => {
            Some(InstanceRequirements { vcpus_min, vcpus_max, memory_mib_min, memory_mib_max })
        }
        (None, None) if vcpus_max.is_none() && memory_mib_max.is_none() => None,
        _ => return Err(invalid("InstanceRequirements need VCpuCount.Min and MemoryMiB.Min")),
    };
    let instance_type = params.text(&format!("{before}InstanceType"));
    if instance_type.is_some() && requirements.is_some() {
        return Err(invalid("An override has either an InstanceType or InstanceRequirements"));
    }
    let template = template(params, &format!("{before}LaunchTemplateSpecification."), region)?;
    Ok(Override { instance_type, requirements, template, weight })
}

/// A number that cannot be negative.
pub fn whole(params: &mut Params, name: &str) -> Result<Option<u32>, ApiError> {
    match params.number(name)? {
        None => Ok(None),
        Some(number) => {
            u32::try_from(number).map(Some).map_err(|_| invalid(format!("{name} must not be negative")))
        }
    }
}
