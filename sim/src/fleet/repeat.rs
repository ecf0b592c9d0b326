//! `repeat`: many things that differ by a number.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::identity::{MemberSpec, UnitSpec};
use super::nodes::{ClusterSpec, GroupSpec, InstanceSpec, KarpenterSpec, NodeGroupSpec};
use super::schema::{AccountSpec, FleetFile, LaunchConfigurationSpec, TemplateSpec};

/// Make `count` copies. `{as}` in any text of the item, and of what is inside it, becomes the number of the copy.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// How many.
    pub count: u32,
    /// The number of the first.
    #[serde(default = "first")]
    pub from: u32,
    /// The name of the number.
    #[serde(default = "variable", rename = "as")]
    pub variable: String,
}

fn first() -> u32 {
    1
}

fn variable() -> String {
    "n".to_owned()
}

/// What can carry `repeat`.
trait Repeatable: Serialize + DeserializeOwned {
    fn take_repeat(&mut self) -> Option<Repeat>;
}

macro_rules! repeatable {
    ($($spec:ty),+) => {
        $(impl Repeatable for $spec {
            fn take_repeat(&mut self) -> Option<Repeat> {
                self.repeat.take()
            }
        })+
    };
}

repeatable!(
    AccountSpec,
    ClusterSpec,
    GroupSpec,
    InstanceSpec,
    KarpenterSpec,
    LaunchConfigurationSpec,
    MemberSpec,
    NodeGroupSpec,
    TemplateSpec,
    UnitSpec
);

/// Resolves every `repeat`, the outer ones first, so that an inner item sees the outer numbers.
pub fn expand(file: &mut FleetFile) -> Result<(), serde_json::Error> {
    all(&mut file.accounts)?;
    for organization in &mut file.organizations {
        all(&mut organization.accounts)?;
        units(&mut organization.organizational_units)?;
    }
    for region in file.accounts.iter_mut().flat_map(|account| &mut account.regions) {
        all(&mut region.launch_templates)?;
        all(&mut region.launch_configurations)?;
        all(&mut region.groups)?;
        all(&mut region.instances)?;
        all(&mut region.clusters)?;
        for cluster in &mut region.clusters {
            all(&mut cluster.node_groups)?;
            all(&mut cluster.self_managed)?;
            all(&mut cluster.karpenter)?;
            all(&mut cluster.standalone)?;
        }
    }
    Ok(())
}

fn units(specs: &mut Vec<UnitSpec>) -> Result<(), serde_json::Error> {
    all(specs)?;
    specs.iter_mut().try_for_each(|spec| units(&mut spec.organizational_units))
}

fn all<T: Repeatable>(items: &mut Vec<T>) -> Result<(), serde_json::Error> {
    let mut expanded = Vec::with_capacity(items.len());
    for mut item in items.drain(..) {
        let Some(repeat) = item.take_repeat() else {
            expanded.push(item);
            continue;
        };
        let pattern = serde_json::to_value(&item)?;
        let placeholder = format!("{{{}}}", repeat.variable);
        for number in repeat.from..repeat.from.saturating_add(repeat.count) {
            let mut copy = pattern.clone();
            substitute(&mut copy, &placeholder, &number.to_string());
            expanded.push(serde_json::from_value(copy)?);
        }
    }
    *items = expanded;
    Ok(())
}

fn substitute(value: &mut Value, placeholder: &str, number: &str) {
    match value {
        Value::String(text) => {
            if text.contains(placeholder) {
                *text = text.replace(placeholder, number);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| substitute(item, placeholder, number)),
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| substitute(field, placeholder, number));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
