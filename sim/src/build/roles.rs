//! Roles, and what users and roles may do.

use std::collections::BTreeMap;

use super::{Outcome, Problem};
use crate::fleet::identity::{NamedPermissions, PermissionsSpec, RoleSpec, TrustSpec};
use crate::fleet::schema::{AccountSpec, FleetFile};
use crate::iam;
use crate::ids;
use crate::world::{Policy, Role, Trust};

/// Every action that only looks, of the services that the simulator has.
const READ_ONLY: [&str; 10] = [
    "autoscaling:Describe*",
    "cloudwatch:Get*",
    "ec2:Describe*",
    "ec2:Get*",
    "eks:Describe*",
    "eks:List*",
    "iam:List*",
    "organizations:Describe*",
    "organizations:List*",
    "sts:Get*",
];

/// The roles of an account: those of every account, which its own of the same name replace. The management account
/// has only its own, as in AWS: nothing makes roles there.
pub fn of_account(file: &FleetFile, spec: &AccountSpec) -> Outcome<BTreeMap<String, Role>> {
    let organization = file.organizations.iter().find(|one| one.partition == spec.partition);
    let management = organization
        .filter(|_| !spec.outside_organization)
        .map(|organization| organization.management_account.as_str());
    let replaced =
        |name: &String| spec.without_roles.contains(name) || spec.roles.iter().any(|own| own.name == *name);
    let shared =
        file.roles.iter().filter(|role| management != Some(spec.id.as_str()) && !replaced(&role.name));
    let mut roles = BTreeMap::new();
    for role in shared.chain(&spec.roles) {
        let made = role_of(spec, role, management)?;
        if roles.insert(role.name.clone(), made).is_some() {
            return Err(problem(spec, role, "is described twice"));
        }
    }
    Ok(roles)
}

fn problem(account: &AccountSpec, role: &RoleSpec, message: impl Into<String>) -> Problem {
    Problem { place: format!("account {}, role {}", account.id, role.name), message: message.into() }
}

fn role_of(account: &AccountSpec, spec: &RoleSpec, management: Option<&str>) -> Outcome<Role> {
    let refuse = |message: String| problem(account, spec, message);
    let named =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte));
    if spec.name.is_empty() || spec.name.len() > 64 || !named(&spec.name) {
        return Err(refuse("a role's name has 1 to 64 letters, digits and +=,.@_-".to_owned()));
    }
    let path = spec.path.as_str();
    if !path.starts_with('/') || !path.ends_with('/') || !path.split('/').all(named) {
        return Err(refuse(format!("the path {path:?} does not begin and end with a slash")));
    }
    if !(3600..=43_200).contains(&spec.max_session_duration) {
        return Err(refuse("max_session_duration is 3600 to 43200 seconds".to_owned()));
    }
    Ok(Role {
        name: spec.name.clone(),
        path: spec.path.clone(),
        id: format!("AROA{}", ids::hex(16, &["role", &account.id, &spec.name]).to_uppercase()),
        trust: trust(spec.trust.as_ref(), management).map_err(refuse)?,
        max_session_duration: i64::from(spec.max_session_duration),
        permissions: permissions(&spec.permissions.0).map_err(refuse)?,
    })
}

fn trust(spec: Option<&TrustSpec>, management: Option<&str>) -> Result<Trust, String> {
    let mut principals = spec.map(|spec| spec.principals.clone()).unwrap_or_default();
    for principal in &principals {
        let account = principal.len() == 12 && principal.bytes().all(|byte| byte.is_ascii_digit());
        if !account && principal != "*" && !principal.starts_with("arn:") {
            return Err(format!("the principal {principal:?} is neither an account id nor an ARN nor *"));
        }
    }
    if principals.is_empty() {
        let management = management.ok_or(
            "says not who may assume it (trust: { principals: [...] }), and the account has no organisation \
             whose management account could",
        )?;
        principals.push(management.to_owned());
    }
    Ok(Trust {
        principals,
        external_ids: spec.map(|spec| spec.external_ids.clone()).unwrap_or_default(),
        organization_id: spec.and_then(|spec| spec.organization_id.clone()),
    })
}

/// Turns any way of saying what someone may do into a policy.
pub fn permissions(spec: &PermissionsSpec) -> Result<Policy, String> {
    match spec {
        PermissionsSpec::Named(NamedPermissions::All) => Ok(Policy::everything()),
        PermissionsSpec::Named(NamedPermissions::None) => Ok(Policy::default()),
        PermissionsSpec::Named(NamedPermissions::ReadOnly) => {
            Ok(Policy::of_actions(&READ_ONLY.map(str::to_owned), &[]))
        }
        PermissionsSpec::Actions(actions) => {
            let mut all = actions.allow.iter().chain(&actions.deny);
            all.try_for_each(|pattern| iam::action_pattern(pattern)).map_err(|error| error.to_string())?;
            Ok(Policy::of_actions(&actions.allow, &actions.deny))
        }
        PermissionsSpec::Policy(document) => {
            iam::from_value(&document.policy).map_err(|error| error.to_string())
        }
    }
}
