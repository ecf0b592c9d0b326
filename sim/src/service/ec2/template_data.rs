//! `LaunchTemplateData`: as a request gives it, and as an answer shows it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Call, choice, hop_limit, metadata_options_set};
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::xml::Xml;
use crate::world::{BlockDevice, MetadataOptions, Region, Tags, TemplateData};

/// Takes what a request sets; what it does not name is not set. Fields that the simulator does not have stay behind,
/// and are refused with the parameters that nobody took.
pub fn read(call: &Call<'_>, params: &mut Params) -> Result<TemplateData, ApiError> {
    let at = |name: &str| format!("LaunchTemplateData.{name}");
    let image = params.text(&at("ImageId"));
    let profile = params.text(&at("IamInstanceProfile.Arn"));
    let (tags, volume_tags) = tags(params)?;
    Ok(TemplateData {
        resolved_image: image.as_deref().and_then(|image| resolved(call.region, image)),
        image,
        instance_type: params.text(&at("InstanceType")),
        metadata_options: metadata_options(params)?,
        user_data: params.text(&at("UserData")).map(|encoded| decoded(&encoded)).transpose()?,
        key_name: params.text(&at("KeyName")),
        profile: profile.or(params.text(&at("IamInstanceProfile.Name"))),
        security_groups: params.list(&at("SecurityGroupId")),
        block_devices: block_devices(params)?,
        tags,
        volume_tags,
        monitoring: params.flag(&at("Monitoring.Enabled"))?,
        ebs_optimized: params.flag(&at("EbsOptimized"))?,
    })
}

/// A block of metadata options with nothing in it cannot be told from none on the wire.
fn metadata_options(params: &mut Params) -> Result<Option<MetadataOptions>, ApiError> {
    let at = |name: &str| format!("LaunchTemplateData.MetadataOptions.{name}");
    let options = MetadataOptions {
        http_tokens: choice(params, &at("HttpTokens"), super::TOKENS)?,
        hop_limit: hop_limit(params, &at("HttpPutResponseHopLimit"))?,
        http_endpoint: choice(params, &at("HttpEndpoint"), super::SWITCH)?,
        http_protocol_ipv6: choice(params, &at("HttpProtocolIpv6"), super::SWITCH)?,
        instance_metadata_tags: choice(params, &at("InstanceMetadataTags"), super::SWITCH)?,
    };
    Ok(Some(options).filter(|options| *options != MetadataOptions::default()))
}

/// The image that an id or a parameter stands for, as far as the Region has seen it.
fn resolved(region: &Region, image: &str) -> Option<String> {
    if region.images.contains_key(image) {
        return Some(image.to_owned());
    }
    let versions = region.templates.values().flat_map(|template| template.versions.values());
    let mut same = versions.filter(|version| version.data.image.as_deref() == Some(image));
    same.find_map(|version| version.data.resolved_image.clone())
}

fn decoded(encoded: &str) -> Result<String, ApiError> {
    let bytes = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    bytes.ok_or_else(|| {
        ApiError::bad(
            "InvalidUserData.Malformed",
            "Invalid BASE64 encoding of user data, which is text here.",
        )
    })
}

/// The tags for instances and those for volumes.
fn tags(params: &mut Params) -> Result<(Tags, Tags), ApiError> {
    let (mut instances, mut volumes) = (Tags::new(), Tags::new());
    for specification in params.numbered("LaunchTemplateData.TagSpecification") {
        let kind = params.text(&format!("{specification}.ResourceType")).unwrap_or_default();
        let tags = match kind.as_str() {
            "instance" => &mut instances,
            "volume" => &mut volumes,
            other => {
                return Err(ApiError::bad(
                    "InvalidParameterValue",
                    format!(
                        "'{other}' is not a valid taggable resource type here: there are instance and volume."
                    ),
                ));
            }
        };
        for tag in params.numbered(&format!("{specification}.Tag")) {
            let key = params.text(&format!("{tag}.Key")).unwrap_or_default();
            let value = params.text(&format!("{tag}.Value")).unwrap_or_default();
            tags.insert(key, value);
        }
    }
    Ok((instances, volumes))
}

fn block_devices(params: &mut Params) -> Result<Vec<BlockDevice>, ApiError> {
    let devices = params.numbered("LaunchTemplateData.BlockDeviceMapping");
    devices
        .into_iter()
        .map(|mapping| {
            let ebs = |name: &str| format!("{mapping}.Ebs.{name}");
            Ok(BlockDevice {
                device: params.text(&format!("{mapping}.DeviceName")).unwrap_or_default(),
                size: whole(params, &ebs("VolumeSize"))?,
                volume_type: params.text(&ebs("VolumeType")),
                encrypted: params.flag(&ebs("Encrypted"))?,
                delete_on_termination: params.flag(&ebs("DeleteOnTermination"))?,
                iops: whole(params, &ebs("Iops"))?,
                throughput: whole(params, &ebs("Throughput"))?,
                kms_key: params.text(&ebs("KmsKeyId")),
                snapshot: params.text(&ebs("SnapshotId")),
            })
        })
        .collect()
}

fn whole(params: &mut Params, name: &str) -> Result<Option<u32>, ApiError> {
    let number = params.number(name)?;
    number.map(u32::try_from).transpose().map_err(|_| {
        ApiError::bad("InvalidParameterValue", format!("The value for parameter {name} is out of range"))
    })
}

/// Shows it; `resolve` shows the image that a parameter stands for instead of the parameter.
pub fn write(xml: &mut Xml, data: &TemplateData, resolve: bool) {
    if let Some(optimized) = data.ebs_optimized {
        xml.value("ebsOptimized", optimized);
    }
    if let Some(profile) = &data.profile {
        let name = if profile.starts_with("arn:") { "arn" } else { "name" };
        xml.element("iamInstanceProfile", |xml| xml.text(name, profile));
    }
    if !data.block_devices.is_empty() {
        xml.list("blockDeviceMappingSet", "item", &data.block_devices, volume);
    }
    let image = if resolve { &data.resolved_image } else { &data.image };
    xml.optional("imageId", image.as_deref());
    xml.optional("instanceType", data.instance_type.as_deref());
    xml.optional("keyName", data.key_name.as_deref());
    if let Some(enabled) = data.monitoring {
        xml.element("monitoring", |xml| xml.value("enabled", enabled));
    }
    if let Some(text) = &data.user_data {
        xml.text("userData", &STANDARD.encode(text));
    }
    let tagged = [("instance", &data.tags), ("volume", &data.volume_tags)];
    if tagged.iter().any(|(_, tags)| !tags.is_empty()) {
        let tagged = tagged.into_iter().filter(|(_, tags)| !tags.is_empty());
        xml.list("tagSpecificationSet", "item", tagged, |xml, (kind, tags)| {
            xml.text("resourceType", kind);
            super::tag_set(xml, tags);
        });
    }
    if !data.security_groups.is_empty() {
        xml.texts("securityGroupIdSet", "item", &data.security_groups);
    }
    if let Some(options) = data.metadata_options {
        metadata_options_set(xml, options);
    }
}

fn volume(xml: &mut Xml, device: &BlockDevice) {
    xml.text("deviceName", &device.device);
    xml.element("ebs", |xml| {
        if let Some(encrypted) = device.encrypted {
            xml.value("encrypted", encrypted);
        }
        if let Some(delete) = device.delete_on_termination {
            xml.value("deleteOnTermination", delete);
        }
        if let Some(iops) = device.iops {
            xml.value("iops", iops);
        }
        xml.optional("kmsKeyId", device.kms_key.as_deref());
        xml.optional("snapshotId", device.snapshot.as_deref());
        if let Some(size) = device.size {
            xml.value("volumeSize", size);
        }
        xml.optional("volumeType", device.volume_type.as_deref());
        if let Some(throughput) = device.throughput {
            xml.value("throughput", throughput);
        }
    });
}
