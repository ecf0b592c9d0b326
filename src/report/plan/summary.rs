//! What a plan comes to, and how to go on.

use std::collections::BTreeSet;
use std::io;

use super::{PlanView, label};
use crate::plan::{Plan, Step};
use crate::report::table::page::{Page, Paint};
use crate::report::words::{and, count, grouped};

/// What a plan does in numbers of findings, each counted once.
struct Counts {
    to_mend: u64,
    blocked: u64,
    manual: u64,
    skipped: u64,
}

impl Counts {
    fn of(plan: &Plan) -> Self {
        let served = |blocked: bool| -> BTreeSet<&str> {
            let steps = plan.steps().filter(|(_, step)| step.blocked.is_some() == blocked);
            steps.flat_map(|(_, step)| step.findings.iter().map(String::as_str)).collect()
        };
        // What one of its steps is held back for is not mended by the others.
        let blocked = served(true);
        let to_mend = served(false).difference(&blocked).count() as u64;
        let manual =
            plan.scopes.iter().flat_map(|part| &part.manual).map(|manual| manual.findings.len() as u64);
        let skipped = plan.scopes.iter().flat_map(|part| &part.skipped).map(|one| one.findings.len() as u64);
        Self { to_mend, blocked: blocked.len() as u64, manual: manual.sum(), skipped: skipped.sum() }
    }

    const fn all(&self) -> u64 {
        self.to_mend + self.blocked + self.manual + self.skipped
    }
}

fn open(plan: &Plan) -> Vec<&Step> {
    plan.steps().map(|(_, step)| step).filter(|step| step.blocked.is_none()).collect()
}

/// The whole plan in a sentence.
pub(super) fn verdict(page: &mut Page<'_>, plan: &Plan) -> io::Result<()> {
    let counts = Counts::of(plan);
    let steps = open(plan).len() as u64;
    let text = page.text();
    let text = match (counts.all(), steps) {
        (0, 0) => text.paint(Paint::Good, "Nothing to change: what was judged complies."),
        (all, 0) => text
            .paint(Paint::Warning, "Nothing will be changed")
            .say(format!(", and {} stay as they are.", count(all, "finding"))),
        (all, steps) => text.paint(Paint::Strong, count(steps, "step")).say(format!(
            " would mend {} of {}.",
            grouped(counts.to_mend),
            count(all, "finding")
        )),
    };
    page.paragraph(0, &text)
}

/// The counts, the reach, and the next command.
pub(super) fn write(page: &mut Page<'_>, view: &PlanView<'_>) -> io::Result<()> {
    let plan = view.plan;
    let counts = Counts::of(plan);
    let told = [
        (counts.to_mend, "to change"),
        (counts.blocked, "blocked"),
        (counts.manual, "by hand"),
        (counts.skipped, "skipped"),
    ];
    let told: Vec<_> = told.iter().map(|(number, what)| format!("{} {what}", grouped(*number))).collect();
    let text = page.text().say(format!("{} matched: ", grouped(counts.all()))).say(and(&told));
    label(page, "findings", &text)?;
    reach(page, plan)?;
    if view.dry_run { next(page, plan) } else { Ok(()) }
}

/// How far it goes: what will be replaced or changed, and in which clusters.
fn reach(page: &mut Page<'_>, plan: &Plan) -> io::Result<()> {
    let steps = open(plan);
    let replaced: u64 = steps.iter().map(|step| step.reach.replaced).sum();
    let changed: u64 = steps.iter().map(|step| step.reach.changed).sum();
    let mut clusters: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    for (scope, step) in plan.steps().filter(|(_, step)| step.blocked.is_none()) {
        let place = (scope.account_id.as_str(), scope.region.as_str());
        clusters.extend(step.reach.clusters.iter().map(|cluster| (place.0, place.1, cluster.as_str())));
    }
    let told = [
        (replaced, format!("{} replaced", count(replaced, "node"))),
        (changed, format!("{} changed in place", count(changed, "instance"))),
        (clusters.len() as u64, format!("{} touched", count(clusters.len() as u64, "cluster"))),
    ];
    let told: Vec<_> = told.into_iter().filter(|(number, _)| *number > 0).map(|(_, text)| text).collect();
    if told.is_empty() {
        return label(page, "reach", &page.text().say("no node, and no cluster"));
    }
    label(page, "reach", &page.text().say(and(&told)))?;
    if clusters.is_empty() {
        return Ok(());
    }
    let mut text = page.text();
    for (at, (_, _, cluster)) in clusters.iter().take(super::LISTED).enumerate() {
        text = if at == 0 { text } else { text.say(", ") }.word(cluster);
    }
    if clusters.len() > super::LISTED {
        text = text.say(format!(", +{} more", clusters.len() - super::LISTED));
    }
    label(page, "clusters", &text)
}

fn next(page: &mut Page<'_>, plan: &Plan) -> io::Result<()> {
    let mut begun = false;
    let mut say = |page: &mut Page<'_>, what: &str, flags: &str| {
        let text = page.text().say(what).id(flags);
        let name = if begun { "" } else { "next" };
        begun = true;
        label(page, name, &text)
    };
    let flags: BTreeSet<&str> = plan
        .steps()
        .filter_map(|(_, step)| step.blocked.as_ref()?.unless.as_deref())
        .flat_map(|flags| flags.split(' '))
        .collect();
    if !open(plan).is_empty() {
        say(page, "To keep this plan and do it as it stands: ", "--plan-out plan.json")?;
        say(page, "and then: ", "imdsctl remediate --plan plan.json")?;
        say(page, "To do it now: the same command without ", "--dry-run")?;
    }
    if !flags.is_empty() {
        let flags: Vec<_> = flags.into_iter().collect();
        say(page, "To lift what is blocked, once you have read why: ", &flags.join(" "))?;
    }
    Ok(())
}
