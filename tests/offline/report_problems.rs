use imdsctl::finding::{Finding, FixKind, ManagedBy, ResourceType, Source, Status};
use imdsctl::model::OptionValue;
use imdsctl::report::problems::{Cause, Problem, digest};

use crate::fixtures::{Build as _, DATA, PAYMENTS, finding, large, report};

const TEMPLATE: &str = "lt-0f3a9c1b7d2e45681";

fn problems(findings: &Vec<Finding>) -> Vec<Problem> {
    digest(findings).unwrap().problems
}

fn group(name: &str, nodes: u64) -> Finding {
    finding(PAYMENTS, "eu-west-1", ResourceType::NodeGroup, name)
        .cluster("blue", ManagedBy::ManagedNodeGroup)
        .launched(Source::LaunchTemplate, nodes)
        .template(TEMPLATE, "eks-workers", 7, Source::LaunchTemplate)
        .fix(FixKind::PatchLaunchTemplate, TEMPLATE)
        .fix(FixKind::UpdateNodeGroup, name)
}

fn node(id: &str, group: &str) -> Finding {
    finding(PAYMENTS, "eu-west-1", ResourceType::Instance, id)
        .cluster("blue", ManagedBy::ManagedNodeGroup)
        .node_group(group)
}

#[test]
fn one_bad_template_behind_many_nodes_is_one_problem() {
    let report = large(1000);
    let problems = problems(&report.findings);
    assert_eq!(problems.len(), 1);
    assert_eq!((problems[0].nodes, problems[0].groups), (1000, 10));
    let places = problems[0].places();
    assert_eq!(places.len(), 10);
    assert!(places.iter().all(|place| place.nodes == 100 && place.of == Some(100)));
}

/// What an instance's own fixes say is less than what its group's say.
#[test]
fn a_node_belongs_to_the_problem_of_its_group() {
    let node = node("i-1", "workers").fix(FixKind::ModifyInstance, "i-1");
    let report = report(vec![node, group("blue/workers", 1)], Vec::new());
    let problems = problems(&report.findings);
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].key.cause, Cause::Template(TEMPLATE.into()));
    let kinds: Vec<_> = problems[0].remedies().iter().map(|remedy| remedy.kind).collect();
    assert_eq!(kinds, [FixKind::PatchLaunchTemplate, FixKind::UpdateNodeGroup, FixKind::ModifyInstance]);
}

/// One group pins its version, another follows the default.
#[test]
fn what_one_of_several_groups_needs_has_its_turn_before_what_comes_last_for_all() {
    let of = |name: &str, kinds: &[FixKind]| {
        let group = finding(PAYMENTS, "eu-west-1", ResourceType::AutoScalingGroup, name)
            .cluster("blue", ManagedBy::SelfManaged)
            .launched(Source::LaunchTemplate, 1)
            .template(TEMPLATE, "eks-workers", 7, Source::LaunchTemplate);
        let patched = group.fix(FixKind::PatchLaunchTemplate, TEMPLATE);
        kinds.iter().fold(patched, |group, kind| group.fix(*kind, name))
    };
    let pinned = [FixKind::UpdateAutoScalingGroup, FixKind::RefreshInstances];
    let following = [FixKind::SetDefaultVersion, FixKind::RefreshInstances];
    let report = report(vec![of("a-pinned", &pinned), of("b-following", &following)], Vec::new());
    let problems = problems(&report.findings);
    assert_eq!(problems.len(), 1);
    let kinds: Vec<_> = problems[0].remedies().iter().map(|remedy| remedy.kind).collect();
    assert_eq!(
        kinds,
        [
            FixKind::PatchLaunchTemplate,
            FixKind::SetDefaultVersion,
            FixKind::UpdateAutoScalingGroup,
            FixKind::RefreshInstances
        ]
    );
}

#[test]
fn a_node_that_was_changed_by_hand_is_a_problem_apart() {
    let changed = node("i-1", "workers")
        .template(TEMPLATE, "eks-workers", 7, Source::LaunchTemplate)
        .with(|f| f.templates[0].actual = Some(OptionValue::Number(2)))
        .fix(FixKind::ModifyInstance, "i-1");
    let report = report(vec![changed, group("blue/other", 1)], Vec::new());
    let causes: Vec<_> = problems(&report.findings).iter().map(|problem| problem.key.cause.clone()).collect();
    assert_eq!(causes, [Cause::Drift(Some("blue".into())), Cause::Template(TEMPLATE.into())]);
}

#[test]
fn templates_that_leave_it_to_the_account_are_one_problem() {
    let by_account = |name: &str, template: &str| {
        group(name, 1).with(|f| {
            f.source = Some(Source::AccountDefault);
            f.templates[0].source = Source::AccountDefault;
            f.templates[0].id = Some(template.into());
            f.fixes[0].target = Some(template.into());
        })
    };
    let report = report(vec![by_account("blue/a", "lt-a"), by_account("blue/b", "lt-b")], Vec::new());
    let problems = problems(&report.findings);
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].key.cause, Cause::AccountDefault);
    assert_eq!(problems[0].remedies()[0].targets, [("lt-a", None), ("lt-b", None)]);
}

#[test]
fn the_same_template_id_in_two_accounts_is_two_problems() {
    let other = group("blue/workers", 1).with(|f| f.account_id = Some("999988887777".into()));
    let report = report(vec![other, group("blue/workers", 1)], Vec::new());
    assert_eq!(problems(&report.findings).len(), 2);
}

#[test]
fn what_passes_is_no_problem_and_statuses_are_kept_apart() {
    let report = report(
        vec![
            group("blue/a", 1),
            group("blue/b", 1).status(Status::Unknown),
            group("blue/c", 1).status(Status::Exempt),
            group("blue/d", 1).status(Status::Pass),
        ],
        Vec::new(),
    );
    let statuses: Vec<_> = problems(&report.findings).iter().map(|problem| problem.key.status).collect();
    assert_eq!(statuses, [Status::Fail, Status::Unknown, Status::Exempt]);
}

#[test]
fn the_order_of_findings_does_not_matter() {
    let forward = large(500).findings;
    let mut backward = forward.clone();
    backward.reverse();
    let keys = |findings: &Vec<Finding>| -> Vec<String> {
        problems(findings).iter().map(|problem| format!("{:?}", problem.key)).collect()
    };
    assert_eq!(keys(&forward), keys(&backward));
}

#[test]
fn self_managed_nodes_are_put_with_the_group_that_they_name() {
    let lc = "workers-lc";
    let asg = |name: &str| {
        finding(PAYMENTS, "eu-west-1", ResourceType::AutoScalingGroup, name)
            .cluster("blue", ManagedBy::SelfManaged)
            .launched(Source::LaunchConfiguration, 2)
            .fix(FixKind::MigrateLaunchConfiguration, lc)
    };
    let node = |id: &str, group: Option<&str>| {
        finding(PAYMENTS, "eu-west-1", ResourceType::Instance, id)
            .cluster("blue", ManagedBy::SelfManaged)
            .with(|node| node.auto_scaling_group = group.map(str::to_owned))
            .fix(FixKind::MigrateLaunchConfiguration, lc)
    };
    let places = |findings: Vec<Finding>| -> Vec<(Option<String>, u64)> {
        let report = report(findings, Vec::new());
        let problems = problems(&report.findings);
        assert_eq!(problems.len(), 1);
        problems[0].places().iter().map(|place| (place.id.clone(), place.nodes)).collect()
    };
    assert_eq!(
        places(vec![asg("a"), asg("b"), node("i-1", Some("a")), node("i-2", Some("a"))]),
        [(Some("a".into()), 2), (Some("b".into()), 0)]
    );
    assert_eq!(places(vec![asg("a"), node("i-1", None)]), [(Some("blue".into()), 1), (Some("a".into()), 0)]);
}

#[test]
fn the_defaults_of_an_account_are_one_problem_in_all_its_regions() {
    let defaults = |account, region: &str| {
        finding(account, region, ResourceType::AccountDefaults, region)
            .fix(FixKind::ModifyAccountDefaults, region)
    };
    let findings = vec![
        defaults(PAYMENTS, "eu-west-1"),
        defaults(PAYMENTS, "eu-central-1"),
        defaults(DATA, "eu-west-1"),
    ];
    let problems = problems(&findings);
    let regions: Vec<_> = problems.iter().map(|problem| problem.findings).collect();
    assert_eq!(regions, [2, 1]);
}
