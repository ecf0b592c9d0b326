//! Instance refreshes: how Auto Scaling replaces the instances of a group.
//!
//! A refresh terminates without draining anything: only a lifecycle hook of the group gives someone the time to do
//! it. What is desired becomes what the group launches from when the refresh has succeeded, and not before: that is
//! why it can be rolled back.

use serde::{Deserialize, Serialize};

use super::launching::{Farewell, LaunchFailure, id_of};
use super::preferences::{Preferences, Reserved};
use super::updates::ROUNDS;
use crate::world::{Group, InstanceId, LaunchSource, Progress, Region};

/// How often a refresh is seen waiting for instances that it may not touch, before it gives up. AWS waits an hour.
const PATIENCE: u32 = 3;

/// Where a refresh is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefreshStatus {
    /// It has not begun.
    Pending,
    /// It replaces instances.
    InProgress,
    /// It is done.
    Successful,
    /// It went wrong, and what was replaced stays.
    Failed,
    /// Someone stopped it; what is under way ends.
    Cancelling,
    /// It was stopped, and what was replaced stays.
    Cancelled,
    /// What was replaced is replaced again.
    RollbackInProgress,
    /// Everything is as it was before.
    RollbackSuccessful,
    /// Going back went wrong, too.
    RollbackFailed,
}

impl RefreshStatus {
    /// AWS's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Successful => "Successful",
            Self::Failed => "Failed",
            Self::Cancelling => "Cancelling",
            Self::Cancelled => "Cancelled",
            Self::RollbackInProgress => "RollbackInProgress",
            Self::RollbackSuccessful => "RollbackSuccessful",
            Self::RollbackFailed => "RollbackFailed",
        }
    }

    /// Does it go on, so that there can be no other?
    pub fn is_active(self) -> bool {
        matches!(self, Self::Pending | Self::InProgress | Self::Cancelling | Self::RollbackInProgress)
    }
}

/// Where a refresh was when it began to go back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// Why.
    pub reason: String,
    /// When, in seconds since 1970.
    pub started: i64,
    /// `PercentageComplete` at that time.
    pub percentage: u32,
    /// `InstancesToUpdate` at that time.
    pub to_update: u32,
}

/// One instance refresh.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// A UUID.
    pub id: String,
    /// Where it is.
    pub status: RefreshStatus,
    /// Why it is there.
    pub reason: Option<String>,
    /// When it began, in seconds since 1970.
    pub started: Option<i64>,
    /// When it ended.
    pub ended: Option<i64>,
    /// What it takes care of.
    pub preferences: Preferences,
    /// What the group will launch from; absent: what it launches from anyway.
    pub desired: Option<LaunchSource>,
    /// Going back.
    pub rollback: Option<Rollback>,
    /// Instances that wait to be replaced.
    pub to_replace: Vec<InstanceId>,
    /// Instances that took their place.
    pub replacements: Vec<InstanceId>,
    /// How many there were to be replaced.
    pub total: u32,
    /// How often it waited for instances that it may not touch.
    pub waited: u32,
    /// How far it has been looked at.
    pub progress: Progress,
}

impl Refresh {
    /// `PercentageComplete`.
    pub fn percentage(&self) -> u32 {
        let done = u32::try_from(self.replacements.len()).unwrap_or(u32::MAX).min(self.total);
        match (self.total, self.status) {
            (0, RefreshStatus::Successful) => 100,
            (0, _) => 0,
            (total, _) => done * 100 / total,
        }
    }

    /// `InstancesToUpdate`.
    pub fn to_update(&self) -> u32 {
        u32::try_from(self.to_replace.len()).unwrap_or(u32::MAX)
    }
}

/// How refreshes of a group go wrong, as the fleet says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshFailure {
    /// In words.
    #[serde(default = "unhealthy")]
    pub reason: String,
    /// After so many instances were replaced.
    #[serde(default)]
    pub after_nodes: u32,
    /// So often; without it, always.
    #[serde(default)]
    pub times: Option<u32>,
    /// Going back fails as well.
    #[serde(default)]
    pub rollback_fails: bool,
}

fn unhealthy() -> String {
    "The new instances did not become healthy.".to_owned()
}

impl Region {
    /// Someone looks at the refresh that a group is in: having been seen often enough, it goes on.
    pub fn look_at_refresh(&mut self, name: &str, looks_per_stage: u32, now: i64) {
        let Some(group) = self.groups.get_mut(name) else { return };
        let running = group.refreshes.iter_mut().find(|refresh| refresh.status.is_active());
        if running.is_some_and(|refresh| refresh.progress.look(looks_per_stage)) {
            self.advance_refresh(name, now);
        }
    }

    /// Nobody waits: the refresh that a group is in comes to its end.
    pub fn finish_refresh_now(&mut self, name: &str, now: i64) {
        while self.groups.get(name).is_some_and(|group| group.active_refresh().is_some()) {
            self.advance_refresh(name, now);
        }
    }

    /// A while later: the refresh that a group is in goes one step further.
    pub fn advance_refresh(&mut self, name: &str, now: i64) {
        let Some(group) = self.groups.get(name) else { return };
        let Some(index) = group.refreshes.iter().position(|refresh| refresh.status.is_active()) else {
            return;
        };
        let group = group.clone();
        let mut refresh = group.refreshes[index].clone();
        self.settle(name);
        match refresh.status {
            RefreshStatus::Pending => {
                refresh.status = RefreshStatus::InProgress;
                refresh.started = Some(now);
            }
            RefreshStatus::InProgress => self.refresh_some(&group, &mut refresh, now),
            RefreshStatus::RollbackInProgress => self.roll_some_back(&group, &mut refresh, now),
            _ => end(&mut refresh, RefreshStatus::Cancelled, None, now),
        }
        if refresh.status == RefreshStatus::Successful {
            // At the end, all at once.
            self.replace_warm_pool(name, refresh.desired.as_ref().unwrap_or(&group.source), now);
        }
        if !refresh.status.is_active() {
            // It is not over before everyone has arrived, or left.
            self.settle(name);
        }
        if let Some(place) = self.groups.get_mut(name) {
            if let (RefreshStatus::Successful, Some(desired)) = (refresh.status, &refresh.desired) {
                place.source = desired.clone();
            }
            place.refreshes[index] = refresh;
        }
    }

    fn refresh_some(&mut self, group: &Group, refresh: &mut Refresh, now: i64) {
        if let Some(reason) = self.scripted(group, refresh) {
            return fail(refresh, reason, now);
        }
        let (ready, reserved): (Vec<InstanceId>, Vec<InstanceId>) =
            refresh.to_replace.iter().partition(|id| !is_reserved(group, refresh, **id));
        if ready.is_empty() && !reserved.is_empty() {
            return wait(refresh, &reserved, now);
        }
        let leaving = &ready[..round(group, refresh).min(ready.len())];
        let source = refresh.desired.as_ref().unwrap_or(&group.source).clone();
        match self.replace(group, leaving, &source, now) {
            Ok(new) => {
                refresh.replacements.extend(new);
                refresh.to_replace.retain(|id| !leaving.contains(id));
                if refresh.to_replace.is_empty() {
                    end(refresh, RefreshStatus::Successful, None, now);
                }
            }
            Err(error) => fail(refresh, format!("Failed to launch instances: {error}"), now),
        }
    }

    /// Replaces what the refresh has launched by what the group launched before.
    fn roll_some_back(&mut self, group: &Group, refresh: &mut Refresh, now: i64) {
        if group.refresh_fails.as_ref().is_some_and(|script| script.rollback_fails) {
            let reason = "The instances that replaced them did not become healthy.".to_owned();
            return end(refresh, RefreshStatus::RollbackFailed, Some(reason), now);
        }
        let count = round(group, refresh).min(refresh.replacements.len());
        let leaving = refresh.replacements[refresh.replacements.len() - count..].to_vec();
        match self.replace(group, &leaving, &group.source, now) {
            Ok(_) => {
                refresh.replacements.retain(|id| !leaving.contains(id));
                if refresh.replacements.is_empty() {
                    end(refresh, RefreshStatus::RollbackSuccessful, refresh.reason.clone(), now);
                }
            }
            Err(error) => {
                let reason = format!("Failed to launch instances: {error}");
                end(refresh, RefreshStatus::RollbackFailed, Some(reason), now);
            }
        }
    }

    /// Others in their place, unless nothing can be launched: then they stay.
    fn replace(
        &mut self,
        group: &Group,
        leaving: &[InstanceId],
        source: &LaunchSource,
        now: i64,
    ) -> Result<Vec<InstanceId>, LaunchFailure> {
        let count = u32::try_from(leaving.len()).unwrap_or(u32::MAX);
        let new = self.launch_into(&group.name, source, count, now)?;
        self.terminate_from(&group.name, leaving, farewell(group));
        Ok(new)
    }

    fn scripted(&mut self, group: &Group, refresh: &Refresh) -> Option<String> {
        let done = u32::try_from(refresh.replacements.len()).unwrap_or(u32::MAX);
        let script = self.groups.get_mut(&group.name)?.refresh_fails.as_mut()?;
        if script.times == Some(0) || done < script.after_nodes {
            return None;
        }
        script.times = script.times.map(|times| times - 1);
        Some(script.reason.clone())
    }

    /// Begins a refresh of a group that is in none.
    pub fn begin_refresh(
        &mut self,
        name: &str,
        desired: Option<LaunchSource>,
        preferences: Preferences,
    ) -> Option<Refresh> {
        let group = self.groups.get(name)?;
        let source = desired.as_ref().unwrap_or(&group.source);
        let fine = if preferences.skip_matching { self.matching(group, source) } else { Vec::new() };
        let ignored = |id: &InstanceId| {
            let ignores = |what: Option<Reserved>| what == Some(Reserved::Ignore);
            (group.protected.contains(id) && ignores(preferences.protected))
                || (group.standby.contains(id) && ignores(preferences.standby))
        };
        let to_replace: Vec<InstanceId> =
            group.instances.iter().filter(|id| !fine.contains(id) && !ignored(id)).copied().collect();
        let refresh = Refresh {
            id: id_of(&group.arn, "refresh", group.refreshes.len()),
            status: RefreshStatus::Pending,
            reason: None,
            started: None,
            ended: None,
            desired,
            preferences,
            rollback: None,
            total: u32::try_from(to_replace.len()).unwrap_or(u32::MAX),
            to_replace,
            replacements: Vec::new(),
            waited: 0,
            progress: Progress::default(),
        };
        self.groups.get_mut(name)?.refreshes.push(refresh.clone());
        Some(refresh)
    }
}

impl Group {
    /// The refresh that goes on, if one does.
    pub fn active_refresh(&self) -> Option<&Refresh> {
        self.refreshes.iter().find(|refresh| refresh.status.is_active())
    }

    /// Stops the refresh that goes on; answers with its id.
    pub fn cancel_refresh(&mut self) -> Option<String> {
        let stoppable = |refresh: &&mut Refresh| {
            refresh.status.is_active() && refresh.status != RefreshStatus::Cancelling
        };
        let refresh = self.refreshes.iter_mut().find(stoppable)?;
        refresh.status = RefreshStatus::Cancelling;
        Some(refresh.id.clone())
    }

    /// Turns the refresh that goes on back; answers with its id.
    pub fn roll_refresh_back(&mut self, now: i64) -> Option<String> {
        let goes_on = |refresh: &&mut Refresh| {
            matches!(refresh.status, RefreshStatus::Pending | RefreshStatus::InProgress)
        };
        let refresh = self.refreshes.iter_mut().find(goes_on)?;
        turn_back(refresh, "A user initiated the rollback.".to_owned(), now);
        Some(refresh.id.clone())
    }
}

/// A termination hook is where nodes are drained.
fn farewell(group: &Group) -> Farewell {
    if group.hooks.iter().any(|hook| hook.terminating) { Farewell::Drained } else { Farewell::Undrained }
}

/// How many instances are replaced before anyone looks again: not beyond the one with which the refresh is to fail.
fn round(group: &Group, refresh: &Refresh) -> usize {
    let each = refresh.total.div_ceil(ROUNDS).max(1);
    let done = u32::try_from(refresh.replacements.len()).unwrap_or(u32::MAX);
    let scripted = group.refresh_fails.as_ref().filter(|script| script.times != Some(0));
    let until = match (scripted, refresh.status) {
        (Some(script), RefreshStatus::InProgress) => script.after_nodes.saturating_sub(done).min(each),
        _ => each,
    };
    usize::try_from(until).unwrap_or(usize::MAX)
}

fn is_reserved(group: &Group, refresh: &Refresh, id: InstanceId) -> bool {
    let waits = |what: Option<Reserved>| what.unwrap_or_default() == Reserved::Wait;
    (group.protected.contains(&id) && waits(refresh.preferences.protected))
        || (group.standby.contains(&id) && waits(refresh.preferences.standby))
}

fn wait(refresh: &mut Refresh, reserved: &[InstanceId], now: i64) {
    refresh.waited += 1;
    refresh.reason = Some(format!(
        "Waiting for remaining instances to be available: {} of them are in standby or protected from scale in.",
        reserved.len()
    ));
    if refresh.waited > PATIENCE {
        fail(
            refresh,
            "Timed out waiting for instances in standby or protected from scale in.".to_owned(),
            now,
        );
    }
}

fn fail(refresh: &mut Refresh, reason: String, now: i64) {
    if refresh.preferences.auto_rollback {
        turn_back(refresh, reason, now);
    } else {
        end(refresh, RefreshStatus::Failed, Some(reason), now);
    }
}

fn turn_back(refresh: &mut Refresh, reason: String, now: i64) {
    refresh.rollback = Some(Rollback {
        reason: reason.clone(),
        started: now,
        percentage: refresh.percentage(),
        to_update: refresh.to_update(),
    });
    refresh.status = RefreshStatus::RollbackInProgress;
    refresh.reason = Some(reason);
}

fn end(refresh: &mut Refresh, status: RefreshStatus, reason: Option<String>, now: i64) {
    refresh.status = status;
    refresh.reason = reason;
    refresh.ended = Some(now);
}
