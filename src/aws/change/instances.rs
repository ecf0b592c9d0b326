//! Instances: as they are, and with other metadata options.

use aws_sdk_ec2::operation::modify_instance_metadata_options::builders::ModifyInstanceMetadataOptionsFluentBuilder;

use super::Changer;
use super::options::Sendable;
use crate::aws::convert::ec2 as convert;
use crate::aws::errors::{CallError, ErrorKind, failed};
use crate::aws::operations::{DESCRIBE_INSTANCES, MODIFY_INSTANCE_METADATA_OPTIONS};
use crate::model::{InstanceId, InstanceState, MetadataOptions, OptionName, Tags};

/// An instance as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceNow {
    /// Its state.
    pub state: InstanceState,
    /// The options that it has.
    pub metadata: MetadataOptions,
    /// Whether these hold already. Where not, EC2 is still at it.
    pub applied: bool,
    /// The AWS service that manages it, where one does: its principal, as far as that is known.
    pub operator: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

impl Changer {
    /// An instance; nothing where it does not exist any more, or soon will not.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub async fn instance(&self, id: &InstanceId) -> Result<Option<InstanceNow>, CallError> {
        let call = self.clients.ec2.describe_instances().include_managed_resources(true);
        let answer = match call.instance_ids(id.as_str()).send().await.map_err(failed(DESCRIBE_INSTANCES)) {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            answer => answer?,
        };
        let reservations = answer.reservations.unwrap_or_default().into_iter();
        let mut instances = reservations.flat_map(|reservation| reservation.instances.unwrap_or_default());
        let from = instances.find(|instance| instance.instance_id() == Some(id.as_str()));
        Ok(from.and_then(|from| {
            let applied = convert::options_are_applied(&from);
            let instance = convert::instance(from)?;
            let unknown = || "another AWS service".to_owned();
            Some(InstanceNow {
                state: instance.state,
                metadata: instance.metadata,
                applied,
                operator: instance.operator.map(|operator| operator.principal.unwrap_or_else(unknown)),
                tags: instance.tags,
            })
        }))
    }

    /// Sets the metadata options of an instance, until it is replaced.
    ///
    /// # Errors
    ///
    /// When EC2 refuses, when a service manages the instance, when it is gone, or when tokens, hop limit or endpoint
    /// are not among the options.
    pub async fn modify_instance(
        &self,
        id: &InstanceId,
        metadata: &MetadataOptions,
    ) -> Result<(), CallError> {
        let refused = |kind, message| CallError::refused(MODIFY_INSTANCE_METADATA_OPTIONS, kind, message);
        let call = modification(&self.clients.ec2, id, metadata)?;
        match self.instance(id).await? {
            None => return Err(refused(ErrorKind::NotFound, format!("there is no instance {id} any more"))),
            Some(InstanceNow { operator: Some(operator), .. }) => {
                let message = format!("instance {id} belongs to {operator}, and is never written");
                return Err(refused(ErrorKind::NotOurs, message));
            }
            Some(_) => {}
        }
        call.send().await.map_err(failed(MODIFY_INSTANCE_METADATA_OPTIONS)).map(drop)
    }
}

/// The request that sets an instance's options, not sent yet.
///
/// AWS says only of the hop limit and the endpoint that they stay as they are where they are left out, and elsewhere
/// that the endpoint has to be named with any other. So all three are.
pub(super) fn modification(
    ec2: &aws_sdk_ec2::Client,
    id: &InstanceId,
    metadata: &MetadataOptions,
) -> Result<ModifyInstanceMetadataOptionsFluentBuilder, CallError> {
    use OptionName::{
        HttpEndpoint, HttpProtocolIpv6, HttpPutResponseHopLimit, HttpTokens, InstanceMetadataTags,
    };

    let options = Sendable::new(MODIFY_INSTANCE_METADATA_OPTIONS, metadata)?;
    for option in [HttpTokens, HttpPutResponseHopLimit, HttpEndpoint] {
        if metadata.get(option).is_none() {
            let message = format!("instance {id}: {option} is not among the options that are to be set");
            return Err(CallError::refused(MODIFY_INSTANCE_METADATA_OPTIONS, ErrorKind::Other, message));
        }
    }
    Ok(ec2
        .modify_instance_metadata_options()
        .instance_id(id.as_str())
        .set_http_tokens(options.word(HttpTokens))
        .set_http_put_response_hop_limit(options.hops())
        .set_http_endpoint(options.word(HttpEndpoint))
        .set_http_protocol_ipv6(options.word(HttpProtocolIpv6))
        .set_instance_metadata_tags(options.word(InstanceMetadataTags)))
}
