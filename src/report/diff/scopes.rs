//! What changed of what was read and of what was asked, kept apart from what changed of how it fares.

use std::collections::{BTreeMap, BTreeSet};

use super::contract::{PolicyChange, PolicyText, ScopeChange, ScopeChangeKind, ScopeReading};
use super::sides::{Known, Sight, has_hole};
use crate::model::Breadth;
use crate::report::{PolicySummary, ScopeReport};

/// The accounts and Regions that were not read alike.
pub(super) fn scope_changes(before: &Known<'_>, after: &Known<'_>) -> Vec<ScopeChange> {
    let keys: BTreeSet<_> = before.scopes.keys().chain(after.scopes.keys()).copied().collect();
    let pairs =
        keys.into_iter().map(|key| (before.scopes.get(&key).copied(), after.scopes.get(&key).copied()));
    pairs.filter_map(|(before, after)| scope_change(before, after)).collect()
}

fn scope_change(before: Option<&ScopeReport>, after: Option<&ScopeReport>) -> Option<ScopeChange> {
    let change = kind(before, after)?;
    let coverage = &after.or(before)?.coverage;
    Some(ScopeChange {
        account_id: coverage.account_id.clone(),
        account_name: coverage.account_name.clone(),
        region: coverage.region.clone(),
        change,
        before: before.map(reading),
        after: after.map(reading),
    })
}

/// A scope that neither report has read is no change, for whatever reasons.
fn kind(before: Option<&ScopeReport>, after: Option<&ScopeReport>) -> Option<ScopeChangeKind> {
    use ScopeChangeKind::{Better, Narrower, NewlyRead, NoLongerRead, Wider, Worse};
    match Sight::of(after).cmp(&Sight::of(before)) {
        std::cmp::Ordering::Greater if before.is_none() => Some(NewlyRead),
        std::cmp::Ordering::Greater => Some(Better),
        std::cmp::Ordering::Less if after.is_none() => Some(NoLongerRead),
        std::cmp::Ordering::Less => Some(Worse),
        std::cmp::Ordering::Equal => match (before?.coverage.instances, after?.coverage.instances) {
            _ if Sight::of(after) == Sight::None => None,
            (Breadth::Nodes, Breadth::All) => Some(Wider),
            (Breadth::All, Breadth::Nodes) => Some(Narrower),
            _ => None,
        },
    }
}

fn reading(scope: &ScopeReport) -> ScopeReading {
    ScopeReading {
        status: scope.coverage.status,
        instances: scope.coverage.instances,
        reason: scope.coverage.reason.clone(),
    }
}

/// Whether there is a hole now where the earlier report has seen more.
pub(super) fn has_new_hole(before: &Known<'_>, after: &Known<'_>) -> bool {
    after.side.report.run.interrupted
        || after.scopes.iter().any(|(key, scope)| {
            has_hole(scope) && Sight::of(before.scopes.get(key).copied()) > Sight::of(Some(scope))
        })
}

/// The policies that are not the same.
pub(super) fn policy_changes(before: &[PolicySummary], after: &[PolicySummary]) -> Vec<PolicyChange> {
    let by_name = |policies: &'_ [PolicySummary]| -> BTreeMap<String, PolicySummary> {
        policies.iter().map(|policy| (policy.name.clone(), policy.clone())).collect()
    };
    let (before, after) = (by_name(before), by_name(after));
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let pairs = names.into_iter().map(|name| (before.get(name), after.get(name)));
    pairs.filter_map(|(before, after)| policy_change(before, after)).collect()
}

fn policy_change(before: Option<&PolicySummary>, after: Option<&PolicySummary>) -> Option<PolicyChange> {
    let name = &after.or(before)?.name;
    if before.map(|policy| &policy.sha256) == after.map(|policy| &policy.sha256) {
        return None;
    }
    let text = |policy: &PolicySummary| PolicyText {
        name: policy.name.clone(),
        version: policy.version.clone(),
        sha256: policy.sha256.clone(),
    };
    let mut change = PolicyChange {
        name: name.clone(),
        before: before.map(text),
        after: after.map(text),
        rules_added: Vec::new(),
        rules_removed: Vec::new(),
        rules_changed: Vec::new(),
    };
    let unlisted = |policy: Option<&PolicySummary>| policy.is_some_and(|policy| policy.rules.is_empty());
    if !unlisted(before) && !unlisted(after) {
        compare_rules(&mut change, before, after);
    }
    Some(change)
}

fn compare_rules(change: &mut PolicyChange, before: Option<&PolicySummary>, after: Option<&PolicySummary>) {
    let rules = |policy: Option<&PolicySummary>| -> BTreeMap<String, String> {
        let rules = policy.into_iter().flat_map(|policy| &policy.rules);
        rules.map(|rule| (rule.id.clone(), rule.sha256.clone())).collect()
    };
    let (before, after) = (rules(before), rules(after));
    for (id, sha256) in &after {
        match before.get(id) {
            None => change.rules_added.push(id.clone()),
            Some(other) if other != sha256 => change.rules_changed.push(id.clone()),
            Some(_) => {}
        }
    }
    change.rules_removed.extend(before.into_keys().filter(|id| !after.contains_key(id)));
}
