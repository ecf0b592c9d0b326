//! STS.

mod assume_role;

pub use self::assume_role::AssumeRoleRequest;

use super::{Access, Call, QueryOperation};
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// Every operation.
pub const OPERATIONS: &[QueryOperation] = &[
    // Works for whoever has credentials, even where a policy denies it.
    QueryOperation::reads("GetCallerIdentity", Access::Open, get_caller_identity),
    QueryOperation::reads(
        "AssumeRole",
        Access::On(|_, asked| asked.params.peek("RoleArn").unwrap_or("*").to_owned().into()),
        assume_role::run,
    ),
];

fn get_caller_identity(call: &Call<'_>, params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    params.finish()?;
    xml.text("Arn", &call.caller.arn());
    xml.text("UserId", &call.caller.user_id());
    xml.text("Account", &call.account.id);
    Ok(())
}
