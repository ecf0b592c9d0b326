//! The rules of rollouts, on small worlds.

use std::collections::BTreeMap;

use super::group_settings::{GroupChange, GroupRefusal};
use super::preferences::{Preferences, Reserved};
use super::updates::{UpdateError, UpdateStatus};
use super::{AskedTemplate, AskedUpdate, UpdateRefusal};
use crate::build;
use crate::fleet::Fleet;
use crate::world::{InstanceState, LaunchSource, Launcher, MixedInstances, Region, TemplateSpecification};

const NOW: i64 = 1_794_733_200;

/// A Region of a fleet file; `inside` is the YAML of what is in it.
fn region(inside: &str) -> Region {
    let inside: Vec<String> = inside.lines().map(|line| format!("        {line}")).collect();
    let yaml = format!(
        "name: test\naccounts:\n  - id: \"111122223333\"\n    name: test\n    access_keys: [{{ id: AKIATEST000000000001 }}]\n    \
         regions:\n      - names: [us-east-1]\n{}\n",
        inside.join("\n")
    );
    let mut world = Fleet::from_yaml(&yaml, "test.yaml").unwrap().world;
    world.accounts.get_mut("111122223333").unwrap().regions.remove("us-east-1").unwrap()
}

/// Six nodes on version 1 of a template that has a second version.
fn nodes(more: &str) -> Region {
    region(&format!(
        "launch_templates:\n  - name: user\n    versions: [{{ metadata_options: {{ hop_limit: 1 }} }}, \
         {{ metadata_options: {{ hop_limit: 3 }} }}]\nclusters:\n  - name: c\n    node_groups:\n      \
         - {{ name: n, template: {{ name: user, version: \"1\" }}, nodes: 6, release: \"20261001\"{more} }}"
    ))
}

fn pinned(version: &str, region: &Region) -> AskedUpdate {
    let group = region.node_group("c", "n").unwrap();
    AskedUpdate {
        template: Some(AskedTemplate {
            id: group.template.as_ref().map(|template| template.id.clone()),
            name: None,
            version: Some(version.to_owned()),
        }),
        version: group.version.clone(),
        release_version: Some(group.release_version.clone()),
        force: false,
    }
}

fn begin(region: &mut Region, asked: AskedUpdate) -> Result<String, UpdateRefusal> {
    let releases = |ami_type: &str, kubernetes: &str, release: Option<&str>| {
        build::release(ami_type, kubernetes, release, "us-east-1", NOW)
    };
    region.begin_update("c", "n", asked, &releases, NOW).map(|update| update.id)
}

/// Begins an update to version 2, with everything pinned.
fn move_to_2(region: &mut Region) -> Result<String, UpdateRefusal> {
    let asked = pinned("2", region);
    begin(region, asked)
}

/// Looks until the update is over; how often, and its errors.
fn run(region: &mut Region) -> (u32, UpdateStatus, Vec<UpdateError>) {
    for looks in 0..20 {
        let update = region.node_group("c", "n").unwrap().updates.last().unwrap();
        if update.status != UpdateStatus::InProgress {
            all_have_arrived_or_left(region, &scaling(region));
            return (looks, update.status, update.errors.clone());
        }
        region.advance_update("c", "n", NOW + i64::from(looks));
    }
    panic!("the update never ends");
}

/// When it is over nobody is on the way.
fn all_have_arrived_or_left(region: &Region, group: &str) {
    assert!(look(region, group).iter().all(|one| one.2 == InstanceState::Running));
    assert!(region.instances.iter().all(|one| one.state != InstanceState::ShuttingDown));
}

/// How many instances of a group have which hop limit and template version, and which state they are in.
fn look(region: &Region, group: &str) -> Vec<(u8, u64, InstanceState)> {
    let members = region.members(&region.groups[group]);
    let each = members.iter().map(|one| match &one.launch.launcher {
        Launcher::Template { version, .. } => (one.options.hop_limit, *version, one.state),
        _ => (one.options.hop_limit, 0, one.state),
    });
    each.collect()
}

fn scaling(region: &Region) -> String {
    region.node_group("c", "n").unwrap().group.clone()
}

#[test]
fn an_update_replaces_every_node_through_a_new_version_of_the_copy() {
    let mut region = nodes("");
    let name = scaling(&region);
    let before = region.groups[&name].clone();
    let id = move_to_2(&mut region).unwrap();
    let group = region.node_group("c", "n").unwrap();
    assert_eq!((group.status.as_str(), group.template.as_ref().unwrap().version), ("UPDATING", 1));
    region.advance_update("c", "n", NOW);
    assert_eq!(region.groups[&name].source, source(&region, "2"));
    region.advance_update("c", "n", NOW);
    let surged = region.groups[&name].desired;
    assert_eq!((surged, region.groups[&name].instances.len()), (12, 12));
    let (_, status, errors) = run(&mut region);
    assert_eq!((status, errors), (UpdateStatus::Successful, Vec::new()));
    let group = region.node_group("c", "n").unwrap();
    assert_eq!((group.status.as_str(), group.template.as_ref().unwrap().version), ("ACTIVE", 2));
    assert_eq!(group.release_version, "1.33.4-20261001");
    assert!(look(&region, &name).iter().all(|node| (node.0, node.1) == (3, 2)));
    let after = &region.groups[&name];
    assert_eq!((after.desired, after.max, after.instances.len()), (before.desired, before.max, 6));
    assert!(after.instances.iter().all(|id| !before.instances.contains(id)));
    assert_eq!((after.turnover.drained, after.turnover.undrained), (12, 0));
    assert_eq!(region.issues_of(group), []);
    assert_eq!(group.updates[0].id, id);
    let tags = region.members(after)[0].tags();
    assert_eq!(tags["aws:ec2launchtemplate:version"], "2");
    assert_eq!(tags["eks:nodegroup-name"], "n");
}

/// What the group of the node group launches from, with EKS's template in this version.
fn source(region: &Region, version: &str) -> LaunchSource {
    let copy = &region.node_group("c", "n").unwrap().copy;
    LaunchSource::Template(TemplateSpecification {
        id: copy.id.clone(),
        name: copy.name.clone(),
        version: version.to_owned(),
    })
}

#[test]
fn what_is_not_pinned_moves_to_the_newest_release_and_the_version_to_the_default() {
    let mut region = nodes("");
    let mut asked = pinned("2", &region);
    (asked.version, asked.release_version) = (None, None);
    asked.template.as_mut().unwrap().version = None;
    begin(&mut region, asked).unwrap();
    run(&mut region);
    let group = region.node_group("c", "n").unwrap();
    assert_eq!(group.template.as_ref().unwrap().version, 1);
    assert_eq!(group.release_version, "1.33.4-20261105");
    let name = scaling(&region);
    let members = region.members(&region.groups[&name]);
    assert!(members.iter().all(|node| region.images[&node.launch.image].name.ends_with("v20261105")));
}

#[test]
fn an_update_that_eks_does_not_take_on_says_why() {
    let mut region = nodes("");
    let fine = pinned("2", &region);
    let with = |change: fn(&mut AskedUpdate)| {
        let mut asked = fine.clone();
        change(&mut asked);
        asked
    };
    for (asked, word) in [
        (with(|asked| asked.template.as_mut().unwrap().name = Some("user".to_owned())), "Either provide"),
        (with(|asked| asked.template.as_mut().unwrap().id = Some("lt-1".to_owned())), "must match"),
        (with(|asked| asked.template.as_mut().unwrap().version = Some("9".to_owned())), "was not found"),
        (with(|asked| asked.release_version = Some("1.33.4-20200101x".to_owned())), "is not valid"),
        (with(|asked| asked.version = Some("1.34".to_owned())), "cannot be greater"),
        (with(|asked| asked.version = Some("1.32".to_owned())), "cannot go from"),
    ] {
        let before = region.clone();
        match begin(&mut region, asked) {
            Err(UpdateRefusal::Invalid(message)) => assert!(message.contains(word), "{message}"),
            other => panic!("{word}: {other:?}"),
        }
        assert_eq!(region, before);
    }
    begin(&mut region, fine.clone()).unwrap();
    assert!(matches!(begin(&mut region, fine), Err(UpdateRefusal::InUse(_))));
}

#[test]
fn an_image_in_the_template_excludes_versions_and_its_absence_excludes_templates() {
    let mut region = region(
        "launch_templates: [{ name: user, versions: [{ image: al2023-1.33 }, { image: al2023-1.33 }, {}] }]
clusters:
  - name: c
    node_groups: [{ name: n, template: { name: user }, nodes: 2 }, { name: plain, nodes: 1 }]",
    );
    let mut asked = pinned("2", &region);
    asked.release_version = None;
    asked.version = Some("1.33".to_owned());
    let refused = begin(&mut region, asked.clone()).unwrap_err();
    let message = "You cannot specify the field kubernetesVersion when using custom AMIs.";
    assert_eq!(refused, UpdateRefusal::Invalid(message.to_owned()));
    asked.version = None;
    asked.template.as_mut().unwrap().version = Some("3".to_owned());
    assert!(matches!(begin(&mut region, asked.clone()), Err(UpdateRefusal::Invalid(_))));
    let releases = |_: &str, _: &str, _: Option<&str>| None;
    let plain = region.begin_update("c", "plain", asked.clone(), &releases, NOW).unwrap_err();
    assert!(matches!(plain, UpdateRefusal::Invalid(message) if message.contains("not deployed with")));
    asked.template.as_mut().unwrap().version = Some("2".to_owned());
    begin(&mut region, asked).unwrap();
    assert_eq!(run(&mut region).1, UpdateStatus::Successful);
    assert_eq!(region.node_group("c", "n").unwrap().template.as_ref().unwrap().version, 2);
}

#[test]
fn a_disruption_budget_stops_an_update_and_force_does_not_ask() {
    let mut region = nodes(", blocks_eviction: true");
    let name = scaling(&region);
    let before = look(&region, &name);
    move_to_2(&mut region).unwrap();
    let (_, status, errors) = run(&mut region);
    assert_eq!((status, errors[0].code.as_str()), (UpdateStatus::Failed, "PodEvictionFailure"));
    let group = region.node_group("c", "n").unwrap();
    assert_eq!((group.status.as_str(), group.template.as_ref().unwrap().version), ("ACTIVE", 1));
    assert_eq!(look(&region, &name), before);
    assert_eq!(region.issues_of(group), []);
    let mut asked = pinned("2", &region);
    asked.force = true;
    begin(&mut region, asked).unwrap();
    assert_eq!(run(&mut region).1, UpdateStatus::Successful);
    assert_eq!(region.groups[&name].turnover.undrained, 6);
}

#[test]
fn an_update_that_fails_in_the_middle_leaves_what_it_has_replaced() {
    let mut region = nodes(", update_fails: { error: NodeCreationFailure, after_nodes: 3, times: 1 }");
    let name = scaling(&region);
    move_to_2(&mut region).unwrap();
    let (_, status, errors) = run(&mut region);
    assert_eq!((status, errors[0].code.as_str()), (UpdateStatus::Failed, "NodeCreationFailure"));
    let versions: Vec<u64> = look(&region, &name).iter().map(|node| node.1).collect();
    assert_eq!(versions, [1, 1, 1, 2, 2, 2]);
    assert_eq!(region.groups[&name].source, source(&region, "1"));
    assert_eq!(region.node_group("c", "n").unwrap().status, "ACTIVE");
    move_to_2(&mut region).unwrap();
    assert_eq!(run(&mut region).1, UpdateStatus::Successful);
    assert!(look(&region, &name).iter().all(|node| node.1 == 3));
}

#[test]
fn who_edits_what_is_eks_own_degrades_the_node_group() {
    let code = |region: &Region| {
        let group = region.node_group("c", "n").unwrap();
        let codes: Vec<String> = region.issues_of(group).into_iter().map(|issue| issue.code).collect();
        (region.status_of(group), codes.join(" "))
    };
    let fine = nodes("");
    assert_eq!(code(&fine), ("ACTIVE".to_owned(), String::new()));
    let name = scaling(&fine);
    let copy = fine.node_group("c", "n").unwrap().copy.clone();
    let degraded = |code: &str| ("DEGRADED".to_owned(), code.to_owned());

    let mut region = fine.clone();
    let template = region.templates.get_mut(&copy.id).unwrap();
    let mut foreign = template.versions[&1].clone();
    (foreign.number, foreign.created_by) = (2, "arn:aws:iam::111122223333:user/someone".to_owned());
    template.add(foreign);
    assert_eq!(code(&region), degraded("Ec2LaunchTemplateVersionMismatch"));

    let change = GroupChange { source: Some(source(&region, "2")), ..GroupChange::default() };
    let mut moved = region.clone();
    moved.update_group(&name, &change, NOW).unwrap();
    assert_eq!(code(&moved), degraded("Ec2LaunchTemplateVersionMismatch"));

    let mut gone = fine.clone();
    gone.templates.remove(&copy.id);
    assert_eq!(code(&gone), degraded("Ec2LaunchTemplateNotFound"));

    let mut other = fine.clone();
    let user = fine.templates.values().find(|template| template.name == "user").unwrap();
    let specification =
        TemplateSpecification { id: user.id.clone(), name: user.name.clone(), version: "1".to_owned() };
    other.groups.get_mut(&name).unwrap().source = LaunchSource::Template(specification);
    assert_eq!(code(&other), degraded("AutoScalingGroupInvalidConfiguration"));

    let mut refreshed = fine.clone();
    refreshed.start_refresh(&name, None, Preferences::default()).unwrap();
    assert_eq!(code(&refreshed), degraded("AutoScalingGroupInstanceRefreshActive"));
    let asked = pinned("2", &refreshed);
    assert!(matches!(begin(&mut refreshed, asked), Err(UpdateRefusal::InUse(_))));
}

/// Six instances of a group on version 1 of a template that has a second version.
fn group(more: &str) -> Region {
    region(&format!(
        "launch_templates:\n  - name: own\n    versions: [{{ image: al2023-1.33, metadata_options: {{ hop_limit: 1 }} }}, \
         {{ image: al2023-1.33, metadata_options: {{ hop_limit: 3 }} }}]\ngroups:\n  \
         - {{ name: g, template: {{ name: own, version: \"1\" }}, nodes: 6{more} }}"
    ))
}

fn version(region: &Region, version: &str) -> LaunchSource {
    let template = region.templates.values().find(|template| template.name == "own").unwrap();
    LaunchSource::Template(TemplateSpecification {
        id: template.id.clone(),
        name: template.name.clone(),
        version: version.to_owned(),
    })
}

/// Looks until the refresh is over; the states and percentages that are seen.
fn refresh(region: &mut Region) -> Vec<(&'static str, u32)> {
    let mut seen = Vec::new();
    for _ in 0..20 {
        let refresh = region.groups["g"].refreshes.last().unwrap();
        seen.push((refresh.status.as_str(), refresh.percentage()));
        if !refresh.status.is_active() {
            all_have_arrived_or_left(region, "g");
            return seen;
        }
        region.advance_refresh("g", NOW);
    }
    panic!("the refresh never ends: {seen:?}");
}

fn back() -> Preferences {
    Preferences { auto_rollback: true, ..Preferences::default() }
}

#[test]
fn a_refresh_replaces_every_instance_and_then_the_source() {
    let mut region = group(", warm_pool: { nodes: 2 }");
    let old = region.groups["g"].clone();
    let desired = version(&region, "2");
    region.start_refresh("g", Some(desired.clone()), back()).unwrap();
    region.advance_refresh("g", NOW);
    region.advance_refresh("g", NOW);
    assert_eq!(region.groups["g"].source, old.source, "not before it has succeeded");
    let seen = refresh(&mut region);
    assert_eq!(seen, [("InProgress", 33), ("InProgress", 66), ("Successful", 100)]);
    let new = &region.groups["g"];
    assert_eq!((&new.source, new.turnover.undrained, new.turnover.drained), (&desired, 6, 0));
    assert!(look(&region, "g").iter().all(|one| (one.0, one.1) == (3, 2)));
    assert!(new.instances.iter().all(|id| !old.instances.contains(id)));
    let pool = &new.warm_pool.as_ref().unwrap().instances;
    let warm: Vec<_> = region.instances.iter().filter(|one| pool.contains(&one.id)).collect();
    assert!(warm.len() == 2 && warm.iter().all(|one| one.options.hop_limit == 3));
    assert!(warm.iter().all(|one| one.state == InstanceState::Stopped));
}

#[test]
fn a_termination_hook_is_where_nodes_are_drained() {
    let mut region = group(", lifecycle_hooks: [{ name: drain }, { name: born, transition: launching }]");
    region.start_refresh("g", None, Preferences::default()).unwrap();
    refresh(&mut region);
    let turnover = &region.groups["g"].turnover;
    assert_eq!((turnover.drained, turnover.undrained), (6, 0));
}

#[test]
fn a_refresh_that_fails_goes_back_only_if_it_was_told_to() {
    let fails = ", refresh_fails: { after_nodes: 3, times: 1, reason: unhealthy }";
    let mut region = group(fails);
    let before = look(&region, "g");
    let desired = Some(version(&region, "2"));
    region.start_refresh("g", desired.clone(), back()).unwrap();
    let seen = refresh(&mut region);
    assert_eq!(
        seen,
        [
            ("Pending", 0),
            ("InProgress", 0),
            ("InProgress", 33),
            ("InProgress", 50),
            ("RollbackInProgress", 50),
            ("RollbackInProgress", 16),
            ("RollbackSuccessful", 0)
        ]
    );
    let one = region.groups["g"].refreshes[0].clone();
    assert_eq!((one.rollback.unwrap().percentage, one.reason.as_deref()), (50, Some("unhealthy")));
    let states = |region: &Region| look(region, "g").iter().map(|one| one.1).collect::<Vec<_>>();
    assert_eq!(states(&region), before.iter().map(|one| one.1).collect::<Vec<_>>());
    assert_eq!(region.groups["g"].source, version(&region, "1"));
    // It was scripted to fail once.
    region.start_refresh("g", desired.clone(), back()).unwrap();
    assert_eq!(refresh(&mut region).last(), Some(&("Successful", 100)));

    let mut region = group(fails);
    region.start_refresh("g", desired, Preferences::default()).unwrap();
    assert_eq!(refresh(&mut region).last(), Some(&("Failed", 50)));
    assert_eq!(states(&region), [1, 1, 1, 2, 2, 2]);
    assert_eq!(region.groups["g"].source, version(&region, "1"));
}

#[test]
fn going_back_may_fail_as_well() {
    let mut region = group(", refresh_fails: { after_nodes: 2, rollback_fails: true }");
    let desired = Some(version(&region, "2"));
    region.start_refresh("g", desired, back()).unwrap();
    assert_eq!(refresh(&mut region).last(), Some(&("RollbackFailed", 33)));
}

#[test]
fn instances_that_may_not_be_touched_are_waited_for_in_vain() {
    let mut region = group(", protected: 2, standby: 1");
    region.start_refresh("g", None, Preferences::default()).unwrap();
    let seen = refresh(&mut region);
    assert_eq!(seen.last(), Some(&("Failed", 50)));
    let kept = Preferences {
        protected: Some(Reserved::Ignore),
        standby: Some(Reserved::Replace),
        ..Preferences::default()
    };
    region.start_refresh("g", None, kept).unwrap();
    assert_eq!(refresh(&mut region).last(), Some(&("Successful", 100)));
    assert_eq!(region.groups["g"].protected.len(), 2);
    assert_eq!(region.groups["g"].standby.len(), 0);
}

#[test]
fn what_matches_already_is_skipped_only_on_request() {
    let mut region = group(", launched_from: [{ count: 2, version: \"2\" }]");
    let desired = version(&region, "2");
    let skip = Preferences { skip_matching: true, ..back() };
    region.start_refresh("g", Some(desired), skip).unwrap();
    assert_eq!(region.groups["g"].refreshes[0].total, 4);
    assert_eq!(refresh(&mut region).last(), Some(&("Successful", 100)));
}

#[test]
fn a_refresh_can_be_stopped_and_turned_back_while_it_goes_on() {
    let mut region = group("");
    assert_eq!(region.cancel_refresh("g"), Err(GroupRefusal::NoActiveRefresh));
    let desired = version(&region, "2");
    let id = region.start_refresh("g", Some(desired.clone()), Preferences::default()).unwrap().id;
    assert_eq!(region.start_refresh("g", None, Preferences::default()), Err(GroupRefusal::RefreshInProgress));
    let change = GroupChange { source: Some(version(&region, "2")), ..GroupChange::default() };
    assert!(matches!(region.update_group("g", &change, NOW), Err(GroupRefusal::Invalid(_))));
    region.advance_refresh("g", NOW);
    region.advance_refresh("g", NOW);
    assert_eq!(region.cancel_refresh("g"), Ok(id));
    assert_eq!(refresh(&mut region), [("Cancelling", 33), ("Cancelled", 33)]);
    region.start_refresh("g", Some(desired), Preferences::default()).unwrap();
    region.advance_refresh("g", NOW);
    region.advance_refresh("g", NOW);
    region.roll_refresh_back("g", NOW).unwrap();
    assert_eq!(refresh(&mut region).last(), Some(&("RollbackSuccessful", 0)));
    region.start_refresh("g", None, Preferences::default()).unwrap();
    assert!(matches!(region.roll_refresh_back("g", NOW), Err(GroupRefusal::Irreversible(_))));
}

#[test]
fn going_back_needs_to_know_exactly_what_was_before() {
    let mut fixed = group("");
    let latest = version(&fixed, "$Latest");
    let numbered = version(&fixed, "2");
    let invalid = |outcome| matches!(outcome, Err(GroupRefusal::Invalid(_)));
    assert!(invalid(fixed.start_refresh("g", None, back())));
    assert!(invalid(fixed.start_refresh("g", Some(latest.clone()), back())));
    assert!(invalid(fixed.start_refresh("g", Some(version(&fixed, "9")), Preferences::default())));
    assert!(invalid(fixed.start_refresh("absent", None, Preferences::default())));
    let change = GroupChange { source: Some(latest), ..GroupChange::default() };
    fixed.update_group("g", &change, NOW).unwrap();
    assert!(invalid(fixed.start_refresh("g", Some(numbered), back())));
}

#[test]
fn a_change_of_a_group_is_for_new_instances_only() {
    let mut region = group("");
    let before = look(&region, "g");
    let change = GroupChange { source: Some(version(&region, "2")), ..GroupChange::default() };
    region.update_group("g", &change, NOW).unwrap();
    assert_eq!(look(&region, "g"), before);
    let more = GroupChange { desired: Some(8), max: Some(8), ..GroupChange::default() };
    region.update_group("g", &more, NOW).unwrap();
    let versions: Vec<u64> = look(&region, "g").iter().map(|one| one.1).collect();
    assert_eq!(versions, [1, 1, 1, 1, 1, 1, 2, 2]);
    let fewer = GroupChange { max: Some(3), ..GroupChange::default() };
    region.update_group("g", &fewer, NOW).unwrap();
    assert_eq!((region.groups["g"].desired, region.groups["g"].instances.len()), (3, 3));
    let wrong = GroupChange { min: Some(9), ..GroupChange::default() };
    assert!(matches!(region.update_group("g", &wrong, NOW), Err(GroupRefusal::Invalid(_))));
}

#[test]
fn overrides_share_what_is_launched() {
    let mut region = region(
        "launch_templates:
  - { name: own, versions: [{ image: al2023-1.33, metadata_options: { hop_limit: 2 } }, { image: al2023-1.33 }] }
  - { name: other, versions: [{ image: al2023-1.33, metadata_options: { hop_limit: 7 } }] }
groups:
  - name: g
    template: { name: own, version: \"1\" }
    nodes: 5
    mixed: { overrides: [{ instance_type: c6i.large }, { instance_type: c6a.large, template: { name: other } }] }",
    );
    let LaunchSource::Mixed(policy) = region.groups["g"].source.clone() else { panic!() };
    let desired = MixedInstances {
        template: TemplateSpecification { version: "2".to_owned(), ..policy.template.clone() },
        ..policy
    };
    region.start_refresh("g", Some(LaunchSource::Mixed(desired)), Preferences::default()).unwrap();
    assert_eq!(refresh(&mut region).last(), Some(&("Successful", 100)));
    let mut types: BTreeMap<String, usize> = BTreeMap::new();
    for member in region.members(&region.groups["g"]) {
        *types.entry(member.instance_type().to_owned()).or_default() += 1;
    }
    let wanted = [("c6a.large".to_owned(), 2), ("c6i.large".to_owned(), 3)];
    assert_eq!(types, BTreeMap::from(wanted));
}
