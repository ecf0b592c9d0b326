//! What a plan is made from: an inventory tied together, judged, and looked up.

use std::collections::{BTreeSet, HashMap};

use crate::finding::{Finding, ResourceType, Status};
use crate::lineage::{self, Lever, Subject, SubjectKind, UserTemplate, Variant};
use crate::model::{
    AutoScalingGroup, ImageRef, Instance, InstanceId, Inventory, LaunchTemplate, MetadataOptions, OptionName,
    OptionValue, Read, Readings, Scope, Tags,
};
use crate::plan::Choices;
use crate::policy::{AppliesTo, Evaluator, Policy, Remediation, Rule, statuses};
use crate::resolve::{EffectiveOptions, IacOwner, Launch, iac_owner, imds_support};

/// Something wrong: a finding, with what it was found on and by.
#[derive(Debug)]
pub struct Case<'a> {
    pub finding: Finding,
    pub policy: &'a Policy,
    pub rule: &'a Rule,
    /// Where its subject stands.
    pub subject: usize,
    /// How each variant of the subject fares; nothing for those that the policy is not for.
    pub statuses: Vec<Option<Status>>,
    /// Whether the rule is asked of instances alone, and this is what it would say of their group: no finding by
    /// itself, and all the same the place where theirs are mended for good.
    pub is_shadow: bool,
}

/// An inventory, its subjects, and what is wrong with them.
pub struct Scene<'a> {
    pub inventory: &'a Inventory,
    pub readings: &'a Readings,
    pub choices: &'a Choices,
    pub policies: &'a [Policy],
    pub subjects: Vec<Subject<'a>>,
    /// What fails or is unknown, in the order of the report.
    pub cases: Vec<Case<'a>>,
    /// The exemptions that cover a subject and an option, as `policy/exemption`.
    exempt: HashMap<(usize, OptionName), String>,
    /// Templates that neither EKS nor Karpenter owns.
    users: BTreeSet<&'a str>,
    members: HashMap<usize, Vec<usize>>,
    instances: HashMap<&'a str, &'a Instance>,
    groups: HashMap<&'a str, &'a AutoScalingGroup>,
    by_resource: HashMap<(ResourceType, String), usize>,
}

impl<'a> Scene<'a> {
    pub fn new(
        evaluator: &Evaluator<'a>,
        policies: &'a [Policy],
        choices: &'a Choices,
        inventory: &'a Inventory,
        readings: &'a Readings,
    ) -> Self {
        let subjects = lineage::of(inventory).subjects;
        let by_resource: HashMap<_, _> = subjects
            .iter()
            .enumerate()
            .map(|(at, subject)| ((subject.resource.r#type, subject.resource.id.clone()), at))
            .collect();
        let mut members: HashMap<usize, Vec<usize>> = HashMap::new();
        for (at, subject) in subjects.iter().enumerate() {
            if let Some(group) = subject.group {
                members.entry(group).or_default().push(at);
            }
        }
        // Subjects stand in the order of the inventory; nothing that is planned may depend on that.
        for nodes in members.values_mut() {
            nodes.sort_by(|one, other| subjects[*one].resource.id.cmp(&subjects[*other].resource.id));
        }
        let users = subjects.iter().filter(|subject| subject.kind == SubjectKind::LaunchTemplate);
        let users = users.filter_map(|subject| {
            let id = subject.variants.first()?.template.as_ref()?.id?;
            Some(id)
        });
        let mut scene = Self {
            users: users.collect(),
            instances: inventory.instances.iter().map(|one| (one.id.as_str(), one)).collect(),
            groups: inventory.auto_scaling_groups.iter().map(|one| (one.name.as_str(), one)).collect(),
            inventory,
            readings,
            choices,
            policies,
            subjects,
            cases: Vec::new(),
            exempt: HashMap::new(),
            members,
            by_resource,
        };
        for finding in evaluator.judge(inventory, false).findings {
            scene.take(finding);
        }
        scene.cast_shadows();
        scene
    }

    fn take(&mut self, finding: Finding) {
        let key = (finding.resource.r#type, finding.resource.id.clone());
        let Some(&subject) = self.by_resource.get(&key) else { return };
        if let (Some(exemption), Some(option)) = (&finding.exemption, finding.option) {
            let name = crate::finding::exemption_name(&finding.policy, &exemption.id);
            self.exempt.entry((subject, option)).or_insert(name);
            return;
        }
        let policy = self.policies.iter().find(|policy| policy.name == finding.policy);
        let rule = policy.and_then(|policy| policy.rules.iter().find(|rule| rule.id == finding.rule));
        if let Some((policy, rule)) = policy.zip(rule) {
            let statuses = statuses(policy, rule, &self.inventory.scope, &self.subjects[subject]);
            self.cases.push(Case { finding, policy, rule, subject, statuses, is_shadow: false });
        }
    }

    /// Adds what rules would say of groups that they are asked of only by their instances.
    fn cast_shadows(&mut self) {
        let mut shadows: Vec<Case<'a>> = Vec::new();
        for case in &self.cases {
            let Some(group) = self.subjects[case.subject].group else { continue };
            let known = |shadow: &Case<'_>| shadow.subject == group && shadow.is_of(case.policy, case.rule);
            if case.rule.applies_to.contains(&AppliesTo::Group) || shadows.iter().any(known) {
                continue;
            }
            let statuses = statuses(case.policy, case.rule, &self.inventory.scope, &self.subjects[group]);
            if let Some(status) = statuses.iter().flatten().min().copied()
                && matches!(status, Status::Fail | Status::Unknown)
            {
                let finding = Finding { status, ..case.finding.clone() };
                let (policy, rule) = (case.policy, case.rule);
                shadows.push(Case { finding, policy, rule, subject: group, statuses, is_shadow: true });
            }
        }
        self.cases.extend(shadows);
    }

    pub const fn scope(&self) -> &'a Scope {
        &self.inventory.scope
    }

    /// The instances of a group, as subjects, by id.
    pub fn members(&self, group: usize) -> &[usize] {
        self.members.get(&group).map_or(&[], Vec::as_slice)
    }

    /// The ways in which nodes of a subject come to be from a version; for a node group by EKS's copy of it.
    pub fn ways_from<'s>(
        &'s self,
        subject: usize,
        template: &'s LaunchTemplate,
        number: i64,
    ) -> impl Iterator<Item = (usize, &'s Variant<'a>)> {
        let of = &self.subjects[subject];
        let copied = matches!(of.lever, Lever::NodeGroup { .. });
        of.variants.iter().enumerate().filter(move |(_, variant)| {
            copied
                || variant
                    .template
                    .as_ref()
                    .is_some_and(|from| from.id == Some(template.id.as_str()) && from.version == Some(number))
        })
    }

    /// The ids of the instances of a group.
    pub fn nodes(&self, group: usize) -> Vec<InstanceId> {
        self.members(group)
            .iter()
            .filter_map(|node| self.instance(*node))
            .map(|node| node.id.clone())
            .collect()
    }

    /// The instance that a subject is.
    pub fn instance(&self, subject: usize) -> Option<&'a Instance> {
        self.instance_by_id(&self.subjects[subject].resource.id)
    }

    pub fn instance_by_id(&self, id: &str) -> Option<&'a Instance> {
        self.instances.get(id).copied()
    }

    pub fn group(&self, name: &str) -> Option<&'a AutoScalingGroup> {
        self.groups.get(name).copied()
    }

    /// The subject of an Auto Scaling group of the user's own, where it is judged.
    pub fn subject_of_group(&self, name: &str) -> Option<usize> {
        self.by_resource.get(&(ResourceType::AutoScalingGroup, name.to_owned())).copied()
    }

    /// The exemption that covers an option of a subject.
    pub fn exemption(&self, subject: usize, option: OptionName) -> Option<&str> {
        self.exempt.get(&(subject, option)).map(String::as_str)
    }

    /// Whether a template is the user's, and not EKS's or Karpenter's.
    pub fn is_users(&self, template: &LaunchTemplate) -> bool {
        self.users.contains(template.id.as_str())
    }

    /// A template that something launches from, where it was read.
    pub fn template(&self, template: &UserTemplate<'_>) -> Option<&'a LaunchTemplate> {
        let by_id = self.inventory.launch_templates.get(&template.target.into());
        by_id.or_else(|| {
            let mut templates = self.inventory.launch_templates.values();
            templates.find(|known| Some(known.name.as_str()) == template.name)
        })
    }

    /// The options of an instance launched from a version, with other metadata options in it, on an image.
    pub fn effective(&self, metadata: &MetadataOptions, image: &ImageRef) -> EffectiveOptions {
        let launch = Launch {
            set: metadata,
            set_by: crate::finding::Source::LaunchTemplate,
            defaults: &self.inventory.account_defaults,
            image: imds_support(self.inventory, image),
        };
        launch.resolve()
    }

    /// Whether the account refuses launches that leave tokens optional.
    pub fn tokens_enforced(&self) -> bool {
        self.inventory.account_defaults.known().is_some_and(|defaults| defaults.tokens_enforced)
    }

    /// Whether a call of this name failed here, so that what it lists may be incomplete.
    pub fn unread(&self, service: &str, operation: &str) -> bool {
        let errors = &self.inventory.coverage.errors;
        errors.iter().any(|error| error.service == service && error.operation == operation)
    }

    /// The infrastructure tool that owns something with these tags.
    pub fn owner(&self, tags: &Tags) -> Option<Owner> {
        iac_owner(tags).map(Owner::Known).or_else(|| {
            let mut asked = self.choices.iac_tags.iter();
            asked.find(|asked| is_tagged(tags, asked)).map(|tag| Owner::Tagged(tag.clone()))
        })
    }

    /// Why a rule that a subject breaks is left to a person, where it is.
    pub fn by_hand(&self, case: &Case<'a>) -> Option<&'static str> {
        let rule = case.rule;
        if case.failing().any(|at| self.lowers(rule, case.subject, at)) {
            return Some("a hop limit is never lowered automatically");
        }
        if rule.option == OptionName::InstanceMetadataTags && !rule.expected.holds(OptionValue::Disabled) {
            return Some(
                "instance tags are never switched on: a key with a slash, as EKS uses, makes launches fail",
            );
        }
        (rule.remediation == Remediation::Manual).then_some("the policy leaves this to a person")
    }

    fn lowers(&self, rule: &Rule, subject: usize, variant: usize) -> bool {
        use super::rules::Asked;

        let now = self.subjects[subject].variants[variant].options.get(rule.option).value;
        match (Asked::by(&rule.expected), now) {
            (Asked::Hops { most, .. }, Some(OptionValue::Number(hops))) => hops > most,
            _ => false,
        }
    }

    /// What fleets launch from, where it was read.
    pub const fn fleets_unread(&self) -> bool {
        !matches!(self.readings.fleets, Read::Known(_))
    }
}

impl Case<'_> {
    /// The variants that break the rule.
    pub fn failing(&self) -> impl Iterator<Item = usize> {
        let statuses = self.statuses.iter().enumerate();
        statuses.filter(|(_, status)| **status == Some(Status::Fail)).map(|(at, _)| at)
    }

    /// Whether part of it cannot be told.
    pub fn is_uncertain(&self) -> bool {
        self.finding.status == Status::Unknown || self.statuses.contains(&Some(Status::Unknown))
    }

    /// Whether it is what this rule says.
    pub fn is_of(&self, policy: &Policy, rule: &Rule) -> bool {
        self.policy.name == policy.name && self.rule.id == rule.id
    }

    /// The finding's id; none where there is no finding.
    pub fn id(&self) -> Option<String> {
        (!self.is_shadow).then(|| self.finding.id.clone())
    }
}

/// Who owns a resource beside the account, and would undo a change made elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A tool that is known by its tags.
    Known(IacOwner),
    /// A tool that the user knows by this tag.
    Tagged(String),
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known(owner) => owner.fmt(f),
            Self::Tagged(tag) => write!(f, "the tool that tags it {tag}"),
        }
    }
}

/// Whether tags have `KEY`, or `KEY=VALUE`.
fn is_tagged(tags: &Tags, asked: &str) -> bool {
    match asked.split_once('=') {
        // A key may hold an equals sign itself.
        Some((key, value)) => tags.get(key) == Some(value) || tags.contains(asked),
        None => tags.contains(asked),
    }
}
