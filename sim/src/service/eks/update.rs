//! Updates of managed node groups.

use serde_json::{Map, Value, json};

use super::{cluster as find, describe, list};
use crate::build;
use crate::progress::Thing;
use crate::service::Call;
use crate::service::launching::{self, Forbidden};
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::world::{
    AskedTemplate, AskedUpdate, Region, TemplateReference, Update, UpdateRefusal, UpdateStatus,
};

/// `UpdateNodegroupVersion`. The update begins, and goes on whenever someone looks at it.
pub fn node_group_version(
    call: &Call<'_>,
    region: &mut Region,
    path: &[String],
    mut params: Params,
) -> Result<Value, ApiError> {
    let asked = asked(&mut params)?;
    params.finish()?;
    let (cluster, name) = (path[0].as_str(), path[1].as_str());
    describe::existing_node_group(call.region, cluster, name)?;
    let releases = |ami_type: &str, kubernetes: &str, release: Option<&str>| {
        build::release(ami_type, kubernetes, release, call.region_name, call.now)
    };
    let named = asked.template.is_some();
    let begun = region.begin_update(cluster, name, asked, &releases, call.now);
    let update = begun.map_err(|refusal| {
        let error = match refusal {
            UpdateRefusal::Invalid(message) => ApiError::bad("InvalidParameterException", message),
            UpdateRefusal::InUse(message) => ApiError::new(409, "ResourceInUseException", message),
        };
        error.with("clusterName", cluster).with("nodegroupName", name)
    })?;
    if let Some(template) = update.target.template.as_ref().filter(|_| named) {
        may_launch(call, template)?;
    }
    if call.settings.looks_per_stage == 0 {
        region.finish_update_now(cluster, name, call.now);
    }
    Ok(json!({ "update": answer(&update) }))
}

/// EKS launches nothing in the name of someone who may not launch it.
fn may_launch(call: &Call<'_>, template: &TemplateReference) -> Result<(), ApiError> {
    let version =
        call.region.templates.get(&template.id).and_then(|found| found.versions.get(&template.version));
    let Some(version) = version else { return Ok(()) };
    launching::may_launch(call, &version.data).map_err(|forbidden| {
        let Forbidden { action, denial } = forbidden;
        ApiError::bad(
            "InvalidRequestException",
            format!(
                "You are not authorized to launch instances with this launch template. User: {} is not authorized to \
                 perform: {action} {}",
                call.caller.arn(),
                denial.because(action)
            ),
        )
    })
}

fn asked(params: &mut Params) -> Result<AskedUpdate, ApiError> {
    let template = AskedTemplate {
        id: params.text("launchTemplate.id"),
        name: params.text("launchTemplate.name"),
        version: params.text("launchTemplate.version"),
    };
    Ok(AskedUpdate {
        template: Some(template).filter(|template| *template != AskedTemplate::default()),
        version: params.text("version"),
        release_version: params.text("releaseVersion"),
        force: params.flag("force")?.unwrap_or(false),
    })
}

/// `DescribeUpdate`.
pub fn one(call: &Call<'_>, path: &[String], mut params: Params) -> Result<Value, ApiError> {
    let node_group = params.text("nodegroupName");
    params.finish()?;
    let cluster = find(call.region, &path[0])?;
    let updates = match &node_group {
        Some(name) => &describe::existing_node_group(call.region, &cluster.name, name)?.updates[..],
        // The cluster itself is never updated here.
        None => &[],
    };
    let update = updates.iter().find(|update| update.id == path[1]).ok_or_else(|| {
        let message = format!("No update found for ID: {}", path[1]);
        ApiError::new(404, "ResourceNotFoundException", message).with("clusterName", cluster.name.as_str())
    })?;
    if let (UpdateStatus::InProgress, Some(node_group)) = (update.status, node_group) {
        call.saw(Thing::NodeGroupUpdate { cluster: cluster.name.clone(), node_group });
    }
    Ok(json!({ "update": answer(update) }))
}

/// `ListUpdates`, the newest first.
pub fn ids(call: &Call<'_>, path: &[String], mut params: Params) -> Result<Value, ApiError> {
    let question = params.question();
    let node_group = params.text("nodegroupName");
    let cluster = find(call.region, &path[0])?;
    let ids: Vec<&String> = match &node_group {
        Some(name) => {
            let group = describe::existing_node_group(call.region, &cluster.name, name)?;
            group.updates.iter().rev().map(|update| &update.id).collect()
        }
        None => Vec::new(),
    };
    let operation = format!("ListUpdates/{}/{question}", cluster.name);
    list::page(call, &operation, "updateIds", &ids, params)
}

fn answer(update: &Update) -> Value {
    let mut answer = Map::new();
    answer.insert("id".to_owned(), json!(update.id));
    answer.insert("status".to_owned(), json!(update.status.as_str()));
    answer.insert("type".to_owned(), json!("VersionUpdate"));
    answer.insert("params".to_owned(), Value::Array(parameters(update)));
    answer.insert("createdAt".to_owned(), json!(update.created));
    let errors = update.errors.iter().map(|error| {
        json!({
            "errorCode": error.code,
            "errorMessage": error.message,
            "resourceIds": error.resource_ids,
        })
    });
    answer.insert("errors".to_owned(), errors.collect());
    Value::Object(answer)
}

/// What the update comes to, whatever of it was asked for.
fn parameters(update: &Update) -> Vec<Value> {
    let target = &update.target;
    let template = target.template.as_ref().filter(|_| update.asked.template.is_some());
    let custom = target.image.is_none();
    let each = [
        ("Version", target.version.clone()),
        ("ReleaseVersion", (!custom).then(|| target.release_version.clone())),
        ("LaunchTemplateName", template.map(|template| template.name.clone())),
        ("LaunchTemplateVersion", template.map(|template| template.version.to_string())),
    ];
    each.into_iter().filter_map(|(kind, value)| Some(json!({ "type": kind, "value": value? }))).collect()
}
