//! `DescribeInstances`.

use std::collections::HashSet;

use super::{Call, Sizes, instance_xml, modify_options, page, well_formed};
use crate::ids;
use crate::wire::error::ApiError;
use crate::wire::filter::{self, Filter, Values};
use crate::wire::query::Params;
use crate::wire::time::iso;
use crate::wire::xml::Xml;
use crate::world::{Account, Instance, InstanceId, Launch, Region};

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
    let visible = |instance: &Instance| managed || instance.launch.operator.is_none();
    let instances: Vec<&Instance> = if ids.is_empty() {
        call.region.instances.iter().filter(|instance| visible(instance)).collect()
    } else if paged {
        return Err(ApiError::bad(
            "InvalidParameterCombination",
            "The parameter instancesSet cannot be used with the parameter maxResults",
        ));
    } else {
        by_ids(call.region, &ids, visible)?
    };
    let instances =
        matching(instances, &filters, |name, instance| values(name, instance, call.account, call.region));
    let (instances, next) = if ids.is_empty() { page.of(&instances) } else { (&instances[..], None) };
    modify_options::saw(call, instances);
    instance_xml::reservations(xml, instances, call);
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
    let mut wanted: HashSet<InstanceId> = ids.iter().filter_map(|id| InstanceId::parse(id)).collect();
    // Each that is found is no longer wanted.
    let found: Vec<&Instance> =
        region.instances.iter().filter(|one| wanted.contains(&one.id) && visible(one)).collect();
    for instance in &found {
        wanted.remove(&instance.id);
    }
    let is_missing = |id: &&str| InstanceId::parse(id).is_none_or(|id| wanted.contains(&id));
    let missing: Vec<&str> = ids.iter().map(String::as_str).filter(is_missing).collect();
    match missing.as_slice() {
        [] => Ok(found),
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

/// Those that match all filters. What instances of a launch have in common is looked at once for all of them.
pub fn matching<'r>(
    instances: Vec<&'r Instance>,
    filters: &[Filter],
    values: impl Fn(&str, &'r Instance) -> Values<'r>,
) -> Vec<&'r Instance> {
    if filters.is_empty() {
        return instances;
    }
    let mut found = Vec::with_capacity(instances.len());
    for launched in instances.chunk_by(|one, other| instance_xml::alike(one, other)) {
        let first = launched[0];
        let (common, own): (Vec<&Filter>, Vec<&Filter>) =
            filters.iter().partition(|filter| is_common(&filter.name, &first.launch));
        if filter::matches(common, |name| values(name, first)) {
            let matches = |instance: &&&'r Instance| {
                filter::matches(own.iter().copied(), |name| values(name, instance))
            };
            found.extend(launched.iter().filter(matches));
        }
    }
    found
}

/// Have all instances of a launch the same under this filter?
fn is_common(name: &str, launch: &Launch) -> bool {
    match name {
        "tag-key" | "image-id" | "instance-lifecycle" | "operator.managed" | "vpc-id" => true,
        "tag-value" => launch.own_tag.is_none(),
        name => name
            .strip_prefix("tag:")
            .is_some_and(|key| launch.own_tag.as_ref().is_none_or(|own| own.key != key)),
    }
}

/// What an instance has under `tag-key`, `tag-value` and `tag:KEY`; none of these is `None`.
pub fn tag_values<'r>(instance: &'r Instance, name: &str) -> Option<Values<'r>> {
    let mut values = filter::of_tags(&instance.launch.tags, name)?;
    if let (Some(own), Some(value)) = (&instance.launch.own_tag, instance.own_tag_value()) {
        match name {
            "tag-key" => values.extend(filter::one(own.key.as_str())),
            "tag-value" => values.extend(filter::made(value)),
            name if name.strip_prefix("tag:") == Some(&own.key) => values.extend(filter::made(value)),
            _ => {}
        }
    }
    Some(values)
}

fn values<'a>(name: &str, instance: &'a Instance, account: &'a Account, region: &'a Region) -> Values<'a> {
    if let Some(values) = tag_values(instance, name) {
        return values;
    }
    let launch = &instance.launch;
    if let Some(option) = name.strip_prefix("metadata-options.") {
        return option_values(option, instance);
    }
    match name {
        "architecture" => {
            filter::one(region.images.get(&launch.image).map(|image| image.architecture.as_str()))
        }
        "availability-zone" => filter::one(instance.zone()),
        "iam-instance-profile.arn" => launch
            .profile
            .as_deref()
            .map(|profile| filter::made(instance_xml::profile_arn(account, profile)))
            .unwrap_or_default(),
        "image-id" => filter::one(launch.image.as_str()),
        "instance-id" => filter::made(instance.id),
        "instance-lifecycle" => filter::one(launch.spot.then_some("spot")),
        "instance-state-code" => filter::made(instance.state.name_and_code().1),
        "instance-state-name" => filter::one(instance.state.as_str()),
        "instance-type" => filter::one(instance.instance_type()),
        "instance.group-id" => filter::one(launch.security_group.as_str()),
        "launch-time" => filter::made(iso(instance.launched)),
        "operator.managed" => filter::made(launch.operator.is_some()),
        "operator.principal" => filter::one(launch.operator.as_deref()),
        "owner-id" => filter::one(account.id.as_str()),
        "private-dns-name" => filter::made(instance_xml::dns_name(instance)),
        "private-ip-address" => filter::made(instance.private_ip('.')),
        "reservation-id" => filter::made(reservation_id(instance)),
        "subnet-id" => filter::one(instance.subnet()),
        "vpc-id" => filter::one(launch.vpc.as_str()),
        _ => Values::new(),
    }
}

fn reservation_id(instance: &Instance) -> String {
    let mut id = String::new();
    ids::write_ec2(&mut id, "r", instance.reservation);
    id
}

fn option_values<'a>(name: &str, instance: &Instance) -> Values<'a> {
    let options = &instance.options;
    match name {
        "http-endpoint" => filter::one(options.http_endpoint.as_str()),
        "http-protocol-ipv6" => filter::one(options.http_protocol_ipv6.as_str()),
        "http-put-response-hop-limit" => filter::made(options.hop_limit),
        "http-tokens" => filter::one(options.http_tokens.as_str()),
        "instance-metadata-tags" => filter::one(options.instance_metadata_tags.as_str()),
        "state" => filter::one(instance.options_state()),
        _ => Values::new(),
    }
}
