//! The account's defaults for new instances of a Region.

use std::collections::BTreeMap;

use crate::finding::Source;
use crate::lineage::SubjectKind;
use crate::model::{InstanceId, MetadataOptions, OptionName, OptionValue};
use crate::plan::{Action, Block};

use super::drafts::{Draft, Stage};
use super::gate::gate;
use super::patch::changes;
use super::rules::Asked;
use super::scope::Planning;

impl Planning<'_, '_> {
    /// Changes the defaults, where that was asked for.
    pub fn modify_account(&mut self, cases: &[usize]) {
        let scene = self.scene;
        let Some(seen) = scene.inventory.account_defaults.known().filter(|_| !cases.is_empty()) else {
            return;
        };
        if !scene.choices.account_defaults {
            let why =
                "give --account-defaults: it reaches every launch in the Region that leaves the option unset";
            self.skipped.extend(cases.iter().map(|case| (*case, why.to_owned())));
            return;
        }
        let mut asked: BTreeMap<OptionName, Asked> = BTreeMap::new();
        let mut served = Vec::new();
        for at in cases {
            let rule = scene.cases[*at].rule;
            let one = Asked::by(&rule.expected);
            match asked.get(&rule.option).map_or(Some(one), |known| known.and(one)) {
                Some(both) => {
                    asked.insert(rule.option, both);
                    served.push(*at);
                }
                None => drop(
                    self.skipped.insert(*at, format!("rules ask for different values of {}", rule.option)),
                ),
            }
        }
        let mut metadata = MetadataOptions::default();
        for (option, asked) in &asked {
            metadata.set(*option, Some(asked.value(seen.metadata.get(*option))));
        }
        let mut after = seen.metadata;
        for option in OptionName::ALL {
            after.set(option, metadata.get(option).or(after.get(option)));
        }
        let reached = self.reached(&metadata);
        let (token_use, shut) = gate(scene, &reached, true);
        let mut blocks: Vec<Block> = shut.into_iter().collect();
        if metadata.http_tokens == Some(OptionValue::Optional) && seen.tokens_enforced {
            let why = "the account enforces tokens (HttpTokensEnforced)";
            blocks.push(Block { why: why.to_owned(), unless: None });
        }
        let action = Action::ModifyAccountDefaults { seen: seen.clone(), metadata };
        let draft = Draft::new(
            Stage::Account,
            self.id("modify_account_defaults", scene.scope().region.as_str()),
            action,
        )
        .changes(changes(&seen.metadata, &after))
        .reach(0, 0, Vec::new())
        .blocked(blocks, token_use)
        .instances(reached);
        let step = self.steps.add(draft);
        for at in served {
            self.steps.serve(&step, scene.cases[at].id());
        }
    }

    /// The instances of groups whose next one comes to require tokens by the default. Groups that change are named
    /// among the risks.
    fn reached(&mut self, metadata: &MetadataOptions) -> Vec<InstanceId> {
        let scene = self.scene;
        let mut instances = Vec::new();
        let mut named: Vec<String> = Vec::new();
        for (at, subject) in scene.subjects.iter().enumerate() {
            let changes = |option: OptionName| {
                subject.variants.iter().any(|variant| {
                    let now = variant.options.get(option);
                    matches!(now.source, Source::AccountDefault | Source::Image | Source::BuiltIn)
                        && metadata.get(option).is_some()
                        && now.value != metadata.get(option)
                })
            };
            if subject.kind != SubjectKind::Group || !OptionName::ALL.into_iter().any(changes) {
                continue;
            }
            named.push(subject.resource.id.clone());
            if metadata.http_tokens == Some(OptionValue::Required) && changes(OptionName::HttpTokens) {
                instances.extend(scene.nodes(at));
            }
        }
        named.sort();
        let region = &scene.scope().region;
        let more = named.len().saturating_sub(NAMED);
        let shown = named[..named.len().min(NAMED)].join(", ");
        self.risks.insert(match (named.len(), more) {
            (0, _) => format!("the account's defaults reach every launch in {region} that leaves an option unset, of nodes or not"),
            (_, 0) => format!("the account's defaults reach every launch in {region} that leaves an option unset, of nodes or not: {shown} among them"),
            (_, more) => format!("the account's defaults reach every launch in {region} that leaves an option unset, of nodes or not: {shown} and {more} more groups among them"),
        });
        instances
    }
}

/// How many groups are named.
const NAMED: usize = 5;
