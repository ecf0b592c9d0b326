//! `GetInstanceMetadataDefaults` and `ModifyInstanceMetadataDefaults`.

use super::{Call, SWITCH, TOKENS, choice};
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::xml::Xml;
use crate::world::{ManagedBy, Region, Switch, Tokens};

/// `GetInstanceMetadataDefaults`. A field without a preference is absent.
pub fn get(call: &Call<'_>, params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    params.finish()?;
    let defaults = &call.region.account_defaults;
    xml.element("accountLevel", |xml| {
        xml.optional("httpTokens", defaults.http_tokens.map(Tokens::as_str));
        if let Some(limit) = defaults.hop_limit {
            xml.value("httpPutResponseHopLimit", limit);
        }
        xml.optional("httpEndpoint", defaults.http_endpoint.map(Switch::as_str));
        xml.optional("instanceMetadataTags", defaults.instance_metadata_tags.map(Switch::as_str));
        xml.text(
            "managedBy",
            match defaults.managed_by {
                ManagedBy::Account => "account",
                ManagedBy::DeclarativePolicy => "declarative-policy",
            },
        );
        xml.optional("managedExceptionMessage", defaults.managed_exception_message.as_deref());
        xml.optional("httpTokensEnforced", defaults.http_tokens_enforced.map(Switch::as_str));
    });
    Ok(())
}

/// `ModifyInstanceMetadataDefaults`: what is not named stays as it is, `no-preference` and -1 clear it. Instances that
/// run already keep what they have.
pub fn modify(
    call: &Call<'_>,
    region: &mut Region,
    mut params: Params,
    xml: &mut Xml,
) -> Result<(), ApiError> {
    let tokens = preference(&mut params, "HttpTokens", TOKENS)?;
    let hop_limit = match params.peek("HttpPutResponseHopLimit") {
        Some("-1") => {
            params.text("HttpPutResponseHopLimit");
            Preference::Cleared
        }
        _ => super::hop_limit(&mut params, "HttpPutResponseHopLimit")?.into(),
    };
    let endpoint = preference(&mut params, "HttpEndpoint", SWITCH)?;
    let tags = preference(&mut params, "InstanceMetadataTags", SWITCH)?;
    let enforced = preference(&mut params, "HttpTokensEnforced", SWITCH)?;
    params.finish()?;
    let before = &call.region.account_defaults;
    if before.managed_by == ManagedBy::DeclarativePolicy {
        let own = before.managed_exception_message.as_deref().unwrap_or_default();
        return Err(ApiError::bad(
            "OperationNotPermitted",
            format!("The instance metadata defaults are managed by a declarative policy. {own}").trim(),
        ));
    }
    let defaults = &mut region.account_defaults;
    tokens.over(&mut defaults.http_tokens);
    hop_limit.over(&mut defaults.hop_limit);
    endpoint.over(&mut defaults.http_endpoint);
    tags.over(&mut defaults.instance_metadata_tags);
    enforced.over(&mut defaults.http_tokens_enforced);
    xml.value("return", true);
    Ok(())
}

/// What becomes of a default.
#[derive(Debug, Clone, Copy)]
enum Preference<T> {
    Kept,
    Cleared,
    Set(T),
}

impl<T> Preference<T> {
    fn over(self, before: &mut Option<T>) {
        match self {
            Self::Kept => {}
            Self::Cleared => *before = None,
            Self::Set(value) => *before = Some(value),
        }
    }
}

impl<T> From<Option<T>> for Preference<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Kept, Self::Set)
    }
}

fn preference<T: Copy>(
    params: &mut Params,
    name: &str,
    values: [(&'static str, T); 2],
) -> Result<Preference<T>, ApiError> {
    if params.peek(name) == Some("no-preference") {
        params.text(name);
        return Ok(Preference::Cleared);
    }
    Ok(choice(params, name, values)?.into())
}
