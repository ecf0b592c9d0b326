//! Carrying what is finished beyond this machine: objects of S3, and who is told that there is something to read.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use tempfile::NamedTempFile;

use crate::aws::{Aws, ConnectSettings, Courier, Task, Timeouts};
use crate::deliver::{
    Announcement, Object, ObjectPattern, SCHEMA, SIGNATURE_HEADER, TIMESTAMP_HEADER, signature,
};
use crate::report::{Diff, ScopeReport, View};

use super::Error;
use super::console::Console;
use super::sink::Sink;

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
    /// The profile whose credentials carry reports. Without it, the default ones.
    #[arg(help_heading = WHERE_TO, long, value_name = "PROFILE")]
    deliver_profile: Option<String>,
}

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Receiver {
    Topic(String),
    Webhook(String),
    File(PathBuf),
}

impl FromStr for Receiver {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(topic) = text.strip_prefix("sns:") {
            let is_topic = topic.starts_with("arn:aws") && topic.split(':').nth(2) == Some("sns");
            return if is_topic {
                Ok(Self::Topic(topic.to_owned()))
            } else {
                Err(format!("{topic:?} is not the ARN of a topic of SNS"))
            };
        }
        match text.split_once("://") {
            Some(("https", host)) if !host.is_empty() => Ok(Self::Webhook(text.to_owned())),
            // For receivers on the machine itself, and for trying it out.
            Some(("http", host)) if is_loopback(host) => Ok(Self::Webhook(text.to_owned())),
            Some(_) => Err("a URL begins with https://".to_owned()),
            None if text.is_empty() => Err("it names no file".to_owned()),
            None => Ok(Self::File(text.into())),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let name = host.split('/').next().unwrap_or_default();
    let name = name.rsplit_once(':').map_or(name, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
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
        self.notify.iter().any(|receiver| !matches!(receiver, Receiver::File(_)))
    }

    /// Carries all of it. What fails is told, and keeps nothing else from being delivered; a document that could not be
    /// put where it belongs is kept.
    pub fn deliver(&self, parcels: Vec<Parcel>, report: &View<'_>, console: &Console) -> Result<(), Error> {
        if parcels.is_empty() && self.notify.is_empty() {
            return Ok(());
        }
        let runtime = super::runtime()?;
        let delivered = runtime.block_on(self.carry(parcels, report, console));
        runtime.shutdown_background();
        Error::gather(delivered)
    }

    async fn carry(
        &self,
        parcels: Vec<Parcel>,
        report: &View<'_>,
        console: &Console,
    ) -> Vec<Result<(), Error>> {
        let courier = self.courier(parcels.is_empty()).await;
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
        let announcement = announcement(report, places);
        for receiver in &self.notify {
            delivered.push(self.tell(&courier, receiver, &announcement).await);
        }
        delivered
    }

    /// Whoever carries things, where there is anything to carry beyond this machine.
    async fn courier(&self, no_parcels: bool) -> Result<Courier, Error> {
        if no_parcels && !self.leaves() {
            return Err(Error::Bug("nothing is to be carried".to_owned()));
        }
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

impl fmt::Display for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(topic) => f.write_str(topic),
            // Its path may be a secret.
            Self::Webhook(_) => f.write_str("the webhook"),
            Self::File(path) => path.display().fmt(f),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_is_a_topic_a_url_or_a_file() {
        let topic = "arn:aws:sns:eu-west-1:111122223333:imdsctl";
        assert_eq!(format!("sns:{topic}").parse(), Ok(Receiver::Topic(topic.to_owned())));
        let url = "https://hooks.example.com/services/T0/B0/secret";
        assert_eq!(url.parse(), Ok(Receiver::Webhook(url.to_owned())));
        assert_eq!("told.json".parse(), Ok(Receiver::File("told.json".into())));
        assert!("http://127.0.0.1:8080/hook".parse::<Receiver>().is_ok());
        for wrong in [
            "sns:my-topic",
            "sns:arn:aws:sqs:eu-west-1:1:q",
            "http://example.com/",
            "ftp://x",
            "",
            "https://",
        ] {
            assert!(wrong.parse::<Receiver>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_receiver_is_named_without_its_secrets() {
        let webhook: Receiver = "https://hooks.example.com/services/T0/B0/secret".parse().unwrap();
        assert_eq!(webhook.to_string(), "the webhook");
    }
}
