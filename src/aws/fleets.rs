//! EC2 Fleets and Spot Fleets, which launch from templates past any Auto Scaling group.

use aws_sdk_ec2::types::{
    ActivityStatus, BatchState, FleetActivityStatus, FleetData, FleetStateCode, FleetType,
    LaunchTemplateConfig, SpotFleetRequestConfig,
};

use super::convert::template_ref;
use super::errors::{CallError, failed};
use super::operations::{DESCRIBE_FLEETS, DESCRIBE_SPOT_FLEET_REQUESTS};
use super::pages;
use crate::model::FleetLaunch;

/// How many fleets are asked for in a page.
const PAGE: i32 = 100;

/// The fleets of a Region that may still launch an instance from a template.
pub(super) async fn able_to_launch(ec2: &aws_sdk_ec2::Client) -> Result<Vec<FleetLaunch>, CallError> {
    let (fleets, requests) = futures::try_join!(ec2_fleets(ec2), spot_fleets(ec2))?;
    let mut all: Vec<FleetLaunch> = fleets.into_iter().chain(requests).collect();
    all.retain(|fleet| !fleet.templates.is_empty());
    for fleet in &mut all {
        fleet.templates.sort();
        fleet.templates.dedup();
    }
    all.sort();
    Ok(all)
}

/// Fleets of type `instant` are not among them: they have launched all that they ever will.
async fn ec2_fleets(ec2: &aws_sdk_ec2::Client) -> Result<Vec<FleetLaunch>, CallError> {
    let listed = pages::collect(DESCRIBE_FLEETS, async |token| {
        let call = ec2.describe_fleets().max_results(PAGE).set_next_token(token);
        let page = call.send().await.map_err(failed(DESCRIBE_FLEETS))?;
        Ok((page.fleets().iter().filter_map(ec2_fleet).collect(), page.next_token))
    });
    listed.await.complete()
}

async fn spot_fleets(ec2: &aws_sdk_ec2::Client) -> Result<Vec<FleetLaunch>, CallError> {
    let listed = pages::collect(DESCRIBE_SPOT_FLEET_REQUESTS, async |token| {
        let call = ec2.describe_spot_fleet_requests().max_results(PAGE).set_next_token(token);
        let page = call.send().await.map_err(failed(DESCRIBE_SPOT_FLEET_REQUESTS))?;
        Ok((page.spot_fleet_request_configs().iter().filter_map(spot_fleet).collect(), page.next_token))
    });
    listed.await.complete()
}

/// Whether a fleet may launch anything, by its type and by how far it has got. One that was asked for once launches
/// until it is fulfilled; one that is maintained, for as long as it lives. States that AWS adds later count as alive.
fn may_launch(ended: bool, kind: Option<&FleetType>, activity: Option<&str>) -> bool {
    let is_done = match kind.map(FleetType::as_str) {
        Some("instant") => true,
        Some("request") => activity == Some("fulfilled"),
        _ => false,
    };
    !ended && !is_done
}

fn ec2_fleet(from: &FleetData) -> Option<FleetLaunch> {
    use FleetStateCode::{Deleted, DeletedRunning, DeletedTerminatingInstances, Failed};

    let ended =
        matches!(from.fleet_state(), Some(Deleted | DeletedRunning | DeletedTerminatingInstances | Failed));
    let activity = from.activity_status().map(FleetActivityStatus::as_str);
    if !may_launch(ended, from.r#type(), activity) {
        return None;
    }
    let specifications = from.launch_template_configs().iter();
    let templates = specifications.filter_map(|config| {
        let template = config.launch_template_specification()?;
        template_ref(template.launch_template_id(), template.launch_template_name(), template.version())
    });
    Some(FleetLaunch { id: from.fleet_id()?.to_owned(), templates: templates.collect() })
}

fn spot_fleet(from: &SpotFleetRequestConfig) -> Option<FleetLaunch> {
    use BatchState::{Cancelled, CancelledRunning, CancelledTerminatingInstances, Failed};

    let ended = matches!(
        from.spot_fleet_request_state(),
        Some(Cancelled | CancelledRunning | CancelledTerminatingInstances | Failed)
    );
    let config = from.spot_fleet_request_config()?;
    let activity = from.activity_status().map(ActivityStatus::as_str);
    if !may_launch(ended, config.r#type(), activity) {
        return None;
    }
    let templates = config.launch_template_configs().iter().filter_map(reference);
    Some(FleetLaunch { id: from.spot_fleet_request_id()?.to_owned(), templates: templates.collect() })
}

fn reference(config: &LaunchTemplateConfig) -> Option<crate::model::TemplateRef> {
    let template = config.launch_template_specification()?;
    template_ref(template.launch_template_id(), template.launch_template_name(), template.version())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_counts_for_as_long_as_it_may_launch() {
        let (maintain, request) = (Some(&FleetType::Maintain), Some(&FleetType::Request));
        assert!(may_launch(false, maintain, Some("fulfilled")));
        assert!(!may_launch(true, maintain, Some("fulfilled")));
        assert!(may_launch(false, request, Some("pending_fulfillment")));
        assert!(!may_launch(false, request, Some("fulfilled")));
        assert!(!may_launch(false, Some(&FleetType::Instant), None));
        assert!(may_launch(false, None, None), "what is not known may");
    }
}
