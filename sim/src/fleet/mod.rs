//! Fleets: YAML that describes accounts, Regions and what is in them.

pub(crate) mod fault;
mod generated;
pub(crate) mod identity;
pub(crate) mod nodes;
mod repeat;
pub(crate) mod schema;

pub use self::fault::{Fault, FaultKind, FaultPage};
pub use self::generated::Size;

use std::fmt;
use std::time::Duration;

use self::schema::{FleetFile, Settings};
use crate::build;
use crate::ids;
use crate::throttle::Throttling;
use crate::world::World;

/// The fleet that is built in.
const DEMO: &str = include_str!("../../fleets/demo.yaml");

/// A fleet, read and checked: the world that it describes, and how the simulator is to behave.
#[derive(Debug, Clone)]
pub struct Fleet {
    pub(crate) name: String,
    /// Of the file's text: a state file belongs to the fleet that it was made from.
    pub(crate) fingerprint: String,
    pub(crate) settings: Settings,
    pub(crate) faults: Vec<Fault>,
    pub(crate) world: World,
}

/// Why a fleet file was refused.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// It is not YAML, or says something that the schema does not know.
    #[error("{origin}: {message}")]
    Syntax {
        /// The file.
        origin: String,
        /// The line, from 1, where it is known.
        line: Option<u64>,
        /// The column, from 1, where it is known.
        column: Option<u64>,
        /// What is wrong, with line and column.
        message: String,
    },
    /// It makes no sense: a group names a template that does not exist, a hop limit is 65.
    #[error("{origin}: {place}: {message}")]
    Meaning {
        /// The file.
        origin: String,
        /// The account, the Region and the thing.
        place: String,
        /// What is wrong.
        message: String,
    },
}

/// An access key of a fleet, for a client that wants to try it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetKey {
    /// `AKIA…`.
    pub id: String,
    /// The account it belongs to.
    pub account_id: String,
    /// What people call the account.
    pub account_name: String,
    /// Is it expired?
    pub expired: bool,
    /// The Regions that the fleet describes for the account.
    pub regions: Vec<String>,
}

impl Fleet {
    /// Reads a fleet; `origin` names it in errors.
    ///
    /// # Errors
    /// The text is not YAML, has a key that no fleet has, or describes something that cannot be.
    pub fn from_yaml(text: &str, origin: &str) -> Result<Self, FleetError> {
        let mut file: FleetFile =
            serde_saphyr::from_str(text).map_err(|error| syntax_error(&error, origin))?;
        repeat::expand(&mut file).map_err(|error| FleetError::Syntax {
            origin: origin.to_owned(),
            line: None,
            column: None,
            message: format!("`repeat` cannot be resolved: {error}"),
        })?;
        Self::of(file, &ids::hex(16, &[text]), origin)
    }

    /// Makes an organisation of some size; the same size is always the same fleet.
    ///
    /// # Errors
    /// There is no account, or there are instances and no cluster that they could be nodes of.
    pub fn generated(size: Size) -> Result<Self, FleetError> {
        let origin = format!("the fleet of size {size}");
        let meaning = |message| FleetError::Meaning {
            origin: origin.clone(),
            place: "accounts,clusters,instances".to_owned(),
            message,
        };
        let described = generated::file(size).map_err(meaning)?;
        let file = serde_json::from_value(described).map_err(|error| meaning(error.to_string()))?;
        Self::of(file, &ids::hex(16, &["generated", &size.to_string()]), &origin)
    }

    /// Makes what a file describes.
    fn of(file: FleetFile, fingerprint: &str, origin: &str) -> Result<Self, FleetError> {
        let world = build::world(&file).map_err(|problem| FleetError::Meaning {
            origin: origin.to_owned(),
            place: problem.place,
            message: problem.message,
        })?;
        Ok(Self {
            name: file.name,
            fingerprint: fingerprint.to_owned(),
            settings: file.settings,
            faults: file.faults,
            world,
        })
    }

    /// The built-in fleet: four accounts that show everything imdsctl can find.
    ///
    /// # Errors
    /// Never, as long as the tests pass: the file is part of the program.
    pub fn demo() -> Result<Self, FleetError> {
        Self::from_yaml(DEMO, "the built-in fleet")
    }

    /// The same fleet, with answers that take this long.
    #[must_use]
    pub fn with_latency(mut self, latency: Duration) -> Self {
        self.settings.latency_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// The same fleet, throttled like this or not at all.
    #[must_use]
    pub fn with_throttling(mut self, throttling: Option<Throttling>) -> Self {
        self.settings.throttling = throttling;
        self
    }

    /// What the fleet calls itself.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Every access key, in the order of account ids.
    pub fn access_keys(&self) -> Vec<FleetKey> {
        let keys = self.world.accounts.values().flat_map(|account| {
            account.access_keys.iter().map(|key| FleetKey {
                id: key.id.clone(),
                account_id: account.id.clone(),
                account_name: account.name.clone(),
                expired: key.expired,
                regions: account.described_regions(),
            })
        });
        keys.collect()
    }
}

impl fmt::Display for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn syntax_error(error: &serde_saphyr::Error, origin: &str) -> FleetError {
    let location = error.location();
    FleetError::Syntax {
        origin: origin.to_owned(),
        line: location.map(|place| place.line()),
        column: location.map(|place| place.column()),
        message: error.without_snippet().to_string(),
    }
}
