//! Advice: where a fix belongs, and in which order it is done.
//!
//! The owner of an option decides the remedy. Never a template that EKS or Karpenter owns, never the Auto
//! Scaling group of a managed node group, and what cannot be changed says so.

use super::evaluate::Verdict;
use super::{Remediation, Rule};
use crate::finding::{Expectation, Fix, FixKind, Source, Status};
use crate::lineage::{Lever, Subject, SubjectKind, UserTemplate};
use crate::model::{OptionName, OptionValue, VersionRef};
use crate::resolve::EffectiveOptions;

/// What advice is asked about.
pub(super) struct Advice<'a, 's> {
    pub rule: &'a Rule,
    pub subject: &'a Subject<'s>,
    pub verdict: &'a Verdict,
    /// For an instance, its group and how that fares under the same rule.
    pub group: Option<(&'a Subject<'s>, Option<&'a Verdict>)>,
}

/// The fixes for a verdict, in the order they are taken; none where nothing is wrong.
pub(super) fn advise(advice: &Advice<'_, '_>) -> Vec<Fix> {
    if matches!(advice.verdict.status, Status::Pass | Status::NotApplicable) {
        return Vec::new();
    }
    let mut fixes = match advice.subject.kind {
        SubjectKind::Instance => of_instance(advice),
        _ => of_lever(advice.rule, advice.subject, advice.verdict),
    };
    if why_by_hand(advice.rule, advice.subject, advice.verdict).is_some() {
        for fix in &mut fixes {
            fix.automatic = false;
        }
    }
    fixes
}

/// Why fixes that imdsctl could make are left to a person.
pub(super) fn why_by_hand(rule: &Rule, subject: &Subject<'_>, verdict: &Verdict) -> Option<&'static str> {
    let (status, worst) = verdict.variants[0];
    if !matches!(status, Status::Fail | Status::Unknown) {
        return None;
    }
    let hops = match subject.variants[worst].options.get(OptionName::HttpPutResponseHopLimit).value {
        Some(OptionValue::Number(hops)) if rule.option == OptionName::HttpPutResponseHopLimit => Some(hops),
        _ => None,
    };
    let lowers = match (&rule.expected, hops) {
        (Expectation::AtMost(most) | Expectation::Equals(OptionValue::Number(most)), Some(hops)) => {
            hops > *most
        }
        _ => false,
    };
    if lowers {
        Some("a hop limit is never lowered automatically")
    } else if rule.remediation == Remediation::Manual {
        Some("the policy leaves this to a person")
    } else if status == Status::Unknown {
        Some("what is not certain is never changed automatically")
    } else {
        None
    }
}

fn of_instance(advice: &Advice<'_, '_>) -> Vec<Fix> {
    let now = fix(FixKind::ModifyInstance, &advice.subject.resource.id).automatic();
    let node = advice.subject.noun();
    match (&advice.subject.lever, advice.group) {
        (Lever::AutoMode | Lever::NodeClass(_) | Lever::Service(_), _) => {
            let mut fixes = of_lever(advice.rule, advice.subject, advice.verdict);
            if matches!(advice.subject.lever, Lever::NodeClass(_)) {
                fixes.push(now.note("until Karpenter replaces the node"));
            }
            fixes
        }
        (_, Some((group, Some(verdict)))) if matches!(verdict.status, Status::Fail | Status::Unknown) => {
            let mut fixes = of_lever(advice.rule, group, verdict);
            fixes.push(now.note(&format!("until the {node} is replaced")));
            fixes
        }
        (_, Some((_, Some(_)))) => {
            let why = format!("its group's next {node} is right, so replacing the {node} mends it too");
            vec![now.note(&why)]
        }
        (_, _) => vec![now.note("nothing is known that would launch it again")],
    }
}

fn of_lever(rule: &Rule, subject: &Subject<'_>, verdict: &Verdict) -> Vec<Fix> {
    match &subject.lever {
        Lever::NodeGroup { target, template: Some(template), .. } => {
            of_node_group(rule, target, &subject.resource.id, template)
        }
        Lever::NodeGroup { target, template: None, described: true } => vec![named(fix(FixKind::ReplaceNodeGroup, target), &subject.resource.id).note(
            "it was made without a launch template and cannot be given one: make another with one, and move its pods",
        )],
        Lever::NodeGroup { target, template: None, described: false } => {
            vec![named(fix(FixKind::None, target), &subject.resource.id).note("EKS could not be asked what the node group was made with")]
        }
        Lever::Group { name, templates } => of_group(rule, subject, verdict, name, templates),
        Lever::Configuration { group, name } => vec![
            fix(FixKind::MigrateLaunchConfiguration, name)
                .note(&format!("it cannot be changed: let {group} use a launch template in its place")),
        ],
        Lever::NodeClass(name) => vec![
            Fix { target: name.map(str::to_owned), ..fix(FixKind::EditNodeClass, "") }
                .note(&format!("spec.metadataOptions of the EC2NodeClass: {}", node_class_line(rule))),
        ],
        Lever::AutoMode => vec![Fix { target: None, ..fix(FixKind::None, "") }
            .note("EKS Auto Mode requires tokens and one hop, and lets nobody change that")],
        Lever::Template(template) => of_template(rule, subject, verdict, template),
        Lever::AccountDefaults { by_policy: Some(message) } => {
            let message = message.map_or_else(String::new, |message| format!(": {message}"));
            vec![
                fix(FixKind::None, &subject.resource.id)
                    .note(&format!("a declarative policy of the organisation holds the defaults{message}")),
            ]
        }
        Lever::AccountDefaults { by_policy: None } => {
            vec![fix(FixKind::ModifyAccountDefaults, &subject.resource.id).automatic().note(&set(rule))]
        }
        Lever::Service(principal) => vec![
            fix(FixKind::None, &subject.resource.id)
                .note(&format!("{principal} manages the instance: what can be changed is changed there")),
        ],
        Lever::Instance => Vec::new(),
    }
}

fn of_node_group(rule: &Rule, target: &str, id: &str, template: &UserTemplate<'_>) -> Vec<Fix> {
    let update = named(fix(FixKind::UpdateNodeGroup, target), id).automatic();
    // Where the template leaves something open, EKS may fill it in: only what it says itself is certain.
    match later_version_that_holds(rule, template, |source| source == Source::LaunchTemplate) {
        Some(later) => vec![update.note(&format!("version {later} of {} already holds it", name(template)))],
        None => vec![edit(rule, template), update.note("to the new version; this replaces its nodes")],
    }
}

fn of_group(
    rule: &Rule,
    subject: &Subject<'_>,
    verdict: &Verdict,
    group: &str,
    templates: &[UserTemplate<'_>],
) -> Vec<Fix> {
    let mut fixes = Vec::new();
    for template in templates.iter().filter(|template| breaks(subject, verdict, template)) {
        if template.latest.is_none() {
            let note = "what it launches from is gone or could not be read: give it a template that exists";
            return vec![fix(FixKind::None, group).note(note)];
        }
        let later = later_version_that_holds(rule, template, |_| true);
        if later.is_none() {
            fixes.push(edit(rule, template));
        }
        let to = later.map_or("the new version".to_owned(), |later| format!("version {later}"));
        match template.in_use {
            VersionRef::Number(_) => {
                let update = fix(FixKind::UpdateAutoScalingGroup, group).automatic();
                fixes.push(update.note(&format!("to {to} of {}", name(template))));
            }
            VersionRef::Default => {
                let default = of(FixKind::SetDefaultVersion, template).automatic();
                fixes.push(default.note(&format!("to {to}: the group launches from $Default")));
            }
            VersionRef::Latest => {}
        }
    }
    if fixes.is_empty() {
        return vec![fix(FixKind::None, group).note("what it launches from could not be read")];
    }
    if subject.nodes > 0 {
        let note = match subject.cluster {
            Some(_) => "an instance refresh does not drain nodes",
            None => "an instance refresh replaces its instances",
        };
        fixes.push(fix(FixKind::RefreshInstances, group).automatic().note(note));
    }
    fixes
}

fn of_template(
    rule: &Rule,
    subject: &Subject<'_>,
    verdict: &Verdict,
    template: &UserTemplate<'_>,
) -> Vec<Fix> {
    let default_is_wrong = verdict.variants.iter().any(|(status, index)| {
        let number = subject.variants[*index].template.as_ref().and_then(|identity| identity.version);
        matches!(status, Status::Fail | Status::Unknown) && number == template.number
    });
    let default = of(FixKind::SetDefaultVersion, template).automatic();
    match later_version_that_holds(rule, template, |_| true) {
        Some(later) => vec![default.note(&format!("version {later} already holds it"))],
        None if default_is_wrong => vec![edit(rule, template), default.note("to the new version")],
        None => vec![edit(rule, template)],
    }
}

/// Whether a template is one of those that break the rule.
fn breaks(subject: &Subject<'_>, verdict: &Verdict, template: &UserTemplate<'_>) -> bool {
    verdict.variants.iter().any(|(status, index)| {
        let identity = subject.variants[*index].template.as_ref();
        matches!(status, Status::Fail | Status::Unknown)
            && identity.is_some_and(|identity| {
                (identity.id == Some(template.target) || identity.name == template.name)
                    && identity.version == template.number
            })
    })
}

/// A change to a template: a new version, or in the source of the tool that owns it.
fn edit(rule: &Rule, template: &UserTemplate<'_>) -> Fix {
    let name = name(template);
    if let Some(owner) = &template.iac {
        let note = format!("{} in {owner}, which owns {name}", set(rule));
        return of(FixKind::EditIac, template).note(&note);
    }
    let source = template.number.map_or(String::new(), |number| format!(" from version {number}"));
    let note = format!("{} in a new version of {name}{source}", set(rule));
    of(FixKind::PatchLaunchTemplate, template).automatic().note(&note)
}

/// The latest version, where it is later than the one in use and right; `counts` says by whose word.
fn later_version_that_holds(
    rule: &Rule,
    template: &UserTemplate<'_>,
    counts: impl Fn(Source) -> bool,
) -> Option<i64> {
    let (latest, options): (i64, EffectiveOptions) = template.latest?;
    let effective = options.get(rule.option);
    let holds = effective.value.is_some_and(|value| rule.expected.holds(value));
    (template.number? < latest && holds && counts(effective.source)).then_some(latest)
}

/// What is to be set, in the words of the API.
fn set(rule: &Rule) -> String {
    format!("set {} to {}", rule.option.api_name(), rule.expected)
}

fn node_class_line(rule: &Rule) -> String {
    let name = rule.option.api_name();
    let name = format!("{}{}", name[..1].to_ascii_lowercase(), &name[1..]);
    let value = match &rule.expected {
        Expectation::Equals(value) => value.to_string(),
        Expectation::AtLeast(bound) | Expectation::AtMost(bound) => bound.to_string(),
    };
    format!("{name}: {value}")
}

fn name<'a>(template: &UserTemplate<'a>) -> &'a str {
    template.name.unwrap_or(template.target)
}

fn fix(kind: FixKind, target: &str) -> Fix {
    Fix { kind, target: Some(target.to_owned()), target_name: None, automatic: false, note: None }
}

/// A fix of a template.
fn of(kind: FixKind, template: &UserTemplate<'_>) -> Fix {
    Fix { target_name: template.name.map(str::to_owned), ..fix(kind, template.target) }
}

fn named(fix: Fix, name: &str) -> Fix {
    Fix { target_name: Some(name.to_owned()).filter(|name| fix.target.as_ref() != Some(name)), ..fix }
}

impl Fix {
    fn automatic(self) -> Self {
        Self { automatic: true, ..self }
    }

    fn note(self, note: &str) -> Self {
        Self { note: Some(note.to_owned()), ..self }
    }
}
