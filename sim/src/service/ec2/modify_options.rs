//! `ModifyInstanceMetadataOptions`.

use super::{Call, choice, instances};
use crate::progress::Thing;
use crate::service::{Asked, Resource};
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::xml::Xml;
use crate::world::{Instance, InstanceState, MetadataOptions, Region, Switch, Tokens};

/// `ModifyInstanceMetadataOptions`: what is not named stays as it is. It takes effect at once and without a restart,
/// and is `pending` for as long as the fleet says.
pub fn run(call: &Call<'_>, region: &mut Region, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let id = params.text("InstanceId").ok_or_else(|| super::missing("InstanceId"))?;
    let change = options(&mut params)?;
    params.finish()?;
    let known = instances::by_ids(call.region, std::slice::from_ref(&id), |_| true)?;
    let Some(known) = known.first() else { return Err(super::missing("InstanceId")) };
    check(call, known, change)?;
    let settling = u8::try_from(call.settings.looks_per_stage).unwrap_or(u8::MAX);
    let changed = region.instances.iter_mut().find(|instance| instance.id == known.id);
    let Some(instance) = changed else { return Err(super::missing("InstanceId")) };
    instance.options.overlay(change);
    instance.settling = settling;
    xml.value("instanceId", instance.id);
    xml.element("instanceMetadataOptions", |xml| {
        let options = &instance.options;
        xml.text("state", instance.options_state());
        xml.text("httpTokens", options.http_tokens.as_str());
        xml.value("httpPutResponseHopLimit", options.hop_limit);
        xml.text("httpEndpoint", options.http_endpoint.as_str());
        xml.text("httpProtocolIpv6", options.http_protocol_ipv6.as_str());
        xml.text("instanceMetadataTags", options.instance_metadata_tags.as_str());
    });
    Ok(())
}

/// What the operation is on, as far as a policy is concerned.
pub fn resource(call: &Call<'_>, asked: &Asked<'_>) -> Resource {
    super::instance_resource(call, asked.params.peek("InstanceId").unwrap_or("*"))
}

/// Notes which of these instances are seen with options that are still `pending`.
pub fn saw(call: &Call<'_>, instances: &[&Instance]) {
    for instance in instances.iter().filter(|instance| instance.settling > 0) {
        call.saw(Thing::MetadataOptions(instance.id));
    }
}

fn options(params: &mut Params) -> Result<MetadataOptions, ApiError> {
    Ok(MetadataOptions {
        http_tokens: choice(params, "HttpTokens", super::TOKENS)?,
        hop_limit: super::hop_limit(params, "HttpPutResponseHopLimit")?,
        http_endpoint: choice(params, "HttpEndpoint", super::SWITCH)?,
        http_protocol_ipv6: choice(params, "HttpProtocolIpv6", super::SWITCH)?,
        instance_metadata_tags: choice(params, "InstanceMetadataTags", super::SWITCH)?,
    })
}

fn check(call: &Call<'_>, instance: &Instance, change: MetadataOptions) -> Result<(), ApiError> {
    if let Some(operator) = &instance.launch.operator {
        return Err(ApiError::bad(
            "UnsupportedOperation",
            format!("The instance '{}' is managed by {operator}, and cannot be modified.", instance.id),
        ));
    }
    if !matches!(instance.state, InstanceState::Running | InstanceState::Stopped) {
        return Err(ApiError::bad(
            "IncorrectInstanceState",
            format!(
                "The instance '{}' is not in a state from which its options can be modified.",
                instance.id
            ),
        ));
    }
    let enforced = call.region.account_defaults.http_tokens_enforced == Some(Switch::Enabled);
    if enforced && change.http_tokens == Some(Tokens::Optional) {
        return Err(ApiError::bad("UnsupportedOperation", ENFORCED));
    }
    if change.instance_metadata_tags == Some(Switch::Enabled) {
        let tags = instance.tags();
        let unfit = tags.keys().find(|key| key.contains(['/', ' ']) || matches!(key.as_str(), "." | ".."));
        if let Some(key) = unfit {
            return Err(ApiError::bad(
                "InvalidParameterValue",
                format!(
                    "'{key}' is not a valid tag key: keys of tags in instance metadata have no '/' and no space"
                ),
            ));
        }
    }
    Ok(())
}

const ENFORCED: &str = "You can't launch instances with IMDSv1 because httpTokensEnforced is enabled for this account. \
     Either launch the instance with httpTokens=required or contact your account owner to disable \
     httpTokensEnforced using the ModifyInstanceMetadataDefaults API or the account settings in the EC2 console.";
