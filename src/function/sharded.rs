//! A run of several invocations: what is to be read is found, read in shards, and put together.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde_json::Value;

use super::answer::{Answer, Left, Planned, ShardRead, Status};
use super::child::Stdout;
use super::event::{Event, RunName};
use super::failure::Failure;
use super::invocation::Invocation;
use super::runs::{Run, file_of};
use super::settings::{NOTIFY, OUTPUT};
use crate::aws::may_pass;
use crate::deliver::Object;
use crate::report::{Outline, Scopes};
use crate::scan::Shard;

/// How many shards' reports are fetched side by side.
const SIDE_BY_SIDE: usize = 8;

/// What is said of the whole, and not of a shard.
const OF_THE_WHOLE: [&str; 5] =
    [NOTIFY, "IMDSCTL_BASELINE", "IMDSCTL_UPDATE_BASELINE", "IMDSCTL_FAIL_ON_NEW", "IMDSCTL_SECURITY_HUB"];

impl Invocation {
    /// Finds what there is to read, and makes a list of shards.
    pub(super) async fn plan_scopes(&mut self, shards: u32) -> Result<Answer, Failure> {
        let run = Run::open(RunName::of(Timestamp::now(), &self.request), &self.settings).await?;
        let file = self.folder.file("scopes.json");
        let mut command = self.command()?;
        command.args(["scopes", "-o"]).arg(in_format("json", &file));
        let ended = self.child(command, Stdout::Nothing).await?;
        let found = file.exists().then(|| read_scopes(&file)).transpose()?;
        ended.exit(found.is_some())?;
        let scopes = found.map_or(0, |found| found.summary.scopes);

        run.put(&run.scopes(), &file).await?;
        let list = self.folder.file("shards.json");
        std::fs::write(&list, Event::shards(run.name(), shards).to_string())
            .map_err(|error| Failure::Failed(format!("cannot write the list of shards: {error}")))?;
        // Last: where there is a list, all is there that it takes.
        let Object { bucket, key } = run.shards();
        run.put(&run.shards(), &list).await?;
        Ok(Answer::Planned(Planned { run: run.name().to_string(), bucket, shards_key: key, shards, scopes }))
    }

    /// Reads a shard, or what is missing of it.
    pub(super) async fn audit_shard(&mut self, run: RunName, shard: Shard) -> Result<Answer, Failure> {
        let run = Run::open(run, &self.settings).await?;
        let object = run.report(shard);
        let (before, after) = (self.folder.file("before.ndjson"), self.folder.file("after.ndjson"));
        // What is there and makes no sense is read anew.
        let known = if run.fetch(&object, &before).await? { outline(&before)? } else { None };
        if known.as_ref().is_some_and(is_complete) {
            return Ok(Answer::Shard(ShardRead::already()));
        }
        let mut command = self.command()?;
        command.args(["audit", "--shard", &shard.to_string()]);
        if known.is_some() {
            command.arg("--resume").arg(&before);
        }
        for name in OF_THE_WHOLE {
            command.env_remove(name);
        }
        command.env(OUTPUT, in_format("ndjson", &after));
        let ended = self.child(command, Stdout::Nothing).await?;

        let read = if after.exists() { outline(&after)? } else { None };
        if let Some(read) = &read {
            self.metrics.count_calls(&read.run, known.as_ref().map(|known| &known.run));
            // Whatever came of it: the next try, or the merge, goes on from here.
            run.put(&object, &after).await?;
        }
        let exit = ended.exit(read.is_some())?;
        let left = read.as_ref().map(Left::of).unwrap_or_default();
        if read.as_ref().is_some_and(is_worth_another_try) {
            return Err(Failure::Incomplete(format!(
                "not all of {shard} could be read: it was throttled, not answered, or cut off by the deadline; what is \
                 read is kept, and the next try goes on from there"
            )));
        }
        Ok(Answer::Shard(ShardRead { exit: Some(exit), status: Status::of(exit), left }))
    }

    /// Makes the report of all shards of a run.
    pub(super) async fn merge(&mut self, run: RunName) -> Result<Answer, Failure> {
        let run = Run::open(run, &self.settings).await?;
        let (list, scopes) = (self.folder.file("shards.json"), self.folder.file("scopes.json"));
        for (object, file) in [(run.shards(), &list), (run.scopes(), &scopes)] {
            if !run.fetch(&object, file).await? {
                return Err(Failure::BadEvent(format!(
                    "there is no run {}: there is no {object}",
                    run.name()
                )));
            }
        }
        let shards = read_shards(&list)?;
        let (run, folder) = (&run, &self.folder);
        let fetched = stream::iter(shards).map(|shard| async move {
            let file = folder.file(&file_of(shard));
            // One that has reported nothing is missed by the command.
            run.fetch(&run.report(shard), &file).await.map(|_| file)
        });
        let files: Vec<PathBuf> = fetched.buffered(SIDE_BY_SIDE).try_collect().await?;
        let mut command = self.command()?;
        command.args(["report", "merge"]).args(files).arg("--expect").arg(&scopes);
        let ended = self.report(command).await?;
        self.reported(&ended)
    }
}

/// `json=PATH`
fn in_format(format: &str, path: &Path) -> String {
    format!("{format}={}", path.display())
}

fn outline(path: &Path) -> Result<Option<Outline>, Failure> {
    let read = || Outline::read(BufReader::new(File::open(path)?));
    read().map_err(|error| unreadable(path, &error))
}

fn read_scopes(path: &Path) -> Result<Scopes, Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    Scopes::read(BufReader::new(file)).map_err(|error| Failure::Failed(format!("the scopes: {error}")))
}

/// The shards of a list that `plan-scopes` made.
fn read_shards(path: &Path) -> Result<Vec<Shard>, Failure> {
    let bad = |problem: String| Failure::Failed(format!("the run's list of shards is none: {problem}"));
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let events: Vec<Value> =
        serde_json::from_reader(BufReader::new(file)).map_err(|error| bad(error.to_string()))?;
    let shards = events.iter().map(|event| match Event::parse(event) {
        Ok(Event::AuditShard { shard, .. }) => Ok(shard),
        Ok(other) => Err(bad(format!("it says {}", other.action()))),
        Err(problem) => Err(bad(problem)),
    });
    shards.collect()
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::Failed(format!("cannot read {}: {error}", path.display()))
}

/// Whether all that was to be read was read.
fn is_complete(outline: &Outline) -> bool {
    outline.left().next().is_none()
}

/// Whether what is left may be there to read later. What was denied will be denied again.
fn is_worth_another_try(outline: &Outline) -> bool {
    outline.left().any(|scope| scope.is_interrupted() || scope.errors.iter().any(may_pass))
}
