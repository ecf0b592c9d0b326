//! What an audit asks for besides what belongs to clusters, and an inventory without what was not asked for.

use serde::{Deserialize, Serialize};

use super::{CoverageStatus, Inventory, Read, ReadError};

/// What to read besides what belongs to clusters: `templates` and `account_defaults` in every Region, with or
/// without a trace of EKS there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// Launch templates by themselves, their images, and the account defaults that they resolve to.
    pub templates: bool,
    /// The account's defaults.
    pub account_defaults: bool,
}

impl Needs {
    /// Everything that there is to ask for.
    pub const ALL: Self = Self { templates: true, account_defaults: true };

    /// What of these needs `given` leaves unmet, in words.
    pub fn unmet(self, given: Self) -> Option<&'static str> {
        if self.templates && !given.templates {
            Some("launch templates")
        } else if self.account_defaults && !(given.account_defaults || given.templates) {
            Some("account defaults")
        } else {
            None
        }
    }
}

/// What shows whether there is a trace of EKS, and is therefore always asked.
const ALWAYS: [(&str, &str); 3] =
    [("eks", "ListClusters"), ("autoscaling", "DescribeAutoScalingGroups"), ("ec2", "DescribeInstances")];

impl Inventory {
    /// The inventory as it would be had no more been asked for than `needs`: the same findings come of it, the same
    /// counts and the same coverage, whatever else was read.
    #[must_use]
    pub fn narrowed(mut self, needs: Needs) -> Self {
        if !needs.templates {
            let templates_only = std::mem::take(&mut self.images_of_templates);
            self.images.retain(|id, _| !templates_only.contains(id));
        }
        if !self.traces && !needs.templates {
            self.launch_templates.clear();
            self.templates_read = false;
            self.images.clear();
            if !needs.account_defaults {
                self.account_defaults = Read::NotAsked;
            }
            self.forget_errors(needs);
        }
        self
    }

    /// Forgets calls that failed and would not have been made.
    fn forget_errors(&mut self, needs: Needs) {
        let asked = |error: &ReadError| {
            let call = (error.service.as_str(), error.operation.as_str());
            ALWAYS.contains(&call)
                || (needs.account_defaults && call == ("ec2", "GetInstanceMetadataDefaults"))
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
    use crate::model::{AccountDefaults, ImageId, LaunchTemplate, Tags};
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
        let defaults = without_traces().narrowed(Needs { account_defaults: true, templates: false });
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

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(Needs::ALL.unmet(Needs::ALL), None);
        assert_eq!(Needs::default().unmet(Needs::default()), None);
        assert_eq!(Needs::ALL.unmet(Needs::default()), Some("launch templates"));
        let defaults = Needs { account_defaults: true, templates: false };
        assert_eq!(defaults.unmet(Needs::default()), Some("account defaults"));
        assert_eq!(defaults.unmet(Needs { templates: true, account_defaults: false }), None);
    }
}
