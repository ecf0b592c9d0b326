//! What is not a group of the user's: running instances, Karpenter, Auto Mode, and what only a person can do.

use super::*;
use crate::finding::FixKind;
use crate::model::{AccountDefaults, GroupLaunch, LaunchConfiguration, Operator, VersionRef};

use OptionValue::{Disabled, Enabled, Number};

fn live() -> Choices {
    Choices { live: true, ..Choices::default() }
}

fn sent(plan: &ScopePlan) -> MetadataOptions {
    let Action::ModifyInstance { metadata, .. } = &plan.steps[0].action else { panic!("{plan:#?}") };
    *metadata
}

#[test]
fn a_running_instance_is_changed_only_where_that_is_asked_for_and_told_all_that_matters() {
    let mut inventory = inventory();
    instance(&mut inventory, "i-1", AL2023_IMAGE, actual(REQUIRED, 1), &[]);
    let without = plan(&inventory, Choices::default());
    assert!(without.steps.is_empty());
    assert!(skips(&without)[0].1.ends_with("give --live to change it as it runs"));
    let plan = plan(&inventory, live());
    assert_eq!(words(&plan), ["modify_instance/i-1"]);
    let expected = MetadataOptions { http_endpoint: Some(Enabled), ..options(Some(REQUIRED), Some(2)) };
    assert_eq!(sent(&plan), expected);
    assert_eq!(plan.risks, ["what is changed on running instances is lost when they are replaced"]);
}

#[test]
fn a_higher_hop_limit_is_sent_as_it_is() {
    let mut inventory = inventory();
    instance(&mut inventory, "i-1", AL2023_IMAGE, actual(OPTIONAL, 3), &[]);
    let plan = plan(&inventory, live());
    assert_eq!(sent(&plan).http_put_response_hop_limit, Some(Number(3)));
    assert_eq!(sent(&plan).http_tokens, Some(REQUIRED));
    assert_eq!(sent(&plan).instance_metadata_tags, None);
}

#[test]
fn a_disabled_endpoint_stays_disabled() {
    let mut inventory = inventory();
    let off = MetadataOptions { http_endpoint: Some(Disabled), ..actual(OPTIONAL, 1) };
    instance(&mut inventory, "i-1", AL2023_IMAGE, off, &[]);
    let plan = plan(&inventory, everything());
    assert!(plan.steps.is_empty(), "{plan:#?}");
    assert_eq!(
        (plan.manual[0].kind, plan.manual[0].why.as_str()),
        (FixKind::ModifyInstance, "the policy leaves this to a person")
    );
    let text = &plan.manual[0].snippet.as_ref().unwrap().text;
    assert!(text.contains("--http-endpoint enabled"), "{text}");
}

#[test]
fn an_endpoint_that_the_policy_opens_comes_with_all_that_then_holds() {
    let policy = policy_of(
        "  rules:\n    - { id: on, option: http_endpoint, equals: enabled, severity: low }\n    \
         - { id: tokens, option: http_tokens, equals: required, severity: high }\n",
    );
    let mut inventory = inventory();
    let off = MetadataOptions { http_endpoint: Some(Disabled), ..options(Some(OPTIONAL), None) };
    template(&mut inventory, "lt-own", &[off], &al2023());
    group(&mut inventory, "own", GroupLaunch::Template(reference("lt-own", VersionRef::Number(1))));
    let plan = plan_by(&[policy], &inventory, &calm(&inventory), rollout());
    let opened = MetadataOptions { http_endpoint: Some(Enabled), ..options(Some(REQUIRED), None) };
    assert_eq!(made(&plan), [(1, opened)]);
}

#[test]
fn instance_tags_are_never_switched_on() {
    let policy = policy_of(
        "  rules:\n    - { id: t, option: instance_metadata_tags, equals: enabled, severity: low }\n",
    );
    let mut inventory = inventory();
    template(&mut inventory, "lt-own", &[options(None, None)], &al2023());
    group(&mut inventory, "own", GroupLaunch::Template(reference("lt-own", VersionRef::Number(1))));
    instance(&mut inventory, "i-1", AL2023_IMAGE, actual(REQUIRED, 2), &[]);
    let plan = plan_by(&[policy], &inventory, &calm(&inventory), everything());
    assert!(plan.steps.is_empty(), "{plan:#?}");
    assert!(plan.manual.iter().all(|manual| manual.why.starts_with("instance tags are never switched on")));
    assert_eq!(plan.manual.len(), 2);
}

#[test]
fn karpenters_nodes_are_mended_in_their_node_class() {
    let mut inventory = inventory();
    let class = [("karpenter.k8s.aws/ec2nodeclass", "general")];
    instance(&mut inventory, "i-1", AL2023_IMAGE, actual(REQUIRED, 1), &class);
    instance(&mut inventory, "i-2", AL2023_IMAGE, actual(REQUIRED, 1), &class);
    let by_hand = plan(&inventory, rollout());
    assert!(by_hand.steps.is_empty() && by_hand.skipped.is_empty());
    let manual = &by_hand.manual[0];
    assert_eq!(
        (manual.kind, manual.target.as_deref(), manual.findings.len()),
        (FixKind::EditNodeClass, Some("general"), 2)
    );
    let snippet = manual.snippet.as_ref().unwrap();
    assert_eq!(snippet.place, "EC2NodeClass general of cluster blue");
    assert_eq!(
        snippet.text,
        "# kubectl patch ec2nodeclass general --type merge --patch-file FILE\nspec:\n  metadataOptions:\n    \
         httpPutResponseHopLimit: 2\n"
    );
    let live = plan(&inventory, live());
    assert_eq!(words(&live), ["modify_instance/i-1", "modify_instance/i-2"]);
}

#[test]
fn what_a_service_of_aws_manages_is_left_alone() {
    let mut inventory = inventory();
    instance(&mut inventory, "i-1", AL2023_IMAGE, actual(REQUIRED, 1), &[]);
    for principal in ["eks.amazonaws.com", "other.amazonaws.com"] {
        inventory.instances[0].operator = Some(Operator { principal: Some(principal.to_owned()) });
        let policy = policy_of(
            "  rules:\n    - { id: hops, option: http_put_response_hop_limit, at_least: 2, severity: high }\n",
        );
        let plan = plan_by(&[policy], &inventory, &calm(&inventory), everything());
        assert!(plan.steps.is_empty() && plan.manual.is_empty(), "{plan:#?}");
        let why = skips(&plan)[0].1;
        assert!(
            why.contains("EKS Auto Mode requires") || why.contains("other.amazonaws.com manages"),
            "{why}"
        );
    }
}

#[test]
fn a_node_group_without_a_template_and_a_launch_configuration_are_replaced_by_people() {
    let mut inventory = inventory();
    template(&mut inventory, "lt-copy", &[options(Some(REQUIRED), Some(1))], &al2023());
    node_group(&mut inventory, "workers", "lt-copy", None);
    instance(&mut inventory, "i-1", AL2023_IMAGE, actual(REQUIRED, 1), &LAUNCHED_BY_WORKERS);
    group(&mut inventory, "old", GroupLaunch::Configuration("lc-1".to_owned()));
    inventory.launch_configurations.insert(
        "lc-1".to_owned(),
        LaunchConfiguration {
            name: "lc-1".to_owned(),
            arn: None,
            image: Some(AL2023_IMAGE.into()),
            metadata: options(Some(OPTIONAL), Some(2)),
        },
    );
    let plan = plan(&inventory, rollout());
    assert!(plan.steps.is_empty() && plan.skipped.is_empty(), "{plan:#?}");
    let told: Vec<_> = plan
        .manual
        .iter()
        .map(|manual| (manual.kind, manual.target_name.as_deref(), manual.findings.len()))
        .collect();
    assert_eq!(
        told,
        [
            (FixKind::ReplaceNodeGroup, Some("blue/workers"), 2),
            (FixKind::MigrateLaunchConfiguration, None, 1)
        ]
    );
    let text = &plan.manual[1].snippet.as_ref().unwrap().text;
    let data = r#"--launch-template-data '{"MetadataOptions":{"HttpTokens":"required","HttpPutResponseHopLimit":2}}'"#;
    assert!(text.contains(data), "{text}");
}

#[test]
fn an_instance_that_makes_way_is_not_changed_as_well() {
    let mut inventory = inventory();
    template(&mut inventory, "lt-own", &[options(Some(REQUIRED), Some(1))], &al2023());
    group(&mut inventory, "own", GroupLaunch::Template(reference("lt-own", VersionRef::Number(1))));
    member(&mut inventory, "own", "i-1", actual(REQUIRED, 1));
    let replaced = plan(&inventory, Choices { live: true, ..rollout() });
    assert_eq!(words(&replaced), ["create_template_version/lt-own/1", "refresh_instances/own"]);
    // Where the refresh is held back, it is changed as it runs.
    let readings = Readings { termination_hooks: BTreeMap::new(), ..calm(&inventory) };
    let plan = plan_by(&[al2023_policy()], &inventory, &readings, Choices { live: true, ..rollout() });
    assert_eq!(
        words(&plan),
        [
            "create_template_version/lt-own/1",
            "update_auto_scaling_group/own",
            "refresh_instances/own",
            "modify_instance/i-1",
        ]
    );
}

#[test]
fn an_account_that_enforces_tokens_refuses_a_change_that_leaves_them_optional() {
    let policy = policy_of(
        "  rules:\n    - { id: hops, option: http_put_response_hop_limit, at_least: 2, severity: high }\n",
    );
    let mut inventory = inventory();
    instance(&mut inventory, "i-1", AL2023_IMAGE, actual(OPTIONAL, 1), &[]);
    inventory.account_defaults =
        Read::Known(AccountDefaults { tokens_enforced: true, ..AccountDefaults::default() });
    let plan = plan_by(&[policy], &inventory, &calm(&inventory), live());
    assert!(block(&plan, "i-1").0.contains("HttpTokensEnforced"));
}

#[test]
fn what_is_not_certain_is_not_changed() {
    let mut inventory = inventory();
    instance(&mut inventory, "i-1", MYSTERY_IMAGE, actual(OPTIONAL, 1), &[]);
    let plan = plan(&inventory, everything());
    assert!(plan.steps.is_empty() && plan.manual.is_empty());
    assert_eq!(skips(&plan)[0], ("i-1", "what is not certain is never changed automatically"));
}

#[test]
fn what_to_read_is_told_before_anything_is_planned() {
    let mut inventory = inventory();
    template(&mut inventory, "lt-own", &[options(Some(OPTIONAL), Some(1))], &al2023());
    group(&mut inventory, "own", GroupLaunch::Template(reference("lt-own", VersionRef::Latest)));
    member(&mut inventory, "own", "i-1", actual(OPTIONAL, 1));
    instance(&mut inventory, "i-2", AL2023_IMAGE, actual(REQUIRED, 2), &[]);
    let policies = [al2023_policy()];
    let planner = Planner::new(&policies, TODAY, rollout()).unwrap();
    let wants = planner.wants(&inventory);
    assert_eq!(
        (wants.groups, wants.instances, wants.fleets),
        (vec!["own".to_owned()], vec!["i-1".into()], true)
    );
}
