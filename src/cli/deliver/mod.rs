//! Carrying what is finished beyond this machine: objects of S3, and who is told that there is something to read.

mod doors;
mod imports;
mod receiver;

pub use doors::Doors;

use std::fmt;
use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::Seek as _;
use std::time::Duration;

use futures::FutureExt as _;
use jiff::Timestamp;
use tempfile::NamedTempFile;
use tokio::runtime::Runtime;

use crate::aws::{Aws, ConnectSettings, Courier, Task, Timeouts};
use crate::deliver::{
    Announcement, Object, ObjectPattern, SCHEMA, SIGNATURE_HEADER, TIMESTAMP_HEADER, signature,
};
use crate::report::{Diff, ScopeReport, View};
use crate::scope::{RoleName, external_id};

use super::Error;
use super::console::Console;
use super::signals;
use super::sink::Sink;
use receiver::Receiver;

/// The heading of these flags in help texts.
const WHERE_TO: &str = "Where reports go";

/// How long a report may take to be carried, whatever its size.
const PATIENCE: Duration = Duration::from_mins(10);

/// How things are carried, and who is told.
#[derive(Clone, Debug, clap::Args)]
pub struct Delivery {
    /// Tell of the report when it is done: counts and places, never what it says. `sns:ARN` publishes to a topic, an
    /// https:// URL gets JSON by POST, anything else is a file; repeat for more.
    #[arg(help_heading = WHERE_TO, long, value_name = "sns:ARN|URL|FILE")]
    notify: Vec<Receiver>,
    /// Sign what is posted with this secret. Rather by its variable than typed, where others see it.
    #[arg(help_heading = WHERE_TO, long, value_name = "SECRET", hide_env_values = true)]
    webhook_secret: Option<String>,
    /// Have S3 encrypt reports with this KMS key: its id, ARN or alias.
    #[arg(help_heading = WHERE_TO, long, value_name = "KEY")]
    sse_kms_key_id: Option<String>,
    /// Import findings into Security Hub of each account and Region, and archive there what is over.
    #[arg(help_heading = WHERE_TO, long)]
    security_hub: bool,
    /// The profile whose credentials carry reports. Without it, the default ones.
    #[arg(help_heading = WHERE_TO, long, value_name = "PROFILE")]
    deliver_profile: Option<String>,
    /// The role that imports into Security Hub, in every account but your own. Without it, the role that reads
    /// the account; the default of --role, where nothing is read.
    #[arg(help_heading = WHERE_TO, long, value_name = "ROLE", value_parser = role)]
    deliver_role: Option<RoleName>,
    /// The external id that this role asks for. Without it, that of the role that reads the account.
    #[arg(help_heading = WHERE_TO, long, value_name = "ID", value_parser = external_id, hide_env_values = true)]
    deliver_external_id: Option<String>,
}

/// A role that every account has.
fn role(text: &str) -> Result<RoleName, String> {
    let role = RoleName::parse(text).map_err(|error| error.to_string())?;
    match role.account_id() {
        None => Ok(role),
        Some(account) => {
            Err(format!("it is a role of account {account} alone: write {{account_id}} for the number"))
        }
    }
}

/// A file for a document that is to be put on S3, until it is whole.
pub fn kept(to: &impl fmt::Display) -> Result<NamedTempFile, Error> {
    let file = tempfile::Builder::new().prefix("imdsctl-").tempfile();
    file.map_err(|error| Error::usage(format!("cannot keep what is to be {to} until it is whole: {error}")))
}

/// A document on its way to S3.
#[derive(Debug)]
pub struct Parcel {
    /// Where to.
    pub to: ObjectPattern,
    /// What.
    pub file: NamedTempFile,
}

impl Delivery {
    /// Whether anything beyond this machine is reached.
    pub fn leaves(&self) -> bool {
        self.security_hub || self.posts()
    }

    /// Whether somebody beyond this machine is told.
    fn posts(&self) -> bool {
        self.notify.iter().any(|receiver| !matches!(receiver, Receiver::File(_)))
    }

    /// Whose credentials import findings, by which role and with which external id; where nothing is asked for, as accounts
    /// were read.
    fn as_whom(&self) -> (Option<&str>, Option<&RoleName>, Option<&str>) {
        (self.deliver_profile.as_deref(), self.deliver_role.as_ref(), self.deliver_external_id.as_deref())
    }

    /// Carries all of it. What fails is told, and keeps nothing else from being delivered; a document that could not be
    /// put where it belongs is kept. Findings are imported through `doors`.
    pub fn deliver(
        &self,
        parcels: Vec<Parcel>,
        report: &View<'_>,
        doors: &Doors,
        console: &Console,
    ) -> Result<(), Error> {
        if parcels.is_empty() && self.notify.is_empty() && !self.security_hub {
            return Ok(());
        }
        let runtime = super::runtime()?;
        let delivered = runtime.block_on(self.carry(parcels, report, doors, console));
        runtime.shutdown_background();
        Error::gather(delivered)
    }

    /// Fetches an object into a nameless file, from its beginning; nothing where there is none.
    pub fn fetch(&self, object: &Object, runtime: &Runtime) -> Result<Option<File>, Error> {
        let wrong = |why: String| Error::usage(format!("cannot read {object}: {why}"));
        let mut file = tempfile::tempfile().map_err(|error| wrong(error.to_string()))?;
        let fetched = runtime.block_on(async {
            let stop = signals::interruption()?;
            let fetched = async {
                let courier = self.courier().await.map_err(|error| wrong(error.to_string()))?;
                let fetched = courier.fetch(&object.bucket, &object.key, &mut file).await;
                fetched.map_err(|error| wrong(format!("{} {}", error.code, error.summary())))
            };
            tokio::select! {
                fetched = fetched => fetched,
                () = stop => Err(Error::Interrupted("the report to compare with was read")),
            }
        })?;
        if !fetched {
            return Ok(None);
        }
        file.rewind().map_err(|error| wrong(error.to_string()))?;
        Ok(Some(file))
    }

    /// Puts one document where it belongs. What cannot be put is kept.
    pub fn put_alone(&self, object: &Object, file: NamedTempFile) -> Result<(), Error> {
        let runtime = super::runtime()?;
        let put = runtime.block_on(async {
            let courier = self.courier().await;
            self.put(&courier, object, file).await
        });
        runtime.shutdown_background();
        put
    }

    async fn carry(
        &self,
        parcels: Vec<Parcel>,
        report: &View<'_>,
        doors: &Doors,
        console: &Console,
    ) -> Vec<Result<(), Error>> {
        let courier = if parcels.is_empty() && !self.posts() {
            Err(Error::Bug("nothing is to be carried".to_owned()))
        } else {
            self.courier().await
        };
        let mut delivered = Vec::new();
        let mut places = Vec::new();
        let run = run_name();
        for Parcel { to, file } in parcels {
            let object = to.of_run(report.run.started_at, &run);
            let put = self.put(&courier, &object, file).await;
            if put.is_ok() {
                console.note(&format!("wrote {object}"));
                places.push(object.to_string());
            }
            delivered.push(put);
        }
        if self.security_hub {
            delivered.push(self.import(report, doors, console).await);
        }
        let announcement = announcement(report, places);
        for receiver in &self.notify {
            delivered.push(self.tell(&courier, receiver, &announcement).await);
        }
        delivered
    }

    /// Imports findings into Security Hub of each account. The first signal to stop ends that.
    async fn import(&self, report: &View<'_>, doors: &Doors, console: &Console) -> Result<(), Error> {
        if let Some(why) = doors.closed {
            return Err(Error::Output(format!("nothing was imported into Security Hub: {why}")));
        }
        let stop = signals::interruption()?.boxed().shared();
        let (done, imported) = imports::import(self, report, doors, stop).await;
        let findings = if done.findings == 1 { "finding" } else { "findings" };
        let (findings, archived) = (format!("{} {findings}", done.findings), done.archived);
        console.note(&format!("imported {findings} into Security Hub, and archived {archived}"));
        imported
    }

    /// Whoever carries things.
    async fn courier(&self) -> Result<Courier, Error> {
        let patient = Timeouts { read: PATIENCE, attempt: PATIENCE, ..Timeouts::default() };
        let settings =
            ConnectSettings { profile: self.deliver_profile.clone(), ..ConnectSettings::default() };
        let courier = Aws::new(patient, Task::Deliver).courier(&settings).await;
        courier.map_err(|error| Error::Output(error.to_string()))
    }

    async fn put(
        &self,
        courier: &Result<Courier, Error>,
        object: &Object,
        file: NamedTempFile,
    ) -> Result<(), Error> {
        let key = self.sse_kms_key_id.as_deref();
        let why = match courier {
            Ok(courier) => match courier.put(&object.bucket, &object.key, file.path(), key).await {
                Ok(()) => return Ok(()),
                Err(error) => format!("{} {}", error.code, error.summary()),
            },
            Err(error) => error.to_string(),
        };
        let why = format!("cannot write {object}: {why}");
        Err(Error::Output(match file.keep() {
            Ok((_, path)) => format!("{why}; what was to be there is in {}", path.display()),
            Err(_) => why,
        }))
    }

    async fn tell(
        &self,
        courier: &Result<Courier, Error>,
        receiver: &Receiver,
        announcement: &Announcement,
    ) -> Result<(), Error> {
        let json = serde_json::to_vec(announcement).unwrap_or_default();
        if let Receiver::File(path) = receiver {
            return Sink::open(path)?.write(|out| out.write_all(&json));
        }
        let courier = match courier {
            Ok(courier) => courier,
            Err(error) => return Err(Error::Output(format!("cannot tell {receiver}: {error}"))),
        };
        let told = match receiver {
            Receiver::Topic(topic) => {
                let told = courier.publish(topic, &announcement.subject(), &announcement.text()).await;
                told.map_err(|error| format!("{} {}", error.code, error.summary()))
            }
            Receiver::Webhook(url) => {
                let headers = self.signed(&json);
                courier.post(url, &headers, &json).await.map_err(|error| error.to_string())
            }
            Receiver::File(_) => Ok(()),
        };
        told.map_err(|why| Error::Output(format!("cannot tell {receiver}: {why}")))
    }

    /// The headers by which a receiver knows a body as ours.
    fn signed(&self, body: &[u8]) -> Vec<(&'static str, String)> {
        let Some(secret) = &self.webhook_secret else { return Vec::new() };
        let now = Timestamp::now().as_second();
        vec![(TIMESTAMP_HEADER, now.to_string()), (SIGNATURE_HEADER, signature(secret, now, body))]
    }
}

/// A name that no other run has, of the same moment neither: the standard library's hashers begin at random.
fn run_name() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}

fn announcement(report: &View<'_>, reports: Vec<String>) -> Announcement {
    let since = report.since.map(Diff::summary);
    let has_holes = |scope: &&ScopeReport| scope.coverage.has_holes();
    Announcement {
        schema: SCHEMA,
        started_at: report.run.started_at.to_string(),
        policies: report.policies.iter().map(|policy| policy.name.clone()).collect(),
        findings: report.summary.failed + report.summary.unknown,
        new: since.map(|since| since.new.findings + since.no_longer_exempt.findings),
        fixed: since.map(|since| since.fixed.findings),
        scopes: report.summary.scopes,
        incomplete: report.coverage.iter().filter(has_holes).count() as u64,
        interrupted: report.run.interrupted,
        reports,
    }
}
