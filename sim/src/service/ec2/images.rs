//! `DescribeImages`.

use super::{Call, Sizes, page, tag_set, well_formed};
use crate::ids;
use crate::wire::error::ApiError;
use crate::wire::filter::{self, Values};
use crate::wire::query::Params;
use crate::wire::time::iso;
use crate::wire::xml::Xml;
use crate::world::{Image, ImageStatus};

const FILTERS: &[&str] = &[
    "architecture",
    "creation-date",
    "description",
    "image-allowed",
    "image-id",
    "image-type",
    "is-public",
    "name",
    "owner-alias",
    "owner-id",
    "platform",
    "root-device-type",
    "source-image-id",
    "state",
    "tag-key",
    "tag:",
    "virtualization-type",
];

/// What a request wants to see of images that are past their time.
struct Wanted {
    by_id: bool,
    deprecated: bool,
    disabled: bool,
}

/// `DescribeImages`. Of everyone's public images the simulator lists those that something in the Region uses.
pub fn describe(call: &Call<'_>, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let question = params.question();
    let sizes = Sizes { min: 1, max: 1000, default: usize::MAX };
    let (page, _) = page(call, "DescribeImages", &sizes, &question, &mut params)?;
    let ids = params.list("ImageId");
    let owners = params.list("Owner");
    let executable_by = params.list("ExecutableBy");
    let filters = params.filters()?;
    let wanted = Wanted {
        by_id: !ids.is_empty(),
        deprecated: params.flag("IncludeDeprecated")?.unwrap_or(false),
        disabled: params.flag("IncludeDisabled")?.unwrap_or(false),
    };
    params.finish()?;
    filter::known(&filters, FILTERS)?;
    let own = &call.account.id;
    let mut images: Vec<&Image> =
        call.region.images.values().filter(|image| visible(image, own, &wanted)).collect();
    if wanted.by_id {
        all_there(&ids, &images)?;
        images.retain(|image| ids.contains(&image.id));
    }
    images.retain(|image| owners.is_empty() || owners.iter().any(|owner| is_owner(image, owner, own)));
    images.retain(|image| {
        executable_by.is_empty() || executable_by.iter().any(|by| by != "all" || image.public)
    });
    images.retain(|image| filter::matches(&filters, |name| values(name, image, own)));
    let (images, next) = page.of(&images);
    xml.list("imagesSet", "item", images, |xml, image| write(xml, image, own));
    xml.optional("nextToken", next.as_deref());
    Ok(())
}

/// Deprecated images are found by id, by their owner, and by whoever asks for them; disabled ones only on request.
fn visible(image: &Image, account: &str, wanted: &Wanted) -> bool {
    match image.status {
        ImageStatus::Available => true,
        ImageStatus::Deprecated => wanted.by_id || wanted.deprecated || image.owner == account,
        ImageStatus::Disabled => wanted.disabled && image.owner == account,
        ImageStatus::Deregistered | ImageStatus::Unshared => false,
    }
}

/// One id that is missing fails them all; AWS names every one.
fn all_there(ids: &[String], images: &[&Image]) -> Result<(), ApiError> {
    if let Some(malformed) = ids.iter().find(|id| !well_formed(id, "ami-")) {
        return Err(ApiError::bad(
            "InvalidAMIID.Malformed",
            format!("Invalid id: \"{malformed}\" (expecting \"ami-...\")"),
        ));
    }
    let missing: Vec<&str> =
        ids.iter().filter(|id| !images.iter().any(|image| image.id == **id)).map(String::as_str).collect();
    match missing.as_slice() {
        [] => Ok(()),
        [one] => {
            Err(ApiError::bad("InvalidAMIID.NotFound", format!("The image id '[{one}]' does not exist")))
        }
        several => Err(ApiError::bad(
            "InvalidAMIID.NotFound",
            format!("The image ids '[{}]' do not exist", several.join(", ")),
        )),
    }
}

fn is_owner(image: &Image, owner: &str, account: &str) -> bool {
    match owner {
        "self" => image.owner == account,
        alias @ ("amazon" | "aws-marketplace" | "aws-backup-vault") => {
            image.owner_alias.as_deref() == Some(alias)
        }
        id => image.owner == id,
    }
}

fn values<'a>(name: &str, image: &'a Image, account: &str) -> Values<'a> {
    if image.owner == account
        && let Some(values) = filter::of_tags(&image.tags, name)
    {
        return values;
    }
    match name {
        "architecture" => filter::one(image.architecture.as_str()),
        "creation-date" => filter::made(iso(image.created)),
        "description" => filter::one(image.description.as_deref()),
        "image-allowed" => filter::one("true"),
        "image-id" => filter::one(image.id.as_str()),
        "image-type" => filter::one("machine"),
        "is-public" => filter::made(image.public),
        "name" => filter::one(image.name.as_str()),
        "owner-alias" => filter::one(image.owner_alias.as_deref()),
        "owner-id" => filter::one(image.owner.as_str()),
        "platform" => filter::one(image.windows.then_some("windows")),
        "root-device-type" => filter::one("ebs"),
        "source-image-id" => filter::one(image.source.as_deref()),
        "state" => filter::one(state(image)),
        "virtualization-type" => filter::one("hvm"),
        _ => Values::new(),
    }
}

fn state(image: &Image) -> &'static str {
    if image.status == ImageStatus::Disabled { "disabled" } else { "available" }
}

fn write(xml: &mut Xml, image: &Image, account: &str) {
    xml.text("imageId", &image.id);
    xml.text("imageLocation", &format!("{}/{}", image.owner, image.name));
    xml.text("imageState", state(image));
    xml.text("imageOwnerId", &image.owner);
    xml.text("creationDate", &iso(image.created));
    xml.value("isPublic", image.public);
    xml.text("architecture", &image.architecture);
    xml.text("imageType", "machine");
    xml.optional("imageOwnerAlias", image.owner_alias.as_deref());
    xml.text("name", &image.name);
    xml.optional("description", image.description.as_deref());
    xml.text("rootDeviceType", "ebs");
    xml.text("rootDeviceName", "/dev/xvda");
    xml.list("blockDeviceMapping", "item", ["/dev/xvda"], |xml, device| {
        xml.text("deviceName", device);
        xml.element("ebs", |xml| {
            xml.text("snapshotId", &ids::ec2("snap", &[&image.id]));
            xml.value("volumeSize", 20);
            xml.value("deleteOnTermination", true);
            xml.text("volumeType", "gp3");
            xml.value("encrypted", false);
        });
    });
    xml.text("virtualizationType", "hvm");
    xml.text("hypervisor", "xen");
    xml.value("enaSupport", true);
    xml.text("sriovNetSupport", "simple");
    if image.windows {
        xml.text("platform", "Windows");
    }
    xml.text("platformDetails", if image.windows { "Windows" } else { "Linux/UNIX" });
    xml.text("usageOperation", if image.windows { "RunInstances:0002" } else { "RunInstances" });
    if image.owner == account {
        tag_set(xml, &image.tags);
    }
    if let Some(deprecated) = image.deprecated {
        xml.text("deprecationTime", &iso(deprecated));
    }
    if image.imds_v2 {
        xml.text("imdsSupport", "v2.0");
    }
    xml.optional("sourceImageId", image.source.as_deref());
    xml.value("imageAllowed", true);
}
