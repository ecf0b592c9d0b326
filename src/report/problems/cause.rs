//! Where a wrong value comes from, and so which findings are one problem.

use crate::finding::{Finding, FixKind, ManagedBy, ResourceType, Source, TemplateOwner};
use crate::model::TemplateId;

/// The one thing that has to change for a problem to go away.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A launch template of the user's, by its id.
    Template(String),
    /// A launch configuration, by its name.
    LaunchConfiguration(String),
    /// Karpenter's `EC2NodeClass` in a cluster; its name where that is known.
    NodeClass(Option<String>, Option<String>),
    /// The account's default for the Region.
    AccountDefault,
    /// Managed node groups of a cluster that were made without a template.
    NoTemplate(Option<String>),
    /// What launches is right already; the group, or its nodes, have not followed.
    Behind(String),
    /// Nodes of a cluster that differ from what their template gives.
    Drift(Option<String>),
    /// Instances of a cluster that nothing launches again.
    Standalone(Option<String>),
    /// EKS Auto Mode in a cluster.
    AutoMode(Option<String>),
    /// An exemption of the policy.
    Exemption(String),
    /// Something else, by what manages the nodes of a cluster.
    Other(Option<ManagedBy>, Option<String>),
}

impl Cause {
    /// The cause of a finding by itself, as its resource, its fixes and its source tell it.
    pub(super) fn of(finding: &Finding) -> Self {
        match (finding.resource.r#type, finding.managed_by) {
            (ResourceType::Exemption, _) => return Self::Exemption(finding.resource.id.clone()),
            (ResourceType::AccountDefaults, _) => return Self::AccountDefault,
            (_, Some(ManagedBy::AutoMode)) => return Self::AutoMode(finding.cluster.clone()),
            _ => {}
        }
        if origin(finding) == Some(Source::AccountDefault) {
            return Self::AccountDefault;
        }
        Self::of_fixes(finding).unwrap_or_else(|| Self::without_fix(finding))
    }

    /// Where the first fix goes that changes what launches; failing that, the first that follows it.
    fn of_fixes(finding: &Finding) -> Option<Self> {
        let root = finding.fixes.iter().find_map(|fix| {
            let target = fix.target.as_deref();
            match fix.kind {
                FixKind::PatchLaunchTemplate | FixKind::SetDefaultVersion | FixKind::EditIac => {
                    users_template(finding).or(target).map(|id| Self::Template(id.to_owned()))
                }
                FixKind::EditNodeClass => Some(Self::NodeClass(finding.cluster.clone(), fix.target.clone())),
                FixKind::ReplaceNodeGroup => Some(Self::NoTemplate(finding.cluster.clone())),
                FixKind::MigrateLaunchConfiguration => fix.target.clone().map(Self::LaunchConfiguration),
                FixKind::ModifyAccountDefaults => Some(Self::AccountDefault),
                _ => None,
            }
        });
        root.or_else(|| {
            let follows = |kind| {
                matches!(
                    kind,
                    FixKind::UpdateNodeGroup | FixKind::UpdateAutoScalingGroup | FixKind::RefreshInstances
                )
            };
            let fix = finding.fixes.iter().find(|fix| follows(fix.kind))?;
            users_template(finding).or(fix.target.as_deref()).map(|target| Self::Behind(target.to_owned()))
        })
    }

    fn without_fix(finding: &Finding) -> Self {
        let cluster = finding.cluster.clone();
        let live = finding.fixes.iter().any(|fix| fix.kind == FixKind::ModifyInstance);
        match finding.managed_by {
            Some(ManagedBy::Standalone) => Self::Standalone(cluster),
            Some(ManagedBy::ManagedNodeGroupDefault) => Self::NoTemplate(cluster),
            Some(ManagedBy::Karpenter) => Self::NodeClass(cluster, None),
            _ if live => Self::Drift(cluster),
            managed_by => match users_template(finding) {
                Some(template) => Self::Template(template.to_owned()),
                None => Self::Other(managed_by, cluster),
            },
        }
    }

    /// Whether an instance has another value than the templates that its group launches from would give it.
    pub(super) fn is_drift(finding: &Finding) -> bool {
        let Some(expected) = &finding.expected else { return false };
        let right = |value| expected.holds(value);
        !finding.templates.is_empty()
            && !finding.actual.is_some_and(right)
            && finding.templates.iter().all(|template| template.actual.is_some_and(right))
    }
}

/// Where the value comes from before it reached an instance, which only ever says "I have it".
pub(super) fn origin(finding: &Finding) -> Option<Source> {
    match finding.source {
        Some(Source::Instance) => finding.templates.first().map(|template| template.source),
        source => source,
    }
}

/// The template of the user's that a fix of the finding changes, or else the first that it launches from.
fn users_template(finding: &Finding) -> Option<&str> {
    let patched = finding.fixes.iter().find(|fix| fix.kind == FixKind::PatchLaunchTemplate);
    patched.and_then(|fix| fix.target.as_deref()).or_else(|| {
        let users = finding.templates.iter().find(|t| t.owned_by == TemplateOwner::User)?;
        users.id.as_ref().map(TemplateId::as_str).or(users.name.as_deref())
    })
}
