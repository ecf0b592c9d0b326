//! `CreateLaunchTemplateVersion`.

use super::{Call, template_data, template_versions, templates};
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::xml::Xml;
use crate::world::{Region, TemplateData, TemplateVersion};

/// `CreateLaunchTemplateVersion`: with a `SourceVersion` the version is that one, and what the request sets in its
/// place; without, it is what the request sets and nothing else. Numbers are never given twice.
pub fn run(call: &Call<'_>, region: &mut Region, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let template = templates::named(call.region, &mut params)?;
    let source = params.text("SourceVersion");
    let description = params.text("VersionDescription");
    let resolve = params.flag("ResolveAlias")?.unwrap_or(false);
    if !params.has("LaunchTemplateData.") {
        return Err(super::missing("LaunchTemplateData"));
    }
    let given = template_data::read(call, &mut params)?;
    params.finish()?;
    if description.as_ref().is_some_and(|text| text.chars().count() > 255) {
        return Err(ApiError::bad(
            "InvalidParameterValue",
            "The version description must have no more than 255 characters",
        ));
    }
    let warnings = warnings(call.region, &given);
    let data = match source {
        None => given,
        Some(source) => {
            let number = template_versions::existing(template, &source)?;
            let source = template.versions.get(&number).map(|version| version.data.clone());
            source.unwrap_or_default().overlaid(given, call.settings.metadata_options_overlay)
        }
    };
    let most = call.settings.template_versions;
    if template.versions.len() >= most {
        return Err(ApiError::bad(
            "VersionLimitExceeded",
            format!("The launch template {} has {most} versions, and can have no more.", template.id),
        ));
    }
    let template =
        region.templates.get_mut(&template.id).ok_or_else(|| super::missing("LaunchTemplateId"))?;
    let number = template.last_number + 1;
    let version =
        TemplateVersion { number, description, created: call.now, created_by: call.caller.arn(), data };
    xml.element("launchTemplateVersion", |xml| template_versions::write(xml, template, &version, resolve));
    warn(xml, &warnings);
    template.add(version);
    Ok(())
}

/// What EC2 creates all the same, and says that nothing can be launched from.
fn warnings(region: &Region, given: &TemplateData) -> Vec<(&'static str, String)> {
    let mut warnings = Vec::new();
    if let (Some(image), None) = (&given.image, &given.resolved_image) {
        warnings.push(("InvalidAMIID.NotFound", format!("The image id '[{image}]' does not exist")));
    }
    let gone = given.resolved_image.as_ref().and_then(|image| region.images.get(image));
    if let Some(image) = gone.filter(|image| !image.status.can_launch()) {
        warnings.push((
            "InvalidAMIID.Unavailable",
            format!("The image id '[{}]' is no longer available", image.id),
        ));
    }
    warnings
}

fn warn(xml: &mut Xml, warnings: &[(&str, String)]) {
    if warnings.is_empty() {
        return;
    }
    xml.element("warning", |xml| {
        xml.list("errorSet", "item", warnings, |xml, (code, message)| {
            xml.text("code", code);
            xml.text("message", message);
        });
    });
}
