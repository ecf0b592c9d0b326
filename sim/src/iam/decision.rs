//! Does anything allow an action, and does nothing deny it?

use super::Caller;
use super::glob;
use crate::world::{Condition, ConditionKey, Effect, Operator, Patterns, Policy, Statement, Tags};

/// What someone wants to do, as policies see it.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// `ec2:DescribeInstances`.
    pub action: &'q str,
    /// An ARN, or `*` for what has no resources: then only patterns that match a star match it.
    pub resource: &'q str,
    /// Its tags.
    pub tags: &'q Tags,
    /// The Region that is asked.
    pub region: &'q str,
    /// Of an `AssumeRole`.
    pub external_id: Option<&'q str>,
    /// The service that a role is passed to.
    pub passed_to: Option<&'q str>,
}

/// Which policy says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// The identity's own does not allow it.
    IdentitySilent,
    /// The identity's own denies it.
    IdentityDenies,
    /// The session's does not allow it.
    SessionSilent,
    /// The session's denies it.
    SessionDenies,
}

impl Denial {
    /// How AWS puts it, after "… is not authorized to perform: …".
    pub fn because(self, action: &str) -> String {
        match self {
            Self::IdentitySilent => format!("because no identity-based policy allows the {action} action"),
            Self::IdentityDenies => "with an explicit deny in an identity-based policy".to_owned(),
            Self::SessionSilent => format!("because no session policy allows the {action} action"),
            Self::SessionDenies => "with an explicit deny in a session policy".to_owned(),
        }
    }
}

/// What one policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Allows,
    Denies,
    Silent,
}

/// A session can do what both allow, and nothing that one of them denies.
pub fn decide(
    identity: &Policy,
    session: Option<&Policy>,
    question: &Question<'_>,
    caller: &Caller<'_>,
) -> Result<(), Denial> {
    let own = verdict(identity, question, caller);
    let inherited = session.map_or(Verdict::Allows, |policy| verdict(policy, question, caller));
    match (own, inherited) {
        (Verdict::Denies, _) => Err(Denial::IdentityDenies),
        (_, Verdict::Denies) => Err(Denial::SessionDenies),
        (Verdict::Silent, _) => Err(Denial::IdentitySilent),
        (_, Verdict::Silent) => Err(Denial::SessionSilent),
        (Verdict::Allows, Verdict::Allows) => Ok(()),
    }
}

fn verdict(policy: &Policy, question: &Question<'_>, caller: &Caller<'_>) -> Verdict {
    let mut verdict = Verdict::Silent;
    for statement in policy.statements.iter().filter(|statement| speaks(statement, question, caller)) {
        match statement.effect {
            Effect::Deny => return Verdict::Denies,
            Effect::Allow => verdict = Verdict::Allows,
        }
    }
    verdict
}

fn speaks(statement: &Statement, question: &Question<'_>, caller: &Caller<'_>) -> bool {
    covers(&statement.actions, question.action, glob::matches_action)
        && covers(&statement.resources, question.resource, glob::matches)
        && statement.conditions.iter().all(|condition| holds(condition, question, caller))
}

fn covers(patterns: &Patterns, text: &str, matches: fn(&str, &str) -> bool) -> bool {
    patterns.patterns.iter().any(|pattern| matches(pattern, text)) != patterns.except
}

fn holds(condition: &Condition, question: &Question<'_>, caller: &Caller<'_>) -> bool {
    let negated = matches!(
        condition.operator,
        Operator::StringNotEquals | Operator::StringNotLike | Operator::ArnNotLike
    );
    let Some(value) = value(&condition.key, question, caller) else {
        // What is not there differs from everything.
        return condition.if_exists || negated;
    };
    let compare: fn(&str, &str) -> bool = match condition.operator {
        Operator::StringEquals | Operator::StringNotEquals => |wanted, value| wanted == value,
        Operator::StringLike | Operator::StringNotLike => glob::matches,
        Operator::ArnLike | Operator::ArnNotLike => glob::matches_arn,
        Operator::Bool => |wanted, value| wanted.eq_ignore_ascii_case(value),
    };
    condition.values.iter().any(|wanted| compare(wanted, &value)) != negated
}

fn value(key: &ConditionKey, question: &Question<'_>, caller: &Caller<'_>) -> Option<String> {
    match key {
        ConditionKey::RequestedRegion => Some(question.region.to_owned()),
        ConditionKey::PrincipalArn => Some(caller.policy_arn()),
        ConditionKey::PrincipalAccount => Some(caller.account.id.clone()),
        ConditionKey::PrincipalOrgId => caller.organization.map(|organization| organization.id.clone()),
        ConditionKey::SecureTransport => Some("true".to_owned()),
        ConditionKey::ResourceTag(tag) => question.tags.get(tag).cloned(),
        ConditionKey::ExternalId => question.external_id.map(str::to_owned),
        ConditionKey::PassedToService => question.passed_to.map(str::to_owned),
    }
}
