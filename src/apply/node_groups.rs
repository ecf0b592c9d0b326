//! Managed node groups take another version of their template. EKS replaces their nodes one by one.

use super::changes::{Answer, At, Found, Look, Progress, gone};
use super::cloud::Cloud;
use crate::aws::{CallError, NodeGroupNow, NodeGroupUpdate};
use crate::journal::{Effect, Medium, Standing};
use crate::model::VersionRef;
use crate::plan::{Action, Pin};

/// In this state a node group can be updated, and in no other.
const ACTIVE: &str = "ACTIVE";

impl<C: Cloud, M: Medium> At<'_, '_, C, M> {
    pub(super) async fn look_at_node_group(&self) -> Result<Look, CallError> {
        let Action::UpdateNodeGroup { cluster, node_group, template, to, pin, seen, .. } = &self.step.action
        else {
            return Ok(Look::Due);
        };
        let Some(to) = self.context.number(to) else {
            return Ok(Look::Refused("the version that it is to take was not made".to_owned()));
        };
        let now = match self.cloud.node_group(cluster, node_group).await {
            Ok(now) => now,
            Err(error) => return gone(error, || format!("node group {cluster}/{node_group} is gone")),
        };
        if now.status != ACTIVE {
            let issues =
                if now.issues.is_empty() { String::new() } else { format!(": {}", now.issues.join("; ")) };
            return Ok(Look::Refused(format!("the node group is {}{issues}", now.status)));
        }
        let named = now.template.as_ref().and_then(|named| named.id.as_ref());
        let at = now.template.as_ref().map(|named| named.version);
        if named != Some(template) {
            return Ok(Look::Refused(format!("the node group is not made with {template} any more")));
        }
        if at == Some(VersionRef::Number(to)) {
            let why = format!("the node group is at version {to} already");
            return Ok(Look::Already(Effect::version(to), why));
        }
        if at != Some(VersionRef::Number(seen.version)) {
            let at = at.map_or_else(|| "no version".to_owned(), |version| format!("version {version}"));
            return Ok(Look::Refused(format!("the node group is at {at}, and was at {}", seen.version)));
        }
        Ok(pin.as_ref().and_then(|pin| moved(pin, &now)).map_or(Look::Due, Look::Refused))
    }

    pub(super) async fn update_node_group(&self, token: &str) -> Result<Answer, CallError> {
        let Action::UpdateNodeGroup { cluster, node_group, template, to, pin, force, .. } = &self.step.action
        else {
            return Ok(Effect::default().into());
        };
        let version = self.context.number(to).unwrap_or_default();
        let update = NodeGroupUpdate {
            cluster: cluster.clone(),
            node_group: node_group.clone(),
            template: template.clone(),
            version,
            pin: pin.as_ref().map(|pin| (pin.version.clone(), pin.release_version.clone())),
            force: *force,
            client_token: token.to_owned(),
        };
        let id = self.cloud.update_node_group(&update).await?;
        Ok(Effect { version: Some(version), update_id: Some(id), refresh_id: None }.into())
    }

    pub(super) async fn find_update(&self, standing: &Standing) -> Result<Found, CallError> {
        let Action::UpdateNodeGroup { cluster, node_group, to, .. } = &self.step.action else {
            return Ok(Found::Nothing);
        };
        let version = self.context.number(to);
        let updates = self.cloud.updates(cluster, node_group).await?;
        let ours = updates.into_iter().find(|update| {
            let meant = update.template_version.is_none() || update.template_version == version;
            meant && !standing.known.contains(&update.id)
        });
        Ok(ours.map_or(Found::Nothing, |update| {
            Found::Sent(Effect { version, update_id: Some(update.id), refresh_id: None })
        }))
    }

    pub(super) async fn watch_update(
        &self,
        cluster: &str,
        node_group: &str,
        effect: &Effect,
    ) -> Result<Progress, CallError> {
        let Some(id) = &effect.update_id else {
            return Ok(Progress::failed("NoUpdate", "EKS named no update"));
        };
        let update = self.cloud.update(cluster, node_group, id).await?;
        Ok(match update.status.as_str() {
            "Successful" => Progress::Done,
            "Failed" | "Cancelled" => {
                let why = if update.errors.is_empty() {
                    "EKS does not say why".to_owned()
                } else {
                    update.errors.join("; ")
                };
                Progress::Failed(format!("Update{}", update.status), format!("update {id}: {why}"))
            }
            status => Progress::Going(format!("update {id} is {status}")),
        })
    }
}

/// What a node group has moved to, where it is not what it is pinned to any more.
fn moved(pin: &Pin, now: &NodeGroupNow) -> Option<String> {
    let unknown = || "unknown".to_owned();
    let version = now.version.clone().unwrap_or_else(unknown);
    let release = now.release_version.clone().unwrap_or_else(unknown);
    (version != pin.version || release != pin.release_version).then(|| {
        format!(
            "the node group is at Kubernetes {version} and release {release}, and was at {} and {}",
            pin.version, pin.release_version
        )
    })
}
