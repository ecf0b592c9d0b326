//! Auto Scaling groups and launch configurations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Arn, ImageId, InstanceId, MetadataOptions, Tags, TemplateRef, VersionRef};

/// An Auto Scaling group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AutoScalingGroup {
    /// Its name, unique in an account and Region.
    pub name: String,
    /// Its ARN.
    pub arn: Option<Arn>,
    /// Its tags.
    pub tags: Tags,
    /// What its next instance is launched from.
    pub launch: GroupLaunch,
    /// The instances that it holds, those of its warm pool included.
    pub instances: Vec<InstanceId>,
}

/// What a group launches from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupLaunch {
    /// One launch template.
    Template(TemplateRef),
    /// A mixed instances policy.
    Mixed {
        /// The template that holds where an override names none.
        base: TemplateRef,
        /// The overrides, one an instance type or set of requirements.
        overrides: Vec<LaunchOverride>,
    },
    /// A launch configuration, by name.
    Configuration(String),
    /// The API named none.
    Unknown,
}

impl GroupLaunch {
    /// Every pair of template and overriding image that a launch may take, each once. The base template of
    /// a mixed instances policy is not among them where every override brings its own.
    pub fn launches(&self) -> Vec<(&TemplateRef, Option<&ImageId>)> {
        let mut launches = Vec::new();
        match self {
            Self::Template(template) => launches.push((template, None)),
            Self::Mixed { base, overrides } if overrides.is_empty() => launches.push((base, None)),
            Self::Mixed { base, overrides } => {
                for one in overrides {
                    let launch = (one.template.as_ref().unwrap_or(base), one.image.as_ref());
                    if !launches.contains(&launch) {
                        launches.push(launch);
                    }
                }
            }
            Self::Configuration(_) | Self::Unknown => {}
        }
        launches
    }

    /// Every template that a launch may take, each once.
    pub fn templates(&self) -> impl Iterator<Item = &TemplateRef> {
        let mut templates = Vec::new();
        for (template, _) in self.launches() {
            if !templates.contains(&template) {
                templates.push(template);
            }
        }
        templates.into_iter()
    }

    /// Every reference to a template, in the order in which the API gives them: the base, then those of overrides.
    pub fn references(&self) -> Vec<&TemplateRef> {
        match self {
            Self::Template(template) => vec![template],
            Self::Mixed { base, overrides } => {
                let own = overrides.iter().filter_map(|one| one.template.as_ref());
                std::iter::once(base).chain(own).collect()
            }
            Self::Configuration(_) | Self::Unknown => Vec::new(),
        }
    }

    /// The same with other versions, which are asked for in that order.
    #[must_use]
    pub fn with_versions(&self, mut version: impl FnMut(&TemplateRef) -> VersionRef) -> Self {
        let mut changed = self.clone();
        let mut set = |reference: &mut TemplateRef| reference.version = version(reference);
        match &mut changed {
            Self::Template(template) => set(template),
            Self::Mixed { base, overrides } => {
                set(base);
                overrides.iter_mut().filter_map(|one| one.template.as_mut()).for_each(set);
            }
            Self::Configuration(_) | Self::Unknown => {}
        }
        changed
    }
}

/// An override of a mixed instances policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LaunchOverride {
    /// The instance type, or nothing where requirements choose it.
    pub instance_type: Option<String>,
    /// The template of this override, where it has one of its own.
    pub template: Option<TemplateRef>,
    /// The image of this override, where it has one of its own.
    pub image: Option<ImageId>,
}

/// A launch configuration. It cannot be changed, only replaced; what it leaves out is resolved
/// as for a launch template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LaunchConfiguration {
    /// Its name, unique in an account and Region, and in nothing wider.
    pub name: String,
    /// Its ARN.
    pub arn: Option<Arn>,
    /// The image that it launches.
    pub image: Option<ImageId>,
    /// The options that it sets.
    pub metadata: MetadataOptions,
}
