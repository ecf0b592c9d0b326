//! AWS's own table, and the laws behind it.

use proptest::prelude::*;

use super::{Effective, Launch};
use crate::finding::Source;
use crate::model::{AccountDefaults, ImdsSupport, MetadataOptions, OptionName, OptionValue, Read};

use OptionValue::{Number, Optional, Required};

fn defaults(metadata: MetadataOptions) -> Read<AccountDefaults> {
    Read::Known(AccountDefaults { metadata, ..AccountDefaults::default() })
}

fn tokens(value: Option<OptionValue>) -> MetadataOptions {
    MetadataOptions { http_tokens: value, ..MetadataOptions::default() }
}

/// The 18 rows of "Order of precedence for instance metadata options" in the Amazon EC2 User Guide.
#[test]
fn tokens_follow_the_table_of_the_user_guide() {
    let (v2_only, v1_or_v2, unset) = (Some(Required), Some(Optional), None);
    let table = [
        // launch   account   image            result
        (v2_only, unset, ImdsSupport::V2, Required),
        (v2_only, v2_only, ImdsSupport::V2, Required),
        (v2_only, v1_or_v2, ImdsSupport::V2, Required),
        (v1_or_v2, unset, ImdsSupport::V2, Optional),
        (v1_or_v2, v2_only, ImdsSupport::V2, Optional),
        (v1_or_v2, v1_or_v2, ImdsSupport::V2, Optional),
        (unset, unset, ImdsSupport::V2, Required),
        (unset, v2_only, ImdsSupport::V2, Required),
        (unset, v1_or_v2, ImdsSupport::V2, Optional),
        (v2_only, unset, ImdsSupport::Unspecified, Required),
        (v2_only, v2_only, ImdsSupport::Unspecified, Required),
        (v2_only, v1_or_v2, ImdsSupport::Unspecified, Required),
        (v1_or_v2, unset, ImdsSupport::Unspecified, Optional),
        (v1_or_v2, v2_only, ImdsSupport::Unspecified, Optional),
        (v1_or_v2, v1_or_v2, ImdsSupport::Unspecified, Optional),
        (unset, unset, ImdsSupport::Unspecified, Optional),
        (unset, v2_only, ImdsSupport::Unspecified, Required),
        (unset, v1_or_v2, ImdsSupport::Unspecified, Optional),
    ];
    for (launch, account, image, expected) in table {
        let set = tokens(launch);
        let defaults = defaults(tokens(account));
        let launched = Launch { set: &set, set_by: Source::LaunchTemplate, defaults: &defaults, image };
        let tokens = launched.resolve().get(OptionName::HttpTokens);
        assert_eq!(tokens.value, Some(expected), "{launch:?} {account:?} {image:?}");
        let source = match (launch, account, image) {
            (Some(_), ..) => Source::LaunchTemplate,
            (None, Some(_), _) => Source::AccountDefault,
            (None, None, ImdsSupport::V2) => Source::Image,
            _ => Source::BuiltIn,
        };
        assert_eq!(tokens.source, source, "{launch:?} {account:?} {image:?}");
    }
}

/// Example 1 of the same page: one account setting breaks every pod of an image that asks for two hops.
#[test]
fn an_account_default_beats_the_image_for_one_option_only() {
    let account = MetadataOptions { http_put_response_hop_limit: Some(Number(1)), ..Default::default() };
    let launch = Launch {
        set: &MetadataOptions::default(),
        set_by: Source::LaunchTemplate,
        defaults: &defaults(account),
        image: ImdsSupport::V2,
    };
    let options = launch.resolve();
    let tokens = options.get(OptionName::HttpTokens);
    let hops = options.get(OptionName::HttpPutResponseHopLimit);
    assert_eq!((tokens.value, tokens.source), (Some(Required), Source::Image));
    assert_eq!((hops.value, hops.source), (Some(Number(1)), Source::AccountDefault));
}

fn value_of(option: OptionName) -> BoxedStrategy<Option<OptionValue>> {
    match option.words() {
        [] => proptest::option::of((1..=64).prop_map(Number)).boxed(),
        words => proptest::option::of(proptest::sample::select(words)).boxed(),
    }
}

fn any_options() -> impl Strategy<Value = MetadataOptions> {
    OptionName::ALL.map(value_of).prop_map(|values| {
        let mut options = MetadataOptions::default();
        for (option, value) in OptionName::ALL.into_iter().zip(values) {
            options.set(option, value);
        }
        options
    })
}

fn any_defaults() -> impl Strategy<Value = Read<AccountDefaults>> {
    prop_oneof![
        any_options().prop_map(|mut metadata| {
            metadata.http_protocol_ipv6 = None;
            defaults(metadata)
        }),
        Just(Read::Failed),
        Just(Read::NotAsked),
    ]
}

fn any_image() -> impl Strategy<Value = ImdsSupport> {
    proptest::sample::select(&[ImdsSupport::V2, ImdsSupport::Unspecified, ImdsSupport::Unknown][..])
}

fn any_option() -> impl Strategy<Value = OptionName> {
    proptest::sample::select(&OptionName::ALL[..])
}

proptest! {
    #[test]
    fn what_the_template_sets_holds(
        set in any_options(), defaults in any_defaults(), image in any_image(), option in any_option(),
    ) {
        let launch = Launch { set: &set, set_by: Source::LaunchTemplate, defaults: &defaults, image };
        let effective = launch.resolve().get(option);
        if let Some(value) = set.get(option) {
            prop_assert_eq!(effective, Effective { value: Some(value), source: Source::LaunchTemplate });
        } else {
            prop_assert_ne!(effective.source, Source::LaunchTemplate);
        }
    }

    #[test]
    fn each_option_is_decided_by_itself(
        set in any_options(), other in any_options(), defaults in any_defaults(), image in any_image(),
        option in any_option(),
    ) {
        let mut mixed = other;
        mixed.set(option, set.get(option));
        let resolve = |set| {
            Launch { set, set_by: Source::LaunchTemplate, defaults: &defaults, image }.resolve().get(option)
        };
        prop_assert_eq!(resolve(&set), resolve(&mixed));
    }

    #[test]
    fn a_value_is_missing_exactly_where_its_source_is(
        set in any_options(), defaults in any_defaults(), image in any_image(), option in any_option(),
    ) {
        let launch = Launch { set: &set, set_by: Source::LaunchTemplate, defaults: &defaults, image };
        let effective = launch.resolve().get(option);
        prop_assert_eq!(effective.value.is_none(), effective.source == Source::Unresolved);
    }

    #[test]
    fn what_was_read_is_always_resolved(
        set in any_options(), account in any_options(), option in any_option(), v2 in any::<bool>(),
    ) {
        let image = if v2 { ImdsSupport::V2 } else { ImdsSupport::Unspecified };
        let defaults = defaults(account);
        let launch = Launch { set: &set, set_by: Source::LaunchTemplate, defaults: &defaults, image };
        prop_assert!(launch.resolve().get(option).value.is_some());
    }

    /// Reading more never changes an answer that was given before.
    #[test]
    fn an_answer_given_in_ignorance_stays_right(
        set in any_options(), account in any_options(), option in any_option(), v2 in any::<bool>(),
    ) {
        let image = if v2 { ImdsSupport::V2 } else { ImdsSupport::Unspecified };
        let mut account = account;
        account.http_protocol_ipv6 = None;
        let known = defaults(account);
        let full = Launch { set: &set, set_by: Source::LaunchTemplate, defaults: &known, image };
        let full = full.resolve().get(option);
        for (defaults, image) in
            [(&Read::Failed, image), (&known, ImdsSupport::Unknown), (&Read::Failed, ImdsSupport::Unknown)]
        {
            let partial = Launch { set: &set, set_by: Source::LaunchTemplate, defaults, image };
            let partial = partial.resolve().get(option);
            prop_assert!(partial == Effective::UNRESOLVED || partial == full);
        }
    }
}
