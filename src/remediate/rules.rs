//! What several rules ask of one option, together: the strictest of them, or that they cannot all be served.

use std::fmt;

use crate::finding::Expectation;
use crate::model::{OptionName, OptionValue};
use crate::policy::{Policy, Rule};

/// Two rules that no plan can serve both.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Contradiction {
    /// The option that they are about.
    pub option: OptionName,
    /// One rule, as `policy/rule`, and what it asks.
    pub one: (String, Expectation),
    /// The other.
    pub other: (String, Expectation),
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((one, asks), (other, other_asks)) = (&self.one, &self.other);
        write!(f, "rules {one} and {other} contradict each other: ")?;
        write!(f, "{} cannot be both {asks} and {other_asks}; plan for one policy at a time", self.option)
    }
}

/// The first two rules that are plainly for the same resources and contradict each other.
///
/// Rules that globs or tags may keep apart are looked at where they meet on one version of one template.
pub fn contradiction(policies: &[Policy]) -> Option<Contradiction> {
    let rules: Vec<(&Policy, &Rule)> =
        policies.iter().flat_map(|policy| policy.rules.iter().map(move |rule| (policy, rule))).collect();
    rules.iter().enumerate().find_map(|(at, (policy, rule))| {
        rules[at + 1..].iter().find_map(|(others, other)| {
            let meet = rule.option == other.option
                && rule.applies_to.iter().any(|kind| other.applies_to.contains(kind))
                && policy.matches.plainly_overlaps(&others.matches);
            let contradict = meet && both(&rule.expected, &other.expected).is_none();
            contradict.then(|| Contradiction {
                option: rule.option,
                one: (rule_name(policy, rule), rule.expected.clone()),
                other: (rule_name(others, other), other.expected.clone()),
            })
        })
    })
}

/// A rule among those of all policies.
pub fn rule_name(policy: &Policy, rule: &Rule) -> String {
    format!("{}/{}", policy.name, rule.id)
}

/// What is asked of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A word.
    Word(OptionValue),
    /// A hop limit within bounds.
    Hops {
        /// The least.
        least: i32,
        /// The most.
        most: i32,
    },
}

impl Asked {
    /// What one rule asks.
    pub const fn by(expectation: &Expectation) -> Self {
        match expectation {
            Expectation::Equals(OptionValue::Number(hops)) => Self::Hops { least: *hops, most: *hops },
            Expectation::Equals(word) => Self::Word(*word),
            Expectation::AtLeast(least) => Self::Hops { least: *least, most: i32::MAX },
            Expectation::AtMost(most) => Self::Hops { least: i32::MIN, most: *most },
        }
    }

    /// What both ask; nothing where no value is right for both.
    pub fn and(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Word(one), Self::Word(other)) => (one == other).then_some(self),
            (Self::Hops { least, most }, Self::Hops { least: other_least, most: other_most }) => {
                let (least, most) = (least.max(other_least), most.min(other_most));
                (least <= most).then_some(Self::Hops { least, most })
            }
            _ => None,
        }
    }

    /// The value nearest to the present one that is right. A hop limit is only ever raised here.
    pub fn value(self, now: Option<OptionValue>) -> OptionValue {
        match (self, now) {
            (Self::Word(word), _) => word,
            (Self::Hops { least, .. }, Some(OptionValue::Number(now))) => OptionValue::Number(now.max(least)),
            (Self::Hops { least, .. }, _) => OptionValue::Number(least),
        }
    }

    /// The value that a person would set: bounds from above included.
    pub fn by_hand(self, now: Option<OptionValue>) -> OptionValue {
        match (self, self.value(now)) {
            (Self::Hops { most, .. }, OptionValue::Number(hops)) => OptionValue::Number(hops.clamp(1, most)),
            (_, value) => value,
        }
    }
}

fn both(one: &Expectation, other: &Expectation) -> Option<Asked> {
    Asked::by(one).and(Asked::by(other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{DEFAULT_POLICY, shipped};

    fn hops(least: i32, most: i32) -> Asked {
        Asked::Hops { least, most }
    }

    #[test]
    fn the_strictest_of_compatible_rules_is_asked() {
        let asked = Asked::by(&Expectation::AtLeast(2)).and(Asked::by(&Expectation::AtLeast(3)));
        assert_eq!(asked, Some(hops(3, i32::MAX)));
        let asked = Asked::by(&Expectation::AtLeast(2)).and(Asked::by(&Expectation::AtMost(2)));
        assert_eq!(asked, Some(hops(2, 2)));
        assert_eq!(both(&Expectation::AtLeast(3), &Expectation::AtMost(2)), None);
        let (optional, required) = (OptionValue::Optional, OptionValue::Required);
        assert_eq!(both(&Expectation::Equals(optional), &Expectation::Equals(required)), None);
    }

    #[test]
    fn a_hop_limit_is_raised_to_what_is_asked_and_never_lowered() {
        let least_two = Asked::by(&Expectation::AtLeast(2));
        assert_eq!(least_two.value(Some(OptionValue::Number(1))), OptionValue::Number(2));
        assert_eq!(least_two.value(Some(OptionValue::Number(3))), OptionValue::Number(3));
        assert_eq!(least_two.value(None), OptionValue::Number(2));
        let exactly_one = Asked::by(&Expectation::Equals(OptionValue::Number(1)));
        assert_eq!(exactly_one.value(Some(OptionValue::Number(3))), OptionValue::Number(3));
        assert_eq!(exactly_one.by_hand(Some(OptionValue::Number(3))), OptionValue::Number(1));
    }

    #[test]
    fn shipped_policies_that_contradict_each_other_are_refused_by_name() {
        let policies: Vec<_> =
            [DEFAULT_POLICY, "hardened"].iter().map(|name| shipped(name).unwrap().unwrap()).collect();
        let contradiction = contradiction(&policies).unwrap();
        assert_eq!(
            contradiction.to_string(),
            "rules al2023/hop-limit-min and hardened/hop-limit-exact contradict each other: \
             http_put_response_hop_limit cannot be both at least 2 and 1; plan for one policy at a time"
        );
        let policies: Vec<_> =
            [DEFAULT_POLICY, "imdsv2"].iter().map(|name| shipped(name).unwrap().unwrap()).collect();
        assert_eq!(super::contradiction(&policies), None);
    }
}
