//! What EKS notices about the things of a node group that belong to EKS and that someone else changed.

use crate::world::{HealthIssue, LaunchSource, NodeGroup, Region};

impl Region {
    /// Everything that EKS does not like about a node group: what the fleet says, and what was done since.
    pub fn issues_of(&self, node_group: &NodeGroup) -> Vec<HealthIssue> {
        let mut issues = node_group.health.clone();
        let noticed =
            [self.copy_issue(node_group), self.group_issue(node_group), self.refresh_issue(node_group)];
        for issue in noticed.into_iter().flatten() {
            if issues.iter().all(|known| known.code != issue.code) {
                issues.push(issue);
            }
        }
        issues
    }

    /// `ACTIVE` and others. A node group that is otherwise active is degraded while EKS does not like something.
    pub fn status_of(&self, node_group: &NodeGroup) -> String {
        let active = node_group.status == "ACTIVE";
        let degraded = active && self.issues_of(node_group).len() > node_group.health.len();
        if degraded { "DEGRADED".to_owned() } else { node_group.status.clone() }
    }

    /// EKS's template: gone, or with versions and a default that EKS did not make.
    fn copy_issue(&self, node_group: &NodeGroup) -> Option<HealthIssue> {
        let copy = &node_group.copy;
        let Some(template) = self.templates.get(&copy.id) else {
            let message = format!("The launch template {} of this node group was not found.", copy.id);
            return Some(issue("Ec2LaunchTemplateNotFound", message, &copy.id));
        };
        let foreign = template.versions.values().any(|version| version.created_by != template.created_by);
        (foreign || template.default_version != 1).then(|| mismatch(node_group))
    }

    /// The group launches from something else than EKS told it to.
    fn group_issue(&self, node_group: &NodeGroup) -> Option<HealthIssue> {
        let copy = &node_group.copy;
        let group = self.groups.get(&node_group.group)?;
        match &group.source {
            LaunchSource::Template(used) if used.id == copy.id => {
                (used.version != copy.version.to_string()).then(|| mismatch(node_group))
            }
            _ => {
                let message = format!(
                    "The Auto Scaling group {} has a configuration that is not managed by Amazon EKS.",
                    group.name
                );
                Some(issue("AutoScalingGroupInvalidConfiguration", message, &group.name))
            }
        }
    }

    fn refresh_issue(&self, node_group: &NodeGroup) -> Option<HealthIssue> {
        let group = self.groups.get(&node_group.group)?;
        group.refreshes.iter().any(|refresh| refresh.status.is_active()).then(|| {
            let message = format!("The Auto Scaling group {} has an active instance refresh.", group.name);
            issue("AutoScalingGroupInstanceRefreshActive", message, &group.name)
        })
    }
}

fn mismatch(node_group: &NodeGroup) -> HealthIssue {
    let copy = &node_group.copy;
    let message = format!(
        "The Amazon EC2 Launch Template : {} has a new version associated with your Autoscaling group, which is not \
         managed by Amazon EKS. Expected Launch Template version: {}",
        copy.id, copy.version
    );
    issue("Ec2LaunchTemplateVersionMismatch", message, &copy.id)
}

fn issue(code: &str, message: String, resource: &str) -> HealthIssue {
    HealthIssue { code: code.to_owned(), message, resource_ids: vec![resource.to_owned()] }
}
