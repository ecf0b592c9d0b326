//! From an inventory to what is judged: instances by what they have, groups by what their next node gets.
//!
//! A [`Subject`] ties a resource to the cluster it serves, to every way a node of it comes to be (its
//! [`Variant`]s, one a launch template version), and to the [`Lever`]: the place that owns its options, where
//! a fix belongs.

mod groups;
mod index;
mod instances;
mod templates;
mod variants;

#[cfg(test)]
mod tests;

use crate::finding::{ImageSummary, ManagedBy, Resource, TemplateOwner};
use crate::model::{Arn, Inventory, Tags, VersionRef};
use crate::resolve::{EffectiveOptions, IacOwner, template_owner};

use index::Index;

/// Something that a rule can be asked about.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// What a report calls it.
    pub resource: Resource,
    /// Which rules it is for.
    pub kind: SubjectKind,
    /// The cluster's name.
    pub cluster: Option<&'a str>,
    /// The cluster's ARN; `None` where there is no such cluster.
    pub cluster_arn: Option<&'a Arn>,
    /// The managed node group's name.
    pub node_group: Option<&'a str>,
    /// The Auto Scaling group's name, where it is the user's own.
    pub auto_scaling_group: Option<&'a str>,
    /// What decides its options.
    pub managed_by: Option<ManagedBy>,
    /// How many instances it has now.
    pub nodes: u64,
    /// Its tags.
    pub tags: &'a Tags,
    /// What is judged: every way a node of it comes to be, or the one that it is.
    pub variants: Vec<Variant<'a>>,
    /// For an instance, the template version that it was launched from. It is shown, not judged.
    pub launched_from: Option<Variant<'a>>,
    /// For an instance, the subject of its group: where it stands in the same list.
    pub group: Option<usize>,
    /// Where its options are owned.
    pub lever: Lever<'a>,
    /// What a reader should know, a sentence each.
    pub notes: Vec<String>,
}

impl Subject<'_> {
    /// What its instances are called: nodes where they are of a cluster.
    pub const fn noun(&self) -> &'static str {
        if self.cluster.is_some() { "node" } else { "instance" }
    }
}

/// The kinds of subject that rules choose among with `applies_to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubjectKind {
    /// An instance.
    Instance,
    /// A managed node group, an Auto Scaling group, or a template of Karpenter's.
    Group,
    /// A launch template by itself.
    LaunchTemplate,
    /// An account's defaults in a Region.
    AccountDefaults,
}

/// A way a node comes to be, and the options that it then has.
#[derive(Clone, Debug)]
pub struct Variant<'a> {
    /// The template version; `None` for an instance's own options and for a launch configuration.
    pub template: Option<TemplateIdentity<'a>>,
    /// The image; `None` where an image means nothing, as for account defaults.
    pub image: Option<ImageSummary>,
    /// The options.
    pub options: EffectiveOptions,
}

/// A launch template version, as a report names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateIdentity<'a> {
    /// The template's id.
    pub id: Option<&'a str>,
    /// Its name.
    pub name: Option<&'a str>,
    /// The number, where a reference could be resolved to one.
    pub version: Option<i64>,
    /// Whose it is.
    pub owned_by: TemplateOwner,
}

/// The place that owns a subject's options.
#[derive(Clone, Debug)]
pub enum Lever<'a> {
    /// A managed node group, through the user's template if it was made with one.
    NodeGroup {
        /// The node group's ARN, or `CLUSTER/NAME` where it could not be described.
        target: String,
        /// The user's template.
        template: Option<UserTemplate<'a>>,
        /// Whether EKS described it, so that a missing template is known to be missing.
        described: bool,
    },
    /// A self-managed Auto Scaling group that launches from templates.
    Group {
        /// Its name.
        name: &'a str,
        /// The templates.
        templates: Vec<UserTemplate<'a>>,
    },
    /// A self-managed Auto Scaling group that launches from a launch configuration.
    Configuration {
        /// The group's name.
        group: &'a str,
        /// The launch configuration's name.
        name: &'a str,
    },
    /// Karpenter's `EC2NodeClass`, by name if a tag tells it.
    NodeClass(Option<&'a str>),
    /// EKS Auto Mode: nowhere.
    AutoMode,
    /// A launch template by itself.
    Template(UserTemplate<'a>),
    /// The account's defaults; `by_policy` where a declarative policy of the organisation holds them.
    AccountDefaults {
        /// What the policy tells those who try, or nothing.
        by_policy: Option<Option<&'a str>>,
    },
    /// The instance itself.
    Instance,
    /// An AWS service that manages the instance, by its principal; nobody else can change it.
    Service(&'a str),
}

/// A template of the user's that something launches from, with what is needed to advise on it.
#[derive(Clone, Debug)]
pub struct UserTemplate<'a> {
    /// Its id, or its name where only that is known.
    pub target: &'a str,
    /// Its name.
    pub name: Option<&'a str>,
    /// The version as the consumer refers to it.
    pub in_use: VersionRef,
    /// The number that this is now.
    pub number: Option<i64>,
    /// The number of the latest version, and the options of a node launched from it.
    pub latest: Option<(i64, EffectiveOptions)>,
    /// The infrastructure tool that owns it.
    pub iac: Option<IacOwner>,
}

/// What an inventory comes to.
#[derive(Clone, Debug)]
pub struct Lineage<'a> {
    /// All that can be judged, in an order that depends on the inventory alone. Groups come first.
    pub subjects: Vec<Subject<'a>>,
    /// How many Auto Scaling groups belong to clusters, those of managed node groups included, or are asked about all
    /// the same.
    pub groups: u64,
}

/// Ties together what an inventory holds.
pub fn of(inventory: &Inventory) -> Lineage<'_> {
    let index = Index::new(inventory);
    let groups = inventory.auto_scaling_groups.iter();
    let groups = groups.filter(|group| index.role(group).is_some()).count() as u64;
    Lineage { subjects: subjects_of(&index), groups }
}

fn subjects_of<'a>(index: &Index<'a>) -> Vec<Subject<'a>> {
    let mut subjects = groups::subjects(index);
    let of_groups = groups::positions(&subjects);
    subjects.extend(templates::karpenter(index));
    subjects.extend(instances::subjects(index, &of_groups));
    subjects.extend(templates::by_themselves(index));
    subjects.extend(templates::account_defaults(index.inventory));
    subjects
}

/// What to know about how far an inventory can tell what comes next, where there is anything to know.
pub fn limits(inventory: &Inventory) -> Option<&'static str> {
    let templates =
        inventory.launch_templates.values().any(|t| template_owner(t) == TemplateOwner::Karpenter);
    let nodes = || inventory.instances.iter().any(|node| node.tags.karpenter_node_class().is_some());
    (templates || nodes()).then_some(
        "Karpenter's next nodes are predicted from the launch templates that exist: EC2 does not show its EC2NodeClasses",
    )
}
