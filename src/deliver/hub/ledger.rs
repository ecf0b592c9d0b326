//! What a report says of one account and Region, against what Security Hub has of it.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::asff::{ACTIVE, ARCHIVED, Compliance, SecurityFinding, StatusReason};
use crate::model::Breadth;

/// How far a report has looked at an account and Region: what it lets one know of a finding that it does not have.
#[derive(Clone, Debug)]
pub struct Look<'r> {
    /// Whether all of it was read. If not, nothing is known of what is missing.
    pub complete: bool,
    /// Which of its instances were judged.
    pub breadth: Breadth,
    /// The policies that were judged by, with their rules; none where the report does not list them.
    pub policies: BTreeMap<&'r str, Vec<&'r str>>,
    /// Whether what passes and does not apply is among the findings, so that what is not is gone.
    pub lists_all: bool,
    /// When all was read. What Security Hub has of later is a later run's.
    pub until: Timestamp,
}

/// The findings of a report in one account and Region, by the digests of their ids: a few dozen bytes each.
#[derive(Debug, Default)]
pub struct Ledger(HashMap<[u8; 32], Held>);

/// What Security Hub has of a finding of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    /// Nothing.
    No,
    /// An earlier version of it, which was there for the first time at that time.
    Since(Timestamp),
    /// One that is as late or later.
    Newer,
}

impl Ledger {
    /// Enters a finding that the report has.
    pub fn expect(&mut self, id: &str) {
        self.0.insert(digest(id), Held::No);
    }

    /// Whether the report has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes note of a finding of imdsctl that Security Hub has. What the report says to be over is handed back as that.
    pub fn note(&mut self, held: SecurityFinding, look: &Look<'_>) -> Option<SecurityFinding> {
        let is_newer = held.updated_at >= look.until;
        if let Some(entry) = self.0.get_mut(&digest(&held.id)) {
            *entry = if is_newer { Held::Newer } else { Held::Since(held.created_at) };
            return None;
        }
        let counts = held.record_state == ACTIVE && !is_newer;
        let compliance = counts.then(|| look.over(&held)).flatten()?;
        Some(SecurityFinding { compliance, record_state: ARCHIVED.into(), updated_at: look.until, ..held })
    }

    /// A finding of the report as it is to be imported: since when it is there is never changed. Nothing, where Security Hub
    /// has one of a later run.
    pub fn renewed(&self, finding: SecurityFinding) -> Option<SecurityFinding> {
        match self.0.get(&digest(&finding.id)) {
            None | Some(Held::No) => Some(finding),
            Some(Held::Since(created_at)) => Some(SecurityFinding { created_at: *created_at, ..finding }),
            Some(Held::Newer) => None,
        }
    }
}

impl Look<'_> {
    /// What became of a finding that is not in the report, where it is over. It may as well be of a policy that was not asked
    /// this time, or of an instance that was not looked at.
    fn over(&self, held: &SecurityFinding) -> Option<Compliance> {
        let rules = self.policies.get(held.field("policy")?)?;
        if !self.complete || self.is_beyond(held) {
            return None;
        }
        let asked = rules.is_empty() || held.field("rule").is_some_and(|rule| rules.contains(&rule));
        Some(match (asked, self.lists_all) {
            (false, _) => {
                compliance("NOT_AVAILABLE", "IMDSCTL_NOT_ASKED", "The policy does not ask this any more.")
            }
            (true, true) => compliance(
                "NOT_AVAILABLE",
                "IMDSCTL_GONE",
                "The resource does not exist any more, or is not what the policy is for.",
            ),
            (true, false) => compliance(
                "PASSED",
                "IMDSCTL_OVER",
                "The rule is not broken any more: it holds, or the resource does not exist any more.",
            ),
        })
    }

    /// Whether only an audit of all instances tells of it, and this was none.
    fn is_beyond(&self, held: &SecurityFinding) -> bool {
        let alone = matches!(held.field("resource_type"), Some("instance" | "auto_scaling_group"));
        self.breadth == Breadth::Nodes && alone && held.field("cluster").is_none()
    }
}

fn compliance(status: &'static str, reason_code: &'static str, description: &str) -> Compliance {
    let reason = StatusReason { reason_code: reason_code.into(), description: description.to_owned() };
    Compliance { status: status.into(), status_reasons: vec![reason] }
}

fn digest(id: &str) -> [u8; 32] {
    Sha256::digest(id.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::deliver::hub::tests::finding;

    fn look(complete: bool) -> Look<'static> {
        Look {
            complete,
            breadth: Breadth::All,
            policies: BTreeMap::from([("al2023", vec!["tokens", "hops"])]),
            lists_all: false,
            until: "2026-11-27T03:00:00Z".parse().unwrap(),
        }
    }

    fn with(mut finding: SecurityFinding, fields: &[(&'static str, &str)]) -> SecurityFinding {
        let fields = fields.iter().map(|(key, value)| (format!("imdsctl/{key}").into(), (*value).to_owned()));
        finding.product_fields.extend(fields);
        finding
    }

    /// A finding of an earlier run.
    fn held(id: &str) -> SecurityFinding {
        with(finding(id), &[("policy", "al2023"), ("rule", "tokens"), ("resource_type", "node_group")])
    }

    #[test]
    fn what_is_over_is_archived_with_all_that_it_was() {
        let archived = Ledger::default().note(held("a"), &look(true)).unwrap();
        assert_eq!((&*archived.record_state, &*archived.compliance.status), ("ARCHIVED", "PASSED"));
        assert_eq!(archived.updated_at, look(true).until);
        let (was, is) = (held("a"), archived);
        assert_eq!((was.id, was.created_at, was.title), (is.id, is.created_at, is.title));
        assert_eq!((was.resources, was.severity), (is.resources, is.severity));
    }

    #[test]
    fn what_the_report_cannot_know_stays() {
        let stays = |held: SecurityFinding, look: &Look<'_>| Ledger::default().note(held, look).is_none();
        assert!(stays(held("a"), &look(false)), "not all was read");
        assert!(stays(with(held("a"), &[("policy", "imdsv2")]), &look(true)), "by another policy");
        assert!(stays(finding("a"), &look(true)), "nobody knows by which policy");
        let nodes = Look { breadth: Breadth::Nodes, ..look(true) };
        let instance = with(held("a"), &[("resource_type", "instance")]);
        assert!(stays(instance.clone(), &nodes), "instances of no cluster were not judged");
        assert!(!stays(with(instance.clone(), &[("cluster", "blue")]), &nodes));
        assert!(!stays(instance, &look(true)));
        let archived = SecurityFinding { record_state: ARCHIVED.into(), ..held("a") };
        assert!(stays(archived, &look(true)), "it is over already");
        let later = SecurityFinding { updated_at: look(true).until, ..held("a") };
        assert!(stays(later, &look(true)), "a later run has seen it");
    }

    #[test]
    fn why_it_is_over_is_said_as_far_as_it_is_known() {
        let why = |held: SecurityFinding, look: &Look<'_>| {
            let compliance = Ledger::default().note(held, look).unwrap().compliance;
            format!("{} {}", compliance.status, compliance.status_reasons[0].reason_code)
        };
        assert_eq!(why(held("a"), &look(true)), "PASSED IMDSCTL_OVER");
        let all = Look { lists_all: true, ..look(true) };
        assert_eq!(why(held("a"), &all), "NOT_AVAILABLE IMDSCTL_GONE");
        let other = with(held("a"), &[("rule", "endpoint")]);
        assert_eq!(why(other.clone(), &look(true)), "NOT_AVAILABLE IMDSCTL_NOT_ASKED");
        let unlisted = Look { policies: BTreeMap::from([("al2023", Vec::new())]), ..look(true) };
        assert_eq!(why(other, &unlisted), "PASSED IMDSCTL_OVER");
    }

    proptest! {
        /// Whatever a report and Security Hub have: afterwards Security Hub has as active what the report has, and besides it
        /// only what the report cannot know of; and since when a finding is there never changes.
        #[test]
        fn security_hub_comes_to_say_what_the_report_says(
            report in prop::collection::btree_set(0_u8..24, 0..24),
            before in prop::collection::btree_map(0_u8..24, (any::<bool>(), any::<bool>()), 0..24),
            complete in any::<bool>(),
        ) {
            let look = look(complete);
            let created: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
            let mut hub: BTreeMap<String, SecurityFinding> = before.iter().map(|(id, (active, newer))| {
                let state = if *active { ACTIVE } else { ARCHIVED };
                let updated_at = if *newer { look.until } else { created };
                let id = id.to_string();
                (id.clone(), SecurityFinding { created_at: created, updated_at, record_state: state.into(), ..held(&id) })
            }).collect();
            let untouched = hub.clone();
            let mut ledger = Ledger::default();
            for id in &report {
                ledger.expect(&id.to_string());
            }
            let mut sent: Vec<_> = hub.values().filter_map(|held| ledger.note(held.clone(), &look)).collect();
            let found = |id: &u8| SecurityFinding { created_at: look.until, updated_at: look.until, ..held(&id.to_string()) };
            sent.extend(report.iter().filter_map(|id| ledger.renewed(found(id))));
            let ids: BTreeSet<_> = sent.iter().map(|finding| finding.id.clone()).collect();
            prop_assert_eq!(ids.len(), sent.len(), "nothing is sent twice");
            for finding in sent {
                // As Security Hub takes it.
                if let Some(had) = hub.get(&finding.id) {
                    prop_assert!(finding.updated_at > had.updated_at, "what would be ignored is not sent");
                    prop_assert_eq!(finding.created_at, had.created_at);
                }
                hub.insert(finding.id.clone(), finding);
            }
            for (id, finding) in &hub {
                let (number, was): (u8, _) = (id.parse().unwrap(), untouched.get(id));
                let newer = was.is_some_and(|was| was.updated_at == look.until);
                if newer {
                    prop_assert_eq!(Some(finding), was, "a later run's");
                } else if report.contains(&number) {
                    prop_assert_eq!(&*finding.record_state, ACTIVE);
                } else if complete {
                    prop_assert_eq!(&*finding.record_state, ARCHIVED);
                } else {
                    prop_assert_eq!(Some(finding), was, "nobody knows");
                }
            }
            prop_assert!(report.iter().all(|id| hub.contains_key(&id.to_string())));
        }
    }
}
