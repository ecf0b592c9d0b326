//! `DescribeInstances`.

use std::collections::{BTreeSet, HashMap};

use super::{Call, Sizes, instance_xml, page, well_formed};
use crate::wire::error::ApiError;
use crate::wire::filter::{self, Filter, Values};
use crate::wire::query::Params;
use crate::wire::time::iso;
use crate::wire::xml::Xml;
use crate::world::{Account, Instance, Region};

/// The filters that the simulator has, of the many that EC2 has.
const FILTERS: &[&str] = &[
    "architecture",
    "availability-zone",
    "iam-instance-profile.arn",
    "image-id",
    "instance-id",
    "instance-lifecycle",
    "instance-state-code",
    "instance-state-name",
    "instance-type",
    "instance.group-id",
    "launch-time",
    "metadata-options.http-endpoint",
    "metadata-options.http-protocol-ipv6",
    "metadata-options.http-put-response-hop-limit",
    "metadata-options.http-tokens",
    "metadata-options.instance-metadata-tags",
    "metadata-options.state",
    "operator.managed",
    "operator.principal",
    "owner-id",
    "private-dns-name",
    "private-ip-address",
    "reservation-id",
    "subnet-id",
    "tag-key",
    "tag-value",
    "tag:",
    "vpc-id",
];

/// `DescribeInstances`.
pub fn describe(call: &Call<'_>, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let question = params.question();
    let sizes = Sizes { min: 5, max: 1000, default: usize::MAX };
    let (page, paged) = page(call, "DescribeInstances", &sizes, &question, &mut params)?;
    let ids = params.list("InstanceId");
    let filters = params.filters()?;
    let managed = params.flag("IncludeManagedResources")?.unwrap_or(false);
    params.finish()?;
    filter::known(&filters, FILTERS)?;
    let visible = |instance: &Instance| managed || instance.operator.is_none();
    let mut instances: Vec<&Instance> = if ids.is_empty() {
        call.region.instances.iter().filter(|instance| visible(instance)).collect()
    } else if paged {
        return Err(ApiError::bad(
            "InvalidParameterCombination",
            "The parameter instancesSet cannot be used with the parameter maxResults",
        ));
    } else {
        by_ids(call.region, &ids, visible)?
    };
    instances.retain(|instance| matches(&filters, instance, call.account, call.region));
    let (instances, next) = if ids.is_empty() { page.of(&instances) } else { (&instances[..], None) };
    let reservations = instances.chunk_by(|one, other| one.reservation == other.reservation);
    xml.list("reservationSet", "item", reservations, |xml, launched| {
        instance_xml::reservation(xml, launched, call);
    });
    xml.optional("nextToken", next.as_deref());
    Ok(())
}

/// The instances with these ids, in the order in which the Region has them; AWS names all that are missing.
pub fn by_ids<'r>(
    region: &'r Region,
    ids: &[String],
    visible: impl Fn(&Instance) -> bool,
) -> Result<Vec<&'r Instance>, ApiError> {
    if let Some(malformed) = ids.iter().find(|id| !well_formed(id, "i-")) {
        return Err(ApiError::bad("InvalidInstanceID.Malformed", format!("Invalid id: \"{malformed}\"")));
    }
    if ids.len() > 1000 {
        return Err(ApiError::bad(
            "InvalidParameterValue",
            "No more than 1000 instance IDs can be described in one request",
        ));
    }
    let places: HashMap<&str, usize> = (0..)
        .zip(&region.instances)
        .filter(|(_, instance)| visible(instance))
        .map(|(place, instance)| (instance.id.as_str(), place))
        .collect();
    let missing: Vec<&str> = ids.iter().map(String::as_str).filter(|id| !places.contains_key(id)).collect();
    match missing.as_slice() {
        [] => {
            let found: BTreeSet<usize> =
                ids.iter().filter_map(|id| places.get(id.as_str()).copied()).collect();
            Ok(found.into_iter().map(|place| &region.instances[place]).collect())
        }
        [one] => Err(ApiError::bad(
            "InvalidInstanceID.NotFound",
            format!("The instance ID '{one}' does not exist"),
        )),
        several => Err(ApiError::bad(
            "InvalidInstanceID.NotFound",
            format!("The instance IDs '{}' do not exist", several.join(", ")),
        )),
    }
}

fn matches(filters: &[Filter], instance: &Instance, account: &Account, region: &Region) -> bool {
    filter::matches(filters, |name| values(name, instance, account, region))
}

fn values<'a>(name: &str, instance: &'a Instance, account: &'a Account, region: &'a Region) -> Values<'a> {
    if let Some(values) = filter::of_tags(&instance.tags, name) {
        return values;
    }
    if let Some(option) = name.strip_prefix("metadata-options.") {
        return option_values(option, instance);
    }
    match name {
        "architecture" => {
            filter::one(region.images.get(&instance.image).map(|image| image.architecture.as_str()))
        }
        "availability-zone" => filter::one(instance.zone.as_str()),
        "iam-instance-profile.arn" => instance
            .profile
            .as_deref()
            .map(|profile| filter::made(instance_xml::profile_arn(account, profile)))
            .unwrap_or_default(),
        "image-id" => filter::one(instance.image.as_str()),
        "instance-id" => filter::one(instance.id.as_str()),
        "instance-lifecycle" => filter::one(instance.spot.then_some("spot")),
        "instance-state-code" => filter::made(instance.state.name_and_code().1),
        "instance-state-name" => filter::one(instance.state.as_str()),
        "instance-type" => filter::one(instance.instance_type.as_str()),
        "instance.group-id" => filter::one(instance.security_group.as_str()),
        "launch-time" => filter::made(iso(instance.launched)),
        "operator.managed" => filter::made(instance.operator.is_some()),
        "operator.principal" => filter::one(instance.operator.as_deref()),
        "owner-id" => filter::one(account.id.as_str()),
        "private-dns-name" => filter::made(instance_xml::dns_name(instance)),
        "private-ip-address" => filter::one(instance.private_ip.as_str()),
        "reservation-id" => filter::one(instance.reservation.as_str()),
        "subnet-id" => filter::one(instance.subnet.as_str()),
        "vpc-id" => filter::one(instance.vpc.as_str()),
        _ => Values::new(),
    }
}

fn option_values<'a>(name: &str, instance: &Instance) -> Values<'a> {
    let options = &instance.options;
    match name {
        "http-endpoint" => filter::one(options.http_endpoint.as_str()),
        "http-protocol-ipv6" => filter::one(options.http_protocol_ipv6.as_str()),
        "http-put-response-hop-limit" => filter::made(options.hop_limit),
        "http-tokens" => filter::one(options.http_tokens.as_str()),
        "instance-metadata-tags" => filter::one(options.instance_metadata_tags.as_str()),
        "state" => filter::one("applied"),
        _ => Values::new(),
    }
}
