//! `DescribeInstanceImageMetadata`.

use super::instance_xml::{self, Hole, Writer};
use super::{Call, Sizes, instances, operator, page};
use crate::wire::error::ApiError;
use crate::wire::filter::{self, Values};
use crate::wire::query::Params;
use crate::wire::time::iso;
use crate::wire::xml::Xml;
use crate::world::{Image, ImageStatus, Instance, Launch, Region};

const FILTERS: &[&str] = &[
    "availability-zone",
    "image-allowed",
    "instance-id",
    "instance-state-name",
    "instance-type",
    "launch-time",
    "owner-alias",
    "owner-id",
    "tag-key",
    "tag:",
];

/// `DescribeInstanceImageMetadata`: the image of an instance, whatever became of it.
///
/// The operation has no `IncludeManagedResources`, and AWS does not say whether it lists what is hidden. Here it
/// does not, unless the fleet says so: a client that relies on it would miss nodes.
pub fn describe(call: &Call<'_>, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let question = params.question();
    let sizes = Sizes { min: 1, max: 1000, default: 1000 };
    let (page, _) = page(call, "DescribeInstanceImageMetadata", &sizes, &question, &mut params)?;
    let ids = params.list("InstanceId");
    let filters = params.filters()?;
    params.finish()?;
    filter::known(&filters, FILTERS)?;
    let hidden = call.settings.image_metadata_lists_hidden;
    let visible = |instance: &Instance| hidden || instance.launch.operator.is_none();
    let instances: Vec<&Instance> = if ids.is_empty() {
        call.region.instances.iter().filter(|instance| visible(instance)).collect()
    } else {
        instances::by_ids(call.region, &ids, visible)?
    };
    let instances =
        instances::matching(instances, &filters, |name, instance| values(name, instance, call.region));
    let (instances, next) = page.of(&instances);
    let mut writer = Writer::new(instances.len(), |launch| shape(launch, call));
    xml.element("instanceImageMetadataSet", |xml| {
        for instance in instances {
            writer.write(xml, instance);
        }
    });
    xml.optional("nextToken", next.as_deref());
    Ok(())
}

fn values<'a>(name: &str, instance: &'a Instance, region: &'a Region) -> Values<'a> {
    if let Some(values) = instances::tag_values(instance, name) {
        return values;
    }
    let image = region.images.get(&instance.launch.image);
    match name {
        "availability-zone" => filter::one(instance.zone()),
        "image-allowed" => filter::one("true"),
        "instance-id" => filter::made(instance.id),
        "instance-state-name" => filter::one(instance.state.as_str()),
        "instance-type" => filter::one(instance.instance_type()),
        "launch-time" => filter::made(iso(instance.launched)),
        "owner-alias" => filter::one(image.and_then(|image| image.owner_alias.as_deref())),
        "owner-id" => filter::one(image.map(|image| image.owner.as_str())),
        _ => Values::new(),
    }
}

/// What the instances of a launch have in common, with holes.
fn shape(launch: &Launch, call: &Call<'_>) -> Xml<Hole> {
    let mut xml = Xml::shape();
    xml.element("item", |xml| {
        xml.hole("instanceId", Hole::Id);
        xml.hole("instanceType", Hole::Type);
        xml.hole("launchTime", Hole::Launched);
        xml.hole("availabilityZone", Hole::Zone);
        xml.element("instanceState", |xml| {
            xml.hole("code", Hole::StateCode);
            xml.hole("name", Hole::StateName);
        });
        xml.text("instanceOwnerId", &call.account.id);
        instance_xml::tag_set(xml, launch);
        if let Some(image) = call.region.images.get(&launch.image) {
            xml.element("imageMetadata", |xml| image_metadata(xml, image));
        }
        operator(xml, launch.operator.as_deref());
    });
    xml
}

fn image_metadata(xml: &mut Xml<Hole>, image: &Image) {
    xml.text("imageId", &image.id);
    xml.text("name", &image.name);
    xml.text("imageOwnerId", &image.owner);
    xml.text(
        "imageState",
        match image.status {
            ImageStatus::Available | ImageStatus::Deprecated | ImageStatus::Unshared => "available",
            ImageStatus::Disabled => "disabled",
            ImageStatus::Deregistered => "deregistered",
        },
    );
    xml.optional("imageOwnerAlias", image.owner_alias.as_deref());
    xml.text("creationDate", &iso(image.created));
    if let Some(deprecated) = image.deprecated {
        xml.text("deprecationTime", &iso(deprecated));
    }
    xml.value("imageAllowed", true);
    xml.value("isPublic", image.public && image.status != ImageStatus::Unshared);
}
