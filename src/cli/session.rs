//! What every command does that reads accounts: sign in, or start the demo; find what the flags mean; read it.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::pin::Pin;

use jiff::Timestamp;

use crate::aws::{Aws, Task};
use crate::model::{Asked, Scope};
use crate::report::Run;
use crate::scan::{self, Event, Outcome, Prospect, Scanned, Surveyed};

use super::console::Console;
use super::demo::Demo;
use super::pace::Pace;
use super::progress::Progress;
use super::targets::Where;
use super::{Error, signals};

/// How to get at what is read.
#[derive(Clone, Debug, clap::Args)]
pub struct Access {
    #[command(flatten)]
    pace: Pace,
    /// Read a built-in simulated fleet instead of AWS. Ignores all AWS settings; without --region, reads all Regions.
    #[arg(long)]
    demo: bool,
    /// Keep the simulated fleet in this file from one command to the next.
    #[arg(long, value_name = "FILE", requires = "demo")]
    demo_state: Option<PathBuf>,
}

impl Access {
    /// Whether nothing is real, and nothing has to be waited for.
    pub const fn is_demo(&self) -> bool {
        self.demo
    }

    /// The flags that say whose accounts these are, as they were given.
    pub fn flags(&self) -> Vec<String> {
        let mut flags = Vec::new();
        if self.demo {
            flags.push("--demo".to_owned());
        }
        if let Some(state) = &self.demo_state {
            flags.extend(["--demo-state".to_owned(), state.display().to_string()]);
        }
        flags
    }
}

/// A command's way to its accounts, from the first credentials to the last answer.
pub struct Session {
    /// When it began.
    pub started_at: Timestamp,
    /// What is to be read.
    pub prospects: Vec<Prospect>,
    /// All that the flags mean, whether or not it was read by now.
    all: Vec<Prospect>,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    demo: Option<Demo>,
    aws: Aws,
    concurrency: NonZeroUsize,
    progress: Progress,
}

impl Session {
    /// Signs in, and finds the accounts that `whereabouts` mean. Nothing of them is read yet.
    pub async fn start(
        access: &Access,
        whereabouts: &Where,
        task: Task,
        console: &Console,
    ) -> Result<Self, Error> {
        let mut stop = Box::pin(signals::interruption()?);
        let demo = if access.demo { Some(Demo::start(access.demo_state.as_deref()).await?) } else { None };
        let aws = access.pace.aws(task);
        let progress = Progress::new(console, aws.meter());
        let started_at = Timestamp::now();
        let prospects = tokio::select! {
            found = whereabouts.find(&aws, demo.as_ref()) => found?,
            () = &mut stop => return Err(Error::Interrupted("anything was read")),
        };
        let concurrency = access.pace.concurrency;
        let all = prospects.clone();
        Ok(Self { started_at, prospects, all, stop, demo, aws, concurrency, progress })
    }

    /// Reads what is `chosen` of the prospects. Where nothing is left to read, that is an error: an audit of nothing
    /// must not look like one that found nothing.
    pub async fn scan(
        &mut self,
        chosen: impl Fn(&Scope) -> bool,
        asked: &Asked,
        mut sink: impl FnMut(Scanned),
    ) -> Result<Outcome, Error> {
        let mut skipped = Vec::new();
        let keep = |scanned| {
            if let Scanned::Unread(coverage) = &scanned {
                skipped.push(format!("{} in {}", coverage.region, coverage.account_id));
            }
            sink(scanned);
        };
        let prospects = std::mem::take(&mut self.prospects);
        let (stop, progress) = (&mut self.stop, &mut self.progress);
        let tell = |event: Event<'_>| progress.on(event);
        let outcome = scan::scan(prospects, chosen, asked, self.concurrency, stop, keep, tell).await;
        self.progress.finish();
        if outcome.read + outcome.failed + outcome.passed_over + outcome.interrupted == 0 {
            skipped.sort();
            return Err(Error::usage(format!(
                "there is nothing to read: not enabled for the account: {}",
                skipped.join(", ")
            )));
        }
        Ok(outcome)
    }

    /// The accounts that the flags mean, for when they are needed again.
    pub fn prospects(&self) -> Vec<Prospect> {
        self.all.clone()
    }

    /// Begins to read again.
    pub fn again(&mut self) {
        self.prospects = self.all.clone();
        self.progress = self.progress.again();
    }

    /// Completes when somebody asks to stop.
    pub fn stop(&mut self) -> impl Future<Output = ()> {
        &mut self.stop
    }

    /// Opens the prospects without reading anything of them.
    pub async fn survey(mut self) -> Result<Vec<Surveyed>, Error> {
        let prospects = std::mem::take(&mut self.prospects);
        let surveyed = scan::survey(prospects, &mut self.stop).await;
        self.progress.finish();
        if let Some(demo) = self.demo {
            demo.stop().await?;
        }
        surveyed.ok_or(Error::Interrupted("all accounts were opened"))
    }

    /// Ends it, and says what it took.
    pub async fn end(self, outcome: Outcome) -> Result<Run, Error> {
        if let Some(demo) = self.demo {
            demo.stop().await?;
        }
        let counts = self.aws.meter().snapshot();
        Ok(Run {
            tool: "imdsctl".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: self.started_at,
            finished_at: Timestamp::now(),
            api_calls: counts.calls,
            api_throttled: counts.throttled,
            interrupted: outcome.interrupted(),
        })
    }
}
