//! IAM: no more than the name that other tools print beside an account.

use super::{Access, Call, QueryOperation};
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// Every operation.
pub const OPERATIONS: &[QueryOperation] =
    &[QueryOperation::reads("ListAccountAliases", Access::Any, list_account_aliases)];

/// `ListAccountAliases`. Accounts have no alias; what the fleet calls them is Organizations' to tell.
fn list_account_aliases(_: &Call<'_>, params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    params.finish()?;
    xml.value("IsTruncated", false);
    xml.list("AccountAliases", "member", [(); 0], |_, ()| {});
    Ok(())
}
