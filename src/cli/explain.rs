//! `imdsctl explain`: one resource, its lineage, its options and the fix.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use crate::aws::Task;
use crate::exit::Exit;
use crate::explain::{self, Explanation, Query};
use crate::model::{Asked, Coverage, CoverageStatus, Needs, Scope};
use crate::policy::{DEFAULT_POLICY, Policy};
use crate::report::{MOST, Shown, write_explanations};
use crate::scan::{Outcome, Scanned};

use super::Error;
use super::audit::load_policies;
use super::console::Console;
use super::session::{Access, Session};
use super::targets::Where;

/// How many scopes that could not be read are named.
const NAMED: usize = 5;

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
    #[command(flatten)]
    access: Access,
}

/// Explains. What is wrong with the arguments is found before AWS is asked anything.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Error> {
    let policies = load_policies(&args.policies)?;
    let query = Query::parse(&args.resource).map_err(Error::usage)?;
    let runtime = super::runtime()?;
    let found = runtime.block_on(look(args, &policies, &query, console));
    // Calls that an interruption left behind are not waited for.
    runtime.shutdown_background();
    let found = found?;
    if found.count > 0 {
        console.write_stdout(&found.written(console)?)?;
    } else if !found.interrupted {
        console.error(&found.nothing(&query));
    }
    Ok(found.exit())
}

/// What was found, and how far it was looked for.
#[derive(Debug, Default)]
struct Found {
    /// The first in the order they are shown.
    explanations: Vec<Explanation>,
    /// How many there are.
    count: usize,
    coverage: Vec<Coverage>,
    interrupted: bool,
}

impl Found {
    fn add(&mut self, explanations: Vec<Explanation>) {
        self.count += explanations.len();
        self.explanations.extend(explanations);
        self.explanations.sort_by(Explanation::cmp_shown);
        self.explanations.truncate(MOST);
    }

    /// What was asked to be read and could not be.
    fn holes(&self) -> impl Iterator<Item = &Coverage> {
        let unread = |status| matches!(status, CoverageStatus::Partial | CoverageStatus::Failed);
        self.coverage.iter().filter(move |scope| unread(scope.status))
    }

    fn exit(&self) -> Exit {
        if self.interrupted {
            Exit::Interrupted
        } else if self.holes().next().is_some() {
            Exit::Incomplete
        } else if self.count == 0 {
            Exit::Usage
        } else {
            Exit::Success
        }
    }

    fn written(&self, console: &Console) -> Result<Vec<u8>, Error> {
        // An explanation itself says what could not be read where it was found.
        let elsewhere = |hole: &&Coverage| {
            !self
                .explanations
                .iter()
                .any(|one| one.scope.account_id == hole.account_id && one.scope.region == hole.region)
        };
        let holes = self.holes().filter(elsewhere).count();
        let shown = Shown { explanations: &self.explanations, found: self.count, holes };
        let mut bytes = Vec::new();
        write_explanations(&shown, console.table_style(true), &mut bytes)
            .map_err(|error| Error::Bug(format!("cannot write the explanation: {error}")))?;
        Ok(bytes)
    }

    /// That it is not there, and where it was looked for.
    fn nothing(&self, query: &Query) -> String {
        let read: Vec<_> =
            self.coverage.iter().filter(|scope| scope.status != CoverageStatus::Skipped).collect();
        let mut message = format!("nothing named {:?} was found in {}", query.to_string(), places(&read));
        message.push_str(
            "\nlooked for: nodes by id, launch templates by id or name, node groups as CLUSTER/NAME, \
             Auto Scaling groups of clusters and clusters by name",
        );
        let holes: Vec<_> = self.holes().collect();
        for scope in holes.iter().take(NAMED) {
            let why = scope.errors.first().map_or_else(String::new, |error| {
                format!(": {}:{} {}", error.service, error.operation, error.code)
            });
            let (account, region) = (&scope.account_id, &scope.region);
            let _ = write!(message, "\nit may be in {account} {region}, which could not be read{why}");
        }
        if holes.len() > NAMED {
            let _ = write!(message, "\nor in {} more that could not be read", holes.len() - NAMED);
        }
        message
    }
}

/// `2 accounts and 3 Regions`, by name where there is one.
fn places(coverage: &[&Coverage]) -> String {
    let distinct = |of: &dyn Fn(&Coverage) -> String| {
        let mut all: Vec<String> = coverage.iter().map(|scope| of(scope)).collect();
        all.sort();
        all.dedup();
        all
    };
    let say = |all: Vec<String>, noun: &str| match &all[..] {
        [one] => format!("{noun} {one}"),
        all => format!("{} {noun}s", all.len()),
    };
    let accounts = say(distinct(&|scope| scope.account_id.to_string()), "account");
    format!("{accounts}, {}", say(distinct(&|scope| scope.region.to_string()), "Region"))
}

async fn look(args: &Args, policies: &[Policy], query: &Query, console: &Console) -> Result<Found, Error> {
    let whereabouts = args.whereabouts.clone().or_region(query.region());
    let mut session = Session::start(&args.access, &whereabouts, Task::Audit, console).await?;
    let today = session.started_at.to_zoned(TimeZone::UTC).date();
    // An ARN says where to look.
    session.prospects.retain(|prospect| query.may_be_in_account(&prospect.account_id));
    let mut found = Found::default();
    let needs = Needs { templates: query.may_be_template(), ..Needs::default() };
    let asked = Asked { needs, named: query.wherever().map(str::to_owned) };
    let sink = |scanned| match scanned {
        Scanned::Read(inventory) => {
            found.add(explain::explain(&inventory, policies, today, query));
            found.coverage.push(inventory.coverage);
        }
        Scanned::Unread(coverage) => found.coverage.push(coverage),
    };
    let chosen = |scope: &Scope| query.may_be_in(scope);
    let outcome = if session.prospects.is_empty() {
        Outcome::default()
    } else {
        session.scan(chosen, &asked, sink).await?
    };
    if outcome.read + outcome.failed + outcome.interrupted == 0 {
        return Err(Error::usage(format!(
            "{query} is in an account or a Region that is not among those to be read"
        )));
    }
    found.coverage.sort_by(|a, b| (&a.account_id, &a.region).cmp(&(&b.account_id, &b.region)));
    found.interrupted = outcome.interrupted();
    session.end(outcome).await?;
    Ok(found)
}
