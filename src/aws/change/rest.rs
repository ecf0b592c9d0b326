//! Everything of a template's version but its metadata options.

use std::fmt;

use aws_sdk_ec2::types::{
    LaunchTemplateBlockDeviceMapping, LaunchTemplateBlockDeviceMappingRequest, LaunchTemplateEbsBlockDevice,
    LaunchTemplateEbsBlockDeviceRequest, ResponseLaunchTemplateData,
};

/// What a version sets besides its metadata options. It can be compared, and never be looked into: user data is part
/// of it.
#[derive(Clone, PartialEq)]
pub struct Rest(Box<ResponseLaunchTemplateData>);

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rest")
    }
}

/// Names the fields in which two versions differ.
macro_rules! differing {
    ($one:expr, $other:expr; $($field:ident)*) => {
        [$((stringify!($field), $one.$field != $other.$field)),*]
    };
}

impl Rest {
    pub(super) fn of(mut data: ResponseLaunchTemplateData) -> Self {
        data.metadata_options = None;
        sort(&mut data);
        Self(Box::new(data))
    }

    /// The fields in which another version differs, by name. Never what they hold.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        if self == other {
            return Vec::new();
        }
        let fields = differing!(
            self.0, other.0;
            kernel_id ebs_optimized iam_instance_profile block_device_mappings network_interfaces image_id
            instance_type key_name monitoring placement ram_disk_id disable_api_termination
            instance_initiated_shutdown_behavior user_data tag_specifications elastic_gpu_specifications
            elastic_inference_accelerators security_group_ids security_groups instance_market_options
            credit_specification cpu_options capacity_reservation_specification license_specifications
            hibernation_options enclave_options instance_requirements private_dns_name_options
            maintenance_options disable_api_stop operator network_performance_options secondary_interfaces
        );
        let differing = fields.into_iter().filter(|(_, differs)| *differs);
        let mut names: Vec<String> = differing.map(|(name, _)| name.to_owned()).collect();
        if names.is_empty() {
            // A field that a newer SDK knows, and the list above does not.
            names.push("something else".to_owned());
        }
        names
    }

    /// The block devices, to be repeated in a version that is made from this one. EC2 takes over everything else by
    /// itself, but leaves out the snapshots of block devices unless they are named again. Where there are none,
    /// there is nothing to repeat.
    pub(super) fn block_devices_to_repeat(&self) -> Option<Vec<LaunchTemplateBlockDeviceMappingRequest>> {
        let devices = self.0.block_device_mappings();
        let has_snapshot = |device: &LaunchTemplateBlockDeviceMapping| {
            device.ebs().and_then(LaunchTemplateEbsBlockDevice::snapshot_id).is_some_and(is_set)
        };
        devices.iter().any(has_snapshot).then(|| devices.iter().map(repeated).collect())
    }
}

fn is_set(text: &str) -> bool {
    !text.is_empty()
}

fn repeated(device: &LaunchTemplateBlockDeviceMapping) -> LaunchTemplateBlockDeviceMappingRequest {
    let text = |text: Option<&str>| text.filter(|text| is_set(text)).map(str::to_owned);
    LaunchTemplateBlockDeviceMappingRequest::builder()
        .set_device_name(text(device.device_name()))
        .set_virtual_name(text(device.virtual_name()))
        .set_ebs(device.ebs().map(repeated_volume))
        // Here an empty text says something: that there is no such device.
        .set_no_device(device.no_device().map(str::to_owned))
        .build()
}

fn repeated_volume(volume: &LaunchTemplateEbsBlockDevice) -> LaunchTemplateEbsBlockDeviceRequest {
    let text = |text: Option<&str>| text.filter(|text| is_set(text)).map(str::to_owned);
    LaunchTemplateEbsBlockDeviceRequest::builder()
        .set_encrypted(volume.encrypted())
        .set_delete_on_termination(volume.delete_on_termination())
        .set_iops(volume.iops())
        .set_kms_key_id(text(volume.kms_key_id()))
        .set_snapshot_id(text(volume.snapshot_id()))
        .set_volume_size(volume.volume_size())
        .set_volume_type(volume.volume_type().filter(|kind| is_set(kind.as_str())).cloned())
        .set_throughput(volume.throughput())
        .set_volume_initialization_rate(volume.volume_initialization_rate())
        .set_ebs_card_index(volume.ebs_card_index())
        .build()
}

/// What is a set, in an order. EC2 promises none.
fn sort(data: &mut ResponseLaunchTemplateData) {
    for groups in [&mut data.security_group_ids, &mut data.security_groups].into_iter().flatten() {
        groups.sort_unstable();
    }
    if let Some(devices) = &mut data.block_device_mappings {
        devices.sort_by(|a, b| a.device_name.cmp(&b.device_name));
    }
    for tagged in data.tag_specifications.iter_mut().flatten() {
        if let Some(tags) = &mut tagged.tags {
            tags.sort_by(|a, b| a.key.cmp(&b.key));
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{
        LaunchTemplateHttpTokensState, LaunchTemplateInstanceMetadataOptions, VolumeType,
        builders::ResponseLaunchTemplateDataBuilder,
    };

    use super::*;

    fn data() -> ResponseLaunchTemplateDataBuilder {
        ResponseLaunchTemplateData::builder().image_id("ami-1").user_data("c2VjcmV0")
    }

    fn device(name: &str, volume: LaunchTemplateEbsBlockDevice) -> LaunchTemplateBlockDeviceMapping {
        LaunchTemplateBlockDeviceMapping::builder().device_name(name).ebs(volume).build()
    }

    #[test]
    fn metadata_options_and_order_make_no_difference() {
        let options = LaunchTemplateInstanceMetadataOptions::builder()
            .http_tokens(LaunchTemplateHttpTokensState::Required)
            .build();
        let one = data().security_group_ids("sg-1").security_group_ids("sg-2").metadata_options(options);
        let other = data().security_group_ids("sg-2").security_group_ids("sg-1");
        let (one, other) = (Rest::of(one.build()), Rest::of(other.build()));
        assert_eq!(one.differences(&other), [""; 0]);
    }

    #[test]
    fn what_differs_is_named_and_never_shown() {
        let one = Rest::of(data().build());
        let other = Rest::of(data().user_data("other").ebs_optimized(true).build());
        assert_eq!(one.differences(&other), ["ebs_optimized", "user_data"]);
        assert!(!format!("{one:?}").contains("c2VjcmV0"));
    }

    #[test]
    fn devices_are_repeated_whole_where_a_snapshot_would_be_lost() {
        let plain = LaunchTemplateEbsBlockDevice::builder().volume_size(20).build();
        let none = Rest::of(data().block_device_mappings(device("/dev/xvda", plain.clone())).build());
        assert_eq!(none.block_devices_to_repeat(), None);

        let snapshot = LaunchTemplateEbsBlockDevice::builder()
            .snapshot_id("snap-1")
            .volume_size(100)
            .volume_type(VolumeType::Gp3)
            .throughput(250)
            .iops(4000)
            .delete_on_termination(false)
            .kms_key_id("")
            .build();
        let without =
            LaunchTemplateBlockDeviceMapping::builder().device_name("/dev/xvdc").no_device("").build();
        let some = data()
            .block_device_mappings(device("/dev/xvdb", snapshot))
            .block_device_mappings(device("/dev/xvda", plain))
            .block_device_mappings(without);
        let repeated = Rest::of(some.build()).block_devices_to_repeat().unwrap();
        assert_eq!(repeated.len(), 3);
        assert_eq!(repeated[0].ebs().unwrap().volume_size(), Some(20));
        let volume = repeated[1].ebs().unwrap();
        assert_eq!(volume.snapshot_id(), Some("snap-1"));
        assert_eq!((volume.throughput(), volume.iops()), (Some(250), Some(4000)));
        assert_eq!((volume.delete_on_termination(), volume.kms_key_id()), (Some(false), None));
        assert_eq!(repeated[2].no_device(), Some(""));
    }
}
