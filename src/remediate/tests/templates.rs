//! Templates by themselves, those that a tool owns, and the account's defaults.

use super::*;
use crate::finding::FixKind;
use crate::model::{AccountDefaults, FleetLaunch, GroupLaunch, VersionRef};
use crate::plan::{DefaultsSeen, Snippet};

fn imdsv2() -> [Policy; 1] {
    [shipped("imdsv2").unwrap().unwrap()]
}

fn set_default() -> Choices {
    Choices { set_default: true, ..Choices::default() }
}

/// An account whose defaults are right, with a template of these versions; the first is the default.
fn templates(versions: &[OptionValue]) -> Inventory {
    let mut inventory = inventory();
    let versions: Vec<_> = versions.iter().map(|tokens| options(Some(*tokens), None)).collect();
    template(&mut inventory, "lt-1", &versions, &al2023());
    inventory.launch_templates.get_mut(&"lt-1".into()).unwrap().default_version = 1;
    inventory.account_defaults = Read::Known(AccountDefaults {
        metadata: options(Some(REQUIRED), None),
        ..AccountDefaults::default()
    });
    inventory
}

#[test]
fn a_default_that_is_wrong_is_patched_and_moves_where_that_is_asked_for() {
    let inventory = templates(&[OPTIONAL]);
    let readings = calm(&inventory);
    let plan = plan_by(&imdsv2(), &inventory, &readings, set_default());
    assert_eq!(words(&plan), ["create_template_version/lt-1/1", "set_default_version/lt-1"]);
    assert_eq!(step(&plan, "set_default_version/lt-1").findings.len(), 1);
    let plan = plan_by(&imdsv2(), &inventory, &readings, Choices::default());
    assert_eq!(words(&plan), ["create_template_version/lt-1/1"]);
    assert!(skips(&plan)[0].1.ends_with("give --set-default"));
}

#[test]
fn the_latest_version_is_patched_last_so_that_the_new_one_is_the_latest() {
    let inventory = templates(&[OPTIONAL, OPTIONAL]);
    let plan = plan_by(&imdsv2(), &inventory, &calm(&inventory), set_default());
    assert_eq!(
        words(&plan),
        ["create_template_version/lt-1/1", "create_template_version/lt-1/2", "set_default_version/lt-1"]
    );
    assert_eq!(step(&plan, "lt-1/2").after, [step(&plan, "lt-1/1").id.clone()]);
}

#[test]
fn only_the_latest_version_is_patched_where_the_default_is_right() {
    let inventory = templates(&[REQUIRED, OPTIONAL]);
    let plan = plan_by(&imdsv2(), &inventory, &calm(&inventory), Choices::default());
    assert_eq!(words(&plan), ["create_template_version/lt-1/2"]);
    assert_eq!(step(&plan, "lt-1/2").findings.len(), 1);
}

#[test]
fn what_a_version_leaves_unset_stays_unset_and_what_it_sets_stays_set() {
    let mut inventory = templates(&[OPTIONAL]);
    let version = inventory.launch_templates.get_mut(&"lt-1".into()).unwrap().versions.get_mut(&1).unwrap();
    version.metadata.instance_metadata_tags = Some(OptionValue::Enabled);
    version.metadata.http_protocol_ipv6 = Some(OptionValue::Enabled);
    let before = version.metadata;
    let plan = plan_by(&imdsv2(), &inventory, &calm(&inventory), Choices::default());
    assert_eq!(made(&plan), [(1, MetadataOptions { http_tokens: Some(REQUIRED), ..before })]);
    let Action::CreateTemplateVersion { client_token, description, seen, .. } = &plan.steps[0].action else {
        panic!()
    };
    assert_eq!((client_token.len(), seen.source_metadata), (64, before));
    assert_eq!(description, "imdsctl: version 1 with HttpTokens required");
}

#[test]
fn the_source_of_a_template_that_a_tool_owns_is_shown_and_nothing_is_written() {
    let cases = [
        (
            ("aws:cloudformation:stack-name", "nodes"),
            "AWS::EC2::LaunchTemplate lt-1-name in CloudFormation stack nodes",
            "    HttpTokens: required\n",
        ),
        (
            ("alpha.eksctl.io/cluster-name", "blue"),
            "the node group of launch template lt-1-name in the ClusterConfig of eksctl cluster blue",
            "disableIMDSv1: true\n",
        ),
        (
            ("managed-by", "terraform"),
            "aws_launch_template lt-1-name in Terraform",
            "  http_tokens                 = \"required\"\n",
        ),
        (
            ("made-with", "pulumi"),
            "launch template lt-1-name, in what is tagged made-with=pulumi",
            "  HttpTokens: required\n",
        ),
    ];
    for (tag, place, line) in cases {
        let mut inventory = templates(&[OPTIONAL]);
        inventory.launch_templates.get_mut(&"lt-1".into()).unwrap().tags = tags(&[tag]);
        let choices = Choices { iac_tags: vec!["made-with=pulumi".to_owned()], ..everything() };
        let left = Choices { include_iac: false, ..choices.clone() };
        let plan = plan_by(&imdsv2(), &inventory, &calm(&inventory), left);
        assert!(plan.steps.is_empty() && plan.skipped.is_empty(), "{plan:#?}");
        assert_eq!((plan.manual[0].kind, plan.manual[0].target.as_deref()), (FixKind::EditIac, Some("lt-1")));
        let Snippet { place: shown, text, .. } = plan.manual[0].snippet.as_ref().unwrap();
        assert_eq!(shown, place);
        assert!(text.contains(line), "{text}");
        let plan = plan_by(&imdsv2(), &inventory, &calm(&inventory), choices);
        assert_eq!(words(&plan), ["create_template_version/lt-1/1", "set_default_version/lt-1"]);
        assert!(plan.risks.iter().any(|risk| risk.contains("will show the new version as drift")));
    }
}

#[test]
fn fleets_that_follow_a_template_are_named_and_so_is_that_they_could_not_be_read() {
    let inventory = templates(&[OPTIONAL]);
    let fleet =
        |id: &str, version| FleetLaunch { id: id.to_owned(), templates: vec![reference("lt-1", version)] };
    let fleets = vec![fleet("fleet-1", VersionRef::Latest), fleet("sfr-1", VersionRef::Number(1))];
    let readings = Readings { fleets: Read::Known(fleets), ..calm(&inventory) };
    let held = plan_by(&imdsv2(), &inventory, &readings, Choices::default());
    assert_eq!(
        block(&held, "lt-1/1"),
        (
            "fleet-1 launches from $Latest of lt-1-name, and so from the new version at once",
            Some("--rollout")
        )
    );
    let plan = plan_by(&imdsv2(), &inventory, &readings, rollout());
    assert_eq!(step(&plan, "lt-1/1").blocked, None);
    assert_eq!(
        plan.risks,
        [
            "fleet-1 launches from $Latest of lt-1-name, and so from the new version at once",
            "sfr-1 launches from version 1 of lt-1-name and stays there: change the fleet by hand",
        ]
    );
    let readings = Readings { fleets: Read::Failed, ..readings };
    let plan = plan_by(&imdsv2(), &inventory, &readings, Choices::default());
    assert!(plan.risks[0].starts_with("EC2 Fleets and Spot Fleets could not be read"));
}

#[test]
fn a_quota_that_is_near_is_told() {
    let mut inventory = templates(&[OPTIONAL]);
    let template = inventory.launch_templates.get_mut(&"lt-1".into()).unwrap();
    let mut version = template.versions.remove(&1).unwrap();
    version.number = 9_950;
    template.versions.insert(9_950, version);
    (template.default_version, template.latest_version) = (9_950, 9_950);
    let plan = plan_by(&imdsv2(), &inventory, &calm(&inventory), Choices::default());
    assert!(plan.risks[0].contains("EC2 keeps at most 10000"), "{plan:#?}");
}

#[test]
fn the_accounts_defaults_change_only_where_that_is_asked_for() {
    let mut inventory = templates(&[REQUIRED]);
    inventory.account_defaults = Read::Known(AccountDefaults::default());
    group(&mut inventory, "own", GroupLaunch::Template(reference("lt-2", VersionRef::Latest)));
    template(&mut inventory, "lt-2", &[options(None, None)], &al2023());
    let readings = calm(&inventory);
    let without = plan_by(&imdsv2(), &inventory, &readings, Choices::default());
    assert!(without.steps.is_empty());
    assert!(skips(&without)[0].1.starts_with("give --account-defaults"));
    let asked = Choices { account_defaults: true, ..Choices::default() };
    let plan = plan_by(&imdsv2(), &inventory, &readings, asked.clone());
    let Action::ModifyAccountDefaults { seen, metadata } = &plan.steps[0].action else { panic!() };
    assert_eq!(*seen, DefaultsSeen::default());
    assert_eq!(*metadata, options(Some(REQUIRED), None));
    // A declarative policy is another's.
    inventory.account_defaults = Read::Known(AccountDefaults {
        managed_by_policy: true,
        exception_message: Some("ask the platform team".to_owned()),
        ..AccountDefaults::default()
    });
    let plan = plan_by(&imdsv2(), &inventory, &readings, asked);
    assert!(plan.steps.is_empty());
    assert!(plan.manual[0].why.ends_with("holds the account's defaults: ask the platform team"));
    let text = &plan.manual[0].snippet.as_ref().unwrap().text;
    assert!(text.contains(r#""http_tokens": { "@@assign": "required" }"#), "{text}");
    assert!(serde_json::from_str::<serde_json::Value>(text).is_ok());
}
