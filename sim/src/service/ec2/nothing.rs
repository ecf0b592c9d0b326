//! Operations about what the simulator has none of. Scanners list these before they look at anything else; a refusal
//! would end them, so each answers as EC2 does for an account that has none.

use super::{Call, Sizes, page};
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// `DescribeAddresses`, which has no pages.
pub fn addresses(_: &Call<'_>, params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    none(params, xml, "addressesSet")
}

/// `DescribeSnapshots`.
pub fn snapshots(call: &Call<'_>, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    params.list("Owner");
    none_by_page(call, params, xml, "snapshotSet")
}

/// `DescribeClientVpnEndpoints`.
pub fn client_vpn_endpoints(call: &Call<'_>, params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    none_by_page(call, params, xml, "clientVpnEndpoint")
}

/// `DescribeNetworkAcls`.
pub fn network_acls(call: &Call<'_>, params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    none_by_page(call, params, xml, "networkAclSet")
}

/// `DescribeNetworkInterfaces`.
pub fn network_interfaces(call: &Call<'_>, params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    none_by_page(call, params, xml, "networkInterfaceSet")
}

/// `DescribeSecurityGroups`.
pub fn security_groups(call: &Call<'_>, params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    none_by_page(call, params, xml, "securityGroupInfo")
}

/// `DescribeTransitGateways`.
pub fn transit_gateways(call: &Call<'_>, params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    none_by_page(call, params, xml, "transitGatewaySet")
}

/// `DescribeVolumes`.
pub fn volumes(call: &Call<'_>, params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    none_by_page(call, params, xml, "volumeSet")
}

fn none_by_page(call: &Call<'_>, mut params: Params, xml: &mut Xml, list: &str) -> Result<(), ApiError> {
    let question = params.question();
    let sizes = Sizes { min: 5, max: 1000, default: 1000 };
    page(call, list, &sizes, &question, &mut params)?;
    none(params, xml, list)
}

/// Nothing matches any filter. Ids are refused: whoever has one expects to find something.
fn none(mut params: Params, xml: &mut Xml, list: &str) -> Result<(), ApiError> {
    params.filters()?;
    params.finish()?;
    xml.list(list, "item", [(); 0], |_, ()| {});
    Ok(())
}
