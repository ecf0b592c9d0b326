//! Node groups and Auto Scaling groups.

use super::*;
use crate::model::{GroupLaunch, ImageRef, LaunchOverride, VersionRef};
use crate::plan::{NamedVersion, Pin, Repoint, VersionChoice};

/// A node group at version 1 of the template `lt-user`, with a node, both with one hop.
fn managed() -> Inventory {
    let mut inventory = inventory();
    let wrong = options(Some(REQUIRED), Some(1));
    template(&mut inventory, "lt-user", &[wrong], &al2023());
    template(&mut inventory, "lt-copy", &[wrong], &al2023());
    node_group(&mut inventory, "workers", "lt-copy", Some(reference("lt-user", VersionRef::Number(1))));
    instance(&mut inventory, "i-1", AL2023_IMAGE, actual(REQUIRED, 1), &LAUNCHED_BY_WORKERS);
    inventory
}

/// A group `own` of the user's that launches from `lt-own`, with a node, both with one hop.
fn own(by: VersionRef) -> Inventory {
    let mut inventory = inventory();
    template(&mut inventory, "lt-own", &[options(Some(REQUIRED), Some(1))], &al2023());
    group(&mut inventory, "own", GroupLaunch::Template(reference("lt-own", by)));
    member(&mut inventory, "own", "i-1", actual(REQUIRED, 1));
    inventory
}

#[test]
fn a_node_group_takes_a_version_that_is_its_own_but_for_the_options() {
    let plan = plan(&managed(), rollout());
    assert_eq!(words(&plan), ["create_template_version/lt-user/1", "update_node_group/blue/workers"]);
    assert_eq!(made(&plan), [(1, options(Some(REQUIRED), Some(2)))]);
    let update = step(&plan, "workers");
    assert_eq!(update.after, [step(&plan, "lt-user/1").id.clone()]);
    assert_eq!((update.reach.replaced, update.reach.clusters.as_slice()), (1, &["blue".to_owned()][..]));
    assert_eq!(update.findings.len(), 2, "the group's and the node's");
    let Action::UpdateNodeGroup { pin, to, .. } = &update.action else { panic!("{update:?}") };
    let kept = Pin { version: "1.33".to_owned(), release_version: "1.33.5-20261001".to_owned() };
    assert_eq!(pin.as_ref(), Some(&kept));
    assert_eq!(*to, VersionChoice::MadeBy(step(&plan, "lt-user/1").id.clone()));
    assert!(plan.manual.is_empty() && plan.skipped.is_empty() && plan.risks.is_empty(), "{plan:#?}");
}

#[test]
fn without_a_rollout_the_version_is_made_and_what_is_left_says_which_flag_it_needs() {
    let plan = plan(&managed(), Choices::default());
    assert_eq!(words(&plan), ["create_template_version/lt-user/1"]);
    assert_eq!(
        skips(&plan),
        [
            ("i-1", "give --rollout to replace the node, or --live to change it as it runs"),
            ("blue/workers", "the new version is made, and nothing launches from it yet: give --rollout"),
        ]
    );
}

#[test]
fn one_patch_serves_every_group_at_a_version_and_another_the_groups_at_another() {
    let mut inventory = managed();
    add_version(&mut inventory, "lt-user", options(Some(OPTIONAL), None));
    for (name, copy, version) in [("more", "lt-copy-2", 1), ("others", "lt-copy-3", 2)] {
        template(&mut inventory, copy, &[options(Some(OPTIONAL), Some(1))], &al2023());
        node_group(&mut inventory, name, copy, Some(reference("lt-user", VersionRef::Number(version))));
    }
    let plan = plan(&inventory, rollout());
    assert_eq!(
        words(&plan),
        [
            "create_template_version/lt-user/1",
            "create_template_version/lt-user/2",
            "update_node_group/blue/more",
            "update_node_group/blue/others",
            "update_node_group/blue/workers",
        ]
    );
    // Tokens were required in version 1 already; what EKS wrote into a copy shows in the group that runs it.
    assert_eq!(made(&plan), [(1, options(Some(REQUIRED), Some(2))), (2, options(Some(REQUIRED), Some(2)))]);
    // One update at a time in a cluster.
    let updates: Vec<_> = plan.steps[2..].iter().collect();
    for pair in updates.windows(2) {
        assert!(pair[1].after.contains(&pair[0].id), "{pair:#?}");
    }
    assert!(plan.risks.iter().any(|risk| risk.contains("made from version 1, which is in use")), "{plan:#?}");
}

#[test]
fn a_later_version_that_says_the_same_is_not_made_again_for_nothing() {
    let mut inventory = managed();
    add_version(&mut inventory, "lt-user", options(Some(REQUIRED), Some(2)));
    let without = plan(&inventory, Choices::default());
    assert_eq!(words(&without), Vec::<String>::new());
    assert_eq!(
        skips(&without)[1].1,
        "version 2 of lt-user-name sets it already, and nothing launches from it yet: give --rollout"
    );
    // Whether all the rest of it is the same is seen right before it is used.
    let with = plan(&inventory, rollout());
    assert_eq!(words(&with), ["create_template_version/lt-user/1", "update_node_group/blue/workers"]);
}

#[test]
fn a_version_that_was_made_for_others_too_serves_those_who_have_the_rest_of_it_already() {
    let mut inventory = managed();
    let (user, copy) = (options(None, Some(1)), options(Some(REQUIRED), Some(1)));
    template(&mut inventory, "lt-user", &[user], &al2023());
    template(&mut inventory, "lt-copy", &[copy], &al2023());
    add_version(&mut inventory, "lt-user", options(Some(REQUIRED), Some(2)));
    let without = plan(&inventory, Choices::default());
    assert!(without.steps.is_empty(), "{without:#?}");
    assert_eq!(made(&plan(&inventory, rollout())), [(1, options(Some(REQUIRED), Some(2)))]);
}

#[test]
fn what_the_owner_of_a_template_has_mended_already_is_used_and_nothing_is_written() {
    let mut inventory = managed();
    inventory.launch_templates.get_mut(&"lt-user".into()).unwrap().tags =
        tags(&[("managed-by", "terraform")]);
    assert!(plan(&inventory, rollout()).steps.is_empty());
    add_version(&mut inventory, "lt-user", options(Some(REQUIRED), Some(2)));
    let plan = plan(&inventory, rollout());
    assert_eq!(words(&plan), ["create_template_version/lt-user/1", "update_node_group/blue/workers"]);
    let Action::CreateTemplateVersion { may_create, .. } = &plan.steps[0].action else { panic!() };
    assert!(!may_create && plan.manual.is_empty());
}

#[test]
fn a_node_group_with_an_image_of_its_own_is_not_pinned() {
    let mut inventory = managed();
    inventory.node_groups[0].ami_type = Some("CUSTOM".to_owned());
    let plan = plan(&inventory, rollout());
    let Action::UpdateNodeGroup { pin, .. } = &step(&plan, "workers").action else { panic!() };
    assert_eq!(*pin, None);
}

#[test]
fn a_node_group_that_cannot_be_pinned_is_not_moved() {
    let mut inventory = managed();
    inventory.node_groups[0].release_version = None;
    let held = plan(&inventory, rollout());
    let (why, unless) = block(&held, "workers");
    assert!(why.contains("which Kubernetes version and AMI release"), "{why}");
    assert_eq!(unless, None);
}

#[test]
fn a_node_group_that_is_being_updated_waits() {
    let mut inventory = managed();
    inventory.node_groups[0].status = Some("UPDATING".to_owned());
    let plan = plan(&inventory, rollout());
    assert_eq!(step(&plan, "lt-user/1").blocked, None);
    let (why, unless) = block(&plan, "workers");
    assert_eq!(
        (why, unless),
        ("the node group is UPDATING, and EKS updates one that is ACTIVE: plan again when it is", None)
    );
}

#[test]
fn a_group_that_names_a_number_is_refreshed_from_that_number_to_the_new_one() {
    let plan = plan(&own(VersionRef::Number(1)), rollout());
    assert_eq!(words(&plan), ["create_template_version/lt-own/1", "refresh_instances/own"]);
    let refresh = step(&plan, "own");
    let Action::RefreshInstances { repoint, .. } = &refresh.action else { panic!("{refresh:?}") };
    let to = NamedVersion::Number(VersionChoice::MadeBy(step(&plan, "lt-own/1").id.clone()));
    let from = NamedVersion::Number(VersionChoice::Existing(1));
    assert_eq!(*repoint, [Repoint { template: "lt-own".into(), from, to }]);
    assert_eq!(refresh.findings.len(), 2);
}

#[test]
fn a_group_whose_nodes_are_right_is_only_pointed_at_the_version() {
    let mut inventory = own(VersionRef::Number(1));
    inventory.instances[0].metadata = actual(REQUIRED, 2);
    let plan = plan(&inventory, rollout());
    assert_eq!(words(&plan), ["create_template_version/lt-own/1", "update_auto_scaling_group/own"]);
}

#[test]
fn a_group_that_does_not_drain_is_pointed_at_the_version_and_not_refreshed() {
    let inventory = own(VersionRef::Number(1));
    let readings = Readings { termination_hooks: BTreeMap::new(), ..calm(&inventory) };
    let policies = [al2023_policy()];
    let plan = plan_by(&policies, &inventory, &readings, rollout());
    assert_eq!(
        words(&plan),
        ["create_template_version/lt-own/1", "update_auto_scaling_group/own", "refresh_instances/own"]
    );
    assert_eq!(step(&plan, "update_auto_scaling_group/own").blocked, None);
    assert_eq!(block(&plan, "refresh_instances/own").1, Some("--accept-no-drain"));
    let accepted = Choices { accept_no_drain: true, ..rollout() };
    let plan = plan_by(&policies, &inventory, &readings, accepted);
    assert!(plan.steps.iter().all(|step| step.blocked.is_none()));
}

#[test]
fn a_group_whose_image_is_a_parameter_is_not_refreshed() {
    let mut inventory = own(VersionRef::Number(1));
    let parameter =
        "/aws/service/eks/optimized-ami/1.33/amazon-linux-2023/x86_64/standard/recommended/image_id";
    let image = ImageRef::Parameter(parameter.to_owned());
    template(&mut inventory, "lt-own", &[options(Some(REQUIRED), Some(1))], &image);
    let plan = plan(&inventory, rollout());
    let (why, unless) = block(&plan, "refresh_instances/own");
    assert!(why.contains("an instance refresh cannot take itself back then"), "{why}");
    assert_eq!(unless, None);
}

#[test]
fn what_follows_the_latest_version_is_patched_only_with_a_rollout() {
    let inventory = own(VersionRef::Latest);
    let held = plan(&inventory, Choices::default());
    assert_eq!(
        block(&held, "lt-own/1"),
        ("own launches from $Latest of lt-own-name, and so from the new version at once", Some("--rollout"))
    );
    let plan = plan(&inventory, rollout());
    assert_eq!(
        words(&plan),
        [
            "hold_auto_scaling_group/own",
            "create_template_version/lt-own/1",
            "refresh_instances/own",
            "release_auto_scaling_group/own",
        ]
    );
    // Held before there is a new version, so that the refresh can take itself back; and given back in the end.
    assert_eq!(step(&plan, "lt-own/1").after, [step(&plan, "hold_auto_scaling_group/own").id.clone()]);
    let Action::UpdateAutoScalingGroup { repoint, .. } =
        &step(&plan, "release_auto_scaling_group/own").action
    else {
        panic!()
    };
    assert_eq!(repoint[0].to, NamedVersion::Latest);
    assert_eq!(
        repoint[0].from,
        NamedVersion::Number(VersionChoice::MadeBy(step(&plan, "lt-own/1").id.clone()))
    );
}

#[test]
fn what_follows_the_default_needs_the_default_to_move() {
    let inventory = own(VersionRef::Default);
    let without = plan(&inventory, rollout());
    assert_eq!(words(&without), ["create_template_version/lt-own/1"]);
    assert_eq!(
        skips(&without)[0].1,
        "the new version is made, and nothing launches from it yet: give --set-default"
    );
    let with = plan(&inventory, Choices { set_default: true, ..rollout() });
    assert_eq!(
        words(&with),
        [
            "hold_auto_scaling_group/own",
            "create_template_version/lt-own/1",
            "set_default_version/lt-own",
            "refresh_instances/own",
            "release_auto_scaling_group/own",
        ]
    );
}

/// Version 2 gives more hops than anybody asks for, so that a group that takes a new version gets one of its own.
#[test]
fn a_version_that_nothing_uses_is_not_made_beside_one_that_sets_the_same() {
    let mut inventory = own(VersionRef::Default);
    template(&mut inventory, "lt-own", &[options(Some(OPTIONAL), Some(2))], &al2023());
    add_version(&mut inventory, "lt-own", options(Some(REQUIRED), Some(3)));
    let without = plan(&inventory, rollout());
    assert!(without.steps.is_empty(), "{without:#?}");
    assert_eq!(
        skips(&without)[0].1,
        "version 2 of lt-own-name sets it already, and nothing launches from it yet: give --set-default"
    );
    let with = plan(&inventory, Choices { set_default: true, ..rollout() });
    assert_eq!(made(&with), [(1, options(Some(REQUIRED), Some(2)))]);
}

#[test]
fn overrides_with_templates_of_their_own_are_each_patched() {
    let mut inventory = inventory();
    for id in ["lt-base", "lt-arm", "lt-good"] {
        let hops = if id == "lt-good" { 2 } else { 1 };
        template(&mut inventory, id, &[options(Some(REQUIRED), Some(hops))], &al2023());
    }
    let one = |template: Option<&str>| LaunchOverride {
        instance_type: Some("m6i.large".to_owned()),
        template: template.map(|id| reference(id, VersionRef::Number(1))),
        image: None,
    };
    let base = reference("lt-base", VersionRef::Number(1));
    let overrides = vec![one(None), one(Some("lt-arm")), one(Some("lt-good"))];
    group(&mut inventory, "mixed", GroupLaunch::Mixed { base: base.clone(), overrides });
    let both = plan(&inventory, rollout());
    assert_eq!(
        words(&both),
        [
            "create_template_version/lt-arm/1",
            "create_template_version/lt-base/1",
            "update_auto_scaling_group/mixed",
        ]
    );
    let Action::UpdateAutoScalingGroup { repoint, .. } = &step(&both, "mixed").action else { panic!() };
    let templates: Vec<_> = repoint.iter().map(|one| one.template.as_str()).collect();
    assert_eq!(templates, ["lt-base", "lt-arm"]);
    // A base that every override replaces launches nothing.
    let overrides = vec![one(Some("lt-arm"))];
    inventory.auto_scaling_groups[0].launch = GroupLaunch::Mixed { base, overrides };
    assert_eq!(words(&plan(&inventory, rollout()))[0], "create_template_version/lt-arm/1");
    assert_eq!(made(&plan(&inventory, rollout())).len(), 1);
}

#[test]
fn a_version_named_in_two_ways_is_not_held_for_a_refresh() {
    let mut inventory = own(VersionRef::Latest);
    let one = LaunchOverride {
        instance_type: None,
        template: Some(reference("lt-own", VersionRef::Number(1))),
        image: None,
    };
    let two = LaunchOverride { template: None, ..one.clone() };
    inventory.auto_scaling_groups[0].launch =
        GroupLaunch::Mixed { base: reference("lt-own", VersionRef::Latest), overrides: vec![one, two] };
    let plan = plan(&inventory, rollout());
    assert!(block(&plan, "refresh_instances/own").0.contains("in two ways"));
    assert_eq!(step(&plan, "update_auto_scaling_group/own").blocked, None);
}

#[test]
fn an_exempt_group_that_follows_the_latest_version_is_not_changed_silently() {
    let policy = policy_of(
        "  rules:\n    - { id: hops, option: http_put_response_hop_limit, at_least: 2, severity: high }\n  \
         exemptions:\n    - { id: quiet, match: { tags: { team: quiet } }, reason: pods have roles of their own }\n",
    );
    let mut inventory = own(VersionRef::Latest);
    group(&mut inventory, "quiet", GroupLaunch::Template(reference("lt-own", VersionRef::Latest)));
    inventory.auto_scaling_groups[1].tags =
        tags(&[("kubernetes.io/cluster/blue", "owned"), ("team", "quiet")]);
    let plan = plan_by(&[policy], &inventory, &calm(&inventory), rollout());
    let (why, unless) = block(&plan, "lt-own/1");
    assert_eq!(
        why,
        "quiet follows it too, and exemption own/quiet keeps its http_put_response_hop_limit as it is: let it name a \
         version by its number first"
    );
    assert_eq!(unless, None);
    assert!(block(&plan, "refresh_instances/own").0.starts_with("it waits for a step that is blocked"));
}

#[test]
fn a_group_that_nothing_is_asked_of_is_not_changed_by_what_it_follows() {
    let mut inventory = own(VersionRef::Number(1));
    group(&mut inventory, "web", GroupLaunch::Template(reference("lt-own", VersionRef::Default)));
    inventory.auto_scaling_groups[1].tags = crate::model::Tags::new();
    let plan = plan(&inventory, Choices { set_default: true, ..rollout() });
    assert_eq!(step(&plan, "lt-own/1").blocked, None);
    assert_eq!(step(&plan, "refresh_instances/own").blocked, None);
    assert!(block(&plan, "set_default_version/lt-own").0.starts_with("web follows it too, and nothing"));
}

#[test]
fn an_exempt_group_does_not_take_a_version_that_changes_what_is_exempt() {
    let policy = policy_of(
        "  rules:\n    - { id: hops, option: http_put_response_hop_limit, at_least: 2, severity: high }\n    \
         - { id: tokens, option: http_tokens, equals: required, severity: high }\n  \
         exemptions:\n    - { id: later, rules: [tokens], match: { tags: { team: quiet } }, reason: later }\n",
    );
    let mut inventory = inventory();
    template(&mut inventory, "lt-user", &[options(Some(OPTIONAL), Some(1))], &al2023());
    for name in ["loud", "quiet"] {
        let copy = format!("lt-copy-{name}");
        template(&mut inventory, &copy, &[options(Some(OPTIONAL), Some(1))], &al2023());
        node_group(&mut inventory, name, &copy, Some(reference("lt-user", VersionRef::Number(1))));
        inventory.node_groups.last_mut().unwrap().tags = tags(&[("team", name)]);
    }
    let plan = plan_by(&[policy], &inventory, &calm(&inventory), rollout());
    assert_eq!(step(&plan, "update_node_group/blue/loud").blocked, None);
    assert_eq!(
        block(&plan, "update_node_group/blue/quiet").0,
        "the new version serves others too, and exemption own/later keeps its http_tokens as it is: give it a version \
         of its own"
    );
}

#[test]
fn what_is_not_certain_of_a_group_is_not_changed_by_what_it_follows() {
    let mut inventory = own(VersionRef::Number(1));
    let one = LaunchOverride { instance_type: None, template: None, image: Some(MYSTERY_IMAGE.into()) };
    let base = reference("lt-own", VersionRef::Latest);
    group(&mut inventory, "golden", GroupLaunch::Mixed { base, overrides: vec![one] });
    let plan = plan(&inventory, rollout());
    assert!(
        block(&plan, "lt-own/1").0.starts_with("golden follows it too, and nothing that is planned asks")
    );
}

#[test]
fn a_source_that_is_not_the_latest_is_refused_where_somebody_follows() {
    let mut inventory = own(VersionRef::Number(1));
    add_version(&mut inventory, "lt-own", options(Some(REQUIRED), Some(3)));
    group(&mut inventory, "ahead", GroupLaunch::Template(reference("lt-own", VersionRef::Latest)));
    let plan = plan(&inventory, rollout());
    let (why, unless) = block(&plan, "lt-own/1");
    assert!(why.contains("would take back what those up to 2 changed"), "{why}");
    assert_eq!(unless, None);
}

#[test]
fn tokens_do_not_become_required_under_callers_without() {
    let mut inventory = managed();
    for id in ["lt-user", "lt-copy"] {
        template(&mut inventory, id, &[options(Some(OPTIONAL), Some(2))], &al2023());
    }
    inventory.instances[0].metadata = actual(OPTIONAL, 2);
    let policies = [al2023_policy()];
    let mut readings = calm(&inventory);
    let open = plan_by(&policies, &inventory, &readings, rollout());
    assert_eq!(step(&open, "workers").blocked, None);
    assert_eq!(step(&open, "workers").token_use.as_ref().unwrap().instances, 1);

    readings.token_use.insert("i-1".into(), Read::Known(TokenUse { without_token: 7, rejected: 0 }));
    let shut = plan_by(&policies, &inventory, &readings, rollout());
    assert_eq!(
        step(&shut, "lt-user/1").blocked,
        None,
        "a version that nothing launches from yet harms nobody"
    );
    assert_eq!(block(&shut, "workers").1, Some("--accept-imdsv1-callers"));
    assert_eq!(step(&shut, "workers").token_use.as_ref().unwrap().callers, [("i-1".to_owned(), 7)]);

    readings.token_use.clear();
    let silent = plan_by(&policies, &inventory, &readings, rollout());
    assert!(block(&silent, "workers").0.contains("CloudWatch does not tell whether 1 of 1 instance"));
    let accepted = Choices { accept_imdsv1_callers: true, ..rollout() };
    let plan = plan_by(&policies, &inventory, &readings, accepted);
    assert_eq!(step(&plan, "workers").blocked, None);
    assert_eq!(step(&plan, "workers").token_use.as_ref().unwrap().unknown, 1);
}

#[test]
fn calls_that_are_refused_already_are_shown_where_only_the_hop_limit_changes() {
    let inventory = managed();
    let mut readings = calm(&inventory);
    readings.token_use.insert("i-1".into(), Read::Known(TokenUse { without_token: 0, rejected: 40 }));
    let plan = plan_by(&[al2023_policy()], &inventory, &readings, rollout());
    assert_eq!(step(&plan, "workers").blocked, None);
    assert_eq!(step(&plan, "workers").token_use.as_ref().unwrap().rejected, 40);
}

#[test]
fn a_group_whose_template_is_gone_or_belongs_to_eks_is_left_alone() {
    let mut inventory = own(VersionRef::Number(9));
    let lost = plan(&inventory, everything());
    assert!(lost.steps.iter().all(|step| matches!(step.action, Action::ModifyInstance { .. })), "{lost:#?}");
    inventory = own(VersionRef::Number(1));
    inventory.launch_templates.get_mut(&"lt-own".into()).unwrap().tags = tags(&[("eks:nodegroup-name", "x")]);
    let plan = plan(&inventory, rollout());
    assert!(plan.steps.is_empty(), "{plan:#?}");
    assert!(skips(&plan).iter().any(|(_, why)| why.contains("which EKS or Karpenter owns")), "{plan:#?}");
}

#[test]
fn what_is_asked_of_nodes_alone_is_mended_where_it_belongs_all_the_same() {
    let policy = policy_of(
        "  rules:\n    - { id: hops, option: http_put_response_hop_limit, at_least: 2, severity: high, \
         applies_to: [instance] }\n",
    );
    let inventory = managed();
    let plan = plan_by(&[policy], &inventory, &calm(&inventory), rollout());
    assert_eq!(words(&plan), ["create_template_version/lt-user/1", "update_node_group/blue/workers"]);
    assert_eq!(step(&plan, "workers").findings.len(), 1);
}

#[test]
fn the_strictest_of_several_policies_makes_one_patch() {
    let three = policy_of(
        "  rules:\n    - { id: hops, option: http_put_response_hop_limit, at_least: 3, severity: low }\n",
    );
    let inventory = managed();
    let plan = plan_by(&[al2023_policy(), three], &inventory, &calm(&inventory), rollout());
    assert_eq!(made(&plan), [(1, options(Some(REQUIRED), Some(3)))]);
    assert_eq!(step(&plan, "workers").findings.len(), 4);
}

#[test]
fn rules_that_meet_on_one_version_and_cannot_both_be_served_change_nothing() {
    let spec = |cluster: &str, rule: &str| {
        format!(
            "  match: {{ cluster: {cluster} }}\n  rules:\n    - {{ id: r, option: http_tokens, equals: {rule}, severity: low }}\n"
        )
    };
    let mut blue = policy_of(&spec("blue", "required"));
    let mut green = policy_of(&spec("green", "optional"));
    (blue.name, green.name) = ("blue".to_owned(), "green".to_owned());
    let mut inventory = inventory();
    template(&mut inventory, "lt-user", &[options(None, None)], &ImageRef::Id(AL2_IMAGE.into()));
    for (cluster, name) in [("blue", "a"), ("green", "b")] {
        let tokens = if cluster == "blue" { OPTIONAL } else { REQUIRED };
        let copy = format!("lt-copy-{name}");
        template(&mut inventory, &copy, &[options(Some(tokens), Some(2))], &al2023());
        node_group(&mut inventory, name, &copy, Some(reference("lt-user", VersionRef::Number(1))));
        inventory.node_groups.last_mut().unwrap().cluster = cluster.to_owned();
    }
    let plan = plan_by(&[blue, green], &inventory, &calm(&inventory), rollout());
    assert!(plan.steps.is_empty(), "{plan:#?}");
    assert!(
        skips(&plan)[0].1.starts_with("rules blue/r and green/r ask for different values of http_tokens")
    );
    assert_eq!(skips(&plan).len(), 2);
}

#[test]
fn a_hop_limit_above_what_is_asked_is_left_to_a_person() {
    let hardened = [shipped("hardened").unwrap().unwrap()];
    let mut inventory = managed();
    for id in ["lt-user", "lt-copy"] {
        template(&mut inventory, id, &[options(Some(REQUIRED), Some(3))], &al2023());
    }
    inventory.instances[0].metadata = actual(REQUIRED, 3);
    let plan = plan_by(&hardened, &inventory, &calm(&inventory), everything());
    assert!(plan.steps.is_empty(), "{plan:#?}");
    assert_eq!(plan.manual.len(), 1);
    assert_eq!(plan.manual[0].why, "a hop limit is never lowered automatically");
    assert_eq!(plan.manual[0].findings.len(), 2, "the group's and the node's");
    let text = &plan.manual[0].snippet.as_ref().unwrap().text;
    assert!(text.contains(r#""HttpPutResponseHopLimit":1"#), "{text}");
    // And one that is higher than asked for is fine as it is.
    let fine = plan_by(&[al2023_policy()], &inventory, &calm(&inventory), everything());
    assert!(fine.steps.is_empty());
}
