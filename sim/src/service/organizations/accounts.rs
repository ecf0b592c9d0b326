//! Lists of accounts.

use serde_json::{Value, json};

use super::{Call, invalid, of_administrator, page, parent};
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::world::{Member, Organization};

/// `ListAccounts`.
pub fn list(call: &Call<'_>, params: Params) -> Result<Value, ApiError> {
    let organization = of_administrator(call)?;
    let account = |member: &Member| describe(organization, member);
    page(call, "ListAccounts", "Accounts", &organization.members, params, account)
}

/// `ListAccountsForParent`: those that are in it, not those in the units inside it.
pub fn of_parent(call: &Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    let organization = of_administrator(call)?;
    let parent = parent(organization, &mut params)?;
    let accounts = organization.children.get(&parent).map_or(&[][..], |children| &children.accounts);
    page(call, &format!("ListAccountsForParent/{parent}"), "Accounts", accounts, params, |account| {
        organization.member(account).map_or(Value::Null, |member| describe(organization, member))
    })
}

/// `ListDelegatedAdministrators`: they are it for any service.
pub fn administrators(call: &Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    let organization = of_administrator(call)?;
    if let Some(service) = params.text("ServicePrincipal")
        && !service.contains('.')
    {
        let message = format!("You specified an unrecognized service principal {service:?}.");
        return Err(invalid("UNRECOGNIZED_SERVICE_PRINCIPAL", message));
    }
    let administrators: Vec<&Member> =
        organization.delegated_administrators.iter().filter_map(|id| organization.member(id)).collect();
    let operation = "ListDelegatedAdministrators";
    page(call, operation, "DelegatedAdministrators", &administrators, params, |member| {
        let mut administrator = describe(organization, member);
        administrator["DelegationEnabledDate"] = json!(member.joined);
        administrator
    })
}

fn describe(organization: &Organization, member: &Member) -> Value {
    let mut account = json!({
        "Id": member.id,
        "Arn": organization.arn("account", &member.id),
        "Email": member.email,
        "Name": member.name,
        "State": member.state,
        "JoinedMethod": member.joined_method,
        "JoinedTimestamp": member.joined,
    });
    if let Some(status) = member.state.retired().filter(|_| organization.retired_status) {
        account["Status"] = status.into();
    }
    account
}
