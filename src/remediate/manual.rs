//! What is left to people, and the exact lines for it.

use std::collections::BTreeMap;

use crate::finding::FixKind;
use crate::model::{LaunchTemplate, MetadataOptions, OptionName, TemplateVersion};
use crate::plan::Manual;

use super::rules::Asked;
use super::scene::{Case, Owner, Scene};
use super::snippets;

/// Something for a person to do, as one finding asks it.
pub struct Hand<'a> {
    pub kind: FixKind,
    pub target: Option<String>,
    pub name: Option<String>,
    pub why: String,
    pub place: Place<'a>,
}

/// Where the lines go.
#[derive(Clone, Debug)]
pub enum Place<'a> {
    /// A template of the user's.
    Template { template: &'a LaunchTemplate, source: &'a TemplateVersion },
    /// A template that an infrastructure tool owns.
    Iac { template: &'a LaunchTemplate, source: &'a TemplateVersion, owner: Owner },
    /// Karpenter's object.
    NodeClass { name: Option<&'a str>, cluster: Option<&'a str> },
    /// A node group without a template.
    NodeGroup { cluster: &'a str, name: &'a str },
    /// A launch configuration.
    Configuration { group: &'a str, name: &'a str },
    /// A running instance.
    Instance { id: &'a str, seen: &'a MetadataOptions },
    /// The account's defaults.
    Defaults,
    /// The organisation's declarative policy.
    DeclarativePolicy,
}

impl<'a> Hand<'a> {
    pub fn new(kind: FixKind, target: Option<String>, why: impl Into<String>, place: Place<'a>) -> Self {
        Self { kind, target, name: None, why: why.into(), place }
    }

    pub fn named(self, name: &str) -> Self {
        let name = Some(name.to_owned()).filter(|name| self.target.as_ref() != Some(name));
        Self { name, ..self }
    }
}

/// What people have to do: each thing once, for however many findings.
#[derive(Default)]
pub struct Hands<'a>(BTreeMap<Key, Gathered<'a>>);

/// What makes two things to do the same: the kind, the target, what it is of, and why.
pub type Key = (FixKind, Option<String>, String, String);

struct Gathered<'a> {
    hand: Hand<'a>,
    asked: BTreeMap<OptionName, Asked>,
    findings: Vec<String>,
}

impl<'a> Hands<'a> {
    /// Adds what a finding asks of people, and says by which key other findings can follow it.
    pub fn add(&mut self, case: &Case<'a>, hand: Hand<'a>) -> Key {
        let of = match &hand.place {
            Place::NodeClass { cluster, .. } => cluster.unwrap_or_default().to_owned(),
            Place::Template { source, .. } | Place::Iac { source, .. } => format!("{:010}", source.number),
            Place::Configuration { group, .. } => (*group).to_owned(),
            _ => String::new(),
        };
        let key = (hand.kind, hand.target.clone(), of, hand.why.clone());
        let gathered = self.0.entry(key.clone()).or_insert_with(|| Gathered {
            hand,
            asked: BTreeMap::new(),
            findings: Vec::new(),
        });
        let asked = Asked::by(&case.rule.expected);
        let both = gathered.asked.get(&case.rule.option).and_then(|known| known.and(asked));
        gathered.asked.insert(case.rule.option, both.unwrap_or(asked));
        gathered.findings.extend(case.id());
        key
    }

    /// Adds a finding that goes away with what is there already.
    pub fn follow(&mut self, key: &Key, case: &Case<'a>) {
        if let Some(gathered) = self.0.get_mut(key) {
            gathered.findings.extend(case.id());
        }
    }

    /// In the order of the kinds of remedy.
    pub fn finish(self, scene: &Scene<'a>) -> Vec<Manual> {
        let gathered = self.0.into_values().filter(|gathered| !gathered.findings.is_empty());
        gathered.map(|gathered| gathered.manual(scene)).collect()
    }
}

impl Gathered<'_> {
    fn manual(mut self, scene: &Scene<'_>) -> Manual {
        self.findings.sort();
        let snippet = snippets::of(scene, &self.hand.place, &self.asked);
        Manual {
            kind: self.hand.kind,
            target: self.hand.target,
            target_name: self.hand.name,
            why: self.hand.why,
            snippet: Some(snippet),
            findings: self.findings,
        }
    }
}
