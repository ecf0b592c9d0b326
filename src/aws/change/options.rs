//! Metadata options as they are sent. EC2 has a type of its own for each place that they are set in.

use aws_sdk_ec2::types::LaunchTemplateInstanceMetadataOptionsRequest;

use crate::aws::errors::{CallError, ErrorKind};
use crate::aws::operations::Operation;
use crate::model::{MetadataOptions, OptionName, OptionValue};

/// What an account's default is set to for an option without a preference.
pub(super) const NO_PREFERENCE: &str = "no-preference";

/// The same for the hop limit.
pub(super) const NO_HOP_LIMIT: i32 = -1;

/// Metadata options of which each is a word or a number that EC2 takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sendable<'a>(&'a MetadataOptions);

impl<'a> Sendable<'a> {
    /// Refuses what cannot be sent as it is meant: a word that this version does not know, or one of another option.
    pub fn new(operation: Operation, options: &'a MetadataOptions) -> Result<Self, CallError> {
        for option in OptionName::ALL {
            let Some(value) = options.get(option) else { continue };
            let takes = match value {
                OptionValue::Number(hops) => option.words().is_empty() && (1..=64).contains(&hops),
                word => option.words().contains(&word),
            };
            if !takes {
                let message = format!("{option} cannot be set to {value}");
                return Err(CallError::refused(operation, ErrorKind::Other, message));
            }
        }
        Ok(Self(options))
    }

    /// The word of an option, in the type of the request.
    pub fn word<T: for<'w> From<&'w str>>(self, option: OptionName) -> Option<T> {
        let value = self.0.get(option)?;
        Some(T::from(&value.to_string()))
    }

    pub fn hops(self) -> Option<i32> {
        match self.0.http_put_response_hop_limit {
            Some(OptionValue::Number(hops)) => Some(hops),
            _ => None,
        }
    }

    /// The block of a launch template, whole: what is not set in it is not set in the template.
    pub fn block(self) -> LaunchTemplateInstanceMetadataOptionsRequest {
        LaunchTemplateInstanceMetadataOptionsRequest::builder()
            .set_http_tokens(self.word(OptionName::HttpTokens))
            .set_http_put_response_hop_limit(self.hops())
            .set_http_endpoint(self.word(OptionName::HttpEndpoint))
            .set_http_protocol_ipv6(self.word(OptionName::HttpProtocolIpv6))
            .set_instance_metadata_tags(self.word(OptionName::InstanceMetadataTags))
            .build()
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::LaunchTemplateHttpTokensState;

    use super::*;
    use crate::aws::operations::CREATE_LAUNCH_TEMPLATE_VERSION;

    fn with(option: OptionName, value: OptionValue) -> MetadataOptions {
        let mut options = MetadataOptions::default();
        options.set(option, Some(value));
        options
    }

    #[test]
    fn what_is_not_set_is_not_sent() {
        let options = with(OptionName::HttpTokens, OptionValue::Required);
        let block = Sendable::new(CREATE_LAUNCH_TEMPLATE_VERSION, &options).unwrap().block();
        assert_eq!(block.http_tokens().map(LaunchTemplateHttpTokensState::as_str), Some("required"));
        assert_eq!((block.http_endpoint(), block.http_put_response_hop_limit()), (None, None));
        assert_eq!((block.http_protocol_ipv6(), block.instance_metadata_tags()), (None, None));
    }

    #[test]
    fn what_ec2_would_not_take_is_not_sent() {
        for (option, value) in [
            (OptionName::HttpTokens, OptionValue::Unrecognised),
            (OptionName::HttpTokens, OptionValue::Enabled),
            (OptionName::HttpTokens, OptionValue::Number(2)),
            (OptionName::HttpPutResponseHopLimit, OptionValue::Number(0)),
            (OptionName::HttpPutResponseHopLimit, OptionValue::Number(65)),
            (OptionName::HttpPutResponseHopLimit, OptionValue::Required),
        ] {
            let options = with(option, value);
            let error = Sendable::new(CREATE_LAUNCH_TEMPLATE_VERSION, &options).unwrap_err();
            assert!(error.message.contains(option.as_str()), "{}", error.message);
        }
    }
}
