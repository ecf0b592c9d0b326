//! `AssumeRole`.

use serde::Serialize;

use super::Call;
use crate::iam::{self, Order};
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::time::iso;
use crate::wire::xml::Xml;
use crate::world::{Account, OptIn, Policy, Role};

/// The longest session policy, in characters.
const LONGEST_POLICY: usize = 2048;

/// The longest session of a role that was assumed by a session of another.
const LONGEST_CHAINED: i64 = 3600;

/// What an `AssumeRole` asked for, for whoever reads the request log. Nothing in it is secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AssumeRoleRequest {
    /// `RoleArn`.
    pub role_arn: String,
    /// `RoleSessionName`.
    pub session_name: String,
    /// `ExternalId`.
    pub external_id: Option<String>,
    /// `DurationSeconds`, as it was written.
    pub duration_seconds: Option<String>,
    /// `Policy`: the text of the inline session policy.
    pub policy: Option<String>,
}

impl AssumeRoleRequest {
    /// What parameters ask for; they are looked at, not taken.
    pub fn of(params: &Params) -> Self {
        let text = |name| params.peek(name).map(str::to_owned);
        Self {
            role_arn: text("RoleArn").unwrap_or_default(),
            session_name: text("RoleSessionName").unwrap_or_default(),
            external_id: text("ExternalId"),
            duration_seconds: text("DurationSeconds"),
            policy: text("Policy"),
        }
    }
}

/// What was asked, checked.
struct Asked {
    role_arn: String,
    session_name: String,
    external_id: Option<String>,
    duration: i64,
    policy: Option<(Policy, usize)>,
}

/// `AssumeRole`.
pub fn run(call: &Call<'_>, params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let asked = read(params)?;
    let (account, role) = role_of(call, &asked).ok_or_else(|| denied(call, &asked))?;
    if account.regions.get(call.region_name).is_none_or(|region| region.opt_in == OptIn::NotOptedIn) {
        return Err(ApiError::new(
            403,
            "RegionDisabledException",
            format!(
                "STS is not activated in this region for account:{}. Your account administrator can activate \
                 STS in this region using the IAM Console.",
                account.id
            ),
        ));
    }
    if call.caller.is_session() && asked.duration > LONGEST_CHAINED {
        return Err(invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ));
    }
    if asked.duration > role.max_session_duration {
        return Err(invalid(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    let packed = asked.policy.as_ref().map(|(_, length)| (length * 100).div_ceil(LONGEST_POLICY));
    let session = call.identities.issue(Order {
        account,
        role,
        name: asked.session_name,
        duration: asked.duration,
        policy: asked.policy.map(|(policy, _)| policy),
    });
    xml.element("AssumedRoleUser", |xml| {
        xml.text("AssumedRoleId", &format!("{}:{}", role.id, session.name));
        xml.text("Arn", &session.arn(&account.partition));
    });
    xml.element("Credentials", |xml| {
        xml.text("AccessKeyId", &session.access_key);
        xml.text("SecretAccessKey", &session.secret_key);
        xml.text("SessionToken", &session.token);
        xml.text("Expiration", &iso(session.expiration));
    });
    if let Some(percent) = packed {
        xml.value("PackedPolicySize", percent);
    }
    Ok(())
}

fn read(mut params: Params) -> Result<Asked, ApiError> {
    let required = |value: Option<String>, name: &str| {
        value.ok_or_else(|| {
            invalid(format!(
                "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must \
                 not be null"
            ))
        })
    };
    let role_arn = required(params.text("RoleArn"), "roleArn")?;
    let session_name = required(params.text("RoleSessionName"), "roleSessionName")?;
    text_is("roleSessionName", &session_name, 2..=64, "=,.@-", r"[\w+=,.@-]*")?;
    let external_id = params.text("ExternalId");
    if let Some(id) = &external_id {
        text_is("externalId", id, 2..=1224, "=,.@:/-", r"[\w+=,.@:\/-]*")?;
    }
    let duration = params.number("DurationSeconds")?.unwrap_or(3600);
    let must = match duration {
        ..900 => Some("greater than or equal to 900"),
        900..=43_200 => None,
        _ => Some("less than or equal to 43200"),
    };
    if let Some(must) = must {
        return Err(constraint("durationSeconds", &duration.to_string(), &format!("value {must}")));
    }
    let policy = params.text("Policy").map(|text| session_policy(&text)).transpose()?;
    params.finish()?;
    Ok(Asked { role_arn, session_name, external_id, duration, policy })
}

fn session_policy(text: &str) -> Result<(Policy, usize), ApiError> {
    let length = text.chars().count();
    if length > LONGEST_POLICY {
        let percent = (length * 100).div_ceil(LONGEST_POLICY);
        return Err(ApiError::bad(
            "PackedPolicyTooLarge",
            format!("Packed size of session tags and policy consumes {percent}% of the allotted space."),
        ));
    }
    let policy =
        iam::from_json(text).map_err(|error| ApiError::bad("MalformedPolicyDocument", error.to_string()))?;
    Ok((policy, length))
}

/// The role, if it is there and lets the caller in. Whoever may not assume it does not learn whether it exists.
fn role_of<'w>(call: &Call<'w>, asked: &Asked) -> Option<(&'w Account, &'w Role)> {
    let mut parts = asked.role_arn.splitn(6, ':').skip(1);
    let (partition, service, region) = (parts.next()?, parts.next()?, parts.next()?);
    let (account, role) = (parts.next()?, parts.next()?);
    let account = call.world.accounts.get(account)?;
    let role = account.roles.get(role.rsplit('/').next()?)?;
    // No partition knows the accounts of another.
    let reachable = (partition, service, region) == (call.account.partition.as_str(), "iam", "")
        && role.arn(&account.partition, &account.id) == asked.role_arn;
    (reachable && iam::admits(&role.trust, call.caller, asked.external_id.as_deref()))
        .then_some((account, role))
}

fn denied(call: &Call<'_>, asked: &Asked) -> ApiError {
    // Neither has a role of another partition an ARN that can be understood.
    let ours = format!("arn:{}:iam::", call.account.partition);
    if !asked.role_arn.strip_prefix(&ours).is_some_and(|rest| rest.contains(":role/")) {
        return invalid("Request ARN is invalid");
    }
    ApiError::new(
        403,
        "AccessDenied",
        format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
            call.caller.arn(),
            asked.role_arn
        ),
    )
}

fn text_is(
    name: &str,
    value: &str,
    length: std::ops::RangeInclusive<usize>,
    others: &str,
    pattern: &str,
) -> Result<(), ApiError> {
    let known = |character: char| {
        character.is_ascii_alphanumeric()
            || character == '_'
            || character == '+'
            || others.contains(character)
    };
    if value.chars().count() < *length.start() {
        return Err(constraint(name, value, &format!("length greater than or equal to {}", length.start())));
    }
    if value.chars().count() > *length.end() {
        return Err(constraint(name, value, &format!("length less than or equal to {}", length.end())));
    }
    if !value.chars().all(known) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: {pattern}"
        )));
    }
    Ok(())
}

fn constraint(name: &str, value: &str, must: &str) -> ApiError {
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: Member must have \
         {must}"
    ))
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bad("ValidationError", message)
}
