//! Signing in to change what a plan changes, after it was agreed to and not before.

use std::collections::BTreeMap;

use crate::aws::{Account, Changer, Permit, Write};
use crate::cli::Error;
use crate::cli::targets::Where;
use crate::model::{AccountId, Scope};
use crate::plan::{Action, Plan, Step};
use crate::scan::{NoChange, Prospect};
use crate::scope::RoleName;

/// What changes each account and Region of a plan.
pub async fn sign_in(
    plan: &Plan,
    prospects: &[Prospect],
    whereabouts: &Where,
    role: Option<&RoleName>,
) -> Result<BTreeMap<Scope, Changer>, Error> {
    let mut changers = BTreeMap::new();
    for (account_id, scopes) in steps(plan) {
        let prospect = prospects.iter().find(|prospect| prospect.account_id == account_id);
        let prospect = prospect.ok_or_else(|| {
            Error::usage(format!(
                "the plan changes account {account_id}, which is not among those that the flags mean"
            ))
        })?;
        let account = open(prospect, whereabouts, role, &scopes).await?;
        for (scope, _) in scopes {
            let changer = account.changer(scope).map_err(Error::usage)?;
            changers.insert(scope.clone(), changer);
        }
    }
    Ok(changers)
}

/// The steps that are to be done, by account and scope.
fn steps(plan: &Plan) -> BTreeMap<AccountId, BTreeMap<&Scope, Vec<&Step>>> {
    let mut steps: BTreeMap<AccountId, BTreeMap<&Scope, Vec<&Step>>> = BTreeMap::new();
    for (scope, step) in plan.steps().filter(|(_, step)| step.blocked.is_none()) {
        steps.entry(scope.account_id.clone()).or_default().entry(scope).or_default().push(step);
    }
    steps
}

async fn open(
    prospect: &Prospect,
    whereabouts: &Where,
    role: Option<&RoleName>,
    scopes: &BTreeMap<&Scope, Vec<&Step>>,
) -> Result<Account, Error> {
    let mut permit = Permit::default();
    for (scope, steps) in scopes {
        for step in steps {
            permit.add(scope, write(&step.action));
        }
    }
    let role = role.map(|role| whereabouts.role_in(prospect, role));
    let account_id = &prospect.account_id;
    let opened = prospect.open_to_change(role.as_ref(), &permit).await;
    let (account, narrowing) = opened.map_err(|error| match error {
        NoChange::Refused(error) => Error::Incomplete(format!(
            "cannot sign in to change account {account_id}: {error}; nothing was changed"
        )),
        NoChange::Closed(reason) => Error::usage(format!("account {account_id}: {reason}")),
        error @ NoChange::ReadOnly(_) => Error::usage(error),
    })?;
    if let Some(narrowing) = narrowing {
        tracing::info!("account {account_id} is changed by {}, {narrowing}", account.caller);
    }
    Ok(account)
}

fn write(action: &Action) -> Write<'_> {
    match action {
        Action::CreateTemplateVersion { template, .. } => Write::CreateVersion(template),
        Action::SetDefaultVersion { template, .. } => Write::SetDefault(template),
        Action::DeleteTemplateVersion { template, .. } => Write::DeleteVersion(template),
        Action::UpdateNodeGroup { cluster, node_group, .. } => Write::UpdateNodeGroup(cluster, node_group),
        Action::UpdateAutoScalingGroup { group, .. } => Write::UpdateGroup(group),
        Action::RefreshInstances { group, .. } => Write::StartRefresh(group),
        Action::ModifyInstance { instance, .. } => Write::ModifyInstance(instance),
        Action::ModifyAccountDefaults { .. } | Action::RestoreAccountDefaults { .. } => Write::ModifyDefaults,
    }
}
