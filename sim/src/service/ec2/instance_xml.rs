//! Reservations and instances as XML.

use super::{Call, operator, tag_set};
use crate::ids;
use crate::wire::time::iso;
use crate::wire::xml::Xml;
use crate::world::{Account, EffectiveOptions, Image, Instance};

/// Instances that were launched together.
pub fn reservation(xml: &mut Xml, launched: &[&Instance], call: &Call<'_>) {
    if let Some(first) = launched.first() {
        xml.text("reservationId", &first.reservation);
    }
    xml.text("ownerId", &call.account.id);
    xml.list("groupSet", "item", [(); 0], |_, ()| {});
    xml.list("instancesSet", "item", launched, |xml, one| {
        instance(xml, one, call.region.images.get(&one.image), call.account);
    });
}

/// The name that EC2 gives an instance in its network.
pub fn dns_name(instance: &Instance) -> String {
    let region = &instance.zone[..instance.zone.len().saturating_sub(1)];
    let domain =
        if region == "us-east-1" { "ec2.internal".to_owned() } else { format!("{region}.compute.internal") };
    format!("ip-{}.{domain}", instance.private_ip.replace('.', "-"))
}

/// The ARN of an instance profile.
pub fn profile_arn(account: &Account, profile: &str) -> String {
    format!("arn:{}:iam::{}:instance-profile/{profile}", account.partition, account.id)
}

fn instance(xml: &mut Xml, instance: &Instance, image: Option<&Image>, account: &Account) {
    let windows = image.is_some_and(|image| image.windows);
    let (state, code) = instance.state.name_and_code();
    xml.text("instanceId", &instance.id);
    xml.text("imageId", &instance.image);
    xml.element("instanceState", |xml| {
        xml.value("code", code);
        xml.text("name", state);
    });
    xml.text("privateDnsName", &dns_name(instance));
    xml.text("dnsName", "");
    xml.text("reason", "");
    xml.value("amiLaunchIndex", instance.launch_index);
    xml.list("productCodes", "item", [(); 0], |_, ()| {});
    xml.text("instanceType", &instance.instance_type);
    xml.text("launchTime", &iso(instance.launched));
    xml.element("placement", |xml| {
        xml.text("availabilityZone", &instance.zone);
        xml.text("groupName", "");
        xml.text("tenancy", "default");
    });
    if windows {
        xml.text("platform", "Windows");
    }
    xml.element("monitoring", |xml| xml.text("state", "disabled"));
    xml.text("subnetId", &instance.subnet);
    xml.text("vpcId", &instance.vpc);
    xml.text("privateIpAddress", &instance.private_ip);
    xml.value("sourceDestCheck", true);
    xml.list("groupSet", "item", [&instance.security_group], |xml, group| {
        xml.text("groupId", group);
        xml.text("groupName", "nodes");
    });
    xml.text("architecture", image.map_or("x86_64", |image| image.architecture.as_str()));
    volumes(xml, instance);
    if instance.spot {
        xml.text("instanceLifecycle", "spot");
        xml.text("spotInstanceRequestId", &format!("sir-{}", ids::hex(8, &[&instance.id])));
    }
    xml.text("clientToken", &ids::uuid(&[&instance.reservation]));
    tag_set(xml, &instance.tags);
    if let Some(profile) = &instance.profile {
        xml.element("iamInstanceProfile", |xml| {
            xml.text("arn", &profile_arn(account, profile));
            xml.text("id", &format!("AIPA{}", ids::hex(16, &[&account.id, profile]).to_uppercase()));
        });
    }
    features(xml, windows);
    metadata_options(xml, instance.options);
    operator(xml, instance.operator.as_deref());
}

fn volumes(xml: &mut Xml, instance: &Instance) {
    xml.text("rootDeviceType", "ebs");
    xml.text("rootDeviceName", "/dev/xvda");
    xml.list("blockDeviceMapping", "item", ["/dev/xvda"], |xml, device| {
        xml.text("deviceName", device);
        xml.element("ebs", |xml| {
            xml.text("volumeId", &ids::ec2("vol", &[&instance.id]));
            xml.text("status", "attached");
            xml.text("attachTime", &iso(instance.launched));
            xml.value("deleteOnTermination", true);
        });
    });
}

fn features(xml: &mut Xml, windows: bool) {
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

fn metadata_options(xml: &mut Xml, options: EffectiveOptions) {
    xml.element("metadataOptions", |xml| {
        xml.text("state", "applied");
        xml.text("httpTokens", options.http_tokens.as_str());
        xml.value("httpPutResponseHopLimit", options.hop_limit);
        xml.text("httpEndpoint", options.http_endpoint.as_str());
        xml.text("httpProtocolIpv6", options.http_protocol_ipv6.as_str());
        xml.text("instanceMetadataTags", options.instance_metadata_tags.as_str());
    });
}
