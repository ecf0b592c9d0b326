//! Reading policies, and judging by them.

use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::{Evaluator, Judged, Policy, SHIPPED, parse, shipped};
use crate::finding::{Finding, Fix, FixKind, ManagedBy, ResourceType, Source, Status};
use crate::model::{
    AccountDefaults, GroupLaunch, ImageRef, Inventory, LaunchConfiguration, LaunchOverride, Operator,
    OptionValue, Read, VersionRef,
};
use crate::testing::*;

use FixKind::{
    EditNodeClass, MigrateLaunchConfiguration, ModifyInstance, PatchLaunchTemplate, RefreshInstances,
    ReplaceNodeGroup, UpdateNodeGroup,
};
use OptionValue::{Disabled, Number, Optional, Required};

const TODAY: Date = date(2026, 11, 22);

fn al2023_policy() -> Policy {
    shipped("al2023").unwrap().unwrap()
}

/// A policy of one rule about the hop limit, and whatever stands after it.
fn policy(more: &str) -> Policy {
    let text = format!(
        "apiVersion: imdsctl/v1\nkind: Policy\nmetadata: {{ name: own, version: \"1\" }}\nspec:\n{more}\n  rules:\n    \
         - {{ id: hops, option: http_put_response_hop_limit, at_least: 2, severity: high }}\n"
    );
    parse("own.yaml", &text).unwrap_or_else(|error| panic!("{error}"))
}

fn judge(policy: &Policy, inventory: &Inventory) -> Vec<Finding> {
    Evaluator::new(std::slice::from_ref(policy), TODAY).judge(inventory, true).findings
}

fn find<'a>(findings: &'a [Finding], id: &str, rule: &str) -> &'a Finding {
    let mut found = findings.iter().filter(|finding| finding.resource.id == id && finding.rule == rule);
    let finding = found.next().unwrap_or_else(|| panic!("nothing on {id} and {rule}"));
    assert!(found.next().is_none(), "{id} and {rule} are judged twice");
    finding
}

fn kinds(fixes: &[Fix]) -> Vec<(FixKind, Option<&str>, bool)> {
    fixes.iter().map(|fix| (fix.kind, fix.target.as_deref(), fix.automatic)).collect()
}

#[test]
fn the_shipped_policies_are_valid_and_bear_their_names() {
    for (name, _) in SHIPPED {
        let policy = shipped(name).unwrap().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(policy.name, *name);
        assert!(policy.rules.iter().all(|rule| rule.rationale.is_some()), "{name} says why");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let head = "apiVersion: imdsctl/v1\nkind: Policy\nmetadata: { name: own, version: \"1\" }\n";
    for (body, expected) in [
        ("spec: { rules: [] }", "own.yaml:4:16: a policy needs at least one rule"),
        (
            "spec:\n  rules:\n    - { id: a, option: http_tokens, equals: required, severity: hihg }",
            "own.yaml:6:65: unknown variant `hihg`, expected one of critical, high, medium, low, info",
        ),
        (
            "spec:\n  rules:\n    - { id: a, option: http_tokens, equals: 2, severity: high }",
            "own.yaml:6:45: http_tokens is never 2: it is optional or required",
        ),
        (
            "spec:\n  rules:\n    - { id: a, option: http_tokens, at_least: 2, severity: high }",
            "own.yaml:6:47: http_tokens is not a number; use equals",
        ),
        (
            "spec:\n  rules:\n    - { id: a, option: http_put_response_hop_limit, at_least: 65, severity: high }",
            "own.yaml:6:63: a hop limit is 1 to 64, not 65",
        ),
        (
            "spec:\n  rules:\n    - { id: a, option: http_tokens, severity: high }",
            "own.yaml:6:13: rule \"a\" needs exactly one of equals, at_least and at_most",
        ),
        (
            "spec:\n  rules:\n    - { id: A b, option: http_tokens, equals: required, severity: high }",
            "own.yaml:6:13: a rule's id is 1 to 64 lower-case letters, digits and hyphens, not \"A b\"",
        ),
        (
            "spec:\n  rules:\n    - { id: a, option: http_tokens, equals: required, severity: high }\n  \
             exemptions:\n    - { id: x, rules: [b], reason: because, expires: 2027-02-30 }",
            "own.yaml:8:24: the policy has no rule \"b\"; it has a\n\
             own.yaml:8:54: expires is a day such as 2027-03-31, not \"2027-02-30\"",
        ),
        (
            "spec:\n  match: { cluster: \"blue[\" }\n  rules:\n    \
             - { id: a, option: http_tokens, equals: required, severity: high }",
            "own.yaml:5:21: \"blue[\" is not a glob: unclosed character class; missing ']'",
        ),
    ] {
        let error = parse("own.yaml", &format!("{head}{body}")).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn unknown_keys_and_broken_yaml_have_a_place_too() {
    let error = |text: &str| parse("own.yaml", text).map(|_| ()).unwrap_err().to_string();
    let misspelt = error("apiVersion: imdsctl/v1\nkind: Policy\nmetadata: { name: own, versoin: \"1\" }\n");
    assert!(misspelt.starts_with("own.yaml:3:24: ") && misspelt.contains("versoin"), "{misspelt}");
    let broken = error("apiVersion: [\n");
    assert!(broken.starts_with("own.yaml:"), "{broken}");
    assert!(error("").starts_with("own.yaml:"));
}

#[test]
fn a_group_is_as_good_as_the_worst_it_launches_from() {
    let mut inventory = inventory();
    template(&mut inventory, "lt-good", &[options(Some(Required), Some(2))], &al2023());
    template(&mut inventory, "lt-bad", &[options(Some(Required), Some(1))], &al2023());
    let with = |id| LaunchOverride {
        instance_type: None,
        template: Some(reference(id, VersionRef::Number(1))),
        image: None,
    };
    let launch = GroupLaunch::Mixed {
        base: reference("lt-good", VersionRef::Number(1)),
        overrides: vec![with("lt-good"), with("lt-bad")],
    };
    group(&mut inventory, "own", launch);
    let findings = judge(&al2023_policy(), &inventory);
    let hops = find(&findings, "own", "hop-limit-min");
    assert_eq!(
        (hops.status, hops.actual, hops.source),
        (Status::Fail, Some(Number(1)), Some(Source::LaunchTemplate))
    );
    let templates: Vec<_> =
        hops.templates.iter().map(|t| (t.id.as_ref().unwrap().as_str(), t.actual)).collect();
    assert_eq!(templates, [("lt-bad", Some(Number(1))), ("lt-good", Some(Number(2)))]);
    assert_eq!(
        kinds(&hops.fixes),
        [(PatchLaunchTemplate, Some("lt-bad"), true), (FixKind::UpdateAutoScalingGroup, Some("own"), true),]
    );
    assert_eq!(find(&findings, "own", "tokens-required").status, Status::Pass);
}

#[test]
fn without_a_metadata_service_only_its_absence_is_judged() {
    let mut inventory = inventory();
    let mut closed = actual(Optional, 1);
    closed.http_endpoint = Some(Disabled);
    instance(&mut inventory, "i-1", AL2023_IMAGE, closed, &[]);
    let findings = judge(&al2023_policy(), &inventory);
    assert_eq!(find(&findings, "i-1", "tokens-required").status, Status::NotApplicable);
    assert_eq!(find(&findings, "i-1", "hop-limit-min").status, Status::NotApplicable);
    let endpoint = find(&findings, "i-1", "endpoint-enabled");
    assert_eq!(endpoint.status, Status::Fail);
    assert!(endpoint.fixes.iter().all(|fix| !fix.automatic), "opening an endpoint is a person's decision");
}

#[test]
fn what_no_policy_is_for_is_not_judged() {
    let mut inventory = inventory();
    instance(&mut inventory, "i-al2", AL2_IMAGE, actual(Optional, 1), &[]);
    assert!(judge(&al2023_policy(), &inventory).is_empty());
}

#[test]
fn of_an_unknown_family_nothing_is_said_to_fail_or_changed() {
    let mut inventory = inventory();
    instance(&mut inventory, "i-1", MYSTERY_IMAGE, actual(Required, 1), &[]);
    let findings = judge(&al2023_policy(), &inventory);
    assert_eq!(find(&findings, "i-1", "tokens-required").status, Status::Pass);
    let hops = find(&findings, "i-1", "hop-limit-min");
    assert_eq!((hops.status, hops.actual), (Status::Unknown, Some(Number(1))));
    assert!(hops.fixes.iter().all(|fix| !fix.automatic));
    assert!(hops.notes.iter().any(|note| note.contains("family")));
}

#[test]
fn account_defaults_that_could_not_be_read_leave_unset_options_unknown() {
    let mut inventory = inventory();
    inventory.account_defaults = Read::Failed;
    template(&mut inventory, "lt-1", &[options(Some(Required), None)], &al2023());
    group(&mut inventory, "own", GroupLaunch::Template(reference("lt-1", VersionRef::Latest)));
    let findings = judge(&al2023_policy(), &inventory);
    let hops = find(&findings, "own", "hop-limit-min");
    assert_eq!((hops.status, hops.actual, hops.source), (Status::Unknown, None, Some(Source::Unresolved)));
    assert_eq!(find(&findings, "own", "tokens-required").status, Status::Pass);
}

#[test]
fn the_owner_of_the_setting_decides_the_remedy() {
    let mut inventory = inventory();
    let bad = options(Some(Required), Some(1));
    for id in ["lt-user", "lt-copy", "lt-default-copy", "lt-own", "lt-k"] {
        template(&mut inventory, id, &[bad], &al2023());
    }
    let karpenters = inventory.launch_templates.get_mut(&"lt-k".into()).unwrap();
    karpenters.name = "karpenter.k8s.aws/1".to_owned();
    karpenters.tags = tags(&[("karpenter.k8s.aws/ec2nodeclass", "general")]);
    node_group(&mut inventory, "apps", "lt-copy", Some(reference("lt-user", VersionRef::Number(1))));
    node_group(&mut inventory, "plain", "lt-default-copy", None);
    group(&mut inventory, "own", GroupLaunch::Template(reference("lt-own", VersionRef::Latest)));
    group(&mut inventory, "old", GroupLaunch::Configuration("lc-1".to_owned()));
    let configuration = LaunchConfiguration {
        name: "lc-1".to_owned(),
        arn: None,
        image: Some(AL2023_IMAGE.into()),
        metadata: bad,
    };
    inventory.launch_configurations.insert("lc-1".to_owned(), configuration);
    for (id, more) in [
        ("i-apps", ("eks:nodegroup-name", "apps")),
        ("i-own", ("aws:autoscaling:groupName", "own")),
        ("i-k", ("karpenter.k8s.aws/ec2nodeclass", "general")),
        ("i-alone", ("Name", "alone")),
        ("i-ecs", ("Name", "a service's")),
    ] {
        instance(&mut inventory, id, AL2023_IMAGE, actual(Required, 1), &[more]);
    }
    let service = Operator { principal: Some("ecs.amazonaws.com".to_owned()) };
    inventory.instances.last_mut().unwrap().operator = Some(service);

    let findings = judge(&al2023_policy(), &inventory);
    let fixes = |id| {
        kinds(&find(&findings, id, "hop-limit-min").fixes)
            .into_iter()
            .map(|(k, t, _)| (k, t))
            .collect::<Vec<_>>()
    };
    let apps = "arn:aws:eks:eu-west-1:111122223333:nodegroup/blue/apps/1";
    let plain = "arn:aws:eks:eu-west-1:111122223333:nodegroup/blue/plain/1";
    assert_eq!(fixes("blue/apps"), [(PatchLaunchTemplate, Some("lt-user")), (UpdateNodeGroup, Some(apps))]);
    assert_eq!(
        fixes("i-apps"),
        [
            (PatchLaunchTemplate, Some("lt-user")),
            (UpdateNodeGroup, Some(apps)),
            (ModifyInstance, Some("i-apps"))
        ]
    );
    assert_eq!(fixes("blue/plain"), [(ReplaceNodeGroup, Some(plain))]);
    assert_eq!(fixes("own"), [(PatchLaunchTemplate, Some("lt-own")), (RefreshInstances, Some("own"))]);
    assert_eq!(fixes("old"), [(MigrateLaunchConfiguration, Some("lc-1"))]);
    assert_eq!(fixes("lt-k"), [(EditNodeClass, Some("general"))]);
    assert_eq!(fixes("i-k"), [(EditNodeClass, Some("general")), (ModifyInstance, Some("i-k"))]);
    assert_eq!(fixes("i-alone"), [(ModifyInstance, Some("i-alone"))]);
    assert_eq!(fixes("i-ecs"), [(FixKind::None, Some("i-ecs"))]);
    let writes_to_copies = findings.iter().flat_map(|finding| &finding.fixes).any(|fix| {
        matches!(fix.target.as_deref(), Some("lt-copy" | "lt-default-copy" | "lt-k"))
            && fix.kind != EditNodeClass
    });
    assert!(!writes_to_copies, "what EKS and Karpenter own is never written to");
}

#[test]
fn a_template_that_a_tool_owns_is_changed_in_the_tool() {
    let mut inventory = inventory();
    template(&mut inventory, "lt-1", &[options(Some(Required), Some(1))], &al2023());
    inventory.launch_templates.get_mut(&"lt-1".into()).unwrap().tags =
        tags(&[("aws:cloudformation:stack-name", "nodes")]);
    group(&mut inventory, "own", GroupLaunch::Template(reference("lt-1", VersionRef::Number(1))));
    let findings = judge(&al2023_policy(), &inventory);
    let fixes = &find(&findings, "own", "hop-limit-min").fixes;
    assert_eq!((fixes[0].kind, fixes[0].automatic), (FixKind::EditIac, false));
    assert!(fixes[0].note.as_deref().unwrap().contains("CloudFormation stack nodes"));
}

#[test]
fn a_later_version_that_is_right_is_used_instead_of_another_patch() {
    let mut inventory = inventory();
    let (bad, good) = (options(Some(Required), Some(1)), options(Some(Required), Some(2)));
    template(&mut inventory, "lt-1", &[bad, good], &al2023());
    group(&mut inventory, "own", GroupLaunch::Template(reference("lt-1", VersionRef::Number(1))));
    let findings = judge(&al2023_policy(), &inventory);
    let fixes = &find(&findings, "own", "hop-limit-min").fixes;
    assert_eq!(kinds(fixes), [(FixKind::UpdateAutoScalingGroup, Some("own"), true)]);
    assert_eq!(fixes[0].note.as_deref(), Some("to version 2 of lt-1-name"));
}

#[test]
fn lowering_a_hop_limit_is_never_automatic() {
    let mut inventory = inventory();
    instance(&mut inventory, "i-1", AL2023_IMAGE, actual(Required, 2), &[]);
    let hardened = shipped("hardened").unwrap().unwrap();
    let findings = judge(&hardened, &inventory);
    let hops = find(&findings, "i-1", "hop-limit-exact");
    assert_eq!(hops.status, Status::Fail);
    assert!(hops.fixes.iter().all(|fix| !fix.automatic));
    assert_eq!(hops.notes, ["a hop limit is never lowered automatically"]);
}

#[test]
fn templates_and_account_defaults_are_judged_where_a_rule_asks() {
    let mut inventory = inventory();
    template(&mut inventory, "lt-none", &[options(None, None)], &ImageRef::Id(AL2_IMAGE.into()));
    template(
        &mut inventory,
        "lt-mixed",
        &[options(Some(Optional), None), options(Some(Required), None)],
        &al2023(),
    );
    let imdsv2 = shipped("imdsv2").unwrap().unwrap();
    let findings = judge(&imdsv2, &inventory);
    let none = find(&findings, "lt-none", "tokens-required");
    assert_eq!(
        (none.status, none.source),
        (Status::Fail, Some(Source::BuiltIn)),
        "a missing block is no closed door"
    );
    assert_eq!(
        find(&findings, "lt-mixed", "tokens-required").status,
        Status::Pass,
        "its default is its latest"
    );
    let defaults = find(&findings, "eu-west-1", "tokens-required");
    assert_eq!((defaults.resource.r#type, defaults.status), (ResourceType::AccountDefaults, Status::Fail));
    assert_eq!(kinds(&defaults.fixes), [(FixKind::ModifyAccountDefaults, Some("eu-west-1"), true)]);

    let template = inventory.launch_templates.get_mut(&"lt-mixed".into()).unwrap();
    template.default_version = 1;
    let findings = judge(&imdsv2, &inventory);
    let mixed = find(&findings, "lt-mixed", "tokens-required");
    assert_eq!(mixed.status, Status::Fail, "one good version does not make a bad default good");
    assert_eq!(kinds(&mixed.fixes), [(FixKind::SetDefaultVersion, Some("lt-mixed"), true)]);

    let by_policy = AccountDefaults { managed_by_policy: true, ..AccountDefaults::default() };
    inventory.account_defaults = Read::Known(by_policy);
    let findings = judge(&imdsv2, &inventory);
    assert_eq!(find(&findings, "eu-west-1", "tokens-required").fixes[0].kind, FixKind::None);
    assert!(judge(&al2023_policy(), &inventory).is_empty(), "al2023 does not ask for templates");
}

#[test]
fn an_exemption_holds_until_its_last_day_is_over() {
    let mut inventory = inventory();
    instance(&mut inventory, "i-1", AL2023_IMAGE, actual(Required, 1), &[]);
    let policy = policy(
        "  exemptions:\n    - { id: known, match: { cluster: \"bl*\" }, reason: because, owner: team, expires: 2026-11-22 }",
    );
    let on = |today| {
        let evaluator = Evaluator::new(std::slice::from_ref(&policy), today);
        (evaluator.judge(&inventory, false), evaluator.expired())
    };
    let (Judged { findings, tally }, expired) = on(TODAY);
    assert_eq!(findings[0].status, Status::Exempt);
    assert_eq!(findings[0].exemption.as_ref().unwrap().id, "known");
    assert_eq!((tally.exempt, tally.failed), (1, 0));
    assert_eq!((tally.exemptions_used, expired), (["own/known".to_owned()].into(), [].into()));

    let (Judged { findings, tally }, expired) = on(TODAY.tomorrow().unwrap());
    assert_eq!(findings[0].status, Status::Fail);
    assert_eq!((tally.exempt, tally.failed), (0, 1));
    assert_eq!((tally.exemptions_used, expired), ([].into(), ["own/known".to_owned()].into()));
}

#[test]
fn all_exemptions_that_cover_something_count_as_used() {
    let mut inventory = inventory();
    instance(&mut inventory, "i-1", AL2023_IMAGE, actual(Required, 1), &[]);
    let policy = policy(
        "  exemptions:\n    - { id: first, match: { cluster: blue }, reason: because }\n    \
         - { id: second, match: { cluster: blue }, reason: because }\n    \
         - { id: idle, match: { cluster: green }, reason: because }",
    );
    let judged = Evaluator::new(std::slice::from_ref(&policy), TODAY).judge(&inventory, false);
    assert_eq!(judged.findings[0].exemption.as_ref().unwrap().id, "first");
    assert_eq!(judged.tally.exemptions_used, ["own/first", "own/second"].map(str::to_owned).into());
}

#[test]
fn findings_come_in_the_order_of_machine_formats() {
    let mut inventory = inventory();
    for id in ["i-2", "i-1", "i-3"] {
        instance(&mut inventory, id, AL2023_IMAGE, actual(Required, 1), &[]);
    }
    let policies = ["imdsv2", "al2023", "hardened"].map(|name| shipped(name).unwrap().unwrap());
    let findings = Evaluator::new(&policies, TODAY).judge(&inventory, true).findings;
    assert!(findings.len() > 12 && findings.is_sorted_by(|a, b| a.cmp_machine(b).is_lt()));
}

#[test]
fn every_condition_of_a_match_must_hold() {
    let mut inventory = inventory();
    instance(&mut inventory, "i-1", AL2023_IMAGE, actual(Required, 1), &[("team", "data-lake")]);
    for (condition, expected) in [
        ("cluster: blue", 1),
        ("cluster: [green, \"bl?e\"]", 1),
        ("cluster: green", 0),
        ("account: 111122223333", 1),
        ("account: \"4*\"", 0),
        ("region: \"eu-*\"", 1),
        ("managed_by: standalone", 1),
        ("managed_by: [karpenter]", 0),
        ("tags: { team: \"data-*\" }", 1),
        ("tags: { team: \"data-*\", tier: \"*\" }", 0),
        ("family: [al2023, al2]", 1),
        ("family: bottlerocket", 0),
    ] {
        let policy = policy(&format!("  match: {{ {condition} }}"));
        assert_eq!(judge(&policy, &inventory).len(), expected, "{condition}");
    }
}

#[test]
fn ids_are_those_of_the_contract_and_never_change() {
    let mut inventory = inventory();
    instance(&mut inventory, "i-1", AL2023_IMAGE, actual(Required, 1), &[]);
    let findings = judge(&al2023_policy(), &inventory);
    let finding = find(&findings, "i-1", "hop-limit-min");
    let parts = ["aws", "111122223333", "eu-west-1", "instance", "i-1", "al2023", "hop-limit-min"];
    assert_eq!(finding.id, crate::finding::fingerprint(&parts));
    assert_eq!(finding.managed_by, Some(ManagedBy::Standalone));
}

proptest! {
    /// Whatever order AWS answered in, the findings are the same.
    #[test]
    fn the_order_of_an_inventory_does_not_matter(seed in any::<u64>()) {
        let mut original = inventory();
        for id in ["lt-a", "lt-b"] {
            template(&mut original, id, &[options(None, Some(1))], &al2023());
            node_group(&mut original, &format!("group-of-{id}"), id, None);
            group(&mut original, &format!("own-{id}"), GroupLaunch::Template(reference(id, VersionRef::Latest)));
        }
        for number in 0..8 {
            let more = [("aws:autoscaling:groupName", if number % 2 == 0 { "own-lt-a" } else { "own-lt-b" })];
            instance(&mut original, &format!("i-{number}"), AL2023_IMAGE, actual(Required, number % 3), &more);
        }
        let mut shuffled = original.clone();
        rotate(&mut shuffled.instances, seed);
        rotate(&mut shuffled.auto_scaling_groups, seed / 8);
        rotate(&mut shuffled.node_groups, seed / 64);
        prop_assert_eq!(judge(&al2023_policy(), &original), judge(&al2023_policy(), &shuffled));
    }
}

fn rotate<T>(items: &mut [T], by: u64) {
    let by = usize::try_from(by % items.len() as u64).unwrap_or(0);
    items.rotate_left(by);
    if by % 2 == 1 {
        items.reverse();
    }
}

#[test]
fn a_rule_has_the_same_digest_however_its_policy_is_written() {
    let digest = |policy: &Policy| policy.digest(&policy.rules[0]);
    let plain = digest(&policy("  match: { family: [al2023, al2], cluster: [a, b], tags: { k: v } }"));
    for alike in [
        "  match: { cluster: [b, a, a], tags: { k: v }, family: [al2, al2023] } # a comment",
        "  exemptions: [{ id: one, match: { cluster: x }, reason: because }]\n  match: { family: [al2023, al2], cluster: [a, b], tags: { k: v } }",
    ] {
        assert_eq!(digest(&policy(alike)), plain, "{alike}");
    }
    for other in [
        "",
        "  match: { family: [al2023, al2], cluster: [a, b] }",
        "  match: { family: [al2023, al2], cluster: [a, b], tags: { k: w } }",
        "  match: { family: [al2023], cluster: [a, b], tags: { k: v } }",
        "  match: { family: [al2023, al2], cluster: ['a\", \"b'], tags: { k: v } }",
        "  match: { family: [al2023, al2], account: [a, b], tags: { k: v } }",
    ] {
        assert_ne!(digest(&policy(other)), plain, "{other}");
    }
    assert_ne!(
        digest(&policy("  match: { cluster: [] }")),
        digest(&policy("")),
        "no cluster is not any cluster"
    );
    // Reports that were written before are compared with those that are written now: this is for good.
    let shipped = al2023_policy();
    let of = |id: &str| shipped.digest(shipped.rules.iter().find(|rule| rule.id == id).unwrap());
    assert_eq!(of("tokens-required"), "a935cab33ff9d7bc79db9abdc294c97a2a712afeedf77c4cddf8f10a192641be");
}
