//! Versions of launch templates: making one, making one the default, deleting one.

use aws_sdk_ec2::operation::create_launch_template_version::builders::CreateLaunchTemplateVersionFluentBuilder;
use aws_sdk_ec2::types::{LaunchTemplateVersion, RequestLaunchTemplateData, ValidationWarning};

use super::options::Sendable;
use super::{Changer, VersionNow};
use crate::aws::errors::{CallError, ErrorKind, failed};
use crate::aws::operations::{
    CREATE_LAUNCH_TEMPLATE_VERSION, DELETE_LAUNCH_TEMPLATE_VERSIONS, MODIFY_LAUNCH_TEMPLATE,
};
use crate::model::{MetadataOptions, TemplateId};

/// A version of a launch template that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVersion {
    /// The template.
    pub template: TemplateId,
    /// The version that it is made from. What is not said below is taken over from it.
    pub source: i64,
    /// All its metadata options. What is not set here is not sent, so that a source must not set it either.
    pub metadata: MetadataOptions,
    /// What it says of itself.
    pub description: String,
    /// By which EC2 knows the request again, and answers with the version that it has made already.
    pub client_token: String,
}

/// What came of making a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its number.
    pub number: i64,
    /// What EC2 finds wrong with it, `code: message` each. It was made all the same; nothing should use it.
    pub warnings: Vec<String>,
}

impl Changer {
    /// Makes a version of a template. Nothing uses it yet, but whoever launches from `$Latest`.
    ///
    /// What EC2 has made is not proven to be what was asked for: [`Self::version`] reads it, and [`super::Rest`]
    /// compares it.
    ///
    /// # Errors
    ///
    /// When EC2 refuses, when the template is not the user's, or when its source cannot be read.
    pub async fn create_version(&self, new: &NewVersion) -> Result<Created, CallError> {
        self.own_template(CREATE_LAUNCH_TEMPLATE_VERSION, &new.template).await?;
        let source = self.version(&new.template, new.source).await?;
        let call = creation(&self.clients.ec2, new, &source)?;
        let answer = call.send().await.map_err(failed(CREATE_LAUNCH_TEMPLATE_VERSION))?;
        let number = answer.launch_template_version().and_then(LaunchTemplateVersion::version_number);
        let number = number.ok_or_else(|| {
            let message = "the answer names no version: the endpoint is not AWS";
            CallError::new(CREATE_LAUNCH_TEMPLATE_VERSION, ErrorKind::NotAws, "NotAnAwsAnswer", message)
        })?;
        Ok(Created { number, warnings: answer.warning().map(warnings).unwrap_or_default() })
    }

    /// Makes a version the default of its template. Whoever launches from `$Default` gets it from here on.
    ///
    /// # Errors
    ///
    /// When EC2 refuses, or when the template is not the user's.
    pub async fn set_default(&self, id: &TemplateId, number: i64) -> Result<(), CallError> {
        self.own_template(MODIFY_LAUNCH_TEMPLATE, id).await?;
        let call = self.clients.ec2.modify_launch_template();
        let call = call.launch_template_id(id.as_str()).default_version(number.to_string());
        call.send().await.map_err(failed(MODIFY_LAUNCH_TEMPLATE)).map(drop)
    }

    /// Deletes a version, which must not be the default. One that is gone already is as good as deleted.
    ///
    /// EC2 does not ask who uses it: see [`Self::uses_of`].
    ///
    /// # Errors
    ///
    /// When EC2 refuses, or when the template is not the user's.
    pub async fn delete_version(&self, id: &TemplateId, number: i64) -> Result<(), CallError> {
        let template = self.own_template(DELETE_LAUNCH_TEMPLATE_VERSIONS, id).await?;
        if template.default_version == number {
            let message = format!("version {number} is the default of launch template {id}");
            return Err(CallError::refused(DELETE_LAUNCH_TEMPLATE_VERSIONS, ErrorKind::Changed, message));
        }
        let call = self.clients.ec2.delete_launch_template_versions();
        let call = call.launch_template_id(id.as_str()).versions(number.to_string());
        let answer = call.send().await.map_err(failed(DELETE_LAUNCH_TEMPLATE_VERSIONS))?;
        // What could not be deleted is part of an answer that says success.
        let failures = answer.unsuccessfully_deleted_launch_template_versions();
        let failure = failures.iter().filter_map(|item| item.response_error()).find_map(|error| {
            let code = error.code().map_or("UnknownError", |code| code.as_str());
            (code != "launchTemplateVersionDoesNotExist").then(|| (code, error.message().unwrap_or_default()))
        });
        failure.map_or(Ok(()), |(code, message)| {
            Err(CallError::new(DELETE_LAUNCH_TEMPLATE_VERSIONS, ErrorKind::Other, code, message))
        })
    }
}

/// The request that makes a version, not sent yet.
pub(super) fn creation(
    ec2: &aws_sdk_ec2::Client,
    new: &NewVersion,
    source: &VersionNow,
) -> Result<CreateLaunchTemplateVersionFluentBuilder, CallError> {
    let options = Sendable::new(CREATE_LAUNCH_TEMPLATE_VERSION, &new.metadata)?;
    let data = RequestLaunchTemplateData::builder()
        .metadata_options(options.block())
        .set_block_device_mappings(source.rest.block_devices_to_repeat())
        .build();
    Ok(ec2
        .create_launch_template_version()
        .launch_template_id(new.template.as_str())
        .source_version(new.source.to_string())
        .version_description(&new.description)
        .client_token(&new.client_token)
        // Otherwise the image of a parameter would be read back as the image that it stands for today.
        .resolve_alias(false)
        .launch_template_data(data))
}

fn warnings(warning: &ValidationWarning) -> Vec<String> {
    let said = |error: &aws_sdk_ec2::types::ValidationError| {
        format!("{}: {}", error.code().unwrap_or("unknown"), error.message().unwrap_or_default())
    };
    warning.errors().iter().map(said).collect()
}
