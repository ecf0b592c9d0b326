//! EC2.

mod defaults;
mod image_metadata;
mod images;
mod instance_attribute;
mod instance_xml;
mod instances;
mod nothing;
mod regions;
mod settings;
mod template_versions;
mod templates;

use super::{Access, Call, QueryOperation};
use crate::wire::error::ApiError;
use crate::wire::page::Page;
use crate::wire::query::Params;
use crate::wire::xml::Xml;
use crate::world::{MetadataOptions, Switch, Tags, Tokens};

/// Every operation.
pub const OPERATIONS: &[QueryOperation] = &[
    QueryOperation { name: "DescribeRegions", access: Access::Any, run: regions::describe },
    QueryOperation { name: "DescribeInstances", access: Access::Any, run: instances::describe },
    QueryOperation {
        name: "DescribeInstanceImageMetadata",
        access: Access::Any,
        run: image_metadata::describe,
    },
    QueryOperation { name: "DescribeImages", access: Access::Any, run: images::describe },
    QueryOperation { name: "DescribeLaunchTemplates", access: Access::Any, run: templates::describe },
    QueryOperation {
        name: "DescribeLaunchTemplateVersions",
        access: Access::Any,
        run: template_versions::describe,
    },
    QueryOperation { name: "GetInstanceMetadataDefaults", access: Access::Any, run: defaults::get },
    // What other tools ask besides, before they judge anything.
    QueryOperation {
        name: "DescribeInstanceAttribute",
        access: Access::On(instance_attribute::arn),
        run: instance_attribute::describe,
    },
    QueryOperation { name: "GetEbsEncryptionByDefault", access: Access::Any, run: settings::ebs_encryption },
    QueryOperation {
        name: "GetImageBlockPublicAccessState",
        access: Access::Any,
        run: settings::public_images,
    },
    QueryOperation {
        name: "GetSnapshotBlockPublicAccessState",
        access: Access::Any,
        run: settings::public_snapshots,
    },
    QueryOperation { name: "DescribeAddresses", access: Access::Any, run: nothing::addresses },
    QueryOperation {
        name: "DescribeClientVpnEndpoints",
        access: Access::Any,
        run: nothing::client_vpn_endpoints,
    },
    QueryOperation { name: "DescribeNetworkAcls", access: Access::Any, run: nothing::network_acls },
    QueryOperation {
        name: "DescribeNetworkInterfaces",
        access: Access::Any,
        run: nothing::network_interfaces,
    },
    QueryOperation { name: "DescribeSecurityGroups", access: Access::Any, run: nothing::security_groups },
    QueryOperation { name: "DescribeSnapshots", access: Access::Any, run: nothing::snapshots },
    QueryOperation { name: "DescribeTransitGateways", access: Access::Any, run: nothing::transit_gateways },
    QueryOperation { name: "DescribeVolumes", access: Access::Any, run: nothing::volumes },
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

/// `i-…`: a prefix, and eight or seventeen hex digits.
fn well_formed(id: &str, prefix: &str) -> bool {
    id.strip_prefix(prefix).is_some_and(|digits| {
        matches!(digits.len(), 8 | 17)
            && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    })
}
