//! `imdsctl explain`: one resource, its lineage, its options and the fix.

mod found;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::runtime::Runtime;

use crate::aws::Task;
use crate::exit::Exit;
use crate::explain::{self, Query};
use crate::model::{Asked, Needs, Scope};
use crate::policy::{DEFAULT_POLICY, Policy};
use crate::report::{ExplanationFormat, Run};
use crate::scan::{Outcome, Scanned};

use super::Error;
use super::audit::load_policies;
use super::console::Console;
use super::offline::{Saved, run_of};
use super::output::{OutputArg, Outputs};
use super::session::{Access, Session};
use super::signals;
use super::targets::Where;

use found::{File, Found};

/// Explain one resource: where its metadata options come from, the rules on them, and the fix. Changes nothing.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An instance id, a launch template's id or name, a node group as CLUSTER/NAME, the name of an Auto Scaling group
    /// or of a cluster, or the ARN of any of these.
    #[arg(value_name = "RESOURCE")]
    resource: String,
    #[command(flatten)]
    whereabouts: Where,
    /// What to judge by: a shipped policy (see `imdsctl policy list`) or a file; repeat for more.
    #[arg(long = "policy", value_name = "NAME|FILE", default_value = DEFAULT_POLICY)]
    policies: Vec<String>,
    /// What to write: table or json, to stdout or to a file; repeat for more.
    #[arg(short, long = "output", value_name = "FORMAT[=PATH]")]
    outputs: Vec<OutputArg<ExplanationFormat>>,
    #[command(flatten)]
    access: Access,
    /// Look in what `audit --save-inventory` wrote instead of reading: no AWS, no credentials, no network.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["Where", "Pace", "demo"])]
    inventory: Option<PathBuf>,
}

/// Explains. What is wrong with the arguments is found before AWS is asked anything.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Error> {
    let policies = load_policies(&args.policies)?;
    let query = Query::parse(&args.resource).map_err(Error::usage)?;
    let table = [OutputArg::to_stdout(ExplanationFormat::Table)];
    let outputs = Outputs::open(if args.outputs.is_empty() { &table } else { &args.outputs })?;
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let search = Search { policies: &policies, query: &query, today, found: Found::default() };
    let runtime = super::runtime()?;
    let found = match &args.inventory {
        Some(path) => search.in_file(path, &outputs, &runtime),
        None => runtime.block_on(search.live(args, console)),
    };
    // Calls that an interruption left behind are not waited for.
    runtime.shutdown_background();
    let (found, run) = found?;
    let exit = found.exit();
    if found.count == 0 {
        if exit != Exit::Interrupted {
            console.error(&found.nothing(&query));
        }
        return Ok(exit);
    }
    let explained = found.explained(run, &policies, args.resource.trim());
    let written = outputs.write_each(console, |format, style, out| format.write(&explained, style, out));
    match written {
        Err(error) if exit != Exit::Interrupted => Err(error),
        Err(error) => {
            console.error(&error.to_string());
            Ok(exit)
        }
        Ok(()) => Ok(exit),
    }
}

/// What is looked for, and what was found of it so far.
struct Search<'a> {
    policies: &'a [Policy],
    query: &'a Query,
    today: Date,
    found: Found,
}

impl Search<'_> {
    fn look(&mut self, scanned: Scanned) {
        let coverage = match scanned {
            Scanned::Read(inventory) => {
                let explanations = explain::explain(&inventory, self.policies, self.today, self.query);
                self.found.add(explanations);
                inventory.coverage
            }
            Scanned::Unread(coverage) => coverage,
        };
        if self.query.may_be_in(&coverage.account_id, &coverage.region) {
            self.found.coverage.push(coverage);
        }
    }

    /// Looks in a saved inventory, a line at a time.
    fn in_file(
        mut self,
        path: &Path,
        outputs: &Outputs<ExplanationFormat>,
        runtime: &Runtime,
    ) -> Result<(Found, Run), Error> {
        // First, since a pipe may keep whoever opens it waiting.
        let stopped = signals::stopped(runtime)?;
        let saved = Saved::open(path, outputs)?;
        let holds = saved.holds();
        let reading = saved.read(&stopped, |scanned| self.look(scanned))?;
        if self.found.coverage.is_empty() {
            return Err(Error::usage(format!(
                "{} is in an account or a Region that {} does not hold",
                self.query,
                path.display()
            )));
        }
        self.found.file = Some(File { holds, interrupted: reading.interrupted });
        Ok((self.found.limited(), run_of(reading)))
    }

    async fn live(mut self, args: &Args, console: &Console) -> Result<(Found, Run), Error> {
        let query = self.query;
        let whereabouts = args.whereabouts.clone().or_region(query.region());
        let mut session = Session::start(&args.access, &whereabouts, Task::Audit, console).await?;
        // An ARN says where to look.
        session.prospects.retain(|prospect| query.may_be_in_account(&prospect.account_id));
        let needs = Needs { templates: query.may_be_template(), ..Needs::default() };
        let asked = Asked { needs, named: query.wherever().map(str::to_owned) };
        let chosen = |scope: &Scope| query.may_be_in(&scope.account_id, &scope.region);
        let outcome = if session.prospects.is_empty() {
            Outcome::default()
        } else {
            session.scan(chosen, &asked, |scanned| self.look(scanned)).await?
        };
        if outcome.read + outcome.failed + outcome.interrupted == 0 {
            return Err(Error::usage(format!(
                "{query} is in an account or a Region that is not among those to be read"
            )));
        }
        let coverage = &mut self.found.coverage;
        coverage.sort_by(|a, b| (&a.account_id, &a.region).cmp(&(&b.account_id, &b.region)));
        self.found.interrupted = outcome.interrupted();
        Ok((self.found, session.end(outcome).await?))
    }
}
