//! Who launches from a version.

use futures::stream::{self, StreamExt, TryStreamExt};

use super::Changer;
use crate::aws::convert::autoscaling as convert;
use crate::aws::errors::{CallError, ErrorKind, failed};
use crate::aws::fleets;
use crate::aws::operations::{DESCRIBE_AUTO_SCALING_GROUPS, LIST_CLUSTERS, LIST_NODEGROUPS};
use crate::aws::pages;
use crate::model::{AutoScalingGroup, GroupLaunch, TemplateId, TemplateRef, VersionRef};

/// The most groups, clusters or node groups in a page.
const PAGE: i32 = 100;

/// How many clusters, and how many node groups of one, are asked about at once.
const SIDE_BY_SIDE: usize = 10;

/// Someone who launches from a version of a template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VersionUse {
    /// Who: `Auto Scaling group NAME`, `node group CLUSTER/NAME`, `fleet ID`.
    pub user: String,
    /// By which reference.
    pub by: VersionRef,
}

impl Changer {
    /// Who launches from a version of a template, by its number or by what means it at the moment: Auto Scaling
    /// groups, managed node groups, EC2 Fleets and Spot Fleets. Whoever runs instances by hand is not among them.
    ///
    /// # Errors
    ///
    /// When any of these cannot be read: what was not seen may use it.
    pub async fn uses_of(&self, id: &TemplateId, number: i64) -> Result<Vec<VersionUse>, CallError> {
        let template = self.template(id).await?;
        let means = |reference: &TemplateRef| {
            let by_name = || reference.name.as_deref() == Some(template.name.as_str());
            let is_template = reference.id.as_ref().map_or_else(by_name, |other| other == id);
            let meant = match reference.version {
                VersionRef::Number(number) => number,
                VersionRef::Latest => template.latest_version,
                VersionRef::Default => template.default_version,
            };
            (is_template && meant == number).then_some(reference.version)
        };
        let (groups, node_groups, fleets) =
            futures::try_join!(self.groups(), self.node_groups(), fleets::able_to_launch(&self.clients.ec2))?;
        let mut uses = Vec::new();
        let mut note = |user: String, references: &mut dyn Iterator<Item = &TemplateRef>| {
            uses.extend(references.filter_map(means).map(|by| VersionUse { user: user.clone(), by }));
        };
        for group in &groups {
            note(format!("Auto Scaling group {}", group.name), &mut references(&group.launch).into_iter());
        }
        for (name, template) in &node_groups {
            note(format!("node group {name}"), &mut std::iter::once(template));
        }
        for fleet in &fleets {
            note(format!("fleet {}", fleet.id), &mut fleet.templates.iter());
        }
        uses.sort();
        uses.dedup();
        Ok(uses)
    }

    async fn groups(&self) -> Result<Vec<AutoScalingGroup>, CallError> {
        let listed = pages::collect(DESCRIBE_AUTO_SCALING_GROUPS, async |token| {
            let call = self.clients.autoscaling.describe_auto_scaling_groups();
            let page = call.max_records(PAGE).set_next_token(token).send().await;
            let page = page.map_err(failed(DESCRIBE_AUTO_SCALING_GROUPS))?;
            let groups = page.auto_scaling_groups().iter().filter_map(convert::group);
            Ok((groups.map(|group| group.model).collect(), page.next_token))
        });
        listed.await.complete()
    }

    /// The node groups that are made with a template, as `cluster/name`, and that template.
    async fn node_groups(&self) -> Result<Vec<(String, TemplateRef)>, CallError> {
        let clusters = pages::collect(LIST_CLUSTERS, async |token| {
            let call = self.clients.eks.list_clusters().max_results(PAGE).set_next_token(token);
            let page = call.send().await.map_err(failed(LIST_CLUSTERS))?;
            Ok((page.clusters.unwrap_or_default(), page.next_token))
        });
        let clusters = clusters.await.complete()?;
        let found = stream::iter(&clusters).map(|cluster| self.node_groups_of(cluster));
        let found: Vec<Vec<_>> = found.buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn node_groups_of(&self, cluster: &str) -> Result<Vec<(String, TemplateRef)>, CallError> {
        let names = pages::collect(LIST_NODEGROUPS, async |token| {
            let call = self.clients.eks.list_nodegroups().cluster_name(cluster).max_results(PAGE);
            let page = call.set_next_token(token).send().await.map_err(failed(LIST_NODEGROUPS))?;
            Ok((page.nodegroups.unwrap_or_default(), page.next_token))
        });
        let names = names.await.complete()?;
        let described = stream::iter(names).map(async |name: String| {
            match self.node_group(cluster, &name).await {
                // It was deleted meanwhile, and launches nothing.
                Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
                group => Ok(group?.template.map(|template| (format!("{cluster}/{name}"), template))),
            }
        });
        let described: Vec<_> = described.buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
        Ok(described.into_iter().flatten().collect())
    }
}

/// Every reference of a group, one that no launch takes included: Auto Scaling checks them all.
fn references(launch: &GroupLaunch) -> Vec<&TemplateRef> {
    match launch {
        GroupLaunch::Template(template) => vec![template],
        GroupLaunch::Mixed { base, overrides } => {
            std::iter::once(base).chain(overrides.iter().filter_map(|one| one.template.as_ref())).collect()
        }
        GroupLaunch::Configuration(_) | GroupLaunch::Unknown => Vec::new(),
    }
}
