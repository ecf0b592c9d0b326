//! A small fleet, and the plan that mends it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::world::{Made, NodeGroup, State, Template, Text, World};
use crate::model::{
    AccountDefaults, CoverageStatus, GroupLaunch, MetadataOptions, OptionName, OptionValue, Scope,
    TemplateId, TemplateRef, VersionRef,
};
use crate::plan::{
    Action, Choices, NamedVersion, NodeGroupSeen, Pin, Plan, Repoint, SCHEMA, ScopePlan, Step, StepId,
    TemplateSeen, VersionChoice,
};

pub fn scope() -> Scope {
    Scope {
        partition: "aws".into(),
        account_id: "111122223333".into(),
        account_name: None,
        region: "eu-west-1".into(),
    }
}

pub fn options(tokens: &str, hops: i32) -> MetadataOptions {
    let mut options = MetadataOptions::default();
    options.set(OptionName::HttpTokens, Some(OptionValue::from_word(tokens)));
    options.set(OptionName::HttpPutResponseHopLimit, Some(OptionValue::Number(hops)));
    options.set(OptionName::HttpEndpoint, Some(OptionValue::Enabled));
    options
}

/// A template of three versions with a node group and an Auto Scaling group, an instance by itself, and a node group
/// of another template that nothing is wrong with.
pub fn fleet() -> World {
    let versions = |count: i64| {
        let made = |number: i64| Made {
            metadata: options("optional", 1),
            description: None,
            rest: Text(format!("user data {number}")),
        };
        (1..=count).map(|number| (number, made(number))).collect::<BTreeMap<_, _>>()
    };
    let template = |count| Template { default: 1, versions: versions(count) };
    let node_group = |template: &str, version| NodeGroup {
        template: template.into(),
        version,
        status: "ACTIVE".to_owned(),
    };
    let state = State {
        templates: BTreeMap::from([("lt-1".into(), template(3)), ("lt-2".into(), template(1))]),
        node_groups: BTreeMap::from([
            ("blue/apps".to_owned(), node_group("lt-1", 2)),
            ("green/apps".to_owned(), node_group("lt-2", 1)),
        ]),
        groups: BTreeMap::from([("web".to_owned(), launch())]),
        ..State::default()
    };
    let world = World::default();
    world.state.replace(state);
    for owner in ["alone", "blue/apps", "blue/apps", "web", "web"] {
        world.launch(owner, options("optional", 1));
    }
    world
}

fn launch() -> GroupLaunch {
    let id: Option<TemplateId> = Some("lt-1".into());
    GroupLaunch::Template(TemplateRef { id, name: Some("web".to_owned()), version: VersionRef::Latest })
}

pub fn step(id: &str, after: &[&str], action: Action) -> Step {
    let after = after.iter().map(|id| StepId((*id).to_owned())).collect();
    Step { after, ..Step::new(StepId(id.to_owned()), action) }
}

fn update(from: NamedVersion, to: NamedVersion) -> Action {
    let repoint = vec![Repoint { template: "lt-1".into(), from, to }];
    Action::UpdateAutoScalingGroup { group: "web".to_owned(), arn: None, seen: launch(), repoint }
}

fn nodes(to: VersionChoice) -> Action {
    Action::UpdateNodeGroup {
        cluster: "blue".to_owned(),
        node_group: "apps".to_owned(),
        arn: "arn:aws:eks:eu-west-1:111122223333:nodegroup/blue/apps/1".into(),
        template: "lt-1".into(),
        to,
        pin: Some(Pin { version: "1.33".to_owned(), release_version: "1.33.0-1".to_owned() }),
        seen: NodeGroupSeen { version: 2, status: "ACTIVE".to_owned() },
        force: false,
    }
}

/// The node group takes a version that is there.
pub fn existing() -> Step {
    step("existing", &[], nodes(VersionChoice::Existing(3)))
}

pub fn plan() -> Plan {
    let made = || VersionChoice::MadeBy(StepId("make".to_owned()));
    let three = || NamedVersion::Number(VersionChoice::Existing(3));
    let create = Action::CreateTemplateVersion {
        template: "lt-1".into(),
        name: "web".to_owned(),
        source: 3,
        metadata: options("required", 2),
        seen: TemplateSeen { latest: 3, default: 1, source_metadata: options("optional", 1) },
        client_token: "token".to_owned(),
        may_create: true,
        description: "by imdsctl".to_owned(),
    };
    let (template, name) = (TemplateId::from("lt-1"), "web".to_owned());
    let default = Action::SetDefaultVersion { template, name, from: 1, to: made() };
    let refresh = Action::RefreshInstances {
        group: "web".to_owned(),
        arn: None,
        seen: launch(),
        repoint: vec![Repoint { template: "lt-1".into(), from: three(), to: NamedVersion::Number(made()) }],
        min_healthy_percentage: 90,
    };
    let instance = Action::ModifyInstance {
        instance: "alone/0000".into(),
        seen: options("optional", 1),
        metadata: options("required", 2),
    };
    let defaults =
        Action::ModifyAccountDefaults { seen: AccountDefaults::default(), metadata: options("required", 2) };
    let steps = vec![
        step("hold", &[], update(NamedVersion::Latest, three())),
        step("make", &["hold"], create),
        step("default", &["make"], default),
        step("nodes", &["make"], nodes(made())),
        step("refresh", &["make", "hold"], refresh),
        step("again", &["refresh"], update(NamedVersion::Number(made()), NamedVersion::Latest)),
        step("instance", &[], instance),
        step("defaults", &[], defaults),
    ];
    plan_of(steps)
}

/// A plan of these steps.
pub fn plan_of(steps: Vec<Step>) -> Plan {
    let part = ScopePlan {
        scope: scope(),
        coverage: CoverageStatus::Complete,
        steps,
        manual: Vec::new(),
        skipped: Vec::new(),
        risks: Vec::new(),
    };
    Plan {
        schema: SCHEMA.to_owned(),
        tool: "imdsctl".to_owned(),
        version: "0.1.0".to_owned(),
        made_at: Timestamp::UNIX_EPOCH,
        choices: Choices::default(),
        policies: Vec::new(),
        scopes: vec![part],
    }
}
