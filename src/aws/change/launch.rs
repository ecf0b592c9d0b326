//! What a group launches from, with other versions and nothing else changed.

use aws_sdk_autoscaling::types::{
    AutoScalingGroup, InstancesDistribution, LaunchTemplateSpecification, MixedInstancesPolicy,
};

use super::Repointed;
use crate::model::VersionRef;

/// What a group launches from, as Auto Scaling takes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Launch {
    Template(LaunchTemplateSpecification),
    Mixed(MixedInstancesPolicy),
}

/// A change of references, and the name of its template, by which the group may refer to it.
#[derive(Clone, Debug)]
pub(super) struct Named<'a> {
    pub change: &'a Repointed,
    pub name: String,
}

impl Launch {
    /// What a group launches from, with the references changed; or why that cannot be done: it must refer to each
    /// of them as it was seen to.
    pub fn repointed(group: &AutoScalingGroup, changes: &[Named<'_>]) -> Result<Self, String> {
        let mut launch = Self::of(group).ok_or("it does not launch from a template")?;
        for named in changes {
            let mut found = false;
            for reference in launch.references() {
                if named.matches(reference) {
                    reference.version = Some(named.change.to.to_string());
                    found = true;
                }
            }
            if !found {
                let Repointed { template, from, .. } = named.change;
                return Err(format!("it does not launch from version {from} of {template} any more"));
            }
        }
        launch.make_acceptable();
        Ok(launch)
    }

    fn of(group: &AutoScalingGroup) -> Option<Self> {
        let mixed = group.mixed_instances_policy().filter(|policy| policy.launch_template().is_some());
        let template = || group.launch_template().cloned().map(Self::Template);
        mixed.cloned().map(Self::Mixed).or_else(template)
    }

    fn references(&mut self) -> Vec<&mut LaunchTemplateSpecification> {
        match self {
            Self::Template(template) => vec![template],
            Self::Mixed(MixedInstancesPolicy { launch_template: Some(mixed), .. }) => {
                let overrides = mixed.overrides.iter_mut().flatten();
                let overridden = overrides.filter_map(|one| one.launch_template_specification.as_mut());
                mixed.launch_template_specification.iter_mut().chain(overridden).collect()
            }
            Self::Mixed(_) => Vec::new(),
        }
    }

    /// Whether every reference is a number, as rolling back by itself demands.
    pub fn is_numbered(&mut self) -> bool {
        let parse = |reference: &LaunchTemplateSpecification| VersionRef::parse(reference.version());
        self.references().iter().all(|reference| matches!(parse(reference), Some(VersionRef::Number(_))))
    }

    /// Auto Scaling answers with more than it takes: with a template's id and name, of which it takes one; and with a
    /// number of Spot pools beside strategies that have none.
    fn make_acceptable(&mut self) {
        for reference in self.references() {
            if reference.launch_template_id.is_some() {
                reference.launch_template_name = None;
            }
        }
        if let Self::Mixed(MixedInstancesPolicy { instances_distribution: Some(distribution), .. }) = self {
            let InstancesDistribution {
                spot_allocation_strategy, spot_instance_pools, spot_max_price, ..
            } = distribution;
            if spot_allocation_strategy.as_deref().is_some_and(|strategy| strategy != "lowest-price") {
                *spot_instance_pools = None;
            }
            *spot_instance_pools = spot_instance_pools.filter(|pools| *pools > 0);
            // None is what it is where nobody has set one; an empty one is the request to take it away.
            *spot_max_price = spot_max_price.take().filter(|price| !price.is_empty());
        }
    }
}

impl Named<'_> {
    fn matches(&self, reference: &LaunchTemplateSpecification) -> bool {
        let is_template = match (reference.launch_template_id(), reference.launch_template_name()) {
            (Some(id), _) => id == self.change.template.as_str(),
            (None, name) => name == Some(self.name.as_str()),
        };
        is_template && VersionRef::parse(reference.version()) == Some(self.change.from)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_autoscaling::types::{
        InstanceRequirements, LaunchTemplate, LaunchTemplateOverrides, MemoryMiBRequest, VCpuCountRequest,
    };

    use super::*;

    fn reference(id: &str, version: &str) -> LaunchTemplateSpecification {
        LaunchTemplateSpecification::builder()
            .launch_template_id(id)
            .launch_template_name(format!("name-of-{id}"))
            .version(version)
            .build()
    }

    fn change(template: &str, from: VersionRef, to: i64) -> Repointed {
        Repointed { template: template.into(), from, to: VersionRef::Number(to) }
    }

    fn repointed(group: &AutoScalingGroup, changes: &[Repointed]) -> Result<Launch, String> {
        let named = |change| Named { change, name: format!("name-of-{}", change.template) };
        Launch::repointed(group, &changes.iter().map(named).collect::<Vec<_>>())
    }

    fn mixed() -> AutoScalingGroup {
        let requirements = InstanceRequirements::builder()
            .v_cpu_count(VCpuCountRequest::builder().min(2).max(8).build())
            .memory_mib(MemoryMiBRequest::builder().min(4096).build())
            .build();
        let launch = LaunchTemplate::builder()
            .launch_template_specification(reference("lt-base", "3"))
            .overrides(
                LaunchTemplateOverrides::builder().instance_type("m6i.large").weighted_capacity("2").build(),
            )
            .overrides(
                LaunchTemplateOverrides::builder()
                    .instance_requirements(requirements)
                    .launch_template_specification(reference("lt-arm", "$Latest"))
                    .image_id("ami-arm")
                    .build(),
            )
            .overrides(
                LaunchTemplateOverrides::builder()
                    .instance_type("c6i.large")
                    .launch_template_specification(reference("lt-base", "2"))
                    .build(),
            )
            .build();
        let distribution = InstancesDistribution::builder()
            .on_demand_base_capacity(1)
            .on_demand_percentage_above_base_capacity(20)
            .spot_allocation_strategy("price-capacity-optimized")
            .spot_instance_pools(0)
            .spot_max_price("")
            .build();
        let policy = MixedInstancesPolicy::builder()
            .launch_template(launch)
            .instances_distribution(distribution)
            .build();
        AutoScalingGroup::builder().auto_scaling_group_name("mixed").mixed_instances_policy(policy).build()
    }

    #[test]
    fn only_the_references_that_were_meant_change() {
        let changes = [change("lt-base", VersionRef::Number(3), 4), change("lt-arm", VersionRef::Latest, 9)];
        let mut launch = repointed(&mixed(), &changes).unwrap();
        let versions: Vec<_> = launch.references().iter().map(|one| one.version.clone().unwrap()).collect();
        assert_eq!(versions, ["4", "9", "2"], "another version of the same template stays");
        assert!(launch.is_numbered());
        assert!(launch.references().iter().all(|one| one.launch_template_name.is_none()));
        let Launch::Mixed(policy) = launch else { panic!("it was mixed") };
        let distribution = policy.instances_distribution().unwrap();
        assert_eq!((distribution.spot_instance_pools(), distribution.spot_max_price()), (None, None));
        assert_eq!(distribution.on_demand_percentage_above_base_capacity(), Some(20));
        let overrides = policy.launch_template().unwrap().overrides();
        assert_eq!(overrides[0].weighted_capacity(), Some("2"));
        assert_eq!(overrides[1].image_id(), Some("ami-arm"));
        assert_eq!(overrides[1].instance_requirements().unwrap().v_cpu_count().unwrap().max(), Some(8));
    }

    #[test]
    fn a_group_that_has_moved_on_is_left_alone() {
        let group = AutoScalingGroup::builder().launch_template(reference("lt-1", "5")).build();
        let error = repointed(&group, &[change("lt-1", VersionRef::Number(4), 6)]).unwrap_err();
        assert_eq!(error, "it does not launch from version 4 of lt-1 any more");
        let error = repointed(&group, &[change("lt-2", VersionRef::Number(5), 6)]).unwrap_err();
        assert!(error.contains("lt-2"), "{error}");
        let configured = AutoScalingGroup::builder().launch_configuration_name("old").build();
        assert!(repointed(&configured, &[change("lt-1", VersionRef::Default, 2)]).is_err());
    }

    #[test]
    fn a_reference_without_a_version_is_the_default_and_one_by_name_is_found() {
        let by_name = LaunchTemplateSpecification::builder().launch_template_name("name-of-lt-1").build();
        let group = AutoScalingGroup::builder().launch_template(by_name).build();
        let Launch::Template(reference) =
            repointed(&group, &[change("lt-1", VersionRef::Default, 2)]).unwrap()
        else {
            panic!("it was one template")
        };
        assert_eq!(reference.version(), Some("2"));
        assert_eq!(reference.launch_template_name(), Some("name-of-lt-1"));
    }

    #[test]
    fn latest_and_default_are_no_numbers() {
        let group = AutoScalingGroup::builder().launch_template(reference("lt-1", "$Latest")).build();
        assert!(!repointed(&group, &[]).unwrap().is_numbered());
    }
}
