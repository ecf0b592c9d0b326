//! Findings that have one cause, put together: one bad template behind 200 nodes is one problem with 200 nodes.
//!
//! A problem is (policy, rule, severity, status, account, Region, [`Cause`]). An instance only says what it
//! has; it belongs to the problem of the group that launched it, unless it differs from what that group
//! launches. So nothing is counted twice: a problem has *nodes* that have the wrong value now, and *groups*
//! whose next node gets it.

mod cause;
mod gather;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use cause::Cause;
pub use gather::{Place, PlaceKind, Remedy};

use crate::finding::{Finding, ResourceType, Severity, Source, Status, TemplateUse};
use crate::model::{AccountId, Region};

/// Findings of one rule that have one cause.
#[derive(Clone, Debug)]
pub struct Problem<'a> {
    /// What they have in common.
    pub key: Key<'a>,
    /// Them, in the order of the report; never empty.
    pub findings: Vec<&'a Finding>,
    /// How many instances have the wrong value now.
    pub nodes: u64,
    /// How many groups would give it to their next node.
    pub groups: u64,
    /// What other rules of the policy say of the same places for the same cause, with the same remedy: to be
    /// told together.
    pub alongside: Vec<Problem<'a>>,
}

/// What the findings of a problem have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key<'a> {
    /// How bad it is.
    pub severity: Severity,
    /// Whether it fails, is not known, or is exempt.
    pub status: Status,
    /// The account; none for what belongs to the policy.
    pub account_id: Option<&'a AccountId>,
    /// The Region; none for what belongs to the policy, and for an account's defaults.
    pub region: Option<&'a Region>,
    /// The policy's name.
    pub policy: &'a str,
    /// The rule's id.
    pub rule: &'a str,
    /// What has to change.
    pub cause: Cause<'a>,
}

impl<'a> Key<'a> {
    fn new(finding: &'a Finding, cause: Cause<'a>) -> Self {
        Self {
            severity: finding.severity,
            status: finding.status,
            account_id: finding.account_id.as_ref(),
            // An account's defaults are wrong in many Regions alike, and set right in one go.
            region: finding
                .region
                .as_ref()
                .filter(|_| finding.resource.r#type != ResourceType::AccountDefaults),
            policy: &finding.policy,
            rule: &finding.rule,
            cause,
        }
    }
}

impl<'a> Problem<'a> {
    /// One of the findings, for what they all share: the option, what is expected, the account's name.
    pub fn first(&self) -> &'a Finding {
        self.findings[0]
    }

    /// What its instances are called: nodes, unless one of them is of no cluster.
    pub fn noun(&self) -> &'static str {
        let mut instances = self.findings.iter().filter(|finding| is_node(finding));
        if instances.any(|instance| instance.cluster.is_none()) { "instance" } else { "node" }
    }

    /// Where the wrong value comes from, each source once.
    pub fn sources(&self) -> Vec<Source> {
        let of = |groups: bool| {
            self.findings
                .iter()
                .filter(|finding| is_node(finding) != groups)
                .filter_map(|finding| cause::origin(finding).or(finding.source))
                .collect::<BTreeSet<_>>()
        };
        // What launches the nodes knows better than they do.
        let mut sources = of(true);
        if sources.is_empty() {
            sources = of(false);
        }
        sources.into_iter().collect()
    }

    /// The template versions behind it that do not give what is expected, each once.
    pub fn templates(&self) -> Vec<&'a TemplateUse> {
        let expected = self.first().expected.as_ref();
        let wrong = |template: &TemplateUse| {
            !expected.zip(template.actual).is_some_and(|(expected, actual)| expected.holds(actual))
        };
        let mut templates = BTreeMap::new();
        for template in self.findings.iter().flat_map(|finding| &finding.templates) {
            if wrong(template) {
                let key =
                    (template.owned_by, template.name.as_deref(), template.id.as_ref(), template.version);
                templates.entry(key).or_insert(template);
            }
        }
        templates.into_values().collect()
    }

    /// The nodes and groups, put together by what launches them; those with the most nodes first.
    pub fn places(&self) -> Vec<Place<'a>> {
        gather::places(&self.findings)
    }

    /// What to do about it, in order, each kind once.
    pub fn remedies(&self) -> Vec<Remedy<'a>> {
        gather::remedies(&self.findings)
    }
}

/// Puts the findings of a report together that fail, are unknown or exempt; worst first.
pub fn problems(findings: &[Finding]) -> Vec<Problem<'_>> {
    let attention: Vec<_> = findings
        .iter()
        .filter(|finding| matches!(finding.status, Status::Fail | Status::Unknown | Status::Exempt))
        .collect();
    let groups = causes_of_groups(&attention);
    let mut buckets: HashMap<Key<'_>, Vec<&Finding>> = HashMap::new();
    for finding in attention {
        let cause = if is_node(finding) { cause_of_node(finding, &groups) } else { Cause::of(finding) };
        buckets.entry(Key::new(finding, cause)).or_default().push(finding);
    }
    let mut problems: Vec<_> =
        buckets.into_iter().map(|(key, findings)| Problem::new(key, findings)).collect();
    problems.sort_by_cached_key(Problem::rank);
    tell_together(problems)
}

/// Puts problems under the worst one that a single change would mend with them.
fn tell_together(problems: Vec<Problem<'_>>) -> Vec<Problem<'_>> {
    let mut together: Vec<Problem<'_>> = Vec::new();
    let mut by_cause: HashMap<_, Vec<usize>> = HashMap::new();
    for problem in problems {
        let Key { status, account_id, region, policy, cause, .. } = problem.key;
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

/// Causes by what else a finding has in common with others, and by the group.
type Groups<'a> = HashMap<(Key<'a>, ResourceType, Cow<'a, str>), Cause<'a>>;

fn causes_of_groups<'a>(findings: &[&'a Finding]) -> Groups<'a> {
    let groups = findings.iter().filter(|finding| !is_node(finding));
    groups
        .map(|finding| {
            let id = Cow::Borrowed(finding.resource.id.as_str());
            ((Key::new(finding, ANY), finding.resource.r#type, id), Cause::of(finding))
        })
        .collect()
}

fn cause_of_node<'a>(finding: &'a Finding, groups: &Groups<'a>) -> Cause<'a> {
    if Cause::is_drift(finding) {
        return Cause::Drift(finding.cluster.as_deref());
    }
    group_of(finding)
        .and_then(|(kind, id)| groups.get(&(Key::new(finding, ANY), kind, id)).copied())
        .unwrap_or_else(|| Cause::of(finding))
}

/// Stands for every cause in the keys of [`Groups`].
const ANY: Cause<'_> = Cause::AccountDefault;

fn is_node(finding: &Finding) -> bool {
    finding.resource.r#type == ResourceType::Instance
}

/// The type and id of the group that an instance is in.
fn group_of(finding: &Finding) -> Option<(ResourceType, Cow<'_, str>)> {
    if let (Some(cluster), Some(name)) = (&finding.cluster, &finding.node_group) {
        return Some((ResourceType::NodeGroup, Cow::Owned(format!("{cluster}/{name}"))));
    }
    let name = finding.auto_scaling_group.as_deref()?;
    Some((ResourceType::AutoScalingGroup, Cow::Borrowed(name)))
}

impl<'a> Problem<'a> {
    fn new(key: Key<'a>, findings: Vec<&'a Finding>) -> Self {
        let count = |types: &[ResourceType]| {
            findings.iter().filter(|finding| types.contains(&finding.resource.r#type)).count() as u64
        };
        let nodes = count(&[ResourceType::Instance]);
        let groups = count(&[ResourceType::NodeGroup, ResourceType::AutoScalingGroup]);
        Self { key, findings, nodes, groups, alongside: Vec::new() }
    }

    /// It, and what is told together with it.
    pub fn and_alongside(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.alongside)
    }

    /// The name of what a fix changes, by its id.
    pub fn target_name(&self, id: &str) -> Option<&'a str> {
        let mut fixes = self.findings.iter().flat_map(|finding| &finding.fixes);
        fixes.find(|fix| fix.target.as_deref() == Some(id)).and_then(|fix| fix.target_name.as_deref())
    }

    fn is_mended_with(&self, other: &Self) -> bool {
        let steps = |problem: &Self| -> Vec<_> {
            problem
                .remedies()
                .into_iter()
                .map(|remedy| (remedy.kind, remedy.targets, remedy.automatic))
                .collect()
        };
        self.nodes == other.nodes
            && self.groups == other.groups
            && self.places() == other.places()
            && self.sources() == other.sources()
            && steps(self) == steps(other)
    }

    /// Worst first: by severity, then by how much it touches.
    fn rank(&self) -> (Severity, Status, Reverse<(u64, u64, usize)>, Key<'a>) {
        let touched = Reverse((self.nodes, self.groups, self.findings.len()));
        (self.key.severity, self.key.status, touched, self.key)
    }
}
