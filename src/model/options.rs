//! The five EC2 instance metadata options and their values.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An instance metadata option, by its name in the EC2 API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OptionName {
    /// Whether session tokens (IMDSv2) are `required` or `optional`.
    HttpTokens,
    /// How many network hops the token's reply may travel, 1 to 64.
    HttpPutResponseHopLimit,
    /// Whether there is a metadata service at all.
    HttpEndpoint,
    /// Whether it is also served over IPv6.
    HttpProtocolIpv6,
    /// Whether the instance's tags can be read from it.
    InstanceMetadataTags,
}

impl OptionName {
    /// All of them, in the order of the contract.
    pub const ALL: [Self; 5] = [
        Self::HttpTokens,
        Self::HttpPutResponseHopLimit,
        Self::HttpEndpoint,
        Self::HttpProtocolIpv6,
        Self::InstanceMetadataTags,
    ];

    /// The name used in policies and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HttpTokens => "http_tokens",
            Self::HttpPutResponseHopLimit => "http_put_response_hop_limit",
            Self::HttpEndpoint => "http_endpoint",
            Self::HttpProtocolIpv6 => "http_protocol_ipv6",
            Self::InstanceMetadataTags => "instance_metadata_tags",
        }
    }

    /// The name in requests to EC2.
    pub const fn api_name(self) -> &'static str {
        match self {
            Self::HttpTokens => "HttpTokens",
            Self::HttpPutResponseHopLimit => "HttpPutResponseHopLimit",
            Self::HttpEndpoint => "HttpEndpoint",
            Self::HttpProtocolIpv6 => "HttpProtocolIpv6",
            Self::InstanceMetadataTags => "InstanceMetadataTags",
        }
    }

    /// The values that EC2 accepts for this option; empty for the hop limit, which is a number.
    pub const fn words(self) -> &'static [OptionValue] {
        match self {
            Self::HttpTokens => &[OptionValue::Optional, OptionValue::Required],
            Self::HttpPutResponseHopLimit => &[],
            Self::HttpEndpoint | Self::HttpProtocolIpv6 | Self::InstanceMetadataTags => {
                &[OptionValue::Enabled, OptionValue::Disabled]
            }
        }
    }

    /// What EC2 uses where nothing else sets the option.
    ///
    /// Source: Amazon EC2 User Guide, "Configure the Instance Metadata Service options".
    pub const fn built_in(self) -> OptionValue {
        match self {
            Self::HttpTokens => OptionValue::Optional,
            Self::HttpPutResponseHopLimit => OptionValue::Number(1),
            Self::HttpEndpoint => OptionValue::Enabled,
            Self::HttpProtocolIpv6 | Self::InstanceMetadataTags => OptionValue::Disabled,
        }
    }
}

impl fmt::Display for OptionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The value of a metadata option.
///
/// That an option is *not set* is never a value: it is `None` in [`MetadataOptions`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OptionValue {
    /// `optional` (tokens)
    Optional,
    /// `required` (tokens)
    Required,
    /// `enabled`
    Enabled,
    /// `disabled`
    Disabled,
    /// A hop limit.
    Number(i32),
    /// A word that this version of imdsctl does not know. It is never judged, only shown.
    Unrecognised,
}

impl OptionValue {
    /// Reads a word of the EC2 API. Words that EC2 may add later become [`Self::Unrecognised`].
    pub fn from_word(word: &str) -> Self {
        match word {
            "optional" => Self::Optional,
            "required" => Self::Required,
            "enabled" => Self::Enabled,
            "disabled" => Self::Disabled,
            _ => Self::Unrecognised,
        }
    }
}

impl fmt::Display for OptionValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Optional => f.pad("optional"),
            Self::Required => f.pad("required"),
            Self::Enabled => f.pad("enabled"),
            Self::Disabled => f.pad("disabled"),
            Self::Number(number) => fmt::Display::fmt(number, f),
            Self::Unrecognised => f.pad("unrecognised"),
        }
    }
}

impl Serialize for OptionValue {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_i32(*number),
            word => serializer.collect_str(word),
        }
    }
}

impl<'de> Deserialize<'de> for OptionValue {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = OptionValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word such as \"required\", or a number")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Self::Value, E> {
                Ok(OptionValue::from_word(word))
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Self::Value, E> {
                i32::try_from(number).map(OptionValue::Number).map_err(E::custom)
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
                i32::try_from(number).map(OptionValue::Number).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for OptionValue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OptionValue".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "The value of a metadata option: a word such as \"required\", or a hop limit.",
            "type": ["string", "integer"]
        })
    }
}

/// Metadata options as one place sets them: each option is set, or it is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetadataOptions {
    /// See [`OptionName::HttpTokens`].
    pub http_tokens: Option<OptionValue>,
    /// See [`OptionName::HttpPutResponseHopLimit`].
    pub http_put_response_hop_limit: Option<OptionValue>,
    /// See [`OptionName::HttpEndpoint`].
    pub http_endpoint: Option<OptionValue>,
    /// See [`OptionName::HttpProtocolIpv6`].
    pub http_protocol_ipv6: Option<OptionValue>,
    /// See [`OptionName::InstanceMetadataTags`].
    pub instance_metadata_tags: Option<OptionValue>,
}

impl MetadataOptions {
    /// What is set for one option.
    pub const fn get(&self, option: OptionName) -> Option<OptionValue> {
        match option {
            OptionName::HttpTokens => self.http_tokens,
            OptionName::HttpPutResponseHopLimit => self.http_put_response_hop_limit,
            OptionName::HttpEndpoint => self.http_endpoint,
            OptionName::HttpProtocolIpv6 => self.http_protocol_ipv6,
            OptionName::InstanceMetadataTags => self.instance_metadata_tags,
        }
    }

    /// Sets one option, or unsets it.
    pub const fn set(&mut self, option: OptionName, value: Option<OptionValue>) {
        match option {
            OptionName::HttpTokens => self.http_tokens = value,
            OptionName::HttpPutResponseHopLimit => self.http_put_response_hop_limit = value,
            OptionName::HttpEndpoint => self.http_endpoint = value,
            OptionName::HttpProtocolIpv6 => self.http_protocol_ipv6 = value,
            OptionName::InstanceMetadataTags => self.instance_metadata_tags = value,
        }
    }

    /// The same, but for what `over` sets.
    #[must_use]
    pub fn overlaid(mut self, over: &Self) -> Self {
        for option in OptionName::ALL {
            if let Some(value) = over.get(option) {
                self.set(option, Some(value));
            }
        }
        self
    }

    /// Only those that `other` sets as well.
    #[must_use]
    pub fn within(mut self, other: &Self) -> Self {
        for option in OptionName::ALL {
            if other.get(option).is_none() {
                self.set(option, None);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_scripts_expect_them() {
        let json = serde_json::to_string(&[OptionValue::Required, OptionValue::Number(2)]).unwrap();
        assert_eq!(json, r#"["required",2]"#);
        let back: Vec<OptionValue> = serde_json::from_str(&json).unwrap();
        assert_eq!(back, [OptionValue::Required, OptionValue::Number(2)]);
    }

    #[test]
    fn each_option_has_its_own_place() {
        for option in OptionName::ALL {
            let mut options = MetadataOptions::default();
            options.set(option, Some(option.built_in()));
            for other in OptionName::ALL {
                assert_eq!(options.get(other).is_some(), other == option, "{option} {other}");
            }
        }
    }
}
