//! What may be changed about a group, and what Auto Scaling says when it may not.

use super::launching::Farewell;
use super::preferences::Preferences;
use super::refreshes::Refresh;
use crate::world::{Group, LaunchSource, Region, TemplateSpecification};

/// What an `UpdateAutoScalingGroup` changes; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupChange {
    /// What it launches from.
    pub source: Option<LaunchSource>,
    /// At least so many.
    pub min: Option<u32>,
    /// At most so many.
    pub max: Option<u32>,
    /// So many.
    pub desired: Option<u32>,
}

/// Why Auto Scaling refuses a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupRefusal {
    /// `ValidationError`.
    Invalid(String),
    /// `InstanceRefreshInProgress`.
    RefreshInProgress,
    /// `ActiveInstanceRefreshNotFound`.
    NoActiveRefresh,
    /// `IrreversibleInstanceRefresh`.
    Irreversible(String),
}

type Allowed<T> = Result<T, GroupRefusal>;

impl Region {
    /// Changes a group. What runs stays as it is: only new instances are launched from a new source.
    ///
    /// # Errors
    /// Auto Scaling refuses it; then nothing changes.
    pub fn update_group(&mut self, name: &str, change: &GroupChange, now: i64) -> Allowed<()> {
        let group = self.existing_group(name)?;
        if let Some(source) = &change.source {
            if group.active_refresh().is_some_and(|refresh| refresh.desired.is_some()) {
                return Err(invalid(
                    "An active instance refresh with a desired configuration exists. All configuration options derived \
                     from the desired configuration are not available for update while the instance refresh is active.",
                ));
            }
            self.launchable(group, source).map_err(|failure| invalid(failure.to_string()))?;
        }
        let size = sizes(group, change)?;
        let now_has = u32::try_from(group.instances.len()).unwrap_or(u32::MAX);
        let surplus = group.instances.get(usize::try_from(size.desired).unwrap_or(usize::MAX)..);
        let surplus = surplus.unwrap_or_default().to_vec();
        let Some(group) = self.groups.get_mut(name) else { return Ok(()) };
        if let Some(source) = &change.source {
            group.source = source.clone();
        }
        let source = group.source.clone();
        (group.min, group.max) = (size.min, size.max);
        if size.desired != std::mem::replace(&mut group.desired, size.desired) {
            self.terminate_from(name, &surplus, Farewell::Undrained);
            // A group that cannot launch tries again later, and its caller never learns of it.
            let _ = self.launch_into(name, &source, size.desired.saturating_sub(now_has), now);
            self.settle(name);
        }
        Ok(())
    }

    /// Starts an instance refresh.
    ///
    /// # Errors
    /// Auto Scaling refuses it; then nothing changes.
    pub fn start_refresh(
        &mut self,
        name: &str,
        desired: Option<LaunchSource>,
        preferences: Preferences,
    ) -> Allowed<Refresh> {
        let group = self.existing_group(name)?;
        preferences.check().map_err(GroupRefusal::Invalid)?;
        if let Some(source) = &desired {
            self.launchable(group, source).map_err(|failure| invalid(failure.to_string()))?;
        }
        if preferences.auto_rollback {
            let Some(source) = &desired else {
                return Err(invalid(
                    "The request isn't valid. The AutoRollback parameter cannot be set to true when the \
                     DesiredConfiguration parameter is empty. Set AutoRollback to false or specify a desired \
                     configuration and try again.",
                ));
            };
            self.reversible(group, source).map_err(GroupRefusal::Invalid)?;
        }
        if group.active_refresh().is_some() {
            return Err(GroupRefusal::RefreshInProgress);
        }
        self.begin_refresh(name, desired, preferences).ok_or_else(|| not_found(name))
    }

    /// Stops a refresh. What it has replaced stays.
    ///
    /// # Errors
    /// There is none, or it is being stopped already.
    pub fn cancel_refresh(&mut self, name: &str) -> Allowed<String> {
        self.existing_group(name)?;
        let group = self.groups.get_mut(name).ok_or_else(|| not_found(name))?;
        group.cancel_refresh().ok_or(GroupRefusal::NoActiveRefresh)
    }

    /// Stops a refresh, and puts back what it has replaced.
    ///
    /// # Errors
    /// There is none, or there is nothing to go back to.
    pub fn roll_refresh_back(&mut self, name: &str, now: i64) -> Allowed<String> {
        let group = self.existing_group(name)?;
        let refresh = group.active_refresh().ok_or(GroupRefusal::NoActiveRefresh)?;
        let Some(desired) = &refresh.desired else {
            return Err(GroupRefusal::Irreversible(
                "The instance refresh has no desired configuration and cannot be rolled back.".to_owned(),
            ));
        };
        self.reversible(group, desired).map_err(GroupRefusal::Irreversible)?;
        let group = self.groups.get_mut(name).ok_or_else(|| not_found(name))?;
        group.roll_refresh_back(now).ok_or(GroupRefusal::NoActiveRefresh)
    }

    /// A group by its name.
    ///
    /// # Errors
    /// There is none.
    pub fn existing_group(&self, name: &str) -> Allowed<&Group> {
        self.groups.get(name).ok_or_else(|| not_found(name))
    }

    /// Auto Scaling goes back only where it knows exactly what was before: neither the group nor what is desired
    /// may name a template by `$Latest` or `$Default`, or an image by a parameter.
    fn reversible(&self, group: &Group, desired: &LaunchSource) -> Result<(), String> {
        for used in [&group.source, desired].into_iter().flat_map(LaunchSource::templates) {
            if used.version.starts_with('$') {
                return Err(format!(
                    "A rollback is not supported when the launch template version is $Latest or $Default. Specify a \
                     version number of the launch template {} and try again.",
                    used.id
                ));
            }
            let template = self.templates.get(&used.id);
            let number = template.and_then(|template| template.number_of(&used.version));
            let version = template.zip(number).and_then(|(template, number)| template.versions.get(&number));
            let image = version.and_then(|version| version.data.image.as_deref());
            if image.is_some_and(|image| image.starts_with("resolve:ssm:")) {
                return Err(format!(
                    "A rollback is not supported when the launch template {} uses an AWS Systems Manager parameter \
                     instead of an AMI ID.",
                    used.id
                ));
            }
        }
        Ok(())
    }
}

impl LaunchSource {
    /// Every template that is named, by overrides too.
    pub fn templates(&self) -> Vec<&TemplateSpecification> {
        match self {
            Self::Template(template) => vec![template],
            Self::LaunchConfiguration(_) => Vec::new(),
            Self::Mixed(policy) => {
                let own = policy.overrides.iter().filter_map(|entry| entry.template.as_ref());
                std::iter::once(&policy.template).chain(own).collect()
            }
        }
    }
}

struct Sizes {
    min: u32,
    max: u32,
    desired: u32,
}

/// A new least or greatest size takes the desired one with it, unless that is given.
fn sizes(group: &Group, change: &GroupChange) -> Allowed<Sizes> {
    let min = change.min.unwrap_or(group.min);
    let max = change.max.unwrap_or(group.max);
    if min > max {
        return Err(invalid("Min bound must be less than or equal to max bound"));
    }
    let desired = change.desired.unwrap_or_else(|| group.desired.clamp(min, max));
    if !(min..=max).contains(&desired) {
        return Err(invalid(format!(
            "Desired capacity:{desired} must be between the specified min size:{min} and max size:{max}"
        )));
    }
    Ok(Sizes { min, max, desired })
}

fn not_found(name: &str) -> GroupRefusal {
    invalid(format!("AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"))
}

fn invalid(message: impl Into<String>) -> GroupRefusal {
    GroupRefusal::Invalid(message.into())
}
