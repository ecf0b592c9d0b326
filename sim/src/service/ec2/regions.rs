//! `DescribeRegions`.

use super::Call;
use crate::regions::dns_suffix;
use crate::wire::error::ApiError;
use crate::wire::filter;
use crate::wire::query::Params;
use crate::wire::xml::Xml;
use crate::world::OptIn;

/// `DescribeRegions`.
pub fn describe(call: &Call<'_>, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let all = params.flag("AllRegions")?.unwrap_or(false);
    let names = params.list("RegionName");
    let filters = params.filters()?;
    params.finish()?;
    filter::known(&filters, &["endpoint", "opt-in-status", "region-name"])?;
    for name in &names {
        if !call.account.regions.contains_key(name) {
            return Err(ApiError::bad(
                "InvalidParameterValue",
                format!("Invalid region name: {name}. The region does not exist"),
            ));
        }
    }
    let suffix = dns_suffix(&call.account.partition);
    let endpoint = |name: &str| format!("ec2.{name}.{suffix}");
    let regions = call.account.regions.iter().filter(|(name, region)| {
        // Those that are asked for by name are shown, enabled or not.
        let chosen =
            if names.is_empty() { all || region.opt_in != OptIn::NotOptedIn } else { names.contains(name) };
        chosen
            && filter::matches(&filters, |filter| match filter {
                "endpoint" => filter::made(endpoint(name)),
                "opt-in-status" => filter::one(region.opt_in.as_str()),
                _ => filter::one(name.as_str()),
            })
    });
    xml.list("regionInfo", "item", regions, |xml, (name, region)| {
        xml.text("regionName", name);
        xml.text("regionEndpoint", &endpoint(name));
        xml.text("optInStatus", region.opt_in.as_str());
    });
    Ok(())
}
