//! The sentences about a problem.

use super::page::{Paint, Text};
use crate::finding::{FixKind, ResourceType, Source, Status, TemplateOwner};
use crate::report::problems::{Cause, Problem, Remedy, TemplateVersion};
use crate::report::words::{self, count, plural};

/// How many templates, versions and targets a sentence names.
const NAMED: usize = 3;

/// What is wrong: the option, what it is, what it must be.
pub(super) fn wrong(text: Text, problem: &Problem) -> Text {
    let common = &problem.common;
    let (Some(option), Some(expected)) = (common.option, &common.expected) else {
        return text.id(&common.resource_id);
    };
    let actual = problem.actual();
    let text = text.say(option.as_str()).say(" ");
    let text = if actual.is_empty() {
        text.paint(Paint::Strong, "could not be resolved")
    } else {
        text.say("is ").paint(Paint::Strong, actual.join(" or "))
    };
    let must = if problem.key.status == Status::Unknown && !actual.is_empty() {
        ", and may have to be "
    } else {
        ", must be "
    };
    text.say(must).say(expected.to_string())
}

/// The account and the Region; the policy, where it is the policy's own.
pub(in crate::report) fn location(text: Text, problem: &Problem) -> Text {
    let Some(account) = &problem.key.account_id else {
        return text.say("policy ").word(&problem.key.policy);
    };
    let text = match &problem.common.account_name {
        Some(name) => text.name(name).say(" ").word(account.as_str()),
        None => text.say("account ").word(account.as_str()),
    };
    match &problem.key.region {
        Some(region) => text.dot().word(region.as_str()),
        None => text,
    }
}

/// `212 nodes have it now, 4 node groups will launch it`
pub(in crate::report) fn reach(problem: &Problem) -> String {
    let of = |kind: ResourceType| problem.count(kind);
    let (nodes, noun) = (problem.nodes, problem.noun());
    let launchers: Vec<_> =
        [ResourceType::NodeGroup, ResourceType::AutoScalingGroup, ResourceType::LaunchTemplate]
            .into_iter()
            .filter(|kind| of(*kind) > 0)
            .map(|kind| count(of(kind), words::resource_type(kind)))
            .collect();
    let mut parts = Vec::new();
    if problem.key.status == Status::Unknown {
        let all = [(nodes > 0).then(|| count(nodes, noun))].into_iter().flatten().chain(launchers);
        return words::and(&all.collect::<Vec<_>>());
    }
    if nodes > 0 {
        parts.push(format!("{} {} it now", count(nodes, noun), if nodes == 1 { "has" } else { "have" }));
    }
    if !launchers.is_empty() {
        parts.push(format!("{} will launch it", words::and(&launchers)));
    }
    parts.join(", ")
}

/// Where the value comes from.
pub(super) fn cause(text: Text, problem: &Problem) -> Option<Text> {
    let text = match &problem.key.cause {
        Cause::Exemption(_) => return None,
        Cause::AutoMode(_) => text.say("EKS Auto Mode decides it"),
        Cause::Drift(_) => text.say(format!(
            "these {}s differ from what their template gives: changed, or launched before it was",
            problem.noun()
        )),
        Cause::Standalone(_) => text.say("the instances have it; no group launches them"),
        Cause::Behind(_) => text.say("a later version of its template is right, and not yet in use"),
        Cause::NodeClass(cluster, name) => node_class(text, cluster.as_deref(), name.as_deref()),
        Cause::NoTemplate(_) => {
            text.say("EKS chooses it for a node group that was made without a launch template")
        }
        _ => {
            let mut text = text;
            for (at, source) in problem.sources().enumerate() {
                text = from(if at == 0 { text } else { text.say("; ") }, source, problem);
            }
            text
        }
    };
    Some(text)
}

fn node_class(text: Text, cluster: Option<&str>, name: Option<&str>) -> Text {
    let text = match name {
        Some(name) => text.say("Karpenter's EC2NodeClass ").word(name),
        None => text.say("Karpenter's EC2NodeClass"),
    };
    match cluster {
        Some(cluster) => text.say(" in cluster ").word(cluster),
        None => text,
    }
}

fn from(text: Text, source: Source, problem: &Problem) -> Text {
    let users: Vec<_> =
        problem.templates().filter(|template| template.owned_by == TemplateOwner::User).collect();
    let unset = |text: Text| match subject(text.empty(), problem, &users) {
        Some(subject) => text.say("; ").append(subject).say(" leaves it open"),
        None => text,
    };
    match source {
        Source::LaunchTemplate => templated(text, problem, &users).say(" sets it"),
        Source::EksLaunchTemplate => templated(text.say("EKS wrote it into its copy of "), problem, &users),
        Source::LaunchConfiguration => match &problem.key.cause {
            Cause::LaunchConfiguration(name) => text.say("launch configuration ").word(name).say(" sets it"),
            _ => text.say("a launch configuration sets it"),
        },
        Source::AccountDefault => unset(text.say("the account's default for the Region")),
        Source::Image => unset(text.say("the image asks for it")),
        Source::BuiltIn => unset(text.say("nothing sets it, so it is EC2's own default")),
        Source::Instance => text.say("the instances have it"),
        Source::Unresolved => text.say("what decides it could not be read"),
    }
}

fn templated(text: Text, problem: &Problem, users: &[&TemplateVersion]) -> Text {
    let subject = subject(text.empty(), problem, users);
    match subject {
        Some(subject) => text.append(subject),
        None => text.say("a launch template"),
    }
}

/// `launch template eks-workers (lt-0abc) version 7`, or how many there are.
fn subject(text: Text, problem: &Problem, users: &[&TemplateVersion]) -> Option<Text> {
    let [first, ..] = users else {
        return match &problem.key.cause {
            Cause::Template(id) => {
                let text = text.say("launch template ");
                let name = problem.target_name(id);
                Some(match name {
                    Some(name) => text.name(name).say(" (").word(id).say(")"),
                    None => text.word(id),
                })
            }
            _ => None,
        };
    };
    let same = |template: &&&TemplateVersion| template.id == first.id && template.name == first.name;
    if users.iter().filter(same).count() < users.len() {
        let mut names: Vec<_> = users.iter().map(|template| (&template.id, &template.name)).collect();
        names.sort();
        names.dedup();
        return Some(text.say(count(names.len() as u64, "launch template")));
    }
    let text = named(text.say("launch template "), first);
    let mut versions: Vec<_> = users.iter().filter_map(|template| template.version).collect();
    versions.sort_unstable();
    versions.dedup();
    let listed: Vec<_> = versions.iter().take(NAMED).map(ToString::to_string).collect();
    Some(match versions.len() {
        0 => text,
        all if all > NAMED => text.say(format!(" in {all} versions")),
        all => text.say(format!(" {} {}", plural(all as u64, "version"), words::and(&listed))),
    })
}

fn named(text: Text, template: &TemplateVersion) -> Text {
    match (&template.name, &template.id) {
        (Some(name), Some(id)) => text.name(name).say(" (").word(id.as_str()).say(")"),
        (Some(name), None) => text.word(name),
        (None, Some(id)) => text.word(id.as_str()),
        (None, None) => text.say("of unknown name"),
    }
}

/// The fixes in one sentence, and whether they are automatic.
pub(super) fn fix(text: Text, remedies: &[Remedy<'_>]) -> Option<Text> {
    let steps: Vec<_> = remedies.iter().filter(|remedy| !is_stopgap(remedy, remedies)).collect();
    if steps.is_empty() {
        return None;
    }
    let same = steps.iter().all(|step| step.automatic == steps[0].automatic);
    let mut text = text;
    for (at, step) in steps.iter().enumerate() {
        text = do_it(if at == 0 { text } else { text.say(", then ") }, step);
        if !same || at + 1 == steps.len() {
            text = automatic(text.say(" "), step);
        }
    }
    Some(text)
}

/// A change to running instances, where there is a fix that lasts as well.
pub(super) fn stopgap(text: Text, remedies: &[Remedy<'_>]) -> Option<Text> {
    let remedy = remedies.iter().find(|remedy| is_stopgap(remedy, remedies))?;
    let (what, lost) = match remedy.all {
        1 => ("the running instance", "lost when it is replaced "),
        _ => ("the running instances", "lost when they are replaced "),
    };
    Some(automatic(text.say("change ").say(what).say("; ").say(lost), remedy))
}

fn is_stopgap(remedy: &Remedy<'_>, all: &[Remedy<'_>]) -> bool {
    remedy.kind == FixKind::ModifyInstance && all.len() > 1
}

fn automatic(text: Text, remedy: &Remedy<'_>) -> Text {
    match (remedy.kind, remedy.automatic) {
        (FixKind::None, _) => text,
        (_, true) => text.fact(Paint::Good, "[automatic]"),
        (_, false) => text.fact(Paint::Warning, "[by hand]"),
    }
}

/// A node group's id is an ARN that nobody reads; a template's is what one searches for.
fn target(text: Text, kind: FixKind, (id, name): (&str, Option<&str>)) -> Text {
    match (kind, name) {
        (_, None) => text.word(id),
        (FixKind::UpdateNodeGroup | FixKind::ReplaceNodeGroup | FixKind::None, Some(name)) => text.word(name),
        (_, Some(name)) => text.name(name).say(" (").word(id).say(")"),
    }
}

fn do_it(text: Text, remedy: &Remedy<'_>) -> Text {
    let (verb, noun, rest) = words::fix(remedy.kind);
    let text = text.say(verb);
    let targets = remedy.all;
    let text = match (remedy.kind, targets) {
        (FixKind::None, _) => text,
        (FixKind::ModifyAccountDefaults, _) | (_, 0) => text.say(" the ").say(noun),
        (_, 1..=2) => {
            let text = text.say(" ").say(plural(targets, noun)).say(" ");
            remedy.targets.iter().enumerate().fold(text, |text, (at, target)| {
                self::target(if at == 0 { text } else { text.say(" and ") }, remedy.kind, *target)
            })
        }
        _ => text.say(" ").say(count(targets, noun)),
    };
    text.say(rest)
}
