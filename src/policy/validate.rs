//! From what was written to what makes sense. All problems are told at once, in the order of the text.

use std::collections::BTreeSet;

use serde_saphyr::{Location, Spanned};

use super::load::Problem;
use super::matcher::Matcher;
use super::schema::{RawExemption, RawMatch, RawPolicy, RawRule};
use super::{AppliesTo, Exemption, Policy, Rule};
use crate::finding::{Expectation, sha256};
use crate::model::{OptionName, OptionValue};

const API_VERSION: &str = "imdsctl/v1";
const KIND: &str = "Policy";

/// The hop limits that EC2 accepts.
const HOP_LIMITS: std::ops::RangeInclusive<i64> = 1..=64;

/// Validates a policy.
pub fn validate(origin: &str, text: &str, raw: RawPolicy) -> Result<Policy, Vec<Problem>> {
    let mut check = Check { origin, problems: Vec::new() };
    check.expect(&raw.api_version, API_VERSION, "apiVersion");
    check.expect(&raw.kind, KIND, "kind");
    check.identifier(&raw.metadata.name, "a policy's name");
    if raw.spec.rules.value.is_empty() {
        check.fail(raw.spec.rules.referenced, "a policy needs at least one rule");
    }
    let mut ids = BTreeSet::new();
    let rules: Vec<_> = raw.spec.rules.value.into_iter().map(|rule| check.rule(rule, &mut ids)).collect();
    let mut exemption_ids = BTreeSet::new();
    let exemptions =
        raw.spec.exemptions.into_iter().map(|one| check.exemption(one, &ids, &mut exemption_ids)).collect();
    let matches = check.matcher(raw.spec.matches);
    if !check.problems.is_empty() {
        check.problems.sort_by_key(|problem| (problem.line, problem.column));
        return Err(check.problems);
    }
    Ok(Policy {
        name: raw.metadata.name.value,
        version: raw.metadata.version,
        title: raw.metadata.title,
        description: raw.metadata.description,
        text: text.to_owned(),
        sha256: sha256(text),
        matches,
        // `check.rule` leaves out only rules that it has complained of.
        rules: rules.into_iter().flatten().collect(),
        exemptions,
    })
}

struct Check<'a> {
    origin: &'a str,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn fail(&mut self, at: Location, message: impl Into<String>) {
        self.problems.push(Problem {
            origin: self.origin.to_owned(),
            line: at.line(),
            column: at.column(),
            message: message.into(),
        });
    }

    fn expect(&mut self, found: &Spanned<String>, expected: &str, what: &str) {
        if found.value != expected {
            let message = format!("{what} is {:?}, and only {expected:?} is known here", found.value);
            self.fail(found.referenced, message);
        }
    }

    /// Ids and names stand in reports, links and file names.
    fn identifier(&mut self, found: &Spanned<String>, what: &str) {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let name = &found.value;
        if name.is_empty() || name.len() > 64 || !name.chars().all(fits) || name.starts_with('-') {
            let message = format!("{what} is 1 to 64 lower-case letters, digits and hyphens, not {name:?}");
            self.fail(found.referenced, message);
        }
    }

    fn unique(&mut self, id: &Spanned<String>, ids: &mut BTreeSet<String>, what: &str) {
        self.identifier(id, &format!("{what}'s id"));
        if !ids.insert(id.value.clone()) {
            self.fail(id.referenced, format!("there is already {what} {:?}", id.value));
        }
    }

    fn rule(&mut self, raw: RawRule, ids: &mut BTreeSet<String>) -> Option<Rule> {
        self.unique(&raw.id, ids, "a rule");
        let applies_to = self.applies_to(&raw);
        let expected = self.expectation(&raw)?;
        Some(Rule {
            id: raw.id.value,
            option: raw.option,
            expected,
            severity: raw.severity,
            rationale: raw.rationale,
            references: raw.references,
            remediation: raw.remediation,
            applies_to,
        })
    }

    fn applies_to(&mut self, raw: &RawRule) -> Vec<AppliesTo> {
        let Some(applies_to) = &raw.applies_to else { return AppliesTo::DEFAULT.to_vec() };
        if applies_to.value.is_empty() {
            self.fail(applies_to.referenced, "applies_to is empty, so the rule would be asked of nothing");
        }
        if raw.option == OptionName::HttpProtocolIpv6
            && applies_to.value.contains(&AppliesTo::AccountDefaults)
        {
            self.fail(applies_to.referenced, "there is no account default for http_protocol_ipv6");
        }
        applies_to.value.clone()
    }

    fn expectation(&mut self, raw: &RawRule) -> Option<Expectation> {
        let given = [raw.equals.is_some(), raw.at_least.is_some(), raw.at_most.is_some()];
        if given.into_iter().filter(|given| *given).count() != 1 {
            let message =
                format!("rule {:?} needs exactly one of equals, at_least and at_most", raw.id.value);
            self.fail(raw.id.referenced, message);
            return None;
        }
        if let Some(equals) = &raw.equals {
            return self.value(raw.option, equals).map(Expectation::Equals);
        }
        if let Some(least) = &raw.at_least {
            return self.bound(raw.option, least).map(Expectation::AtLeast);
        }
        let most = raw.at_most.as_ref()?;
        self.bound(raw.option, most).map(Expectation::AtMost)
    }

    fn value(&mut self, option: OptionName, found: &Spanned<OptionValue>) -> Option<OptionValue> {
        let fits = match found.value {
            OptionValue::Number(number) => {
                option == OptionName::HttpPutResponseHopLimit && HOP_LIMITS.contains(&i64::from(number))
            }
            word => option.words().contains(&word),
        };
        if !fits {
            let expected = match option.words() {
                [] => "a number from 1 to 64".to_owned(),
                words => words.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "),
            };
            self.fail(found.referenced, format!("{option} is never {}: it is {expected}", found.value));
        }
        fits.then_some(found.value)
    }

    fn bound(&mut self, option: OptionName, found: &Spanned<i64>) -> Option<i32> {
        if option != OptionName::HttpPutResponseHopLimit {
            self.fail(found.referenced, format!("{option} is not a number; use equals"));
            return None;
        }
        let bound = i32::try_from(found.value).ok().filter(|_| HOP_LIMITS.contains(&found.value));
        if bound.is_none() {
            self.fail(found.referenced, format!("a hop limit is 1 to 64, not {}", found.value));
        }
        bound
    }

    fn exemption(
        &mut self,
        raw: RawExemption,
        rules: &BTreeSet<String>,
        ids: &mut BTreeSet<String>,
    ) -> Exemption {
        self.unique(&raw.id, ids, "an exemption");
        for rule in raw.rules.iter().filter(|rule| !rules.contains(&rule.value)) {
            let known = rules.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            self.fail(rule.referenced, format!("the policy has no rule {:?}; it has {known}", rule.value));
        }
        if raw.reason.value.trim().is_empty() {
            self.fail(raw.reason.referenced, "an exemption needs a reason");
        }
        let expires = raw.expires.and_then(|day| {
            let date = day.value.parse().ok();
            if date.is_none() {
                let message = format!("expires is a day such as 2027-03-31, not {:?}", day.value);
                self.fail(day.referenced, message);
            }
            date
        });
        Exemption {
            id: raw.id.value,
            matches: self.matcher(raw.matches),
            rules: raw.rules.into_iter().map(|rule| rule.value).collect(),
            reason: raw.reason.value,
            owner: raw.owner,
            expires,
        }
    }

    fn matcher(&mut self, raw: RawMatch) -> Matcher {
        Matcher::new(raw, |at, message| self.fail(at, message))
    }
}
