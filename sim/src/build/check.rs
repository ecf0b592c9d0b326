//! What AWS would not accept either.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Outcome, Problem};
use crate::faults::Faults;
use crate::fleet::nodes::{GroupSpec, NodeGroupSpec};
use crate::fleet::schema::{AccountSpec, FleetFile};
use crate::regions;
use crate::throttle::Throttle;
use crate::world::{AccountDefaults, MetadataOptions, Region, Tags};

/// The fleet as a whole.
pub fn settings(file: &FleetFile) -> Outcome<()> {
    let fleet = |message: String| Problem { place: format!("fleet {:?}", file.name), message };
    if file.accounts.is_empty() {
        return Err(fleet("has no account".to_owned()));
    }
    if file.accounts.iter().all(|account| account.access_keys.is_empty()) {
        return Err(fleet("has no access key: nobody could ask anything".to_owned()));
    }
    Faults::new(&file.faults).map_err(fleet)?;
    Throttle::new(file.settings.throttling.as_ref()).map_err(fleet)?;
    Ok(())
}

/// One account by itself.
pub fn account(spec: &AccountSpec, keys: &mut BTreeSet<String>) -> Outcome<()> {
    let refuse = |message: String| Problem { place: format!("account {}", spec.id), message };
    account_id(&spec.id).map_err(refuse)?;
    if !regions::PARTITIONS.contains(&spec.partition.as_str()) {
        return Err(refuse(format!("there is no partition {:?}", spec.partition)));
    }
    for name in &spec.opted_in {
        if !regions::of(&spec.partition).iter().any(|known| known.opt_in && known.name == name) {
            return Err(refuse(format!("{name} is not a Region that an account can opt in to")));
        }
    }
    for key in &spec.access_keys {
        let valid = key.id.len() >= 16 && key.id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !valid {
            return Err(refuse(format!("{:?} does not look like an access key id", key.id)));
        }
        if !keys.insert(key.id.clone()) {
            return Err(refuse(format!("the access key {} belongs to two", key.id)));
        }
    }
    Ok(())
}

/// Where a fleet may be in its life; an EC2 Fleet is deleted, and a Spot Fleet request is cancelled.
pub const FLEET_STATES: [&str; 9] = [
    "submitted",
    "active",
    "deleted",
    "failed",
    "deleted_running",
    "deleted_terminating",
    "modifying",
    "cancelled",
    "cancelled_running",
];

/// Twelve digits.
pub fn account_id(id: &str) -> Result<(), String> {
    if id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(())
    } else {
        Err(format!("an account id has twelve digits, {id:?} has not; quote it in YAML"))
    }
}

/// How updates of a node group are to fail: with an error that EKS has, and with a node that there is.
pub fn update_fails(spec: &NodeGroupSpec) -> Result<(), String> {
    let Some(script) = &spec.update_fails else { return Ok(()) };
    if !UPDATE_ERRORS.contains(&script.error.as_str()) {
        return Err(format!("update_fails: {:?} is none of {}", script.error, UPDATE_ERRORS.join(", ")));
    }
    fails_in_time("update_fails", script.after_nodes, spec.nodes)
}

/// What can go wrong with an update of a node group, as far as the simulator knows.
const UPDATE_ERRORS: [&str; 8] = [
    "AccessDenied",
    "ClusterUnreachable",
    "EniLimitReached",
    "InsufficientFreeAddresses",
    "IpNotAvailable",
    "NodeCreationFailure",
    "PodEvictionFailure",
    "Unknown",
];

/// What replaces the instances of a group.
pub fn rollout(spec: &GroupSpec) -> Result<(), String> {
    if spec.protected.max(spec.standby) > spec.nodes {
        return Err("has fewer nodes than are protected, or in standby".to_owned());
    }
    for hook in &spec.lifecycle_hooks {
        if !(30..=7200).contains(&hook.heartbeat_timeout) {
            return Err(format!("lifecycle hook {:?}: heartbeat_timeout must be 30 to 7200", hook.name));
        }
        if !matches!(hook.default_result.as_str(), "CONTINUE" | "ABANDON") {
            return Err(format!("lifecycle hook {:?}: default_result is CONTINUE or ABANDON", hook.name));
        }
    }
    let script = spec.refresh_fails.as_ref();
    script.map_or(Ok(()), |script| fails_in_time("refresh_fails", script.after_nodes, spec.nodes))
}

/// What is to fail after more nodes than there are would never fail. A group without nodes fails at once.
fn fails_in_time(key: &str, after_nodes: u32, nodes: u32) -> Result<(), String> {
    if after_nodes < nodes.max(1) {
        Ok(())
    } else {
        Err(format!("{key}: after_nodes must be less than the {nodes} nodes that there are"))
    }
}

/// Hop limits are 1 to 64.
pub fn metadata_options(options: Option<&MetadataOptions>) -> Result<(), String> {
    hop_limit(options.and_then(|options| options.hop_limit))
}

/// Hop limits are 1 to 64 here too; no preference is not -1 but absent.
pub fn account_defaults(defaults: &AccountDefaults) -> Result<(), String> {
    hop_limit(defaults.hop_limit)
}

fn hop_limit(limit: Option<u8>) -> Result<(), String> {
    match limit {
        Some(limit) if !(1..=64).contains(&limit) => Err(format!("hop_limit is {limit}, it can be 1 to 64")),
        _ => Ok(()),
    }
}

/// Names of clusters, node groups and Fargate profiles.
pub fn eks_name(name: &str) -> Result<(), String> {
    let mut characters = name.chars();
    let starts = characters.next().is_some_and(|first| first.is_ascii_alphanumeric());
    let rest = characters.all(|other| other.is_ascii_alphanumeric() || matches!(other, '-' | '_'));
    if starts && rest && name.len() <= 100 {
        Ok(())
    } else {
        Err("EKS names have letters, digits, - and _, and no more than 100 of them".to_owned())
    }
}

/// Every tag of a Region: at most 50, keys to 128 characters, values to 256, and nothing that no wire could carry.
pub fn tags(region: &Region) -> Result<(), (String, String)> {
    for launched in region.instances.chunk_by(|one, other| Arc::ptr_eq(&one.launch, &other.launch)) {
        one(&launched[0].tags()).map_err(|message| (launched[0].id.to_string(), message))?;
    }
    let templates = region.templates.values().map(|template| (&template.id, &template.tags));
    let clusters = region.clusters.values().map(|cluster| (&cluster.name, &cluster.tags));
    let node_groups = region
        .clusters
        .values()
        .flat_map(|cluster| cluster.node_groups.values())
        .map(|group| (&group.name, &group.tags));
    for (thing, tags) in templates.chain(clusters).chain(node_groups) {
        one(tags).map_err(|message| (thing.clone(), message))?;
    }
    Ok(())
}

fn one(tags: &Tags) -> Result<(), String> {
    // Those that begin with `aws:` do not count.
    if tags.keys().filter(|key| !key.starts_with("aws:")).count() > 50 {
        return Err("has more than 50 tags".to_owned());
    }
    for (key, value) in tags {
        if key.is_empty() || key.chars().count() > 128 {
            return Err(format!("the tag key {key:?} must have 1 to 128 characters"));
        }
        if value.chars().count() > 256 {
            return Err(format!("the tag value of {key:?} has more than 256 characters"));
        }
        if key.contains('\0') || value.contains('\0') {
            return Err(format!("the tag {key:?} has a NUL"));
        }
    }
    Ok(())
}
