//! From an inventory to explanations of what a query means in it.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;

use super::members::{self, Judged};
use super::{Check, Explanation, Kind, OptionLine, Query, Step, Way, stages};
use crate::finding::{Finding, ResourceType, Source, Status};
use crate::lineage::{self, Lever, Subject, SubjectKind, Variant};
use crate::model::{Inventory, OptionName, Scope};
use crate::policy::{self, Evaluator, Policy};

/// Explains all that a query means in an inventory, judged by `policies` on a day in UTC.
pub fn explain(inventory: &Inventory, policies: &[Policy], today: Date, query: &Query) -> Vec<Explanation> {
    if !query.may_be_in(&inventory.scope.account_id, &inventory.scope.region) {
        return Vec::new();
    }
    let subjects = lineage::of(inventory).subjects;
    let hits: Vec<_> = subjects.iter().filter(|subject| query.means(inventory, subject)).collect();
    let clusters = clusters(inventory, &subjects, query);
    if hits.is_empty() && clusters.is_empty() {
        return Vec::new();
    }
    let findings = Evaluator::new(policies, today).judge(inventory, true).findings;
    let context = Context { inventory, policies, subjects: &subjects, findings: by_resource(&findings) };
    let clusters = clusters.into_iter().map(|name| context.cluster(name));
    clusters.chain(hits.into_iter().map(|subject| context.subject(subject))).collect()
}

/// The clusters that a query means, those that only tags name as well.
fn clusters<'a>(inventory: &'a Inventory, subjects: &[Subject<'a>], query: &Query) -> BTreeSet<&'a str> {
    let listed = inventory.clusters.iter().map(|cluster| cluster.name.as_str());
    let tagged = subjects.iter().filter_map(|subject| subject.cluster);
    listed.chain(tagged).filter(|name| query.means_cluster(name)).collect()
}

fn by_resource(findings: &[Finding]) -> Judged<'_> {
    let mut found: Judged<'_> = HashMap::new();
    for finding in findings {
        found
            .entry(finding.resource.r#type)
            .or_default()
            .entry(&finding.resource.id)
            .or_default()
            .push(finding);
    }
    found
}

struct Context<'c, 'a> {
    inventory: &'a Inventory,
    policies: &'c [Policy],
    subjects: &'c [Subject<'a>],
    findings: Judged<'c>,
}

impl Context<'_, '_> {
    fn cluster(&self, name: &str) -> Explanation {
        let listed = self.inventory.clusters.iter().any(|cluster| cluster.name == name);
        let mut notes = Vec::new();
        if !listed && self.inventory.clusters_read() {
            notes.push("EKS has no such cluster here: it was deleted, or is not an EKS cluster".to_owned());
        }
        let fargate = self.inventory.clusters.iter().find(|cluster| cluster.name == name);
        if let Some(profiles) =
            fargate.map(|cluster| cluster.fargate_profiles).filter(|profiles| *profiles > 0)
        {
            let s = if profiles == 1 { "" } else { "s" };
            notes.push(format!("{profiles} Fargate profile{s}: their pods have no metadata service"));
        }
        Explanation {
            id: name.to_owned(),
            name: None,
            cluster: None,
            managed_by: None,
            members: members::of_cluster(self.subjects, &self.findings, name),
            notes,
            ..self.blank(Kind::Cluster)
        }
    }

    fn subject(&self, subject: &Subject<'_>) -> Explanation {
        let kind = match subject.resource.r#type {
            ResourceType::NodeGroup => Kind::NodeGroup,
            ResourceType::AutoScalingGroup => Kind::AutoScalingGroup,
            ResourceType::LaunchTemplate => Kind::LaunchTemplate,
            _ => Kind::Instance,
        };
        let group = subject.group.map(|position| &self.subjects[position]);
        let findings = members::of(&self.findings, subject.resource.r#type, &subject.resource.id);
        let mut notes = notes(subject, findings);
        if subject.kind == SubjectKind::LaunchTemplate && subject.variants.iter().any(names_no_image) {
            notes.push(
                "it names no image, so whether a policy is for its nodes depends on who launches from it"
                    .to_owned(),
            );
        }
        let mut ways = self.ways(subject);
        if let Some(group) = group {
            let mut next = self.ways(group);
            for way in &mut next {
                way.title = way.title.replacen("its", "its group's", 1);
            }
            if next.iter().all(|way| same_values(way, &ways[0])) {
                let noun = subject.noun();
                notes.push(format!("the next {noun} of {} gets the same", group.resource.id));
            } else {
                ways.extend(next);
            }
        }
        Explanation {
            id: subject.resource.id.clone(),
            name: subject.resource.name.clone().filter(|_| kind != Kind::NodeGroup),
            cluster: subject.cluster.map(str::to_owned),
            managed_by: subject.managed_by,
            lineage: stages::lineage(self.inventory, subject, group),
            ways,
            members: members::of_subject(self.subjects, &self.findings, subject),
            fixes: fixes(findings),
            notes,
            ..self.blank(kind)
        }
    }

    fn blank(&self, kind: Kind) -> Explanation {
        Explanation {
            scope: self.inventory.scope.clone(),
            kind,
            id: String::new(),
            name: None,
            cluster: None,
            managed_by: None,
            lineage: Vec::new(),
            ways: Vec::new(),
            members: Vec::new(),
            fixes: Vec::new(),
            notes: Vec::new(),
            unread: self.inventory.coverage.errors.clone(),
        }
    }

    fn ways(&self, subject: &Subject<'_>) -> Vec<Way> {
        let checks = self.checks(subject);
        let of = subject.variants.len();
        subject
            .variants
            .iter()
            .enumerate()
            .map(|(at, variant)| Way {
                title: title(subject, variant, at, of),
                options: OptionName::ALL
                    .into_iter()
                    .map(|option| line(subject, variant, option, &checks, at))
                    .collect(),
            })
            .collect()
    }

    /// Every rule that is for the subject, and how each of its variants fares.
    fn checks(&self, subject: &Subject<'_>) -> Vec<(OptionName, Vec<Option<Check>>)> {
        let findings = members::of(&self.findings, subject.resource.r#type, &subject.resource.id);
        let rules =
            self.policies.iter().flat_map(|policy| policy.rules.iter().map(move |rule| (policy, rule)));
        rules
            .map(|(policy, rule)| {
                let exempt = findings.iter().any(|finding| {
                    finding.policy == policy.name
                        && finding.rule == rule.id
                        && finding.status == Status::Exempt
                });
                let scope: &Scope = &self.inventory.scope;
                let statuses = policy::statuses(policy, rule, scope, subject);
                let check = |status: Option<Status>| {
                    status.map(|status| Check {
                        policy: policy.name.clone(),
                        rule: rule.id.clone(),
                        expected: rule.expected.clone(),
                        status: if exempt && is_bad(status) { Status::Exempt } else { status },
                    })
                };
                (rule.option, statuses.into_iter().map(check).collect())
            })
            .collect()
    }
}

fn line(
    subject: &Subject<'_>,
    variant: &Variant<'_>,
    option: OptionName,
    checks: &[(OptionName, Vec<Option<Check>>)],
    at: usize,
) -> OptionLine {
    let effective = variant.options.get(option);
    let launched = subject.launched_from.as_ref().map(|launch| launch.options.get(option));
    let source = match launched {
        Some(launched) if effective.source == Source::Instance && launched.value == effective.value => {
            launched.source
        }
        _ => effective.source,
    };
    OptionLine {
        option,
        value: effective.value,
        source,
        checks: checks
            .iter()
            .filter(|(about, _)| *about == option)
            .filter_map(|(_, of_variants)| of_variants.get(at).cloned().flatten())
            .collect(),
    }
}

fn title(subject: &Subject<'_>, variant: &Variant<'_>, at: usize, of: usize) -> String {
    if subject.kind == SubjectKind::Instance {
        return "it has now".to_owned();
    }
    let version = variant.template.as_ref().and_then(|template| template.version);
    if let (Lever::Template(template), Some(version)) = (&subject.lever, version) {
        let default = template.number == Some(version);
        let latest = template.latest.as_ref().is_some_and(|(latest, _)| *latest == version);
        let which = match (default, latest) {
            (true, true) => "its default and latest",
            (true, false) => "its default",
            (false, _) => "its latest",
        };
        return format!("version {version}, {which}");
    }
    let noun = subject.noun();
    match of {
        1 => format!("its next {noun} gets"),
        _ => format!("its next {noun} gets, by way {}", at + 1),
    }
}

/// The notes of the subject and of what is wrong with it. One that is not of all rules says of which it is.
fn notes(subject: &Subject<'_>, findings: &[&Finding]) -> Vec<String> {
    let mut notes = subject.notes.clone();
    let wrong: Vec<_> = findings.iter().filter(|finding| is_bad(finding.status)).collect();
    for (finding, note) in wrong.iter().flat_map(|one| one.notes.iter().map(move |note| (one, note))) {
        let of_all = wrong.iter().all(|other| other.notes.contains(note));
        let note = if of_all { note.clone() } else { format!("{}: {note}", finding.rule) };
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

fn names_no_image(variant: &Variant<'_>) -> bool {
    variant.image.as_ref().is_some_and(|image| image.id.is_none() && image.name.is_none())
}

fn same_values(one: &Way, other: &Way) -> bool {
    one.options.iter().zip(&other.options).all(|(one, other)| one.value == other.value)
}

pub(super) const fn is_bad(status: Status) -> bool {
    matches!(status, Status::Fail | Status::Unknown)
}

/// The fixes of all findings, each once, with all that the findings say about it.
fn fixes(findings: &[&Finding]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let wrong = findings.iter().filter(|finding| is_bad(finding.status));
    for fix in wrong.flat_map(|finding| &finding.fixes) {
        let same = |step: &&mut Step| step.kind == fix.kind && step.target == fix.target;
        match steps.iter_mut().find(same) {
            Some(step) => {
                step.automatic &= fix.automatic;
                step.notes.extend(fix.note.clone().filter(|note| !step.notes.contains(note)));
            }
            None => steps.push(Step {
                kind: fix.kind,
                target: fix.target.clone(),
                target_name: fix.target_name.clone(),
                automatic: fix.automatic,
                notes: fix.note.clone().into_iter().collect(),
            }),
        }
    }
    steps
}
