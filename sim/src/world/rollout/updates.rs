//! Updates of managed node groups: how EKS replaces the nodes of one.
//!
//! An update goes through the phases that the EKS User Guide describes: EKS writes a new version of its own template
//! and points the group at it, launches a few nodes more than there are, replaces the old ones in rounds, and takes
//! the surplus away. An update that fails puts template, group and size back; nodes that it has replaced by then
//! stay.

use serde::{Deserialize, Serialize};

use super::admission::AskedUpdate;
use super::copies::{CopyFor, copy_data};
use super::launching::{Farewell, node_name};
use crate::world::{
    Image, InstanceId, LaunchSource, Launcher, NodeGroup, Progress, Region, TemplateReference,
    TemplateSpecification, TemplateVersion,
};

/// In how many rounds the nodes of a group are replaced, whatever its size: however large a group is, a test sees
/// the same few stages.
pub const ROUNDS: u32 = 3;

/// What became of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UpdateStatus {
    /// It goes on.
    InProgress,
    /// It went wrong.
    Failed,
    /// It is done.
    Successful,
}

impl UpdateStatus {
    /// AWS's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Successful => "Successful",
        }
    }
}

/// Why an update went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateError {
    /// `PodEvictionFailure` and others.
    pub code: String,
    /// In words.
    pub message: String,
    /// What it is about.
    pub resource_ids: Vec<String>,
}

/// What a node group will be when an update is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateTarget {
    /// The user's template, in the version that is wanted.
    pub template: Option<TemplateReference>,
    /// The Kubernetes version; not for `CUSTOM`.
    pub version: Option<String>,
    /// The release of the image.
    pub release_version: String,
    /// The image, where EKS chooses it.
    pub image: Option<Image>,
}

/// What an update does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// A new version of EKS's template; the group launches from it.
    SetUp,
    /// A few nodes more.
    ScaleUp,
    /// New nodes for old ones.
    Replace,
    /// The surplus goes.
    ScaleDown,
}

/// What a node group and its Auto Scaling group were before an update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Before {
    /// EKS's template.
    pub copy: TemplateReference,
    /// The group's size.
    pub desired: u32,
    /// And what it may be at most.
    pub max: u32,
}

/// One update of a managed node group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// A UUID.
    pub id: String,
    /// When, in seconds since 1970.
    pub created: i64,
    /// What was asked for.
    pub asked: AskedUpdate,
    /// What that comes to.
    pub target: UpdateTarget,
    /// What became of it.
    pub status: UpdateStatus,
    /// Why it failed.
    pub errors: Vec<UpdateError>,
    /// What it does next.
    pub phase: Phase,
    /// What was before.
    pub before: Before,
    /// How many old nodes are gone.
    pub replaced: u32,
    /// How far it has been looked at.
    pub progress: Progress,
}

/// How updates of a node group go wrong, as the fleet says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateFailure {
    /// `NodeCreationFailure` and others.
    pub error: String,
    /// After so many nodes were replaced.
    #[serde(default)]
    pub after_nodes: u32,
    /// So often; without it, always.
    #[serde(default)]
    pub times: Option<u32>,
}

impl UpdateFailure {
    /// Does it strike now?
    fn strikes(&self, replaced: u32) -> bool {
        self.times != Some(0) && replaced >= self.after_nodes
    }
}

impl Region {
    /// Someone looks at the update that a node group is in: having been seen often enough, it goes on.
    pub fn look_at_update(&mut self, cluster: &str, node_group: &str, looks_per_stage: u32, now: i64) {
        let Some(group) = self.node_group_mut(cluster, node_group) else { return };
        let running = group.updates.iter_mut().find(|update| update.status == UpdateStatus::InProgress);
        if running.is_some_and(|update| update.progress.look(looks_per_stage)) {
            self.advance_update(cluster, node_group, now);
        }
    }

    /// Nobody waits: the update that a node group is in comes to its end.
    pub fn finish_update_now(&mut self, cluster: &str, node_group: &str, now: i64) {
        let goes_on = |region: &Self| {
            let group = region.node_group(cluster, node_group);
            group.is_some_and(|group| group.updates.iter().any(|one| one.status == UpdateStatus::InProgress))
        };
        while goes_on(self) {
            self.advance_update(cluster, node_group, now);
        }
    }

    /// A while later: the update that a node group is in goes one phase, or one round, further.
    pub fn advance_update(&mut self, cluster: &str, node_group: &str, now: i64) {
        let Some(group) = self.node_group(cluster, node_group) else { return };
        let running = group.updates.iter().position(|update| update.status == UpdateStatus::InProgress);
        let Some(index) = running else { return };
        let mut group = group.clone();
        let mut update = group.updates.remove(index);
        self.settle(&group.group);
        let gone = match update.phase {
            Phase::SetUp => self.set_up(cluster, &mut group, &mut update, now),
            Phase::ScaleUp => self.scale_up(&mut group, &mut update, now),
            Phase::Replace => self.replace_nodes(&mut group, &mut update, now),
            Phase::ScaleDown => {
                self.finish_update(&mut group, &mut update);
                Ok(())
            }
        };
        if let Err(error) = gone {
            self.undo_update(&mut group, &mut update, error);
        }
        if update.status != UpdateStatus::InProgress {
            // It is not over before everyone has arrived, or left.
            self.settle(&group.group);
        }
        group.updates.insert(index, update);
        if let Some(place) = self.node_group_mut(cluster, node_group) {
            *place = group;
        }
    }

    fn set_up(
        &mut self,
        cluster: &str,
        group: &mut NodeGroup,
        update: &mut Update,
        now: i64,
    ) -> Result<(), UpdateError> {
        let user =
            update.target.template.as_ref().and_then(|used| {
                Some(self.templates.get(&used.id)?.versions.get(&used.version)?.data.clone())
            });
        if update.target.template.is_some() != user.is_some() {
            return Err(failure("Unknown", "The source launch template is gone.".to_owned(), Vec::new()));
        }
        if let Some(image) = &update.target.image {
            self.images.entry(image.id.clone()).or_insert_with(|| image.clone());
        }
        let missing = || {
            let message = format!("The launch template {} of this node group was not found.", group.copy.id);
            failure("Unknown", message, vec![group.copy.id.clone()])
        };
        let template = self.templates.get_mut(&group.copy.id).ok_or_else(missing)?;
        let present = template.versions.get(&group.copy.version).ok_or_else(missing)?;
        let data = copy_data(
            user.as_ref(),
            CopyFor {
                cluster,
                node_group: &group.name,
                ami_type: &group.ami_type,
                image: update.target.image.as_ref().map(|image| image.id.as_str()),
                profile: present.data.profile.as_deref(),
                security_groups: &present.data.security_groups,
            },
        );
        let number = template.last_number + 1;
        let created_by = template.created_by.clone();
        let version = TemplateVersion { number, description: None, created: now, created_by, data };
        template.add(version);
        group.copy.version = number;
        self.point_at_copy(group);
        update.phase = Phase::ScaleUp;
        Ok(())
    }

    /// The Auto Scaling group launches from EKS's template, in the version that the node group has now.
    fn point_at_copy(&mut self, group: &NodeGroup) {
        if let Some(scaling) = self.groups.get_mut(&group.group) {
            scaling.source = LaunchSource::Template(TemplateSpecification {
                id: group.copy.id.clone(),
                name: group.copy.name.clone(),
                version: group.copy.version.to_string(),
            });
        }
    }

    fn scale_up(&mut self, group: &mut NodeGroup, update: &mut Update, now: i64) -> Result<(), UpdateError> {
        let Some(scaling) = self.groups.get_mut(&group.group) else { return Ok(()) };
        let zones = u32::try_from(scaling.zones.len()).unwrap_or(1);
        // As many as twice the zones: a small group does not need more than it has.
        let surplus = (zones * 2).min(update.before.desired);
        scaling.desired += surplus;
        scaling.max += surplus;
        self.launch_nodes(group, surplus, now)?;
        self.scripted_failure(group, update)?;
        update.phase = Phase::Replace;
        Ok(())
    }

    fn replace_nodes(
        &mut self,
        group: &mut NodeGroup,
        update: &mut Update,
        now: i64,
    ) -> Result<(), UpdateError> {
        self.scripted_failure(group, update)?;
        let old = self.nodes_of_other_versions(group);
        let round = round(group, update, old.len());
        let leaving = &old[..round];
        if group.blocks_eviction && !update.asked.force && !leaving.is_empty() {
            return Err(self.pods_stay(group, leaving));
        }
        let farewell = if group.blocks_eviction { Farewell::Undrained } else { Farewell::Drained };
        self.terminate_from(&group.group, leaving, farewell);
        let count = u32::try_from(round).unwrap_or(u32::MAX);
        self.launch_nodes(group, count, now)?;
        update.replaced += count;
        if round == old.len() {
            update.phase = Phase::ScaleDown;
        }
        Ok(())
    }

    fn launch_nodes(&mut self, group: &NodeGroup, count: u32, now: i64) -> Result<(), UpdateError> {
        let Some(source) = self.groups.get(&group.group).map(|scaling| scaling.source.clone()) else {
            return Ok(());
        };
        match self.launch_into(&group.group, &source, count, now) {
            Ok(_) => Ok(()),
            Err(error) => Err(failure("NodeCreationFailure", error.to_string(), vec![group.group.clone()])),
        }
    }

    fn scripted_failure(&self, group: &mut NodeGroup, update: &Update) -> Result<(), UpdateError> {
        let Some(script) = &mut group.update_fails else { return Ok(()) };
        if !script.strikes(update.replaced) {
            return Ok(());
        }
        script.times = script.times.map(|times| times - 1);
        let code = script.error.clone();
        let old = self.nodes_of_other_versions(group);
        if code == "PodEvictionFailure" {
            return Err(self.pods_stay(group, old.get(..1).unwrap_or_default()));
        }
        let message = match code.as_str() {
            "NodeCreationFailure" => {
                "Couldn't proceed with upgrade process as new nodes are not joining node group ".to_owned()
                    + &group.name
            }
            _ => format!("The update of node group {} failed.", group.name),
        };
        Err(failure(&code, message, vec![group.name.clone()]))
    }

    fn pods_stay(&self, group: &NodeGroup, nodes: &[InstanceId]) -> UpdateError {
        let stuck = nodes.first().and_then(|id| self.instances.iter().find(|instance| instance.id == *id));
        let message =
            format!("Reached max retries while trying to evict pods from nodes in node group {}", group.name);
        failure("PodEvictionFailure", message, stuck.map(node_name).into_iter().collect())
    }

    /// Those that were launched from another version of EKS's template than the group has now.
    fn nodes_of_other_versions(&self, group: &NodeGroup) -> Vec<InstanceId> {
        let Some(scaling) = self.groups.get(&group.group) else { return Vec::new() };
        let copy = &group.copy;
        let other = |launcher: &Launcher| match launcher {
            Launcher::Template { id, version, .. } => *id != copy.id || *version != copy.version,
            _ => true,
        };
        let members = self.members(scaling).into_iter();
        members.filter(|one| other(&one.launch.launcher)).map(|one| one.id).collect()
    }

    fn finish_update(&mut self, group: &mut NodeGroup, update: &mut Update) {
        self.scale_back(group, update);
        group.template.clone_from(&update.target.template);
        group.version.clone_from(&update.target.version);
        group.release_version.clone_from(&update.target.release_version);
        "ACTIVE".clone_into(&mut group.status);
        update.status = UpdateStatus::Successful;
    }

    fn undo_update(&mut self, group: &mut NodeGroup, update: &mut Update, error: UpdateError) {
        self.scale_back(group, update);
        group.copy = update.before.copy.clone();
        self.point_at_copy(group);
        "ACTIVE".clone_into(&mut group.status);
        update.errors.push(error);
        update.status = UpdateStatus::Failed;
    }

    /// The group has its old size again; what is too much is taken from the newest nodes.
    fn scale_back(&mut self, group: &NodeGroup, update: &Update) {
        let before = &update.before;
        let Some(scaling) = self.groups.get_mut(&group.group) else { return };
        scaling.desired = before.desired;
        scaling.max = before.max;
        let keep = usize::try_from(before.desired).unwrap_or(usize::MAX);
        let surplus = scaling.instances.get(keep..).unwrap_or_default().to_vec();
        if !surplus.is_empty() {
            self.terminate_from(&group.group, &surplus, Farewell::Drained);
        }
    }
}

/// How many of the old nodes go in the next round: not beyond the one with which the update is to fail.
fn round(group: &NodeGroup, update: &Update, old: usize) -> usize {
    let each = update.before.desired.div_ceil(ROUNDS).max(1);
    let scripted = group.update_fails.as_ref().filter(|script| script.times != Some(0));
    let until = scripted.map_or(each, |script| script.after_nodes.saturating_sub(update.replaced).min(each));
    usize::try_from(until).unwrap_or(old).min(old)
}

fn failure(code: &str, message: String, resource_ids: Vec<String>) -> UpdateError {
    UpdateError { code: code.to_owned(), message, resource_ids }
}
