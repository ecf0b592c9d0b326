//! Instances, and the account's defaults for new ones.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, Reservation};

use super::reader::Reader;
use super::traces::{self, Lookout, tag_keys};
use crate::aws::convert::ec2 as convert;
use crate::aws::errors::failed;
use crate::aws::operations::{DESCRIBE_INSTANCES, GET_INSTANCE_METADATA_DEFAULTS};
use crate::aws::pages;
use crate::model::{AccountDefaults, Instance, InstanceId, Read};

/// The most instances in a page, and the most ids in a call.
const PAGE: i32 = 1000;
const IDS: usize = 1000;

/// By id, so that an instance that moved between two pages counts once.
pub(super) type Instances = BTreeMap<InstanceId, Instance>;

/// Every instance, or every one that carries a trace of EKS.
pub(super) async fn listed(reader: &Reader<'_>, all: bool, lookout: &Lookout) -> Instances {
    let client = &reader.clients.ec2;
    let states = ["pending", "running", "stopping", "stopped"].map(str::to_owned).to_vec();
    let mut filters = vec![filter("instance-state-name", states)];
    if !all {
        filters.push(filter("tag-key", tag_keys()));
    }
    let listed = pages::collect(DESCRIBE_INSTANCES, async |token| {
        let call = client
            .describe_instances()
            .set_filters(Some(filters.clone()))
            // Nodes of EKS Auto Mode are hidden without this.
            .include_managed_resources(true)
            .max_results(PAGE)
            .set_next_token(token);
        let page = call.send().await.map_err(failed(DESCRIBE_INSTANCES))?;
        let found = instances(page.reservations);
        lookout.tell(found.iter().any(|instance| all || traces::are_in(&instance.tags)));
        Ok((found, page.next_token))
    });
    let (found, _) = reader.keep_listed(listed.await);
    by_id(found)
}

/// Whether this is the id of an instance, existing or not. EC2 calls what does not look like one an error.
pub(super) fn is_id(text: &str) -> bool {
    let digits = text.strip_prefix("i-").unwrap_or_default();
    matches!(digits.len(), 8 | 17) && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// The name of the Auto Scaling group that an instance is in.
pub(super) fn group_of(instance: &Instance) -> Option<&str> {
    instance.tags.get("aws:autoscaling:groupName")
}

/// The instances of these ids, where they still exist; and whether all could be asked for.
pub(super) async fn of_ids(reader: &Reader<'_>, ids: Vec<String>) -> (Instances, bool) {
    let client = &reader.clients.ec2;
    if ids.is_empty() || reader.is_hopeless(DESCRIBE_INSTANCES) {
        return (Instances::new(), ids.is_empty());
    }
    let listed = pages::by_ids(DESCRIBE_INSTANCES, ids, IDS, async |ids, token| {
        // No page size here: it may not be combined with ids.
        let call = client
            .describe_instances()
            .set_instance_ids(Some(ids))
            .include_managed_resources(true)
            .set_next_token(token);
        let page = call.send().await.map_err(failed(DESCRIBE_INSTANCES))?;
        Ok((instances(page.reservations), page.next_token))
    });
    let listed = listed.await;
    let (found, complete) = reader.keep_listed(listed);
    (by_id(found), complete)
}

/// The account's metadata defaults in this Region.
pub(super) async fn account_defaults(reader: &Reader<'_>) -> Read<AccountDefaults> {
    let answer = reader.clients.ec2.get_instance_metadata_defaults().send().await;
    match reader.keep(answer.map_err(failed(GET_INSTANCE_METADATA_DEFAULTS))) {
        Some(answer) => Read::Known(convert::account_defaults(answer.account_level())),
        None => Read::Failed,
    }
}

fn filter(name: &str, values: Vec<String>) -> Filter {
    Filter::builder().name(name).set_values(Some(values)).build()
}

fn instances(reservations: Option<Vec<Reservation>>) -> Vec<Instance> {
    let reservations = reservations.into_iter().flatten();
    let instances = reservations.flat_map(|reservation| reservation.instances.unwrap_or_default());
    instances.flat_map(convert::instances).collect()
}

fn by_id(instances: Vec<Instance>) -> Instances {
    instances.into_iter().map(|instance| (instance.id.clone(), instance)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_looks_like_one() {
        assert!(is_id("i-0123abcd") && is_id("i-0123456789abcdef0"));
        for text in ["", "i-", "i-0123", "i-0123ABCD", "i-0123456g", "0123abcd", "i-0123456789abcdef01"] {
            assert!(!is_id(text), "{text}");
        }
    }
}
