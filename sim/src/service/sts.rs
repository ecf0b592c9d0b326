//! STS.

use super::{Call, QueryOperation};
use crate::ids;
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// Every operation.
pub const OPERATIONS: &[QueryOperation] =
    &[QueryOperation { name: "GetCallerIdentity", run: get_caller_identity }];

fn get_caller_identity(call: &Call<'_>, params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    params.finish()?;
    let user_id = ids::hex(16, &["user", &call.account.id, &call.key.user]).to_uppercase();
    xml.text("Arn", &call.account.user_arn(&call.key.user));
    xml.text("UserId", &format!("AIDA{user_id}"));
    xml.text("Account", &call.account.id);
    Ok(())
}
