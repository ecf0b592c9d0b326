//! What an audit says about one resource and one rule.
//!
//! These types are the contract of the report's `findings`; `docs/report.md` describes each field, and the
//! JSON Schema in `reports/schema/` is generated from them. Fields may be added, never renamed.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{
    AccountId, Arn, Confidence, Family, ImageId, OptionName, OptionValue, Partition, Region, TemplateId,
};

/// Declares a fieldless enum whose names are the same in JSON, CSV, the table and the docs.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All of them, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word used in every output.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// How bad it is when a rule is broken; ordered from the worst.
    Severity {
        /// Act now.
        Critical = "critical",
        /// Act soon.
        High = "high",
        /// Plan it.
        Medium = "medium",
        /// Tidy up.
        Low = "low",
        /// Good to know.
        Info = "info",
    }
}

words! {
    /// What came of judging one resource by one rule; ordered from what needs attention most.
    Status {
        /// The rule is broken.
        Fail = "fail",
        /// It cannot be told, or the node's family cannot. Counts like a failure.
        Unknown = "unknown",
        /// The rule is broken, and the policy says that this is accepted here.
        Exempt = "exempt",
        /// The rule holds.
        Pass = "pass",
        /// The rule means nothing here: the metadata service is off.
        NotApplicable = "not_applicable",
    }
}

words! {
    /// What a finding is about; ordered as machine formats sort.
    ResourceType {
        /// The account's metadata defaults in a Region.
        AccountDefaults = "account_defaults",
        /// A self-managed Auto Scaling group, by what its next instance gets.
        AutoScalingGroup = "auto_scaling_group",
        /// An exemption of the policy itself.
        Exemption = "exemption",
        /// An instance, by the options that it has.
        Instance = "instance",
        /// A launch template by itself, or as the prediction of Karpenter's next node.
        LaunchTemplate = "launch_template",
        /// A managed node group, by what its next node gets.
        NodeGroup = "node_group",
    }
}

words! {
    /// What decides a node's metadata options, and so where a fix belongs.
    ManagedBy {
        /// A managed node group made with a launch template of the user's.
        ManagedNodeGroup = "managed_node_group",
        /// A managed node group made without one; it can never be given one.
        ManagedNodeGroupDefault = "managed_node_group_default",
        /// An Auto Scaling group of the user's own.
        SelfManaged = "self_managed",
        /// Karpenter, by an `EC2NodeClass`.
        Karpenter = "karpenter",
        /// EKS Auto Mode. Its options are fixed by AWS.
        AutoMode = "auto_mode",
        /// Nothing: an instance that was launched by itself.
        Standalone = "standalone",
    }
}

words! {
    /// Where an effective value comes from.
    Source {
        /// The instance has it.
        Instance = "instance",
        /// The user's launch template sets it.
        LaunchTemplate = "launch_template",
        /// EKS wrote it into its own copy of the template, or into the one it generated.
        EksLaunchTemplate = "eks_launch_template",
        /// The launch configuration sets it.
        LaunchConfiguration = "launch_configuration",
        /// The account's default for the Region.
        AccountDefault = "account_default",
        /// The image asks for IMDSv2.
        Image = "image",
        /// Nothing sets it: EC2's own default.
        BuiltIn = "built_in",
        /// Something that decides it could not be read.
        Unresolved = "unresolved",
    }
}

words! {
    /// Who a launch template belongs to, and so who may write to it.
    TemplateOwner {
        /// The user, by whatever tool.
        User = "user",
        /// EKS. Writing to it degrades the node group.
        Eks = "eks",
        /// Karpenter. It is made anew from an `EC2NodeClass`.
        Karpenter = "karpenter",
    }
}

words! {
    /// A kind of remedy.
    FixKind {
        /// A new version of the user's launch template.
        PatchLaunchTemplate = "patch_launch_template",
        /// The template's default version.
        SetDefaultVersion = "set_default_version",
        /// The managed node group takes a version of its template, replacing its nodes.
        UpdateNodeGroup = "update_node_group",
        /// The Auto Scaling group points at a version.
        UpdateAutoScalingGroup = "update_auto_scaling_group",
        /// The Auto Scaling group replaces its instances.
        RefreshInstances = "refresh_instances",
        /// The running instance; lost when it is replaced.
        ModifyInstance = "modify_instance",
        /// The account's default for the Region.
        ModifyAccountDefaults = "modify_account_defaults",
        /// The source of an infrastructure tool that owns the template.
        EditIac = "edit_iac",
        /// Karpenter's `EC2NodeClass`.
        EditNodeClass = "edit_node_class",
        /// A new node group with a template; this one cannot be given one.
        ReplaceNodeGroup = "replace_node_group",
        /// A launch template in the place of the launch configuration.
        MigrateLaunchConfiguration = "migrate_launch_configuration",
        /// The policy's own text: an exemption to renew or remove.
        EditPolicy = "edit_policy",
        /// Nothing can be done, and the note says why.
        None = "none",
    }
}

/// One resource, judged by one rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The same in every run: SHA-256 of partition, account, Region, resource type and id, policy and rule.
    pub id: String,
    /// The policy's name.
    pub policy: String,
    /// The rule's id.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// What came of it.
    pub status: Status,
    /// The partition; null for an exemption, which belongs to no account.
    pub partition: Option<Partition>,
    /// The account; null for an exemption.
    pub account_id: Option<AccountId>,
    /// The account's name, where one is known.
    pub account_name: Option<String>,
    /// The Region; null for an exemption.
    pub region: Option<Region>,
    /// What was judged.
    pub resource: Resource,
    /// The EKS cluster's name.
    pub cluster: Option<String>,
    /// The EKS cluster's ARN; null where the cluster no longer exists.
    pub cluster_arn: Option<Arn>,
    /// The managed node group's name.
    pub node_group: Option<String>,
    /// The Auto Scaling group's name, for a group of the user's own and its instances.
    pub auto_scaling_group: Option<String>,
    /// What decides the options.
    pub managed_by: Option<ManagedBy>,
    /// How many instances the resource has now.
    pub nodes: u64,
    /// The image that it runs or will launch.
    pub image: Option<ImageSummary>,
    /// The option judged; null for an exemption.
    pub option: Option<OptionName>,
    /// What the rule asks; null for an exemption.
    pub expected: Option<Expectation>,
    /// The effective value; null where it could not be resolved.
    pub actual: Option<OptionValue>,
    /// Where the value comes from; null for an exemption.
    pub source: Option<Source>,
    /// Every template version that the resource launches from, worst first.
    pub templates: Vec<TemplateUse>,
    /// What to do, in the order it is done.
    pub fixes: Vec<Fix>,
    /// The exemption that covers it, where `status` is `exempt`.
    pub exemption: Option<ExemptionSummary>,
    /// What else a reader should know, a sentence each.
    pub notes: Vec<String>,
}

impl Finding {
    /// The order of machine formats.
    pub fn cmp_machine(&self, other: &Self) -> std::cmp::Ordering {
        self.machine_key().cmp(&other.machine_key())
    }

    fn machine_key(&self) -> impl Ord + '_ {
        let resource = &self.resource;
        (&self.account_id, &self.region, resource.r#type, &resource.id, &self.policy, &self.rule)
    }
}

/// What a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resource {
    /// Its type.
    pub r#type: ResourceType,
    /// Its id, unique in the account, Region and type: a node group's is `CLUSTER/NAME`.
    pub id: String,
    /// Its name, where it has one beside its id.
    pub name: Option<String>,
    /// Its ARN.
    pub arn: Option<Arn>,
}

/// The image of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImageSummary {
    /// Its id; null where a parameter or EKS chooses it at launch.
    pub id: Option<ImageId>,
    /// Its name.
    pub name: Option<String>,
    /// Its operating system family.
    pub family: Family,
    /// How sure the family is.
    pub confidence: Confidence,
}

/// What a rule asks of an option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// Exactly this value.
    Equals(OptionValue),
    /// This number or more.
    AtLeast(i32),
    /// This number or less.
    AtMost(i32),
}

impl Expectation {
    /// Whether a value is what was asked. A word never satisfies a bound.
    pub fn holds(&self, value: OptionValue) -> bool {
        match (self, value) {
            (Self::Equals(expected), value) => *expected == value,
            (Self::AtLeast(least), OptionValue::Number(number)) => number >= *least,
            (Self::AtMost(most), OptionValue::Number(number)) => number <= *most,
            (Self::AtLeast(_) | Self::AtMost(_), _) => false,
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(value) => write!(f, "{value}"),
            Self::AtLeast(least) => write!(f, "at least {least}"),
            Self::AtMost(most) => write!(f, "at most {most}"),
        }
    }
}

/// A template version that a resource launches from, and what it makes of the option judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateUse {
    /// The template's id.
    pub id: Option<TemplateId>,
    /// The template's name.
    pub name: Option<String>,
    /// The version, a number; null where it could not be resolved to one.
    pub version: Option<i64>,
    /// Whose it is.
    pub owned_by: TemplateOwner,
    /// The effective value of a node launched from it.
    pub actual: Option<OptionValue>,
    /// Where that value comes from.
    pub source: Source,
}

/// A remedy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fix {
    /// What is done.
    pub kind: FixKind,
    /// The id of what has to change.
    pub target: Option<String>,
    /// Its name, where it has one beside its id.
    pub target_name: Option<String>,
    /// Whether imdsctl may do it.
    pub automatic: bool,
    /// What to know about it.
    pub note: Option<String>,
}

/// An exemption: of a policy, and the one that covers a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExemptionSummary {
    /// Its id in the policy.
    pub id: String,
    /// Why it is accepted.
    pub reason: String,
    /// The last day it holds, in UTC.
    pub expires: Option<jiff::civil::Date>,
    /// Who answers for it.
    pub owner: Option<String>,
}

/// An exemption among those of all policies: `policy/exemption`.
pub fn exemption_name(policy: &str, exemption: &str) -> String {
    format!("{policy}/{exemption}")
}

/// The fingerprint of a finding: the same in every run, different for every resource, policy and rule.
///
/// The parts are joined by a character that none of them can hold.
pub fn fingerprint(parts: &[&str]) -> String {
    sha256(&parts.join("\u{1f}"))
}

/// SHA-256 of a text, in hexadecimal.
pub fn sha256(text: &str) -> String {
    use fmt::Write as _;

    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_hold_for_what_they_say() {
        assert!(Expectation::AtLeast(2).holds(OptionValue::Number(2)));
        assert!(!Expectation::AtLeast(2).holds(OptionValue::Number(1)));
        assert!(Expectation::AtMost(1).holds(OptionValue::Number(1)));
        assert!(!Expectation::AtMost(1).holds(OptionValue::Required));
        assert!(Expectation::Equals(OptionValue::Required).holds(OptionValue::Required));
    }

    #[test]
    fn an_expectation_is_a_one_key_object() {
        let json = serde_json::to_string(&Expectation::AtLeast(2)).unwrap();
        assert_eq!(json, r#"{"at_least":2}"#);
    }

    #[test]
    fn a_fingerprint_keeps_its_parts_apart() {
        assert_ne!(fingerprint(&["a", "bc"]), fingerprint(&["ab", "c"]));
        assert_eq!(fingerprint(&["a"]).len(), 64);
    }
}
