//! Whose a thing is, right before it is written.

use aws_sdk_ec2::types::LaunchTemplate;

use super::{Changer, GroupNow, TemplateNow};
use crate::aws::errors::{CallError, ErrorKind};
use crate::aws::operations::Operation;
use crate::model::{Tags, TemplateId};

/// The role by which EKS makes and edits the templates of node groups.
const EKS_ROLE: &str = "AWSServiceRoleForAmazonEKSNodegroup";

/// How the names of Karpenter's templates begin.
const KARPENTER_PREFIX: &str = "karpenter.k8s.aws/";

impl Changer {
    /// A template that may be written, as it is now.
    pub(super) async fn own_template(
        &self,
        operation: Operation,
        id: &TemplateId,
    ) -> Result<TemplateNow, CallError> {
        let (template, owner) = self.template_and_owner(id).await?;
        match owner {
            None => Ok(template),
            Some(owner) => Err(CallError::refused(
                operation,
                ErrorKind::NotOurs,
                format!("launch template {id} belongs to {owner}, and is never written"),
            )),
        }
    }
}

/// Whose a template is, where it is not the user's.
pub(super) fn owner_of_template(from: &LaunchTemplate, template: &TemplateNow) -> Option<String> {
    if let Some(operator) = from.operator().filter(|operator| operator.managed() == Some(true)) {
        return Some(operator.principal().unwrap_or("another AWS service").to_owned());
    }
    if from.created_by().is_some_and(|by| by.contains(EKS_ROLE)) {
        return Some("EKS".to_owned());
    }
    let karpenters = template.name.starts_with(KARPENTER_PREFIX);
    owner_by_tags(&template.tags).or_else(|| karpenters.then(|| "Karpenter".to_owned()))
}

/// Whose a group or an instance is, where it is not the user's.
fn owner_by_tags(tags: &Tags) -> Option<String> {
    if let Some(group) = tags.node_group() {
        return Some(format!("EKS (managed node group {group})"));
    }
    tags.karpenter_node_class().map(|_| "Karpenter".to_owned())
}

/// Refuses a group that is not the user's.
pub(super) fn own_group(operation: Operation, name: &str, group: &GroupNow) -> Result<(), CallError> {
    match owner_by_tags(&group.tags) {
        None => Ok(()),
        Some(owner) => Err(CallError::refused(
            operation,
            ErrorKind::NotOurs,
            format!("Auto Scaling group {name} belongs to {owner}, and is never written"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::OperatorResponse;

    use super::*;

    fn template(name: &str, tags: &[(&str, &str)]) -> TemplateNow {
        let tags = tags.iter().copied().collect();
        TemplateNow { name: name.to_owned(), default_version: 1, latest_version: 1, tags }
    }

    #[test]
    fn what_eks_or_karpenter_made_is_known_by_any_of_its_marks() {
        let plain = LaunchTemplate::builder().build();
        let by_eks = LaunchTemplate::builder()
            .created_by(format!("arn:aws:sts::111122223333:assumed-role/{EKS_ROLE}/EKS"))
            .build();
        let managed = OperatorResponse::builder().managed(true).principal("eks.amazonaws.com").build();
        let managed = LaunchTemplate::builder().operator(managed).build();
        let owner = |from: &LaunchTemplate, name: &str, tags: &[(&str, &str)]| {
            owner_of_template(from, &template(name, tags))
        };
        assert_eq!(owner(&plain, "web", &[("team", "a")]), None);
        let tagged = owner(&plain, "web", &[("eks:nodegroup-name", "apps")]);
        assert_eq!(tagged.as_deref(), Some("EKS (managed node group apps)"));
        assert_eq!(owner(&by_eks, "web", &[]).as_deref(), Some("EKS"));
        assert_eq!(owner(&managed, "web", &[]).as_deref(), Some("eks.amazonaws.com"));
        assert_eq!(owner(&plain, "karpenter.k8s.aws/1", &[]).as_deref(), Some("Karpenter"));
        let tagged = owner(&plain, "web", &[("karpenter.sh/nodepool", "default")]);
        assert_eq!(tagged.as_deref(), Some("Karpenter"));
    }
}
