//! Whoever tells EKS or Auto Scaling what to launch has to be allowed to launch it.

use super::Call;
use crate::iam::{Denial, Question};
use crate::world::{LaunchSource, Region, Tags, TemplateData, TemplateSpecification};

/// An action that the caller is not allowed, and why.
pub struct Forbidden {
    /// `ec2:RunInstances` and others.
    pub action: &'static str,
    /// Which policy says no.
    pub denial: Denial,
}

/// Could the caller launch an instance from this version of a template? Both services try it in the caller's name.
pub fn may_launch(call: &Call<'_>, data: &TemplateData) -> Result<(), Forbidden> {
    let instances = call.account.arn("ec2", call.region_name, "instance/*");
    may(call, "ec2:RunInstances", &instances)?;
    if !data.tags.is_empty() {
        may(call, "ec2:CreateTags", &instances)?;
    }
    if let Some(profile) = &data.profile {
        let role = format!("arn:{}:iam::{}:role/{profile}", call.account.partition, call.account.id);
        may(call, "iam:PassRole", &role)?;
    }
    Ok(())
}

/// Every template that a group would launch from, with the version's data where there is such a version.
pub fn templates<'s>(
    region: &'s Region,
    source: &'s LaunchSource,
) -> Vec<(&'s TemplateSpecification, Option<&'s TemplateData>)> {
    let named = source.templates().into_iter();
    let with_data = named.map(|named| {
        let template = region.templates.get(&named.id);
        let number = template.and_then(|template| template.number_of(&named.version));
        let version = template.zip(number).and_then(|(template, number)| template.versions.get(&number));
        (named, version.map(|version| &version.data))
    });
    with_data.collect()
}

fn may(call: &Call<'_>, action: &'static str, resource: &str) -> Result<(), Forbidden> {
    let question = Question {
        action,
        resource,
        tags: &Tags::new(),
        region: call.region_name,
        external_id: None,
        passed_to: Some("ec2.amazonaws.com"),
    };
    call.caller.may(&question).map_err(|denial| Forbidden { action, denial })
}
