//! Running instances, and the account's defaults.

use super::changes::{Answer, At, Look, Progress};
use super::cloud::Cloud;
use crate::aws::CallError;
use crate::journal::{Effect, Medium};
use crate::model::{AccountDefaults, InstanceId, MetadataOptions, OptionName};

impl<C: Cloud, M: Medium> At<'_, '_, C, M> {
    pub(super) async fn look_at_instance(
        &self,
        instance: &InstanceId,
        seen: &MetadataOptions,
        metadata: &MetadataOptions,
    ) -> Result<Look, CallError> {
        let Some(now) = self.cloud.instance(instance).await? else {
            return Ok(Look::Already(Effect::default(), format!("instance {instance} is gone")));
        };
        if let Some(operator) = now.operator {
            return Ok(Look::Refused(format!("instance {instance} belongs to {operator}")));
        }
        if now.metadata == seen.overlaid(metadata) {
            return Ok(Look::Already(Effect::default(), "the instance has these options already".to_owned()));
        }
        if now.metadata != *seen {
            return Ok(Look::Refused(format!(
                "the instance has other options than it had: {}",
                differ(seen, &now.metadata)
            )));
        }
        Ok(Look::Due)
    }

    pub(super) async fn watch_instance(
        &self,
        instance: &InstanceId,
        metadata: &MetadataOptions,
    ) -> Result<Progress, CallError> {
        let Some(now) = self.cloud.instance(instance).await? else { return Ok(Progress::Done) };
        if now.metadata.overlaid(metadata) != now.metadata {
            return Ok(Progress::NotYet("EC2 shows the options of before".to_owned()));
        }
        Ok(if now.applied { Progress::Done } else { Progress::Going("EC2 is at it".to_owned()) })
    }

    pub(super) async fn look_at_defaults(
        &self,
        seen: &AccountDefaults,
        wanted: &MetadataOptions,
    ) -> Result<Look, CallError> {
        let now = self.cloud.defaults().await?;
        if now.metadata == *wanted {
            return Ok(Look::Already(Effect::default(), "the defaults are that already".to_owned()));
        }
        if now.managed_by_policy {
            let said = now.exception_message.map(|message| format!(": {message}")).unwrap_or_default();
            return Ok(Look::Refused(format!("a declarative policy holds the defaults{said}")));
        }
        if now.metadata != seen.metadata {
            let differs = differ(&seen.metadata, &now.metadata);
            return Ok(Look::Refused(format!("the defaults are not what they were: {differs}")));
        }
        Ok(Look::Due)
    }

    pub(super) async fn restore_defaults(
        &self,
        seen: &AccountDefaults,
        metadata: &MetadataOptions,
    ) -> Result<Answer, CallError> {
        let changed = |option: &OptionName| seen.metadata.get(*option) != metadata.get(*option);
        let (mut set, mut unset) = (MetadataOptions::default(), Vec::new());
        for option in OptionName::ALL.into_iter().filter(changed) {
            match metadata.get(option) {
                Some(value) => set.set(option, Some(value)),
                None => unset.push(option),
            }
        }
        self.cloud.modify_defaults(&set, &unset).await.map(|()| Effect::default().into())
    }
}

/// In what options differ, in words.
fn differ(seen: &MetadataOptions, now: &MetadataOptions) -> String {
    let word = |options: &MetadataOptions, option| {
        options.get(option).map_or_else(|| "not set".to_owned(), |value| value.to_string())
    };
    let differs = OptionName::ALL.into_iter().filter(|option| seen.get(*option) != now.get(*option));
    let told =
        differs.map(|option| format!("{option} is {}, and was {}", word(now, option), word(seen, option)));
    told.collect::<Vec<_>>().join("; ")
}
