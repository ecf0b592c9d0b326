//! The plan of one account in one Region, put together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::lineage::SubjectKind;
use crate::model::{OptionName, VersionRef};
use crate::plan::{Action, Block, ScopePlan, Skipped, StepId, TemplateSeen, VersionChoice};

use super::consumers::{Effect, effect, fleets, followers};
use super::drafts::{Draft, Drafts, Stage, step_id};
use super::gate::gate;
use super::manual::{Hand, Hands, Key};
use super::patch::{self, Patch, PatchKey, Patches};
use super::risks;
use super::route::{By, Hook, Route, by_its_owner, route};
use super::scene::{Case, Scene};

/// What is planned so far.
pub struct Planning<'s, 'a> {
    pub scene: &'s Scene<'a>,
    /// The versions that findings hang on, by where the finding stands. Those that cannot be served are not among them.
    pub wanted: BTreeMap<usize, Vec<Hook<'a>>>,
    pub patches: Patches<'a>,
    pub steps: Drafts,
    pub creates: BTreeMap<PatchKey, StepId>,
    pub defaults: BTreeMap<PatchKey, StepId>,
    /// What replaces the instances of a group, by where the group stands.
    pub replacements: HashMap<usize, StepId>,
    /// What people have to do about a group, by where it stands and the rule.
    pub by_hand: HashMap<(usize, String), Key>,
    pub hands: Hands<'a>,
    /// Findings of which nothing comes, by where they stand, and why.
    pub skipped: BTreeMap<usize, String>,
    pub risks: BTreeSet<String>,
}

/// Plans for a scope.
pub fn plan(scene: &Scene<'_>) -> (ScopePlan, Vec<Draft>) {
    let mut planning = Planning {
        scene,
        wanted: BTreeMap::new(),
        patches: Patches::default(),
        steps: Drafts::default(),
        creates: BTreeMap::new(),
        defaults: BTreeMap::new(),
        replacements: HashMap::new(),
        by_hand: HashMap::new(),
        hands: Hands::default(),
        skipped: BTreeMap::new(),
        risks: BTreeSet::new(),
    };
    let of_defaults = planning.send();
    planning.patch();
    planning.create();
    planning.move_defaults();
    planning.roll_out();
    planning.modify_instances();
    planning.modify_account(&of_defaults);
    risks::gather(&mut planning);
    planning.finish()
}

impl<'a> Planning<'_, 'a> {
    pub fn case(&self, at: usize) -> &Case<'a> {
        &self.scene.cases[at]
    }

    /// Sends every finding on anything but an instance on its way; says which are of the account's defaults.
    fn send(&mut self) -> Vec<usize> {
        let mut of_defaults = Vec::new();
        for (at, case) in self.scene.cases.iter().enumerate() {
            if self.scene.subjects[case.subject].kind == SubjectKind::Instance {
                continue;
            }
            match route(self.scene, case) {
                Route::Patch(hooks) => drop(self.wanted.insert(at, hooks)),
                Route::Defaults => of_defaults.push(at),
                Route::Hand(hand) => self.leave_to_people(case, hand),
                Route::Skip(why) => drop(self.skipped.insert(at, why)),
            }
        }
        of_defaults
    }

    fn leave_to_people(&mut self, case: &Case<'a>, hand: Hand<'a>) {
        let key = self.hands.add(case, hand);
        self.by_hand.insert((case.subject, super::rules::rule_name(case.policy, case.rule)), key);
    }

    fn patch(&mut self) {
        loop {
            self.patches = patch::patches(self.scene, &self.wanted);
            for (case, why) in std::mem::take(&mut self.patches.refused) {
                self.wanted.remove(&case);
                self.skipped.insert(case, why);
            }
            let left = self.owned_and_not_made();
            if left.is_empty() {
                return;
            }
            for (at, hand) in left {
                self.wanted.remove(&at);
                let case = &self.scene.cases[at];
                self.leave_to_people(case, hand);
            }
        }
    }

    /// Findings that hang on a template which a tool owns, and which that tool has not mended in a later version.
    fn owned_and_not_made(&self) -> Vec<(usize, Hand<'a>)> {
        let mut left = Vec::new();
        for (at, hooks) in &self.wanted {
            let owned = hooks.iter().find_map(|hook| {
                let patch = self.patches.by_version.get(&patch::key(hook))?;
                let owner = patch.owner_to_ask(self.scene)?;
                patch.made_before().is_none().then(|| by_its_owner(hook, owner))
            });
            left.extend(owned.map(|hand| (*at, hand)));
        }
        left
    }

    /// Whether an option of a subject is to be mended.
    pub fn is_planned(&self, subject: usize, option: OptionName) -> bool {
        self.wanted.keys().map(|at| self.case(*at)).any(|case| {
            case.subject == subject && [option, OptionName::HttpEndpoint].contains(&case.rule.option)
        })
    }

    fn effect(&self, patch: &Patch<'a>, by: VersionRef) -> Effect {
        let followers = followers(self.scene, patch.template, by);
        let options = (&patch.source.metadata, &patch.metadata);
        effect(self.scene, &followers, options, &|subject, option| self.is_planned(subject, option))
    }

    /// A new version for each patch.
    fn create(&mut self) {
        for (key, patch) in self.patches.by_version.clone() {
            if patch.set_before().is_some() && !self.will_use(&key) {
                continue;
            }
            let (effect, follows) = self.effect_of_creating(&patch);
            let Effect { mut blocks, to_require_tokens, mut clusters } = effect;
            blocks.extend(self.objections(&patch, &follows));
            let (token_use, shut) = gate(self.scene, &to_require_tokens, true);
            blocks.extend(shut);
            clusters.extend(self.clusters(&key));
            let draft = Draft::new(
                Stage::Create,
                self.id("create_template_version", &name_of(&key)),
                self.creation(&patch),
            )
            .changes(patch.changes())
            .reach(0, 0, clusters)
            .blocked(blocks, token_use)
            .instances(to_require_tokens)
            .idle(patch.made_before().map(|version| {
                format!("version {version} sets this already, and nothing that is planned can use it yet")
            }))
            .lane(Some(format!("template {}", key.0)));
            let id = self.steps.add(draft);
            self.creates.insert(key, id);
        }
    }

    fn creation(&self, patch: &Patch<'a>) -> Action {
        Action::CreateTemplateVersion {
            template: patch.template.id.clone(),
            name: patch.template.name.clone(),
            source: patch.source.number,
            metadata: patch.metadata,
            seen: TemplateSeen {
                latest: patch.template.latest_version,
                default: patch.template.default_version,
                source_metadata: patch.source.metadata,
            },
            client_token: patch.client_token(),
            description: patch.description(),
            may_create: patch.owner_to_ask(self.scene).is_none(),
        }
    }

    /// What it does that `$Latest` will be another version, and who follows it.
    fn effect_of_creating(&self, patch: &Patch<'a>) -> (Effect, Vec<String>) {
        let groups = followers(self.scene, patch.template, VersionRef::Latest);
        let mut follows: Vec<String> = groups.iter().map(|follower| follower.group.name.clone()).collect();
        follows.dedup();
        let of_fleets = fleets(self.scene, patch.template);
        let latest = of_fleets.iter().filter(|(_, version)| *version == VersionRef::Latest);
        follows.extend(latest.map(|(id, _)| (*id).to_owned()));
        // From another source it is not made while anybody follows.
        let effect =
            if patch.is_of_latest() { self.effect(patch, VersionRef::Latest) } else { Effect::default() };
        (effect, follows)
    }

    /// Why a version is not made while there are some who follow `$Latest`.
    fn objections(&self, patch: &Patch<'a>, follows: &[String]) -> Option<Block> {
        let first = follows.first()?;
        let more = match follows.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (name, source) = (&patch.template.name, patch.source.number);
        if !patch.is_of_latest() {
            let latest = patch.template.latest_version;
            let why = format!(
                "{first}{more} launches from $Latest of {name}, and a version made from {source} would take back what \
                 those up to {latest} changed: let it name a version by its number first"
            );
            return Some(Block { why, unless: None });
        }
        let why =
            format!("{first}{more} launches from $Latest of {name}, and so from the new version at once");
        (!self.scene.choices.rollout).then(|| Block { why, unless: Some("--rollout".to_owned()) })
    }

    /// Whether a new version would be used by this plan, and not only be there.
    fn will_use(&self, key: &PatchKey) -> bool {
        let choices = self.scene.choices;
        let mut hooks = self.wanted.values().flatten().filter(|hook| patch::key(hook) == *key);
        let moves_default = choices.set_default && self.patches.by_version[key].is_of_default();
        moves_default
            || hooks.any(|hook| match hook.by {
                By::NodeGroup | By::Reference(VersionRef::Number(_)) => choices.rollout,
                By::Reference(VersionRef::Latest) => true,
                By::Reference(VersionRef::Default) => choices.set_default,
                By::Itself => patch_is_for_latest(hook),
            })
    }

    /// The clusters of what hangs on a version.
    fn clusters(&self, key: &PatchKey) -> Vec<String> {
        let of_key =
            self.wanted.iter().filter(|(_, hooks)| hooks.iter().any(|hook| patch::key(hook) == *key));
        let subjects = of_key.map(|(case, _)| &self.scene.subjects[self.case(*case).subject]);
        subjects.filter_map(|subject| subject.cluster.map(str::to_owned)).collect()
    }

    /// The default follows where it is the version that is patched.
    fn move_defaults(&mut self) {
        if !self.scene.choices.set_default {
            return;
        }
        for (key, create) in self.creates.clone() {
            let patch = self.patches.by_version[&key].clone();
            if !patch.is_of_default() {
                continue;
            }
            let Effect { mut blocks, to_require_tokens, mut clusters } =
                self.effect(&patch, VersionRef::Default);
            let (token_use, shut) = gate(self.scene, &to_require_tokens, true);
            blocks.extend(shut);
            clusters.extend(self.clusters(&key));
            let action = Action::SetDefaultVersion {
                template: key.0.clone(),
                name: patch.template.name.clone(),
                from: patch.template.default_version,
                to: VersionChoice::MadeBy(create.clone()),
            };
            let draft = Draft::new(Stage::Default, self.id("set_default_version", key.0.as_str()), action)
                .after([create])
                .changes(patch.changes())
                .reach(0, 0, clusters)
                .blocked(blocks, token_use)
                .instances(to_require_tokens)
                .lane(Some(format!("template {}", key.0)));
            let id = self.steps.add(draft);
            self.defaults.insert(key, id);
        }
    }

    /// The flags that have to be given for a finding to be mended by its versions.
    pub fn missing(&self, hooks: &[Hook<'a>]) -> Vec<&'static str> {
        let choices = self.scene.choices;
        let mut flags: BTreeSet<&'static str> = BTreeSet::new();
        for hook in hooks {
            let is_default = hook.source.number == hook.template.default_version;
            match hook.by {
                By::NodeGroup | By::Reference(VersionRef::Number(_)) if !choices.rollout => {
                    flags.insert("--rollout");
                }
                By::Reference(VersionRef::Default) if !choices.set_default => {
                    flags.insert("--set-default");
                }
                By::Itself if is_default && !choices.set_default => {
                    flags.insert("--set-default");
                }
                _ => {}
            }
        }
        flags.into_iter().collect()
    }

    /// The steps by which a version comes into force for what names it so.
    pub fn steps_of(&self, hook: &Hook<'a>) -> Vec<StepId> {
        let key = patch::key(hook);
        let by_default = match hook.by {
            By::Reference(VersionRef::Default) => true,
            By::Itself => hook.source.number == hook.template.default_version,
            _ => false,
        };
        let default = by_default.then(|| self.defaults.get(&key)).flatten();
        self.creates.get(&key).into_iter().chain(default).cloned().collect()
    }

    /// Why nothing is launched from a version yet.
    pub fn why_incomplete(&self, hooks: &[Hook<'a>], flags: &[&str]) -> String {
        let before = hooks.iter().find_map(|hook| {
            let patch = self.patches.by_version.get(&patch::key(hook))?;
            Some((patch.set_before()?, &patch.template.name))
        });
        let flags = flags.join(" and ");
        match before {
            Some((version, name)) => {
                format!(
                    "version {version} of {name} sets it already, and nothing launches from it yet: give {flags}"
                )
            }
            None => format!("the new version is made, and nothing launches from it yet: give {flags}"),
        }
    }

    pub fn id(&self, what: &str, target: &str) -> StepId {
        step_id(self.scene.scope(), what, target)
    }

    /// The subject's group of rule, as the key of what people do about it.
    pub fn hand_of(&self, subject: usize, case: &Case<'_>) -> Option<&Key> {
        self.by_hand.get(&(subject, super::rules::rule_name(case.policy, case.rule)))
    }

    fn finish(self) -> (ScopePlan, Vec<Draft>) {
        let scene = self.scene;
        let mut skipped: BTreeMap<(&str, String), Skipped> = BTreeMap::new();
        for (at, why) in &self.skipped {
            let case = &scene.cases[*at];
            let Some(id) = case.id() else { continue };
            let resource = &case.finding.resource;
            let key = (resource.id.as_str(), format!("{}/{why}", resource.r#type));
            let entry = skipped.entry(key).or_insert_with(|| Skipped {
                resource: resource.clone(),
                why: why.clone(),
                findings: Vec::new(),
            });
            entry.findings.push(id);
        }
        let drafts = self.steps.finish();
        let mut skipped: Vec<_> = skipped.into_values().collect();
        skipped.sort_by(|one, other| {
            (one.resource.r#type, &one.resource.id, &one.why).cmp(&(
                other.resource.r#type,
                &other.resource.id,
                &other.why,
            ))
        });
        let plan = ScopePlan {
            scope: scene.scope().clone(),
            coverage: scene.inventory.coverage.status,
            steps: drafts.iter().map(|draft| draft.step.clone()).collect(),
            manual: self.hands.finish(scene),
            skipped,
            risks: self.risks.into_iter().collect(),
        };
        (plan, drafts)
    }
}

/// Whether a template by itself is wrong in its latest version, which the new one takes the place of.
const fn patch_is_for_latest(hook: &Hook<'_>) -> bool {
    hook.source.number == hook.template.latest_version && hook.source.number != hook.template.default_version
}

fn name_of(key: &PatchKey) -> String {
    format!("{}/{}", key.0, key.1)
}
