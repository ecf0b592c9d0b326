//! Runs of several invocations, and what they hand on to each other by S3.
//!
//! ```text
//! runs/RUN/scopes.json            what is to be read
//! runs/RUN/shards.json            an event for each shard
//! runs/RUN/shards/M-of-N.ndjson   what a shard has read so far
//! ```

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use super::event::RunName;
use super::failure::Failure;
use super::settings::Settings;
use crate::aws::{Aws, CallError, ConnectSettings, Courier, Task, Timeouts};
use crate::deliver::{Object, Prefix};
use crate::scan::Shard;

/// How long an object may take on its way, whatever its size.
const PATIENCE: Duration = Duration::from_mins(10);

/// Where the objects of a run are.
#[derive(Debug)]
pub struct Run {
    name: RunName,
    place: Prefix,
    kms_key: Option<String>,
    courier: Courier,
}

impl Run {
    /// A run, there already or not.
    pub async fn open(name: RunName, settings: &Settings) -> Result<Self, Failure> {
        let place = settings.runs()?;
        let patient = Timeouts { read: PATIENCE, attempt: PATIENCE, ..Timeouts::default() };
        let connect =
            ConnectSettings { profile: settings.deliver_profile.clone(), ..ConnectSettings::default() };
        let courier = Aws::new(patient, Task::Deliver).courier(&connect).await;
        let courier = courier.map_err(|error| Failure::BadSettings(error.to_string()))?;
        Ok(Self { name, place, kms_key: settings.kms_key.clone(), courier })
    }

    pub const fn name(&self) -> &RunName {
        &self.name
    }

    /// What `imdsctl scopes` found.
    pub fn scopes(&self) -> Object {
        self.object("scopes.json")
    }

    /// The events of its shards.
    pub fn shards(&self) -> Object {
        self.object("shards.json")
    }

    /// What a shard has read so far.
    pub fn report(&self, shard: Shard) -> Object {
        self.object(&format!("shards/{}", file_of(shard)))
    }

    fn object(&self, name: &str) -> Object {
        self.place.object(&format!("runs/{}/{name}", self.name))
    }

    /// Puts a file there.
    pub async fn put(&self, object: &Object, file: &Path) -> Result<(), Failure> {
        let put = self.courier.put(&object.bucket, &object.key, file, self.kms_key.as_deref()).await;
        put.map_err(|error| Failure::NotDelivered(format!("cannot write {object}: {}", why(&error))))
    }

    /// Fetches an object into a file, and says whether there is one. Where there is none, there is no file.
    pub async fn fetch(&self, object: &Object, file: &Path) -> Result<bool, Failure> {
        let mut into = File::create(file)
            .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", file.display())))?;
        let fetched = self.courier.fetch(&object.bucket, &object.key, &mut into).await;
        let is_there =
            fetched.map_err(|error| Failure::Failed(format!("cannot read {object}: {}", why(&error))))?;
        if !is_there {
            // It is empty, and in a folder that is removed.
            let _ = std::fs::remove_file(file);
        }
        Ok(is_there)
    }
}

/// The name of a shard's report: `3-of-16.ndjson`.
pub fn file_of(shard: Shard) -> String {
    let shard = shard.to_string();
    format!("{}.ndjson", shard.trim_start_matches("hash:").replace('/', "-of-"))
}

fn why(error: &CallError) -> String {
    format!("{} {}", error.code, error.summary())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_has_a_file_of_its_own() {
        assert_eq!(file_of("hash:3/16".parse().unwrap()), "3-of-16.ndjson");
    }
}
