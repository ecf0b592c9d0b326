//! Which updates of a managed node group EKS takes on, and what it makes of what was not said.

use serde::{Deserialize, Serialize};

use super::launching::id_of;
use super::updates::{Before, Phase, Update, UpdateStatus, UpdateTarget};
use crate::world::{Cluster, Image, NodeGroup, Progress, Region, TemplateReference};

/// A template as an update names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedTemplate {
    /// By its id…
    pub id: Option<String>,
    /// …or by its name.
    pub name: Option<String>,
    /// A number, `$Latest` or `$Default`.
    pub version: Option<String>,
}

/// What an `UpdateNodegroupVersion` asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedUpdate {
    /// The user's template.
    pub template: Option<AskedTemplate>,
    /// A Kubernetes version.
    pub version: Option<String>,
    /// A release of the image.
    pub release_version: Option<String>,
    /// Do pods that cannot be evicted have to go?
    pub force: bool,
}

/// Why EKS does not take an update on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateRefusal {
    /// `InvalidParameterException`.
    Invalid(String),
    /// `ResourceInUseException`.
    InUse(String),
}

/// An image that EKS publishes for an AMI type.
#[derive(Debug, Clone)]
pub struct Release {
    /// `1.33.4-20261105`.
    pub version: String,
    /// The image.
    pub image: Image,
}

/// The release of an AMI type for a Kubernetes version: the named one, or the newest.
pub type Releases<'r> = &'r dyn Fn(&str, &str, Option<&str>) -> Option<Release>;

type Admitted<T> = Result<T, UpdateRefusal>;

impl Region {
    /// Begins an update of a node group that exists. It is in progress when this returns, and nothing has been
    /// replaced.
    ///
    /// # Errors
    /// EKS does not take it on; then nothing changes.
    pub fn begin_update(
        &mut self,
        cluster: &str,
        node_group: &str,
        asked: AskedUpdate,
        releases: Releases<'_>,
        now: i64,
    ) -> Admitted<Update> {
        let missing = || invalid(format!("No node group found for name: {node_group}."));
        let inside = self.clusters.get(cluster).ok_or_else(missing)?;
        let group = inside.node_groups.get(node_group).ok_or_else(missing)?;
        let target = self.target_of(inside, group, &asked, releases)?;
        if inside.status != "ACTIVE" || self.status_of(group) != "ACTIVE" {
            return Err(UpdateRefusal::InUse(
                "Nodegroup cannot be updated as it is currently not in Active State".to_owned(),
            ));
        }
        let scaling = self.groups.get(&group.group).ok_or_else(missing)?;
        let update = Update {
            id: id_of(&group.arn, "update", group.updates.len()),
            created: now,
            asked,
            target,
            status: UpdateStatus::InProgress,
            errors: Vec::new(),
            phase: Phase::SetUp,
            before: Before { copy: group.copy.clone(), desired: scaling.desired, max: scaling.max },
            replaced: 0,
            progress: Progress::default(),
        };
        let group = self.node_group_mut(cluster, node_group).ok_or_else(missing)?;
        "UPDATING".clone_into(&mut group.status);
        group.updates.push(update.clone());
        Ok(update)
    }

    fn target_of(
        &self,
        cluster: &Cluster,
        group: &NodeGroup,
        asked: &AskedUpdate,
        releases: Releases<'_>,
    ) -> Admitted<UpdateTarget> {
        let template = self.template_of(group, asked)?;
        let (version, release_version, image) = if group.ami_type == "CUSTOM" {
            let image = self.custom_image(asked, template.as_ref())?;
            (None, image, None)
        } else {
            let release = self.release_of(cluster, group, asked, releases)?;
            (Some(release.0), release.1.version, Some(release.1.image))
        };
        Ok(UpdateTarget { template, version, release_version, image })
    }

    /// The user's template in the version that is meant; a number, whatever was asked.
    fn template_of(&self, group: &NodeGroup, asked: &AskedUpdate) -> Admitted<Option<TemplateReference>> {
        let Some(wanted) = &asked.template else { return Ok(group.template.clone()) };
        if wanted.id.is_some() == wanted.name.is_some() {
            return Err(invalid("Either provide launch template ID or launch template name in the request."));
        }
        let Some(present) = &group.template else {
            return Err(invalid(
                "You cannot specify a launch template in the update request of a node group that was not deployed with \
                 a launch template.",
            ));
        };
        let same = wanted.id.as_ref().is_none_or(|id| *id == present.id)
            && wanted.name.as_ref().is_none_or(|name| *name == present.name);
        if !same {
            return Err(invalid(
                "The launch template ID or name must match what was used when the node group was created.",
            ));
        }
        let template = self
            .templates
            .get(&present.id)
            .ok_or_else(|| invalid(format!("Launch template with ID {} was not found.", present.id)))?;
        let version = wanted.version.as_deref().unwrap_or("$Default");
        let number = template.number_of(version).filter(|number| template.versions.contains_key(number));
        let number = number.ok_or_else(|| {
            invalid(format!("Version {version} of the launch template with ID {} was not found.", present.id))
        })?;
        let data = &template.versions[&number].data;
        if data.image.is_some() != (group.ami_type == "CUSTOM") {
            return Err(invalid(
                "You cannot change from an image of Amazon EKS to one in the launch template, or back.",
            ));
        }
        Ok(Some(TemplateReference { id: template.id.clone(), name: template.name.clone(), version: number }))
    }

    /// The image of a node group whose template names it: nothing else may say which version it is.
    fn custom_image(&self, asked: &AskedUpdate, template: Option<&TemplateReference>) -> Admitted<String> {
        for (field, value) in
            [("kubernetesVersion", &asked.version), ("releaseVersion", &asked.release_version)]
        {
            if value.is_some() {
                return Err(invalid(format!("You cannot specify the field {field} when using custom AMIs.")));
            }
        }
        let used = template.filter(|_| asked.template.is_some());
        let used = used
            .ok_or_else(|| invalid("Launch template details can't be null for Custom ami type node group"))?;
        let version = self.templates.get(&used.id).and_then(|template| template.versions.get(&used.version));
        let image = version.and_then(|version| version.data.resolved_image.clone());
        image.ok_or_else(|| invalid("The launch template names no image."))
    }

    /// What is not said becomes the cluster's version, and the newest release of that.
    fn release_of(
        &self,
        cluster: &Cluster,
        group: &NodeGroup,
        asked: &AskedUpdate,
        releases: Releases<'_>,
    ) -> Admitted<(String, Release)> {
        let version = asked.version.as_ref().unwrap_or(&cluster.version);
        let present = group.version.as_deref().unwrap_or_default();
        if minor(version) > minor(&cluster.version) {
            return Err(invalid(format!(
                "Nodegroup Kubernetes version {version} cannot be greater than cluster Kubernetes version {}",
                cluster.version
            )));
        }
        if minor(version) < minor(present) {
            return Err(invalid(format!(
                "Nodegroup Kubernetes version cannot go from {present} to {version}"
            )));
        }
        if version == present && asked.release_version.as_ref() == Some(&group.release_version) {
            // The image that the nodes have now, whatever else is published under that name.
            let copy = self.templates.get(&group.copy.id);
            let present = copy.and_then(|copy| copy.versions.get(&group.copy.version));
            let image = present.and_then(|present| self.images.get(present.data.resolved_image.as_ref()?));
            if let Some(image) = image {
                let release = Release { version: group.release_version.clone(), image: image.clone() };
                return Ok((version.clone(), release));
            }
        }
        let wanted = asked.release_version.as_deref();
        let release = releases(&group.ami_type, version, wanted).ok_or_else(|| {
            invalid(format!(
                "Requested release version {} is not valid for kubernetes version {version}.",
                wanted.unwrap_or("(newest)")
            ))
        })?;
        Ok((version.clone(), release))
    }

    /// A node group.
    pub fn node_group(&self, cluster: &str, name: &str) -> Option<&NodeGroup> {
        self.clusters.get(cluster)?.node_groups.get(name)
    }

    /// A node group, to be changed.
    pub fn node_group_mut(&mut self, cluster: &str, name: &str) -> Option<&mut NodeGroup> {
        self.clusters.get_mut(cluster)?.node_groups.get_mut(name)
    }
}

fn invalid(message: impl Into<String>) -> UpdateRefusal {
    UpdateRefusal::Invalid(message.into())
}

/// `33` of `1.33`.
fn minor(version: &str) -> u32 {
    version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or_default()
}
