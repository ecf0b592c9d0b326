//! The account's defaults for new instances.

use aws_sdk_ec2::operation::modify_instance_metadata_defaults::builders::ModifyInstanceMetadataDefaultsFluentBuilder;

use super::Changer;
use super::options::{NO_HOP_LIMIT, NO_PREFERENCE, Sendable};
use crate::aws::convert::ec2::account_defaults;
use crate::aws::errors::{CallError, ErrorKind, failed};
use crate::aws::operations::{GET_INSTANCE_METADATA_DEFAULTS, MODIFY_INSTANCE_METADATA_DEFAULTS};
use crate::model::{AccountDefaults, MetadataOptions, OptionName};

impl Changer {
    /// The account's defaults in the Region.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    pub async fn defaults(&self) -> Result<AccountDefaults, CallError> {
        let answer = self.clients.ec2.get_instance_metadata_defaults().send().await;
        let answer = answer.map_err(failed(GET_INSTANCE_METADATA_DEFAULTS))?;
        Ok(account_defaults(answer.account_level()))
    }

    /// Sets defaults of the account in the Region, and takes away those of `no_preference`. Others stay as they are.
    ///
    /// # Errors
    ///
    /// When EC2 refuses, or when the organization holds the defaults by a policy.
    pub async fn modify_defaults(
        &self,
        metadata: &MetadataOptions,
        no_preference: &[OptionName],
    ) -> Result<(), CallError> {
        let call = defaults(&self.clients.ec2, metadata, no_preference)?;
        let now = self.defaults().await?;
        if now.managed_by_policy {
            let said = now.exception_message.map(|message| format!(": {message}")).unwrap_or_default();
            let message = format!("a declarative policy of the organization holds the defaults{said}");
            return Err(CallError::refused(MODIFY_INSTANCE_METADATA_DEFAULTS, ErrorKind::NotOurs, message));
        }
        let answer = call.send().await.map_err(failed(MODIFY_INSTANCE_METADATA_DEFAULTS))?;
        if answer.r#return() == Some(false) {
            let message = "EC2 says that it has not changed the defaults, and not why";
            return Err(CallError::new(
                MODIFY_INSTANCE_METADATA_DEFAULTS,
                ErrorKind::Other,
                "NotDone",
                message,
            ));
        }
        Ok(())
    }
}

/// The request that sets defaults, not sent yet.
pub(super) fn defaults(
    ec2: &aws_sdk_ec2::Client,
    metadata: &MetadataOptions,
    no_preference: &[OptionName],
) -> Result<ModifyInstanceMetadataDefaultsFluentBuilder, CallError> {
    use OptionName::{
        HttpEndpoint, HttpProtocolIpv6, HttpPutResponseHopLimit, HttpTokens, InstanceMetadataTags,
    };

    fn word<T: for<'w> From<&'w str>>(
        options: Sendable<'_>,
        no_preference: &[OptionName],
        option: OptionName,
    ) -> Option<T> {
        let none = || no_preference.contains(&option).then(|| T::from(NO_PREFERENCE));
        options.word(option).or_else(none)
    }

    let options = Sendable::new(MODIFY_INSTANCE_METADATA_DEFAULTS, metadata)?;
    if metadata.http_protocol_ipv6.is_some() || no_preference.contains(&HttpProtocolIpv6) {
        let message = "an account has no default for http_protocol_ipv6";
        return Err(CallError::refused(MODIFY_INSTANCE_METADATA_DEFAULTS, ErrorKind::Other, message));
    }
    let no_limit = no_preference.contains(&HttpPutResponseHopLimit).then_some(NO_HOP_LIMIT);
    Ok(ec2
        .modify_instance_metadata_defaults()
        .set_http_tokens(word(options, no_preference, HttpTokens))
        .set_http_put_response_hop_limit(options.hops().or(no_limit))
        .set_http_endpoint(word(options, no_preference, HttpEndpoint))
        .set_instance_metadata_tags(word(options, no_preference, InstanceMetadataTags)))
}
