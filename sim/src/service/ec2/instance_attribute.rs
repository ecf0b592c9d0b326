//! `DescribeInstanceAttribute`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Call, instances};
use crate::service::{Asked, Resource};
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::xml::Xml;
use crate::world::{Instance, Launcher, Region};

/// `DescribeInstanceAttribute`: the user data, which no other operation shows. Of an instance that was launched from
/// a template it is the template's, while that still exists.
pub fn describe(call: &Call<'_>, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let attribute = params.text("Attribute").unwrap_or_default();
    let ids: Vec<String> = params.text("InstanceId").into_iter().collect();
    params.finish()?;
    if attribute != "userData" {
        return Err(ApiError::bad(
            "InvalidParameterValue",
            format!("Value ({attribute}) for parameter attribute is invalid. There is only userData here."),
        ));
    }
    let found = instances::by_ids(call.region, &ids, |instance| instance.launch.operator.is_none())?;
    let Some(instance) = found.first() else {
        return Err(ApiError::bad("MissingParameter", "The request must contain the parameter InstanceId"));
    };
    xml.value("instanceId", instance.id);
    xml.element("userData", |xml| {
        let encoded = user_data(call.region, instance).map(|text| STANDARD.encode(text));
        xml.optional("value", encoded.as_deref());
    });
    Ok(())
}

/// What the operation is on, as far as a policy is concerned.
pub fn arn(call: &Call<'_>, asked: &Asked<'_>) -> Resource {
    let id = asked.params.peek("InstanceId").unwrap_or("*");
    super::instance_resource(call, id)
}

fn user_data<'r>(region: &'r Region, instance: &Instance) -> Option<&'r str> {
    match &instance.launch.launcher {
        Launcher::Template { id, version, .. } => {
            region.templates.get(id)?.versions.get(version)?.data.user_data.as_deref()
        }
        Launcher::LaunchConfiguration(_) | Launcher::Call => None,
    }
}
