//! `DescribeLaunchTemplates`.

use super::{Call, Sizes, operator, page, tag_set, well_formed};
use crate::service::{Asked, Resource};
use crate::wire::error::ApiError;
use crate::wire::filter;
use crate::wire::query::Params;
use crate::wire::time::iso;
use crate::wire::xml::Xml;
use crate::world::{LaunchTemplate, Region};

const FILTERS: &[&str] = &["create-time", "launch-template-name", "tag-key", "tag:"];

/// `DescribeLaunchTemplates`.
pub fn describe(call: &Call<'_>, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let question = params.question();
    let sizes = Sizes { min: 1, max: 200, default: 200 };
    let (page, _) = page(call, "DescribeLaunchTemplates", &sizes, &question, &mut params)?;
    let ids = params.list("LaunchTemplateId");
    let names = params.list("LaunchTemplateName");
    let filters = params.filters()?;
    let managed = params.flag("IncludeManagedResources")?.unwrap_or(false);
    params.finish()?;
    filter::known(&filters, FILTERS)?;
    for id in &ids {
        by_id(call.region, id, managed)?;
    }
    for name in &names {
        by_name(call.region, name, managed)?;
    }
    let templates: Vec<&LaunchTemplate> = visible(call.region, managed)
        .filter(|template| ids.is_empty() || ids.contains(&template.id))
        .filter(|template| names.is_empty() || names.contains(&template.name))
        .filter(|template| {
            filter::matches(&filters, |name| {
                filter::of_tags(&template.tags, name).unwrap_or_else(|| match name {
                    "create-time" => filter::made(iso(template.created)),
                    _ => filter::one(template.name.as_str()),
                })
            })
        })
        .collect();
    let (templates, next) = page.of(&templates);
    xml.list("launchTemplates", "item", templates, |xml, template| write(xml, template));
    xml.optional("nextToken", next.as_deref());
    Ok(())
}

/// The templates of a Region; those that a service manages only on request.
pub fn visible(region: &Region, managed: bool) -> impl Iterator<Item = &LaunchTemplate> {
    region.templates.values().filter(move |template| managed || template.operator.is_none())
}

/// The one template that an operation is on, by its id or its name. Those that a service manages are not found.
pub fn named<'r>(region: &'r Region, params: &mut Params) -> Result<&'r LaunchTemplate, ApiError> {
    match (params.text("LaunchTemplateId"), params.text("LaunchTemplateName")) {
        (Some(id), None) => by_id(region, &id, false),
        (None, Some(name)) => by_name(region, &name, false),
        (None, None) => Err(ApiError::bad(
            "MissingParameter",
            "The request must contain the parameter LaunchTemplateId or LaunchTemplateName",
        )),
        (Some(_), Some(_)) => Err(both()),
    }
}

/// Refuses a template that is named in two ways.
pub fn both() -> ApiError {
    ApiError::bad(
        "InvalidParameterCombination",
        "The parameters LaunchTemplateId and LaunchTemplateName cannot be used together",
    )
}

/// The template that a request names, as far as a policy is concerned.
pub fn resource(call: &Call<'_>, asked: &Asked<'_>) -> Resource {
    let (id, name) = (asked.params.peek("LaunchTemplateId"), asked.params.peek("LaunchTemplateName"));
    let mut all = call.region.templates.values();
    let found = all.find(|one| Some(one.id.as_str()) == id || Some(one.name.as_str()) == name);
    let id = found.map(|template| template.id.as_str()).or(id).unwrap_or("*");
    Resource {
        arn: call.account.arn("ec2", call.region_name, &format!("launch-template/{id}")),
        tags: found.map(|template| template.tags.clone()).unwrap_or_default(),
    }
}

/// The template with an id.
pub fn by_id<'r>(region: &'r Region, id: &str, managed: bool) -> Result<&'r LaunchTemplate, ApiError> {
    if !well_formed(id, "lt-") {
        return Err(ApiError::bad(
            "InvalidLaunchTemplateId.Malformed",
            format!("Invalid id: \"{id}\" (expecting \"lt-...\")"),
        ));
    }
    region.templates.get(id).filter(|template| managed || template.operator.is_none()).ok_or_else(|| {
        ApiError::bad(
            "InvalidLaunchTemplateId.NotFound",
            format!("The specified launch template, with template ID {id}, does not exist."),
        )
    })
}

/// The template with a name.
pub fn by_name<'r>(region: &'r Region, name: &str, managed: bool) -> Result<&'r LaunchTemplate, ApiError> {
    visible(region, managed).find(|template| template.name == name).ok_or_else(|| {
        ApiError::bad(
            "InvalidLaunchTemplateName.NotFoundException",
            format!("The specified launch template, with template name {name}, does not exist."),
        )
    })
}

/// A template, without its versions.
pub fn write(xml: &mut Xml, template: &LaunchTemplate) {
    xml.text("launchTemplateId", &template.id);
    xml.text("launchTemplateName", &template.name);
    xml.text("createTime", &iso(template.created));
    xml.text("createdBy", &template.created_by);
    xml.value("defaultVersionNumber", template.default_version);
    xml.value("latestVersionNumber", template.latest_version());
    tag_set(xml, &template.tags);
    operator(xml, template.operator.as_deref());
}
