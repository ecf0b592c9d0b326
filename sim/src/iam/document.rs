//! Policies as AWS writes them, in JSON. What is not implemented here is refused as malformed: a simulator that
//! ignored a condition would allow what AWS denies.

use serde_json::{Map, Value};

use crate::world::{Condition, ConditionKey, Effect, Operator, Patterns, Policy, Statement};

/// Why a document is no policy, or none that the simulator can judge by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

type Read<T> = Result<T, Malformed>;

fn malformed<T>(message: impl Into<String>) -> Read<T> {
    Err(Malformed(message.into()))
}

/// Reads a policy.
pub fn from_json(text: &str) -> Read<Policy> {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return malformed("The policy is not in the valid JSON format.");
    };
    from_value(&value)
}

/// Reads a policy that has been parsed.
pub fn from_value(value: &Value) -> Read<Policy> {
    let document = object(value, "the policy")?;
    known(document, &["Version", "Id", "Statement"], "the policy")?;
    match document.get("Version").and_then(Value::as_str) {
        Some("2012-10-17") => {}
        Some(other) => return malformed(format!("The policy's Version is {other:?}, not 2012-10-17.")),
        None => return malformed("The policy has no Version 2012-10-17."),
    }
    let statements = match document.get("Statement") {
        None => return malformed("Syntax errors in policy: there is no Statement."),
        Some(Value::Array(statements)) => statements.iter().collect(),
        Some(one) => vec![one],
    };
    Ok(Policy { statements: statements.into_iter().map(statement).collect::<Read<_>>()? })
}

fn statement(value: &Value) -> Read<Statement> {
    let statement = object(value, "a statement")?;
    if statement.contains_key("Principal") || statement.contains_key("NotPrincipal") {
        return malformed("Policy document should not specify a principal.");
    }
    let names = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    known(statement, &names, "a statement")?;
    let effect = match statement.get("Effect").and_then(Value::as_str) {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        _ => return malformed("Syntax errors in policy: a statement's Effect is Allow or Deny."),
    };
    let actions = patterns(statement, "Action", "NotAction", action_pattern)?;
    let resources = patterns(statement, "Resource", "NotResource", resource_pattern)?;
    let conditions = match statement.get("Condition") {
        None => Vec::new(),
        Some(value) => conditions(value)?,
    };
    Ok(Statement { effect, actions, resources, conditions })
}

fn patterns(
    statement: &Map<String, Value>,
    name: &str,
    except: &str,
    check: fn(&str) -> Read<()>,
) -> Read<Patterns> {
    let (value, except) = match (statement.get(name), statement.get(except)) {
        (Some(value), None) => (value, false),
        (None, Some(value)) => (value, true),
        _ => {
            return malformed(format!("Syntax errors in policy: a statement has either {name} or {except}."));
        }
    };
    let patterns = texts(value, name)?;
    patterns.iter().try_for_each(|pattern| check(pattern))?;
    Ok(Patterns { except, patterns })
}

/// `*`, or a service and an action.
pub fn action_pattern(pattern: &str) -> Read<()> {
    let sound = |(service, action): (&str, &str)| {
        let service_is =
            service.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let action_is =
            action.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'?'));
        !service.is_empty() && service_is && !action.is_empty() && action_is
    };
    if pattern == "*" || pattern.split_once(':').is_some_and(sound) {
        return Ok(());
    }
    malformed(format!(
        "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.; {pattern:?} is not."
    ))
}

fn resource_pattern(pattern: &str) -> Read<()> {
    if pattern.contains("${") {
        return malformed(format!("Policy variables are not implemented here: {pattern:?}."));
    }
    if pattern == "*" || (pattern.starts_with("arn:") && pattern.split(':').count() >= 6) {
        return Ok(());
    }
    malformed(format!("Resource {pattern:?} must be in ARN format or \"*\"."))
}

fn conditions(value: &Value) -> Read<Vec<Condition>> {
    let mut conditions = Vec::new();
    for (name, keys) in object(value, "a Condition")? {
        let (plain, if_exists) = match name.strip_suffix("IfExists") {
            Some(plain) => (plain, true),
            None => (name.as_str(), false),
        };
        let operator = operator(plain)?;
        for (key, values) in object(keys, name)? {
            let values = texts(values, key)?;
            if values.iter().any(|value| value.contains("${")) {
                return malformed(format!("Policy variables are not implemented here: {values:?}."));
            }
            conditions.push(Condition { operator, if_exists, key: condition_key(key)?, values });
        }
    }
    Ok(conditions)
}

fn operator(name: &str) -> Read<Operator> {
    Ok(match name {
        "StringEquals" => Operator::StringEquals,
        "StringNotEquals" => Operator::StringNotEquals,
        "StringLike" => Operator::StringLike,
        "StringNotLike" => Operator::StringNotLike,
        // The two are the same, says AWS.
        "ArnLike" | "ArnEquals" => Operator::ArnLike,
        "ArnNotLike" | "ArnNotEquals" => Operator::ArnNotLike,
        "Bool" => Operator::Bool,
        other => return malformed(format!("The condition operator {other} is not implemented here.")),
    })
}

/// What stands before the key of a resource's tag; services that had it first have one of their own.
const RESOURCE_TAG: [&str; 3] = ["aws:resourcetag", "ec2:resourcetag", "autoscaling:resourcetag"];

fn condition_key(name: &str) -> Read<ConditionKey> {
    // The key of a tag has a case, what is before it has none.
    if let Some((before, tag)) = name.split_once('/')
        && RESOURCE_TAG.contains(&before.to_ascii_lowercase().as_str())
    {
        return Ok(ConditionKey::ResourceTag(tag.to_owned()));
    }
    Ok(match name.to_ascii_lowercase().as_str() {
        "aws:requestedregion" => ConditionKey::RequestedRegion,
        "aws:principalarn" => ConditionKey::PrincipalArn,
        "aws:principalaccount" => ConditionKey::PrincipalAccount,
        "aws:principalorgid" => ConditionKey::PrincipalOrgId,
        "aws:securetransport" => ConditionKey::SecureTransport,
        "sts:externalid" => ConditionKey::ExternalId,
        "iam:passedtoservice" => ConditionKey::PassedToService,
        _ => return malformed(format!("The condition key {name} is not implemented here.")),
    })
}

fn object<'v>(value: &'v Value, what: &str) -> Read<&'v Map<String, Value>> {
    match value {
        Value::Object(object) => Ok(object),
        _ => malformed(format!("Syntax errors in policy: {what} is not an object.")),
    }
}

fn known(object: &Map<String, Value>, names: &[&str], what: &str) -> Read<()> {
    match object.keys().find(|key| !names.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => malformed(format!("Syntax errors in policy: {what} has no {key}.")),
    }
}

/// One text, or a list of them that is not empty.
fn texts(value: &Value, what: &str) -> Read<Vec<String>> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    };
    let texts = match value {
        Value::Array(values) => values.iter().map(one).collect(),
        single => one(single).map(|text| vec![text]),
    };
    match texts {
        Some(texts) if !texts.is_empty() => Ok(texts),
        _ => malformed(format!("Syntax errors in policy: {what} is neither a text nor a list of texts.")),
    }
}
