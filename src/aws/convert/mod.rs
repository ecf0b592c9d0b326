//! From AWS's types to the model's. What the model has no place for ends here, user data first of all.

pub(super) mod autoscaling;
pub(super) mod ec2;
pub(super) mod eks;

use aws_smithy_types::DateTime;
use jiff::Timestamp;

use crate::model::{OptionValue, TemplateRef, VersionRef};

/// A word of an enum of the API, `no-preference` being none.
fn word(word: Option<&str>) -> Option<OptionValue> {
    word.filter(|word| !word.is_empty() && *word != "no-preference").map(OptionValue::from_word)
}

/// A hop limit; −1 (and 0, which no instance can have) is no preference.
fn hops(limit: Option<i32>) -> Option<OptionValue> {
    limit.filter(|limit| *limit > 0).map(OptionValue::Number)
}

/// A reference to a template version, unless it names no template or a version that is none.
pub(super) fn template_ref(
    id: Option<&str>,
    name: Option<&str>,
    version: Option<&str>,
) -> Option<TemplateRef> {
    let id = id.filter(|id| !id.is_empty()).map(Into::into);
    let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
    if id.is_none() && name.is_none() {
        return None;
    }
    Some(TemplateRef { id, name, version: VersionRef::parse(version)? })
}

/// A time, unless it is one that no calendar has.
pub(super) fn timestamp(from: &DateTime) -> Option<Timestamp> {
    Timestamp::new(from.secs(), from.subsec_nanos().try_into().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_preference_is_not_a_value() {
        assert_eq!(word(Some("no-preference")), None);
        assert_eq!(word(None), None);
        assert_eq!(word(Some("required")), Some(OptionValue::Required));
        assert_eq!(word(Some("v3-only")), Some(OptionValue::Unrecognised));
        assert_eq!(hops(Some(-1)), None);
        assert_eq!(hops(Some(64)), Some(OptionValue::Number(64)));
    }

    #[test]
    fn a_reference_needs_a_template() {
        assert_eq!(template_ref(None, Some(""), Some("1")), None);
        let reference = template_ref(Some("lt-1"), None, None).unwrap();
        assert_eq!(reference.version, VersionRef::Default);
    }
}
