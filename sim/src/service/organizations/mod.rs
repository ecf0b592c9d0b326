//! Organizations.

mod accounts;
mod organization;
mod units;

use serde_json::{Map, Value};

use super::{Access, Asked, Call, JsonOperation, Resource};
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::world::Organization;

/// What the `X-Amz-Target` of every operation begins with.
pub const TARGET: &str = "AWSOrganizationsV20161128";

/// Every operation.
pub const OPERATIONS: &[JsonOperation] = &[
    JsonOperation { name: "DescribeOrganization", access: Access::Any, run: organization::describe },
    JsonOperation { name: "ListAccounts", access: Access::Any, run: accounts::list },
    JsonOperation { name: "ListAccountsForParent", access: Access::On(parent_arn), run: accounts::of_parent },
    JsonOperation { name: "ListDelegatedAdministrators", access: Access::Any, run: accounts::administrators },
    JsonOperation { name: "ListRoots", access: Access::Any, run: units::roots },
    JsonOperation {
        name: "ListOrganizationalUnitsForParent",
        access: Access::On(parent_arn),
        run: units::of_parent,
    },
];

/// The root or the unit that `ParentId` names.
fn parent_arn(call: &Call<'_>, asked: &Asked<'_>) -> Resource {
    let arn = match (call.caller.organization, asked.params.peek("ParentId")) {
        (Some(organization), Some(id)) => {
            organization.arn(if id.starts_with("r-") { "root" } else { "ou" }, id)
        }
        _ => "*".to_owned(),
    };
    arn.into()
}

/// The organisation of the caller's account, for what each of its accounts may see. The Region that was signed for does
/// not matter: AWS has one endpoint in a partition, but an SDK that is told to use another signs for its own Region.
fn of_member<'w>(call: &Call<'w>) -> Result<&'w Organization, ApiError> {
    call.caller.organization.ok_or_else(|| {
        ApiError::bad("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    })
}

/// The same, for what only the management account and delegated administrators may see.
fn of_administrator<'w>(call: &Call<'w>) -> Result<&'w Organization, ApiError> {
    let organization = of_member(call)?;
    if organization.is_administrator(&call.account.id) {
        return Ok(organization);
    }
    Err(ApiError::bad("AccessDeniedException", "You don't have permissions to access this resource."))
}

fn parent(organization: &Organization, params: &mut Params) -> Result<String, ApiError> {
    let id = params
        .text("ParentId")
        .ok_or_else(|| invalid("INPUT_REQUIRED", "You must provide a value for ParentId."))?;
    if !id.starts_with("r-") && !id.starts_with("ou-") {
        return Err(invalid(
            "INVALID_PATTERN",
            format!("ParentId {id:?} is not the id of a root or a unit."),
        ));
    }
    if organization.children.contains_key(&id) {
        return Ok(id);
    }
    Err(ApiError::bad("ParentNotFoundException", "You specified parent that does not exist."))
}

/// The page of a list that the parameters ask for.
fn page<T>(
    call: &Call<'_>,
    operation: &str,
    member: &str,
    items: &[T],
    mut params: Params,
    describe: impl Fn(&T) -> Value,
) -> Result<Value, ApiError> {
    let question = params.question();
    let size = match params.number("MaxResults")? {
        None => 20,
        Some(size @ 1..=20) => usize::try_from(size).unwrap_or(20),
        Some(size @ ..1) => {
            return Err(invalid("MIN_VALUE_EXCEEDED", format!("MaxResults is at least 1, it is {size}.")));
        }
        Some(size) => {
            return Err(invalid("MAX_VALUE_EXCEEDED", format!("MaxResults is at most 20, it is {size}.")));
        }
    };
    let token = params.text("NextToken");
    params.finish()?;
    let page = call
        .page(operation, size, token.as_deref(), &question)
        .ok_or_else(|| invalid("INVALID_NEXT_TOKEN", "The NextToken is not valid for this request."))?;
    let (items, next) = page.of(items);
    let mut answer = Map::new();
    answer.insert(member.to_owned(), items.iter().map(describe).collect());
    if let Some(next) = next {
        answer.insert("NextToken".to_owned(), next.into());
    }
    Ok(Value::Object(answer))
}

fn invalid(reason: &str, message: impl Into<String>) -> ApiError {
    ApiError::bad("InvalidInputException", message).with("Reason", reason)
}
