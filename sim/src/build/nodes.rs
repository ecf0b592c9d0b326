//! Launching instances.

use super::network::Network;
use super::templates::Resolved;
use super::{DAY, Outcome, RegionBuilder, check};
use crate::fleet::nodes::Drift;
use crate::ids;
use crate::world::{EffectiveOptions, Instance, InstanceState, Launcher, MetadataOptions, Tags, at_launch};

/// Instances that are launched together share a reservation of at most so many.
const RESERVATION: usize = 5;

/// One call that launches instances.
pub(super) struct Launch<'a> {
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
    pub(super) fn launch(&mut self, launch: &Launch<'_>) -> Vec<String> {
        let mut launched = Vec::with_capacity(launch.count as usize);
        for index in 0..launch.count as usize {
            let instance = self.instance(launch, index);
            launched.push(instance.id.clone());
            self.region.instances.push(instance);
        }
        launched
    }

    fn instance(&self, launch: &Launch<'_>, index: usize) -> Instance {
        let number = index.to_string();
        let parts = self.parts(&["instance", &launch.key, &number]);
        let call = (index / RESERVATION).to_string();
        let call_parts = self.parts(&["reservation", &launch.key, &call]);
        let network = launch.network;
        let place = index % network.zones.len();
        let address = ids::number(&parts);
        Instance {
            id: ids::ec2("i", &parts),
            reservation: ids::ec2("r", &call_parts),
            launch_index: u32::try_from(index % RESERVATION).unwrap_or(0),
            state: launch.state,
            image: launch.image.to_owned(),
            instance_type: launch
                .instance_types
                .get(index % launch.instance_types.len().max(1))
                .map_or_else(|| "m6i.large".to_owned(), Clone::clone),
            launched: self.now - launch.days * DAY - seconds(&call_parts),
            zone: network.zones[place].clone(),
            vpc: network.vpc.clone(),
            subnet: network.subnets[place].clone(),
            security_group: network.security_group.clone(),
            private_ip: format!(
                "10.{}.{}.{}",
                network.octet,
                (address >> 8) & 0xff,
                (address & 0xff).clamp(4, 254)
            ),
            profile: launch.profile.clone(),
            options: launch.options,
            tags: launch.tags.clone(),
            launcher: launch.launcher.clone(),
            spot: launch.spot,
            operator: launch.operator.clone(),
        }
    }

    /// Changes running instances as someone did by hand: the first entry takes the first instances, and so on.
    pub(super) fn drift(&mut self, drift: &[Drift], launched: &[String], place: &str) -> Outcome<()> {
        let wanted: usize = drift.iter().map(|entry| entry.count as usize).sum();
        if wanted > launched.len() {
            return Err(self
                .problem(place, format!("drift changes {wanted} instances, there are {}", launched.len())));
        }
        let mut ids = launched.iter();
        for entry in drift {
            let change = MetadataOptions {
                http_tokens: entry.http_tokens,
                hop_limit: entry.hop_limit,
                http_endpoint: entry.http_endpoint,
                http_protocol_ipv6: entry.http_protocol_ipv6,
                instance_metadata_tags: entry.instance_metadata_tags,
            };
            check::metadata_options(Some(&change)).map_err(|message| self.problem(place, message))?;
            for id in ids.by_ref().take(entry.count as usize) {
                // The instances of a group are the newest of the Region: look for them from the end.
                if let Some(instance) = self.region.instances.iter_mut().rev().find(|known| known.id == *id) {
                    instance.options.overlay(change);
                    instance.state = entry.state.unwrap_or(instance.state);
                }
            }
        }
        Ok(())
    }
}

/// A moment in the last thirty days, the same for the same parts.
fn seconds(parts: &[&str]) -> i64 {
    i64::try_from(ids::below(30 * 86_400, parts)).unwrap_or(0)
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
