//! Images of nodes and of what launches them.

use std::collections::{BTreeMap, BTreeSet};

use super::instances::Instances;
use super::reader::Reader;
use crate::aws::convert::ec2::{self as convert, ImageMetadata};
use crate::aws::errors::failed;
use crate::aws::operations::{DESCRIBE_IMAGES, DESCRIBE_INSTANCE_IMAGE_METADATA};
use crate::aws::pages;
use crate::model::{Image, ImageId};

/// How many ids are asked for at once.
const IDS: usize = 500;

/// The images of these instances, and of `others`, as far as they can still be read.
pub(super) async fn read(
    reader: &Reader<'_>,
    instances: &Instances,
    others: BTreeSet<String>,
) -> BTreeMap<ImageId, Image> {
    let mut images = BTreeMap::new();
    let mut wanted = others;
    wanted.extend(instances.values().filter_map(|instance| instance.image.as_ref()).map(ToString::to_string));
    for known in metadata(reader, representatives(instances)).await {
        if known.deregistered {
            // DescribeImages would only say that it does not exist.
            wanted.remove(known.image.id.as_str());
        }
        images.insert(known.image.id.clone(), known.image);
    }
    for image in describe(reader, wanted.into_iter().collect()).await {
        let known = images.remove(&image.id);
        images.insert(image.id.clone(), with_names(image, known));
    }
    images
}

/// One instance for each image: what the service knows of an image does not depend on which.
fn representatives(instances: &Instances) -> Vec<String> {
    let mut first = BTreeMap::new();
    for instance in instances.values() {
        if let Some(image) = &instance.image {
            first.entry(image).or_insert_with(|| instance.id.to_string());
        }
    }
    first.into_values().collect()
}

/// What instances still know of their images, when the image itself is deregistered, private or forbidden.
async fn metadata(reader: &Reader<'_>, instances: Vec<String>) -> Vec<ImageMetadata> {
    let client = &reader.clients.ec2;
    let listed = pages::by_ids(instances, IDS, async |ids| {
        let call = client.describe_instance_image_metadata().set_instance_ids(Some(ids));
        let answer = call.send().await.map_err(failed(DESCRIBE_INSTANCE_IMAGE_METADATA))?;
        Ok(answer.instance_image_metadata().iter().filter_map(convert::image_metadata).collect())
    });
    reader.keep_listed(listed.await).0
}

async fn describe(reader: &Reader<'_>, images: Vec<String>) -> Vec<Image> {
    let client = &reader.clients.ec2;
    let listed = pages::by_ids(images, IDS, async |ids| {
        let call =
            client.describe_images().set_image_ids(Some(ids)).include_deprecated(true).include_disabled(true);
        let answer = call.send().await.map_err(failed(DESCRIBE_IMAGES))?;
        Ok(answer.images().iter().filter_map(convert::image).collect())
    });
    reader.keep_listed(listed.await).0
}

/// The described image, with name and owner from its instances where the description lacks them.
fn with_names(image: Image, known: Option<Image>) -> Image {
    let Some(known) = known else { return image };
    Image {
        name: image.name.or(known.name),
        owner_id: image.owner_id.or(known.owner_id),
        owner_alias: image.owner_alias.or(known.owner_alias),
        ..image
    }
}
