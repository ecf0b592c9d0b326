//! Any fleet, cut off anywhere: what a rollback leaves is what was there before.

use proptest::prelude::*;
use proptest::sample::select;

use super::fleet::{options, plan_of, step};
use super::world::{Fate, Made, NodeGroup, State, Template, Text, World};
use super::*;
use crate::model::{AccountDefaults, GroupLaunch, MetadataOptions, TemplateId, TemplateRef};
use crate::plan::{NamedVersion, NodeGroupSeen, Pin, Repoint, Step, TemplateSeen, VersionChoice};

/// What launches from a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum User {
    NodeGroup,
    Group(By),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Number,
    Latest,
    Default,
}

/// A template: how many versions it has, which is the default, which is patched, and who launches from that.
#[derive(Clone, Debug)]
struct Spec {
    versions: i64,
    default: i64,
    source: i64,
    hops: i32,
    set_default: bool,
    users: Vec<User>,
}

#[derive(Clone, Debug)]
struct Case {
    templates: Vec<Spec>,
    instances: usize,
    defaults: bool,
    fate: Option<(usize, Fate)>,
}

fn specs() -> impl Strategy<Value = Spec> {
    let users = select(vec![
        User::NodeGroup,
        User::NodeGroup,
        User::Group(By::Number),
        User::Group(By::Latest),
        User::Group(By::Default),
    ]);
    let users = proptest::collection::vec(users, 0..4);
    (1_i64..4, 0_i64..4, 0_i64..4, 1_i32..3, any::<bool>(), users).prop_map(
        |(versions, default, source, hops, set_default, mut users)| {
            let (default, source) = (default % versions + 1, source % versions + 1);
            users.retain(|user| match user {
                User::Group(By::Latest) => source == versions,
                User::Group(By::Default) => source == default,
                _ => true,
            });
            let follows = users.contains(&User::Group(By::Default));
            let set_default = source == default && (set_default || follows);
            Spec { versions, default, source, hops, set_default, users }
        },
    )
}

fn cases() -> impl Strategy<Value = Case> {
    let fates = vec![Fate::CutOffBefore, Fate::CutOffAfter, Fate::Denied, Fate::AnswerLost];
    let fate = proptest::option::of((1_usize..30, select(fates)));
    (proptest::collection::vec(specs(), 0..4), 0_usize..3, any::<bool>(), fate)
        .prop_map(|(templates, instances, defaults, fate)| Case { templates, instances, defaults, fate })
}

const LATER: MetadataOptions = MetadataOptions {
    http_tokens: Some(OptionValue::Required),
    http_put_response_hop_limit: Some(OptionValue::Number(2)),
    http_endpoint: Some(OptionValue::Enabled),
    http_protocol_ipv6: None,
    instance_metadata_tags: None,
};

fn id(template: usize) -> TemplateId {
    format!("lt-{template}").as_str().into()
}

fn launch(template: usize, spec: &Spec, by: By) -> GroupLaunch {
    let version = match by {
        By::Number => VersionRef::Number(spec.source),
        By::Latest => VersionRef::Latest,
        By::Default => VersionRef::Default,
    };
    GroupLaunch::Template(TemplateRef { id: Some(id(template)), name: None, version })
}

impl Case {
    fn world(&self) -> World {
        let mut state = State::default();
        let mut nodes = Vec::new();
        for (at, spec) in self.templates.iter().enumerate() {
            let made = |number: i64| Made {
                metadata: options("optional", spec.hops),
                description: None,
                rest: Text(format!("user data {at} {number}")),
            };
            let versions = (1..=spec.versions).map(|number| (number, made(number)));
            state.templates.insert(id(at), Template { default: spec.default, versions: versions.collect() });
            for (place, user) in spec.users.iter().enumerate() {
                let owner = match user {
                    User::NodeGroup => {
                        let (template, version) = (id(at), spec.source);
                        let group = NodeGroup { template, version, status: "ACTIVE".to_owned() };
                        let name = format!("cluster-{at}/{place}");
                        state.node_groups.insert(name.clone(), group);
                        name
                    }
                    User::Group(by) => {
                        let name = format!("group-{at}-{place}");
                        state.groups.insert(name.clone(), launch(at, spec, *by));
                        name
                    }
                };
                nodes.push((owner, options("optional", spec.hops)));
            }
        }
        nodes.extend((0..self.instances).map(|_| ("alone".to_owned(), options("optional", 1))));
        let world = World::default();
        world.state.replace(state);
        for (owner, metadata) in &nodes {
            world.launch(owner, *metadata);
        }
        world
    }

    fn plan(&self, world: &World) -> Plan {
        let mut steps = Vec::new();
        for (at, spec) in self.templates.iter().enumerate() {
            of_template(at, spec, &mut steps);
        }
        let alone = world
            .state
            .borrow()
            .instances
            .keys()
            .filter(|id| id.as_str().starts_with("alone/"))
            .cloned()
            .collect::<Vec<_>>();
        for instance in alone {
            let name = format!("live {instance}");
            let (seen, metadata) = (options("optional", 1), LATER);
            steps.push(step(&name, &[], Action::ModifyInstance { instance, seen, metadata }));
        }
        if self.defaults {
            let seen = AccountDefaults::default();
            steps.push(step("defaults", &[], Action::ModifyAccountDefaults { seen, metadata: LATER }));
        }
        plan_of(steps)
    }
}

/// In the order of plans: groups are held, a version is made, the default moves, groups follow and are released.
fn of_template(at: usize, spec: &Spec, steps: &mut Vec<Step>) {
    let creation = format!("make {at}");
    let made = || NamedVersion::Number(VersionChoice::MadeBy(StepId(creation.clone())));
    let now = || NamedVersion::Number(VersionChoice::Existing(spec.source));
    let update = |group: &str, by: By, from: NamedVersion, to: NamedVersion| {
        let repoint = vec![Repoint { template: id(at), from, to }];
        let seen = launch(at, spec, by);
        Action::UpdateAutoScalingGroup { group: group.to_owned(), arn: None, seen, repoint }
    };
    let mut waits = Vec::new();
    let (mut rollouts, mut releases) = (Vec::new(), Vec::new());
    for (place, user) in spec.users.iter().enumerate() {
        let name = format!("group-{at}-{place}");
        match user {
            User::NodeGroup => {
                let action = Action::UpdateNodeGroup {
                    cluster: format!("cluster-{at}"),
                    node_group: place.to_string(),
                    arn: format!("arn:aws:eks:eu-west-1:111122223333:nodegroup/cluster-{at}/{place}/1")
                        .as_str()
                        .into(),
                    template: id(at),
                    to: VersionChoice::MadeBy(StepId(creation.clone())),
                    pin: Some(Pin { version: "1.33".to_owned(), release_version: "1.33.0-1".to_owned() }),
                    seen: NodeGroupSeen { version: spec.source, status: "ACTIVE".to_owned() },
                    force: false,
                };
                rollouts.push((format!("nodes {at} {place}"), action, None));
            }
            User::Group(by) => {
                let named = match by {
                    By::Number => None,
                    By::Latest => Some(NamedVersion::Latest),
                    By::Default => Some(NamedVersion::Default),
                };
                let hold = named.clone().map(|named| {
                    let hold = format!("hold {at} {place}");
                    waits.push(hold.clone());
                    steps.push(step(&hold, &[], update(&name, *by, named, now())));
                    hold
                });
                let refresh = Action::RefreshInstances {
                    group: name.clone(),
                    arn: None,
                    seen: launch(at, spec, *by),
                    repoint: vec![Repoint { template: id(at), from: now(), to: made() }],
                    min_healthy_percentage: 90,
                };
                let refreshed = format!("refresh {at} {place}");
                rollouts.push((refreshed.clone(), refresh, hold));
                if let Some(named) = named {
                    let release = update(&name, *by, made(), named);
                    releases.push(step(&format!("release {at} {place}"), &[&refreshed], release));
                }
            }
        }
    }
    let create = Action::CreateTemplateVersion {
        template: id(at),
        name: format!("template-{at}"),
        source: spec.source,
        metadata: LATER,
        seen: TemplateSeen {
            latest: spec.versions,
            default: spec.default,
            source_metadata: options("optional", spec.hops),
        },
        client_token: format!("token {at}"),
        may_create: true,
        description: "by imdsctl".to_owned(),
    };
    let after: Vec<&str> = waits.iter().map(String::as_str).collect();
    steps.push(step(&creation, &after, create));
    if spec.set_default {
        let to = VersionChoice::MadeBy(StepId(creation.clone()));
        let (template, name) = (id(at), format!("template-{at}"));
        let default = Action::SetDefaultVersion { template, name, from: spec.default, to };
        steps.push(step(&format!("default {at}"), &[&creation], default));
    }
    for (name, action, hold) in rollouts {
        let after: Vec<&str> = std::iter::once(creation.as_str()).chain(hold.as_deref()).collect();
        steps.push(step(&name, &after, action));
    }
    steps.extend(releases);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rolled_back_any_fleet_is_as_it_was(case in cases()) {
        let world = case.world();
        let plan = case.plan(&world);
        let mut bench = Bench::of(world);
        let before = bench.state();
        bench.world().fate.set(case.fate);
        let applied = bench.begin(&plan, OPTIONS);
        if case.fate.is_none() {
            let applied = applied.unwrap();
            prop_assert_eq!(applied.ending, Ending::Finished, "{:?}", applied.why);
            let wrong = bench.state().instances.values().filter(|has| **has != LATER).count();
            prop_assert_eq!(wrong, 0, "every instance here launches from what was patched, or was changed itself");
        }
        let applied = bench.roll_back().unwrap();
        prop_assert_eq!(applied.ending, Ending::Finished, "{:?}", applied.why);
        prop_assert_eq!(leveled(&bench.state()), leveled(&before));
    }
}
