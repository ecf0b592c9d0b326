//! Launch templates and their versions, as they are now.

use aws_sdk_ec2::types::{LaunchTemplateVersion, ResponseLaunchTemplateData};

use super::{Changer, Rest, guard};
use crate::aws::convert::ec2::{listed_template, template_options};
use crate::aws::errors::{CallError, ErrorKind, failed};
use crate::aws::operations::{DESCRIBE_LAUNCH_TEMPLATE_VERSIONS, DESCRIBE_LAUNCH_TEMPLATES};
use crate::aws::pages;
use crate::model::{MetadataOptions, Tags, TemplateId};

/// The most versions in a page.
const PAGE: i32 = 200;

/// A launch template as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateNow {
    /// Its name.
    pub name: String,
    /// The number of its default version.
    pub default_version: i64,
    /// The number of its latest version.
    pub latest_version: i64,
    /// Its tags.
    pub tags: Tags,
}

/// A version of a launch template as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionNow {
    /// Its number.
    pub number: i64,
    /// The metadata options that it sets.
    pub metadata: MetadataOptions,
    /// What it says of itself.
    pub description: Option<String>,
    /// Everything else that it sets.
    pub rest: Rest,
}

impl Changer {
    /// A template.
    ///
    /// # Errors
    ///
    /// When it cannot be read; with [`ErrorKind::NotFound`] where there is none.
    pub async fn template(&self, id: &TemplateId) -> Result<TemplateNow, CallError> {
        Ok(self.template_and_owner(id).await?.0)
    }

    /// A template, and whose it is where it is not the user's.
    pub(super) async fn template_and_owner(
        &self,
        id: &TemplateId,
    ) -> Result<(TemplateNow, Option<String>), CallError> {
        let call = self
            .clients
            .ec2
            .describe_launch_templates()
            .include_managed_resources(true)
            .launch_template_ids(id.as_str());
        let answer = call.send().await.map_err(failed(DESCRIBE_LAUNCH_TEMPLATES))?;
        let mut found = answer.launch_templates().iter();
        let found = found.find(|template| template.launch_template_id() == Some(id.as_str()));
        let read = found.and_then(|from| Some((from, listed_template(from)?)));
        let (from, listed) = read.ok_or_else(|| {
            let message = format!("there is no launch template {id}");
            CallError::new(DESCRIBE_LAUNCH_TEMPLATES, ErrorKind::NotFound, "NotFound", message)
        })?;
        let template = TemplateNow {
            name: listed.name,
            default_version: listed.default_version,
            latest_version: listed.latest_version,
            tags: listed.tags,
        };
        let owner = guard::owner_of_template(from, &template);
        Ok((template, owner))
    }

    /// A version of a template.
    ///
    /// # Errors
    ///
    /// When it cannot be read; with [`ErrorKind::NotFound`] where there is none.
    pub async fn version(&self, id: &TemplateId, number: i64) -> Result<VersionNow, CallError> {
        let call = self
            .clients
            .ec2
            .describe_launch_template_versions()
            .include_managed_resources(true)
            .launch_template_id(id.as_str())
            .versions(number.to_string());
        let answer = call.send().await.map_err(failed(DESCRIBE_LAUNCH_TEMPLATE_VERSIONS))?;
        let mut versions = answer.launch_template_versions.unwrap_or_default().into_iter();
        versions.find_map(version).filter(|version| version.number == number).ok_or_else(|| {
            let message = format!("launch template {id} has no version {number}");
            CallError::new(DESCRIBE_LAUNCH_TEMPLATE_VERSIONS, ErrorKind::NotFound, "NotFound", message)
        })
    }

    /// The versions of a template after a number, in their order.
    ///
    /// # Errors
    ///
    /// When any page of them cannot be read.
    pub async fn versions_since(&self, id: &TemplateId, number: i64) -> Result<Vec<VersionNow>, CallError> {
        let listed = pages::collect(DESCRIBE_LAUNCH_TEMPLATE_VERSIONS, async |token| {
            let call = self
                .clients
                .ec2
                .describe_launch_template_versions()
                .include_managed_resources(true)
                .launch_template_id(id.as_str())
                // AWS does not say whether this one is included.
                .min_version(number.to_string())
                .max_results(PAGE)
                .set_next_token(token);
            let page = call.send().await.map_err(failed(DESCRIBE_LAUNCH_TEMPLATE_VERSIONS))?;
            let versions = page.launch_template_versions.unwrap_or_default();
            Ok((versions.into_iter().filter_map(version).collect(), page.next_token))
        });
        let mut versions: Vec<VersionNow> = listed.await.complete()?;
        versions.retain(|version| version.number > number);
        versions.sort_by_key(|version| version.number);
        Ok(versions)
    }
}

fn version(from: LaunchTemplateVersion) -> Option<VersionNow> {
    let data = from.launch_template_data.unwrap_or_else(|| ResponseLaunchTemplateData::builder().build());
    Some(VersionNow {
        number: from.version_number?,
        metadata: data.metadata_options().map(template_options).unwrap_or_default(),
        description: from.version_description.filter(|text| !text.is_empty()),
        rest: Rest::of(data),
    })
}
