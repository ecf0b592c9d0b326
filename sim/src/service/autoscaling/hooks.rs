//! `DescribeLifecycleHooks`.

use super::{Call, group_name, refused};
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::xml::Xml;

/// `DescribeLifecycleHooks`. The list has no pages: a group has fifty hooks at most.
pub fn describe(call: &Call<'_>, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let name = group_name(&mut params)?;
    let names = params.list("LifecycleHookNames");
    params.finish()?;
    let group = call.region.existing_group(&name).map_err(|refusal| refused(&name, refusal))?;
    let hooks = group.hooks.iter().filter(|hook| names.is_empty() || names.contains(&hook.name));
    xml.list("LifecycleHooks", "member", hooks, |xml, hook| {
        xml.text("LifecycleHookName", &hook.name);
        xml.text("AutoScalingGroupName", &group.name);
        let transition = if hook.terminating { "TERMINATING" } else { "LAUNCHING" };
        xml.text("LifecycleTransition", &format!("autoscaling:EC2_INSTANCE_{transition}"));
        xml.value("HeartbeatTimeout", hook.heartbeat_timeout);
        xml.value("GlobalTimeout", u64::from(hook.heartbeat_timeout).saturating_mul(100).min(172_800));
        xml.text("DefaultResult", &hook.default_result);
    });
    Ok(())
}
