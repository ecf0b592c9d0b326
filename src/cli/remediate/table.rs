//! Plans and what became of them, for people and as JSON.

use std::io::{self, Write};

use super::preflight::{Answer, Rehearsed, Said};
use crate::harmless::write_document;
use crate::plan::{FindingState, Results, StepResult, StepState};
use crate::report::{self, PlanFormat, PlanView, TableStyle, sanitize};

/// A plan, and what a preflight said; `dry_run` where nothing else is to come.
pub fn plan(
    rehearsed: &Rehearsed<'_>,
    dry_run: bool,
    format: PlanFormat,
    style: TableStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    if format == PlanFormat::Json {
        return write_document(rehearsed, out);
    }
    let said = rehearsed.preflight.iter().flatten().map(|said| (said.step.clone(), heard(said)));
    let view = PlanView { plan: rehearsed.plan, dry_run, rehearsed: said.collect() };
    format.write(&view, style, out)
}

fn heard(said: &Said) -> report::Rehearsed {
    match said.answer {
        Answer::Allowed => report::Rehearsed::Allowed,
        Answer::Denied => report::Rehearsed::Denied(said.why.clone().unwrap_or_default()),
        Answer::NotTestable => report::Rehearsed::NotTestable,
    }
}

/// What became of a plan.
pub fn results(
    results: &Results,
    format: PlanFormat,
    style: TableStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        PlanFormat::Json => write_document(results, out),
        PlanFormat::Table => Table { style, out }.write(results),
    }
}

/// The order in which steps are listed: what needs attention first.
const STATES: [StepState; 7] = [
    StepState::Failed,
    StepState::Refused,
    StepState::Open,
    StepState::Left,
    StepState::Blocked,
    StepState::Done,
    StepState::Already,
];

/// How many findings of a kind are listed.
const MOST: usize = 20;

struct Table<'a> {
    style: TableStyle,
    out: &'a mut dyn Write,
}

impl Table<'_> {
    fn write(mut self, results: &Results) -> io::Result<()> {
        let what = if results.undoes.is_some() { "rollback" } else { "remediation" };
        let changes = counted(results.changes, "change");
        let at = results.finished_at.strftime("%Y-%m-%d %H:%M UTC");
        let line = format!("imdsctl {} {what}, {at}: {changes}", results.version);
        self.line(&line)?;
        if let Some(stopped) = &results.stopped {
            self.line(&format!("stopped: {stopped}"))?;
        }
        if results.interrupted {
            self.line("interrupted")?;
        }
        for state in STATES {
            self.steps(results, state)?;
        }
        if results.undoes.is_none() {
            self.findings(results)?;
        }
        if let Some(journal) = &results.journal {
            self.line("")?;
            self.line(&format!("Journal: {journal}"))?;
        }
        self.out.flush()
    }

    fn steps(&mut self, results: &Results, state: StepState) -> io::Result<()> {
        let steps: Vec<_> = results.steps.iter().filter(|step| step.state == state).collect();
        if steps.is_empty() {
            return Ok(());
        }
        self.line("")?;
        self.line(&format!("{} ({})", title(state), steps.len()))?;
        for step in steps {
            self.step(step)?;
        }
        Ok(())
    }

    fn step(&mut self, step: &StepResult) -> io::Result<()> {
        let made = step.template_version.filter(|_| step.state == StepState::Done);
        let made = made.map(|number| format!(" (version {number})")).unwrap_or_default();
        self.line(&format!("  {}  {}{made}", step.scope, step.does))?;
        match &step.why {
            Some(why) => self.line(&format!("      {why}")),
            None => Ok(()),
        }
    }

    fn findings(&mut self, results: &Results) -> io::Result<()> {
        use FindingState::{Failing, Fixed, Pending, Unverified};

        let count = |state| results.findings_in(state);
        self.line("")?;
        self.line(&format!(
            "Findings: {} fixed, {} pending, {} still failing, {} not verified; {} for a person, {} skipped",
            count(Fixed),
            count(Pending),
            count(Failing),
            count(Unverified),
            results.manual.iter().map(|left| left.manual.findings.len()).sum::<usize>(),
            results.skipped.iter().map(|left| left.skipped.findings.len()).sum::<usize>(),
        ))?;
        for state in [Failing, Pending] {
            let of_state = results.findings.iter().filter(|finding| finding.state == state);
            for finding in of_state.take(MOST) {
                let resource = finding.resource.as_ref().map_or("", |resource| resource.id.as_str());
                let rule = finding.rule.as_deref().unwrap_or_default();
                self.line(&format!("  {}: {}  {resource}  {rule}", state.as_str(), finding.scope))?;
            }
            if count(state) > MOST {
                self.line(&format!("  and {} more that are {}", count(state) - MOST, state.as_str()))?;
            }
        }
        for left in &results.manual {
            let manual = &left.manual;
            let target = manual.target_name.as_ref().or(manual.target.as_ref());
            let target = target.map(|target| format!(" {target}")).unwrap_or_default();
            self.line(&format!("  for a person: {}  {}{target}: {}", left.scope, manual.kind, manual.why))?;
        }
        for unread in &results.unread {
            let why = unread.errors.first().map(|error| format!(": {}", error.message)).unwrap_or_default();
            self.line(&format!("  not read again: {} {}{why}", unread.account_id, unread.region))?;
        }
        Ok(())
    }

    /// Text from outside is in most lines.
    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", sanitize(text, !self.style.unicode))
    }
}

const fn title(state: StepState) -> &'static str {
    match state {
        StepState::Failed => "Failed",
        StepState::Refused => "Refused",
        StepState::Open => "Still going on, or only AWS can tell",
        StepState::Left => "Not begun",
        StepState::Blocked => "Blocked by the plan",
        StepState::Done => "Done",
        StepState::Already => "So already",
    }
}

fn counted(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
