//! Everything around the problems.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io;

use super::page::{Page, Paint, Text};
use super::problem::{self, LABEL, LISTED, label};
use crate::finding::{ExemptionSummary, ResourceType, Severity, Status};
use crate::report::problems::{self, Cause, Digest, Key, Problem};
use crate::report::scopes::NO_REPORT;
use crate::report::words::{self, and, count, grouped};
use crate::report::{ScopeReport, View};

/// What made the report, by which policy, and when.
pub(super) fn head(page: &mut Page<'_>, report: &View<'_>) -> io::Result<()> {
    let run = &report.run;
    let mut text = page.text().paint(Paint::Strong, "imdsctl").say(" ").name(&run.version).dot();
    text = match report.policies.len() as u64 {
        0 => text.say("no policy"),
        policies => text.say(words::plural(policies, "policy")).say(" "),
    };
    for (at, policy) in report.policies.iter().enumerate() {
        text = if at == 0 { text } else { text.say(", ") }.name(&policy.name).say(" ").name(&policy.version);
    }
    let finished = run.finished_at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    page.paragraph(0, &text.dot().say(finished))?;
    page.gap()
}

/// The whole report in a sentence.
pub(super) fn verdict(
    page: &mut Page<'_>,
    report: &View<'_>,
    failing: &[&Problem],
    unknown: &[&Problem],
) -> io::Result<()> {
    let summary = &report.summary;
    let judged = summary.passed + summary.failed + summary.exempt + summary.unknown + summary.not_applicable;
    let text = page.text();
    let text = match (failing.len() as u64, unknown.len() as u64) {
        (0, 0) if judged == 0 && report.is_blind() => text.paint(Paint::Bad, "Nothing was read."),
        (0, 0) if judged == 0 => {
            text.say(format!("Nothing to judge: there is no {} that a policy matches.", report.noun()))
        }
        (0, 0) => text.paint(Paint::Good, "Everything that was judged complies.").say(format!(
            " {} on {}.",
            count(judged, "check"),
            count(summary.instances, report.noun())
        )),
        (0, unknown) => text
            .paint(
                Paint::Warning,
                format!("No problem found, but {} could not be judged", count(unknown, "case")),
            )
            .say("; that counts like a failure."),
        (problems, unknown) => {
            let also =
                if unknown > 0 { format!(", and {} unknown", grouped(unknown)) } else { String::new() };
            text.paint(Paint::Bad, count(problems, "problem"))
                .say(format!(" behind {}{also}; worst first.", count(summary.failed, "failed check")))
        }
    };
    page.paragraph(0, &text)?;
    if !report.incomplete() {
        return Ok(());
    }
    let text = page.text().paint(Paint::Warning, "Not everything could be read");
    page.paragraph(0, &text.say(": see the coverage below."))
}

/// What fails, where what is new stands before it.
pub(super) fn failing(page: &mut Page<'_>, failing: &[&Problem], several: bool) -> io::Result<()> {
    if failing.is_empty() {
        return Ok(());
    }
    page.title("All that fails")?;
    problem::under_title(page, failing, several)
}

/// What could not be told. It counts like a failure.
pub(super) fn unknown(page: &mut Page<'_>, unknown: &[&Problem], several: bool) -> io::Result<()> {
    if unknown.is_empty() {
        return Ok(());
    }
    page.title(&format!("{} unknown (counts like a failure)", grouped(unknown.len() as u64)))?;
    problem::under_title(page, unknown, several)
}

/// What the policy accepts, a paragraph for each exemption.
pub(super) fn exempt(page: &mut Page<'_>, report: &View<'_>, exempt: &[&Problem]) -> io::Result<()> {
    let mut exemptions: BTreeMap<(&str, &str), Exempted<'_>> = BTreeMap::new();
    for problem in exempt {
        let Key { policy, rule, .. } = &problem.key;
        for problems::Exempted { exemption, counts } in problem.exempted() {
            let exempted = exemptions.entry((policy, &exemption.id)).or_insert_with(|| Exempted {
                exemption,
                rules: Vec::new(),
                counts: BTreeMap::new(),
            });
            if !exempted.rules.contains(&rule.as_str()) {
                exempted.rules.push(rule);
            }
            for (kind, number) in counts {
                *exempted.counts.entry(*kind).or_default() += number;
            }
        }
    }
    if exemptions.is_empty() {
        return Ok(());
    }
    page.title(&format!("{} accepted by the policy", count(exemptions.len() as u64, "exemption")))?;
    for exempted in exemptions.values() {
        exempted.write(page, report)?;
    }
    Ok(())
}

/// What one exemption covers.
struct Exempted<'a> {
    exemption: &'a ExemptionSummary,
    rules: Vec<&'a str>,
    counts: BTreeMap<ResourceType, u64>,
}

impl Exempted<'_> {
    fn write(&self, page: &mut Page<'_>, report: &View<'_>) -> io::Result<()> {
        let exemption = self.exemption;
        let mut text = page.text().id(&exemption.id).say(": ");
        for (at, rule) in self.rules.iter().enumerate() {
            text = if at == 0 { text } else { text.say(", ") }.name(rule);
        }
        text = text.say(" on ").say(resources(report, &self.counts));
        page.paragraph(LABEL, &text)?;
        let mut why = page.text().prose(&exemption.reason);
        if let Some(owner) = &exemption.owner {
            why = why.dot().name(owner);
        }
        if let Some(day) = exemption.expires {
            why = why.dot().say(format!("until {day}"));
        }
        page.paragraph(LABEL + 2, &why)
    }
}

/// `12 nodes and 2 node groups`
fn resources(report: &View<'_>, counts: &BTreeMap<ResourceType, u64>) -> String {
    let noun = |kind| match kind {
        ResourceType::Instance => report.noun(),
        kind => words::resource_type(kind),
    };
    let counts: Vec<_> = counts.iter().map(|(kind, n)| count(*n, noun(*kind))).collect();
    and(&counts)
}

/// What passed and what means nothing, where the report holds it: a line for each rule.
pub(super) fn passed(page: &mut Page<'_>, report: &View<'_>, digest: &Digest) -> io::Result<()> {
    if digest.others.is_empty() {
        return Ok(());
    }
    page.title("Passed and not applicable")?;
    for ((policy, rule, status), counts) in &digest.others {
        let on = resources(report, counts);
        let what = match status {
            Status::Pass => format!(": pass on {on}"),
            _ => format!(": not applicable on {on} (no metadata service)"),
        };
        let text = page.text().name(policy).say("/").name(rule).say(what);
        page.paragraph(LABEL, &text)?;
    }
    Ok(())
}

/// The counts.
pub(super) fn summary(page: &mut Page<'_>, report: &View<'_>) -> io::Result<()> {
    let summary = &report.summary;
    page.title("Summary")?;
    let fleet = [
        (summary.accounts, "account"),
        (summary.regions, "Region"),
        (summary.clusters, "cluster"),
        (summary.node_groups, "node group"),
        (summary.auto_scaling_groups, "Auto Scaling group"),
        (summary.launch_templates, "launch template"),
        (summary.instances, report.noun()),
        (summary.fargate_profiles, "Fargate profile"),
    ];
    let facts = fleet
        .into_iter()
        .filter(|(number, noun)| *number > 0 || *noun == report.noun())
        .map(|(number, noun)| (Paint::Plain, count(number, noun)));
    label(page, "fleet", &dotted(page.text(), facts))?;
    let judged = [
        (summary.failed, "failed", Paint::Bad),
        (summary.unknown, "unknown", Paint::Warning),
        (summary.exempt, "exempt", Paint::Plain),
        (summary.passed, "passed", Paint::Good),
        (summary.not_applicable, "not applicable", Paint::Plain),
    ];
    let facts = judged
        .into_iter()
        .filter(|(number, word, _)| *number > 0 || matches!(*word, "failed" | "passed"))
        .map(|(number, word, paint)| {
            (if number == 0 { Paint::Plain } else { paint }, format!("{} {word}", grouped(number)))
        });
    label(page, "checks", &dotted(page.text(), facts))?;
    by(page, report)
}

/// How failed and unknown divide, where there is more than one kind.
fn by(page: &mut Page<'_>, report: &View<'_>) -> io::Result<()> {
    let summary = &report.summary;
    let severities = Severity::ALL.iter().filter_map(|severity| {
        let number = summary.by_severity.get(severity.as_str())?;
        Some((Paint::Plain, format!("{} {severity}", grouped(*number))))
    });
    let text = dotted(page.text(), severities);
    if !text.is_empty() {
        label(page, "severity", &text)?;
    }
    let one_policy = report.policies.len() == 1;
    let rule = |key: &str| match key.split_once('/') {
        Some((_, rule)) if one_policy => rule.to_owned(),
        _ => key.to_owned(),
    };
    most(page, "rule", &summary.by_rule, rule)?;
    if summary.accounts < 2 {
        return Ok(());
    }
    let names: BTreeMap<_, _> = report
        .coverage
        .iter()
        .filter_map(|ScopeReport { coverage, .. }| {
            Some((coverage.account_id.as_str(), coverage.account_name.as_deref()?))
        })
        .collect();
    most(page, "account", &summary.by_account, |id| {
        names.get(id).map_or_else(|| id.to_owned(), |name| format!("{name} {id}"))
    })
}

/// The keys that were counted most, with how often.
fn most(
    page: &mut Page<'_>,
    name: &str,
    counts: &BTreeMap<String, u64>,
    title: impl Fn(&str) -> String,
) -> io::Result<()> {
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by_key(|(key, number)| (Reverse(**number), *key));
    let mut text = page.text();
    for (key, number) in counts.iter().take(LISTED) {
        text = if text.is_empty() { text } else { text.dot() };
        text = text.fact(Paint::Plain, &format!("{} ", grouped(**number))).name(&title(key));
    }
    if counts.len() > LISTED {
        text = text.dot().fact(Paint::Faint, &format!("+{} more", grouped((counts.len() - LISTED) as u64)));
    }
    if text.is_empty() { Ok(()) } else { label(page, name, &text) }
}

fn dotted(text: Text, facts: impl Iterator<Item = (Paint, String)>) -> Text {
    facts
        .enumerate()
        .fold(text, |text, (at, (paint, fact))| if at == 0 { text } else { text.dot() }.fact(paint, &fact))
}

/// What to do next, and that the run was cut short.
pub(super) fn next(
    page: &mut Page<'_>,
    report: &View<'_>,
    digest: &Digest,
    failing: &[&Problem],
) -> io::Result<()> {
    let steps = steps(page, report, digest, failing);
    if !steps.is_empty() {
        page.title("What to do next")?;
    }
    for step in &steps {
        page.paragraph(LABEL, step)?;
    }
    if report.run.interrupted {
        page.gap()?;
        let text = page.text().paint(Paint::Bad, "Interrupted");
        page.paragraph(0, &text.say(": what is above was found before that; the rest was not read."))?;
    }
    Ok(())
}

/// What to do about holes in the coverage.
fn holes(report: &View<'_>) -> Option<&'static str> {
    let mut holes = report.coverage.iter().filter(|scope| scope.coverage.has_holes()).peekable();
    holes.peek()?;
    let has_no_report =
        |scope: &ScopeReport| scope.coverage.errors.first().is_some_and(|error| error.code == NO_REPORT);
    if holes.all(has_no_report) {
        return Some("Read what no report has, and merge again: what was not read is not judged.");
    }
    Some("Give access to what the coverage names and run it again: what was not read is not judged.")
}

fn steps(page: &Page<'_>, report: &View<'_>, digest: &Digest, failing: &[&Problem]) -> Vec<Text> {
    let mut steps = Vec::new();
    if let Some((key, cleared)) = lever(failing) {
        let all = count(report.summary.failed, "failed check");
        let text = cause_name(page.text().say("Begin with "), key);
        steps.push(text.say(format!(": one fix for {} of {all}.", grouped(cleared))));
    }
    steps.extend(holes(report).map(|text| page.text().say(text)));
    let flags =
        |what: &str, flags: &str| page.text().say(what).padded(FLAGS).say(" ").fact(Paint::Strong, flags);
    if digest.findings > 0 {
        steps.push(flags("For every resource, with its ids, add", "-o json=report.json -o csv=report.csv"));
    }
    if digest.others.is_empty() && report.summary.passed > 0 {
        steps.push(flags("For what passed as well, add", "--include-passed"));
    }
    steps
}

/// The column of flags to add.
const FLAGS: usize = 37;

/// The cause whose fix makes most failures go away, and how many that are.
fn lever<'a>(failing: &[&'a Problem]) -> Option<(&'a Key, u64)> {
    let mut causes: BTreeMap<_, (&Key, u64)> = BTreeMap::new();
    for problem in failing {
        let key = &problem.key;
        let cause = causes.entry((&key.account_id, &key.region, &key.cause)).or_insert((key, 0));
        cause.1 += problem.and_alongside().map(|one| one.findings).sum::<u64>();
    }
    let one_change = |cause: &Cause| {
        use Cause::{AccountDefault, LaunchConfiguration, NodeClass, Template};
        matches!(cause, Template(_) | LaunchConfiguration(_) | NodeClass(..) | AccountDefault)
    };
    let fixable = causes.into_values().filter(|(key, _)| one_change(&key.cause));
    // The first of the best, so that equal ones do not depend on how a map is walked.
    let best = fixable.reduce(|best, other| if other.1 > best.1 { other } else { best });
    best.filter(|(_, cleared)| *cleared > 1)
}

fn cause_name(text: Text, key: &Key) -> Text {
    let text = match &key.cause {
        Cause::Template(id) => text.say("launch template ").word(id),
        Cause::LaunchConfiguration(name) => text.say("launch configuration ").word(name),
        Cause::NodeClass(_, Some(name)) => text.say("EC2NodeClass ").word(name),
        Cause::NodeClass(Some(cluster), None) => text.say("the EC2NodeClass of cluster ").word(cluster),
        _ => text.say("the account's default"),
    };
    match (&key.account_id, &key.region) {
        (Some(account), Some(region)) => {
            text.say(" in ").word(account.as_str()).say(" ").word(region.as_str())
        }
        (Some(account), None) => text.say(" in ").word(account.as_str()),
        (None, _) => text,
    }
}
