//! From a journal and a second look to what is reported.

use std::path::Path;

use jiff::Timestamp;

use super::verify::Judged;
use crate::apply::Applied;
use crate::exit::Exit;
use crate::journal::{Ending, History, Outcome, does};
use crate::model::{Coverage, Scope};
use crate::plan::{
    FindingResult, FindingState, ManualLeft, Plan, RESULT_SCHEMA, Results, SkippedLeft, Step, StepResult,
    StepState, Unread,
};
use crate::report::Run;

/// What became of a run.
pub fn results(
    history: &History,
    applied: &Applied,
    judged: Option<&Judged>,
    run: Run,
    journal: &Path,
) -> Results {
    let plan = &history.begin.plan;
    let steps: Vec<_> = plan.steps().map(|(scope, step)| step_result(history, scope, step)).collect();
    let interrupted =
        applied.ending == Ending::Interrupted || judged.is_some_and(|judged| judged.interrupted);
    Results {
        schema: RESULT_SCHEMA.to_owned(),
        tool: run.tool,
        version: run.version,
        started_at: run.started_at,
        finished_at: run.finished_at,
        api_calls: run.api_calls,
        journal: Some(journal.display().to_string()),
        undoes: history.begin.undoes.clone(),
        interrupted,
        stopped: applied.why.clone(),
        changes: applied.changes as u64,
        findings: findings(plan, &steps, judged),
        manual: manual(plan),
        skipped: skipped(plan),
        unread: judged.map(unread).unwrap_or_default(),
        steps,
    }
}

/// What became of a plan in which there was nothing to do.
pub fn nothing_done(plan: &Plan, started_at: Timestamp) -> Results {
    let blocked = plan.steps().map(|(scope, step)| StepResult {
        why: step.blocked.as_ref().map(|block| block.why.clone()),
        ..blank(scope, step, StepState::Blocked)
    });
    let steps: Vec<_> = blocked.collect();
    Results {
        schema: RESULT_SCHEMA.to_owned(),
        tool: plan.tool.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at,
        finished_at: Timestamp::now(),
        api_calls: std::collections::BTreeMap::new(),
        journal: None,
        undoes: None,
        interrupted: false,
        stopped: None,
        changes: 0,
        findings: findings(plan, &steps, None),
        manual: manual(plan),
        skipped: skipped(plan),
        unread: Vec::new(),
        steps,
    }
}

/// How a run ends. `holes` are what could not be read when the plan was made.
pub fn exit_of(results: &Results, holes: &[Coverage]) -> Exit {
    let all_fixed = results.findings.iter().all(|finding| finding.state == FindingState::Fixed);
    let left = !all_fixed || !results.manual.is_empty() || !results.skipped.is_empty();
    if results.interrupted {
        Exit::Interrupted
    } else if results.is_unfinished() || !results.unread.is_empty() || !holes.is_empty() {
        Exit::Incomplete
    } else if left || results.steps_in(StepState::Blocked) > 0 {
        Exit::Findings
    } else {
        Exit::Success
    }
}

fn blank(scope: &Scope, step: &Step, state: StepState) -> StepResult {
    StepResult {
        scope: scope.clone(),
        id: step.id.clone(),
        does: does(&step.action),
        state,
        why: None,
        template_version: None,
        update_id: None,
        refresh_id: None,
    }
}

fn step_result(history: &History, scope: &Scope, step: &Step) -> StepResult {
    let Some(standing) = history.of(&step.id) else {
        let blocked = step.blocked.as_ref().map(|block| block.why.clone());
        let state = if blocked.is_some() { StepState::Blocked } else { StepState::Left };
        return StepResult { why: blocked, ..blank(scope, step, state) };
    };
    let (state, why) = match &standing.outcome {
        Some(Outcome::Done { .. }) => (StepState::Done, None),
        Some(Outcome::Already { why, .. }) => (StepState::Already, Some(why.clone())),
        Some(Outcome::Refused { why }) => (StepState::Refused, Some(why.clone())),
        Some(Outcome::Failed { code, message, .. }) => {
            (StepState::Failed, Some(format!("{message} ({code})")))
        }
        None => (StepState::Open, None),
    };
    let effect = standing.made().cloned().unwrap_or_default();
    StepResult {
        why,
        template_version: effect.version,
        update_id: effect.update_id,
        refresh_id: effect.refresh_id,
        ..blank(scope, step, state)
    }
}

/// Every finding that a step serves, each once.
fn findings(plan: &Plan, results: &[StepResult], judged: Option<&Judged>) -> Vec<FindingResult> {
    let mut findings: Vec<FindingResult> = Vec::new();
    let mut at = std::collections::BTreeMap::new();
    for ((scope, step), result) in plan.steps().zip(results) {
        let under_way = result.state == StepState::Open;
        for id in &step.findings {
            let known = *at.entry(id.clone()).or_insert_with(|| {
                findings.push(look(scope, id, judged));
                findings.len() - 1
            });
            let finding = &mut findings[known];
            if finding.state == FindingState::Failing && under_way {
                finding.state = FindingState::Pending;
            }
        }
    }
    findings
}

fn look(scope: &Scope, id: &str, judged: Option<&Judged>) -> FindingResult {
    let now = judged.and_then(|judged| judged.failing.get(id));
    let read =
        judged.is_some_and(|judged| judged.read.contains(&(scope.account_id.clone(), scope.region.clone())));
    let state = match now {
        Some(_) => FindingState::Failing,
        None if read => FindingState::Fixed,
        None => FindingState::Unverified,
    };
    FindingResult {
        scope: scope.clone(),
        id: id.to_owned(),
        state,
        resource: now.map(|finding| finding.resource.clone()),
        rule: now.map(|finding| finding.rule.clone()),
    }
}

fn manual(plan: &Plan) -> Vec<ManualLeft> {
    let left = plan.scopes.iter().flat_map(|part| part.manual.iter().map(move |manual| (part, manual)));
    left.map(|(part, manual)| ManualLeft { scope: part.scope.clone(), manual: manual.clone() }).collect()
}

fn skipped(plan: &Plan) -> Vec<SkippedLeft> {
    let left = plan.scopes.iter().flat_map(|part| part.skipped.iter().map(move |skipped| (part, skipped)));
    left.map(|(part, skipped)| SkippedLeft { scope: part.scope.clone(), skipped: skipped.clone() }).collect()
}

fn unread(judged: &Judged) -> Vec<Unread> {
    let unread = |coverage: &Coverage| Unread {
        account_id: coverage.account_id.to_string(),
        region: coverage.region.to_string(),
        errors: coverage.errors.clone(),
    };
    judged.holes.iter().map(unread).collect()
}
