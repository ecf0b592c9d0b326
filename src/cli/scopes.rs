//! `imdsctl scopes`: what an audit with the same flags reads, and as whom.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::ValueEnum;
use serde::Serialize;

use crate::aws::Task;
use crate::exit::Exit;
use crate::model::{Coverage, CoverageStatus, Guard, ReadError, Region};
use crate::report::sanitize;
use crate::scan::{Entry, Surveyed};

use super::Error;
use super::console::Console;
use super::session::{Access, Session};
use super::targets::Where;

/// Show which accounts and Regions an audit with the same flags reads, and as whom. Signs in to each account and asks
/// which Regions it has enabled; reads nothing else.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    whereabouts: Where,
    // Not called --output: what is set for reports is not meant for this.
    /// How it is shown.
    #[arg(short = 'o', long, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    format: Format,
    #[command(flatten)]
    access: Access,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// One JSON object.
    Json,
}

/// The name of what `-o json` writes.
const SCHEMA: &str = "imdsctl.scopes/v1";

#[derive(Debug, Serialize)]
struct Scopes {
    schema: &'static str,
    accounts: Vec<Shown>,
    summary: Summary,
}

/// An account, and what would be read of it.
#[derive(Debug, Serialize)]
struct Shown {
    partition: String,
    account_id: String,
    account_name: Option<String>,
    /// The ARN of whoever reads it; nothing where nobody can.
    reader: Option<String>,
    /// Whether a role is assumed, and an external id is given for it.
    assumed: bool,
    external_id: bool,
    guard: Guard,
    /// The Regions that are read.
    regions: Vec<Region>,
    /// Those that are not.
    unread: Vec<Unread>,
}

#[derive(Debug, Serialize)]
struct Unread {
    region: Region,
    status: CoverageStatus,
    reason: Option<String>,
    errors: Vec<ReadError>,
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    accounts: usize,
    scopes: usize,
    skipped: usize,
    failed: usize,
}

pub fn run(args: &Args, console: &Console) -> Result<Exit, Error> {
    let runtime = super::runtime()?;
    let surveyed = runtime.block_on(async {
        Session::start(&args.access, &args.whereabouts, Task::Scopes, console).await?.survey().await
    });
    runtime.shutdown_background();
    let scopes = Scopes::new(surveyed?);
    let text = match args.format {
        Format::Table => scopes.table(),
        Format::Json => {
            let json = serde_json::to_string_pretty(&scopes);
            json.map_err(|error| Error::Bug(format!("cannot write the scopes: {error}")))? + "\n"
        }
    };
    console.write_stdout(text.as_bytes())?;
    Ok(if scopes.summary.failed > 0 { Exit::Incomplete } else { Exit::Success })
}

impl Scopes {
    fn new(surveyed: Vec<Surveyed>) -> Self {
        let accounts: Vec<_> = surveyed.into_iter().map(Shown::new).collect();
        let unread = |status| {
            let unread = accounts.iter().flat_map(|account| &account.unread);
            unread.filter(|unread| unread.status == status).count()
        };
        let summary = Summary {
            accounts: accounts.len(),
            scopes: accounts.iter().map(|account| account.regions.len()).sum(),
            skipped: unread(CoverageStatus::Skipped),
            failed: unread(CoverageStatus::Failed),
        };
        Self { schema: SCHEMA, accounts, summary }
    }

    fn table(&self) -> String {
        let mut text = String::new();
        for account in &self.accounts {
            account.write(&mut text);
        }
        let Summary { accounts, scopes, skipped, failed } = self.summary;
        let _ = writeln!(
            text,
            "{} · {} to read · {skipped} skipped · {failed} failed",
            counted(accounts, "account"),
            counted(scopes, "Region")
        );
        text
    }
}

impl Shown {
    fn new(Surveyed { prospect, regions, unread }: Surveyed) -> Self {
        let role = match &prospect.entry {
            Entry::Assume(role) => Some(role),
            Entry::Open(..) | Entry::Closed(_) => None,
        };
        Self {
            reader: prospect.reader().map(str::to_owned),
            assumed: role.is_some(),
            external_id: role.is_some_and(|role| role.external_id.is_some()),
            guard: prospect.guard(),
            regions,
            unread: unread.into_iter().map(Unread::new).collect(),
            partition: prospect.partition.to_string(),
            account_id: prospect.account_id.to_string(),
            account_name: prospect.account_name,
        }
    }

    fn write(&self, text: &mut String) {
        let name = self.account_name.as_deref().map(|name| format!("{} ", sanitize(name, false)));
        let _ = writeln!(text, "{}{}", name.unwrap_or_default(), self.account_id);
        if let Some(reader) = &self.reader {
            let how = match (self.assumed, self.external_id) {
                (false, _) => "your own credentials; the client refuses all that is not a read",
                (true, false) => "assumed, with a session policy of reads",
                (true, true) => "assumed with the external id, with a session policy of reads",
            };
            let _ = writeln!(text, "  as       {} ({how})", sanitize(reader, false));
        }
        if !self.regions.is_empty() {
            let _ = writeln!(text, "  reads    {}", listed(&self.regions.iter().collect::<Vec<_>>()));
        }
        let mut by_reason: BTreeMap<(&str, String), Vec<&Region>> = BTreeMap::new();
        for unread in &self.unread {
            by_reason.entry(unread.why()).or_default().push(&unread.region);
        }
        for ((word, reason), regions) in by_reason {
            let _ = writeln!(text, "  {word:<8} {}: {reason}", counted(regions.len(), "Region"));
        }
        text.push('\n');
    }
}

impl Unread {
    fn new(coverage: Coverage) -> Self {
        let Coverage { region, status, reason, errors, .. } = coverage;
        Self { region, status, reason, errors }
    }

    /// What became of it, in a word, and why.
    fn why(&self) -> (&'static str, String) {
        let word = if self.status == CoverageStatus::Failed { "failed" } else { "skipped" };
        let error = self
            .errors
            .first()
            .map(|error| format!("{}:{} {}: {}", error.service, error.operation, error.code, error.message));
        let reason = error.or_else(|| self.reason.clone()).unwrap_or_default();
        (word, sanitize(&reason, false).into_owned())
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn listed(regions: &[&Region]) -> String {
    let names: Vec<&str> = regions.iter().map(|region| region.as_str()).collect();
    format!("{}: {}", counted(regions.len(), "Region"), names.join(", "))
}
