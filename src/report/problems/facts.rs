//! What is kept of the findings of a problem: what is told of them, and no more than groups and templates are many.

use std::collections::{BTreeMap, BTreeSet};

use super::LISTED;
use super::cause::origin;
use super::is_node;
use super::places::Places;
use super::remedies::{Remedies, Said, say};
use crate::finding::{
    ExemptionSummary, Expectation, Finding, ResourceType, Source, TemplateOwner, TemplateUse,
};
use crate::model::{OptionName, OptionValue, TemplateId};

/// What all findings of a problem share.
#[derive(Clone, Debug, PartialEq)]
pub struct Common {
    /// The option judged; none for an exemption.
    pub option: Option<OptionName>,
    /// What the rule asks; none for an exemption.
    pub expected: Option<Expectation>,
    /// The account's name, where one is known.
    pub account_name: Option<String>,
    /// The id of the first resource, which is the only one of an exemption.
    pub resource_id: String,
}

/// A template version that resources launch from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateVersion {
    /// Whose it is.
    pub owned_by: TemplateOwner,
    /// The template's name.
    pub name: Option<String>,
    /// The template's id.
    pub id: Option<TemplateId>,
    /// The version.
    pub version: Option<i64>,
}

impl From<&TemplateUse> for TemplateVersion {
    fn from(template: &TemplateUse) -> Self {
        let TemplateUse { owned_by, name, id, version, .. } = template;
        Self { owned_by: *owned_by, name: name.clone(), id: id.clone(), version: *version }
    }
}

/// What an exemption covers, of one rule.
#[derive(Clone, Debug)]
pub struct Exempted {
    /// The exemption.
    pub exemption: ExemptionSummary,
    /// How many resources of each type.
    pub counts: BTreeMap<ResourceType, u64>,
}

/// What is kept of findings. It does not depend on the order in which they are added.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    first: Option<(u64, Common)>,
    pub counts: BTreeMap<ResourceType, u64>,
    pub actual: BTreeSet<String>,
    of_groups: BTreeSet<Source>,
    of_nodes: BTreeSet<Source>,
    /// Whether there is an instance of no cluster.
    pub without_cluster: bool,
    pub templates: BTreeSet<TemplateVersion>,
    pub places: Places,
    pub remedies: Remedies,
    pub notes: Said,
    /// The first nodes, by their place in the report.
    pub nodes: Vec<(u64, String, Option<String>)>,
    pub exempted: BTreeMap<String, Exempted>,
}

impl Facts {
    /// Adds a finding, which stands in this place of the report.
    pub fn add(&mut self, finding: &Finding, at: u64) {
        if self.first.as_ref().is_none_or(|(first, _)| at < *first) {
            self.first = Some((at, common(finding)));
        }
        *self.counts.entry(finding.resource.r#type).or_default() += 1;
        if let Some(actual) = finding.actual.map(|value: OptionValue| value.to_string()) {
            self.actual.insert(actual);
        }
        let sources = if is_node(finding) { &mut self.of_nodes } else { &mut self.of_groups };
        sources.extend(origin(finding).or(finding.source));
        self.without_cluster |= is_node(finding) && finding.cluster.is_none();
        self.add_templates(finding);
        self.places.add(finding);
        self.remedies.add(finding, at);
        for (number, note) in finding.notes.iter().enumerate() {
            say(&mut self.notes, note, (false, at, number));
        }
        if is_node(finding)
            && (self.nodes.len() < LISTED || self.nodes.last().is_some_and(|last| at < last.0))
        {
            let Finding { resource, .. } = finding;
            self.keep_node((at, resource.id.clone(), resource.name.clone()));
        }
        if let Some(exemption) = &finding.exemption {
            let exempted = self.exempted.entry(exemption.id.clone());
            let exempted = exempted
                .or_insert_with(|| Exempted { exemption: exemption.clone(), counts: BTreeMap::new() });
            *exempted.counts.entry(finding.resource.r#type).or_default() += 1;
        }
    }

    /// Those that do not give what is expected.
    fn add_templates(&mut self, finding: &Finding) {
        let right = |template: &&TemplateUse| {
            let both = finding.expected.as_ref().zip(template.actual);
            both.is_some_and(|(expected, actual)| expected.holds(actual))
        };
        let wrong = finding.templates.iter().filter(|template| !right(template));
        self.templates.extend(wrong.map(TemplateVersion::from));
    }

    fn keep_node(&mut self, node: (u64, String, Option<String>)) {
        self.nodes.push(node);
        self.nodes.sort();
        self.nodes.truncate(LISTED);
    }

    /// Adds what was kept of other findings.
    pub fn absorb(&mut self, other: Self) {
        let earlier = |(at, _): &(u64, Common)| self.first.as_ref().is_none_or(|(first, _)| at < first);
        if let Some(first) = other.first.filter(earlier) {
            self.first = Some(first);
        }
        add_counts(&mut self.counts, other.counts);
        self.actual.extend(other.actual);
        self.of_groups.extend(other.of_groups);
        self.of_nodes.extend(other.of_nodes);
        self.without_cluster |= other.without_cluster;
        self.templates.extend(other.templates);
        self.places.absorb(other.places);
        self.remedies.absorb(other.remedies);
        for (note, position) in &other.notes {
            say(&mut self.notes, note, *position);
        }
        other.nodes.into_iter().for_each(|node| self.keep_node(node));
        for (id, exempted) in other.exempted {
            match self.exempted.get_mut(&id) {
                Some(known) => add_counts(&mut known.counts, exempted.counts),
                None => {
                    self.exempted.insert(id, exempted);
                }
            }
        }
    }

    /// Where the wrong value comes from. What launches the nodes knows better than they do.
    pub fn sources(&self) -> &BTreeSet<Source> {
        if self.of_groups.is_empty() { &self.of_nodes } else { &self.of_groups }
    }

    /// How many findings there are.
    pub fn findings(&self) -> u64 {
        self.counts.values().sum()
    }

    /// What all findings share; nothing where there is none.
    pub fn common(&self) -> Option<&Common> {
        self.first.as_ref().map(|(_, common)| common)
    }
}

fn add_counts(counts: &mut BTreeMap<ResourceType, u64>, others: BTreeMap<ResourceType, u64>) {
    for (kind, number) in others {
        *counts.entry(kind).or_default() += number;
    }
}

fn common(finding: &Finding) -> Common {
    Common {
        option: finding.option,
        expected: finding.expected.clone(),
        account_name: finding.account_name.clone(),
        resource_id: finding.resource.id.clone(),
    }
}
