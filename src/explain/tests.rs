use jiff::civil::date;

use super::{Explanation, Kind, Link, MemberKind, Query, Says, Stage, StageKind};
use crate::finding::{FixKind, Source, Status};
use crate::model::OptionName::{HttpPutResponseHopLimit, HttpTokens};
use crate::model::OptionValue::{Number, Optional, Required};
use crate::model::{GroupLaunch, Inventory, LaunchOverride, Read, VersionRef};
use crate::policy::{DEFAULT_POLICY, load, parse};
use crate::testing::{
    AL2023_IMAGE, LAUNCHED_BY_WORKERS, actual, al2023, group, instance, inventory, node_group, options,
    reference, tags, template,
};

fn explain(inventory: &Inventory, resource: &str) -> Vec<Explanation> {
    let policies = [load(DEFAULT_POLICY).unwrap()];
    super::explain(inventory, &policies, date(2026, 11, 15), &Query::parse(resource).unwrap())
}

#[track_caller]
fn only(inventory: &Inventory, resource: &str) -> Explanation {
    let mut found = explain(inventory, resource);
    assert_eq!(found.len(), 1, "{resource}");
    found.remove(0)
}

fn stage(explanation: &Explanation, kind: StageKind) -> &Stage {
    let stages = explanation.lineage.iter().flat_map(|link| match link {
        Link::One(stage) => std::slice::from_ref(stage).iter(),
        Link::Ways(ways) => ways[0].iter(),
    });
    let mut found = stages.filter(|stage| stage.kind == kind);
    found.next().unwrap_or_else(|| panic!("no {kind:?}"))
}

fn kinds(explanation: &Explanation) -> Vec<StageKind> {
    let one = |link: &Link| match link {
        Link::One(stage) => vec![stage.kind],
        Link::Ways(ways) => ways.iter().flatten().map(|stage| stage.kind).collect(),
    };
    explanation.lineage.iter().flat_map(one).collect()
}

/// A node group behind whose template EKS added a hop limit, with one node that was changed since.
fn managed() -> Inventory {
    let mut inventory = inventory();
    template(&mut inventory, "lt-user", &[options(Some(Required), None)], &al2023());
    template(&mut inventory, "lt-copy", &[options(Some(Required), Some(1))], &al2023());
    let users = reference("lt-user", VersionRef::Number(1));
    node_group(&mut inventory, "workers", "lt-copy", Some(users));
    instance(&mut inventory, "i-same", AL2023_IMAGE, actual(Required, 1), &LAUNCHED_BY_WORKERS);
    instance(&mut inventory, "i-changed", AL2023_IMAGE, actual(Optional, 2), &LAUNCHED_BY_WORKERS);
    inventory
}

#[test]
fn a_node_group_is_explained_from_the_account_down() {
    let inventory = managed();
    let found = only(&inventory, "blue/workers");
    assert_eq!(
        kinds(&found),
        [
            StageKind::AccountDefault,
            StageKind::Image,
            StageKind::LaunchTemplate,
            StageKind::EksTemplate,
            StageKind::AutoScalingGroup,
            StageKind::NodeGroup,
        ]
    );
    let users = stage(&found, StageKind::LaunchTemplate);
    assert_eq!(users.says, Says::Sets([(HttpTokens, Required)].into()));
    let copy = stage(&found, StageKind::EksTemplate);
    assert_eq!(copy.says, Says::Adds([(HttpPutResponseHopLimit, Number(1))].into()));
    let hops = &found.ways[0].options[HttpPutResponseHopLimit as usize];
    assert_eq!((hops.value, hops.source), (Some(Number(1)), Source::EksLaunchTemplate));
    assert_eq!(hops.checks[0].status, Status::Fail);
    let nodes = &found.members[0];
    assert_eq!((nodes.nodes, nodes.failing, nodes.next), (2, 2, Some(Status::Fail)));
    assert_eq!(nodes.rules, ["hop-limit-min", "tokens-required"]);
}

#[test]
fn a_node_group_is_known_by_all_that_is_eks_own_of_it() {
    let inventory = managed();
    for resource in [
        "workers",
        "lt-copy",
        "lt-copy-name",
        "eks-workers",
        "arn:aws:eks:eu-west-1:111122223333:nodegroup/blue/workers/1",
        "arn:aws:autoscaling:eu-west-1:111122223333:autoScalingGroup:u:autoScalingGroupName/eks-workers",
        "arn:aws:ec2:eu-west-1:111122223333:launch-template/lt-copy",
    ] {
        let found = only(&inventory, resource);
        assert_eq!((found.kind, found.id.as_str()), (Kind::NodeGroup, "blue/workers"), "{resource}");
    }
}

#[test]
fn an_arn_means_one_account_region_and_kind() {
    let inventory = managed();
    for resource in [
        "arn:aws:eks:eu-west-2:111122223333:cluster/blue",
        "arn:aws:eks:eu-west-1:999999999999:cluster/blue",
        "arn:aws:eks:eu-west-1:111122223333:cluster/workers",
        "arn:aws:ec2:eu-west-1:111122223333:instance/lt-user",
    ] {
        assert_eq!(explain(&inventory, resource).len(), 0, "{resource}");
    }
    assert_eq!(only(&inventory, "arn:aws:eks:eu-west-1:111122223333:cluster/blue").kind, Kind::Cluster);
    for resource in
        ["arn:aws:s3:::bucket", "arn:", "arn:aws:eks:a:b:nodegroup/blue", "arn:aws:ec2:a:b:instance/"]
    {
        Query::parse(resource).unwrap_err();
    }
}

#[test]
fn an_instance_says_what_it_had_from_its_launch_and_what_was_changed() {
    let inventory = managed();
    let same = only(&inventory, "i-same");
    assert_eq!(same.ways.len(), 1);
    assert!(same.notes.iter().any(|note| note == "the next node of blue/workers gets the same"));
    let sources: Vec<_> = same.ways[0].options.iter().map(|line| line.source).collect();
    assert_eq!(sources[..2], [Source::LaunchTemplate, Source::EksLaunchTemplate]);

    let changed = only(&inventory, "i-changed");
    assert_eq!(changed.ways.len(), 2);
    assert_eq!(changed.ways[0].options[0].source, Source::Instance);
    let differs = [(HttpTokens, Optional), (HttpPutResponseHopLimit, Number(2))].into();
    assert_eq!(stage(&changed, StageKind::Instance).says, Says::Differs(differs));
}

#[test]
fn fixes_are_said_once_for_all_rules() {
    let mut inventory = inventory();
    template(&mut inventory, "lt-own", &[options(Some(Optional), Some(1))], &al2023());
    group(&mut inventory, "own", GroupLaunch::Template(reference("lt-own", VersionRef::Latest)));
    let found = only(&inventory, "own");
    let kinds: Vec<_> = found.fixes.iter().map(|step| step.kind).collect();
    assert_eq!(kinds, [FixKind::PatchLaunchTemplate]);
    assert_eq!(found.fixes[0].notes.len(), 2);
}

#[test]
fn every_way_of_a_mixed_group_is_shown() {
    let mut inventory = inventory();
    template(&mut inventory, "lt-1", &[options(Some(Required), Some(2))], &al2023());
    template(&mut inventory, "lt-2", &[options(Some(Required), Some(1))], &al2023());
    let one = |id| LaunchOverride {
        instance_type: None,
        template: Some(reference(id, VersionRef::Default)),
        image: None,
    };
    let base = reference("lt-1", VersionRef::Default);
    group(&mut inventory, "mixed", GroupLaunch::Mixed { base, overrides: vec![one("lt-1"), one("lt-2")] });
    let found = only(&inventory, "mixed");
    assert!(matches!(&found.lineage[1], Link::Ways(ways) if ways.len() == 2));
    let statuses: Vec<_> =
        found.ways.iter().map(|way| way.options[HttpPutResponseHopLimit as usize].checks[0].status).collect();
    assert_eq!(statuses, [Status::Pass, Status::Fail]);
}

#[test]
fn what_was_not_read_is_not_made_up() {
    let mut inventory = managed();
    inventory.launch_templates.clear();
    inventory.account_defaults = Read::Failed;
    let gone = only(&inventory, "blue/workers");
    assert_eq!(stage(&gone, StageKind::LaunchTemplate).says, Says::Gone);
    inventory.templates_read = false;
    let found = only(&inventory, "blue/workers");
    assert_eq!(stage(&found, StageKind::AccountDefault).says, Says::Unread);
    assert_eq!(stage(&found, StageKind::LaunchTemplate).says, Says::Unread);
    assert_eq!(found.ways[0].options[0].value, None);
    assert_eq!(found.ways[0].options[0].checks[0].status, Status::Unknown);
}

#[test]
fn what_is_exempt_is_said_to_be() {
    let text = "apiVersion: imdsctl/v1\nkind: Policy\nmetadata: { name: mine, version: '1' }\nspec:\n  rules:\n    - { id: \
                hops, option: http_put_response_hop_limit, at_least: 2, severity: high }\n  exemptions:\n    - { id: e, reason: \
                known }\n";
    let policies = [parse("mine.yaml", text).unwrap()];
    let query = Query::parse("blue/workers").unwrap();
    let found = super::explain(&managed(), &policies, date(2026, 11, 15), &query);
    assert_eq!(found[0].ways[0].options[1].checks[0].status, Status::Exempt);
    assert_eq!(found[0].fixes.len(), 0);
}

#[test]
fn a_cluster_lists_what_belongs_to_it() {
    let mut inventory = managed();
    template(&mut inventory, "lt-own", &[options(Some(Required), Some(2))], &al2023());
    group(&mut inventory, "own", GroupLaunch::Template(reference("lt-own", VersionRef::Latest)));
    instance(&mut inventory, "i-alone", AL2023_IMAGE, actual(Required, 2), &[]);
    let found = only(&inventory, "blue");
    let members: Vec<_> = found.members.iter().map(|one| (one.kind, one.id.as_str(), one.nodes)).collect();
    assert_eq!(
        members,
        [
            (MemberKind::NodeGroup, "blue/workers", 2),
            (MemberKind::AutoScalingGroup, "own", 0),
            (MemberKind::Nodes(crate::finding::ManagedBy::Standalone), "i-alone", 1),
        ]
    );
    assert_eq!(found.members[1].next, Some(Status::Pass));
    assert_eq!(explain(&inventory, "green").len(), 0);
}

#[test]
fn a_template_names_who_launches_from_it() {
    let inventory = managed();
    let found = only(&inventory, "lt-user-name");
    assert_eq!((found.kind, found.id.as_str()), (Kind::LaunchTemplate, "lt-user"));
    let user = &found.members[0];
    assert_eq!((user.id.as_str(), user.version), ("blue/workers", Some(1)));
}

#[test]
fn a_group_of_no_cluster_has_instances_and_no_nodes() {
    let mut inventory = managed();
    template(&mut inventory, "lt-web", &[options(Some(Optional), Some(1))], &al2023());
    group(&mut inventory, "web", GroupLaunch::Template(reference("lt-web", VersionRef::Latest)));
    inventory.auto_scaling_groups.last_mut().unwrap().tags = tags(&[]);
    let web = &[("aws:autoscaling:groupName", "web")];
    instance(&mut inventory, "i-web", AL2023_IMAGE, actual(Optional, 1), web);
    inventory.instances.last_mut().unwrap().tags = tags(web);
    assert_eq!(explain(&inventory, "web").len(), 0, "nobody asked about it");
    inventory.others.groups.insert("web".to_owned());
    let found = only(&inventory, "web");
    assert_eq!((found.cluster.as_deref(), found.noun()), (None, "instance"));
    assert_eq!(found.ways[0].title, "its next instance gets");
    assert_eq!(stage(&found, StageKind::AutoScalingGroup).facts, ["1 instance"]);
    assert_eq!((found.members[0].nodes, found.members[0].failing), (1, 1));
    let notes = only(&inventory, "i-web").notes;
    assert!(notes.contains(&"the next instance of web gets the same".to_owned()), "{notes:?}");
    assert_eq!(only(&inventory, "lt-web").members[0].noun(), "instance");
}
