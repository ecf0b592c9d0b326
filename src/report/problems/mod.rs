//! Findings that have one cause, put together: one bad template behind 200 nodes is one problem with 200 nodes.
//!
//! A problem is (policy, rule, severity, status, account, Region, [`Cause`]). An instance only says what it
//! has; it belongs to the problem of the group that launched it, unless it differs from what that group
//! launches. So nothing is counted twice: a problem has *nodes* that have the wrong value now, and *groups*
//! whose next node gets it.
//!
//! Findings are looked at once and not kept, so that a table of any fleet takes little memory.

mod cause;
mod facts;
mod gather;
mod places;
mod remedies;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::io;

pub use cause::Cause;
pub use facts::{Common, Exempted, TemplateVersion};
pub use places::{Place, PlaceKind};
pub use remedies::Remedy;

use super::Findings;
use crate::finding::{Finding, ResourceType, Severity, Source, Status};
use crate::model::{AccountId, Region};

use facts::Facts;
use gather::Gathered;

/// How many nodes of a problem are listed by name.
pub const LISTED: usize = 5;

/// What findings come to.
#[derive(Clone, Debug, Default)]
pub struct Digest {
    /// What fails, is unknown or exempt; worst first.
    pub problems: Vec<Problem>,
    /// What passed and does not apply, by policy, rule and status: how many resources of each type.
    pub others: BTreeMap<(String, String, Status), BTreeMap<ResourceType, u64>>,
    /// How many findings there are.
    pub findings: u64,
}

/// Findings of one rule that have one cause.
#[derive(Clone, Debug)]
pub struct Problem {
    /// What they have in common.
    pub key: Key,
    /// What else they share.
    pub common: Common,
    /// How many there are.
    pub findings: u64,
    /// How many instances have the wrong value now.
    pub nodes: u64,
    /// How many groups would give it to their next node.
    pub groups: u64,
    /// What other rules of the policy say of the same places for the same cause, with the same remedy: to be
    /// told together.
    pub alongside: Vec<Self>,
    facts: Facts,
}

/// What the findings of a problem have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// How bad it is.
    pub severity: Severity,
    /// Whether it fails, is not known, or is exempt.
    pub status: Status,
    /// The account; none for what belongs to the policy.
    pub account_id: Option<AccountId>,
    /// The Region; none for what belongs to the policy, and for an account's defaults.
    pub region: Option<Region>,
    /// The policy's name.
    pub policy: String,
    /// The rule's id.
    pub rule: String,
    /// What has to change.
    pub cause: Cause,
}

impl Key {
    fn new(finding: &Finding, cause: Cause) -> Self {
        // An account's defaults are wrong in many Regions alike, and set right in one go.
        let everywhere = finding.resource.r#type == ResourceType::AccountDefaults;
        Self {
            severity: finding.severity,
            status: finding.status,
            account_id: finding.account_id.clone(),
            region: finding.region.clone().filter(|_| !everywhere),
            policy: finding.policy.clone(),
            rule: finding.rule.clone(),
            cause,
        }
    }

    fn with(&self, cause: Cause) -> Self {
        Self { cause, ..self.clone() }
    }
}

/// Puts findings together that have one cause.
pub fn digest(findings: &dyn Findings) -> io::Result<Digest> {
    let mut digest = Digest::default();
    let mut gathered = Gathered::default();
    let mut scope = None;
    for finding in findings.all() {
        let finding = finding?;
        let here = (finding.account_id.clone(), finding.region.clone());
        if scope.as_ref() != Some(&here) {
            gathered.end_scope();
            scope = Some(here);
        }
        if matches!(finding.status, Status::Fail | Status::Unknown | Status::Exempt) {
            gathered.add(&finding, digest.findings);
        } else {
            let key = (finding.policy.clone(), finding.rule.clone(), finding.status);
            *digest.others.entry(key).or_default().entry(finding.resource.r#type).or_default() += 1;
        }
        digest.findings += 1;
    }
    let mut problems: Vec<_> =
        gathered.finish().filter_map(|(key, facts)| Problem::new(key, facts)).collect();
    problems.sort_by(|a, b| a.rank().cmp(&b.rank()));
    digest.problems = tell_together(problems);
    Ok(digest)
}

/// Puts problems under the worst one that a single change would mend with them.
fn tell_together(problems: Vec<Problem>) -> Vec<Problem> {
    let mut together: Vec<Problem> = Vec::new();
    let mut by_cause: HashMap<_, Vec<usize>> = HashMap::new();
    for problem in problems {
        let Key { status, account_id, region, policy, cause, .. } = problem.key.clone();
        let same_cause = by_cause.entry((status, account_id, region, policy, cause)).or_default();
        match same_cause.iter().find(|at| together[**at].is_mended_with(&problem)) {
            Some(at) if status != Status::Exempt => together[*at].alongside.push(problem),
            _ => {
                same_cause.push(together.len());
                together.push(problem);
            }
        }
    }
    together
}

fn is_node(finding: &Finding) -> bool {
    finding.resource.r#type == ResourceType::Instance
}

/// The type and id of the group that an instance is in.
fn group_of(finding: &Finding) -> Option<(ResourceType, String)> {
    if let (Some(cluster), Some(name)) = (&finding.cluster, &finding.node_group) {
        return Some((ResourceType::NodeGroup, format!("{cluster}/{name}")));
    }
    let name = finding.auto_scaling_group.clone()?;
    Some((ResourceType::AutoScalingGroup, name))
}

impl Problem {
    /// Nothing where there is no finding.
    fn new(key: Key, facts: Facts) -> Option<Self> {
        let of = |kind| facts.counts.get(&kind).copied().unwrap_or_default();
        Some(Self {
            key,
            common: facts.common()?.clone(),
            findings: facts.findings(),
            nodes: of(ResourceType::Instance),
            groups: of(ResourceType::NodeGroup) + of(ResourceType::AutoScalingGroup),
            alongside: Vec::new(),
            facts,
        })
    }

    /// It, and what is told together with it.
    pub fn and_alongside(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.alongside)
    }

    /// What its instances are called: nodes, unless one of them is of no cluster.
    pub const fn noun(&self) -> &'static str {
        if self.facts.without_cluster { "instance" } else { "node" }
    }

    /// How many resources of a type there are.
    pub fn count(&self, kind: ResourceType) -> u64 {
        self.facts.counts.get(&kind).copied().unwrap_or_default()
    }

    /// The wrong values, each once.
    pub fn actual(&self) -> Vec<&str> {
        self.facts.actual.iter().map(String::as_str).collect()
    }

    /// Where the wrong value comes from, each source once.
    pub fn sources(&self) -> impl Iterator<Item = Source> {
        self.facts.sources().iter().copied()
    }

    /// The template versions behind it that do not give what is expected, each once.
    pub fn templates(&self) -> impl Iterator<Item = &TemplateVersion> {
        self.facts.templates.iter()
    }

    /// The nodes and groups, put together by what launches them; those with the most nodes first.
    pub fn places(&self) -> Vec<&Place> {
        self.facts.places.sorted()
    }

    /// What to do about it, in order, each kind once.
    pub fn remedies(&self) -> Vec<Remedy<'_>> {
        self.facts.remedies.in_order()
    }

    /// What the findings have to add, each sentence once.
    pub fn notes(&self) -> Vec<&str> {
        remedies::in_order(&self.facts.notes)
    }

    /// The first [`LISTED`] nodes: id, and name.
    pub fn some_nodes(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.facts.nodes.iter().map(|(_, id, name)| (id.as_str(), name.as_deref()))
    }

    /// The exemptions that cover it, by their ids.
    pub fn exempted(&self) -> impl Iterator<Item = &Exempted> {
        self.facts.exempted.values()
    }

    /// The name of what a fix changes, by its id.
    pub fn target_name(&self, id: &str) -> Option<&str> {
        self.facts.remedies.target_name(id)
    }

    fn is_mended_with(&self, other: &Self) -> bool {
        self.nodes == other.nodes
            && self.groups == other.groups
            && self.facts.sources() == other.facts.sources()
            && self.places() == other.places()
            && self.facts.remedies.are_those_of(&other.facts.remedies)
    }

    /// Worst first: by severity, then by how much it touches.
    fn rank(&self) -> (Severity, Status, Reverse<(u64, u64, u64)>, &Key) {
        let touched = Reverse((self.nodes, self.groups, self.findings));
        (self.key.severity, self.key.status, touched, &self.key)
    }
}
