//! Judging what an inventory holds by policies.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;

use super::fixes::{self, Advice};
use super::matcher::FamilyMatch;
use super::{Exemption, Policy, Rule};
use crate::finding::{Finding, Fix, Status, TemplateUse, exemption_name, fingerprint};
use crate::lineage::{self, Lineage, Subject, Variant};
use crate::model::{Inventory, OptionName, OptionValue, Scope};
use crate::resolve::Effective;

/// Judges inventories.
pub struct Evaluator<'p> {
    policies: &'p [Policy],
    /// The rules of all policies, in the order in which findings of one resource stand.
    rules: Vec<(&'p Policy, &'p Rule)>,
    today: Date,
}

/// What came of judging one inventory.
#[derive(Debug, Default)]
pub struct Judged {
    /// What failed, is unknown or is exempt; with `include_passed` everything.
    pub findings: Vec<Finding>,
    /// The counts.
    pub tally: Tally,
}

/// How the judgements of one inventory count, those that no finding tells of as well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many passed.
    pub passed: u64,
    /// How many failed.
    pub failed: u64,
    /// How many would fail, were they not exempt.
    pub exempt: u64,
    /// How many could not be made.
    pub unknown: u64,
    /// How many have no meaning.
    pub not_applicable: u64,
    /// How many Auto Scaling groups belong to clusters or are judged all the same.
    pub groups: u64,
    /// The exemptions that covered something, as `policy/exemption`.
    pub exemptions_used: BTreeSet<String>,
}

impl Tally {
    const fn count(&mut self, status: Status) {
        *match status {
            Status::Pass => &mut self.passed,
            Status::Fail => &mut self.failed,
            Status::Exempt => &mut self.exempt,
            Status::Unknown => &mut self.unknown,
            Status::NotApplicable => &mut self.not_applicable,
        } += 1;
    }
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
        let rules = policies.iter().flat_map(|policy| policy.rules.iter().map(move |rule| (policy, rule)));
        let mut rules: Vec<_> = rules.collect();
        rules.sort_by_key(|&(policy, rule)| (&policy.name, &rule.id));
        Self { policies, rules, today }
    }

    /// Judges all that an inventory holds.
    pub fn judge(&self, inventory: &Inventory, include_passed: bool) -> Judged {
        let mut findings = Vec::new();
        let tally = self.judge_each(inventory, include_passed, |finding| findings.push(finding));
        Judged { findings, tally }
    }

    /// The same, with each finding handed on as soon as it is made, in the order of machine formats.
    pub fn judge_each(
        &self,
        inventory: &Inventory,
        include_passed: bool,
        mut emit: impl FnMut(Finding),
    ) -> Tally {
        let Lineage { subjects, groups } = lineage::of(inventory);
        let mut order: Vec<_> = (0..subjects.len()).collect();
        order.sort_by_key(|position| {
            let resource = &subjects[*position].resource;
            (resource.r#type, &resource.id)
        });
        let mut judging = Judging {
            by: self,
            scope: &inventory.scope,
            subjects: &subjects,
            include_passed,
            of_groups: HashMap::new(),
            exemptions_used: BTreeSet::new(),
            tally: Tally { groups, ..Tally::default() },
        };
        for position in order {
            (0..self.rules.len()).filter_map(|rule| judging.judge(position, rule)).for_each(&mut emit);
        }
        let used = judging.exemptions_used.into_iter();
        Tally {
            exemptions_used: used.map(|(policy, id)| exemption_name(policy, id)).collect(),
            ..judging.tally
        }
    }

    /// The exemptions whose last day is over, as `policy/exemption`.
    pub fn expired(&self) -> BTreeSet<String> {
        let exemptions =
            self.policies.iter().flat_map(|policy| policy.exemptions.iter().map(move |e| (policy, e)));
        let expired = exemptions.filter(|(_, exemption)| exemption.expired(self.today));
        expired.map(|(policy, exemption)| exemption_name(&policy.name, &exemption.id)).collect()
    }
}

/// One inventory being judged.
struct Judging<'j, 'p, 'a> {
    by: &'j Evaluator<'p>,
    scope: &'j Scope,
    subjects: &'j [Subject<'a>],
    include_passed: bool,
    /// How groups fare, by where they stand and by rule: their instances are told to follow them, or that they do not.
    of_groups: HashMap<(usize, usize), Option<Verdict>>,
    exemptions_used: BTreeSet<(&'p str, &'p str)>,
    tally: Tally,
}

impl<'p> Judging<'_, 'p, '_> {
    /// Judges one subject by one rule. There is no finding where the rule is not asked of it, or it is not to be shown.
    fn judge(&mut self, position: usize, number: usize) -> Option<Finding> {
        let (policy, rule) = self.by.rules[number];
        let subject = &self.subjects[position];
        if !rule.asks_for(subject.kind) {
            return None;
        }
        let mut verdict = verdict(policy, rule, self.scope, subject)?;
        let exemption = self.exemption(policy, rule, subject, &verdict);
        if exemption.is_some() {
            verdict.status = Status::Exempt;
        }
        self.tally.count(verdict.status);
        if !self.include_passed && matches!(verdict.status, Status::Pass | Status::NotApplicable) {
            return None;
        }
        let group = subject.group.map(|group| {
            let of_group = self.of_groups.entry((group, number));
            let of_group =
                of_group.or_insert_with(|| self::verdict(policy, rule, self.scope, &self.subjects[group]));
            (&self.subjects[group], of_group.as_ref())
        });
        let fixes = fixes::advise(&Advice { rule, subject, verdict: &verdict, group });
        let exemption = exemption.map(Exemption::summary);
        Some(Finding { exemption, ..finding(policy, rule, self.scope, subject, &verdict, fixes) })
    }

    /// The exemption that covers a verdict. All that do count as used.
    fn exemption(
        &mut self,
        policy: &'p Policy,
        rule: &Rule,
        subject: &Subject<'_>,
        verdict: &Verdict,
    ) -> Option<&'p Exemption> {
        if !matches!(verdict.status, Status::Fail | Status::Unknown) {
            return None;
        }
        let mut found = None;
        for exemption in &policy.exemptions {
            let family = |(_, variant): &(Status, usize)| family_of(&subject.variants[*variant]);
            let families = verdict
                .variants
                .iter()
                .all(|variant| exemption.matches.family(family(variant)) != FamilyMatch::No);
            let covers = exemption.covers(rule) && families && exemption.matches.holds(self.scope, subject);
            if covers && !exemption.expired(self.by.today) {
                self.exemptions_used.insert((&policy.name, &exemption.id));
                found = found.or(Some(exemption));
            }
        }
        found
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
