//! Networks: enough of a VPC for instances and groups to look like themselves.

use super::RegionBuilder;
use crate::ids;
use crate::world::Launching;

/// Where nodes are placed: three zones with a subnet each.
#[derive(Debug, Clone)]
pub struct Network {
    pub vpc: String,
    pub zones: Vec<String>,
    pub subnets: Vec<String>,
    pub security_group: String,
    /// The second number of the addresses, `10.x.0.0/16`.
    pub octet: u8,
}

impl Network {
    /// What it gives the instances that a group launches.
    pub(super) fn launching(&self) -> Launching {
        Launching {
            vpc: self.vpc.clone(),
            octet: self.octet,
            security_group: self.security_group.clone(),
            ..Launching::default()
        }
    }
}

impl RegionBuilder<'_> {
    /// The network of a cluster, or the default one.
    pub(super) fn network(&self, owner: &str) -> Network {
        let zones: Vec<String> =
            ["a", "b", "c"].iter().map(|letter| format!("{}{letter}", self.name)).collect();
        Network {
            vpc: ids::ec2("vpc", &self.parts(&[owner])),
            subnets: zones.iter().map(|zone| ids::ec2("subnet", &self.parts(&[owner, zone]))).collect(),
            security_group: ids::ec2("sg", &self.parts(&[owner])),
            octet: u8::try_from(ids::below(250, &self.parts(&["octet", owner]))).unwrap_or(0),
            zones,
        }
    }
}
