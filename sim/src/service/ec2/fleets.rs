//! `DescribeFleets` and `DescribeSpotFleetRequests`.

use super::{Call, Sizes, page, tag_set};
use crate::wire::error::ApiError;
use crate::wire::filter::{self, Values};
use crate::wire::query::Params;
use crate::wire::time::iso;
use crate::wire::xml::Xml;
use crate::world::{Fleet, FleetTemplate, FleetType};

const FILTERS: &[&str] = &[
    "activity-status",
    "excess-capacity-termination-policy",
    "fleet-state",
    "replace-unhealthy-instances",
    "type",
];

const SIZES: Sizes = Sizes { min: 1, max: 1000, default: 1000 };

/// `DescribeFleets`. Those of the type `instant` are shown only to who asks for their ids.
pub fn describe(call: &Call<'_>, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let question = params.question();
    let (page, _) = page(call, "DescribeFleets", &SIZES, &question, &mut params)?;
    let ids = params.list("FleetId");
    let filters = params.filters()?;
    params.finish()?;
    filter::known(&filters, FILTERS)?;
    let mut fleets = by_ids(&call.region.fleets, &ids, "InvalidFleetId.NotFound")?;
    fleets.retain(|fleet| !ids.is_empty() || fleet.kind != FleetType::Instant);
    fleets.retain(|fleet| filter::matches(&filters, |name| values(name, fleet)));
    let (fleets, next) = page.of(&fleets);
    xml.list("fleetSet", "item", fleets, |xml, fleet| write(xml, fleet));
    xml.optional("nextToken", next.as_deref());
    Ok(())
}

/// `DescribeSpotFleetRequests`.
pub fn describe_spot(call: &Call<'_>, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let question = params.question();
    let (page, _) = page(call, "DescribeSpotFleetRequests", &SIZES, &question, &mut params)?;
    let ids = params.list("SpotFleetRequestId");
    params.finish()?;
    let fleets = by_ids(&call.region.spot_fleets, &ids, "InvalidSpotFleetRequestId.NotFound")?;
    let (fleets, next) = page.of(&fleets);
    xml.list("spotFleetRequestConfigSet", "item", fleets, |xml, fleet| write_spot(xml, fleet, call));
    xml.optional("nextToken", next.as_deref());
    Ok(())
}

fn by_ids<'r>(fleets: &'r [Fleet], ids: &[String], code: &str) -> Result<Vec<&'r Fleet>, ApiError> {
    if let Some(missing) = ids.iter().find(|id| !fleets.iter().any(|fleet| fleet.id == **id)) {
        return Err(ApiError::bad(code, format!("The fleet ID '{missing}' does not exist")));
    }
    Ok(fleets.iter().filter(|fleet| ids.is_empty() || ids.contains(&fleet.id)).collect())
}

fn values<'a>(name: &str, fleet: &'a Fleet) -> Values<'a> {
    match name {
        "activity-status" => filter::one("fulfilled"),
        "excess-capacity-termination-policy" => filter::one("termination"),
        "fleet-state" => filter::one(fleet.state.as_str()),
        "replace-unhealthy-instances" => filter::one("false"),
        _ => filter::one(fleet.kind.as_str()),
    }
}

fn write(xml: &mut Xml, fleet: &Fleet) {
    xml.text("activityStatus", "fulfilled");
    xml.text("createTime", &iso(fleet.created));
    xml.text("fleetId", &fleet.id);
    xml.text("fleetState", &fleet.state);
    xml.text("excessCapacityTerminationPolicy", "termination");
    xml.value("fulfilledCapacity", format_args!("{}.0", fleet.capacity));
    let on_demand = if fleet.on_demand { fleet.capacity } else { 0 };
    xml.value("fulfilledOnDemandCapacity", format_args!("{on_demand}.0"));
    templates(xml, &fleet.templates);
    xml.element("targetCapacitySpecification", |xml| {
        xml.value("totalTargetCapacity", fleet.capacity);
        xml.value("onDemandTargetCapacity", on_demand);
        xml.value("spotTargetCapacity", fleet.capacity - on_demand);
        xml.text("defaultTargetCapacityType", if fleet.on_demand { "on-demand" } else { "spot" });
    });
    xml.value("terminateInstancesWithExpiration", false);
    xml.text("type", fleet.kind.as_str());
    xml.value("replaceUnhealthyInstances", false);
    tag_set(xml, &fleet.tags);
}

fn write_spot(xml: &mut Xml, fleet: &Fleet, call: &Call<'_>) {
    let (partition, account) = (&call.account.partition, &call.account.id);
    xml.text("activityStatus", "fulfilled");
    xml.text("createTime", &iso(fleet.created));
    xml.element("spotFleetRequestConfig", |xml| {
        xml.text("allocationStrategy", "lowestPrice");
        xml.text("excessCapacityTerminationPolicy", "default");
        xml.value("fulfilledCapacity", format_args!("{}.0", fleet.capacity));
        let role = format!("arn:{partition}:iam::{account}:role/aws-ec2-spot-fleet-tagging-role");
        xml.text("iamFleetRole", &role);
        templates(xml, &fleet.templates);
        xml.value("targetCapacity", fleet.capacity);
        xml.value("terminateInstancesWithExpiration", false);
        xml.text("type", fleet.kind.as_str());
        xml.value("replaceUnhealthyInstances", false);
    });
    xml.text("spotFleetRequestId", &fleet.id);
    xml.text("spotFleetRequestState", &fleet.state);
    tag_set(xml, &fleet.tags);
}

fn templates(xml: &mut Xml, templates: &[FleetTemplate]) {
    xml.list("launchTemplateConfigs", "item", templates, |xml, used| {
        xml.element("launchTemplateSpecification", |xml| {
            xml.text("launchTemplateId", &used.template.id);
            xml.text("launchTemplateName", &used.template.name);
            xml.text("version", &used.template.version);
        });
        xml.list("overrides", "item", &used.instance_types, |xml, one| xml.text("instanceType", one));
    });
}
