//! How plans are shown.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::*;
use crate::finding::{FixKind, Resource, ResourceType};
use crate::model::{GroupLaunch, MetadataOptions, OptionName, OptionValue, TemplateRef, VersionRef};
use crate::plan::{
    Action, Block, Change, Choices, Manual, NamedVersion, NodeGroupSeen, Pin, PolicyServed, Reach, Repoint,
    SCHEMA, Skipped, Snippet, Step, TemplateSeen, TokenUseSum, VersionChoice,
};

fn scope() -> Scope {
    Scope {
        partition: "aws".into(),
        account_id: "111122223333".into(),
        account_name: Some("shop".to_owned()),
        region: "eu-west-1".into(),
    }
}

fn block(tokens: OptionValue, hops: Option<i32>) -> MetadataOptions {
    MetadataOptions {
        http_tokens: Some(tokens),
        http_put_response_hop_limit: hops.map(OptionValue::Number),
        http_endpoint: Some(OptionValue::Enabled),
        ..MetadataOptions::default()
    }
}

fn step(id: &str, action: Action, after: &[&str], findings: &[&str]) -> Step {
    Step {
        after: after.iter().map(|id| StepId((*id).to_owned())).collect(),
        findings: findings.iter().map(|id| (*id).to_owned()).collect(),
        ..Step::new(StepId(id.to_owned()), action)
    }
}

fn create() -> Step {
    let (from, to) = (block(OptionValue::Optional, None), block(OptionValue::Required, Some(2)));
    let action = Action::CreateTemplateVersion {
        template: "lt-0abc".into(),
        name: "workers".to_owned(),
        source: 3,
        metadata: to,
        seen: TemplateSeen { latest: 3, default: 1, source_metadata: from },
        client_token: "token".to_owned(),
        description: "imdsctl: version 3".to_owned(),
        may_create: true,
    };
    step("create", action, &[], &["a", "b", "c", "d"])
}

fn update() -> Step {
    let action = Action::UpdateNodeGroup {
        cluster: "blue".to_owned(),
        node_group: "workers".to_owned(),
        arn: "arn:aws:eks:eu-west-1:111122223333:nodegroup/blue/workers/1".into(),
        template: "lt-0abc".into(),
        to: VersionChoice::MadeBy(StepId("create".to_owned())),
        pin: Some(Pin { version: "1.33".to_owned(), release_version: "1.33.5-20261001".to_owned() }),
        seen: NodeGroupSeen { version: 3, status: "ACTIVE".to_owned() },
        force: false,
    };
    let change = Change {
        option: OptionName::HttpTokens,
        from: Some(OptionValue::Optional),
        to: Some(OptionValue::Required),
    };
    Step {
        changes: vec![change],
        reach: Reach { replaced: 3, changed: 0, clusters: vec!["blue".to_owned()] },
        ..step("update", action, &["create"], &["a", "b"])
    }
}

fn refresh() -> Step {
    let reference = TemplateRef { id: Some("lt-0abc".into()), name: None, version: VersionRef::Number(3) };
    let repoint = Repoint {
        template: "lt-0abc".into(),
        from: NamedVersion::Number(VersionChoice::Existing(3)),
        to: NamedVersion::Number(VersionChoice::MadeBy(StepId("create".to_owned()))),
    };
    let action = Action::RefreshInstances {
        group: "own\u{1b}[31m".to_owned(),
        arn: None,
        seen: GroupLaunch::Template(reference),
        repoint: vec![repoint],
        min_healthy_percentage: 90,
    };
    Step {
        reach: Reach { replaced: 2, changed: 0, clusters: vec!["blue".to_owned()] },
        token_use: Some(TokenUseSum {
            instances: 2,
            unknown: 1,
            without_token: 1200,
            callers: vec![("i-0a".to_owned(), 1200)],
            rejected: 4,
        }),
        blocked: Some(Block {
            why: "tokens would become required, and the metadata service was asked 1200 times without one"
                .to_owned(),
            unless: Some("--accept-imdsv1-callers".to_owned()),
        }),
        ..step("refresh", action, &["create", "update"], &["c", "d"])
    }
}

fn plan() -> Plan {
    let skipped = |id: &str, name: Option<&str>, finding: &str| Skipped {
        resource: Resource {
            r#type: ResourceType::Instance,
            id: id.to_owned(),
            name: name.map(str::to_owned),
            arn: None,
        },
        why: "give --live to change it as it runs".to_owned(),
        findings: vec![finding.to_owned()],
    };
    let manual = Manual {
        kind: FixKind::EditIac,
        target: Some("lt-0def".to_owned()),
        target_name: Some("batch".to_owned()),
        why: "Terraform owns batch, and would undo a change made elsewhere".to_owned(),
        snippet: Some(Snippet {
            place: "aws_launch_template batch in Terraform".to_owned(),
            language: "hcl".to_owned(),
            text: "metadata_options {\n  http_tokens                 = \"required\"\n}\n".to_owned(),
        }),
        findings: vec!["e".to_owned()],
    };
    Plan {
        schema: SCHEMA.to_owned(),
        tool: "imdsctl".to_owned(),
        version: "0.1.0".to_owned(),
        made_at: "2026-11-22T10:00:00Z".parse::<Timestamp>().unwrap(),
        choices: Choices { rollout: true, ..Choices::default() },
        policies: vec![PolicyServed {
            name: "al2023".to_owned(),
            version: "1.0.0".to_owned(),
            sha256: String::new(),
        }],
        scopes: vec![ScopePlan {
            scope: scope(),
            coverage: CoverageStatus::Partial,
            steps: vec![create(), update(), refresh()],
            manual: vec![manual],
            skipped: vec![skipped("i-1", Some("web"), "f"), skipped("i-2", None, "g")],
            risks: vec![
                "not everything could be read here, and what was not seen is not planned for".to_owned(),
            ],
        }],
    }
}

fn shown(view: &PlanView<'_>, style: TableStyle) -> String {
    let mut bytes = Vec::new();
    PlanFormat::Table.write(view, style, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_plan_reads_from_what_changes_to_what_to_type_next() {
    let plan = plan();
    let mut view = PlanView::dry_run(&plan);
    view.rehearsed = BTreeMap::from([
        (StepId("create".to_owned()), Rehearsed::Allowed),
        (StepId("update".to_owned()), Rehearsed::NotTestable),
    ]);
    insta::assert_snapshot!("plan", shown(&view, TableStyle::PIPED));
}

#[test]
fn a_narrow_terminal_keeps_identifiers_and_snippets_whole() {
    let plan = plan();
    let style = TableStyle { width: Some(60), color: false, unicode: false };
    let text = shown(&PlanView { dry_run: false, ..PlanView::dry_run(&plan) }, style);
    assert!(text.is_ascii(), "{text}");
    assert!(text.contains("  http_tokens                 = \"required\"\n"), "{text}");
    assert!(text.contains(r"own\u{1b}[31m"), "{text}");
    assert!(!text.contains("--plan-out"), "{text}");
}

#[test]
fn a_plan_of_nothing_says_so() {
    let plan = Plan { scopes: Vec::new(), ..plan() };
    let text = shown(&PlanView::dry_run(&plan), TableStyle::PIPED);
    assert!(text.ends_with("Nothing to change: what was judged complies.\n"), "{text}");
}

#[test]
fn a_plan_is_read_again_as_it_was_written() {
    let plan = plan();
    let mut bytes = Vec::new();
    PlanFormat::Json.write(&PlanView::dry_run(&plan), TableStyle::PIPED, &mut bytes).unwrap();
    assert!(!bytes.contains(&0x1b));
    assert_eq!(serde_json::from_slice::<Plan>(&bytes).unwrap(), plan);
}
