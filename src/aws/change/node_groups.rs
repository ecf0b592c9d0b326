//! Managed node groups: as they are, their updates, and taking another version of their template.

use aws_sdk_eks::types::{self, LaunchTemplateSpecification, UpdateParamType};
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::Changer;
use crate::aws::convert::eks as convert;
use crate::aws::convert::timestamp;
use crate::aws::errors::{CallError, ErrorKind, failed};
use crate::aws::operations::{DESCRIBE_NODEGROUP, DESCRIBE_UPDATE, LIST_UPDATES, UPDATE_NODEGROUP_VERSION};
use crate::aws::pages;
use crate::model::{TemplateId, TemplateRef};

/// The most updates in a page.
const PAGE: i32 = 100;

/// How many updates are described at once.
const SIDE_BY_SIDE: usize = 10;

/// The AMI type of groups whose image is in their template.
const CUSTOM: &str = "CUSTOM";

/// A node group as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeGroupNow {
    /// Its status, such as `ACTIVE`.
    pub status: String,
    /// The user's template that it is made with, at a number.
    pub template: Option<TemplateRef>,
    /// Its Kubernetes version.
    pub version: Option<String>,
    /// Its AMI release.
    pub release_version: Option<String>,
    /// Its AMI type, `CUSTOM` where the image is in the template.
    pub ami_type: Option<String>,
    /// What EKS finds wrong with it, `code: message` each.
    pub issues: Vec<String>,
    /// The Auto Scaling groups that EKS made for it.
    pub auto_scaling_groups: Vec<String>,
}

/// An update of a node group as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateNow {
    /// Its id.
    pub id: String,
    /// Its status: `InProgress`, `Successful`, `Failed` or `Cancelled`.
    pub status: String,
    /// What it changes, such as `VersionUpdate`.
    pub kind: String,
    /// The version of the template that the group takes by it, where it names one.
    pub template_version: Option<i64>,
    /// What went wrong, `code: message (resources)` each.
    pub errors: Vec<String>,
    /// When it began.
    pub created_at: Option<Timestamp>,
}

/// How a node group takes another version of its template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeGroupUpdate {
    /// The cluster.
    pub cluster: String,
    /// The node group.
    pub node_group: String,
    /// Its template.
    pub template: TemplateId,
    /// The version that it takes.
    pub version: i64,
    /// The Kubernetes version and the AMI release that it keeps; nothing where its image is in the template.
    pub pin: Option<(String, String)>,
    /// Whether PodDisruptionBudgets are overridden.
    pub force: bool,
    /// By which EKS knows the request again.
    pub client_token: String,
}

impl Changer {
    /// A node group.
    ///
    /// # Errors
    ///
    /// When it cannot be read; with [`ErrorKind::NotFound`] where there is none.
    pub async fn node_group(&self, cluster: &str, name: &str) -> Result<NodeGroupNow, CallError> {
        let call = self.clients.eks.describe_nodegroup().cluster_name(cluster).nodegroup_name(name);
        let answer = call.send().await.map_err(failed(DESCRIBE_NODEGROUP))?;
        let from = answer.nodegroup().ok_or_else(|| {
            let message = "the answer holds no node group: the endpoint is not AWS";
            CallError::new(DESCRIBE_NODEGROUP, ErrorKind::NotAws, "NotAnAwsAnswer", message)
        })?;
        let issues = from.health().map(types::NodegroupHealth::issues).unwrap_or_default();
        let group = convert::node_group(cluster, name, from);
        Ok(NodeGroupNow {
            status: group.status.unwrap_or_default(),
            template: group.template,
            version: group.version,
            release_version: group.release_version,
            ami_type: group.ami_type,
            issues: issues.iter().map(issue).collect(),
            auto_scaling_groups: group.auto_scaling_groups,
        })
    }

    /// An update of a node group.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub async fn update(&self, cluster: &str, node_group: &str, id: &str) -> Result<UpdateNow, CallError> {
        let call = self.clients.eks.describe_update().name(cluster).nodegroup_name(node_group).update_id(id);
        let answer = call.send().await.map_err(failed(DESCRIBE_UPDATE))?;
        answer.update().map(|update| now(id, update)).ok_or_else(|| {
            let message = "the answer holds no update: the endpoint is not AWS";
            CallError::new(DESCRIBE_UPDATE, ErrorKind::NotAws, "NotAnAwsAnswer", message)
        })
    }

    /// The updates of a node group, the latest first.
    ///
    /// # Errors
    ///
    /// When any of them cannot be read.
    pub async fn updates(&self, cluster: &str, node_group: &str) -> Result<Vec<UpdateNow>, CallError> {
        let listed = pages::collect(LIST_UPDATES, async |token| {
            let call = self.clients.eks.list_updates().name(cluster).nodegroup_name(node_group);
            let page = call.max_results(PAGE).set_next_token(token).send().await;
            let page = page.map_err(failed(LIST_UPDATES))?;
            Ok((page.update_ids.unwrap_or_default(), page.next_token))
        });
        let ids = listed.await.complete()?;
        let updates = stream::iter(&ids).map(|id| self.update(cluster, node_group, id));
        let mut updates: Vec<_> = updates.buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
        updates.sort_by(|a: &UpdateNow, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        Ok(updates)
    }

    /// Has a node group take a version of its template, and says which update that is. Replaces all its nodes.
    ///
    /// Without a pin EKS would take the opportunity to move the group to the cluster's Kubernetes version, and to the
    /// newest release. So a group has to be pinned to exactly what it has, unless its image is its template's.
    ///
    /// # Errors
    ///
    /// When EKS refuses, with [`ErrorKind::Busy`] where another update goes on; with [`ErrorKind::Changed`] where the
    /// group has another template, or is not what it is pinned to.
    pub async fn update_node_group(&self, update: &NodeGroupUpdate) -> Result<String, CallError> {
        let group = self.node_group(&update.cluster, &update.node_group).await?;
        check(update, &group).map_err(|why| {
            let message = format!("node group {}/{}: {why}", update.cluster, update.node_group);
            CallError::refused(UPDATE_NODEGROUP_VERSION, ErrorKind::Changed, message)
        })?;
        let template = LaunchTemplateSpecification::builder()
            .id(update.template.as_str())
            .version(update.version.to_string())
            .build();
        let (version, release) = update.pin.clone().unzip();
        let call = self
            .clients
            .eks
            .update_nodegroup_version()
            .cluster_name(&update.cluster)
            .nodegroup_name(&update.node_group)
            .launch_template(template)
            .set_version(version)
            .set_release_version(release)
            .force(update.force)
            .client_request_token(&update.client_token);
        let answer = call.send().await.map_err(failed(UPDATE_NODEGROUP_VERSION))?;
        answer.update().and_then(types::Update::id).map(str::to_owned).ok_or_else(|| {
            let message = "the answer names no update: the endpoint is not AWS";
            CallError::new(UPDATE_NODEGROUP_VERSION, ErrorKind::NotAws, "NotAnAwsAnswer", message)
        })
    }
}

/// Whether an update changes nothing but the version of the group's own template.
fn check(update: &NodeGroupUpdate, group: &NodeGroupNow) -> Result<(), String> {
    let template = group.template.as_ref().and_then(|template| template.id.as_ref());
    if template != Some(&update.template) {
        return Err(format!("it is not made with {}", update.template));
    }
    let is_custom = group.ami_type.as_deref() == Some(CUSTOM);
    match (&update.pin, is_custom) {
        (None, true) => Ok(()),
        (Some(_), true) => Err("its image is its template's, and cannot be pinned".to_owned()),
        (None, false) => Err("without a pin it would move to another release".to_owned()),
        (Some((version, release)), false) => {
            let has = |had: &Option<String>, pinned: &String| had.as_ref() == Some(pinned);
            if has(&group.version, version) && has(&group.release_version, release) {
                return Ok(());
            }
            let now = |what: &Option<String>| what.clone().unwrap_or_else(|| "unknown".to_owned());
            Err(format!(
                "it is at Kubernetes {} and release {}, and not at {version} and {release} any more",
                now(&group.version),
                now(&group.release_version)
            ))
        }
    }
}

fn issue(from: &types::Issue) -> String {
    let code = from.code().map_or("Unknown", |code| code.as_str());
    said(code, from.message(), from.resource_ids())
}

fn said(code: &str, message: Option<&str>, resources: &[String]) -> String {
    let resources = if resources.is_empty() { String::new() } else { format!(" ({})", resources.join(", ")) };
    format!("{code}: {}{resources}", message.unwrap_or_default())
}

fn now(id: &str, from: &types::Update) -> UpdateNow {
    let error = |error: &types::ErrorDetail| {
        let code = error.error_code().map_or("Unknown", |code| code.as_str());
        said(code, error.error_message(), error.resource_ids())
    };
    let mut parameters = from.params().iter();
    let version = parameters.find(|param| param.r#type() == Some(&UpdateParamType::LaunchTemplateVersion));
    UpdateNow {
        id: from.id().unwrap_or(id).to_owned(),
        status: from.status().map_or("", |status| status.as_str()).to_owned(),
        kind: from.r#type().map_or("", |kind| kind.as_str()).to_owned(),
        template_version: version.and_then(|param| param.value()?.parse().ok()),
        errors: from.errors().iter().map(error).collect(),
        created_at: from.created_at().and_then(timestamp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::VersionRef;

    fn group(ami_type: &str) -> NodeGroupNow {
        let template = TemplateRef { id: Some("lt-1".into()), name: None, version: VersionRef::Number(3) };
        NodeGroupNow {
            status: "ACTIVE".to_owned(),
            template: Some(template),
            version: Some("1.33".to_owned()),
            release_version: Some("1.33.0-20261101".to_owned()),
            ami_type: Some(ami_type.to_owned()),
            issues: Vec::new(),
            auto_scaling_groups: Vec::new(),
        }
    }

    fn update(pin: Option<(&str, &str)>) -> NodeGroupUpdate {
        NodeGroupUpdate {
            cluster: "blue".to_owned(),
            node_group: "apps".to_owned(),
            template: "lt-1".into(),
            version: 4,
            pin: pin.map(|(version, release)| (version.to_owned(), release.to_owned())),
            force: false,
            client_token: "token".to_owned(),
        }
    }

    #[test]
    fn a_group_moves_to_no_other_release() {
        let eks = group("AL2023_x86_64_STANDARD");
        assert_eq!(check(&update(Some(("1.33", "1.33.0-20261101"))), &eks), Ok(()));
        assert!(check(&update(None), &eks).unwrap_err().contains("without a pin"));
        let moved = check(&update(Some(("1.33", "1.33.0-20261001"))), &eks).unwrap_err();
        assert!(moved.contains("release 1.33.0-20261101, and not at 1.33 and 1.33.0-20261001"), "{moved}");
        assert_eq!(check(&update(None), &group(CUSTOM)), Ok(()));
        assert!(check(&update(Some(("1.33", "x"))), &group(CUSTOM)).is_err());
    }

    #[test]
    fn a_group_keeps_its_template() {
        let mut other = group(CUSTOM);
        other.template =
            Some(TemplateRef { id: None, name: Some("web".into()), version: VersionRef::Latest });
        assert!(check(&update(None), &other).is_err());
        other.template = None;
        assert!(check(&update(None), &other).is_err());
    }

    #[test]
    fn a_failed_update_says_what_went_wrong_and_where() {
        let detail = types::ErrorDetail::builder()
            .error_code(types::ErrorCode::PodEvictionFailure)
            .error_message("Reached max retries while trying to evict pods")
            .resource_ids("ip-10-0-0-1")
            .build();
        let version =
            types::UpdateParam::builder().r#type(UpdateParamType::LaunchTemplateVersion).value("7").build();
        let from = types::Update::builder()
            .status(types::UpdateStatus::Failed)
            .errors(detail)
            .params(version)
            .build();
        let update = now("u-1", &from);
        assert_eq!((update.status.as_str(), update.template_version), ("Failed", Some(7)));
        assert_eq!(
            update.errors,
            ["PodEvictionFailure: Reached max retries while trying to evict pods (ip-10-0-0-1)"]
        );
    }
}
