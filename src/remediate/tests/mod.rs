//! Plans of small inventories.

mod groups;
mod others;
mod properties;
mod templates;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, date};

use super::Planner;
use crate::finding::Status;
use crate::model::{Inventory, MetadataOptions, OptionValue, Read, Readings, TemplateVersion, TokenUse};
use crate::plan::{Action, Choices, ScopePlan, Step};
use crate::policy::{Evaluator, Policy, parse, shipped};
use crate::testing::*;

const TODAY: Date = date(2026, 11, 22);

fn al2023_policy() -> Policy {
    shipped("al2023").unwrap().unwrap()
}

/// A policy for nodes of every family, with these lines under `spec`.
fn policy_of(spec: &str) -> Policy {
    let text = format!(
        "apiVersion: imdsctl/v1\nkind: Policy\nmetadata: {{ name: own, version: \"1\" }}\nspec:\n{spec}"
    );
    parse("own.yaml", &text).unwrap_or_else(|error| panic!("{error}"))
}

/// Everything was read, and nothing objects.
fn calm(inventory: &Inventory) -> Readings {
    let ids = inventory.instances.iter().map(|instance| instance.id.clone());
    let groups = inventory.auto_scaling_groups.iter().map(|group| group.name.clone());
    Readings {
        fleets: Read::Known(Vec::new()),
        termination_hooks: groups.map(|name| (name, Read::Known(true))).collect(),
        token_use: ids.map(|id| (id, Read::Known(TokenUse::default()))).collect(),
    }
}

fn everything() -> Choices {
    Choices {
        set_default: true,
        rollout: true,
        live: true,
        account_defaults: true,
        include_iac: true,
        ..Choices::default()
    }
}

fn rollout() -> Choices {
    Choices { rollout: true, ..Choices::default() }
}

/// A plan by `al2023`, in which every finding has its place.
fn plan(inventory: &Inventory, choices: Choices) -> ScopePlan {
    plan_by(&[al2023_policy()], inventory, &calm(inventory), choices)
}

fn plan_by(policies: &[Policy], inventory: &Inventory, readings: &Readings, choices: Choices) -> ScopePlan {
    let planner = Planner::new(policies, TODAY, choices).unwrap();
    let plan = planner.plan(inventory, readings);
    assert_each_finding_has_one_place(policies, inventory, &plan);
    plan
}

fn assert_each_finding_has_one_place(policies: &[Policy], inventory: &Inventory, plan: &ScopePlan) {
    let served: BTreeSet<&String> = plan.steps.iter().flat_map(|step| &step.findings).collect();
    let rest = plan.manual.iter().map(|manual| &manual.findings);
    let rest = rest.chain(plan.skipped.iter().map(|skipped| &skipped.findings)).flatten();
    let mut places: BTreeMap<&String, usize> = served.into_iter().map(|finding| (finding, 1)).collect();
    rest.for_each(|finding| *places.entry(finding).or_default() += 1);
    let findings = Evaluator::new(policies, TODAY).judge(inventory, false).findings;
    for finding in findings.iter().filter(|finding| finding.status != Status::Exempt) {
        let what = format!("{} of {}", finding.rule, finding.resource.id);
        assert_eq!(places.remove(&finding.id), Some(1), "{what}: {plan:#?}");
    }
    assert!(places.is_empty(), "places without a finding: {places:?}");
}

/// The steps, a word for what each does.
fn words(plan: &ScopePlan) -> Vec<String> {
    plan.steps.iter().map(|step| step.id.0.splitn(3, '/').nth(2).unwrap().to_owned()).collect()
}

fn step<'a>(plan: &'a ScopePlan, word: &str) -> &'a Step {
    let found = plan.steps.iter().find(|step| step.id.0.ends_with(word));
    found.unwrap_or_else(|| panic!("no {word} in {:?}", words(plan)))
}

/// Why a step is blocked, and the flag that lifts it.
fn block<'a>(plan: &'a ScopePlan, word: &str) -> (&'a str, Option<&'a str>) {
    let block = step(plan, word).blocked.as_ref().unwrap_or_else(|| panic!("{word} is not blocked"));
    (block.why.as_str(), block.unless.as_deref())
}

fn skips(plan: &ScopePlan) -> Vec<(&str, &str)> {
    plan.skipped.iter().map(|skipped| (skipped.resource.id.as_str(), skipped.why.as_str())).collect()
}

/// The options of the version that a plan makes.
fn made(plan: &ScopePlan) -> Vec<(i64, MetadataOptions)> {
    plan.steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::CreateTemplateVersion { source, metadata, .. } => Some((*source, *metadata)),
            _ => None,
        })
        .collect()
}

/// A node of a group of the user's own.
fn member(inventory: &mut Inventory, group: &str, id: &str, metadata: MetadataOptions) {
    instance(inventory, id, AL2023_IMAGE, metadata, &[("aws:autoscaling:groupName", group)]);
}

fn add_version(inventory: &mut Inventory, id: &str, metadata: MetadataOptions) {
    let template = inventory.launch_templates.get_mut(&id.into()).unwrap();
    let number = template.latest_version + 1;
    let version = TemplateVersion { number, image: al2023(), metadata, created_by: None };
    template.versions.insert(number, version);
    template.latest_version = number;
}

const OPTIONAL: OptionValue = OptionValue::Optional;
const REQUIRED: OptionValue = OptionValue::Required;
