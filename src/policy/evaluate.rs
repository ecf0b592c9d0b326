//! Judging what an inventory holds by policies.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

use super::fixes::{self, Advice};
use super::matcher::FamilyMatch;
use super::{Exemption, Policy, Rule};
use crate::finding::{
    ExemptionSummary, Finding, Fix, FixKind, Resource, ResourceType, Severity, Status, TemplateUse,
    fingerprint,
};
use crate::lineage::{self, Lineage, Subject, SubjectKind, Variant};
use crate::model::{Inventory, OptionName, OptionValue, Scope};
use crate::resolve::Effective;

/// Judges one inventory after the other, and remembers which exemptions were of use.
pub struct Evaluator<'p> {
    policies: &'p [Policy],
    today: Date,
    used: HashSet<(usize, usize)>,
}

/// What came of judging one inventory.
#[derive(Debug, Default)]
pub struct Judged {
    /// What failed, is unknown or is exempt; with `include_passed` everything.
    pub findings: Vec<Finding>,
    /// How many passed that are not among the findings.
    pub passed: u64,
    /// How many do not apply that are not among the findings.
    pub not_applicable: u64,
    /// How many Auto Scaling groups belong to clusters or are judged all the same.
    pub groups: u64,
}

/// How one subject fares under one rule.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub status: Status,
    /// How each variant fares, worst first; the variants that the policy is not for are left out.
    pub variants: Vec<(Status, usize)>,
}

impl<'p> Evaluator<'p> {
    /// Judges by `policies` on a day in UTC.
    pub fn new(policies: &'p [Policy], today: Date) -> Self {
        Self { policies, today, used: HashSet::new() }
    }

    /// Judges all that an inventory holds.
    pub fn judge(&mut self, inventory: &Inventory, include_passed: bool) -> Judged {
        let Lineage { subjects, groups } = lineage::of(inventory);
        let mut judged = Judged { groups, ..Judged::default() };
        let policies = self.policies;
        for (policy_index, policy) in policies.iter().enumerate() {
            for rule in &policy.rules {
                self.judge_rule(
                    (policy_index, policy, rule),
                    &inventory.scope,
                    &subjects,
                    include_passed,
                    &mut judged,
                );
            }
        }
        judged.findings.sort_by(Finding::cmp_machine);
        judged
    }

    fn judge_rule(
        &mut self,
        (policy_index, policy, rule): (usize, &'p Policy, &Rule),
        scope: &Scope,
        subjects: &[Subject<'_>],
        include_passed: bool,
        judged: &mut Judged,
    ) {
        // Groups stand before their instances, so an instance finds its group's verdict here.
        let mut of_groups: HashMap<usize, Verdict> = HashMap::new();
        for (position, subject) in subjects.iter().enumerate() {
            let Some(mut verdict) = verdict(policy, rule, scope, subject) else { continue };
            if subject.kind == SubjectKind::Group {
                of_groups.insert(position, verdict.clone());
            }
            if !rule.asks_for(subject.kind) {
                continue;
            }
            let exemption = self.exemption(policy_index, policy, rule, scope, subject, &verdict);
            if exemption.is_some() {
                verdict.status = Status::Exempt;
            }
            match verdict.status {
                Status::Pass if !include_passed => judged.passed += 1,
                Status::NotApplicable if !include_passed => judged.not_applicable += 1,
                _ => {
                    let group = subject.group.map(|group| (&subjects[group], of_groups.get(&group)));
                    let fixes = fixes::advise(&Advice { rule, subject, verdict: &verdict, group });
                    let mut finding = finding(policy, rule, scope, subject, &verdict, fixes);
                    finding.exemption = exemption.map(summary_of);
                    judged.findings.push(finding);
                }
            }
        }
    }

    /// The exemption that covers a verdict. All that do count as used.
    fn exemption(
        &mut self,
        policy_index: usize,
        policy: &'p Policy,
        rule: &Rule,
        scope: &Scope,
        subject: &Subject<'_>,
        verdict: &Verdict,
    ) -> Option<&'p Exemption> {
        if !matches!(verdict.status, Status::Fail | Status::Unknown) {
            return None;
        }
        let mut found = None;
        for (index, exemption) in policy.exemptions.iter().enumerate() {
            let family = |(_, variant): &(Status, usize)| family_of(&subject.variants[*variant]);
            let families = verdict
                .variants
                .iter()
                .all(|variant| exemption.matches.family(family(variant)) != FamilyMatch::No);
            let covers = exemption.covers(rule) && families && exemption.matches.holds(scope, subject);
            if covers && !exemption.expired(self.today) {
                self.used.insert((policy_index, index));
                found = found.or(Some(exemption));
            }
        }
        found
    }

    /// What is to be said of the exemptions themselves, after all inventories were judged. That one was of no
    /// use is said only when everything was read: `complete`.
    pub fn exemptions(&self, complete: bool) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (policy_index, policy) in self.policies.iter().enumerate() {
            for (index, exemption) in policy.exemptions.iter().enumerate() {
                if exemption.expired(self.today) {
                    findings.push(about_exemption(policy, exemption, &EXPIRED));
                } else if complete && !self.used.contains(&(policy_index, index)) {
                    findings.push(about_exemption(policy, exemption, &UNUSED));
                }
            }
        }
        findings
    }
}

fn family_of(variant: &Variant<'_>) -> Option<crate::model::Family> {
    variant.image.as_ref().map(|image| image.family)
}

/// How a subject fares; nothing where the policy is not for it.
fn verdict(policy: &Policy, rule: &Rule, scope: &Scope, subject: &Subject<'_>) -> Option<Verdict> {
    if !policy.matches.holds(scope, subject) {
        return None;
    }
    let mut variants: Vec<_> = subject
        .variants
        .iter()
        .enumerate()
        .filter_map(|(index, variant)| {
            let status = status(rule, variant);
            Some(match policy.matches.family(family_of(variant)) {
                FamilyMatch::No => return None,
                FamilyMatch::Perhaps if status == Status::Fail => (Status::Unknown, index),
                FamilyMatch::Perhaps | FamilyMatch::Yes => (status, index),
            })
        })
        .collect();
    variants.sort();
    let (status, _) = *variants.first()?;
    Some(Verdict { status, variants })
}

/// How each variant of a subject fares under a rule, in their order; nothing for those that the policy is not for.
/// It is told of every kind of subject, also of those that the rule is not asked of.
pub fn statuses(policy: &Policy, rule: &Rule, scope: &Scope, subject: &Subject<'_>) -> Vec<Option<Status>> {
    let verdict = verdict(policy, rule, scope, subject);
    let mut statuses = vec![None; subject.variants.len()];
    for (status, index) in verdict.into_iter().flat_map(|verdict| verdict.variants) {
        statuses[index] = Some(status);
    }
    statuses
}

fn status(rule: &Rule, variant: &Variant<'_>) -> Status {
    let endpoint = variant.options.get(OptionName::HttpEndpoint);
    if rule.option != OptionName::HttpEndpoint && endpoint.value == Some(OptionValue::Disabled) {
        return Status::NotApplicable;
    }
    match variant.options.get(rule.option).value {
        None | Some(OptionValue::Unrecognised) => Status::Unknown,
        Some(value) if rule.expected.holds(value) => Status::Pass,
        Some(_) => Status::Fail,
    }
}

fn finding(
    policy: &Policy,
    rule: &Rule,
    scope: &Scope,
    subject: &Subject<'_>,
    verdict: &Verdict,
    fixes: Vec<Fix>,
) -> Finding {
    let worst = &subject.variants[verdict.variants[0].1];
    let Effective { value, source } = worst.options.get(rule.option);
    let resource = &subject.resource;
    let id = fingerprint(&[
        scope.partition.as_str(),
        scope.account_id.as_str(),
        scope.region.as_str(),
        resource.r#type.as_str(),
        &resource.id,
        &policy.name,
        &rule.id,
    ]);
    Finding {
        id,
        policy: policy.name.clone(),
        rule: rule.id.clone(),
        severity: rule.severity,
        status: verdict.status,
        partition: Some(scope.partition.clone()),
        account_id: Some(scope.account_id.clone()),
        account_name: scope.account_name.clone(),
        region: Some(scope.region.clone()),
        resource: resource.clone(),
        cluster: subject.cluster.map(str::to_owned),
        cluster_arn: subject.cluster_arn.cloned(),
        node_group: subject.node_group.map(str::to_owned),
        auto_scaling_group: subject.auto_scaling_group.map(str::to_owned),
        managed_by: subject.managed_by,
        nodes: subject.nodes,
        image: worst.image.clone(),
        option: Some(rule.option),
        expected: Some(rule.expected.clone()),
        actual: value,
        source: Some(source),
        templates: templates(rule, subject, verdict),
        fixes,
        exemption: None,
        notes: notes(rule, subject, verdict),
    }
}

fn templates(rule: &Rule, subject: &Subject<'_>, verdict: &Verdict) -> Vec<TemplateUse> {
    let judged = verdict.variants.iter().map(|(_, index)| &subject.variants[*index]);
    judged
        .chain(&subject.launched_from)
        .filter_map(|variant| {
            let template = variant.template.as_ref()?;
            let Effective { value, source } = variant.options.get(rule.option);
            Some(TemplateUse {
                id: template.id.map(Into::into),
                name: template.name.map(str::to_owned),
                version: template.version,
                owned_by: template.owned_by,
                actual: value,
                source,
            })
        })
        .collect()
}

fn notes(rule: &Rule, subject: &Subject<'_>, verdict: &Verdict) -> Vec<String> {
    let mut notes = subject.notes.clone();
    let (status, index) = verdict.variants[0];
    let worst = &subject.variants[index];
    let assumed = worst.image.as_ref().is_some_and(|image| image.family == crate::model::Family::Unknown);
    if status == Status::Unknown && assumed && worst.options.get(rule.option).value.is_some() {
        notes.push(
            "the family of its image is not known, so whether the rule is for it cannot be told".to_owned(),
        );
    }
    if status == Status::NotApplicable {
        notes.push("its metadata service is disabled".to_owned());
    }
    notes.extend(fixes::why_by_hand(rule, subject, verdict).map(str::to_owned));
    notes
}

fn summary_of(exemption: &Exemption) -> ExemptionSummary {
    ExemptionSummary {
        id: exemption.id.clone(),
        reason: exemption.reason.clone(),
        expires: exemption.expires,
        owner: exemption.owner.clone(),
    }
}

/// A rule about exemptions themselves.
struct AboutExemption {
    rule: &'static str,
    severity: Severity,
    note: &'static str,
}

const EXPIRED: AboutExemption = AboutExemption {
    rule: "exemption-expired",
    severity: Severity::Low,
    note: "it has expired and no longer exempts: renew or remove it",
};

const UNUSED: AboutExemption = AboutExemption {
    rule: "exemption-unused",
    severity: Severity::Info,
    note: "it covered nothing in what was read: remove it if that was everything",
};

fn about_exemption(policy: &Policy, exemption: &Exemption, about: &AboutExemption) -> Finding {
    Finding {
        id: fingerprint(&[
            "",
            "",
            "",
            ResourceType::Exemption.as_str(),
            &exemption.id,
            &policy.name,
            about.rule,
        ]),
        policy: policy.name.clone(),
        rule: about.rule.to_owned(),
        severity: about.severity,
        status: Status::Fail,
        partition: None,
        account_id: None,
        account_name: None,
        region: None,
        resource: Resource {
            r#type: ResourceType::Exemption,
            id: exemption.id.clone(),
            name: None,
            arn: None,
        },
        cluster: None,
        cluster_arn: None,
        node_group: None,
        auto_scaling_group: None,
        managed_by: None,
        nodes: 0,
        image: None,
        option: None,
        expected: None,
        actual: None,
        source: None,
        templates: Vec::new(),
        fixes: vec![Fix {
            kind: FixKind::EditPolicy,
            target: Some(exemption.id.clone()),
            target_name: None,
            automatic: false,
            note: Some(about.note.to_owned()),
        }],
        exemption: Some(summary_of(exemption)),
        notes: Vec::new(),
    }
}
