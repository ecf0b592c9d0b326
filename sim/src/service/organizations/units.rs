//! The root, and organizational units.

use serde_json::{Value, json};

use super::{Call, of_administrator, page, parent};
use crate::wire::error::ApiError;
use crate::wire::query::Params;

/// `ListRoots`: there is one.
pub fn roots(call: &Call<'_>, params: Params) -> Result<Value, ApiError> {
    let organization = of_administrator(call)?;
    page(call, "ListRoots", "Roots", &[&organization.root], params, |root| {
        json!({
            "Id": root,
            "Arn": organization.arn("root", root),
            "Name": "Root",
            "PolicyTypes": [{ "Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED" }],
        })
    })
}

/// `ListOrganizationalUnitsForParent`: those that are in it, not those further down.
pub fn of_parent(call: &Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    let organization = of_administrator(call)?;
    let parent = parent(organization, &mut params)?;
    let units = organization.children.get(&parent).map_or(&[][..], |children| &children.units);
    let operation = format!("ListOrganizationalUnitsForParent/{parent}");
    page(call, &operation, "OrganizationalUnits", units, params, |id| {
        json!({
            "Id": id,
            "Arn": organization.arn("ou", id),
            "Name": organization.units.get(id).map(|unit| unit.name.as_str()),
        })
    })
}
