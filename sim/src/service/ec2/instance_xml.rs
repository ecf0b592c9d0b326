//! Reservations and instances as XML.
//!
//! Instances of one launch look alike: their XML is written once, with holes, and the holes are filled in for each.

use std::fmt::Write as _;
use std::sync::Arc;

use super::{Call, operator};
use crate::ids::{self, Parts};
use crate::wire::time::iso;
use crate::wire::xml::Xml;
use crate::world::{Account, Image, Instance, Launch};

/// Where the instances of a launch differ.
#[derive(Debug, Clone, Copy)]
pub enum Hole {
    Id,
    StateCode,
    StateName,
    DnsName,
    LaunchIndex,
    Type,
    Launched,
    Zone,
    Subnet,
    Address,
    Volume,
    SpotRequest,
    ClientToken,
    OwnTag,
    OptionsState,
    HttpTokens,
    HopLimit,
    HttpEndpoint,
    HttpProtocolIpv6,
    InstanceMetadataTags,
}

/// Are they of the same launch?
pub fn alike(one: &Instance, other: &Instance) -> bool {
    Arc::ptr_eq(&one.launch, &other.launch)
}

/// The reservations of these instances.
pub fn reservations(xml: &mut Xml, instances: &[&Instance], call: &Call<'_>) {
    let mut writer = Writer::new(instances.len(), |launch| shape(launch, call));
    let reserved = instances.chunk_by(|one, other| one.reservation == other.reservation);
    xml.list("reservationSet", "item", reserved, |xml, reserved| {
        let mut id = String::with_capacity(19);
        ids::write_ec2(&mut id, "r", reserved[0].reservation);
        writer.client_token = ids::uuid(&[&id]);
        xml.text("reservationId", &id);
        xml.text("ownerId", &call.account.id);
        xml.list("groupSet", "item", [(); 0], |_, ()| {});
        xml.element("instancesSet", |xml| {
            for instance in reserved {
                writer.write(xml, instance);
            }
        });
    });
}

/// Writes instances, one launch after the other.
pub struct Writer<'w, F> {
    shape_of: F,
    /// The launch of the last instance, and what its instances look like.
    last: Option<(&'w Arc<Launch>, Xml<Hole>)>,
    /// How many are still to come.
    left: usize,
    /// Of the reservation that is being written.
    client_token: String,
    moment: Moment,
}

impl<'w, F: Fn(&Launch) -> Xml<Hole>> Writer<'w, F> {
    /// For so many instances, which have such shapes.
    pub fn new(count: usize, shape_of: F) -> Self {
        Self { shape_of, last: None, left: count, client_token: String::new(), moment: Moment::default() }
    }

    /// Writes the next one.
    pub fn write(&mut self, xml: &mut Xml, instance: &'w Instance) {
        let shape = match &mut self.last {
            Some((launch, shape)) if Arc::ptr_eq(launch, &instance.launch) => shape,
            last => {
                let shape = (self.shape_of)(&instance.launch);
                // The others will be about as long, with what is around them.
                xml.reserve(self.left * (shape.len() + 400));
                &mut last.insert((&instance.launch, shape)).1
            }
        };
        self.left = self.left.saturating_sub(1);
        xml.filled(shape, |xml, hole| fill(xml, hole, instance, &self.client_token, &mut self.moment));
    }
}

/// A moment that has been written before: instances of a reservation were all launched in the same one.
#[derive(Debug, Default)]
struct Moment(Option<(i64, String)>);

impl Moment {
    fn of(&mut self, seconds: i64) -> &str {
        if self.0.as_ref().is_none_or(|(written, _)| *written != seconds) {
            self.0 = Some((seconds, iso(seconds)));
        }
        self.0.as_ref().map_or("", |(_, text)| text)
    }
}

fn fill(xml: &mut Xml, hole: Hole, instance: &Instance, client_token: &str, moment: &mut Moment) {
    let options = &instance.options;
    match hole {
        Hole::Id => xml.by_hand(|out| ids::write_ec2(out, "i", instance.id.0)),
        Hole::StateCode => number(xml, instance.state.name_and_code().1),
        Hole::StateName => xml.raw(instance.state.as_str()),
        Hole::DnsName => xml.by_hand(|out| write_dns_name(out, instance)),
        Hole::LaunchIndex => number(xml, instance.launch_index()),
        Hole::Type => xml.plain(instance.instance_type()),
        Hole::Launched => xml.raw(moment.of(instance.launched)),
        Hole::Zone => xml.raw(instance.zone()),
        Hole::Subnet => xml.raw(instance.subnet()),
        Hole::Address => xml.raw(&instance.private_ip('.')),
        Hole::Volume => {
            let volume = Parts::of(&[&instance.id.to_string()]).ec2("vol");
            xml.by_hand(|out| ids::write_ec2(out, "vol", volume));
        }
        Hole::SpotRequest => {
            xml.raw("sir-");
            xml.raw(&ids::hex(8, &[&instance.id.to_string()]));
        }
        Hole::ClientToken => xml.raw(client_token),
        Hole::OwnTag => xml.plain(&instance.own_tag_value().unwrap_or_default()),
        Hole::OptionsState => xml.raw(instance.options_state()),
        Hole::HttpTokens => xml.raw(options.http_tokens.as_str()),
        Hole::HopLimit => number(xml, options.hop_limit),
        Hole::HttpEndpoint => xml.raw(options.http_endpoint.as_str()),
        Hole::HttpProtocolIpv6 => xml.raw(options.http_protocol_ipv6.as_str()),
        Hole::InstanceMetadataTags => xml.raw(options.instance_metadata_tags.as_str()),
    }
}

fn number(xml: &mut Xml, number: impl std::fmt::Display) {
    xml.by_hand(|out| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{number}");
    });
}

/// The name that EC2 gives an instance in its network.
pub fn dns_name(instance: &Instance) -> String {
    let mut name = String::new();
    write_dns_name(&mut name, instance);
    name
}

fn write_dns_name(out: &mut String, instance: &Instance) {
    let zone = instance.zone();
    let region = &zone[..zone.len().saturating_sub(1)];
    out.push_str("ip-");
    out.push_str(&instance.private_ip('-'));
    if region == "us-east-1" {
        out.push_str(".ec2.internal");
    } else {
        out.push('.');
        out.push_str(region);
        out.push_str(".compute.internal");
    }
}

/// The ARN of an instance profile.
pub fn profile_arn(account: &Account, profile: &str) -> String {
    format!("arn:{}:iam::{}:instance-profile/{profile}", account.partition, account.id)
}

/// The tags of the instances of a launch.
pub fn tag_set(xml: &mut Xml<Hole>, launch: &Launch) {
    let own = launch.own_tag.as_ref().map(|own| (&own.key, None));
    let mut tags: Vec<_> = launch.tags.iter().map(|(key, value)| (key, Some(value))).chain(own).collect();
    tags.sort_unstable();
    xml.list("tagSet", "item", tags, |xml, (key, value)| {
        xml.text("key", key);
        match value {
            Some(value) => xml.text("value", value),
            None => xml.hole("value", Hole::OwnTag),
        }
    });
}

/// What the instances of a launch have in common, with holes.
fn shape(launch: &Launch, call: &Call<'_>) -> Xml<Hole> {
    let image = call.region.images.get(&launch.image);
    let mut xml = Xml::shape();
    xml.element("item", |xml| instance(xml, launch, image, call.account));
    xml
}

fn instance(xml: &mut Xml<Hole>, launch: &Launch, image: Option<&Image>, account: &Account) {
    let windows = image.is_some_and(|image| image.windows);
    xml.hole("instanceId", Hole::Id);
    xml.text("imageId", &launch.image);
    xml.element("instanceState", |xml| {
        xml.hole("code", Hole::StateCode);
        xml.hole("name", Hole::StateName);
    });
    xml.hole("privateDnsName", Hole::DnsName);
    xml.text("dnsName", "");
    xml.text("reason", "");
    xml.hole("amiLaunchIndex", Hole::LaunchIndex);
    xml.list("productCodes", "item", [(); 0], |_, ()| {});
    xml.hole("instanceType", Hole::Type);
    xml.hole("launchTime", Hole::Launched);
    xml.element("placement", |xml| {
        xml.hole("availabilityZone", Hole::Zone);
        xml.text("groupName", "");
        xml.text("tenancy", "default");
    });
    if windows {
        xml.text("platform", "Windows");
    }
    xml.element("monitoring", |xml| xml.text("state", "disabled"));
    xml.hole("subnetId", Hole::Subnet);
    xml.text("vpcId", &launch.vpc);
    xml.hole("privateIpAddress", Hole::Address);
    xml.value("sourceDestCheck", true);
    xml.list("groupSet", "item", [&launch.security_group], |xml, group| {
        xml.text("groupId", group);
        xml.text("groupName", "nodes");
    });
    xml.text("architecture", image.map_or("x86_64", |image| image.architecture.as_str()));
    volumes(xml);
    if launch.spot {
        xml.text("instanceLifecycle", "spot");
        xml.hole("spotInstanceRequestId", Hole::SpotRequest);
    }
    xml.hole("clientToken", Hole::ClientToken);
    tag_set(xml, launch);
    if let Some(profile) = &launch.profile {
        xml.element("iamInstanceProfile", |xml| {
            xml.text("arn", &profile_arn(account, profile));
            xml.text("id", &format!("AIPA{}", ids::hex(16, &[&account.id, profile]).to_uppercase()));
        });
    }
    features(xml, windows);
    metadata_options(xml);
    operator(xml, launch.operator.as_deref());
}

fn volumes(xml: &mut Xml<Hole>) {
    xml.text("rootDeviceType", "ebs");
    xml.text("rootDeviceName", "/dev/xvda");
    xml.list("blockDeviceMapping", "item", ["/dev/xvda"], |xml, device| {
        xml.text("deviceName", device);
        xml.element("ebs", |xml| {
            xml.hole("volumeId", Hole::Volume);
            xml.text("status", "attached");
            xml.hole("attachTime", Hole::Launched);
            xml.value("deleteOnTermination", true);
        });
    });
}

fn features(xml: &mut Xml<Hole>, windows: bool) {
    xml.text("virtualizationType", "hvm");
    xml.text("hypervisor", "xen");
    xml.value("ebsOptimized", true);
    xml.value("enaSupport", true);
    xml.element("cpuOptions", |xml| {
        xml.value("coreCount", 2);
        xml.value("threadsPerCore", 2);
    });
    xml.element("hibernationOptions", |xml| xml.value("configured", false));
    xml.element("enclaveOptions", |xml| xml.value("enabled", false));
    xml.text("platformDetails", if windows { "Windows" } else { "Linux/UNIX" });
    xml.text("usageOperation", if windows { "RunInstances:0002" } else { "RunInstances" });
    xml.element("privateDnsNameOptions", |xml| {
        xml.text("hostnameType", "ip-name");
        xml.value("enableResourceNameDnsARecord", false);
        xml.value("enableResourceNameDnsAAAARecord", false);
    });
    xml.element("maintenanceOptions", |xml| xml.text("autoRecovery", "default"));
}

fn metadata_options(xml: &mut Xml<Hole>) {
    xml.element("metadataOptions", |xml| {
        xml.hole("state", Hole::OptionsState);
        xml.hole("httpTokens", Hole::HttpTokens);
        xml.hole("httpPutResponseHopLimit", Hole::HopLimit);
        xml.hole("httpEndpoint", Hole::HttpEndpoint);
        xml.hole("httpProtocolIpv6", Hole::HttpProtocolIpv6);
        xml.hole("instanceMetadataTags", Hole::InstanceMetadataTags);
    });
}
