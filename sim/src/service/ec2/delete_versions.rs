//! `DeleteLaunchTemplateVersions`.

use super::{Call, templates};
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::xml::Xml;
use crate::world::{LaunchTemplate, Region};

/// Why a version was not deleted, in the words that only this operation has.
struct Kept {
    number: u64,
    code: &'static str,
    message: String,
}

/// `DeleteLaunchTemplateVersions`: each that can be deleted is, whatever becomes of the others. Whether anything uses a
/// version does not matter to EC2.
pub fn run(call: &Call<'_>, region: &mut Region, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let template = templates::named(call.region, &mut params)?;
    let numbers = numbers(&params.list("LaunchTemplateVersion"))?;
    params.finish()?;
    let template =
        region.templates.get_mut(&template.id).ok_or_else(|| super::missing("LaunchTemplateId"))?;
    let (mut deleted, mut kept) = (Vec::new(), Vec::new());
    for number in numbers {
        match delete(template, number) {
            Ok(()) => deleted.push(number),
            Err(reason) => kept.push(reason),
        }
    }
    xml.list("successfullyDeletedLaunchTemplateVersionSet", "item", deleted, |xml, number| {
        which(xml, template, number);
    });
    xml.list("unsuccessfullyDeletedLaunchTemplateVersionSet", "item", kept, |xml, kept| {
        which(xml, template, kept.number);
        xml.element("responseError", |xml| {
            xml.text("code", kept.code);
            xml.text("message", &kept.message);
        });
    });
    Ok(())
}

fn numbers(versions: &[String]) -> Result<Vec<u64>, ApiError> {
    if versions.is_empty() {
        return Err(super::missing("LaunchTemplateVersion"));
    }
    if versions.len() > 200 {
        return Err(ApiError::bad(
            "InvalidParameterValue",
            "No more than 200 versions can be deleted in one request",
        ));
    }
    let number = |text: &String| {
        text.parse().map_err(|_| {
            ApiError::bad(
                "InvalidParameterValue",
                format!("Versions are deleted by their numbers; '{text}' is none."),
            )
        })
    };
    versions.iter().map(number).collect()
}

fn delete(template: &mut LaunchTemplate, number: u64) -> Result<(), Kept> {
    if number == template.default_version {
        let message = format!("The default version {number} cannot be deleted.");
        return Err(Kept { number, code: "unexpectedError", message });
    }
    match template.versions.remove(&number) {
        Some(_) => Ok(()),
        None => Err(Kept {
            number,
            code: "launchTemplateVersionDoesNotExist",
            message: format!("The launch template version {number} does not exist."),
        }),
    }
}

fn which(xml: &mut Xml, template: &LaunchTemplate, number: u64) {
    xml.text("launchTemplateId", &template.id);
    xml.text("launchTemplateName", &template.name);
    xml.value("versionNumber", number);
}
