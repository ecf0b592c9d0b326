//! What belongs to a cluster, who launches from a template, and how a group's nodes fare: a line each.

use std::collections::{BTreeMap, HashMap};

use super::build::is_bad;
use super::{Member, MemberKind};
use crate::finding::{Finding, ManagedBy, ResourceType, Status};
use crate::lineage::{Lever, Subject, SubjectKind, UserTemplate};

/// Findings by the type and the id of their resource.
pub(super) type Judged<'f> = HashMap<ResourceType, HashMap<&'f str, Vec<&'f Finding>>>;

/// The findings of one resource.
pub(super) fn of<'j, 'f>(judged: &'j Judged<'f>, kind: ResourceType, id: &str) -> &'j [&'f Finding] {
    judged.get(&kind).and_then(|of_kind| of_kind.get(id)).map_or(&[], Vec::as_slice)
}

/// Everything of a cluster: its groups, Karpenter's templates, and the nodes of none of these.
pub(super) fn of_cluster(subjects: &[Subject<'_>], judged: &Judged<'_>, name: &str) -> Vec<Member> {
    let in_cluster = |subject: &Subject<'_>| subject.cluster == Some(name);
    let groups = groups(subjects).filter(|(_, subject)| in_cluster(subject));
    let mut members: Vec<Member> =
        groups.map(|(position, subject)| group(subjects, judged, position, subject)).collect();
    let mut loose: BTreeMap<ManagedBy, Vec<&Subject<'_>>> = BTreeMap::new();
    for subject in subjects.iter().filter(|subject| in_cluster(subject) && is_loose(subjects, subject)) {
        loose.entry(subject.managed_by.unwrap_or(ManagedBy::Standalone)).or_default().push(subject);
    }
    members.extend(loose.into_iter().map(|(by, nodes)| {
        let id = nodes.first().filter(|_| nodes.len() == 1).map(|node| node.resource.id.clone());
        let member = blank(MemberKind::Nodes(by), id.unwrap_or_default(), Some(name));
        tally(judged, member, nodes.into_iter())
    }));
    members.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
    members
}

/// For a group its own nodes; for a template whoever launches from it.
pub(super) fn of_subject(
    subjects: &[Subject<'_>],
    judged: &Judged<'_>,
    subject: &Subject<'_>,
) -> Vec<Member> {
    match subject.kind {
        SubjectKind::Group => groups(subjects)
            .filter(|(_, other)| other.resource == subject.resource)
            .map(|(position, subject)| group(subjects, judged, position, subject))
            .collect(),
        SubjectKind::LaunchTemplate => groups(subjects)
            .filter_map(|(position, other)| {
                let used = used(other, &subject.resource.id, subject.resource.name.as_deref())?;
                Some(Member { version: used.number, ..group(subjects, judged, position, other) })
            })
            .collect(),
        SubjectKind::Instance | SubjectKind::AccountDefaults => Vec::new(),
    }
}

fn groups<'s, 'a>(subjects: &'s [Subject<'a>]) -> impl Iterator<Item = (usize, &'s Subject<'a>)> {
    subjects.iter().enumerate().filter(|(_, subject)| subject.kind == SubjectKind::Group)
}

/// The template as a group refers to it, if it launches from it.
fn used<'s, 'a>(subject: &'s Subject<'a>, id: &str, name: Option<&str>) -> Option<&'s UserTemplate<'a>> {
    let templates = match &subject.lever {
        Lever::NodeGroup { template, .. } => template.as_slice(),
        Lever::Group { templates, .. } => templates.as_slice(),
        _ => &[],
    };
    templates.iter().find(|template| template.target == id || Some(template.target) == name)
}

/// A node of no group that has a line of its own. Karpenter's nodes belong to the template they came from.
fn is_loose(subjects: &[Subject<'_>], subject: &Subject<'_>) -> bool {
    subject.kind == SubjectKind::Instance
        && subject.group.is_none()
        && !groups(subjects).any(|(_, group)| launched(group, subject))
}

fn launched(group: &Subject<'_>, node: &Subject<'_>) -> bool {
    let from = node.launched_from.as_ref().and_then(|variant| variant.template.as_ref());
    group.resource.r#type == ResourceType::LaunchTemplate
        && from.is_some_and(|template| template.id == Some(group.resource.id.as_str()))
}

fn group(subjects: &[Subject<'_>], judged: &Judged<'_>, position: usize, subject: &Subject<'_>) -> Member {
    let kind = match subject.resource.r#type {
        ResourceType::NodeGroup => MemberKind::NodeGroup,
        ResourceType::AutoScalingGroup => MemberKind::AutoScalingGroup,
        _ => MemberKind::Karpenter,
    };
    let findings = of(judged, subject.resource.r#type, &subject.resource.id);
    let mut member = blank(kind, subject.resource.id.clone(), subject.cluster);
    member.name = match &subject.lever {
        Lever::NodeClass(name) => name.map(str::to_owned),
        _ => None,
    };
    member.next = findings.iter().map(|finding| finding.status).min();
    note_rules(&mut member, findings);
    let nodes = subjects.iter().filter(|node| node.group == Some(position) || launched(subject, node));
    tally(judged, member, nodes)
}

fn blank(kind: MemberKind, id: String, cluster: Option<&str>) -> Member {
    let cluster = cluster.map(str::to_owned);
    let (nodes, failing, unknown) = (0, 0, 0);
    let (name, version, next) = (None, None, None);
    let (rules, judged) = (Vec::new(), false);
    Member { kind, id, name, cluster, version, nodes, failing, unknown, next, rules, judged }
}

fn tally<'s, 'a: 's>(
    judged: &Judged<'_>,
    mut member: Member,
    nodes: impl Iterator<Item = &'s Subject<'a>>,
) -> Member {
    for node in nodes.filter(|node| node.kind == SubjectKind::Instance) {
        let findings = of(judged, ResourceType::Instance, &node.resource.id);
        member.nodes += 1;
        match findings.iter().map(|finding| finding.status).min() {
            Some(Status::Fail) => member.failing += 1,
            Some(Status::Unknown) => member.unknown += 1,
            _ => {}
        }
        note_rules(&mut member, findings);
    }
    member
}

fn note_rules(member: &mut Member, findings: &[&Finding]) {
    for finding in findings {
        member.judged = true;
        if is_bad(finding.status) && !member.rules.contains(&finding.rule) {
            member.rules.push(finding.rule.clone());
            member.rules.sort();
        }
    }
}
