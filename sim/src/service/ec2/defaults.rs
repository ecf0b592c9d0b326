//! `GetInstanceMetadataDefaults`.

use super::Call;
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::xml::Xml;
use crate::world::{ManagedBy, Switch, Tokens};

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
