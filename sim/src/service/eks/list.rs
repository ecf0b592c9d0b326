//! Lists of names.

use serde_json::{Map, Value, json};

use super::cluster;
use crate::service::Call;
use crate::wire::error::ApiError;
use crate::wire::query::Params;

/// `ListClusters`.
pub fn clusters(call: &Call<'_>, _: &[String], mut params: Params) -> Result<Value, ApiError> {
    match params.text("include").as_deref() {
        // There are no connected clusters: all of them are the same ones.
        None | Some("all") => {}
        Some(other) => {
            return Err(ApiError::bad(
                "InvalidParameterException",
                format!("include can only be 'all', it is '{other}'"),
            ));
        }
    }
    let names: Vec<&String> = call.region.clusters.keys().collect();
    page(call, "ListClusters", "clusters", &names, params)
}

/// `ListNodegroups`.
pub fn node_groups(call: &Call<'_>, path: &[String], params: Params) -> Result<Value, ApiError> {
    let cluster = cluster(call.region, &path[0])?;
    let names: Vec<&String> = cluster.node_groups.keys().collect();
    page(call, &format!("ListNodegroups/{}", cluster.name), "nodegroups", &names, params)
}

/// `ListFargateProfiles`.
pub fn fargate_profiles(call: &Call<'_>, path: &[String], params: Params) -> Result<Value, ApiError> {
    let cluster = cluster(call.region, &path[0])?;
    let names: Vec<&String> = cluster.fargate_profiles.iter().collect();
    page(call, &format!("ListFargateProfiles/{}", cluster.name), "fargateProfileNames", &names, params)
}

/// A page of names, or of other texts.
pub fn page(
    call: &Call<'_>,
    operation: &str,
    member: &str,
    names: &[&String],
    mut params: Params,
) -> Result<Value, ApiError> {
    let question = params.question();
    let size = match params.number("maxResults")? {
        None => 100,
        Some(size @ 1..=100) => usize::try_from(size).unwrap_or(100),
        Some(other) => {
            return Err(ApiError::bad(
                "InvalidParameterException",
                format!("maxResults needs to be between 1 and 100, it is {other}"),
            ));
        }
    };
    let token = params.text("nextToken");
    params.finish()?;
    let page = call.page(operation, size, token.as_deref(), &question).ok_or_else(|| {
        ApiError::bad("InvalidParameterException", "nextToken is not valid for this request")
    })?;
    let (names, next) = page.of(names);
    let mut answer = Map::new();
    answer.insert(member.to_owned(), json!(names));
    answer.insert("nextToken".to_owned(), json!(next));
    Ok(Value::Object(answer))
}
