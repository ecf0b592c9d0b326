//! An AWS in memory: one account in one Region, which can be cut off, fail or lose its answers anywhere.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use tokio::sync::Notify;

use crate::apply::{Cloud, Comparable, Version};
use crate::aws::{
    CallError, Created, ErrorKind, GroupInstance, GroupNow, InstanceNow, NewVersion, NodeGroupNow,
    NodeGroupUpdate, Operation, Refresh, RefreshNow, Repointed, TemplateNow, UpdateNow, VersionUse,
};
use crate::model::{
    AccountDefaults, GroupLaunch, InstanceId, InstanceState, MetadataOptions, OptionName, Tags, TemplateId,
    TemplateRef, VersionRef,
};

/// What a version sets besides its options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(pub String);

impl Comparable for Text {
    fn differences(&self, other: &Self) -> Vec<String> {
        if self == other { Vec::new() } else { vec!["user_data".to_owned()] }
    }
}

/// All there is. Two are equal if nobody could tell them apart but by the ids of instances.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub templates: BTreeMap<TemplateId, Template>,
    pub node_groups: BTreeMap<String, NodeGroup>,
    pub groups: BTreeMap<String, GroupLaunch>,
    pub instances: BTreeMap<InstanceId, MetadataOptions>,
    pub defaults: AccountDefaults,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    pub default: i64,
    pub versions: BTreeMap<i64, Made>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    pub metadata: MetadataOptions,
    pub description: Option<String>,
    pub rest: Text,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NodeGroup {
    pub template: TemplateId,
    pub version: i64,
    pub status: String,
}

/// What happens to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The machine stops before it arrives.
    CutOffBefore,
    /// The machine stops before the answer arrives.
    CutOffAfter,
    /// It is done, and the answer gets lost.
    AnswerLost,
    /// It is not done, and nobody says so.
    RequestLost,
    /// It is not allowed.
    Denied,
}

#[derive(Debug, Default)]
pub struct World {
    pub state: RefCell<State>,
    /// Every change that was done.
    pub done: RefCell<Vec<String>>,
    /// What happens to the change of this number, from 1.
    pub fate: Cell<Option<(usize, Fate)>>,
    /// What EC2 adds to versions of its own accord.
    pub meddling: RefCell<Option<String>>,
    /// Whether updates and refreshes fail.
    pub rollouts_fail: Cell<bool>,
    /// What nodes get instead of what their version says.
    pub nodes_get: Cell<Option<MetadataOptions>>,
    /// The most updates that went on at once.
    pub most_at_once: Cell<usize>,
    sent: Cell<usize>,
    tokens: RefCell<BTreeMap<String, i64>>,
    rollouts: RefCell<BTreeMap<String, Rollout>>,
    next_instance: Cell<u32>,
    off: Notify,
}

/// An update or a refresh.
#[derive(Clone, Debug)]
struct Rollout {
    of: String,
    version: Option<i64>,
    launch: GroupLaunch,
    before: GroupLaunch,
    looks: u32,
    status: &'static str,
}

const OPERATION: Operation = Operation { service: "ec2", name: "InMemory" };

fn error(kind: ErrorKind, code: &str) -> CallError {
    CallError { operation: OPERATION, kind, code: code.to_owned(), message: format!("{code} in memory") }
}

fn not_found() -> CallError {
    error(ErrorKind::NotFound, "NotFound")
}

impl World {
    /// Completes when the machine is cut off.
    pub async fn cut_off(&self) {
        self.off.notified().await;
    }

    /// It is on again.
    pub fn on(&self) {
        self.sent.set(0);
        self.fate.set(None);
    }

    /// Makes a change, unless fate has it otherwise.
    async fn change<T>(&self, what: String, effect: impl FnOnce(&mut State) -> T) -> Result<T, CallError> {
        self.sent.set(self.sent.get() + 1);
        let fate = self.fate.get().filter(|(at, _)| *at == self.sent.get()).map(|(_, fate)| fate);
        match fate {
            Some(Fate::CutOffBefore) => {
                self.off.notify_one();
                std::future::pending::<()>().await;
            }
            Some(Fate::Denied) => return Err(error(ErrorKind::AccessDenied, "UnauthorizedOperation")),
            Some(Fate::RequestLost) => return Err(error(ErrorKind::Unreachable, "Unreachable")),
            Some(Fate::CutOffAfter | Fate::AnswerLost) | None => {}
        }
        self.done.borrow_mut().push(what);
        let made = effect(&mut self.state.borrow_mut());
        match fate {
            Some(Fate::CutOffAfter) => {
                self.off.notify_one();
                std::future::pending::<()>().await;
                Ok(made)
            }
            Some(Fate::AnswerLost) => Err(error(ErrorKind::Timeout, "Timeout")),
            _ => Ok(made),
        }
    }

    /// The instances of a group, by what its launch says, are what is left of `owner` in the fleet.
    pub fn launch(&self, owner: &str, metadata: MetadataOptions) {
        let number = self.next_instance.get();
        self.next_instance.set(number + 1);
        self.state.borrow_mut().instances.insert(format!("{owner}/{number:04}").as_str().into(), metadata);
    }

    fn of(&self, owner: &str) -> Vec<InstanceId> {
        let prefix = format!("{owner}/");
        let state = self.state.borrow();
        state.instances.keys().filter(|id| id.as_str().starts_with(&prefix)).cloned().collect()
    }

    fn options(&self, template: &TemplateId, version: VersionRef) -> MetadataOptions {
        let state = self.state.borrow();
        let template = &state.templates[template];
        let number = match version {
            VersionRef::Number(number) => number,
            VersionRef::Latest => *template.versions.keys().last().unwrap(),
            VersionRef::Default => template.default,
        };
        template.versions[&number].metadata
    }

    fn replace(&self, owner: &str, metadata: MetadataOptions) {
        for old in self.of(owner) {
            self.state.borrow_mut().instances.remove(&old);
            self.launch(owner, self.nodes_get.get().unwrap_or(metadata));
        }
    }

    fn start(&self, id: &str, rollout: Rollout) {
        let mut rollouts = self.rollouts.borrow_mut();
        rollouts.insert(id.to_owned(), rollout);
        let going = rollouts.values().filter(|one| one.status == "InProgress").count();
        self.most_at_once.set(self.most_at_once.get().max(going));
    }

    /// Looking at it is what makes it go on.
    fn look_at(&self, id: &str) -> Option<Rollout> {
        let mut rollout = self.rollouts.borrow().get(id).cloned()?;
        rollout.looks += 1;
        if rollout.status == "InProgress" && rollout.looks >= 3 {
            rollout.status = if self.rollouts_fail.get() { "Failed" } else { "Successful" };
            self.finish(&mut rollout);
        }
        self.rollouts.borrow_mut().insert(id.to_owned(), rollout.clone());
        Some(rollout)
    }

    fn finish(&self, rollout: &mut Rollout) {
        let node_group = self.state.borrow().node_groups.get(&rollout.of).cloned();
        let failed = rollout.status == "Failed";
        if let Some(mut group) = node_group {
            group.status = "ACTIVE".to_owned();
            if !failed {
                group.version = rollout.version.unwrap();
                self.replace(&rollout.of, self.options(&group.template, VersionRef::Number(group.version)));
            }
            self.state.borrow_mut().node_groups.insert(rollout.of.clone(), group);
            return;
        }
        if failed {
            rollout.status = "RollbackSuccessful";
            self.state.borrow_mut().groups.insert(rollout.of.clone(), rollout.before.clone());
            return;
        }
        self.state.borrow_mut().groups.insert(rollout.of.clone(), rollout.launch.clone());
        let reference = rollout.launch.references()[0];
        self.replace(&rollout.of, self.options(reference.id.as_ref().unwrap(), reference.version));
    }
}

fn repointed(launch: &GroupLaunch, changes: &[Repointed]) -> GroupLaunch {
    launch.with_versions(|reference| {
        let change = changes
            .iter()
            .find(|one| reference.id.as_ref() == Some(&one.template) && reference.version == one.from);
        change.map_or(reference.version, |one| one.to)
    })
}

fn version(number: i64, made: &Made) -> Version<Text> {
    Version {
        number,
        metadata: made.metadata,
        description: made.description.clone(),
        rest: made.rest.clone(),
    }
}

impl Cloud for World {
    type Rest = Text;

    async fn template(&self, id: &TemplateId) -> Result<TemplateNow, CallError> {
        let state = self.state.borrow();
        let template = state.templates.get(id).ok_or_else(not_found)?;
        Ok(TemplateNow {
            name: "web".to_owned(),
            default_version: template.default,
            latest_version: *template.versions.keys().last().unwrap(),
            tags: Tags::default(),
        })
    }

    async fn version(&self, id: &TemplateId, number: i64) -> Result<Version<Text>, CallError> {
        let state = self.state.borrow();
        let template = state.templates.get(id).ok_or_else(not_found)?;
        template.versions.get(&number).map(|made| version(number, made)).ok_or_else(not_found)
    }

    async fn versions_since(&self, id: &TemplateId, number: i64) -> Result<Vec<Version<Text>>, CallError> {
        let state = self.state.borrow();
        let template = state.templates.get(id).ok_or_else(not_found)?;
        Ok(template.versions.range(number + 1..).map(|(number, made)| version(*number, made)).collect())
    }

    async fn uses_of(&self, id: &TemplateId, number: i64) -> Result<Vec<VersionUse>, CallError> {
        let state = self.state.borrow();
        let template = &state.templates[id];
        let latest = *template.versions.keys().last().unwrap();
        let mut uses = Vec::new();
        for (name, launch) in &state.groups {
            for reference in launch.references() {
                let meant = match reference.version {
                    VersionRef::Number(number) => number,
                    VersionRef::Latest => latest,
                    VersionRef::Default => template.default,
                };
                if reference.id.as_ref() == Some(id) && meant == number {
                    uses.push(VersionUse {
                        user: format!("Auto Scaling group {name}"),
                        by: reference.version,
                    });
                }
            }
        }
        for (name, group) in &state.node_groups {
            if group.template == *id && group.version == number {
                let by = VersionRef::Number(number);
                uses.push(VersionUse { user: format!("node group {name}"), by });
            }
        }
        Ok(uses)
    }

    async fn node_group(&self, cluster: &str, name: &str) -> Result<NodeGroupNow, CallError> {
        let name = format!("{cluster}/{name}");
        let state = self.state.borrow();
        let group = state.node_groups.get(&name).ok_or_else(not_found)?;
        let (id, version) = (Some(group.template.clone()), VersionRef::Number(group.version));
        Ok(NodeGroupNow {
            status: group.status.clone(),
            template: Some(TemplateRef { id, name: None, version }),
            version: Some("1.33".to_owned()),
            release_version: Some("1.33.0-1".to_owned()),
            ami_type: Some("AL2023_x86_64_STANDARD".to_owned()),
            issues: Vec::new(),
            auto_scaling_groups: vec![name],
        })
    }

    async fn update(&self, _: &str, _: &str, id: &str) -> Result<UpdateNow, CallError> {
        let rollout = self.look_at(id).ok_or_else(not_found)?;
        let failed = rollout.status == "Failed";
        let errors = if failed { vec!["PodEvictionFailure: no".to_owned()] } else { Vec::new() };
        let (status, kind) = (rollout.status.to_owned(), "VersionUpdate".to_owned());
        let template_version = rollout.version;
        Ok(UpdateNow { id: id.to_owned(), status, kind, template_version, errors, created_at: None })
    }

    async fn updates(&self, cluster: &str, node_group: &str) -> Result<Vec<UpdateNow>, CallError> {
        let name = format!("{cluster}/{node_group}");
        let rollouts = self.rollouts.borrow().clone();
        let mut updates = Vec::new();
        for id in rollouts.iter().filter(|(_, one)| one.of == name).map(|(id, _)| id) {
            updates.push(self.update(cluster, node_group, id).await?);
        }
        Ok(updates)
    }

    async fn group(&self, name: &str) -> Result<GroupNow, CallError> {
        let launch = self.state.borrow().groups.get(name).cloned();
        let template = launch.as_ref().map(|launch| launch.references()[0].clone());
        let instances = self.of(name).into_iter().map(|id| GroupInstance {
            id,
            lifecycle: "InService".to_owned(),
            healthy: true,
            template: template.clone(),
        });
        let instances: Vec<_> = instances.collect();
        if launch.is_none() && !self.state.borrow().node_groups.contains_key(name) {
            return Err(not_found());
        }
        let desired = i32::try_from(instances.len()).unwrap();
        let launch = launch.unwrap_or(GroupLaunch::Unknown);
        Ok(GroupNow { launch, instances, desired, tags: Tags::default() })
    }

    async fn refreshes(&self, group: &str) -> Result<Vec<RefreshNow>, CallError> {
        let ids: Vec<String> = self
            .rollouts
            .borrow()
            .iter()
            .filter(|(_, one)| one.of == group)
            .map(|(id, _)| id.clone())
            .collect();
        let refresh = |id: String| {
            let rollout = self.look_at(&id).unwrap();
            let reason =
                (rollout.status == "RollbackSuccessful").then(|| "an instance was unhealthy".to_owned());
            let (status, percentage) = (rollout.status.to_owned(), 50);
            RefreshNow { id, status, percentage, reason, desired: rollout.launch, started_at: None }
        };
        Ok(ids.into_iter().map(refresh).collect())
    }

    async fn instance(&self, id: &InstanceId) -> Result<Option<InstanceNow>, CallError> {
        let metadata = self.state.borrow().instances.get(id).copied();
        Ok(metadata.map(|metadata| InstanceNow {
            state: InstanceState::Running,
            metadata,
            applied: true,
            operator: None,
            tags: Tags::default(),
        }))
    }

    async fn defaults(&self) -> Result<AccountDefaults, CallError> {
        Ok(self.state.borrow().defaults.clone())
    }

    async fn create_version(&self, new: &NewVersion) -> Result<Created, CallError> {
        if let Some(number) = self.tokens.borrow().get(&new.client_token) {
            return Ok(Created { number: *number, warnings: Vec::new() });
        }
        let what = format!("create a version of {} from {}", new.template, new.source);
        let meddling = self.meddling.borrow().clone();
        let number = self.change(what, |state| {
            let template = state.templates.get_mut(&new.template).unwrap();
            let number = template.versions.keys().last().unwrap() + 1;
            let rest = meddling.map_or_else(|| template.versions[&new.source].rest.clone(), Text);
            let description = Some(new.description.clone());
            template.versions.insert(number, Made { metadata: new.metadata, description, rest });
            self.tokens.borrow_mut().insert(new.client_token.clone(), number);
            number
        });
        Ok(Created { number: number.await?, warnings: Vec::new() })
    }

    async fn set_default(&self, id: &TemplateId, number: i64) -> Result<(), CallError> {
        self.change(format!("set the default of {id} to {number}"), |state| {
            state.templates.get_mut(id).unwrap().default = number;
        })
        .await
    }

    async fn delete_version(&self, id: &TemplateId, number: i64) -> Result<(), CallError> {
        self.change(format!("delete version {number} of {id}"), |state| {
            state.templates.get_mut(id).unwrap().versions.remove(&number).unwrap();
        })
        .await
    }

    async fn update_node_group(&self, update: &NodeGroupUpdate) -> Result<String, CallError> {
        let name = format!("{}/{}", update.cluster, update.node_group);
        if self.state.borrow().node_groups[&name].status != "ACTIVE" {
            return Err(error(ErrorKind::Busy, "ResourceInUseException"));
        }
        let what = format!("update {name} to version {}", update.version);
        let id = format!("u-{}", self.rollouts.borrow().len());
        self.change(what, |state| {
            let group = state.node_groups.get_mut(&name).unwrap();
            group.status = "UPDATING".to_owned();
            let (launch, before) = (GroupLaunch::Unknown, GroupLaunch::Unknown);
            let version = Some(update.version);
            self.start(
                &id,
                Rollout { of: name.clone(), version, launch, before, looks: 0, status: "InProgress" },
            );
        })
        .await?;
        Ok(id)
    }

    async fn update_group(&self, name: &str, changes: &[Repointed]) -> Result<(), CallError> {
        self.change(format!("update {name}"), |state| {
            let launch = state.groups.get_mut(name).unwrap();
            *launch = repointed(launch, changes);
        })
        .await
    }

    async fn start_refresh(&self, refresh: &Refresh) -> Result<String, CallError> {
        let id = format!("r-{}", self.rollouts.borrow().len());
        let before = self.state.borrow().groups[&refresh.group].clone();
        let launch = repointed(&before, &refresh.repointed);
        assert!(launch.references().iter().all(|one| matches!(one.version, VersionRef::Number(_))));
        self.change(format!("refresh {}", refresh.group), |_| {
            let of = refresh.group.clone();
            self.start(&id, Rollout { of, version: None, launch, before, looks: 0, status: "InProgress" });
        })
        .await?;
        Ok(id)
    }

    async fn modify_instance(&self, id: &InstanceId, metadata: &MetadataOptions) -> Result<(), CallError> {
        self.change(format!("modify {id}"), |state| {
            let options = state.instances.get_mut(id).unwrap();
            *options = options.overlaid(metadata);
        })
        .await
    }

    async fn modify_defaults(
        &self,
        metadata: &MetadataOptions,
        no_preference: &[OptionName],
    ) -> Result<(), CallError> {
        self.change("modify the defaults".to_owned(), |state| {
            let defaults = &mut state.defaults.metadata;
            *defaults = defaults.overlaid(metadata);
            for option in no_preference {
                defaults.set(*option, None);
            }
        })
        .await
    }
}
