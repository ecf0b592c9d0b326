//! One problem: what is wrong, where, where it comes from, and what to do.

use std::io;

use super::page::{Page, Paint, Text};
use super::sentence;
use crate::finding::{FixKind, ManagedBy, ResourceType};
/// How many groups, nodes and notes of a problem are listed.
pub(in crate::report) use crate::report::problems::LISTED;
use crate::report::problems::{Cause, Place, PlaceKind, Problem, Remedy};
use crate::report::words::{self, count, grouped};

/// Where the right column begins.
pub(in crate::report) const INDENT: usize = 11;
/// Where labels begin.
pub(in crate::report) const LABEL: usize = 2;

/// All problems, one under the other.
pub(super) fn section(page: &mut Page<'_>, problems: &[&Problem], several_policies: bool) -> io::Result<()> {
    for problem in problems {
        page.gap()?;
        write(page, problem, several_policies)?;
    }
    Ok(())
}

/// The same under a title, which has an empty line below it.
pub(in crate::report) fn under_title(
    page: &mut Page<'_>,
    problems: &[&Problem],
    several_policies: bool,
) -> io::Result<()> {
    for (at, problem) in problems.iter().enumerate() {
        if at > 0 {
            page.gap()?;
        }
        write(page, problem, several_policies)?;
    }
    Ok(())
}

pub(super) fn write(page: &mut Page<'_>, problem: &Problem, several_policies: bool) -> io::Result<()> {
    for one in problem.and_alongside() {
        headline(page, one, several_policies)?;
    }
    let reach = sentence::reach(problem);
    if !reach.is_empty() {
        page.paragraph(INDENT, &page.text().say(reach))?;
    }
    label(page, "where", &sentence::location(page.text(), problem))?;
    places(page, problem)?;
    nodes(page, problem)?;
    if let Some(cause) = sentence::cause(page.text(), problem) {
        label(page, "cause", &cause)?;
    }
    fix(page, problem)?;
    notes(page, problem)
}

/// A line, or several, with a label in the left column.
pub(in crate::report) fn label(page: &mut Page<'_>, label: &str, text: &Text) -> io::Result<()> {
    let label = page.text().paint(Paint::Faint, label);
    page.labelled(&label, LABEL, INDENT, text)
}

/// What is wrong, and how bad that is.
pub(in crate::report) fn headline(
    page: &mut Page<'_>,
    problem: &Problem,
    several_policies: bool,
) -> io::Result<()> {
    let key = &problem.key;
    let severity = page.text().paint(Paint::Severity(key.severity), key.severity.as_str().to_uppercase());
    let mut text = page.text();
    if several_policies {
        text = text.id(&key.policy).paint(Paint::Strong, "/");
    }
    text = sentence::wrong(text.id(&key.rule).paint(Paint::Strong, ":").say(" "), problem);
    page.labelled(&severity, 0, INDENT, &text)
}

/// The groups, and the nodes that are of none, as a list.
pub(in crate::report) fn places(page: &mut Page<'_>, problem: &Problem) -> io::Result<()> {
    if matches!(problem.key.cause, Cause::Exemption(_)) {
        return Ok(());
    }
    let places = problem.places();
    let loose = places.iter().any(|place| place.kind == PlaceKind::Nodes(Some(ManagedBy::SelfManaged)));
    let shown = &places[..places.len().min(LISTED)];
    let names: Vec<_> = shown.iter().map(|place| place_name(page.text(), place)).collect();
    // A name that is much longer than the others does not push all of them to the right.
    let widest = page.columns().saturating_sub(INDENT + 30);
    let column = names.iter().map(Text::width).filter(|width| *width <= widest).max().unwrap_or(0) + 2;
    for (place, name) in shown.iter().zip(names) {
        let detail = place_detail(place, loose);
        let fits = name.width() < column;
        let text = if fits { name.padded(column) } else { name.say(" ") }.say(detail);
        page.paragraph(INDENT, &text)?;
    }
    more(page, places.len() as u64)
}

/// Says how many were left out of a list.
pub(in crate::report) fn more(page: &mut Page<'_>, all: u64) -> io::Result<()> {
    match all.saturating_sub(LISTED as u64) {
        0 => Ok(()),
        rest => {
            let text = page.text().paint(Paint::Faint, format!("+{} more (all in -o json)", grouped(rest)));
            page.paragraph(INDENT, &text)
        }
    }
}

fn place_name(text: Text, place: &Place) -> Text {
    let (id, cluster) = match (&place.kind, &place.id) {
        (PlaceKind::Resource(ResourceType::AccountDefaults), Some(region)) => {
            return text.say("the default in ").id(region);
        }
        (PlaceKind::Nodes(_), None) => (text.say("no cluster"), None),
        (_, Some(id)) => {
            // A managed node group's id begins with its cluster.
            let cluster = place.cluster.as_deref().filter(|cluster| {
                cluster != id && !id.strip_prefix(cluster).is_some_and(|rest| rest.starts_with('/'))
            });
            (text.id(id), cluster)
        }
        (_, None) => (text, None),
    };
    let mut facts: Vec<Text> = Vec::new();
    let blank = id.empty();
    let fact = || blank.clone();
    if let Some(name) = &place.name {
        facts.push(fact().name(name));
    }
    if let PlaceKind::Nodes(Some(by)) = place.kind {
        facts.push(fact().say(words::managed_by(by)));
    }
    if let Some(cluster) = cluster {
        facts.push(fact().say("cluster ").name(cluster));
    }
    if !place.cluster_exists {
        facts.push(fact().paint(Paint::Warning, "cluster no longer exists"));
    }
    id.in_brackets(facts)
}

/// How many nodes, and whether the next is affected. Where there are nodes whose group is not known, they may
/// be those of a group that seems to have none.
fn place_detail(place: &Place, loose_nodes: bool) -> String {
    let noun = place.noun();
    let now = match place.of {
        Some(of) if of > place.nodes => format!("{} of {}", grouped(place.nodes), count(of, noun)),
        _ => count(place.nodes, noun),
    };
    match (place.kind, place.nodes, place.of) {
        (PlaceKind::Resource(_), 0, _) => String::new(),
        (_, _, None) => now,
        (_, 0, Some(0)) => format!("no {noun} yet, but the next"),
        (PlaceKind::AutoScalingGroup, 0, Some(_)) if loose_nodes => format!("its next {noun}"),
        (_, 0, Some(_)) => format!("{now}, but the next"),
        (_, _, Some(_)) => format!("{now}, and the next"),
    }
}

/// The nodes themselves, where there is no group to look at instead.
fn nodes(page: &mut Page<'_>, problem: &Problem) -> io::Result<()> {
    if problem.groups > 0 || problem.nodes == 0 {
        return Ok(());
    }
    let mut text = page.text();
    for (at, node) in problem.some_nodes().enumerate() {
        text = node_name(if at == 0 { text } else { text.say(", ") }, node);
    }
    let what = match (problem.noun(), problem.nodes) {
        ("node", 2..) => "nodes",
        // The column has no room for more than one of them.
        (noun, _) => noun,
    };
    label(page, what, &text)?;
    more(page, problem.nodes)
}

fn node_name(text: Text, (id, name): (&str, Option<&str>)) -> Text {
    let text = text.id(id);
    match name {
        Some(name) if !name.is_empty() => {
            text.say(" ").paint(Paint::Faint, "(").name(name).paint(Paint::Faint, ")")
        }
        _ => text,
    }
}

fn fix(page: &mut Page<'_>, problem: &Problem) -> io::Result<()> {
    let remedies = problem.remedies();
    if let Some(text) = sentence::fix(page.text(), &remedies) {
        label(page, "fix", &text)?;
    }
    if let Some(text) = sentence::stopgap(page.text(), &remedies) {
        label(page, "stop-gap", &text)?;
    }
    Ok(())
}

/// What fixes and findings have to add, a sentence each.
fn notes(page: &mut Page<'_>, problem: &Problem) -> io::Result<()> {
    let remedies: Vec<_> = problem.and_alongside().flat_map(Problem::remedies).collect();
    let of_findings = problem.and_alongside().flat_map(Problem::notes);
    // The line of fixes says what the others would add.
    let telling = |remedy: &&Remedy<'_>| {
        use FixKind::{
            EditIac, EditNodeClass, None, PatchLaunchTemplate, UpdateAutoScalingGroup, UpdateNodeGroup,
        };
        let behind = matches!(problem.key.cause, Cause::Behind(_));
        match remedy.kind {
            EditIac | EditNodeClass | None | PatchLaunchTemplate => true,
            UpdateNodeGroup | UpdateAutoScalingGroup => behind,
            _ => false,
        }
    };
    let of_fixes = remedies.iter().filter(telling).flat_map(|remedy| remedy.notes.iter().copied());
    let mut seen = std::collections::HashSet::new();
    let notes: Vec<_> = of_findings.chain(of_fixes).filter(|note| seen.insert(*note)).collect();
    for (at, note) in notes.iter().take(LISTED).enumerate() {
        label(page, if at == 0 { "note" } else { "" }, &page.text().prose(note))?;
    }
    more(page, notes.len() as u64)
}
