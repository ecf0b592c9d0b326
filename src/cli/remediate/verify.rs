//! Afterwards: what was changed is read and judged again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::Error;
use crate::cli::draft::needs;
use crate::cli::session::Session;
use crate::finding::{Finding, Status};
use crate::model::{AccountId, Asked, Coverage, Region};
use crate::plan::Plan;
use crate::policy::{self, Evaluator, Policy};
use crate::scan::Scanned;

/// What is wrong now in the accounts and Regions of a plan.
#[derive(Debug, Default)]
pub struct Judged {
    /// Findings that fail or that nobody can tell, by id.
    pub failing: BTreeMap<String, Finding>,
    /// What could not be read, or not all of it.
    pub holes: Vec<Coverage>,
    /// What was read to its end.
    pub read: BTreeSet<(AccountId, Region)>,
    pub interrupted: bool,
}

/// The policies that a plan serves: those that were loaded, or the shipped ones of the same text.
pub fn policies_of(plan: &Plan, loaded: &[Policy]) -> Result<Vec<Policy>, Error> {
    let mut policies = Vec::new();
    for served in &plan.policies {
        let same = |policy: &Policy| policy.name == served.name && policy.sha256 == served.sha256;
        let found = loaded.iter().find(|policy| same(policy)).cloned();
        let found = found.or_else(|| policy::load(&served.name).ok().filter(same));
        policies.push(found.ok_or_else(|| {
            Error::usage(format!(
                "the plan serves version {} of policy {:?}, by which it is judged afterwards: name its file with \
                 --policy, unchanged",
                served.version, served.name
            ))
        })?);
    }
    Ok(policies)
}

/// Reads the accounts and Regions of a plan again, and judges them.
pub async fn judge(session: &mut Session, plan: &Plan, policies: &[Policy]) -> Result<Judged, Error> {
    let needs = needs(policies, false);
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let evaluator = Evaluator::new(policies, today);
    let scopes: BTreeSet<_> =
        plan.scopes.iter().map(|part| (&part.scope.account_id, &part.scope.region)).collect();
    let mut judged = Judged::default();
    if scopes.is_empty() {
        return Ok(judged);
    }
    let sink = |scanned| match scanned {
        Scanned::Read(inventory) => {
            let inventory = inventory.narrowed(needs);
            let scope = (inventory.scope.account_id.clone(), inventory.scope.region.clone());
            if inventory.coverage.has_holes() {
                judged.holes.push(inventory.coverage.clone());
            } else {
                judged.read.insert(scope);
            }
            evaluator.judge_each(&inventory, false, |finding| {
                if matches!(finding.status, Status::Fail | Status::Unknown) {
                    judged.failing.insert(finding.id.clone(), finding);
                }
            });
        }
        Scanned::Unread(coverage) => judged.holes.push(coverage),
    };
    session.again();
    let chosen = |scope: &crate::model::Scope| scopes.contains(&(&scope.account_id, &scope.region));
    let outcome = session.scan(chosen, &Asked::from(needs), sink).await?;
    judged.interrupted = outcome.interrupted();
    Ok(judged)
}
