//! Changes put together by what they have in common. They are as many as rules, accounts and Regions, not as instances.

use std::collections::BTreeMap;
use std::io;

use super::{Change, Class, Diff, Fact, Told};
use crate::finding::Severity;
use crate::model::{AccountId, Region};
use crate::report::problems::LISTED;

/// What changes have in common; ordered by class, then the worst first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub class: Class,
    pub severity: Severity,
    pub account_id: Option<AccountId>,
    pub region: Option<Region>,
    pub policy: String,
    pub rule: String,
    /// Of what still fails: how it differs.
    pub detail: String,
}

/// Changes with the same key.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub key: Key,
    pub account_name: Option<String>,
    pub findings: u64,
    /// What the later report tells of how many.
    pub after: BTreeMap<Told, u64>,
    /// The first few resources: id, and name.
    pub resources: Vec<(String, Option<String>)>,
}

/// All changes but those that are told one by one.
#[derive(Debug, Default)]
pub(super) struct Grouped(BTreeMap<Key, Group>);

impl Grouped {
    pub fn of(diff: &Diff<'_>) -> io::Result<Self> {
        let mut grouped = Self::default();
        for change in diff.changes() {
            let change = change?;
            if !change.class.is_worse() {
                grouped.add(&change);
            }
        }
        Ok(grouped)
    }

    fn add(&mut self, change: &Change) {
        let finding = &change.finding;
        let key = Key {
            class: change.class,
            severity: finding.severity,
            account_id: finding.account_id.clone(),
            region: finding.region.clone(),
            policy: finding.policy.clone(),
            rule: finding.rule.clone(),
            detail: detail(change),
        };
        let group = self.0.entry(key).or_insert_with_key(|key| Group {
            key: key.clone(),
            account_name: finding.account_name.clone(),
            findings: 0,
            after: BTreeMap::new(),
            resources: Vec::new(),
        });
        group.findings += 1;
        *group.after.entry(change.after.status).or_default() += 1;
        if group.resources.len() < LISTED {
            group.resources.push((finding.resource.id.clone(), finding.resource.name.clone()));
        }
    }

    pub fn of_class(&self, class: Class) -> impl Iterator<Item = &Group> {
        self.0.values().filter(move |group| group.key.class == class)
    }
}

/// `http_put_response_hop_limit was 1 and is 3`
fn detail(change: &Change) -> String {
    let (before, after) = (&change.before, &change.after);
    let value = |value: Option<String>| value.unwrap_or_else(|| "not resolved".to_owned());
    let word = |status: Told| if status == Told::Unknown { "unknown" } else { "failing" };
    let told = change.changed.iter().map(|fact| match fact {
        Fact::Status => format!("was {} and is {}", word(before.status), word(after.status)),
        Fact::Severity => {
            let of = |severity: Option<Severity>| value(severity.map(|severity| severity.to_string()));
            format!("severity was {} and is {}", of(before.severity), of(after.severity))
        }
        Fact::Expected => {
            let after = value(after.expected.as_ref().map(ToString::to_string));
            format!("has to be {after} now")
        }
        Fact::Actual => {
            let option = change.finding.option.map_or("the value", |option| option.as_str());
            let of =
                |actual: Option<crate::model::OptionValue>| value(actual.map(|actual| actual.to_string()));
            format!("{option} was {} and is {}", of(before.actual), of(after.actual))
        }
        Fact::Source => {
            let of = |source: Option<crate::finding::Source>| value(source.map(|source| source.to_string()));
            format!("came from {} and comes from {}", of(before.source), of(after.source))
        }
    });
    told.collect::<Vec<_>>().join("; ")
}
