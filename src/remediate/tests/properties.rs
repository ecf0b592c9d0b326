//! What holds of every plan, on fleets that nobody would think of.

use proptest::prelude::*;
use proptest::sample::select;

use super::world::{World, copied, find, launched};
use super::*;
use crate::finding::{Finding, ResourceType};
use crate::lineage::{self, SubjectKind};
use crate::model::{
    AccountDefaults, GroupLaunch, ImageRef, LaunchOverride, OptionName, TemplateRef, VersionRef,
};
use crate::policy::statuses;

const IMAGES: [&str; 3] = [AL2023_IMAGE, AL2_IMAGE, MYSTERY_IMAGE];

/// A fleet, what it is to be, and how it is gone about.
#[derive(Clone, Debug)]
struct Case {
    inventory: Inventory,
    policies: usize,
    choices: Choices,
    readings: Readings,
}

impl Case {
    fn policies(&self) -> Vec<Policy> {
        let exempting = || {
            policy_of(
                "  rules:\n    - { id: hops, option: http_put_response_hop_limit, at_least: 2, severity: high }\n    \
                 - { id: tokens, option: http_tokens, equals: required, severity: high }\n  \
                 exemptions:\n    - { id: quiet, rules: [tokens], match: { tags: { team: quiet } }, reason: later }\n",
            )
        };
        let strict = || {
            let mut policy = policy_of(
                "  match: { cluster: blue }\n  rules:\n    - { id: hops, option: http_put_response_hop_limit, at_least: 3, severity: low }\n",
            );
            policy.name = "strict".to_owned();
            policy
        };
        match self.policies {
            0 => vec![al2023_policy()],
            1 => vec![shipped("imdsv2").unwrap().unwrap()],
            2 => vec![exempting()],
            _ => vec![al2023_policy(), strict()],
        }
    }

    fn plan(&self) -> ScopePlan {
        plan_by(&self.policies(), &self.inventory, &self.readings, self.choices.clone())
    }

    /// The same fleet once a plan is carried out. Instances that were not there ask with tokens.
    fn after(&self, plan: &ScopePlan) -> Self {
        let inventory = World::new(&self.inventory).apply(plan);
        let token_use = inventory.instances.iter().map(|instance| {
            let read = self.readings.token_use.get(&instance.id).cloned();
            (instance.id.clone(), read.unwrap_or(Read::Known(TokenUse::default())))
        });
        let readings = Readings { token_use: token_use.collect(), ..self.readings.clone() };
        Self { inventory, readings, ..self.clone() }
    }

    fn findings(&self, inventory: &Inventory) -> Vec<Finding> {
        let policies = self.policies();
        let findings = Evaluator::new(&policies, TODAY).judge(inventory, false).findings;
        findings.into_iter().filter(|finding| finding.status != Status::Exempt).collect()
    }
}

fn metadata() -> impl Strategy<Value = MetadataOptions> {
    let tokens = select(vec![None, Some(OPTIONAL), Some(REQUIRED)]);
    let hops = select(vec![None, Some(1), Some(2), Some(3)]);
    let endpoint = select(vec![None, None, None, Some(OptionValue::Enabled), Some(OptionValue::Disabled)]);
    let tags = select(vec![None, None, Some(OptionValue::Disabled), Some(OptionValue::Enabled)]);
    (tokens, hops, endpoint, tags).prop_map(|(tokens, hops, endpoint, tags)| MetadataOptions {
        http_endpoint: endpoint,
        instance_metadata_tags: tags,
        ..options(tokens, hops)
    })
}

fn of_instance() -> impl Strategy<Value = MetadataOptions> {
    metadata().prop_map(|set| {
        let mut all = actual(OPTIONAL, 1);
        for option in OptionName::ALL {
            all.set(option, set.get(option).or(all.get(option)));
        }
        all
    })
}

/// Versions, the default among them, an image, and whether a tool owns it.
type TemplateSpec = (Vec<MetadataOptions>, usize, usize, bool);
/// A template and how it is named.
type ReferenceSpec = (usize, usize);
/// A launch, its tags, and nodes that are as they were launched, or not.
type GroupSpec =
    (Vec<(Option<ReferenceSpec>, Option<usize>)>, ReferenceSpec, usize, Vec<Option<MetadataOptions>>);

fn reference_spec() -> impl Strategy<Value = ReferenceSpec> {
    (0_usize..4, 0_usize..6)
}

fn group_spec() -> impl Strategy<Value = GroupSpec> {
    let overrides = (proptest::option::of(reference_spec()), proptest::option::of(0_usize..3));
    let overrides = proptest::collection::vec(overrides, 0..3);
    let nodes = proptest::collection::vec(proptest::option::of(of_instance()), 0..3);
    (overrides, reference_spec(), 0_usize..4, nodes)
}

fn template_spec() -> impl Strategy<Value = TemplateSpec> {
    (proptest::collection::vec(metadata(), 1..4), 0_usize..4, 0_usize..6, prop::bool::weighted(0.1))
}

fn choices() -> impl Strategy<Value = Choices> {
    let flags = prop::array::uniform8(any::<bool>());
    flags.prop_map(|[set_default, rollout, live, account_defaults, include_iac, callers, drain, force]| {
        Choices {
            set_default,
            rollout,
            live,
            account_defaults,
            include_iac,
            accept_imdsv1_callers: callers,
            accept_no_drain: drain,
            force,
            iac_tags: vec!["made-with".to_owned()],
        }
    })
}

fn cases() -> impl Strategy<Value = Case> {
    (
        proptest::collection::vec(template_spec(), 1..4),
        proptest::collection::vec((reference_spec(), 0_usize..5, group_spec()), 0..4),
        proptest::collection::vec(group_spec(), 0..5),
        proptest::collection::vec((of_instance(), 0_usize..6), 0..3),
        (metadata(), prop::bool::weighted(0.1)),
        0_usize..4,
        choices(),
        proptest::collection::vec(0_u64..6, 1..8),
    )
        .prop_map(
            |(templates, managed, groups, loose, (defaults, enforced), policies, choices, chances)| {
                let mut inventory = inventory();
                inventory.account_defaults = Read::Known(AccountDefaults {
                    metadata: MetadataOptions { http_protocol_ipv6: None, ..defaults },
                    tokens_enforced: enforced,
                    ..AccountDefaults::default()
                });
                for (at, spec) in templates.iter().enumerate() {
                    add_template(&mut inventory, at, spec);
                }
                for (at, (reference, kind, group)) in managed.iter().enumerate() {
                    add_node_group(&mut inventory, at, *reference, *kind, group);
                }
                for (at, spec) in groups.iter().enumerate() {
                    add_group(&mut inventory, at, spec);
                }
                for (at, (metadata, kind)) in loose.iter().enumerate() {
                    let class = [("karpenter.k8s.aws/ec2nodeclass", "general")];
                    let tags = if *kind == 0 { &class[..] } else { &[] };
                    instance(&mut inventory, &format!("i-loose-{at}"), IMAGES[kind % 3], *metadata, tags);
                }
                let readings = readings(&inventory, &chances);
                Case { inventory, policies, choices, readings }
            },
        )
}

fn readings(inventory: &Inventory, chances: &[u64]) -> Readings {
    let chance = |at: usize| chances[at % chances.len()];
    let token_use = inventory.instances.iter().enumerate().map(|(at, instance)| {
        let read = match chance(at) {
            0 => Read::Failed,
            1 => Read::Known(TokenUse { without_token: 3, rejected: 0 }),
            2 => Read::Known(TokenUse { without_token: 0, rejected: 5 }),
            _ => Read::Known(TokenUse::default()),
        };
        (instance.id.clone(), read)
    });
    let hooks = inventory.auto_scaling_groups.iter().enumerate();
    let hooks = hooks.map(|(at, group)| (group.name.clone(), Read::Known(chance(at + 3) > 1)));
    Readings {
        fleets: Read::Known(Vec::new()),
        termination_hooks: hooks.collect(),
        token_use: token_use.collect(),
    }
}

fn add_template(inventory: &mut Inventory, at: usize, (versions, default, image, owned): &TemplateSpec) {
    let id = format!("lt-{at}");
    // Mostly the images that policies are about.
    let image = ImageRef::Id(IMAGES[image.saturating_sub(3)].into());
    template(inventory, &id, versions, &image);
    let template = inventory.launch_templates.get_mut(&id.as_str().into()).unwrap();
    template.default_version = i64::try_from(default % versions.len()).unwrap() + 1;
    if *owned {
        template.tags = tags(&[("made-with", "something")]);
    }
}

fn resolve(inventory: &Inventory, (template, by): ReferenceSpec) -> TemplateRef {
    let templates = inventory.launch_templates.keys().filter(|id| !id.as_str().starts_with("lt-copy"));
    let ids: Vec<_> = templates.cloned().collect();
    let id = &ids[template % ids.len()];
    let latest = inventory.launch_templates[id].latest_version;
    let version = match by {
        0 => VersionRef::Latest,
        1 => VersionRef::Default,
        by => VersionRef::Number(i64::try_from(by - 2).unwrap() % latest + 1),
    };
    TemplateRef { id: Some(id.clone()), name: None, version }
}

fn add_node_group(inventory: &mut Inventory, at: usize, users: ReferenceSpec, kind: usize, spec: &GroupSpec) {
    let (.., team, nodes) = spec;
    let mut users = resolve(inventory, users);
    let template = inventory.template(&users).unwrap().clone();
    users.version = VersionRef::Number(template.number(users.version));
    let version = template.version(users.version).unwrap();
    let (name, copy) = (format!("ng-{at}"), format!("lt-copy-{at}"));
    crate::testing::template(inventory, &copy, &[copied(&version.metadata)], &version.image);
    let copies = inventory.launch_templates.get_mut(&copy.as_str().into()).unwrap();
    copies.tags = tags(&[("eks:nodegroup-name", &name)]);
    node_group(inventory, &name, &copy, Some(users));
    let asg = inventory.auto_scaling_groups.last_mut().unwrap();
    asg.tags = tags(&[("kubernetes.io/cluster/blue", "owned"), ("eks:nodegroup-name", &name)]);
    let launch = asg.launch.clone();
    let group = inventory.node_groups.last_mut().unwrap();
    group.ami_type = Some("CUSTOM".to_owned());
    if kind == 0 {
        group.status = Some("UPDATING".to_owned());
    }
    if *team == 0 {
        group.tags = tags(&[("team", "quiet")]);
    }
    add_nodes(inventory, &format!("eks-{name}"), &launch, nodes, &[("eks:nodegroup-name", &name)]);
}

fn add_group(inventory: &mut Inventory, at: usize, (overrides, base, team, nodes): &GroupSpec) {
    let name = format!("own-{at}");
    let base = resolve(inventory, *base);
    let overrides: Vec<_> = overrides
        .iter()
        .map(|(template, image)| LaunchOverride {
            instance_type: None,
            template: template.map(|template| resolve(inventory, template)),
            image: image.map(|image| IMAGES[image].into()),
        })
        .collect();
    let launch = if overrides.is_empty() && at.is_multiple_of(2) {
        GroupLaunch::Template(base)
    } else {
        GroupLaunch::Mixed { base, overrides }
    };
    group(inventory, &name, launch.clone());
    match team {
        0 => {
            let quiet = [("kubernetes.io/cluster/blue", "owned"), ("team", "quiet")];
            inventory.auto_scaling_groups.last_mut().unwrap().tags = tags(&quiet);
        }
        // It serves no cluster, so that nothing judges it.
        1 => {
            inventory.auto_scaling_groups.last_mut().unwrap().tags = crate::model::Tags::new();
            return;
        }
        _ => {}
    }
    add_nodes(inventory, &name, &launch, nodes, &[]);
}

fn add_nodes(
    inventory: &mut Inventory,
    group: &str,
    launch: &GroupLaunch,
    nodes: &[Option<MetadataOptions>],
    more: &[(&str, &str)],
) {
    for (at, metadata) in nodes.iter().enumerate() {
        let (as_launched, image) = launched(inventory, launch, at);
        let tags: Vec<_> = more.iter().copied().chain([("aws:autoscaling:groupName", group)]).collect();
        let image = image.unwrap();
        let id = format!("i-{group}-{at}");
        instance(inventory, &id, image.as_str(), metadata.unwrap_or(as_launched), &tags);
    }
}

/// Findings that the plan mends: all of their steps are taken.
fn mended(plan: &ScopePlan) -> BTreeSet<&str> {
    let of = |blocked: bool| -> BTreeSet<&str> {
        let steps = plan.steps.iter().filter(|step| step.blocked.is_some() == blocked);
        steps.flat_map(|step| step.findings.iter().map(String::as_str)).collect()
    };
    of(false).difference(&of(true)).copied().collect()
}

/// What is still wrong afterwards was not said to be mended; and what is newly wrong is so on an instance whose group
/// is wrong in the same way, and was.
fn assert_mended(case: &Case, plan: &ScopePlan, after: &Inventory) {
    let mended = mended(plan);
    let before: BTreeSet<String> =
        case.findings(&case.inventory).into_iter().map(|finding| finding.id).collect();
    let left = case.findings(after);
    for finding in &left {
        let what = format!("{} of {}: {plan:#?}", finding.rule, finding.resource.id);
        assert!(!mended.contains(finding.id.as_str()), "said to be mended: {what}");
        if before.contains(&finding.id) {
            continue;
        }
        assert_eq!(finding.resource.r#type, ResourceType::Instance, "newly wrong: {what}");
        assert!(find(&case.inventory, &finding.resource.id).is_none(), "newly wrong: {what}");
        assert!(group_is_wrong(case, after, finding), "newly wrong: {what}");
    }
}

fn group_is_wrong(case: &Case, after: &Inventory, finding: &Finding) -> bool {
    let policies = case.policies();
    let lineage = lineage::of(after);
    let subject = lineage.subjects.iter().find(|subject| subject.resource == finding.resource).unwrap();
    let policy = policies.iter().find(|policy| policy.name == finding.policy).unwrap();
    let rule = policy.rules.iter().find(|rule| rule.id == finding.rule).unwrap();
    let fares = statuses(policy, rule, &after.scope, &lineage.subjects[subject.group.unwrap()]);
    fares.iter().flatten().any(|status| matches!(status, Status::Fail | Status::Unknown))
}

/// Nothing else is touched, and nobody gets other options without being asked for them.
fn assert_nothing_else(case: &Case, plan: &ScopePlan, after: &Inventory) {
    let before = &case.inventory;
    let live: BTreeSet<_> = plan
        .steps
        .iter()
        .filter(|step| step.blocked.is_none())
        .filter_map(|step| match &step.action {
            Action::ModifyInstance { instance, .. } => Some(instance.as_str()),
            _ => None,
        })
        .collect();
    for instance in &after.instances {
        if let Some(old) = find(before, instance.id.as_str())
            && !live.contains(instance.id.as_str())
        {
            assert_eq!(old, instance);
        }
    }
    for (id, template) in &before.launch_templates {
        for (number, version) in &template.versions {
            assert_eq!(after.launch_templates[id].versions[number], *version, "a version is never changed");
        }
    }
    if !case.choices.account_defaults {
        assert_eq!(before.account_defaults, after.account_defaults);
        assert_groups_follow_only_what_is_asked(case, plan, after);
    }
}

fn assert_groups_follow_only_what_is_asked(case: &Case, plan: &ScopePlan, after: &Inventory) {
    let policies = case.policies();
    let all = Evaluator::new(&policies, TODAY).judge(&case.inventory, false).findings;
    let (old, new) = (lineage::of(&case.inventory), lineage::of(after));
    let groups = |lineage: &lineage::Lineage<'_>| -> Vec<usize> {
        let subjects = lineage.subjects.iter().enumerate();
        subjects.filter(|(_, subject)| subject.kind == SubjectKind::Group).map(|(at, _)| at).collect()
    };
    for (before, then) in groups(&old).into_iter().zip(groups(&new)) {
        let (before, then) = (&old.subjects[before], &new.subjects[then]);
        assert_eq!(before.resource, then.resource);
        for (was, is) in before.variants.iter().zip(&then.variants) {
            for option in OptionName::ALL {
                let (was, is) = (was.options.get(option).value, is.options.get(option).value);
                if was == is {
                    continue;
                }
                let told = all
                    .iter()
                    .filter(|finding| finding.resource == before.resource && finding.option == Some(option));
                let what = format!("{option} of {}: {was:?} to {is:?}: {plan:#?}", before.resource.id);
                let told: Vec<_> = told.map(|finding| finding.status).collect();
                assert!(!told.contains(&Status::Exempt), "exempt: {what}");
                let rules =
                    policies.iter().flat_map(|policy| policy.rules.iter().map(move |rule| (policy, rule)));
                let judged = rules.filter(|(_, rule)| rule.option == option).any(|(policy, rule)| {
                    let fares = statuses(policy, rule, &after.scope, then);
                    fares.contains(&Some(Status::Pass))
                });
                assert!(judged, "nobody asked: {what}");
            }
        }
    }
    // Groups that nothing judges launch the same as before.
    for (was, is) in case.inventory.auto_scaling_groups.iter().zip(&after.auto_scaling_groups) {
        if was.tags.iter().next().is_none() {
            assert_eq!(was, is);
            for at in 0..was.launch.launches().len() {
                let (now, then) =
                    (launched(&case.inventory, &was.launch, at), launched(after, &is.launch, at));
                assert_eq!(now, then, "{} follows silently: {plan:#?}", was.name);
            }
        }
    }
}

fn shuffled(inventory: &Inventory) -> Inventory {
    let mut inventory = inventory.clone();
    inventory.instances.reverse();
    inventory.auto_scaling_groups.reverse();
    inventory.node_groups.reverse();
    inventory.clusters.reverse();
    inventory
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_mends_what_it_says_and_changes_nothing_else(case in cases()) {
        let plan = case.plan();
        let after = World::new(&case.inventory).apply(&plan);
        assert_mended(&case, &plan, &after);
        assert_nothing_else(&case, &plan, &after);
    }

    #[test]
    fn a_plan_made_again_has_nothing_left_to_do(case in cases()) {
        // Where some ask less of a version than others, by an exemption or by a policy of their own, they have one of
        // their own made once the others have left. And what a person had to do with the rest of a group is no longer
        // needed where the account's default says it now.
        let runs = if case.policies < 2 && !case.choices.account_defaults { 1 } else { 3 };
        let again = (0..runs).fold(case, |case, _| case.after(&case.plan()));
        // What takes the place of an instance in a group that is exempt, and is not exempt itself, has no name before.
        let is_new = |step: &Step| {
            matches!(&step.action, Action::ModifyInstance { instance, .. } if instance.as_str().ends_with("-new"))
        };
        let plan = again.plan();
        let open: Vec<_> = plan.steps.iter().filter(|step| step.blocked.is_none() && !is_new(step)).collect();
        prop_assert!(open.is_empty(), "{open:#?}");
    }

    #[test]
    fn a_plan_is_the_same_whatever_order_the_inventory_has(case in cases()) {
        let other = Case { inventory: shuffled(&case.inventory), ..case.clone() };
        prop_assert_eq!(case.plan(), other.plan());
    }

    #[test]
    fn what_is_read_is_what_the_plan_depends_on(case in cases()) {
        let policies = case.policies();
        let wants = Planner::new(&policies, TODAY, case.choices.clone()).unwrap().wants(&case.inventory);
        let mut readings = case.readings.clone();
        readings.token_use.retain(|id, _| wants.instances.contains(id));
        readings.termination_hooks.retain(|name, _| wants.groups.contains(name));
        let other = Case { readings, ..case.clone() };
        prop_assert_eq!(case.plan(), other.plan());
    }
}
