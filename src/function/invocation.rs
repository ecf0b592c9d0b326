//! One event, from what it says to what is answered.

use std::fs::File;
use std::io::{self, BufReader, Write as _};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lambda_runtime::Context;
use serde_json::Value;
use tokio::process::Command;
use tokio::time::Instant;

use super::answer::{Answer, Reported, Told};
use super::child::{self, Ended, Stdout};
use super::deadline::Deadline;
use super::event::Event;
use super::failure::Failure;
use super::folder::Folder;
use super::metrics::Metrics;
use super::settings::{self, NOTIFY, OUTPUT, Settings};
use crate::report::Outline;

/// What a command tells in a file of its own.
const TOLD: &str = "told.json";

/// An event being handled.
#[derive(Debug)]
pub struct Invocation {
    began: Instant,
    /// The name that Lambda has for it.
    pub(super) request: String,
    deadline: Deadline,
    pub(super) folder: Folder,
    pub(super) settings: Settings,
    pub(super) metrics: Metrics,
}

impl Invocation {
    /// Does what an event says.
    pub async fn handle(event: &Value, context: &Context) -> Result<Answer, Failure> {
        let request = &context.request_id;
        let handled = match Event::parse(event) {
            Ok(event) => {
                tracing::info!(request, action = event.action(), "an event is handled");
                Self::begin(context)?.run(event).await
            }
            Err(problem) => Err(Failure::BadEvent(problem)),
        };
        if let Err(failure) = &handled {
            tracing::error!(request, error = failure.name(), "{}", failure.message());
        }
        handled
    }

    fn begin(context: &Context) -> Result<Self, Failure> {
        let time = context.deadline().duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
        let began = Instant::now();
        let deadline = Deadline::of(began, time);
        let settings = Settings::read(|name| std::env::var(name).ok())?;
        let folder = Folder::make(&std::env::temp_dir())
            .map_err(|error| Failure::Failed(format!("cannot make a temporary folder: {error}")))?;
        let request = context.request_id.clone();
        Ok(Self { began, request, deadline, folder, settings, metrics: Metrics::default() })
    }

    async fn run(mut self, event: Event) -> Result<Answer, Failure> {
        let action = event.action();
        let done = match event {
            Event::Audit => self.audit().await,
            Event::PlanScopes { shards } => self.plan_scopes(shards).await,
            Event::AuditShard { run, shard } => self.audit_shard(run, shard).await,
            Event::Merge { run } => self.merge(run).await,
        };
        self.metrics.duration = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
        // There is nobody left to tell if stdout is gone.
        let _ = writeln!(io::stdout(), "{}", self.metrics.line(action, now));
        done
    }

    async fn audit(&mut self) -> Result<Answer, Failure> {
        let mut command = self.command()?;
        command.arg("audit");
        let ended = self.report(command).await?;
        if let Some(outline) = &ended.outline {
            self.metrics.count_calls(&outline.run, None);
        }
        self.reported(&ended)
    }

    /// Runs a command that makes the report that is wanted, where and as the settings say.
    pub(super) async fn report(&self, mut command: Command) -> Result<Ended, Failure> {
        command.env(OUTPUT, settings::with(&self.settings.output, "ndjson"));
        let told = self.folder.file(TOLD);
        command.env(NOTIFY, settings::with(&self.settings.notify, &told.to_string_lossy()));
        self.child(command, Stdout::Report).await
    }

    /// The answer of a command that made the report that is wanted.
    pub(super) fn reported(&mut self, ended: &Ended) -> Result<Answer, Failure> {
        if let Some(outline) = &ended.outline {
            self.metrics.count(outline);
        }
        let exit = ended.exit(ended.outline.is_some())?;
        let outline =
            ended.outline.as_ref().ok_or_else(|| Failure::Failed("there is no report".to_owned()))?;
        Ok(Answer::Reported(Reported::new(exit, outline, self.told())))
    }

    pub(super) fn command(&self) -> Result<Command, Failure> {
        child::command(self.folder.path()).map_err(|error| cannot_run(&error))
    }

    pub(super) async fn child(&self, command: Command, stdout: Stdout) -> Result<Ended, Failure> {
        child::run(command, stdout, self.deadline).await.map_err(|error| cannot_run(&error))
    }

    /// What was told of the report; nothing where it came to nothing.
    fn told(&self) -> Told {
        let file = File::open(self.folder.file(TOLD)).ok();
        file.and_then(|file| serde_json::from_reader(BufReader::new(file)).ok()).unwrap_or_default()
    }
}

impl Metrics {
    /// Counts what a report of all that there is says.
    fn count(&mut self, outline: &Outline) {
        self.findings = Some(outline.summary.failed + outline.summary.unknown);
        self.failed_scopes = Some(outline.left().count() as u64);
    }
}

fn cannot_run(error: &io::Error) -> Failure {
    Failure::Failed(format!("cannot run imdsctl: {error}"))
}
