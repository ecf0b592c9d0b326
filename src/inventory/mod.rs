//! Saved inventories: what was read of a fleet, in a file that can be judged again without AWS.
//!
//! One JSON object a line. First a [`Header`]; then one line for each account and Region, `inventory` with all that
//! was read there or `unread` with the reason; last the [`End`], without which a file is not whole. A file holds what
//! [`crate::model`] holds and nothing else, so what never becomes part of the model, user data first of all, is in
//! no file. It may be compressed.

mod packing;
mod read;
mod write;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Coverage, Inventory, Needs};
use crate::schema;

pub use read::{ReadError, Reader};
pub use write::Writer;

/// The value of a header's `schema`. A change that makes an older reader judge wrongly makes a new version.
pub const SCHEMA: &str = "imdsctl.inventory/v1";

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Header {
    /// [`SCHEMA`]
    pub schema: String,
    /// `imdsctl`
    pub tool: String,
    /// The version of imdsctl that wrote it.
    pub version: String,
    /// What it holds besides what belongs to clusters.
    pub holds: Needs,
}

/// Any other line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// What was read of an account in a Region.
    Inventory(Box<Inventory>),
    /// An account in a Region that was not read, and why.
    Unread(Box<Coverage>),
    /// The last line.
    End(End),
}

/// The last line: nothing is missing between the first and this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct End {
    /// How many lines there are between the first and this.
    pub scopes: u64,
    /// How the reading went; the only part that differs between two files of the same fleet.
    pub reading: Reading,
}

/// How a fleet was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// When it began.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started_at: Timestamp,
    /// When everything was read.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub finished_at: Timestamp,
    /// How many requests were sent, by `service:Operation`.
    pub api_calls: BTreeMap<String, u64>,
    /// How many of them AWS refused for their rate.
    pub api_throttled: u64,
    /// Whether it was interrupted. What was not read by then is `unread`.
    pub interrupted: bool,
}

/// The JSON Schema of a line: of the first, or of any other.
pub fn line_schema() -> serde_json::Value {
    schema::of::<AnyLine>("urn:imdsctl:inventory:v1", "a line of an imdsctl inventory, version 1", SCHEMA)
}

/// Every member that a line may have. The first line has the first four of them, any other one of the rest.
#[derive(Serialize, JsonSchema)]
struct AnyLine {
    /// `imdsctl.inventory/v1`
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<String>,
    /// `imdsctl`
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<String>,
    /// The version of imdsctl that wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// What it holds besides what belongs to clusters.
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<Needs>,
    /// What was read of an account in a Region.
    #[serde(skip_serializing_if = "Option::is_none")]
    inventory: Option<Inventory>,
    /// An account in a Region that was not read, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<Coverage>,
    /// The last line.
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<End>,
}

#[cfg(test)]
mod tests;
