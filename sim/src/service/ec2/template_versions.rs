//! `DescribeLaunchTemplateVersions`.

use super::{Call, Sizes, operator, page, template_data, templates};
use crate::wire::error::ApiError;
use crate::wire::filter::{self, Values};
use crate::wire::query::Params;
use crate::wire::time::iso;
use crate::wire::xml::Xml;
use crate::world::{LaunchTemplate, Switch, TemplateVersion, Tokens};

const FILTERS: &[&str] = &[
    "create-time",
    "ebs-optimized",
    "http-endpoint",
    "http-tokens",
    "iam-instance-profile",
    "image-id",
    "instance-type",
    "is-default-version",
];

/// A version, and the template it is of.
type Found<'r> = (&'r LaunchTemplate, &'r TemplateVersion);

/// `DescribeLaunchTemplateVersions`.
pub fn describe(call: &Call<'_>, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let question = params.question();
    let sizes = Sizes { min: 1, max: 200, default: 200 };
    let (page, _) = page(call, "DescribeLaunchTemplateVersions", &sizes, &question, &mut params)?;
    let id = params.text("LaunchTemplateId");
    let name = params.text("LaunchTemplateName");
    let versions = params.list("LaunchTemplateVersion");
    let range = (params.text("MinVersion"), params.text("MaxVersion"));
    let filters = params.filters()?;
    let resolve = params.flag("ResolveAlias")?.unwrap_or(false);
    let managed = params.flag("IncludeManagedResources")?.unwrap_or(false);
    params.finish()?;
    filter::known(&filters, FILTERS)?;
    let template = match (id, name) {
        (Some(id), None) => Some(templates::by_id(call.region, &id, managed)?),
        (None, Some(name)) => Some(templates::by_name(call.region, &name, managed)?),
        (None, None) => None,
        (Some(_), Some(_)) => return Err(templates::both()),
    };
    let mut found = match template {
        Some(template) => of_template(template, &versions, &range)?,
        None => of_region(templates::visible(call.region, managed), &versions, &range)?,
    };
    found.retain(|found| filter::matches(&filters, |name| values(name, *found)));
    let (found, next) = page.of(&found);
    xml.list("launchTemplateVersionSet", "item", found, |xml, (template, version)| {
        write(xml, template, version, resolve);
    });
    xml.optional("nextToken", next.as_deref());
    Ok(())
}

type Range = (Option<String>, Option<String>);

fn of_template<'r>(
    template: &'r LaunchTemplate,
    versions: &[String],
    range: &Range,
) -> Result<Vec<Found<'r>>, ApiError> {
    if versions.is_empty() {
        let bound = |text: &Option<String>, otherwise: u64| match text {
            None => Ok(otherwise),
            Some(text) => number(template, text),
        };
        let (from, to) = (bound(&range.0, 0)?, bound(&range.1, u64::MAX)?);
        let inside = template.versions.values().rev();
        return Ok(inside
            .filter(|version| (from..=to).contains(&version.number))
            .map(|version| (template, version))
            .collect());
    }
    if range.0.is_some() || range.1.is_some() {
        return Err(ApiError::bad(
            "InvalidParameterCombination",
            "The parameter LaunchTemplateVersion cannot be used with MinVersion or MaxVersion",
        ));
    }
    let mut found: Vec<Found<'r>> = Vec::with_capacity(versions.len());
    for wanted in versions {
        let number = existing(template, wanted)?;
        let Some(version) = template.versions.get(&number) else { continue };
        if !found.iter().any(|(_, known)| known.number == number) {
            found.push((template, version));
        }
    }
    Ok(found)
}

/// The number of a version that exists.
pub fn existing(template: &LaunchTemplate, wanted: &str) -> Result<u64, ApiError> {
    let number = number(template, wanted)?;
    if template.versions.contains_key(&number) {
        return Ok(number);
    }
    Err(ApiError::bad(
        "InvalidLaunchTemplateId.VersionNotFound",
        format!(
            "Could not find the specified version {wanted} for the launch template with ID {}.",
            template.id
        ),
    ))
}

fn number(template: &LaunchTemplate, text: &str) -> Result<u64, ApiError> {
    template.number_of(text).ok_or_else(|| {
        ApiError::bad(
            "InvalidParameterValue",
            format!("Invalid launch template version: either '$Default', '$Latest', or a numeric version are allowed; '{text}' is not."),
        )
    })
}

/// Without a template: the latest and the default versions of all of them.
fn of_region<'r>(
    templates: impl Iterator<Item = &'r LaunchTemplate>,
    versions: &[String],
    range: &Range,
) -> Result<Vec<Found<'r>>, ApiError> {
    if range.0.is_some() || range.1.is_some() || versions.is_empty() {
        return Err(ApiError::bad(
            "MissingParameter",
            "The request must contain the parameter LaunchTemplateId or LaunchTemplateName, or the versions $Latest or $Default",
        ));
    }
    if let Some(other) = versions.iter().find(|version| !matches!(version.as_str(), "$Latest" | "$Default")) {
        return Err(ApiError::bad(
            "InvalidParameterValue",
            format!("Without a launch template only '$Default' and '$Latest' are allowed; '{other}' is not."),
        ));
    }
    let mut found: Vec<Found<'r>> = Vec::new();
    for template in templates {
        let mut numbers: Vec<u64> =
            versions.iter().filter_map(|version| template.number_of(version)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        found.extend(numbers.iter().filter_map(|number| Some((template, template.versions.get(number)?))));
    }
    Ok(found)
}

fn values<'a>(name: &str, (template, version): Found<'a>) -> Values<'a> {
    let data = &version.data;
    let options = data.metadata_options.unwrap_or_default();
    match name {
        "create-time" => filter::made(iso(version.created)),
        "ebs-optimized" => data.ebs_optimized.map(filter::made).unwrap_or_default(),
        "http-endpoint" => filter::one(options.http_endpoint.map(Switch::as_str)),
        "http-tokens" => filter::one(options.http_tokens.map(Tokens::as_str)),
        "iam-instance-profile" => filter::one(data.profile.as_deref()),
        "image-id" => filter::one(data.image.as_deref()),
        "instance-type" => filter::one(data.instance_type.as_deref()),
        _ => filter::made(version.number == template.default_version),
    }
}

/// A version, with what it sets.
pub fn write(xml: &mut Xml, template: &LaunchTemplate, version: &TemplateVersion, resolve: bool) {
    xml.text("launchTemplateId", &template.id);
    xml.text("launchTemplateName", &template.name);
    xml.value("versionNumber", version.number);
    xml.optional("versionDescription", version.description.as_deref());
    xml.text("createTime", &iso(version.created));
    xml.text("createdBy", &version.created_by);
    xml.value("defaultVersion", version.number == template.default_version);
    xml.element("launchTemplateData", |xml| template_data::write(xml, &version.data, resolve));
    operator(xml, template.operator.as_deref());
}
