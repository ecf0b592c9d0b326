//! Instance refreshes.

use super::source::{self, whole};
use super::{Call, group_name, groups, invalid, may_use, page, refused};
use crate::progress::Thing;
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::wire::time::iso;
use crate::wire::xml::Xml;
use crate::world::{Group, LaunchSource, Preferences, Refresh, RefreshStatus, Region, Reserved};

/// `StartInstanceRefresh`. The refresh begins, and goes on whenever someone looks at it.
pub fn start(
    call: &Call<'_>,
    region: &mut Region,
    mut params: Params,
    xml: &mut Xml,
) -> Result<(), ApiError> {
    let name = group_name(&mut params)?;
    match params.text("Strategy").as_deref() {
        None | Some("Rolling") => {}
        Some(other) => return Err(invalid(format!("The simulator knows no strategy {other}, only Rolling"))),
    }
    let desired = source::read(&mut params, "DesiredConfiguration.", region)?;
    let preferences = preferences(&mut params)?;
    params.finish()?;
    may_use(call, desired.as_ref())?;
    let refresh =
        region.start_refresh(&name, desired, preferences).map_err(|refusal| refused(&name, refusal))?;
    if call.settings.looks_per_stage == 0 {
        region.finish_refresh_now(&name, call.now);
    }
    xml.text("InstanceRefreshId", &refresh.id);
    Ok(())
}

fn preferences(params: &mut Params) -> Result<Preferences, ApiError> {
    Ok(Preferences {
        min_healthy: whole(params, "Preferences.MinHealthyPercentage")?,
        max_healthy: whole(params, "Preferences.MaxHealthyPercentage")?,
        warmup: whole(params, "Preferences.InstanceWarmup")?,
        skip_matching: params.flag("Preferences.SkipMatching")?.unwrap_or(false),
        auto_rollback: params.flag("Preferences.AutoRollback")?.unwrap_or(false),
        protected: reserved(params, "Preferences.ScaleInProtectedInstances", PROTECTED)?,
        standby: reserved(params, "Preferences.StandbyInstances", STANDBY)?,
    })
}

/// What AWS calls it when instances are replaced although they are protected from scale-in, or in standby.
const PROTECTED: &str = "Refresh";
const STANDBY: &str = "Terminate";

fn reserved(params: &mut Params, name: &str, replace: &str) -> Result<Option<Reserved>, ApiError> {
    match params.text(name).as_deref() {
        None => Ok(None),
        Some("Wait") => Ok(Some(Reserved::Wait)),
        Some("Ignore") => Ok(Some(Reserved::Ignore)),
        Some(word) if word == replace => Ok(Some(Reserved::Replace)),
        Some(other) => Err(invalid(format!("{name} can only be {replace}, Ignore or Wait, it is '{other}'"))),
    }
}

/// `CancelInstanceRefresh`.
pub fn cancel(_: &Call<'_>, region: &mut Region, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let name = group_name(&mut params)?;
    // Here nothing is ever between launch and arrival: there is nothing to wait for.
    params.flag("WaitForTransitioningInstances")?;
    params.finish()?;
    let id = region.cancel_refresh(&name).map_err(|refusal| refused(&name, refusal))?;
    xml.text("InstanceRefreshId", &id);
    Ok(())
}

/// `RollbackInstanceRefresh`.
pub fn roll_back(
    call: &Call<'_>,
    region: &mut Region,
    mut params: Params,
    xml: &mut Xml,
) -> Result<(), ApiError> {
    let name = group_name(&mut params)?;
    params.finish()?;
    let id = region.roll_refresh_back(&name, call.now).map_err(|refusal| refused(&name, refusal))?;
    xml.text("InstanceRefreshId", &id);
    Ok(())
}

/// `DescribeInstanceRefreshes`, the newest first.
pub fn describe(call: &Call<'_>, mut params: Params, xml: &mut Xml) -> Result<(), ApiError> {
    let question = params.question();
    let page = page(call, "DescribeInstanceRefreshes", 50, 100, &question, &mut params)?;
    let name = group_name(&mut params)?;
    let ids = params.list("InstanceRefreshIds");
    params.finish()?;
    let group = call.region.existing_group(&name).map_err(|refusal| refused(&name, refusal))?;
    let wanted: Vec<&Refresh> =
        group.refreshes.iter().rev().filter(|refresh| ids.is_empty() || ids.contains(&refresh.id)).collect();
    let (refreshes, next) = page.of(&wanted);
    if refreshes.iter().any(|refresh| refresh.status.is_active()) {
        call.saw(Thing::InstanceRefresh(name));
    }
    xml.list("InstanceRefreshes", "member", refreshes, |xml, refresh| write(xml, group, refresh));
    xml.optional("NextToken", next.as_deref());
    Ok(())
}

fn write(xml: &mut Xml, group: &Group, refresh: &Refresh) {
    xml.text("InstanceRefreshId", &refresh.id);
    xml.text("AutoScalingGroupName", &group.name);
    xml.text("Status", refresh.status.as_str());
    xml.optional("StatusReason", refresh.reason.as_deref());
    xml.optional("StartTime", refresh.started.map(iso).as_deref());
    xml.optional("EndTime", refresh.ended.map(iso).as_deref());
    if refresh.status != RefreshStatus::Pending {
        xml.value("PercentageComplete", refresh.percentage());
        xml.value("InstancesToUpdate", refresh.to_update());
    }
    xml.element("Preferences", |xml| write_preferences(xml, &refresh.preferences));
    if let Some(desired) = &refresh.desired {
        xml.element("DesiredConfiguration", |xml| match desired {
            LaunchSource::Template(template) => {
                xml.element("LaunchTemplate", |xml| groups::specification(xml, template));
            }
            LaunchSource::Mixed(policy) => {
                xml.element("MixedInstancesPolicy", |xml| groups::mixed(xml, policy));
            }
            // Nobody can desire one.
            LaunchSource::LaunchConfiguration(_) => {}
        });
    }
    if let Some(rollback) = &refresh.rollback {
        xml.element("RollbackDetails", |xml| {
            xml.text("RollbackReason", &rollback.reason);
            xml.text("RollbackStartTime", &iso(rollback.started));
            xml.value("PercentageCompleteOnRollback", rollback.percentage);
            xml.value("InstancesToUpdateOnRollback", rollback.to_update);
        });
    }
    xml.text("Strategy", "Rolling");
}

fn write_preferences(xml: &mut Xml, preferences: &Preferences) {
    xml.value("MinHealthyPercentage", preferences.min_healthy.unwrap_or(90));
    if let Some(max) = preferences.max_healthy {
        xml.value("MaxHealthyPercentage", max);
    }
    if let Some(warmup) = preferences.warmup {
        xml.value("InstanceWarmup", warmup);
    }
    xml.value("SkipMatching", preferences.skip_matching);
    xml.value("AutoRollback", preferences.auto_rollback);
    let word = |what: Option<Reserved>, replace: &'static str| match what.unwrap_or_default() {
        Reserved::Wait => "Wait",
        Reserved::Ignore => "Ignore",
        Reserved::Replace => replace,
    };
    xml.text("ScaleInProtectedInstances", word(preferences.protected, PROTECTED));
    xml.text("StandbyInstances", word(preferences.standby, STANDBY));
}
