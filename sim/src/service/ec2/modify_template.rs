//! `ModifyLaunchTemplate`.

use super::{Call, template_versions, templates};
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::xml::Xml;
use crate::world::Region;

/// `ModifyLaunchTemplate`: what `$Default` stands for. Whoever launches from `$Default` launches from it from now on.
pub fn run(call: &Call<'_>, region: &mut Region, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let template = templates::named(call.region, &mut params)?;
    let default = params.text("SetDefaultVersion");
    params.finish()?;
    let default = default.ok_or_else(|| super::missing("SetDefaultVersion"))?;
    let number = template_versions::existing(template, &default)?;
    if default.starts_with('$') {
        return Err(ApiError::bad(
            "InvalidParameterValue",
            format!("The default version is set by its number; '{default}' is none."),
        ));
    }
    let template =
        region.templates.get_mut(&template.id).ok_or_else(|| super::missing("LaunchTemplateId"))?;
    template.default_version = number;
    xml.element("launchTemplate", |xml| templates::write(xml, template));
    Ok(())
}
