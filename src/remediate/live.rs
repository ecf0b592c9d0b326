//! Instances: those that are replaced are mended by that; the others can be changed as they run, until they are
//! replaced.

use std::collections::BTreeMap;

use crate::finding::{FixKind, Status};
use crate::lineage::{Lever, SubjectKind};
use crate::model::{MetadataOptions, OptionName, OptionValue};
use crate::plan::{Action, Block};
use crate::policy::statuses;

use super::drafts::{Draft, Stage};
use super::gate::gate;
use super::manual::{Hand, Place};
use super::patch::changes;
use super::route;
use super::rules::Asked;
use super::scene::Case;
use super::scope::Planning;

/// What has to be sent with every change of an instance: what EC2 makes of one that is missing is not certain.
const ALWAYS_SENT: [OptionName; 3] =
    [OptionName::HttpTokens, OptionName::HttpPutResponseHopLimit, OptionName::HttpEndpoint];

impl Planning<'_, '_> {
    /// Sends every finding on an instance on its way.
    pub fn modify_instances(&mut self) {
        let mut live: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let scene = self.scene;
        for (at, case) in scene.cases.iter().enumerate() {
            if scene.subjects[case.subject].kind != SubjectKind::Instance {
                continue;
            }
            if self.is_replaced(at, case) {
                continue;
            }
            if self.can_be_changed(at, case) {
                live.entry(case.finding.resource.id.clone()).or_default().push(at);
            }
        }
        for (id, cases) in live {
            self.modify_instance(&id, &cases);
        }
    }

    /// Whether the instance makes way for one that is right; then that is what serves the finding.
    fn is_replaced(&mut self, at: usize, case: &Case<'_>) -> bool {
        let scene = self.scene;
        let Some(group) = scene.subjects[case.subject].group else { return false };
        let Some(replacement) = self.replacements.get(&group).cloned() else { return false };
        if case.is_uncertain() || !self.next_is_right(group, case) {
            return false;
        }
        let blocked = self.steps.block(&replacement).is_some();
        if blocked && scene.choices.live {
            return false;
        }
        self.steps.serve(&replacement, scene.cases[at].id());
        true
    }

    /// Whether it is gone once the plan is carried out.
    fn makes_way(&self, case: &Case<'_>) -> bool {
        let group = self.scene.subjects[case.subject].group;
        let replacement = group.and_then(|group| self.replacements.get(&group));
        replacement.is_some_and(|step| self.steps.block(step).is_none())
    }

    /// Whether the next instance of a group keeps the rule, now or once what is planned is done.
    fn next_is_right(&self, group: usize, case: &Case<'_>) -> bool {
        let scene = self.scene;
        let fares = statuses(case.policy, case.rule, scene.scope(), &scene.subjects[group]);
        let wrong = fares.iter().flatten().any(|status| matches!(status, Status::Fail | Status::Unknown));
        !wrong
            || self.wanted.iter().any(|(at, hooks)| {
                let mended = self.case(*at);
                mended.subject == group
                    && mended.is_of(case.policy, case.rule)
                    && self.missing(hooks).is_empty()
            })
    }

    /// Whether it is to be changed as it runs; where not, the finding goes elsewhere.
    fn can_be_changed(&mut self, at: usize, case: &Case<'_>) -> bool {
        let scene = self.scene;
        let case_here = &scene.cases[at];
        let subject = &scene.subjects[case.subject];
        if case.is_uncertain() {
            self.skipped.insert(at, route::uncertain(case));
            return false;
        }
        let key = subject.group.and_then(|group| self.hand_of(group, case)).cloned();
        match &subject.lever {
            Lever::AutoMode | Lever::Service(_) => {
                self.skipped.insert(at, route::nothing(case));
                return false;
            }
            Lever::NodeClass(name) if !scene.choices.live || scene.by_hand(case_here).is_some() => {
                self.hands.add(case_here, route::node_class(*name, subject.cluster));
                return false;
            }
            _ => {}
        }
        if let Some(why) = scene.by_hand(case_here) {
            match (key, scene.instance(case.subject)) {
                (Some(key), _) => self.hands.follow(&key, case_here),
                (None, Some(instance)) => {
                    let id = instance.id.as_str();
                    let place = Place::Instance { id, seen: &instance.metadata };
                    let target = Some(id.to_owned());
                    self.hands.add(case_here, Hand::new(FixKind::ModifyInstance, target, why, place));
                }
                (None, None) => drop(self.skipped.insert(at, why.to_owned())),
            }
            return false;
        }
        if scene.choices.live && self.makes_way(case) {
            let why = "it makes way for another by this plan, and its group's next one is no better in this";
            self.skipped.insert(at, why.to_owned());
            return false;
        }
        if scene.choices.live {
            return self.is_known(at, case);
        }
        match key {
            Some(key) => self.hands.follow(&key, case_here),
            None => drop(self.skipped.insert(at, self.flags_for(case))),
        }
        false
    }

    /// Whether all that has to be sent is known, and there is a metadata service to speak of.
    fn is_known(&mut self, at: usize, case: &Case<'_>) -> bool {
        let seen = self.scene.instance(case.subject).map(|instance| instance.metadata).unwrap_or_default();
        let known = ALWAYS_SENT
            .iter()
            .all(|option| !matches!(seen.get(*option), None | Some(OptionValue::Unrecognised)));
        let why = if seen.http_endpoint == Some(OptionValue::Disabled) {
            "its metadata service is disabled, and is not switched on as it runs"
        } else if !known {
            "EC2 does not tell all of its options, and they have to be sent together"
        } else {
            return true;
        };
        self.skipped.insert(at, why.to_owned());
        false
    }

    /// What would have to be given for it to be mended.
    fn flags_for(&self, case: &Case<'_>) -> String {
        let node = self.scene.subjects[case.subject].noun();
        let Some(group) = self.scene.subjects[case.subject].group else {
            return format!(
                "nothing is known that would launch the {node} again: give --live to change it as it runs"
            );
        };
        let mended = self.wanted.iter().find(|(at, _)| {
            let mended = self.case(**at);
            mended.subject == group && mended.is_of(case.policy, case.rule)
        });
        let fares = statuses(case.policy, case.rule, self.scene.scope(), &self.scene.subjects[group]);
        let wrong = fares.iter().flatten().any(|status| matches!(status, Status::Fail | Status::Unknown));
        match mended {
            Some((_, hooks)) => {
                let mut flags = self.missing(hooks);
                if !self.scene.choices.rollout && !flags.contains(&"--rollout") {
                    flags.insert(0, "--rollout");
                }
                if flags.is_empty() {
                    return format!("its group is not replaced: give --live to change the {node} as it runs");
                }
                let flags = flags.join(" and ");
                format!("give {flags} to replace the {node}, or --live to change it as it runs")
            }
            None if wrong => {
                format!("its group's next {node} is no better: give --live to change this one as it runs")
            }
            None => format!(
                "its group's next {node} is right: replace the {node}, or give --live to change it as it runs"
            ),
        }
    }

    fn modify_instance(&mut self, id: &str, cases: &[usize]) {
        let scene = self.scene;
        let Some(instance) = scene.instance_by_id(id) else { return };
        let seen = instance.metadata;
        let mut metadata = MetadataOptions::default();
        for option in ALWAYS_SENT {
            metadata.set(option, seen.get(option));
        }
        let mut asked: BTreeMap<OptionName, Asked> = BTreeMap::new();
        let mut served = Vec::new();
        for at in cases {
            let case = &scene.cases[*at];
            let one = Asked::by(&case.rule.expected);
            let both = asked.get(&case.rule.option).map_or(Some(one), |known| known.and(one));
            let Some(both) = both else {
                let why = format!("rules ask for different values of its {}", case.rule.option);
                self.skipped.insert(*at, why);
                continue;
            };
            asked.insert(case.rule.option, both);
            metadata.set(case.rule.option, Some(both.value(seen.get(case.rule.option))));
            served.push(*at);
        }
        if served.is_empty() {
            return;
        }
        let to_required = metadata.http_tokens == Some(OptionValue::Required);
        let nodes = [instance.id.clone()];
        let (token_use, shut) = gate(scene, &nodes, to_required);
        let mut blocks: Vec<Block> = shut.into_iter().collect();
        if !to_required && scene.tokens_enforced() {
            let why = "the account enforces tokens (HttpTokensEnforced), and refuses any change of an instance that \
                       leaves them optional";
            blocks.push(Block { why: why.to_owned(), unless: None });
        }
        let set_before = MetadataOptions { ..seen };
        let compared = OptionName::ALL.into_iter().fold(seen, |mut after, option| {
            after.set(option, metadata.get(option).or(seen.get(option)));
            after
        });
        let cluster = served.first().and_then(|at| scene.cases[*at].finding.cluster.clone());
        let action = Action::ModifyInstance { instance: instance.id.clone(), seen, metadata };
        let draft = Draft::new(Stage::Live, self.id("modify_instance", id), action)
            .changes(changes(&set_before, &compared))
            .reach(0, 1, cluster.into_iter().collect())
            .blocked(blocks, token_use)
            .instances(nodes.to_vec());
        let step = self.steps.add(draft);
        for at in served {
            self.steps.serve(&step, scene.cases[at].id());
        }
    }
}
