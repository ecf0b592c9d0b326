//! Launching instances.

use std::sync::Arc;

use super::network::Network;
use super::templates::Resolved;
use super::{DAY, Outcome, RegionBuilder, check};
use crate::fleet::nodes::Drift;
use crate::ids::Parts;
use crate::world::{
    EffectiveOptions, Instance, InstanceId, InstanceState, Launch, Launcher, MetadataOptions, OwnTag, Place,
    Tags, at_launch,
};

/// One call that launches instances.
pub(super) struct Order<'a> {
    /// What makes it different from every other in the Region.
    pub key: String,
    pub count: u32,
    pub image: &'a str,
    pub instance_types: &'a [String],
    pub options: EffectiveOptions,
    pub tags: Tags,
    pub launcher: Launcher,
    pub network: &'a Network,
    pub profile: Option<String>,
    pub state: InstanceState,
    pub spot: bool,
    pub operator: Option<String>,
    /// A tag of which every instance has another value.
    pub own_tag: Option<OwnTag>,
    /// Launched at least so many days ago.
    pub days: i64,
}

impl RegionBuilder<'_> {
    /// What EC2 gives an instance that is launched with these options from this image.
    pub(super) fn options_at_launch(&self, template: MetadataOptions, image: &str) -> EffectiveOptions {
        let image_is_v2 = self.region.images.get(image).is_some_and(|image| image.imds_v2);
        at_launch(template, &self.region.account_defaults, image_is_v2)
    }

    /// Launches, and answers with the ids.
    pub(super) fn launch(&mut self, order: Order<'_>) -> Vec<InstanceId> {
        let instances = Parts::of(&self.parts(&["instance", &order.key]));
        let reservations = Parts::of(&self.parts(&["reservation", &order.key]));
        let newest = self.now - order.days * DAY;
        let (count, state, options) = (order.count, order.state, order.options);
        let launch = Arc::new(order.into_launch());
        let first = self.region.instances.len();
        self.region.instances.reserve(count as usize);
        for index in 0..count {
            let number = instances.and(&index.to_string());
            let call = reservations.and(&Instance::reservation_of(index).to_string());
            let [.., third, fourth] = number.number().to_be_bytes();
            self.region.instances.push(Instance {
                id: InstanceId(number.ec2("i")),
                reservation: call.ec2("r"),
                index,
                launch: Arc::clone(&launch),
                launched: newest - seconds(call),
                address: [third, fourth.clamp(4, 254)],
                state,
                options,
                settling: 0,
            });
        }
        self.region.instances[first..].iter().map(|instance| instance.id).collect()
    }

    /// Changes instances that have just been launched as someone did by hand: the first entry takes the first
    /// instances, and so on.
    pub(super) fn drift(&mut self, drift: &[Drift], launched: usize, place: &str) -> Outcome<()> {
        let wanted: usize = drift.iter().map(|entry| entry.count as usize).sum();
        if wanted > launched {
            return Err(
                self.problem(place, format!("drift changes {wanted} instances, there are {launched}"))
            );
        }
        let mut next = self.region.instances.len() - launched;
        for entry in drift {
            let change = MetadataOptions {
                http_tokens: entry.http_tokens,
                hop_limit: entry.hop_limit,
                http_endpoint: entry.http_endpoint,
                http_protocol_ipv6: entry.http_protocol_ipv6,
                instance_metadata_tags: entry.instance_metadata_tags,
            };
            check::metadata_options(Some(&change)).map_err(|message| self.problem(place, message))?;
            let end = next + entry.count as usize;
            for instance in &mut self.region.instances[next..end] {
                instance.options.overlay(change);
                instance.state = entry.state.unwrap_or(instance.state);
            }
            next = end;
        }
        Ok(())
    }
}

impl Order<'_> {
    fn into_launch(self) -> Launch {
        let network = self.network;
        let places = network.zones.iter().zip(&network.subnets);
        Launch {
            image: self.image.to_owned(),
            instance_types: self.instance_types.to_vec(),
            places: places
                .map(|(zone, subnet)| Place { zone: zone.clone(), subnet: subnet.clone() })
                .collect(),
            vpc: network.vpc.clone(),
            octet: network.octet,
            security_group: network.security_group.clone(),
            profile: self.profile,
            tags: self.tags,
            own_tag: self.own_tag,
            launcher: self.launcher,
            spot: self.spot,
            operator: self.operator,
        }
    }
}

/// A moment in the last thirty days, the same for the same parts.
fn seconds(parts: Parts) -> i64 {
    i64::try_from(parts.number() % (30 * 86_400)).unwrap_or(0)
}

/// The tags that EC2 puts on what a template launched.
pub(super) fn template_tags(template: &Resolved, tags: &mut Tags) {
    tags.insert("aws:ec2launchtemplate:id".to_owned(), template.id.clone());
    tags.insert("aws:ec2launchtemplate:version".to_owned(), template.version.to_string());
}

/// The tags that say which cluster a node belongs to: its owner's, and the one that AWS generates.
pub(super) fn cluster_tags(cluster: &str, tags: &mut Tags) {
    tags.insert(format!("kubernetes.io/cluster/{cluster}"), "owned".to_owned());
    tags.insert("aws:eks:cluster-name".to_owned(), cluster.to_owned());
}

/// Takes away what the fleet says is missing.
pub(super) fn remove_tags(without: &[String], tags: &mut Tags) {
    tags.retain(|key, _| !without.contains(key));
}
