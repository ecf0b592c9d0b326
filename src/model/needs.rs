//! What an audit asks for besides what belongs to clusters, and an inventory without what was not asked for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Breadth, CoverageStatus, Inventory, Others, Read, ReadError};

/// What to read besides what belongs to clusters: `templates` and `account_defaults` in every Region, with or
/// without a trace of EKS there, and `instances` in every Region that has any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Needs {
    /// Launch templates by themselves, their images, and the account defaults that they resolve to.
    pub templates: bool,
    /// The account's defaults.
    pub account_defaults: bool,
    /// Every instance and every Auto Scaling group, and what launches the next ones.
    #[serde(default)]
    pub instances: bool,
}

impl Needs {
    /// Everything that there is to ask for.
    pub const ALL: Self = Self { templates: true, account_defaults: true, instances: true };

    /// What of these needs `given` leaves unmet, in words.
    pub fn unmet(self, given: Self) -> Option<&'static str> {
        if self.templates && !given.templates {
            Some("launch templates")
        } else if self.account_defaults && !(given.account_defaults || given.templates) {
            Some("account defaults")
        } else if self.instances && !given.instances {
            Some("instances but nodes")
        } else {
            None
        }
    }

    /// Which instances these needs are about.
    pub const fn breadth(self) -> Breadth {
        if self.instances { Breadth::All } else { Breadth::Nodes }
    }
}

/// What to read of an account in a Region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// What to read besides what belongs to clusters.
    pub needs: Needs,
    /// An instance by its id, or a group or a template by its id or name, that is wanted wherever it belongs.
    pub named: Option<String>,
}

impl From<Needs> for Asked {
    fn from(needs: Needs) -> Self {
        Self { needs, named: None }
    }
}

/// What shows whether there is a trace of EKS, and is therefore always asked.
const ALWAYS: [(&str, &str); 3] =
    [("eks", "ListClusters"), ("autoscaling", "DescribeAutoScalingGroups"), ("ec2", "DescribeInstances")];

/// What is asked besides where templates by themselves are asked for.
const FOR_TEMPLATES: [(&str, &str); 4] = [
    ("ec2", "DescribeLaunchTemplates"),
    ("ec2", "DescribeLaunchTemplateVersions"),
    ("ec2", "DescribeImages"),
    FOR_DEFAULTS,
];

/// What is asked where account defaults are asked for.
const FOR_DEFAULTS: (&str, &str) = ("ec2", "GetInstanceMetadataDefaults");

impl Inventory {
    /// The inventory as it would be had no more been asked for than `needs`: the same findings come of it, the same
    /// counts and the same coverage, whatever else was read.
    #[must_use]
    pub fn narrowed(mut self, needs: Needs) -> Self {
        self.forget_images(needs);
        if !needs.instances {
            self.forget_others();
        }
        // Where nothing shows that there is more, reading ends.
        let read_on = self.traces || (needs.instances && self.has_instances());
        if !read_on {
            if !needs.templates {
                self.launch_templates.clear();
                self.templates_read = false;
                self.images.clear();
                if !needs.account_defaults {
                    self.account_defaults = Read::NotAsked;
                }
            }
            self.forget_errors(needs);
        }
        self
    }

    /// Whether there are instances or groups, which is why a Region without a trace of EKS is read on where all of
    /// them are asked for.
    pub fn has_instances(&self) -> bool {
        !self.instances.is_empty() || !self.auto_scaling_groups.is_empty()
    }

    fn forget_images(&mut self, needs: Needs) {
        let mut unwanted = Vec::new();
        if !needs.templates {
            unwanted.push(std::mem::take(&mut self.images_of_templates));
        }
        if !needs.instances {
            unwanted.push(std::mem::take(&mut self.others.images));
        }
        let (of_templates, of_others) = (&self.images_of_templates, &self.others.images);
        self.images.retain(|id, _| {
            !unwanted.iter().any(|images| images.contains(id))
                || of_templates.contains(id)
                || of_others.contains(id)
        });
    }

    fn forget_others(&mut self) {
        let others = std::mem::take(&mut self.others);
        let Others { groups: _, instances, launch_configurations, template_versions, images: _ } = others;
        self.instances.retain(|instance| !instances.contains(&instance.id));
        self.launch_configurations.retain(|name, _| !launch_configurations.contains(name));
        for (id, number) in template_versions {
            if let Some(template) = self.launch_templates.get_mut(&id) {
                template.versions.remove(&number);
            }
        }
        self.coverage.instances = Breadth::Nodes;
    }

    /// Forgets calls that failed and would not have been made.
    fn forget_errors(&mut self, needs: Needs) {
        let asked = |error: &ReadError| {
            let call = (error.service.as_str(), error.operation.as_str());
            ALWAYS.contains(&call)
                || (needs.templates && FOR_TEMPLATES.contains(&call))
                || (needs.account_defaults && call == FOR_DEFAULTS)
        };
        self.coverage.errors.retain(asked);
        if self.coverage.errors.is_empty() && self.coverage.status == CoverageStatus::Partial {
            self.coverage.status = CoverageStatus::Complete;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccountDefaults, ImageId, LaunchConfiguration, LaunchTemplate, Tags};
    use crate::testing;

    fn error(service: &str, operation: &str) -> ReadError {
        let (code, message) = ("AccessDenied".to_owned(), "denied".to_owned());
        ReadError { service: service.to_owned(), operation: operation.to_owned(), code, message }
    }

    fn without_traces() -> Inventory {
        let mut inventory = testing::inventory();
        inventory.traces = false;
        inventory.account_defaults = Read::Known(AccountDefaults::default());
        let id = "lt-1";
        inventory.launch_templates.insert(
            id.into(),
            LaunchTemplate {
                id: id.into(),
                name: "web".to_owned(),
                tags: Tags::new(),
                default_version: 1,
                latest_version: 1,
                versions: std::collections::BTreeMap::new(),
            },
        );
        inventory.coverage.status = CoverageStatus::Partial;
        inventory.coverage.errors = vec![error("ec2", "DescribeImages")];
        inventory
    }

    #[test]
    fn without_a_trace_of_eks_only_what_was_asked_for_is_left() {
        let none = without_traces().narrowed(Needs::default());
        assert!(none.launch_templates.is_empty());
        assert_eq!(none.account_defaults, Read::NotAsked);
        assert_eq!((none.coverage.status, none.coverage.errors.len()), (CoverageStatus::Complete, 0));
        let defaults = without_traces().narrowed(Needs { account_defaults: true, ..Needs::default() });
        assert!(defaults.launch_templates.is_empty() && defaults.account_defaults.known().is_some());
        assert_eq!(without_traces().narrowed(Needs::ALL), without_traces());
    }

    #[test]
    fn a_call_that_is_always_made_is_still_missing() {
        let mut inventory = without_traces();
        inventory.coverage.errors.push(error("eks", "ListClusters"));
        let narrowed = inventory.narrowed(Needs::default());
        assert_eq!(narrowed.coverage.status, CoverageStatus::Partial);
        assert_eq!(narrowed.coverage.errors, [error("eks", "ListClusters")]);
    }

    #[test]
    fn with_a_trace_of_eks_only_the_images_of_other_templates_go() {
        let mut inventory = without_traces();
        inventory.traces = true;
        let image = ImageId::from("ami-of-another");
        inventory.images_of_templates.insert(image.clone());
        let narrowed = inventory.clone().narrowed(Needs::default());
        assert!(narrowed.images_of_templates.is_empty());
        assert_eq!(narrowed.launch_templates, inventory.launch_templates);
        assert_eq!(narrowed.coverage, inventory.coverage);
    }

    /// A Region with a cluster and one instance besides, and all that was read because that was asked for.
    fn with_others() -> Inventory {
        let mut inventory = testing::inventory();
        let set = testing::options(None, None);
        testing::template(&mut inventory, "lt-web", &[set, set, set], &testing::al2023());
        testing::instance(&mut inventory, "i-node", testing::AL2023_IMAGE, set, &[]);
        testing::instance(&mut inventory, "i-web", testing::AL2_IMAGE, set, &[]);
        inventory.coverage.instances = Breadth::All;
        inventory.others = Others {
            groups: ["web".to_owned()].into(),
            instances: ["i-web".into()].into(),
            launch_configurations: ["old".to_owned()].into(),
            template_versions: [("lt-web".into(), 2)].into(),
            images: [testing::AL2_IMAGE.into(), testing::MYSTERY_IMAGE.into()].into(),
        };
        inventory.images_of_templates.insert(testing::MYSTERY_IMAGE.into());
        inventory.launch_configurations.insert(
            "old".to_owned(),
            LaunchConfiguration { name: "old".to_owned(), arn: None, image: None, metadata: set },
        );
        inventory
    }

    #[test]
    fn what_belongs_to_no_cluster_goes_unless_all_instances_were_asked_for() {
        assert_eq!(with_others().narrowed(Needs::ALL), with_others());
        let narrowed = with_others().narrowed(Needs { templates: true, ..Needs::default() });
        let ids: Vec<_> = narrowed.instances.iter().map(|instance| instance.id.as_str()).collect();
        assert_eq!(ids, ["i-node"]);
        assert!(narrowed.launch_configurations.is_empty());
        assert!(narrowed.launch_templates[&"lt-web".into()].versions.keys().eq(&[1, 3]));
        assert_eq!((narrowed.others, narrowed.coverage.instances), (Others::default(), Breadth::Nodes));
        assert!(narrowed.images.keys().eq([&testing::AL2023_IMAGE.into(), &testing::MYSTERY_IMAGE.into()]));
    }

    #[test]
    fn an_image_stays_as_long_as_one_of_those_who_asked_for_it() {
        let has = |needs: Needs| {
            let images = with_others().narrowed(needs).images;
            [testing::AL2_IMAGE, testing::MYSTERY_IMAGE].map(|image| images.contains_key(&image.into()))
        };
        assert_eq!(has(Needs { instances: true, ..Needs::default() }), [true, true]);
        assert_eq!(has(Needs { templates: true, ..Needs::default() }), [false, true]);
        assert_eq!(has(Needs::default()), [false, false]);
    }

    #[test]
    fn without_a_trace_of_eks_instances_are_reason_enough_to_read_on() {
        let all_instances = Needs { instances: true, ..Needs::default() };
        let nothing = without_traces().narrowed(all_instances);
        assert_eq!(nothing, without_traces().narrowed(Needs::default()));
        let mut inventory = with_others();
        inventory.traces = false;
        assert!(!inventory.clone().narrowed(all_instances).launch_templates.is_empty());
        assert!(inventory.narrowed(Needs::default()).launch_templates.is_empty());
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(Needs::ALL.unmet(Needs::ALL), None);
        assert_eq!(Needs::default().unmet(Needs::default()), None);
        assert_eq!(Needs::ALL.unmet(Needs::default()), Some("launch templates"));
        let defaults = Needs { account_defaults: true, ..Needs::default() };
        assert_eq!(defaults.unmet(Needs::default()), Some("account defaults"));
        let all_instances = Needs { instances: true, ..Needs::default() };
        assert_eq!(all_instances.unmet(Needs::default()), Some("instances but nodes"));
        assert_eq!(defaults.unmet(Needs { templates: true, ..Needs::default() }), None);
    }
}
