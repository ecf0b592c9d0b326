//! What EC2 would say to a change, without making it.
//!
//! A dry run proves a permission. It does not prove that EC2 would take the values. EKS and Auto Scaling have none.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

use aws_sdk_ec2::error::ProvideErrorMetadata;

use super::{Changer, NewVersion, VersionNow, defaults, instances, versions};
use crate::aws::errors::{CallError, ErrorKind};
use crate::aws::operations::{
    CREATE_LAUNCH_TEMPLATE_VERSION, DELETE_LAUNCH_TEMPLATE_VERSIONS, MODIFY_INSTANCE_METADATA_DEFAULTS,
    MODIFY_INSTANCE_METADATA_OPTIONS, MODIFY_LAUNCH_TEMPLATE, Operation,
};
use crate::model::{InstanceId, MetadataOptions, OptionName, TemplateId};

/// What a dry run says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rehearsal {
    /// The caller may do it.
    Allowed,
    /// The caller may not.
    Denied {
        /// What AWS says.
        message: String,
    },
    /// Nobody knows: there is no dry run of this, or it failed for another reason.
    NotTestable {
        /// Why.
        reason: String,
    },
}

impl Changer {
    /// Whether a version could be made, by [`Self::create_version`].
    pub async fn rehearse_create_version(&self, new: &NewVersion, source: &VersionNow) -> Rehearsal {
        let operation = CREATE_LAUNCH_TEMPLATE_VERSION;
        match versions::creation(&self.rehearsal, new, source) {
            Ok(call) => heard(operation, call.dry_run(true).send().await),
            Err(error) => not_testable(&error),
        }
    }

    /// Whether a default could be moved, by [`Self::set_default`].
    pub async fn rehearse_set_default(&self, id: &TemplateId, number: i64) -> Rehearsal {
        let call = self.rehearsal.modify_launch_template().launch_template_id(id.as_str());
        let call = call.default_version(number.to_string()).dry_run(true);
        heard(MODIFY_LAUNCH_TEMPLATE, call.send().await)
    }

    /// Whether a version could be deleted, by [`Self::delete_version`].
    pub async fn rehearse_delete_version(&self, id: &TemplateId, number: i64) -> Rehearsal {
        let call = self.rehearsal.delete_launch_template_versions().launch_template_id(id.as_str());
        let call = call.versions(number.to_string()).dry_run(true);
        heard(DELETE_LAUNCH_TEMPLATE_VERSIONS, call.send().await)
    }

    /// Whether an instance could be changed, by [`Self::modify_instance`].
    pub async fn rehearse_modify_instance(&self, id: &InstanceId, metadata: &MetadataOptions) -> Rehearsal {
        match instances::modification(&self.rehearsal, id, metadata) {
            Ok(call) => heard(MODIFY_INSTANCE_METADATA_OPTIONS, call.dry_run(true).send().await),
            Err(error) => not_testable(&error),
        }
    }

    /// Whether the account's defaults could be changed, by [`Self::modify_defaults`].
    pub async fn rehearse_modify_defaults(
        &self,
        metadata: &MetadataOptions,
        no_preference: &[OptionName],
    ) -> Rehearsal {
        match defaults::defaults(&self.rehearsal, metadata, no_preference) {
            Ok(call) => heard(MODIFY_INSTANCE_METADATA_DEFAULTS, call.dry_run(true).send().await),
            Err(error) => not_testable(&error),
        }
    }
}

/// What the answer means. Success is an error here; what is none is from a server that does not know dry runs.
fn heard<T, E>(operation: Operation, answer: Result<T, SdkError<E, HttpResponse>>) -> Rehearsal
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match answer.map_err(|error| CallError::from_sdk(operation, &error)) {
        Err(error) if error.kind == ErrorKind::DryRun => Rehearsal::Allowed,
        Err(error) if error.kind == ErrorKind::AccessDenied => Rehearsal::Denied { message: error.summary() },
        Err(error) => not_testable(&error),
        Ok(_) => Rehearsal::NotTestable {
            reason: format!("the endpoint took the dry run of {operation} for the real thing: it is not AWS"),
        },
    }
}

fn not_testable(error: &CallError) -> Rehearsal {
    Rehearsal::NotTestable { reason: format!("{} ({})", error.summary(), error.code) }
}
