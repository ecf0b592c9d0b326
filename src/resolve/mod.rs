//! Effective metadata options, and where each value comes from.
//!
//! EC2 decides each option by itself when it launches an instance: what the launch template says, else the
//! account's default for the Region, else what the image asks for, else its own default. An instance that
//! exists has the options that it has; they are never resolved. Source: Amazon EC2 User Guide, "Configure
//! the Instance Metadata Service options", *Order of precedence*.

mod family;
mod roles;

#[cfg(test)]
mod tests;

pub use family::{family_of_ami_type, imds_support, summarise_image, summarise_reference};
pub use roles::{IacOwner, iac_owner, template_owner};

use crate::finding::Source;
use crate::model::{AccountDefaults, ImdsSupport, MetadataOptions, OptionName, OptionValue, Read};

/// A value that holds, and what decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effective {
    /// The value; `None` where something that decides it could not be read.
    pub value: Option<OptionValue>,
    /// What decided it; [`Source::Unresolved`] exactly where there is no value.
    pub source: Source,
}

impl Effective {
    /// The value is not known.
    pub const UNRESOLVED: Self = Self { value: None, source: Source::Unresolved };

    const fn new(value: OptionValue, source: Source) -> Self {
        Self { value: Some(value), source }
    }
}

/// The five options of a node, existing or to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EffectiveOptions([Effective; OptionName::ALL.len()]);

impl EffectiveOptions {
    /// Nothing is known.
    pub const UNRESOLVED: Self = Self([Effective::UNRESOLVED; OptionName::ALL.len()]);

    /// Asks `resolve` for each option.
    pub fn of(resolve: impl Fn(OptionName) -> Effective) -> Self {
        Self(OptionName::ALL.map(resolve))
    }

    /// An existing instance: what it has. An option that EC2 left out of its answer is unresolved.
    pub fn of_instance(metadata: &MetadataOptions) -> Self {
        Self::of(|option| match metadata.get(option) {
            Some(value) => Effective::new(value, Source::Instance),
            None => Effective::UNRESOLVED,
        })
    }

    /// One option.
    pub const fn get(&self, option: OptionName) -> Effective {
        self.0[option as usize]
    }
}

/// What EC2 looks at when it launches an instance.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// The options that the launch template or launch configuration sets.
    pub set: &'a MetadataOptions,
    /// What those are to be called in a report.
    pub set_by: Source,
    /// The account's defaults for the Region.
    pub defaults: &'a Read<AccountDefaults>,
    /// What the image asks for.
    pub image: ImdsSupport,
}

impl Launch<'_> {
    /// The five options that an instance launched this way has.
    pub fn resolve(&self) -> EffectiveOptions {
        EffectiveOptions::of(|option| self.resolve_option(option))
    }

    fn resolve_option(&self, option: OptionName) -> Effective {
        if let Some(value) = self.set.get(option) {
            return Effective::new(value, self.set_by);
        }
        match self.account_default(option) {
            Read::Known(Some(value)) => return Effective::new(value, Source::AccountDefault),
            Read::Known(None) => {}
            Read::Failed | Read::NotAsked => return Effective::UNRESOLVED,
        }
        match (self.image, asked_by_image(option)) {
            (ImdsSupport::V2, Some(value)) => Effective::new(value, Source::Image),
            (ImdsSupport::Unknown, Some(_)) => Effective::UNRESOLVED,
            _ => Effective::new(option.built_in(), Source::BuiltIn),
        }
    }

    /// There is no account default for IPv6, so that one needs no reading.
    fn account_default(&self, option: OptionName) -> Read<Option<OptionValue>> {
        match (option, self.defaults) {
            (OptionName::HttpProtocolIpv6, _) => Read::Known(None),
            (_, Read::Known(defaults)) => Read::Known(defaults.metadata.get(option)),
            (_, Read::Failed) => Read::Failed,
            (_, Read::NotAsked) => Read::NotAsked,
        }
    }
}

/// What an image with `ImdsSupport: v2.0` makes of an option.
const fn asked_by_image(option: OptionName) -> Option<OptionValue> {
    match option {
        OptionName::HttpTokens => Some(OptionValue::Required),
        OptionName::HttpPutResponseHopLimit => Some(OptionValue::Number(2)),
        OptionName::HttpEndpoint | OptionName::HttpProtocolIpv6 | OptionName::InstanceMetadataTags => None,
    }
}
