//! EC2.

mod create_version;
mod defaults;
mod delete_versions;
mod fleets;
mod image_metadata;
mod images;
mod instance_attribute;
mod instance_xml;
mod instances;
mod modify_options;
mod modify_template;
mod nothing;
mod regions;
mod settings;
mod template_data;
mod template_versions;
mod templates;

use super::{Access, Call, QueryOperation, Resource};
use crate::wire::error::ApiError;
use crate::wire::page::Page;
use crate::wire::query::Params;
use crate::wire::xml::Xml;
use crate::world::{Instance, InstanceId, MetadataOptions, Switch, Tags, Tokens};

/// Every operation.
pub const OPERATIONS: &[QueryOperation] = &[
    QueryOperation::reads("DescribeRegions", Access::Any, regions::describe),
    QueryOperation::reads("DescribeInstances", Access::Any, instances::describe),
    QueryOperation::reads("DescribeInstanceImageMetadata", Access::Any, image_metadata::describe),
    QueryOperation::reads("DescribeImages", Access::Any, images::describe),
    QueryOperation::reads("DescribeLaunchTemplates", Access::Any, templates::describe),
    QueryOperation::reads("DescribeLaunchTemplateVersions", Access::Any, template_versions::describe),
    QueryOperation::reads("GetInstanceMetadataDefaults", Access::Any, defaults::get),
    QueryOperation::writes(
        "ModifyInstanceMetadataOptions",
        Access::On(modify_options::resource),
        modify_options::run,
    ),
    QueryOperation::writes(
        "CreateLaunchTemplateVersion",
        Access::On(templates::resource),
        create_version::run,
    )
    .once_by("ClientToken"),
    QueryOperation::writes(
        "DeleteLaunchTemplateVersions",
        Access::On(templates::resource),
        delete_versions::run,
    ),
    QueryOperation::writes("ModifyLaunchTemplate", Access::On(templates::resource), modify_template::run)
        .once_by("ClientToken"),
    QueryOperation::writes("ModifyInstanceMetadataDefaults", Access::Any, defaults::modify),
    QueryOperation::reads("DescribeFleets", Access::Any, fleets::describe),
    QueryOperation::reads("DescribeSpotFleetRequests", Access::Any, fleets::describe_spot),
    // What other tools ask besides, before they judge anything.
    QueryOperation::reads(
        "DescribeInstanceAttribute",
        Access::On(instance_attribute::arn),
        instance_attribute::describe,
    ),
    QueryOperation::reads("GetEbsEncryptionByDefault", Access::Any, settings::ebs_encryption),
    QueryOperation::reads("GetImageBlockPublicAccessState", Access::Any, settings::public_images),
    QueryOperation::reads("GetSnapshotBlockPublicAccessState", Access::Any, settings::public_snapshots),
    QueryOperation::reads("DescribeAddresses", Access::Any, nothing::addresses),
    QueryOperation::reads("DescribeClientVpnEndpoints", Access::Any, nothing::client_vpn_endpoints),
    QueryOperation::reads("DescribeNetworkAcls", Access::Any, nothing::network_acls),
    QueryOperation::reads("DescribeNetworkInterfaces", Access::Any, nothing::network_interfaces),
    QueryOperation::reads("DescribeSecurityGroups", Access::Any, nothing::security_groups),
    QueryOperation::reads("DescribeSnapshots", Access::Any, nothing::snapshots),
    QueryOperation::reads("DescribeTransitGateways", Access::Any, nothing::transit_gateways),
    QueryOperation::reads("DescribeVolumes", Access::Any, nothing::volumes),
];

/// What limits the size of a page.
struct Sizes {
    min: i64,
    max: i64,
    /// Without `MaxResults`; some operations then answer with everything.
    default: usize,
}

/// Takes the parameters that every list has; also says whether the client asked for pages.
fn page<'w>(
    call: &Call<'w>,
    operation: &str,
    sizes: &Sizes,
    question: &str,
    params: &mut Params,
) -> Result<(Page<'w>, bool), ApiError> {
    let asked = params.number("MaxResults")?;
    let size = match asked {
        None => sizes.default,
        Some(size) if size < sizes.min => {
            return Err(max_results(size, &format!("greater than or equal to {}", sizes.min)));
        }
        Some(size) if size > sizes.max => {
            return Err(max_results(size, &format!("less than or equal to {}", sizes.max)));
        }
        Some(size) => usize::try_from(size).unwrap_or(sizes.default),
    };
    let token = params.text("NextToken");
    let page = call.page(operation, size, token.as_deref(), question).ok_or_else(|| {
        ApiError::bad("InvalidPaginationToken", "The specified pagination token is not valid")
    })?;
    Ok((page, asked.is_some() || token.is_some()))
}

fn max_results(size: i64, must: &str) -> ApiError {
    ApiError::bad(
        "InvalidParameterValue",
        format!("Value ( {size} ) for parameter maxResults is invalid. Expecting a value {must}."),
    )
}

fn tag_set(xml: &mut Xml, tags: &Tags) {
    xml.list("tagSet", "item", tags, |xml, (key, value)| {
        xml.text("key", key);
        xml.text("value", value);
    });
}

/// A resource that a service manages is hidden from whoever does not ask for it.
fn operator<H>(xml: &mut Xml<H>, operator: Option<&str>) {
    xml.element("operator", |xml| match operator {
        None => xml.value("managed", false),
        Some(principal) => {
            xml.value("managed", true);
            xml.text("principal", principal);
            xml.value("hiddenByDefault", true);
        }
    });
}

/// An instance as policies see it.
fn instance_resource(call: &Call<'_>, id: &str) -> Resource {
    let wanted = InstanceId::parse(id);
    let instance = call.region.instances.iter().find(|instance| Some(instance.id) == wanted);
    Resource {
        arn: call.account.arn("ec2", call.region_name, &format!("instance/{id}")),
        tags: instance.map(Instance::tags).unwrap_or_default(),
    }
}

/// Only what is set: a template does not know defaults.
fn metadata_options_set(xml: &mut Xml, options: MetadataOptions) {
    xml.element("metadataOptions", |xml| {
        xml.optional("httpTokens", options.http_tokens.map(Tokens::as_str));
        if let Some(limit) = options.hop_limit {
            xml.value("httpPutResponseHopLimit", limit);
        }
        xml.optional("httpEndpoint", options.http_endpoint.map(Switch::as_str));
        xml.optional("httpProtocolIpv6", options.http_protocol_ipv6.map(Switch::as_str));
        xml.optional("instanceMetadataTags", options.instance_metadata_tags.map(Switch::as_str));
    });
}

/// The values of `HttpTokens`.
const TOKENS: [(&str, Tokens); 2] = [("optional", Tokens::Optional), ("required", Tokens::Required)];

/// The values of a switch.
const SWITCH: [(&str, Switch); 2] = [("enabled", Switch::Enabled), ("disabled", Switch::Disabled)];

/// A parameter that is one of two words.
fn choice<T: Copy>(
    params: &mut Params,
    name: &str,
    values: [(&'static str, T); 2],
) -> Result<Option<T>, ApiError> {
    let Some(text) = params.text(name) else { return Ok(None) };
    match values.iter().find(|(word, _)| *word == text) {
        Some((_, value)) => Ok(Some(*value)),
        None => Err(ApiError::bad(
            "InvalidParameterValue",
            format!(
                "Value ({text}) for parameter {name} is invalid. Valid values: {} | {}",
                values[0].0, values[1].0
            ),
        )),
    }
}

/// A hop limit, 1 to 64.
fn hop_limit(params: &mut Params, name: &str) -> Result<Option<u8>, ApiError> {
    match params.number(name)? {
        None => Ok(None),
        Some(limit @ 1..=64) => Ok(u8::try_from(limit).ok()),
        Some(limit) => Err(ApiError::bad(
            "InvalidParameterValue",
            format!("Value ({limit}) for parameter {name} is invalid. It can be 1 to 64."),
        )),
    }
}

fn missing(name: &str) -> ApiError {
    ApiError::bad("MissingParameter", format!("The request must contain the parameter {name}"))
}

/// `i-…`: a prefix, and eight or seventeen hex digits.
fn well_formed(id: &str, prefix: &str) -> bool {
    id.strip_prefix(prefix).is_some_and(|digits| {
        matches!(digits.len(), 8 | 17)
            && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    })
}
