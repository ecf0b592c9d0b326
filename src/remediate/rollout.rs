//! Groups follow: node groups take the new version, Auto Scaling groups are pointed at it and refreshed.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Status;
use crate::lineage::Lever;
use crate::model::{
    AutoScalingGroup, GroupLaunch, ImageRef, NodeGroup, OptionName, OptionValue, Read, TemplateId,
    TemplateRef, VersionRef,
};
use crate::plan::{Action, Block, Change, NamedVersion, NodeGroupSeen, Pin, Repoint, StepId, VersionChoice};
use crate::policy::statuses;

use super::consumers::objection;
use super::drafts::{Draft, Stage};
use super::gate::gate;
use super::patch::{self, Patch};
use super::route::{By, Hook};
use super::scene::Scene;
use super::scope::Planning;

/// The least share of a group's instances in service while it is refreshed, in percent. AWS's own default.
const MIN_HEALTHY_PERCENTAGE: u8 = 90;

/// The findings of a group that all flags for are given, with the versions that they hang on.
type Complete<'a> = BTreeMap<usize, Vec<Hook<'a>>>;

impl<'a> Planning<'_, 'a> {
    /// Plans what makes groups launch from the new versions.
    pub fn roll_out(&mut self) {
        let mut groups: BTreeMap<usize, Complete<'a>> = BTreeMap::new();
        for (case, hooks) in self.wanted.clone() {
            let flags = self.missing(&hooks);
            if flags.is_empty() {
                groups.entry(self.case(case).subject).or_default().insert(case, hooks);
            } else {
                let why = self.why_incomplete(&hooks, &flags);
                self.skipped.insert(case, why);
            }
        }
        let mut order: Vec<_> = groups.into_iter().collect();
        // By cluster and name, whatever order the inventory has.
        order.sort_by_key(|(subject, _)| {
            let subject = &self.scene.subjects[*subject];
            (subject.cluster, subject.resource.r#type, subject.resource.id.clone())
        });
        for (subject, complete) in order {
            for (case, hooks) in &complete {
                let steps: Vec<_> = hooks.iter().flat_map(|hook| self.steps_of(hook)).collect();
                for step in &steps {
                    self.steps.serve(step, self.scene.cases[*case].id());
                }
            }
            match &self.scene.subjects[subject].lever {
                Lever::NodeGroup { .. } => self.update_node_group(subject, &complete),
                Lever::Group { .. } => self.update_group(subject, &complete),
                _ => {}
            }
        }
    }

    fn update_node_group(&mut self, subject: usize, complete: &Complete<'a>) {
        let scene = self.scene;
        let of = &scene.subjects[subject];
        let (Some(cluster), Some(name)) = (of.cluster, of.node_group) else { return };
        let found = scene.inventory.node_groups.iter().find(|one| one.cluster == cluster && one.name == name);
        let hook = complete.values().flatten().next();
        let Some((node_group, hook)) = found.zip(hook) else { return };
        let Some(create) = self.creates.get(&patch::key(hook)).cloned() else { return };
        let patch = self.patches.by_version[&patch::key(hook)].clone();
        let nodes = scene.nodes(subject);
        let (token_use, shut) =
            gate(scene, &nodes, self.will_require_tokens(subject, std::slice::from_ref(&patch)));
        let mut blocks: Vec<Block> = shut.into_iter().collect();
        blocks.extend(busy(node_group));
        blocks.extend(self.own_objections(subject, std::slice::from_ref(&patch)));
        let pin = pin(node_group).unwrap_or_else(|block| {
            blocks.push(block);
            None
        });
        let action = Action::UpdateNodeGroup {
            cluster: cluster.to_owned(),
            node_group: name.to_owned(),
            arn: node_group
                .arn
                .clone()
                .unwrap_or_else(|| scene.scope().arn("eks", &format!("nodegroup/{cluster}/{name}"))),
            template: patch.template.id.clone(),
            to: VersionChoice::MadeBy(create.clone()),
            pin,
            seen: NodeGroupSeen {
                version: patch.source.number,
                status: node_group.status.clone().unwrap_or_default(),
            },
            force: scene.choices.force,
        };
        let draft = Draft::new(Stage::Rollout, self.id("update_node_group", &of.resource.id), action)
            .after([create])
            .changes(self.effective_changes(subject, &patch))
            .reach(of.nodes, 0, vec![cluster.to_owned()])
            .blocked(blocks, token_use)
            .instances(nodes)
            .lane(Some(format!("cluster {cluster}")));
        let id = self.steps.add(draft);
        for case in complete.keys() {
            self.steps.serve(&id, scene.cases[*case].id());
        }
        self.replacements.insert(subject, id);
    }

    fn update_group(&mut self, subject: usize, complete: &Complete<'a>) {
        let scene = self.scene;
        let of = &scene.subjects[subject];
        let Some(group) = of.auto_scaling_group.and_then(|name| scene.group(name)) else { return };
        let hooks: Vec<&Hook<'a>> = complete.values().flatten().collect();
        let work = GroupWork::new(self, subject, group, &hooks);
        if scene.choices.rollout && work.has_failing_nodes(self, complete) {
            work.refresh(self, complete);
        } else if scene.choices.rollout {
            let update = work.update(self);
            serve(self, update.as_ref(), complete);
        }
    }

    /// Whether the next node of a group will require tokens.
    fn will_require_tokens(&self, subject: usize, patches: &[Patch<'a>]) -> bool {
        let set = patches.iter().filter_map(|patch| patch.metadata.http_tokens);
        let now = self.scene.subjects[subject].variants.iter();
        let now = now.filter_map(|variant| variant.options.get(OptionName::HttpTokens).value);
        set.chain(now).any(|tokens| tokens == OptionValue::Required)
    }

    /// Why a group must not take new versions: they serve others as well, and would change what it is not to have
    /// changed.
    fn own_objections(&self, subject: usize, patches: &[Patch<'a>]) -> Vec<Block> {
        let scene = self.scene;
        let mut blocks = Vec::new();
        for patch in patches {
            for (variant, ways) in scene.ways_from(subject, patch.template, patch.source.number) {
                let mut cases = scene.cases.iter().filter(|case| case.subject == subject);
                if !cases.any(|case| case.statuses[variant].is_some()) {
                    continue;
                }
                let off = ways.options.get(OptionName::HttpEndpoint).value == Some(OptionValue::Disabled);
                let changes = patch.changes();
                let opens = changes.iter().any(|change| change.option == OptionName::HttpEndpoint);
                for change in changes.iter().filter(|_| !off || opens) {
                    if ways.options.get(change.option).value == change.to {
                        continue;
                    }
                    let planned = |subject, option| self.is_planned(subject, option);
                    let why = objection(scene, (subject, variant), (change.option, change.to), &planned);
                    blocks.extend(why.map(|why| Block {
                        why: format!(
                            "the new version serves others too, and {why}: give it a version of its own"
                        ),
                        unless: None,
                    }));
                }
            }
        }
        blocks.dedup();
        blocks
    }

    /// What changes for the next node of a group: what it gets now, and what the patch gives it.
    fn effective_changes(&self, subject: usize, patch: &Patch<'a>) -> Vec<Change> {
        let variants = &self.scene.subjects[subject].variants;
        let mut changes = patch.changes();
        for change in &mut changes {
            let differing = variants.iter().map(|variant| variant.options.get(change.option).value);
            let differing = differing.filter(|value| *value != change.to);
            change.from = differing.clone().flatten().next().or(change.from);
        }
        changes
    }
}

fn serve(planning: &mut Planning<'_, '_>, step: Option<&StepId>, complete: &Complete<'_>) {
    for case in complete.keys() {
        if let Some(step) = step {
            let finding = planning.case(*case).id();
            planning.steps.serve(step, finding);
        }
    }
}

/// What a node group keeps. EKS moves one that says neither to the cluster's version and to the newest image.
fn pin(node_group: &NodeGroup) -> Result<Option<Pin>, Block> {
    if node_group.ami_type.as_deref() == Some("CUSTOM") {
        return Ok(None);
    }
    if let (Some(version), Some(release_version)) = (&node_group.version, &node_group.release_version) {
        return Ok(Some(Pin { version: version.clone(), release_version: release_version.clone() }));
    }
    let why = "EKS does not say which Kubernetes version and AMI release it runs, so that an update would move it to \
               others";
    Err(Block { why: why.to_owned(), unless: None })
}

fn busy(node_group: &NodeGroup) -> Option<Block> {
    let status = node_group.status.as_deref().unwrap_or("of no known status");
    (status != "ACTIVE").then(|| Block {
        why: format!("the node group is {status}, and EKS updates one that is ACTIVE: plan again when it is"),
        unless: None,
    })
}

/// An Auto Scaling group, and what becomes of its references.
struct GroupWork<'a> {
    subject: usize,
    group: &'a AutoScalingGroup,
    cluster: Option<&'a str>,
    nodes: u64,
    /// The references that are patched, and the steps that make their new versions.
    patched: Vec<(TemplateId, VersionRef, i64, StepId)>,
    patches: Vec<Patch<'a>>,
    /// All that has to be done before.
    before: Vec<StepId>,
}

/// Every reference of a group to a template that was read, with the number that it means, and whether a number can be
/// told of each.
struct References {
    known: BTreeSet<(TemplateId, VersionRef, i64)>,
    all_known: bool,
}

impl<'a> GroupWork<'a> {
    fn new(
        planning: &Planning<'_, 'a>,
        subject: usize,
        group: &'a AutoScalingGroup,
        hooks: &[&Hook<'a>],
    ) -> Self {
        let of = &planning.scene.subjects[subject];
        let mut work = Self {
            subject,
            group,
            cluster: of.cluster,
            nodes: of.nodes,
            patched: Vec::new(),
            patches: Vec::new(),
            before: Vec::new(),
        };
        for hook in hooks {
            let key = patch::key(hook);
            let (By::Reference(by), Some(create)) = (hook.by, planning.creates.get(&key)) else { continue };
            let reference = (key.0.clone(), by, key.1, create.clone());
            if !work.patched.contains(&reference) {
                work.patched.push(reference);
                work.patches.push(planning.patches.by_version[&key].clone());
                work.before.extend(planning.steps_of(hook));
            }
        }
        work
    }

    /// Whether some of its instances break a rule that its next one will keep.
    fn has_failing_nodes(&self, planning: &Planning<'_, 'a>, complete: &Complete<'a>) -> bool {
        let scene = planning.scene;
        scene.members(self.subject).iter().any(|node| {
            complete.keys().any(|case| {
                let case = planning.case(*case);
                let fares = statuses(case.policy, case.rule, scene.scope(), &scene.subjects[*node]);
                fares.contains(&Some(Status::Fail))
            })
        })
    }

    fn gate(&self, planning: &Planning<'_, 'a>) -> (Option<crate::plan::TokenUseSum>, Option<Block>) {
        let required = planning.will_require_tokens(self.subject, &self.patches);
        gate(planning.scene, &planning.scene.nodes(self.subject), required)
    }

    fn draft(&self, planning: &Planning<'_, 'a>, stage: Stage, what: &str, action: Action) -> Draft {
        let changes = self.patches.iter().flat_map(|patch| planning.effective_changes(self.subject, patch));
        let mut seen = BTreeSet::new();
        let changes = changes.filter(|change| seen.insert(change.option)).collect();
        Draft::new(stage, planning.id(what, &self.group.name), action)
            .changes(changes)
            .reach(0, 0, self.cluster.map(str::to_owned).into_iter().collect())
            .lane(self.cluster.map(|cluster| format!("cluster {cluster}")))
    }

    /// Points numbers at new numbers; `$Latest` and `$Default` mean them already.
    fn update(&self, planning: &mut Planning<'_, 'a>) -> Option<StepId> {
        let repoint: Vec<_> = self.patched.iter().filter_map(repoint_of_number).collect();
        if repoint.is_empty() {
            return None;
        }
        let (token_use, shut) = self.gate(planning);
        let blocks = shut.into_iter().chain(planning.own_objections(self.subject, &self.patches)).collect();
        let action = self.action(repoint);
        let draft = self
            .draft(planning, Stage::Rollout, "update_auto_scaling_group", action)
            .after(self.before.clone())
            .blocked(blocks, token_use)
            .instances(planning.scene.nodes(self.subject));
        Some(planning.steps.add(draft))
    }

    fn action(&self, repoint: Vec<Repoint>) -> Action {
        Action::UpdateAutoScalingGroup {
            group: self.group.name.clone(),
            arn: self.group.arn.clone(),
            seen: self.group.launch.clone(),
            repoint,
        }
    }

    /// Replaces the instances. Where that is not to be, at least the next one is made right.
    fn refresh(&self, planning: &mut Planning<'_, 'a>, complete: &Complete<'a>) {
        let references = self.references(planning);
        let (token_use, shut) = self.gate(planning);
        let mut blocks: Vec<Block> = shut.into_iter().collect();
        blocks.extend(planning.own_objections(self.subject, &self.patches));
        blocks.extend(self.does_not_drain(planning));
        blocks.extend(cannot_be_held(&references));
        blocks.extend(cannot_go_back(planning.scene, &references));
        let blocked = !blocks.is_empty() || planning.steps.block_of(&self.before).is_some();
        let update = blocked.then(|| self.update(planning)).flatten();
        let action = Action::RefreshInstances {
            group: self.group.name.clone(),
            arn: self.group.arn.clone(),
            seen: self.group.launch.clone(),
            repoint: self.patched.iter().map(repoint_of_refresh).collect(),
            min_healthy_percentage: MIN_HEALTHY_PERCENTAGE,
        };
        let draft = self
            .draft(planning, Stage::Rollout, "refresh_instances", action)
            .after(self.before.iter().cloned().chain(update.clone()))
            .reach(self.nodes, 0, self.cluster.map(str::to_owned).into_iter().collect())
            .blocked(blocks, token_use)
            .instances(planning.scene.nodes(self.subject));
        let refresh = planning.steps.add(draft);
        planning.replacements.insert(self.subject, refresh.clone());
        if blocked {
            // `$Latest` and `$Default` mean the new version without it.
            let only_refresh = self.patched.iter().all(|(_, by, ..)| matches!(by, VersionRef::Number(_)));
            serve(planning, update.as_ref().or(only_refresh.then_some(&refresh)), complete);
        } else {
            serve(planning, Some(&refresh), complete);
            self.hold(planning, &references, &refresh, complete);
        }
    }

    /// A group that names `$Latest` or `$Default` is held at the number that this is, and gets its reference back.
    fn hold(
        &self,
        planning: &mut Planning<'_, 'a>,
        references: &References,
        refresh: &StepId,
        complete: &Complete<'a>,
    ) {
        let moving = references.known.iter().filter(|(_, by, _)| !matches!(by, VersionRef::Number(_)));
        let (mut hold, mut give_back) = (Vec::new(), Vec::new());
        for (template, by, number) in moving {
            let now = NamedVersion::Number(VersionChoice::Existing(*number));
            let made = self.patched.iter().find(|(id, reference, ..)| id == template && reference == by);
            let then = made.map_or_else(|| now.clone(), |(.., step)| made_by(step));
            hold.push(Repoint { template: template.clone(), from: named(*by), to: now });
            give_back.push(Repoint { template: template.clone(), from: then, to: named(*by) });
        }
        if hold.is_empty() {
            return;
        }
        let action = self.action(hold);
        let draft = self
            .draft(planning, Stage::Hold, "hold_auto_scaling_group", action)
            .changes(Vec::new())
            .lane(None);
        let pinned = planning.steps.add(draft);
        planning.steps.wait(refresh, pinned.clone());
        for step in &self.before {
            planning.steps.wait(step, pinned.clone());
        }
        let action = self.action(give_back);
        let draft = self
            .draft(planning, Stage::Rollout, "release_auto_scaling_group", action)
            .changes(Vec::new())
            .after([refresh.clone()])
            .after(self.before.clone());
        let released = planning.steps.add(draft);
        serve(planning, Some(&pinned), complete);
        serve(planning, Some(&released), complete);
    }

    fn references(&self, planning: &Planning<'_, 'a>) -> References {
        let all: Vec<&TemplateRef> = match &self.group.launch {
            GroupLaunch::Template(template) => vec![template],
            GroupLaunch::Mixed { base, overrides } => std::iter::once(base)
                .chain(overrides.iter().filter_map(|one| one.template.as_ref()))
                .collect(),
            GroupLaunch::Configuration(_) | GroupLaunch::Unknown => Vec::new(),
        };
        let mut references = References { known: BTreeSet::new(), all_known: true };
        for reference in all {
            let Some(template) = planning.scene.inventory.template(reference) else {
                references.all_known &= matches!(reference.version, VersionRef::Number(_));
                continue;
            };
            let number = template.number(reference.version);
            references.known.insert((template.id.clone(), reference.version, number));
        }
        references
    }

    fn does_not_drain(&self, planning: &Planning<'_, 'a>) -> Option<Block> {
        let hook = planning.scene.readings.termination_hooks.get(&self.group.name);
        if planning.scene.choices.accept_no_drain || hook == Some(&Read::Known(true)) {
            return None;
        }
        let why = if hook == Some(&Read::Known(false)) {
            "an instance refresh does not drain nodes, and the group has no lifecycle hook on termination by which \
             something else would"
        } else {
            "an instance refresh does not drain nodes, and whether the group has a lifecycle hook on termination could \
             not be read"
        };
        Some(Block { why: why.to_owned(), unless: Some("--accept-no-drain".to_owned()) })
    }
}

/// Whether the references could not be told apart again once they are numbers.
fn cannot_be_held(references: &References) -> Option<Block> {
    let mut numbers = BTreeSet::new();
    let ambiguous = references.known.iter().any(|(id, _, number)| !numbers.insert((id, number)));
    let why = if !references.all_known {
        "it launches from $Latest or $Default of a template that could not be read, and a refresh takes itself \
         back only to a number"
    } else if ambiguous {
        "it names one version of a template in two ways, by number and as $Latest or $Default, which could not be \
         told apart after a refresh: let it name one"
    } else {
        return None;
    };
    Some(Block { why: why.to_owned(), unless: None })
}

const fn named(reference: VersionRef) -> NamedVersion {
    match reference {
        VersionRef::Number(number) => NamedVersion::Number(VersionChoice::Existing(number)),
        VersionRef::Latest => NamedVersion::Latest,
        VersionRef::Default => NamedVersion::Default,
    }
}

fn made_by(step: &StepId) -> NamedVersion {
    NamedVersion::Number(VersionChoice::MadeBy(step.clone()))
}

fn repoint_of_number((template, by, _, step): &(TemplateId, VersionRef, i64, StepId)) -> Option<Repoint> {
    matches!(by, VersionRef::Number(_)).then(|| Repoint {
        template: template.clone(),
        from: named(*by),
        to: made_by(step),
    })
}

/// By the time of the refresh every reference is a number.
fn repoint_of_refresh((template, _, number, step): &(TemplateId, VersionRef, i64, StepId)) -> Repoint {
    Repoint {
        template: template.clone(),
        from: NamedVersion::Number(VersionChoice::Existing(*number)),
        to: made_by(step),
    }
}

/// A refresh takes itself back only where the image of what it goes back to is known by its id.
fn cannot_go_back(scene: &Scene<'_>, references: &References) -> Option<Block> {
    let by_parameter = |(template, _, number): &(TemplateId, VersionRef, i64)| {
        let template = scene.inventory.launch_templates.get(template);
        let version = template.and_then(|template| template.versions.get(number));
        version.is_some_and(|version| matches!(version.image, ImageRef::Parameter(_)))
    };
    references.known.iter().any(by_parameter).then(|| Block {
        why: "a launch template of the group names its image by a Systems Manager parameter, and an instance refresh \
              cannot take itself back then"
            .to_owned(),
        unless: None,
    })
}
