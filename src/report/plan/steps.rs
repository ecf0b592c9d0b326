//! The steps of a scope in order: each with what changes, what it reaches, and what holds it back.

use std::collections::HashMap;
use std::io;

use super::{INDENT, LABEL, LISTED, PlanView, Rehearsed, heading, label};
use crate::model::{MetadataOptions, OptionName, OptionValue};
use crate::plan::{
    Action, Change, NamedVersion, Pin, Repoint, ScopePlan, Step, StepId, TokenUseSum, VersionChoice,
};
use crate::report::table::page::{Page, Paint, Text};
use crate::report::words::{self, count, grouped};

/// Where the values of a diff begin.
const VALUES: usize = 25;

pub(super) fn write(page: &mut Page<'_>, part: &ScopePlan, view: &PlanView<'_>) -> io::Result<()> {
    if part.steps.is_empty() {
        return Ok(());
    }
    let numbers: HashMap<&StepId, usize> =
        part.steps.iter().enumerate().map(|(at, step)| (&step.id, at + 1)).collect();
    let steps = Steps { part, numbers, view };
    heading(page, "Steps, in this order", false)?;
    let mut live = 0;
    for (at, step) in part.steps.iter().enumerate() {
        // Instances can be thousands, and one looks like the other.
        live += usize::from(matches!(step.action, Action::ModifyInstance { .. }));
        if matches!(step.action, Action::ModifyInstance { .. }) && live > LISTED {
            continue;
        }
        if at > 0 {
            page.gap()?;
        }
        steps.step(page, at + 1, step)?;
    }
    if live > LISTED {
        let more = grouped((live - LISTED) as u64);
        let text = format!("+{more} more instances are changed as they run (all in -o json)");
        page.paragraph(INDENT, &page.text().paint(Paint::Faint, text))?;
    }
    Ok(())
}

struct Steps<'a> {
    part: &'a ScopePlan,
    numbers: HashMap<&'a StepId, usize>,
    view: &'a PlanView<'a>,
}

impl Steps<'_> {
    fn step(&self, page: &mut Page<'_>, number: usize, step: &Step) -> io::Result<()> {
        let paint = if step.blocked.is_some() { Paint::Warning } else { Paint::Strong };
        let verb = format!("{number:>3}  {}", verb(&step.action));
        let mark = page.text().fact(paint, &verb);
        page.labelled(&mark, 0, INDENT, &self.what(page.text(), &step.action))?;
        if let Action::CreateTemplateVersion { metadata, seen, .. } = &step.action {
            diff(page, &seen.source_metadata, metadata)?;
        } else {
            effects(page, &step.changes)?;
        }
        details(page, step)?;
        if let Some(reach) = reach(step) {
            page.paragraph(INDENT, &page.text().say(reach))?;
        }
        self.after(page, step)?;
        if let Some(sum) = &step.token_use {
            token_use(page, sum)?;
        }
        self.rehearsed(page, step)?;
        blocked(page, step)
    }

    fn what(&self, text: Text, action: &Action) -> Text {
        match action {
            Action::CreateTemplateVersion { template, name, source, .. } => {
                let text =
                    text.say("a version of launch template ").id(name).say(" (").word(template.as_str());
                text.say(format!(") from version {source}"))
            }
            Action::SetDefaultVersion { template, name, from, to } => {
                let text = text.say("default of launch template ").id(name).say(" (").word(template.as_str());
                text.say(format!(") from version {from} to {}", self.version(to)))
            }
            Action::UpdateNodeGroup { cluster, node_group, to, .. } => {
                let text = text.say("node group ").id(&format!("{cluster}/{node_group}"));
                text.say(format!(" to {}", self.version(to)))
            }
            Action::UpdateAutoScalingGroup { group, repoint, .. } => {
                self.repoints(text.say("Auto Scaling group ").id(group), repoint)
            }
            Action::RefreshInstances { group, repoint, .. } => {
                self.repoints(text.say("the instances of Auto Scaling group ").id(group), repoint)
            }
            Action::ModifyInstance { instance, .. } => text.say("instance ").id(instance.as_str()),
            Action::ModifyAccountDefaults { .. } => text.say("the account's defaults in this Region"),
            Action::DeleteTemplateVersion { template, name, version, .. } => {
                let text = text.say(format!("version {version} of launch template ")).id(name);
                text.say(" (").word(template.as_str()).say(")")
            }
            Action::RestoreAccountDefaults { .. } => {
                text.say("the account's defaults in this Region to what they were")
            }
        }
    }

    fn repoints(&self, mut text: Text, repoint: &[Repoint]) -> Text {
        for (at, one) in repoint.iter().enumerate() {
            text = text.say(if at == 0 { ": " } else { ", " }).word(self.name(one.template.as_str()));
            text = text.say(format!(" from {} to {}", self.named(&one.from), self.named(&one.to)));
        }
        text
    }

    /// A template's name, where a step of this scope tells it.
    fn name<'s>(&'s self, id: &'s str) -> &'s str {
        let named = self.part.steps.iter().find_map(|step| match &step.action {
            Action::CreateTemplateVersion { template, name, .. } if template.as_str() == id => {
                Some(name.as_str())
            }
            _ => None,
        });
        named.unwrap_or(id)
    }

    fn named(&self, version: &NamedVersion) -> String {
        match version {
            NamedVersion::Number(choice) => self.version(choice),
            NamedVersion::Latest => "$Latest".to_owned(),
            NamedVersion::Default => "$Default".to_owned(),
        }
    }

    fn version(&self, choice: &VersionChoice) -> String {
        match choice {
            VersionChoice::Existing(number) => format!("version {number}"),
            VersionChoice::MadeBy(step) => match self.numbers.get(step) {
                Some(number) => format!("the version of step {number}"),
                None => "the new version".to_owned(),
            },
        }
    }

    fn after(&self, page: &mut Page<'_>, step: &Step) -> io::Result<()> {
        let mut numbers: Vec<_> = step.after.iter().filter_map(|id| self.numbers.get(id)).collect();
        numbers.sort_unstable();
        if numbers.is_empty() {
            return Ok(());
        }
        let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
        let steps = words::plural(numbers.len() as u64, "step");
        let text = format!("after {steps} {}", words::and(&numbers));
        page.paragraph(INDENT, &page.text().paint(Paint::Faint, text))
    }

    fn rehearsed(&self, page: &mut Page<'_>, step: &Step) -> io::Result<()> {
        let text = page.text();
        let text = match self.view.rehearsed.get(&step.id) {
            None => return Ok(()),
            Some(Rehearsed::Allowed) => text.fact(Paint::Good, "allowed"),
            Some(Rehearsed::Denied(why)) => text.fact(Paint::Bad, "denied").say(": ").prose(why),
            Some(Rehearsed::NotTestable) => text.say("cannot be tested: its API has no dry run"),
        };
        label(page, "preflight", &text)
    }
}

/// What else a step says of itself.
fn details(page: &mut Page<'_>, step: &Step) -> io::Result<()> {
    let text = match &step.action {
        Action::UpdateNodeGroup { pin: Some(Pin { version, release_version }), .. } => page
            .text()
            .say("Kubernetes ")
            .word(version)
            .say(" and AMI release ")
            .word(release_version)
            .say(" stay"),
        Action::UpdateNodeGroup { pin: None, .. } => page.text().say("its image stays: it is the template's own"),
        Action::RefreshInstances { min_healthy_percentage, .. } => page.text().say(format!(
            "at least {min_healthy_percentage}% stay in service; taken back by itself where it fails"
        )),
        Action::UpdateAutoScalingGroup { repoint, .. } if held(repoint) == Held::Before => page.text().say(
            "the same version, by its number: a refresh takes itself back only to a number",
        ),
        Action::UpdateAutoScalingGroup { repoint, .. } if held(repoint) == Held::After => {
            page.text().say("named as before, where it means the same version by then")
        }
        Action::CreateTemplateVersion { may_create: false, .. } => page.text().say(
            "a later version seems to be that already, and is used if all else in it is the same: none is made, \
             since an infrastructure tool owns the template",
        ),
        Action::CreateTemplateVersion { .. } if step.findings.is_empty() => page.text().say(
            "nothing launches from it yet, unless more is asked for: see what is skipped",
        ),
        Action::ModifyInstance { .. } => page.text().say("until it is replaced"),
        _ => return Ok(()),
    };
    page.paragraph(INDENT, &text)
}

/// Whether a group is held for a refresh, or given back after one.
#[derive(PartialEq, Eq)]
enum Held {
    Before,
    After,
    Not,
}

fn held(repoint: &[Repoint]) -> Held {
    let is_number = |version: &NamedVersion| matches!(version, NamedVersion::Number(_));
    if repoint.iter().all(|one| !is_number(&one.from) && is_number(&one.to)) {
        Held::Before
    } else if repoint.iter().all(|one| is_number(&one.from) && !is_number(&one.to)) {
        Held::After
    } else {
        Held::Not
    }
}

const fn verb(action: &Action) -> &'static str {
    match action {
        Action::CreateTemplateVersion { .. } => "create",
        Action::SetDefaultVersion { .. } => "move",
        Action::UpdateNodeGroup { .. } => "update",
        Action::UpdateAutoScalingGroup { .. } => "point",
        Action::RefreshInstances { .. } => "refresh",
        Action::ModifyInstance { .. } | Action::ModifyAccountDefaults { .. } => "change",
        Action::DeleteTemplateVersion { .. } => "delete",
        Action::RestoreAccountDefaults { .. } => "restore",
    }
}

/// The whole block of a version, with what leaves it and what comes to it.
fn diff(page: &mut Page<'_>, from: &MetadataOptions, to: &MetadataOptions) -> io::Result<()> {
    for option in OptionName::ALL {
        let (before, after) = (from.get(option), to.get(option));
        if before == after {
            if let Some(value) = after {
                line(page, ' ', Paint::Faint, option, &value.to_string())?;
            }
            continue;
        }
        line(page, '-', Paint::Bad, option, &value(before))?;
        line(page, '+', Paint::Good, option, &value(after))?;
    }
    Ok(())
}

/// What a step changes for those that it reaches, where something does.
fn effects(page: &mut Page<'_>, changes: &[Change]) -> io::Result<()> {
    for change in changes.iter().filter(|change| change.from != change.to) {
        let arrow = if page.unicode() { "→" } else { "->" };
        let values = format!("{} {arrow} {}", value(change.from), value(change.to));
        line(page, ' ', Paint::Plain, change.option, &values)?;
    }
    Ok(())
}

fn line(page: &mut Page<'_>, mark: char, paint: Paint, option: OptionName, value: &str) -> io::Result<()> {
    let text = format!("{mark} {:<VALUES$}{value}", option.api_name());
    page.paragraph(INDENT, &page.text().fact(paint, &text))
}

fn value(value: Option<OptionValue>) -> String {
    value.map_or_else(|| "not set".to_owned(), |value| value.to_string())
}

fn reach(step: &Step) -> Option<String> {
    let reach = &step.reach;
    let (noun, how) = match &step.action {
        Action::UpdateNodeGroup { force: true, .. } => ("node", ", whatever their PodDisruptionBudgets say"),
        Action::UpdateNodeGroup { .. } => ("node", ", drained first"),
        Action::RefreshInstances { .. } => ("instance", ""),
        _ => return None,
    };
    let clusters = match reach.clusters.as_slice() {
        [] => String::new(),
        [one] => format!(" of cluster {one}"),
        several => format!(" of {}", count(several.len() as u64, "cluster")),
    };
    Some(format!("replaces {}{clusters}{how}", count(reach.replaced, noun)))
}

fn token_use(page: &mut Page<'_>, sum: &TokenUseSum) -> io::Result<()> {
    let mut told = Vec::new();
    if sum.instances > 0 {
        told.push(format!("{} asked about over 14 days", count(sum.instances, "instance")));
        told.push(format!("{} without a token", count(sum.without_token, "call")));
    }
    if sum.unknown > 0 {
        told.push(format!("no answer for {}", grouped(sum.unknown)));
    }
    if sum.rejected > 0 {
        told.push(format!("{} refused already: something there is broken", count(sum.rejected, "call")));
    }
    label(page, "IMDSv1", &page.text().say(told.join(", ")))?;
    let mut text = page.text();
    for (at, (id, calls)) in sum.callers.iter().take(LISTED).enumerate() {
        text = if at == 0 { text } else { text.say(", ") }.word(id).say(format!(" {}", grouped(*calls)));
    }
    if text.is_empty() { Ok(()) } else { label(page, "", &text) }
}

fn blocked(page: &mut Page<'_>, step: &Step) -> io::Result<()> {
    let Some(block) = &step.blocked else { return Ok(()) };
    let name = page.text().paint(Paint::Warning, "blocked");
    page.labelled(&name, LABEL, INDENT, &page.text().prose(&block.why))?;
    if let Some(flags) = &block.unless {
        page.paragraph(INDENT, &page.text().say("unless ").id(flags))?;
    }
    Ok(())
}
