//! EC2: instances, images, launch templates, account defaults.

use aws_sdk_ec2::types;

use super::{hops, word};
use crate::aws::lean;
use crate::model::{
    AccountDefaults, Image, ImageRef, ImdsSupport, Instance, InstanceState, MetadataOptions, Operator, Tags,
    TemplateId, TemplateVersion,
};

fn tags(tags: Vec<types::Tag>) -> Tags {
    tags.into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect()
}

/// The instances that one of an answer stands for, which has the ids of all that are like it: see [`lean`].
pub fn instances(from: types::Instance) -> Vec<Instance> {
    let ids = from.instance_id.clone().unwrap_or_default();
    let Some(one) = instance(from) else { return Vec::new() };
    ids.split(lean::BETWEEN).map(|id| Instance { id: id.into(), ..one.clone() }).collect()
}

/// An instance, unless it is terminated or about to be. It is taken apart, since there are many, with many tags each.
pub fn instance(from: types::Instance) -> Option<Instance> {
    Some(Instance {
        state: state(from.state().and_then(types::InstanceState::name))?,
        metadata: from.metadata_options().map(instance_options).unwrap_or_default(),
        operator: from.operator().and_then(operator),
        id: from.instance_id?.into(),
        image: from.image_id.filter(|id| !id.is_empty()).map(Into::into),
        instance_type: from.instance_type.map(|kind| kind.as_str().to_owned()),
        tags: tags(from.tags.unwrap_or_default()),
    })
}

fn state(name: Option<&types::InstanceStateName>) -> Option<InstanceState> {
    match name.map(types::InstanceStateName::as_str) {
        Some("pending") => Some(InstanceState::Pending),
        Some("running") => Some(InstanceState::Running),
        Some("stopping") => Some(InstanceState::Stopping),
        Some("stopped") => Some(InstanceState::Stopped),
        Some("shutting-down" | "terminated") => None,
        _ => Some(InstanceState::Other),
    }
}

fn instance_options(from: &types::InstanceMetadataOptionsResponse) -> MetadataOptions {
    MetadataOptions {
        http_tokens: word(from.http_tokens().map(types::HttpTokensState::as_str)),
        http_put_response_hop_limit: hops(from.http_put_response_hop_limit()),
        http_endpoint: word(from.http_endpoint().map(types::InstanceMetadataEndpointState::as_str)),
        http_protocol_ipv6: word(from.http_protocol_ipv6().map(types::InstanceMetadataProtocolState::as_str)),
        instance_metadata_tags: word(
            from.instance_metadata_tags().map(types::InstanceMetadataTagsState::as_str),
        ),
    }
}

/// Whether an instance's options are what it answers by, and not only what was asked of EC2.
pub fn options_are_applied(from: &types::Instance) -> bool {
    let state = from.metadata_options().and_then(types::InstanceMetadataOptionsResponse::state);
    state.is_none_or(|state| state.as_str() != "pending")
}

fn operator(from: &types::OperatorResponse) -> Option<Operator> {
    let managed = from.managed() == Some(true);
    managed.then(|| Operator { principal: from.principal().map(str::to_owned) })
}

/// A template as `DescribeLaunchTemplates` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTemplate {
    pub id: TemplateId,
    pub name: String,
    pub tags: Tags,
    pub default_version: i64,
    pub latest_version: i64,
}

pub fn listed_template(from: &types::LaunchTemplate) -> Option<ListedTemplate> {
    Some(ListedTemplate {
        id: from.launch_template_id()?.into(),
        name: from.launch_template_name().unwrap_or_default().to_owned(),
        tags: tags(from.tags().to_vec()),
        default_version: from.default_version_number()?,
        latest_version: from.latest_version_number()?,
    })
}

/// A version as `DescribeLaunchTemplateVersions` lists it, with the template that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVersion {
    pub template: TemplateId,
    pub name: String,
    pub is_default: bool,
    pub version: TemplateVersion,
}

pub fn listed_version(from: &types::LaunchTemplateVersion) -> Option<ListedVersion> {
    let data = from.launch_template_data();
    Some(ListedVersion {
        template: from.launch_template_id()?.into(),
        name: from.launch_template_name().unwrap_or_default().to_owned(),
        is_default: from.default_version() == Some(true),
        version: TemplateVersion {
            number: from.version_number()?,
            image: image_ref(data.and_then(types::ResponseLaunchTemplateData::image_id)),
            metadata: data
                .and_then(types::ResponseLaunchTemplateData::metadata_options)
                .map(template_options)
                .unwrap_or_default(),
            created_by: from.created_by().map(str::to_owned),
        },
    })
}

// The same words as on an instance, in other types of the SDK.
pub fn template_options(from: &types::LaunchTemplateInstanceMetadataOptions) -> MetadataOptions {
    use types::{
        LaunchTemplateHttpTokensState, LaunchTemplateInstanceMetadataEndpointState,
        LaunchTemplateInstanceMetadataProtocolIpv6, LaunchTemplateInstanceMetadataTagsState,
    };
    MetadataOptions {
        http_tokens: word(from.http_tokens().map(LaunchTemplateHttpTokensState::as_str)),
        http_put_response_hop_limit: hops(from.http_put_response_hop_limit()),
        http_endpoint: word(from.http_endpoint().map(LaunchTemplateInstanceMetadataEndpointState::as_str)),
        http_protocol_ipv6: word(
            from.http_protocol_ipv6().map(LaunchTemplateInstanceMetadataProtocolIpv6::as_str),
        ),
        instance_metadata_tags: word(
            from.instance_metadata_tags().map(LaunchTemplateInstanceMetadataTagsState::as_str),
        ),
    }
}

fn image_ref(text: Option<&str>) -> ImageRef {
    match text {
        None | Some("") => ImageRef::Unset,
        Some(text) => match text.strip_prefix("resolve:ssm:") {
            Some(parameter) => ImageRef::Parameter(parameter.to_owned()),
            None => ImageRef::Id(text.into()),
        },
    }
}

pub fn account_defaults(from: Option<&types::InstanceMetadataDefaultsResponse>) -> AccountDefaults {
    let Some(from) = from else { return AccountDefaults::default() };
    AccountDefaults {
        metadata: MetadataOptions {
            http_tokens: word(from.http_tokens().map(types::HttpTokensState::as_str)),
            http_put_response_hop_limit: hops(from.http_put_response_hop_limit()),
            http_endpoint: word(from.http_endpoint().map(types::InstanceMetadataEndpointState::as_str)),
            http_protocol_ipv6: None,
            instance_metadata_tags: word(
                from.instance_metadata_tags().map(types::InstanceMetadataTagsState::as_str),
            ),
        },
        tokens_enforced: from.http_tokens_enforced().is_some_and(|state| state.as_str() == "enabled"),
        managed_by_policy: from.managed_by().is_some_and(|by| by.as_str() == "declarative-policy"),
        exception_message: from.managed_exception_message().map(str::to_owned),
    }
}

/// An image as far as its instances know it: not what it asks of the metadata service.
pub fn image_metadata(from: &types::InstanceImageMetadata) -> Option<Image> {
    let from = from.image_metadata()?;
    Some(Image {
        id: from.image_id()?.into(),
        name: from.name().map(str::to_owned),
        owner_id: from.owner_id().map(str::to_owned),
        owner_alias: from.image_owner_alias().map(str::to_owned),
        description: None,
        source_image: None,
        platform: None,
        imds_support: ImdsSupport::Unknown,
        tags: Tags::default(),
    })
}

pub fn image(from: &types::Image) -> Option<Image> {
    Some(Image {
        id: from.image_id()?.into(),
        name: from.name().map(str::to_owned),
        owner_id: from.owner_id().map(str::to_owned),
        owner_alias: from.image_owner_alias().map(str::to_owned),
        description: from.description().map(str::to_owned),
        source_image: from.source_image_id().filter(|id| !id.is_empty()).map(Into::into),
        platform: from.platform().map(|platform| platform.as_str().to_ascii_lowercase()),
        imds_support: match from.imds_support().map(types::ImdsSupportValues::as_str) {
            Some("v2.0") => ImdsSupport::V2,
            None | Some("") => ImdsSupport::Unspecified,
            // A value that AWS adds later asks for something, and we cannot tell what.
            Some(_) => ImdsSupport::Unknown,
        },
        tags: tags(from.tags().to_vec()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OptionValue;

    fn tag(key: &str, value: &str) -> types::Tag {
        types::Tag::builder().key(key).value(value).build()
    }

    #[test]
    fn an_instance_keeps_what_it_has_and_nothing_is_filled_in() {
        let options = types::InstanceMetadataOptionsResponse::builder()
            .http_tokens(types::HttpTokensState::Required)
            .http_put_response_hop_limit(1)
            .build();
        let state = types::InstanceState::builder().name(types::InstanceStateName::Stopped).build();
        let from = types::Instance::builder()
            .instance_id("i-1")
            .image_id("ami-1")
            .state(state)
            .metadata_options(options)
            .operator(types::OperatorResponse::builder().managed(false).build())
            .tags(tag("b", "2"))
            .tags(tag("a", "1"))
            .build();
        let instance = instance(from).unwrap();
        assert_eq!(instance.state, InstanceState::Stopped);
        assert_eq!(instance.metadata.http_tokens, Some(OptionValue::Required));
        assert_eq!(instance.metadata.http_endpoint, None);
        assert_eq!(instance.operator, None, "not managed by an operator");
        assert_eq!(instance.tags.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "2")]);
    }

    #[test]
    fn a_terminated_instance_is_none() {
        let state = types::InstanceState::builder().name(types::InstanceStateName::ShuttingDown).build();
        let from = types::Instance::builder().instance_id("i-1").state(state).build();
        assert_eq!(instance(from), None);
    }

    #[test]
    fn a_version_without_the_block_sets_nothing_and_user_data_is_dropped() {
        let data = types::ResponseLaunchTemplateData::builder()
            .image_id("resolve:ssm:/aws/service/eks/image_id")
            .user_data("c2VjcmV0")
            .build();
        let from = types::LaunchTemplateVersion::builder()
            .launch_template_id("lt-1")
            .launch_template_name("web")
            .version_number(3)
            .default_version(true)
            .launch_template_data(data)
            .build();
        let listed = listed_version(&from).unwrap();
        assert!(listed.is_default);
        assert_eq!(listed.version.metadata, MetadataOptions::default());
        assert_eq!(listed.version.image, ImageRef::Parameter("/aws/service/eks/image_id".into()));
        assert!(!format!("{listed:?}").contains("c2VjcmV0"));
    }

    #[test]
    fn a_partial_block_leaves_the_rest_unset() {
        let options = types::LaunchTemplateInstanceMetadataOptions::builder()
            .http_endpoint(types::LaunchTemplateInstanceMetadataEndpointState::Disabled)
            .state(types::LaunchTemplateInstanceMetadataOptionsState::Applied)
            .build();
        let converted = template_options(&options);
        assert_eq!(converted.http_endpoint, Some(OptionValue::Disabled));
        assert_eq!(converted.http_tokens, None);
    }

    #[test]
    fn account_defaults_without_preference_are_not_set() {
        let from = types::InstanceMetadataDefaultsResponse::builder()
            .http_tokens("no-preference".into())
            .http_put_response_hop_limit(-1)
            .http_endpoint(types::InstanceMetadataEndpointState::Enabled)
            .http_tokens_enforced(types::HttpTokensEnforcedState::Enabled)
            .managed_by(types::ManagedBy::DeclarativePolicy)
            .managed_exception_message("ask security")
            .build();
        let defaults = account_defaults(Some(&from));
        assert_eq!(defaults.metadata.http_tokens, None);
        assert_eq!(defaults.metadata.http_put_response_hop_limit, None);
        assert_eq!(defaults.metadata.http_endpoint, Some(OptionValue::Enabled));
        assert!(defaults.tokens_enforced && defaults.managed_by_policy);
        assert_eq!(account_defaults(None), AccountDefaults::default());
    }

    #[test]
    fn an_image_says_v2_or_nothing_and_metadata_alone_cannot_tell() {
        let v2 =
            types::Image::builder().image_id("ami-1").imds_support(types::ImdsSupportValues::V20).build();
        assert_eq!(image(&v2).unwrap().imds_support, ImdsSupport::V2);
        let silent = types::Image::builder().image_id("ami-1").build();
        assert_eq!(image(&silent).unwrap().imds_support, ImdsSupport::Unspecified);
        let metadata = types::ImageMetadata::builder()
            .image_id("ami-1")
            .name("amazon-eks-node-al2023-x86_64-standard-1.29-v20240329")
            .state(types::ImageState::Deregistered)
            .build();
        let from = types::InstanceImageMetadata::builder().image_metadata(metadata).build();
        let known = image_metadata(&from).unwrap();
        assert_eq!(known.imds_support, ImdsSupport::Unknown);
        assert!(known.name.is_some());
    }
}
