//! Metadata options: what a template sets, what an account prefers, and what an instance gets.

use serde::{Deserialize, Serialize};

/// `HttpTokens`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tokens {
    /// `IMDSv1` works.
    Optional,
    /// Only `IMDSv2` works.
    Required,
}

/// A switch of AWS's: `enabled` or `disabled`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// On.
    Enabled,
    /// Off.
    Disabled,
}

impl Tokens {
    /// AWS's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }
}

impl Switch {
    /// AWS's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}

/// The options that a template, a launch configuration or a `RunInstances` call sets. What is absent is not set,
/// which is different from every value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetadataOptions {
    /// `HttpTokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_tokens: Option<Tokens>,
    /// `HttpPutResponseHopLimit`, 1 to 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hop_limit: Option<u8>,
    /// `HttpEndpoint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_endpoint: Option<Switch>,
    /// `HttpProtocolIpv6`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_protocol_ipv6: Option<Switch>,
    /// `InstanceMetadataTags`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_metadata_tags: Option<Switch>,
}

impl MetadataOptions {
    /// What is set here, and where nothing is, what is set there.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            http_tokens: self.http_tokens.or(other.http_tokens),
            hop_limit: self.hop_limit.or(other.hop_limit),
            http_endpoint: self.http_endpoint.or(other.http_endpoint),
            http_protocol_ipv6: self.http_protocol_ipv6.or(other.http_protocol_ipv6),
            instance_metadata_tags: self.instance_metadata_tags.or(other.instance_metadata_tags),
        }
    }
}

/// Who set the account's defaults.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ManagedBy {
    /// The account itself.
    #[default]
    Account,
    /// A declarative policy of the organisation.
    DeclarativePolicy,
}

/// The defaults of an account in one Region. There is no preference where nothing is set; an account cannot
/// prefer anything about IPv6.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountDefaults {
    /// `HttpTokens`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_tokens: Option<Tokens>,
    /// `HttpPutResponseHopLimit`, 1 to 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hop_limit: Option<u8>,
    /// `HttpEndpoint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_endpoint: Option<Switch>,
    /// `InstanceMetadataTags`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_metadata_tags: Option<Switch>,
    /// `HttpTokensEnforced`: reported; what already runs was launched before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_tokens_enforced: Option<Switch>,
    /// `ManagedBy`.
    #[serde(default)]
    pub managed_by: ManagedBy,
    /// `ManagedExceptionMessage`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_exception_message: Option<String>,
}

/// What an instance has: every option has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EffectiveOptions {
    /// `HttpTokens`.
    pub http_tokens: Tokens,
    /// `HttpPutResponseHopLimit`.
    pub hop_limit: u8,
    /// `HttpEndpoint`.
    pub http_endpoint: Switch,
    /// `HttpProtocolIpv6`.
    pub http_protocol_ipv6: Switch,
    /// `InstanceMetadataTags`.
    pub instance_metadata_tags: Switch,
}

/// What EC2 gives a new instance, each option on its own: template, else the account's default, else the image
/// (`ImdsSupport` knows only tokens and hop limit), else what is built in.
pub fn at_launch(
    template: MetadataOptions,
    account: &AccountDefaults,
    image_is_v2: bool,
) -> EffectiveOptions {
    let (image_tokens, image_hops) = if image_is_v2 { (Tokens::Required, 2) } else { (Tokens::Optional, 1) };
    EffectiveOptions {
        http_tokens: template.http_tokens.or(account.http_tokens).unwrap_or(image_tokens),
        hop_limit: template.hop_limit.or(account.hop_limit).unwrap_or(image_hops),
        http_endpoint: template.http_endpoint.or(account.http_endpoint).unwrap_or(Switch::Enabled),
        http_protocol_ipv6: template.http_protocol_ipv6.unwrap_or(Switch::Disabled),
        instance_metadata_tags: template
            .instance_metadata_tags
            .or(account.instance_metadata_tags)
            .unwrap_or(Switch::Disabled),
    }
}

impl EffectiveOptions {
    /// A live change: what is set here replaces what the instance had.
    pub fn overlay(&mut self, change: MetadataOptions) {
        self.http_tokens = change.http_tokens.unwrap_or(self.http_tokens);
        self.hop_limit = change.hop_limit.unwrap_or(self.hop_limit);
        self.http_endpoint = change.http_endpoint.unwrap_or(self.http_endpoint);
        self.http_protocol_ipv6 = change.http_protocol_ipv6.unwrap_or(self.http_protocol_ipv6);
        self.instance_metadata_tags = change.instance_metadata_tags.unwrap_or(self.instance_metadata_tags);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: MetadataOptions = MetadataOptions {
        http_tokens: None,
        hop_limit: None,
        http_endpoint: None,
        http_protocol_ipv6: None,
        instance_metadata_tags: None,
    };

    fn account(http_tokens: Option<Tokens>, hop_limit: Option<u8>) -> AccountDefaults {
        AccountDefaults { http_tokens, hop_limit, ..AccountDefaults::default() }
    }

    fn tokens_and_hops(
        template: MetadataOptions,
        account: &AccountDefaults,
        image_is_v2: bool,
    ) -> (Tokens, u8) {
        let options = at_launch(template, account, image_is_v2);
        (options.http_tokens, options.hop_limit)
    }

    #[test]
    fn the_decisive_rows_of_the_precedence_table_hold() {
        use Tokens::{Optional, Required};
        let v1 = MetadataOptions { http_tokens: Some(Optional), ..NOTHING };
        let none = account(None, None);
        assert_eq!(tokens_and_hops(NOTHING, &none, false), (Optional, 1));
        assert_eq!(tokens_and_hops(NOTHING, &none, true), (Required, 2));
        assert_eq!(tokens_and_hops(NOTHING, &account(Some(Optional), None), true), (Optional, 2));
        assert_eq!(tokens_and_hops(NOTHING, &account(Some(Required), None), false), (Required, 1));
        assert_eq!(tokens_and_hops(v1, &account(Some(Required), None), true), (Optional, 2));
        // AWS's own mixed example: the account's hop limit beats the image's, its tokens do not exist.
        assert_eq!(tokens_and_hops(NOTHING, &account(None, Some(1)), true), (Required, 1));
    }
}
