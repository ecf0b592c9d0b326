//! Advice: where a fix belongs, and in which order it is done.
//!
//! The owner of an option decides the remedy. Never a template that EKS or Karpenter owns, never the Auto
//! Scaling group of a managed node group, and what cannot be changed says so.

use super::evaluate::Verdict;
use super::{Remediation, Rule};
use crate::finding::{Expectation, Fix, FixKind, Status};
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
    if let Some(why) = why_not_automatic(advice) {
        for fix in fixes.iter_mut().filter(|fix| fix.automatic) {
            fix.automatic = false;
            fix.note = Some(fix.note.take().map_or_else(|| why.to_owned(), |note| format!("{note}; {why}")));
        }
    }
    fixes
}

fn why_not_automatic(advice: &Advice<'_, '_>) -> Option<&'static str> {
    let worst = &advice.subject.variants[advice.verdict.variants[0].1];
    let hops = match worst.options.get(OptionName::HttpPutResponseHopLimit).value {
        Some(OptionValue::Number(hops)) if advice.rule.option == OptionName::HttpPutResponseHopLimit => {
            Some(hops)
        }
        _ => None,
    };
    let lowers = match (&advice.rule.expected, hops) {
        (Expectation::AtMost(most) | Expectation::Equals(OptionValue::Number(most)), Some(hops)) => {
            hops > *most
        }
        _ => false,
    };
    if lowers {
        Some("a hop limit is never lowered automatically")
    } else if advice.rule.remediation == Remediation::Manual {
        Some("the policy leaves this to a person")
    } else if advice.verdict.variants[0].0 == Status::Unknown {
        Some("what is not certain is never changed automatically")
    } else {
        None
    }
}

fn of_instance(advice: &Advice<'_, '_>) -> Vec<Fix> {
    let now = fix(FixKind::ModifyInstance, &advice.subject.resource.id).automatic();
    match (&advice.subject.lever, advice.group) {
        (Lever::AutoMode | Lever::NodeClass(_), _) => {
            let mut fixes = of_lever(advice.rule, advice.subject, advice.verdict);
            if matches!(advice.subject.lever, Lever::NodeClass(_)) {
                fixes.push(now.note("until Karpenter replaces the node"));
            }
            fixes
        }
        (_, Some((group, Some(verdict)))) if matches!(verdict.status, Status::Fail | Status::Unknown) => {
            let mut fixes = of_lever(advice.rule, group, verdict);
            fixes.push(now.note("until the node is replaced"));
            fixes
        }
        (_, Some((_, Some(_)))) => {
            vec![now.note("its group's next node is right, so replacing the node mends it too")]
        }
        (_, _) => vec![now.note("nothing is known that would launch it again")],
    }
}

fn of_lever(rule: &Rule, subject: &Subject<'_>, verdict: &Verdict) -> Vec<Fix> {
    match &subject.lever {
        Lever::NodeGroup { target, template: Some(template), .. } => of_node_group(rule, target, template),
        Lever::NodeGroup { target, template: None, described: true } => vec![fix(FixKind::ReplaceNodeGroup, target).note(
            "it was made without a launch template and cannot be given one: make another with one, and move its pods",
        )],
        Lever::NodeGroup { target, template: None, described: false } => {
            vec![fix(FixKind::None, target).note("EKS could not be asked what the node group was made with")]
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
        Lever::Instance => Vec::new(),
    }
}

fn of_node_group(rule: &Rule, target: &str, template: &UserTemplate<'_>) -> Vec<Fix> {
    let update = fix(FixKind::UpdateNodeGroup, target).automatic();
    match later_version_that_holds(rule, template) {
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
        let later = later_version_that_holds(rule, template);
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
                let default = fix(FixKind::SetDefaultVersion, template.target).automatic();
                fixes.push(default.note(&format!("to {to}: the group launches from $Default")));
            }
            VersionRef::Latest => {}
        }
    }
    if fixes.is_empty() {
        return vec![fix(FixKind::None, group).note("what it launches from could not be read")];
    }
    if subject.nodes > 0 {
        fixes.push(
            fix(FixKind::RefreshInstances, group)
                .automatic()
                .note("an instance refresh does not drain nodes"),
        );
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
    let default = fix(FixKind::SetDefaultVersion, template.target).automatic();
    match later_version_that_holds(rule, template) {
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
        return fix(FixKind::EditIac, template.target).note(&note);
    }
    let source = template.number.map_or(String::new(), |number| format!(" from version {number}"));
    let note = format!("{} in a new version of {name}{source}", set(rule));
    fix(FixKind::PatchLaunchTemplate, template.target).automatic().note(&note)
}

/// The latest version, where it is later than the one in use and what it says itself holds.
fn later_version_that_holds(rule: &Rule, template: &UserTemplate<'_>) -> Option<i64> {
    let (latest, options): (i64, EffectiveOptions) = template.latest?;
    let holds = options.get(rule.option).value.is_some_and(|value| rule.expected.holds(value));
    let said_by_template = options.get(rule.option).source == crate::finding::Source::LaunchTemplate;
    (template.number? < latest && holds && said_by_template).then_some(latest)
}

/// What is to be set, in the words of the API.
fn set(rule: &Rule) -> String {
    format!("set {} to {}", api_name(rule.option), rule.expected)
}

fn node_class_line(rule: &Rule) -> String {
    let name = api_name(rule.option);
    let name = format!("{}{}", name[..1].to_ascii_lowercase(), &name[1..]);
    let value = match &rule.expected {
        Expectation::Equals(value) => value.to_string(),
        Expectation::AtLeast(bound) | Expectation::AtMost(bound) => bound.to_string(),
    };
    format!("{name}: {value}")
}

const fn api_name(option: OptionName) -> &'static str {
    match option {
        OptionName::HttpTokens => "HttpTokens",
        OptionName::HttpPutResponseHopLimit => "HttpPutResponseHopLimit",
        OptionName::HttpEndpoint => "HttpEndpoint",
        OptionName::HttpProtocolIpv6 => "HttpProtocolIpv6",
        OptionName::InstanceMetadataTags => "InstanceMetadataTags",
    }
}

fn name<'a>(template: &UserTemplate<'a>) -> &'a str {
    template.name.unwrap_or(template.target)
}

fn fix(kind: FixKind, target: &str) -> Fix {
    Fix { kind, target: Some(target.to_owned()), automatic: false, note: None }
}

impl Fix {
    fn automatic(self) -> Self {
        Self { automatic: true, ..self }
    }

    fn note(self, note: &str) -> Self {
        Self { note: Some(note.to_owned()), ..self }
    }
}
