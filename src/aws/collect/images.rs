//! Images of nodes and of what launches them.

use std::collections::{BTreeMap, BTreeSet};

use super::instances::Instances;
use super::reader::Reader;
use crate::aws::convert::ec2 as convert;
use crate::aws::errors::failed;
use crate::aws::operations::{DESCRIBE_IMAGES, DESCRIBE_INSTANCE_IMAGE_METADATA};
use crate::aws::pages;
use crate::model::{Image, ImageId};

/// How many ids are asked for at once.
const IDS: usize = 500;

/// The images of these instances, and of `others`, as far as they can still be read.
///
/// `DescribeImages` tells most. Of images that it does not return, because they are deregistered, private or
/// forbidden, the instances that run on them still know the name and the owner: one instance for each such
/// image is asked. Fleets mostly have no such image, and then there is no such call.
pub(super) async fn read(
    reader: &Reader<'_>,
    instances: &Instances,
    others: BTreeSet<String>,
) -> BTreeMap<ImageId, Image> {
    let mut wanted = others;
    wanted.extend(instances.values().filter_map(|instance| instance.image.as_ref()).map(ToString::to_string));
    let described = describe(reader, wanted.into_iter().collect()).await;
    let mut images = by_id(described);
    let witnesses = witnesses(instances, &images);
    images.extend(by_id(metadata(reader, witnesses).await));
    images
}

fn by_id(images: Vec<Image>) -> BTreeMap<ImageId, Image> {
    images.into_iter().map(|image| (image.id.clone(), image)).collect()
}

/// One instance for each image that is not known: what the service knows of an image does not depend on
/// which of its instances is asked.
fn witnesses(instances: &Instances, known: &BTreeMap<ImageId, Image>) -> Vec<String> {
    let mut first = BTreeMap::new();
    for instance in instances.values() {
        match &instance.image {
            Some(image) if !known.contains_key(image) => {
                first.entry(image).or_insert_with(|| instance.id.to_string());
            }
            _ => {}
        }
    }
    first.into_values().collect()
}

/// What these instances know of their images.
async fn metadata(reader: &Reader<'_>, instances: Vec<String>) -> Vec<Image> {
    let client = &reader.clients.ec2;
    let listed = pages::by_ids(DESCRIBE_INSTANCE_IMAGE_METADATA, instances, IDS, async |ids, token| {
        let call =
            client.describe_instance_image_metadata().set_instance_ids(Some(ids)).set_next_token(token);
        let page = call.send().await.map_err(failed(DESCRIBE_INSTANCE_IMAGE_METADATA))?;
        let known = page.instance_image_metadata().iter().filter_map(convert::image_metadata);
        Ok((known.collect(), page.next_token))
    });
    reader.keep_listed(listed.await).0
}

async fn describe(reader: &Reader<'_>, images: Vec<String>) -> Vec<Image> {
    let client = &reader.clients.ec2;
    let listed = pages::by_ids(DESCRIBE_IMAGES, images, IDS, async |ids, token| {
        let call = client
            .describe_images()
            .set_image_ids(Some(ids))
            .include_deprecated(true)
            .include_disabled(true)
            .set_next_token(token);
        let page = call.send().await.map_err(failed(DESCRIBE_IMAGES))?;
        Ok((page.images().iter().filter_map(convert::image).collect(), page.next_token))
    });
    reader.keep_listed(listed.await).0
}
