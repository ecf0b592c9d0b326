//! Instances as the state file has them: each one whole.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::instances::{Instance, InstanceId, InstanceState, Launch, Launcher, Place};
use super::{EffectiveOptions, Tags};
use crate::ids;

/// One instance, with everything that it shares with others.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredInstance {
    id: InstanceId,
    reservation: String,
    launch_index: u32,
    state: InstanceState,
    image: String,
    instance_type: String,
    launched: i64,
    zone: String,
    vpc: String,
    subnet: String,
    security_group: String,
    private_ip: String,
    profile: Option<String>,
    options: EffectiveOptions,
    settling: u8,
    tags: Tags,
    launcher: Launcher,
    spot: bool,
    operator: Option<String>,
}

impl From<Instance> for StoredInstance {
    fn from(instance: Instance) -> Self {
        let launch = &instance.launch;
        let mut reservation = String::new();
        ids::write_ec2(&mut reservation, "r", instance.reservation);
        Self {
            id: instance.id,
            reservation,
            launch_index: instance.launch_index(),
            state: instance.state,
            image: launch.image.clone(),
            instance_type: instance.instance_type().to_owned(),
            launched: instance.launched,
            zone: instance.zone().to_owned(),
            vpc: launch.vpc.clone(),
            subnet: instance.subnet().to_owned(),
            security_group: launch.security_group.clone(),
            private_ip: instance.private_ip('.'),
            profile: launch.profile.clone(),
            options: instance.options,
            settling: instance.settling,
            tags: instance.tags(),
            launcher: launch.launcher.clone(),
            spot: launch.spot,
            operator: launch.operator.clone(),
        }
    }
}

impl TryFrom<StoredInstance> for Instance {
    type Error = String;

    fn try_from(stored: StoredInstance) -> Result<Self, String> {
        let reservation = ids::read_ec2(&stored.reservation, "r")
            .ok_or_else(|| format!("{:?} is not the id of a reservation", stored.reservation))?;
        let numbers: Result<Vec<u8>, _> = stored.private_ip.split('.').map(str::parse).collect();
        let Ok([10, octet, third, fourth]) = numbers.as_deref() else {
            return Err(format!("{:?} is not an address in 10.0.0.0/8", stored.private_ip));
        };
        Ok(Self {
            id: stored.id,
            reservation,
            index: stored.launch_index,
            launched: stored.launched,
            address: [*third, *fourth],
            state: stored.state,
            options: stored.options,
            settling: stored.settling,
            launch: Arc::new(Launch {
                image: stored.image,
                instance_types: vec![stored.instance_type],
                places: vec![Place { zone: stored.zone, subnet: stored.subnet }],
                vpc: stored.vpc,
                octet: *octet,
                security_group: stored.security_group,
                profile: stored.profile,
                tags: stored.tags,
                own_tag: None,
                launcher: stored.launcher,
                spot: stored.spot,
                operator: stored.operator,
            }),
        })
    }
}
