//! Images of nodes and of what launches them.

use std::collections::{BTreeMap, BTreeSet};

use super::instances::Instances;
use super::reader::Reader;
use crate::aws::convert::ec2 as convert;
use crate::aws::errors::failed;
use crate::aws::operations::{DESCRIBE_IMAGES, DESCRIBE_INSTANCE_IMAGE_METADATA};
use crate::aws::pages;
use crate::model::{Image, ImageId, InstanceId};

/// How many ids are asked for at once.
const IDS: usize = 500;

/// Images that were read.
#[derive(Debug)]
pub(super) struct Images {
    pub by_id: BTreeMap<ImageId, Image>,
    /// Those of them that are known only because an instance that is no node was asked.
    pub told_by_others: BTreeSet<ImageId>,
}

/// The images that are `wanted`, as far as they can still be read.
///
/// `DescribeImages` tells most. Of images that it does not return, because they are deregistered, private or
/// forbidden, the instances that run on them still know the name and the owner: one instance for each such
/// image is asked, a node if there is one. Fleets mostly have no such image, and then there is no such call.
pub(super) async fn read(
    reader: &Reader<'_>,
    instances: &Instances,
    nodes: &BTreeSet<InstanceId>,
    wanted: BTreeSet<String>,
) -> Images {
    let mut images = by_id(describe(reader, wanted.into_iter().collect()).await);
    let witnesses = witnesses(instances, nodes, &images);
    let others = witnesses.iter().filter(|(_, witness)| !nodes.contains(*witness));
    let told_by_others = others.map(|(image, _)| (*image).clone()).collect();
    let asked = witnesses.into_values().map(ToString::to_string).collect();
    images.extend(by_id(metadata(reader, asked).await));
    Images { by_id: images, told_by_others }
}

fn by_id(images: Vec<Image>) -> BTreeMap<ImageId, Image> {
    images.into_iter().map(|image| (image.id.clone(), image)).collect()
}

/// One instance for each image that is not known: what the service knows of an image does not depend on
/// which of its instances is asked.
fn witnesses<'a>(
    instances: &'a Instances,
    nodes: &BTreeSet<InstanceId>,
    known: &BTreeMap<ImageId, Image>,
) -> BTreeMap<&'a ImageId, &'a InstanceId> {
    let mut first = BTreeMap::new();
    let (nodes, others): (Vec<_>, Vec<_>) =
        instances.values().partition(|instance| nodes.contains(&instance.id));
    for instance in nodes.into_iter().chain(others) {
        match &instance.image {
            Some(image) if !known.contains_key(image) => {
                first.entry(image).or_insert(&instance.id);
            }
            _ => {}
        }
    }
    first
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
