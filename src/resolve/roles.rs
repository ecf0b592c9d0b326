//! Who a launch template belongs to: the user, EKS, Karpenter, or the tool that would undo a change.

use std::fmt;

use crate::finding::TemplateOwner;
use crate::model::{LaunchTemplate, Tags};

/// Whose a launch template is, as far as it shows by itself.
pub fn template_owner(template: &LaunchTemplate) -> TemplateOwner {
    let made_by_eks = || {
        let mut versions = template.versions.values();
        versions.any(|version| {
            version.created_by.as_deref().is_some_and(|by| by.contains("AWSServiceRoleForAmazonEKSNodegroup"))
        })
    };
    if template.tags.node_group().is_some() || made_by_eks() {
        TemplateOwner::Eks
    } else if template.name.starts_with("karpenter.k8s.aws/")
        || template.tags.karpenter_node_class().is_some()
    {
        TemplateOwner::Karpenter
    } else {
        TemplateOwner::User
    }
}

/// An infrastructure tool that owns a resource and would undo a change made elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IacOwner {
    /// A CloudFormation stack, by name.
    CloudFormation(String),
    /// eksctl, by its cluster.
    Eksctl(String),
    /// Terraform or OpenTofu, by convention of tags only.
    Terraform,
}

impl fmt::Display for IacOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CloudFormation(stack) => write!(f, "CloudFormation stack {stack}"),
            Self::Eksctl(cluster) => write!(f, "eksctl (cluster {cluster})"),
            Self::Terraform => f.write_str("Terraform"),
        }
    }
}

/// The infrastructure tool that tags name. eksctl works through CloudFormation and is asked for first.
pub fn iac_owner(tags: &Tags) -> Option<IacOwner> {
    if let Some(cluster) = tags.get("alpha.eksctl.io/cluster-name") {
        return Some(IacOwner::Eksctl(cluster.to_owned()));
    }
    if let Some(stack) = tags.get("aws:cloudformation:stack-name") {
        return Some(IacOwner::CloudFormation(stack.to_owned()));
    }
    tags.iter().any(|(key, value)| names_terraform(key, value)).then_some(IacOwner::Terraform)
}

/// Terraform writes no tag of its own; these are what people have its `default_tags` write.
fn names_terraform(key: &str, value: &str) -> bool {
    let key = key.to_ascii_lowercase().replace(['-', '_', ':'], "");
    let value = value.to_ascii_lowercase();
    match key.as_str() {
        "terraform" | "opentofu" => value != "false",
        "managedby" | "provisioner" | "createdby" | "iac" | "tool" => {
            value.contains("terraform") || value.contains("opentofu")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(tags: &[(&str, &str)]) -> Tags {
        tags.iter().copied().collect()
    }

    #[test]
    fn the_tool_that_owns_a_template_is_named() {
        let stack = ("aws:cloudformation:stack-name", "nodes");
        assert_eq!(iac_owner(&tags(&[stack])), Some(IacOwner::CloudFormation("nodes".to_owned())));
        assert_eq!(
            iac_owner(&tags(&[stack, ("alpha.eksctl.io/cluster-name", "blue")])),
            Some(IacOwner::Eksctl("blue".to_owned()))
        );
        assert_eq!(iac_owner(&tags(&[("ManagedBy", "Terraform")])), Some(IacOwner::Terraform));
        assert_eq!(iac_owner(&tags(&[("managed-by", "ada")])), None);
    }
}
