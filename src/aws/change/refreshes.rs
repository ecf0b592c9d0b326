//! Instance refreshes of Auto Scaling groups.

use aws_sdk_autoscaling::types::{self, DesiredConfiguration, RefreshPreferences, RefreshStrategy};
use jiff::Timestamp;

use super::launch::Launch;
use super::{Changer, Repointed};
use crate::aws::convert::autoscaling as convert;
use crate::aws::convert::timestamp;
use crate::aws::errors::{CallError, ErrorKind, failed};
use crate::aws::operations::{DESCRIBE_INSTANCE_REFRESHES, START_INSTANCE_REFRESH};
use crate::aws::{pages, retry};
use crate::model::{GroupLaunch, VersionRef};

/// The most refreshes in a page.
const PAGE: i32 = 100;

/// A refresh that is to be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// The group.
    pub group: String,
    /// The references that it makes numbers, if they are none already.
    pub repointed: Vec<Repointed>,
    /// The least share of instances in service meanwhile, in percent.
    pub min_healthy_percentage: u8,
    /// Whether the group goes back to what it was where the refresh fails.
    pub auto_rollback: bool,
}

/// A refresh as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshNow {
    /// Its id.
    pub id: String,
    /// Its status, such as `InProgress`, `Successful` or `RollbackSuccessful`.
    pub status: String,
    /// How much of it is done, in percent.
    pub percentage: u8,
    /// Why it has that status.
    pub reason: Option<String>,
    /// What the instances are launched from.
    pub desired: GroupLaunch,
    /// When it began.
    pub started_at: Option<Timestamp>,
}

impl Changer {
    /// The refreshes of a group, the latest first, as far back as Auto Scaling keeps them.
    ///
    /// # Errors
    ///
    /// When any page of them cannot be read.
    pub async fn refreshes(&self, group: &str) -> Result<Vec<RefreshNow>, CallError> {
        let listed = pages::collect(DESCRIBE_INSTANCE_REFRESHES, async |token| {
            let call = self.clients.autoscaling.describe_instance_refreshes().auto_scaling_group_name(group);
            let call = call.max_records(PAGE).set_next_token(token);
            let page = call.send().await.map_err(failed(DESCRIBE_INSTANCE_REFRESHES))?;
            Ok((page.instance_refreshes().iter().filter_map(now).collect(), page.next_token))
        });
        let mut refreshes: Vec<RefreshNow> = listed.await.complete()?;
        refreshes.sort_by_key(|refresh| std::cmp::Reverse(refresh.started_at));
        Ok(refreshes)
    }

    /// Starts to replace the instances of a group by ones from what it launches from, and says which refresh that is.
    /// Instances that are from there already stay.
    ///
    /// Auto Scaling does not know the request again, so that it is sent once: where [`CallError::is_uncertain`], only
    /// [`Self::refreshes`] can tell whether there is one. A second one is refused while the first goes on.
    ///
    /// # Errors
    ///
    /// When Auto Scaling refuses, with [`ErrorKind::Busy`] where another refresh goes on; when the group does not
    /// refer to a version as it is said to, or does to one that is no number, with [`ErrorKind::Changed`]; when the
    /// group or a template is not the user's.
    pub async fn start_refresh(&self, refresh: &Refresh) -> Result<String, CallError> {
        let mut launch = self.repointed(START_INSTANCE_REFRESH, &refresh.group, &refresh.repointed).await?;
        // What it goes back to has to be a number as well as what it goes to.
        let was_numbered = refresh.repointed.iter().all(|one| matches!(one.from, VersionRef::Number(_)));
        if refresh.auto_rollback && !(was_numbered && launch.is_numbered()) {
            let message = format!(
                "Auto Scaling group {} names a version that is no number: it could not be rolled back",
                refresh.group
            );
            return Err(CallError::refused(START_INSTANCE_REFRESH, ErrorKind::Changed, message));
        }
        let preferences = RefreshPreferences::builder()
            .min_healthy_percentage(refresh.min_healthy_percentage.into())
            .skip_matching(true)
            .auto_rollback(refresh.auto_rollback)
            .build();
        let call = self
            .clients
            .autoscaling
            .start_instance_refresh()
            .auto_scaling_group_name(&refresh.group)
            // Not the other one, which keeps the instance: its options would stay as they are.
            .strategy(RefreshStrategy::Rolling)
            .desired_configuration(desired(launch))
            .preferences(preferences);
        let once = aws_sdk_autoscaling::config::Builder::new().retry_classifier(retry::Once);
        let answer = call.customize().config_override(once).send().await;
        let id = answer.map_err(failed(START_INSTANCE_REFRESH))?.instance_refresh_id;
        id.ok_or_else(|| {
            let message = "the answer names no refresh: the endpoint is not AWS";
            CallError::new(START_INSTANCE_REFRESH, ErrorKind::NotAws, "NotAnAwsAnswer", message)
        })
    }
}

fn desired(launch: Launch) -> DesiredConfiguration {
    match launch {
        Launch::Template(template) => DesiredConfiguration::builder().launch_template(template).build(),
        Launch::Mixed(policy) => DesiredConfiguration::builder().mixed_instances_policy(policy).build(),
    }
}

fn now(from: &types::InstanceRefresh) -> Option<RefreshNow> {
    let percentage = from.percentage_complete().unwrap_or_default().clamp(0, 100);
    Some(RefreshNow {
        id: from.instance_refresh_id()?.to_owned(),
        status: from.status().map_or("", |status| status.as_str()).to_owned(),
        percentage: u8::try_from(percentage).unwrap_or_default(),
        reason: from.status_reason().filter(|reason| !reason.is_empty()).map(str::to_owned),
        desired: from.desired_configuration().map_or(GroupLaunch::Unknown, convert::desired),
        started_at: from.start_time().and_then(timestamp),
    })
}
