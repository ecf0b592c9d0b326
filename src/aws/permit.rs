//! What a session that changes an account may do: what a plan does there, and no more, as far as that can be said in
//! the space that AWS gives.
//!
//! STS takes 2,048 characters of session policy, and counts its packed form besides. Actions are always exactly those
//! of the plan. Its resources are named one by one where there is space; where there is not, the kind of resource
//! that takes the most of it is widened, first to all of its Regions' and then to all of the account's. The clients'
//! gate holds in any case.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::iam::{PolicyDocument, Statement};
use super::operations::{
    CREATE_LAUNCH_TEMPLATE_VERSION, DELETE_LAUNCH_TEMPLATE_VERSIONS, MODIFY_INSTANCE_METADATA_DEFAULTS,
    MODIFY_INSTANCE_METADATA_OPTIONS, MODIFY_LAUNCH_TEMPLATE, Operation, START_INSTANCE_REFRESH, Task,
    UPDATE_AUTO_SCALING_GROUP, UPDATE_NODEGROUP_VERSION,
};
use crate::model::{AccountId, InstanceId, Partition, Region, Scope, TemplateId};

/// The most characters of a session policy.
const SPACE: usize = 2048;

/// A change that is to be permitted.
#[derive(Clone, Copy, Debug)]
pub enum Write<'a> {
    /// Making versions of a template.
    CreateVersion(&'a TemplateId),
    /// Moving a template's default version.
    SetDefault(&'a TemplateId),
    /// Deleting versions of a template.
    DeleteVersion(&'a TemplateId),
    /// Updating a node group, by cluster and name.
    UpdateNodeGroup(&'a str, &'a str),
    /// Updating an Auto Scaling group, by name.
    UpdateGroup(&'a str),
    /// Refreshing the instances of an Auto Scaling group, by name.
    StartRefresh(&'a str),
    /// Setting the options of an instance.
    ModifyInstance(&'a InstanceId),
    /// Setting the account's defaults. IAM knows no resource for it.
    ModifyDefaults,
}

/// All that is to be permitted in one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permit(BTreeMap<Kind, Wanted>);

/// What is wanted of one kind of resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Wanted {
    actions: BTreeSet<Operation>,
    resources: BTreeSet<(Region, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Templates,
    NodeGroups,
    Groups,
    Instances,
    /// What IAM knows no resource for.
    Defaults,
}

/// How far the resources of a kind are narrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Width {
    One,
    OfRegions,
    OfAccount,
}

/// How narrow a session policy is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrowing(Vec<(Kind, Width)>);

impl Narrowing {
    /// Whether it names every resource.
    pub fn is_exact(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Narrowing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("limited to the actions of the plan")?;
        if self.is_exact() {
            return f.write_str(" on its resources");
        }
        f.write_str(" on its resources, but on all ")?;
        for (place, (kind, width)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", and all " };
            let of = if *width == Width::OfRegions { "their Regions" } else { "the account" };
            write!(f, "{comma}{} of {of}", kind.name())?;
        }
        f.write_str(", since a session policy holds no more")
    }
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Templates => "launch templates",
            Self::NodeGroups => "node groups",
            Self::Groups => "Auto Scaling groups",
            Self::Instances => "instances",
            Self::Defaults => "defaults",
        }
    }

    /// The service, and what an ARN says before the name of the resource.
    const fn arn(self) -> (&'static str, &'static str) {
        match self {
            Self::Templates => ("ec2", "launch-template/"),
            Self::NodeGroups => ("eks", "nodegroup/"),
            Self::Groups => ("autoscaling", "autoScalingGroup:*:autoScalingGroupName/"),
            Self::Instances => ("ec2", "instance/"),
            Self::Defaults => ("", ""),
        }
    }
}

impl Permit {
    /// Permits a change in a Region of the account.
    pub fn add(&mut self, scope: &Scope, write: Write<'_>) {
        use Kind::{Defaults, Groups, Instances, NodeGroups, Templates};

        let (kind, action, resource) = match write {
            Write::CreateVersion(id) => (Templates, CREATE_LAUNCH_TEMPLATE_VERSION, id.to_string()),
            Write::SetDefault(id) => (Templates, MODIFY_LAUNCH_TEMPLATE, id.to_string()),
            Write::DeleteVersion(id) => (Templates, DELETE_LAUNCH_TEMPLATE_VERSIONS, id.to_string()),
            // An ARN ends with an identifier that only EKS knows.
            Write::UpdateNodeGroup(cluster, name) => {
                (NodeGroups, UPDATE_NODEGROUP_VERSION, format!("{cluster}/{name}/"))
            }
            Write::UpdateGroup(name) => (Groups, UPDATE_AUTO_SCALING_GROUP, name.to_owned()),
            Write::StartRefresh(name) => (Groups, START_INSTANCE_REFRESH, name.to_owned()),
            Write::ModifyInstance(id) => (Instances, MODIFY_INSTANCE_METADATA_OPTIONS, id.to_string()),
            Write::ModifyDefaults => (Defaults, MODIFY_INSTANCE_METADATA_DEFAULTS, String::new()),
        };
        let wanted = self.0.entry(kind).or_default();
        wanted.actions.insert(action);
        wanted.resources.insert((scope.region.clone(), literal(&resource)));
    }

    /// The session policies that permit it and fit, from the narrowest on. The last one is as short as can be; it
    /// is for STS to say which it takes.
    pub(super) fn policies(&self, partition: &Partition, account: &AccountId) -> Vec<(String, Narrowing)> {
        let mut widths: BTreeMap<Kind, Width> = self.0.keys().map(|kind| (*kind, Width::One)).collect();
        let mut policies = Vec::new();
        loop {
            let text = self.policy(partition, account, &widths).compact();
            if text.len() <= SPACE {
                let wide = widths.iter().filter(|(_, width)| **width != Width::One);
                policies.push((text, Narrowing(wide.map(|(kind, width)| (*kind, *width)).collect())));
            }
            let length = |kind: Kind, width| -> usize {
                self.0[&kind].arns(kind, width, partition, account).iter().map(String::len).sum()
            };
            let widest = widths
                .iter()
                .filter(|(kind, width)| **kind != Kind::Defaults && **width != Width::OfAccount)
                .max_by_key(|(kind, width)| length(**kind, **width));
            let Some((kind, width)) = widest else { return policies };
            let next = if *width == Width::One { Width::OfRegions } else { Width::OfAccount };
            widths.insert(*kind, next);
        }
    }

    fn policy(
        &self,
        partition: &Partition,
        account: &AccountId,
        widths: &BTreeMap<Kind, Width>,
    ) -> PolicyDocument {
        let reads = Task::Remediate.operations().filter(|operation| !operation.is_write());
        let everything = || vec!["*".to_owned()];
        let mut statements = vec![Statement::allow(reads, everything())];
        for (kind, wanted) in &self.0 {
            let resources = wanted.arns(*kind, widths[kind], partition, account);
            statements.push(Statement::allow(wanted.actions.iter().copied(), resources));
        }
        if self.0.contains_key(&Kind::NodeGroups) || self.0.contains_key(&Kind::Groups) {
            statements.extend(Statement::of_launches());
        }
        PolicyDocument::new(statements)
    }
}

impl Wanted {
    fn arns(&self, kind: Kind, width: Width, partition: &Partition, account: &AccountId) -> Vec<String> {
        if kind == Kind::Defaults {
            return vec!["*".to_owned()];
        }
        let (service, before) = kind.arn();
        let arn = |region: &str, name: &str| {
            // What follows the name of a node group.
            let after = if name.ends_with('/') { "*" } else { "" };
            format!("arn:{partition}:{service}:{region}:{account}:{before}{name}{after}")
        };
        let arns: BTreeSet<String> = match width {
            Width::One => self.resources.iter().map(|(region, name)| arn(region.as_str(), name)).collect(),
            Width::OfRegions => self.resources.iter().map(|(region, _)| arn(region.as_str(), "*")).collect(),
            Width::OfAccount => BTreeSet::from([arn("*", "*")]),
        };
        arns.into_iter().collect()
    }
}

/// A name as IAM reads it literally, as far as that can be written: what it would take for a pattern or a variable,
/// and what a session policy may not hold, becomes a place for any character.
fn literal(name: &str) -> String {
    let character = |character: char| match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' | '/' | ':' | '@' | '+' | '=' | ',' | ' ' => {
            character
        }
        ' '..='~' => '?',
        _ => '*',
    };
    name.chars().map(character).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn scope(region: &str) -> Scope {
        Scope {
            partition: "aws-us-gov".into(),
            account_id: "111122223333".into(),
            account_name: None,
            region: region.into(),
        }
    }

    fn policies(permit: &Permit) -> Vec<(String, Narrowing)> {
        permit.policies(&"aws-us-gov".into(), &"111122223333".into())
    }

    /// Whether a policy permits an action on a resource, by IAM's patterns.
    fn permits(policy: &str, action: &str, arn: &str) -> bool {
        let policy: Value = serde_json::from_str(policy).unwrap();
        let texts = |value: &Value| -> Vec<String> {
            value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        policy["Statement"].as_array().unwrap().iter().any(|statement| {
            texts(&statement["Action"]).contains(&action.to_owned())
                && texts(&statement["Resource"]).iter().any(|pattern| {
                    fits(&pattern.chars().collect::<Vec<_>>(), &arn.chars().collect::<Vec<_>>())
                })
        })
    }

    fn fits(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => {
                fits(rest, text) || text.split_first().is_some_and(|(_, text)| fits(pattern, text))
            }
            (Some(('?', rest)), Some((_, text))) => fits(rest, text),
            (Some((one, rest)), Some((other, text))) => one == other && fits(rest, text),
            _ => false,
        }
    }

    #[test]
    fn a_small_plan_is_permitted_resource_by_resource_and_nothing_else_is() {
        let mut permit = Permit::default();
        permit.add(&scope("us-gov-west-1"), Write::CreateVersion(&"lt-1".into()));
        permit.add(&scope("us-gov-west-1"), Write::UpdateNodeGroup("blue", "apps"));
        let (policy, narrowing) = policies(&permit).remove(0);
        assert!(narrowing.is_exact());
        assert_eq!(narrowing.to_string(), "limited to the actions of the plan on its resources");
        let ec2 = |resource: &str| format!("arn:aws-us-gov:ec2:us-gov-west-1:111122223333:{resource}");
        assert!(permits(&policy, "ec2:CreateLaunchTemplateVersion", &ec2("launch-template/lt-1")));
        assert!(!permits(&policy, "ec2:CreateLaunchTemplateVersion", &ec2("launch-template/lt-2")));
        assert!(!permits(&policy, "ec2:ModifyLaunchTemplate", &ec2("launch-template/lt-1")));
        assert!(!permits(&policy, "ec2:ModifyInstanceMetadataDefaults", "*"));
        let group =
            |name: &str| format!("arn:aws-us-gov:eks:us-gov-west-1:111122223333:nodegroup/{name}/1-2");
        assert!(permits(&policy, "eks:UpdateNodegroupVersion", &group("blue/apps")));
        assert!(!permits(&policy, "eks:UpdateNodegroupVersion", &group("blue/apps2")));
        assert!(permits(&policy, "iam:PassRole", "arn:aws-us-gov:iam::111122223333:role/nodes"));
    }

    #[test]
    fn what_launches_nothing_may_launch_nothing() {
        let mut permit = Permit::default();
        permit.add(&scope("us-gov-west-1"), Write::ModifyInstance(&"i-1".into()));
        permit.add(&scope("us-gov-west-1"), Write::ModifyDefaults);
        let (policy, _) = policies(&permit).remove(0);
        assert!(!policy.contains("RunInstances") && !policy.contains("PassRole"));
        assert!(permits(&policy, "ec2:ModifyInstanceMetadataDefaults", "*"));
    }

    #[test]
    fn a_large_plan_is_said_to_be_permitted_more_widely() {
        let mut permit = Permit::default();
        for number in 0..40 {
            let id = format!("i-{number:017}").as_str().into();
            permit.add(&scope("us-gov-west-1"), Write::ModifyInstance(&id));
        }
        permit.add(&scope("us-gov-west-1"), Write::CreateVersion(&"lt-1".into()));
        let (policy, narrowing) = policies(&permit).remove(0);
        assert_eq!(
            narrowing.to_string(),
            "limited to the actions of the plan on its resources, but on all instances of their Regions, since a \
             session policy holds no more"
        );
        assert!(policy.contains("launch-template/lt-1"), "{policy}");
    }

    #[test]
    fn a_name_that_iam_would_take_for_a_pattern_permits_little_more_than_itself() {
        assert_eq!(literal("web*${aws:username}"), "web???aws:username?");
        assert_eq!(literal("größe"), "gr**e");
    }

    fn write() -> impl Strategy<Value = (usize, String, String)> {
        (0_usize..8, "[ -~]{1,60}|[a-zA-Z0-9]{1,255}|\\PC{1,40}", "[a-z]{2}-[a-z]{4,9}-[1-9]")
    }

    proptest! {
        /// Whatever is planned, there is a policy that fits, and each covers all of the plan.
        #[test]
        fn every_policy_fits_and_covers_its_permit(writes in prop::collection::vec(write(), 1..60)) {
            let mut permit = Permit::default();
            let mut wanted = Vec::new();
            for (what, name, region) in &writes {
                let (template, instance) = (name.as_str().into(), name.as_str().into());
                let (write, action, resource) = match what {
                    0 => (Write::CreateVersion(&template), "ec2:CreateLaunchTemplateVersion", "launch-template/"),
                    1 => (Write::SetDefault(&template), "ec2:ModifyLaunchTemplate", "launch-template/"),
                    2 => (Write::DeleteVersion(&template), "ec2:DeleteLaunchTemplateVersions", "launch-template/"),
                    3 => (Write::UpdateNodeGroup("blue", name), "eks:UpdateNodegroupVersion", "nodegroup/blue/"),
                    4 => (Write::UpdateGroup(name), "autoscaling:UpdateAutoScalingGroup", "autoScalingGroup:u:autoScalingGroupName/"),
                    5 => (Write::StartRefresh(name), "autoscaling:StartInstanceRefresh", "autoScalingGroup:u:autoScalingGroupName/"),
                    6 => (Write::ModifyInstance(&instance), "ec2:ModifyInstanceMetadataOptions", "instance/"),
                    _ => (Write::ModifyDefaults, "ec2:ModifyInstanceMetadataDefaults", ""),
                };
                permit.add(&scope(region), write);
                let service = action.split(':').next().unwrap();
                let after = if *what == 3 { "/uuid" } else { "" };
                wanted.push((action, format!("arn:aws-us-gov:{service}:{region}:111122223333:{resource}{name}{after}")));
            }
            let policies = policies(&permit);
            prop_assert!(!policies.is_empty());
            for (policy, _) in &policies {
                prop_assert!(policy.len() <= SPACE);
                prop_assert!(policy.chars().all(|character| (' '..='~').contains(&character)), "{}", policy);
                for (action, arn) in &wanted {
                    prop_assert!(permits(policy, action, arn), "{action} on {arn} by {policy}");
                }
            }
        }
    }
}
