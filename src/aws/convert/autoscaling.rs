//! Auto Scaling: groups, what they launch from, launch configurations.

use std::collections::BTreeSet;

use aws_sdk_autoscaling::types;

use super::{hops, template_ref, word};
use crate::model::{
    AutoScalingGroup, GroupLaunch, InstanceId, LaunchConfiguration, LaunchOverride, MetadataOptions, Tags,
    TemplateRef,
};

/// A group, with what the collectors need of it and the model does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub model: AutoScalingGroup,
    /// Whether it keeps instances in reserve, which only `DescribeWarmPool` lists.
    pub has_warm_pool: bool,
    /// Those of its instances that are on their way out.
    pub leaving: BTreeSet<InstanceId>,
}

pub fn group(from: &types::AutoScalingGroup) -> Option<Group> {
    let mut instances: Vec<InstanceId> = from.instances().iter().filter_map(instance_id).collect();
    instances.sort();
    instances.dedup();
    let leaving = from.instances().iter().filter(|instance| is_leaving(instance)).filter_map(instance_id);
    Some(Group {
        model: AutoScalingGroup {
            name: from.auto_scaling_group_name()?.to_owned(),
            arn: from.auto_scaling_group_arn().map(Into::into),
            tags: tags(from.tags()),
            launch: launch(from),
            instances,
        },
        has_warm_pool: from.warm_pool_configuration().is_some(),
        leaving: leaving.collect(),
    })
}

pub fn instance_id(from: &types::Instance) -> Option<InstanceId> {
    from.instance_id().map(Into::into)
}

/// Whether an instance of a group or warm pool is being terminated. Such instances mostly do not exist any
/// more when they are asked for.
pub fn is_leaving(from: &types::Instance) -> bool {
    let state = from.lifecycle_state().map_or("", types::LifecycleState::as_str);
    state.starts_with("Terminat") || state.starts_with("Warmed:Terminat")
}

pub fn tags(tags: &[types::TagDescription]) -> Tags {
    tags.iter().filter_map(|tag| Some((tag.key()?, tag.value().unwrap_or_default()))).collect()
}

pub fn launch(from: &types::AutoScalingGroup) -> GroupLaunch {
    if let Some(launch) = from_templates(from.mixed_instances_policy(), from.launch_template()) {
        return launch;
    }
    match from.launch_configuration_name() {
        Some(name) if !name.is_empty() => GroupLaunch::Configuration(name.to_owned()),
        _ => GroupLaunch::Unknown,
    }
}

/// What an instance refresh launches from.
pub fn desired(from: &types::DesiredConfiguration) -> GroupLaunch {
    from_templates(from.mixed_instances_policy(), from.launch_template()).unwrap_or(GroupLaunch::Unknown)
}

fn from_templates(
    mixed: Option<&types::MixedInstancesPolicy>,
    template: Option<&types::LaunchTemplateSpecification>,
) -> Option<GroupLaunch> {
    if let Some(mixed) = mixed.and_then(types::MixedInstancesPolicy::launch_template) {
        let overrides = mixed.overrides().iter().map(launch_override).collect();
        let base = mixed.launch_template_specification().and_then(reference);
        return Some(base.map_or(GroupLaunch::Unknown, |base| GroupLaunch::Mixed { base, overrides }));
    }
    template.and_then(reference).map(GroupLaunch::Template)
}

fn launch_override(from: &types::LaunchTemplateOverrides) -> LaunchOverride {
    LaunchOverride {
        instance_type: from.instance_type().map(str::to_owned),
        template: from.launch_template_specification().and_then(reference),
        image: from.image_id().filter(|id| !id.is_empty()).map(Into::into),
    }
}

pub fn reference(from: &types::LaunchTemplateSpecification) -> Option<TemplateRef> {
    template_ref(from.launch_template_id(), from.launch_template_name(), from.version())
}

pub fn launch_configuration(from: &types::LaunchConfiguration) -> Option<LaunchConfiguration> {
    Some(LaunchConfiguration {
        name: from.launch_configuration_name()?.to_owned(),
        arn: from.launch_configuration_arn().map(Into::into),
        image: from.image_id().filter(|id| !id.is_empty()).map(Into::into),
        metadata: from.metadata_options().map(options).unwrap_or_default(),
    })
}

// Launch configurations know neither IPv6 nor tags.
fn options(from: &types::InstanceMetadataOptions) -> MetadataOptions {
    MetadataOptions {
        http_tokens: word(from.http_tokens().map(types::InstanceMetadataHttpTokensState::as_str)),
        http_put_response_hop_limit: hops(from.http_put_response_hop_limit()),
        http_endpoint: word(from.http_endpoint().map(types::InstanceMetadataEndpointState::as_str)),
        http_protocol_ipv6: None,
        instance_metadata_tags: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{OptionValue, VersionRef};

    fn specification(id: &str, version: &str) -> types::LaunchTemplateSpecification {
        types::LaunchTemplateSpecification::builder().launch_template_id(id).version(version).build()
    }

    #[test]
    fn every_template_of_a_mixed_policy_is_kept() {
        let policy = types::LaunchTemplate::builder()
            .launch_template_specification(specification("lt-base", "$Latest"))
            .overrides(types::LaunchTemplateOverrides::builder().instance_type("m6i.large").build())
            .overrides(
                types::LaunchTemplateOverrides::builder()
                    .launch_template_specification(specification("lt-arm", "4"))
                    .build(),
            )
            .build();
        let from = types::AutoScalingGroup::builder()
            .auto_scaling_group_name("mixed")
            .mixed_instances_policy(types::MixedInstancesPolicy::builder().launch_template(policy).build())
            .build();
        let GroupLaunch::Mixed { base, overrides } = group(&from).unwrap().model.launch else {
            panic!("a mixed launch");
        };
        assert_eq!(base.version, VersionRef::Latest);
        assert_eq!(overrides[0].template, None);
        assert_eq!(overrides[1].template.as_ref().unwrap().version, VersionRef::Number(4));
        assert_eq!(overrides[1].instance_type, None);
    }

    #[test]
    fn instances_on_their_way_out_are_marked() {
        let instance =
            |id: &str, state| types::Instance::builder().instance_id(id).lifecycle_state(state).build();
        let from = types::AutoScalingGroup::builder()
            .auto_scaling_group_name("group")
            .instances(instance("i-2", types::LifecycleState::TerminatingWait))
            .instances(instance("i-1", types::LifecycleState::InService))
            .build();
        let group = group(&from).unwrap();
        assert_eq!(group.model.instances, ["i-1".into(), "i-2".into()]);
        assert_eq!(group.leaving, BTreeSet::from(["i-2".into()]));
        assert_eq!(group.model.launch, GroupLaunch::Unknown);
    }

    #[test]
    fn a_launch_configuration_has_options_of_its_own() {
        let options = types::InstanceMetadataOptions::builder()
            .http_tokens(types::InstanceMetadataHttpTokensState::Optional)
            .build();
        let from = types::LaunchConfiguration::builder()
            .launch_configuration_name("old")
            .user_data("c2VjcmV0")
            .metadata_options(options)
            .build();
        let configuration = launch_configuration(&from).unwrap();
        assert_eq!(configuration.metadata.http_tokens, Some(OptionValue::Optional));
        assert_eq!(configuration.metadata.http_put_response_hop_limit, None);
        assert!(!format!("{configuration:?}").contains("c2VjcmV0"));
    }
}
