//! Auto Scaling groups launch from other versions, and replace their instances.

use super::changes::{Answer, At, Found, Look, Progress, gone};
use super::cloud::Cloud;
use crate::aws::{CallError, Refresh, Repointed};
use crate::journal::{Effect, Medium, Standing};
use crate::model::{GroupLaunch, TemplateId, TemplateRef, VersionRef};
use crate::plan::{Launching, Moved, Repoint};

/// The states of a refresh that it stays in.
const OVER: [&str; 5] = ["Successful", "Failed", "Cancelled", "RollbackSuccessful", "RollbackFailed"];

impl<C: Cloud, M: Medium> At<'_, '_, C, M> {
    pub(super) async fn look_at_group(
        &self,
        group: &str,
        seen: &GroupLaunch,
        repoint: &[Repoint],
    ) -> Result<Look, CallError> {
        let Some(moves) = self.context.moves(repoint) else {
            return Ok(Look::Refused("a version that it is to launch from was not made".to_owned()));
        };
        let now = match self.cloud.group(group).await {
            Ok(now) => now.launch,
            Err(error) => return gone(error, || format!("Auto Scaling group {group} is gone")),
        };
        let mut launching = self.context.launching(self.scope, self.step, group, seen);
        let before = launching.launch().clone();
        launching.take(&moves);
        if now == *launching.launch() {
            let why = "the group launches from that already".to_owned();
            return Ok(Look::Already(effect_of(&moves), why));
        }
        if now != before {
            return Ok(Look::Refused(format!(
                "the group launches from {}, and not from {} any more",
                shown(&now),
                shown(&before)
            )));
        }
        for one in &moves {
            if let Some(why) = self.means_another(one).await? {
                return Ok(Look::Refused(why));
            }
        }
        Ok(Look::Due)
    }

    /// Why `$Latest` or `$Default` and a number are not the same at the moment, where one is to stand for the other.
    async fn means_another(&self, one: &Moved) -> Result<Option<String>, CallError> {
        let ((VersionRef::Number(number), name) | (name, VersionRef::Number(number))) = (one.from, one.to)
        else {
            return Ok(None);
        };
        if matches!(name, VersionRef::Number(_)) {
            return Ok(None);
        }
        let template = self.cloud.template(&one.template).await?;
        let means = match name {
            VersionRef::Default => template.default_version,
            _ => template.latest_version,
        };
        let why = || format!("{name} of {} is version {means}, and not version {number}", one.template);
        Ok((means != number).then(why))
    }

    /// That the group launches from these versions already does not say that its instances do.
    pub(super) async fn look_at_refresh(
        &self,
        group: &str,
        seen: &GroupLaunch,
        repoint: &[Repoint],
    ) -> Result<Look, CallError> {
        match self.look_at_group(group, seen, repoint).await? {
            refused @ Look::Refused(_) => return Ok(refused),
            already @ Look::Already(..) if !repoint.is_empty() => return Ok(already),
            Look::Already(..) | Look::Due => {}
        }
        let refreshes = self.cloud.refreshes(group).await?;
        let going = refreshes.iter().find(|refresh| !OVER.contains(&refresh.status.as_str()));
        Ok(going.map_or(Look::Due, |refresh| {
            Look::Refused(format!("instance refresh {} of the group is {}", refresh.id, refresh.status))
        }))
    }

    pub(super) async fn update_group(
        &self,
        group: &str,
        seen: &GroupLaunch,
        repoint: &[Repoint],
    ) -> Result<Answer, CallError> {
        let moves = self.context.moves(repoint).unwrap_or_default();
        let changes = self.repointed(group, seen, &moves);
        self.cloud.update_group(group, &changes).await.map(|()| effect_of(&moves).into())
    }

    pub(super) async fn start_refresh(
        &self,
        group: &str,
        seen: &GroupLaunch,
        repoint: &[Repoint],
        min_healthy_percentage: u8,
    ) -> Result<Answer, CallError> {
        let moves = self.context.moves(repoint).unwrap_or_default();
        let refresh = Refresh {
            group: group.to_owned(),
            repointed: self.repointed(group, seen, &moves),
            min_healthy_percentage,
            auto_rollback: true,
        };
        let id = self.cloud.start_refresh(&refresh).await?;
        Ok(Effect { refresh_id: Some(id), ..effect_of(&moves) }.into())
    }

    /// The references that change, without those that the group does not name.
    fn repointed(&self, group: &str, seen: &GroupLaunch, moves: &[Moved]) -> Vec<Repointed> {
        let launching: Launching = self.context.launching(self.scope, self.step, group, seen);
        let references = launching.launch().references();
        let named =
            |one: &Moved| references.iter().any(|named| one.is_about(named) && named.version == one.from);
        let moves = moves.iter().filter(|one| named(one)).cloned();
        moves.map(|Moved { template, from, to }| Repointed { template, from, to }).collect()
    }

    pub(super) async fn find_refresh(&self, group: &str, standing: &Standing) -> Result<Found, CallError> {
        let refreshes = self.cloud.refreshes(group).await?;
        let ours = refreshes.into_iter().find(|refresh| !standing.known.contains(&refresh.id));
        Ok(ours.map_or(Found::Nothing, |refresh| {
            Found::Sent(Effect { refresh_id: Some(refresh.id), ..Effect::default() })
        }))
    }

    pub(super) async fn watch_refresh(&self, group: &str, effect: &Effect) -> Result<Progress, CallError> {
        // It may have been found to be so already: by whom is not known, nor by which refresh.
        let Some(id) = &effect.refresh_id else { return Ok(Progress::Done) };
        let refreshes = self.cloud.refreshes(group).await?;
        let Some(refresh) = refreshes.into_iter().find(|refresh| refresh.id == *id) else {
            return Ok(Progress::NotYet(format!("refresh {id} is not to be seen yet")));
        };
        let reason = refresh.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        Ok(match refresh.status.as_str() {
            "Successful" => Progress::Done,
            status if OVER.contains(&status) => {
                let message = format!("refresh {id} of {group} is {status}{reason}");
                Progress::Failed(format!("Refresh{status}"), message)
            }
            status => {
                Progress::Going(format!("refresh {id} is {status}, {} % done{reason}", refresh.percentage))
            }
        })
    }
}

fn effect_of(moves: &[Moved]) -> Effect {
    let number = moves.iter().find_map(|one| match one.to {
        VersionRef::Number(number) => Some(number),
        _ => None,
    });
    Effect { version: number, ..Effect::default() }
}

fn shown(launch: &GroupLaunch) -> String {
    let reference = |template: &TemplateRef| {
        let name = template.id.as_ref().map(TemplateId::as_str).or(template.name.as_deref());
        format!("version {} of {}", template.version, name.unwrap_or("a template"))
    };
    match launch {
        GroupLaunch::Configuration(name) => format!("launch configuration {name}"),
        GroupLaunch::Unknown => "something unknown".to_owned(),
        launch => launch.references().into_iter().map(reference).collect::<Vec<_>>().join(", "),
    }
}
