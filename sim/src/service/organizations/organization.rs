//! The organisation itself.

use serde_json::{Value, json};

use super::{Call, of_member};
use crate::wire::error::ApiError;
use crate::wire::query::Params;

/// `DescribeOrganization`: every member account may.
pub fn describe(call: &Call<'_>, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    let organization = of_member(call)?;
    let management = organization.member(&organization.management_account);
    Ok(json!({
        "Organization": {
            "Id": organization.id,
            "Arn": format!(
                "arn:{}:organizations::{}:organization/{}",
                organization.partition, organization.management_account, organization.id
            ),
            "FeatureSet": "ALL",
            "MasterAccountArn": organization.arn("account", &organization.management_account),
            "MasterAccountId": organization.management_account,
            "MasterAccountEmail": management.map(|member| member.email.as_str()),
            "AvailablePolicyTypes": [{ "Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED" }],
        }
    }))
}
