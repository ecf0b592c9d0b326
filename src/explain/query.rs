//! What was asked for: an id, a name or an ARN, and what it means in an inventory.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::finding::ResourceType;
use crate::lineage::Subject;
use crate::model::{AccountId, AutoScalingGroup, Inventory, Region};

/// What can be explained; in the order several are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An EKS cluster.
    Cluster,
    /// A managed node group.
    NodeGroup,
    /// An Auto Scaling group of the user's own, of a cluster or not.
    AutoScalingGroup,
    /// A launch template.
    LaunchTemplate,
    /// An instance.
    Instance,
}

/// A resource as the user names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    text: String,
    /// Where and what, if an ARN says so.
    arn: Option<(Kind, String, String)>,
}

/// An ARN that names nothing that can be explained.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not the ARN of an instance, a launch template, a node group, an Auto Scaling group or a cluster"
)]
pub struct BadQuery(String);

impl Query {
    /// Reads an id, a name, `CLUSTER/NAME` or an ARN.
    pub fn parse(text: &str) -> Result<Self, BadQuery> {
        let text = text.trim();
        if !text.starts_with("arn:") {
            return Ok(Self { text: text.to_owned(), arn: None });
        }
        let bad = || BadQuery(text.to_owned());
        let parts: Vec<_> = text.splitn(6, ':').collect();
        let [_, _, service, region, account, resource] = parts[..] else { return Err(bad()) };
        let (kind, name) = resource_of(service, resource).ok_or_else(bad)?;
        Ok(Self { text: name, arn: Some((kind, account.to_owned(), region.to_owned())) })
    }

    /// Whether what is asked for may be in an account and a Region.
    pub fn may_be_in(&self, account: &AccountId, region: &Region) -> bool {
        self.arn.as_ref().is_none_or(|(_, its_account, its_region)| {
            account.as_str() == its_account && region.as_str() == its_region
        })
    }

    /// Whether what is asked for may be in an account.
    pub fn may_be_in_account(&self, account_id: &AccountId) -> bool {
        self.arn.as_ref().is_none_or(|(_, account, _)| account_id.as_str() == account)
    }

    /// The Region, if an ARN names it.
    pub fn region(&self) -> Option<&str> {
        self.arn.as_ref().map(|(_, _, region)| region.as_str())
    }

    /// Whether it may be a launch template that nothing launches from, so that they all have to be read.
    pub fn may_be_template(&self) -> bool {
        let instance = self.arn.is_none() && self.text.starts_with("i-");
        self.may_be(Kind::LaunchTemplate) && !instance && !self.text.contains('/')
    }

    /// What to look for wherever it belongs, if it may be something that need not belong to a cluster.
    pub fn wherever(&self) -> Option<&str> {
        let kinds = [Kind::Instance, Kind::AutoScalingGroup, Kind::LaunchTemplate];
        kinds.into_iter().any(|kind| self.may_be(kind)).then_some(&*self.text)
    }

    pub(super) fn may_be(&self, kind: Kind) -> bool {
        self.arn.as_ref().is_none_or(|(only, _, _)| *only == kind)
    }

    /// Whether it means the cluster of this name.
    pub(super) fn means_cluster(&self, name: &str) -> bool {
        self.may_be(Kind::Cluster) && self.text == name
    }

    /// Whether it means this subject. EKS's copy of a template and the Auto Scaling group of a managed node group are
    /// explained as the node group.
    pub(super) fn means(&self, inventory: &Inventory, subject: &Subject<'_>) -> bool {
        let resource = &subject.resource;
        let by_id = resource.id == self.text;
        let by_name = resource.name.as_deref() == Some(&*self.text);
        match resource.r#type {
            ResourceType::Instance => self.may_be(Kind::Instance) && by_id,
            ResourceType::LaunchTemplate => self.may_be(Kind::LaunchTemplate) && (by_id || by_name),
            ResourceType::AutoScalingGroup => self.may_be(Kind::AutoScalingGroup) && by_id,
            ResourceType::NodeGroup => {
                (self.may_be(Kind::NodeGroup) && (by_id || by_name))
                    || (self.may_be(Kind::LaunchTemplate) && launches_from(subject, &self.text))
                    || (self.may_be(Kind::AutoScalingGroup)
                        && groups_of(inventory, subject).iter().any(|group| group.name == self.text))
            }
            ResourceType::AccountDefaults | ResourceType::Exemption => false,
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// What the last part of an ARN names.
fn resource_of(service: &str, resource: &str) -> Option<(Kind, String)> {
    let slash = |prefix: &str| resource.strip_prefix(prefix).filter(|rest| !rest.is_empty());
    match service {
        "ec2" => slash("instance/")
            .map(|id| (Kind::Instance, id.to_owned()))
            .or_else(|| slash("launch-template/").map(|id| (Kind::LaunchTemplate, id.to_owned()))),
        "eks" => slash("cluster/").map(|name| (Kind::Cluster, name.to_owned())).or_else(|| {
            let mut parts = slash("nodegroup/")?.split('/');
            let (cluster, name) = (parts.next()?, parts.next()?);
            Some((Kind::NodeGroup, format!("{cluster}/{name}")))
        }),
        "autoscaling" => {
            let (_, name) = slash("autoScalingGroup:")?.split_once(":autoScalingGroupName/")?;
            Some((Kind::AutoScalingGroup, name.to_owned()))
        }
        _ => None,
    }
}

fn launches_from(subject: &Subject<'_>, template: &str) -> bool {
    subject.variants.iter().filter_map(|variant| variant.template.as_ref()).any(|identity| {
        identity.owned_by == crate::finding::TemplateOwner::Eks
            && (identity.id == Some(template) || identity.name == Some(template))
    })
}

/// The Auto Scaling groups of a node group: as EKS lists them, or as their own tags say.
pub(super) fn groups_of<'a>(inventory: &'a Inventory, subject: &Subject<'_>) -> Vec<&'a AutoScalingGroup> {
    let (Some(cluster), Some(name)) = (subject.cluster, subject.node_group) else { return Vec::new() };
    let listed = inventory
        .node_groups
        .iter()
        .find(|group| group.cluster == cluster && group.name == name)
        .map_or(&[][..], |group| &group.auto_scaling_groups);
    let is_its_own = |group: &&AutoScalingGroup| {
        if listed.is_empty() {
            group.tags.cluster() == Some(cluster) && group.tags.node_group() == Some(name)
        } else {
            listed.contains(&group.name)
        }
    };
    inventory.auto_scaling_groups.iter().filter(is_its_own).collect()
}
