//! `imdsctl scopes`: what an audit with the same flags reads, and as whom.

use crate::aws::Task;
use crate::exit::Exit;
use crate::model::Coverage;
use crate::report::{Scopes, ScopesFormat, ScopesOfAccount, UnreadRegion};
use crate::scan::{Entry, Surveyed};

use super::Error;
use super::console::Console;
use super::output::{OutputArg, Outputs};
use super::session::{Access, Session};
use super::targets::Where;

/// Show which accounts and Regions an audit with the same flags reads, and as whom. Signs in to each account and asks
/// which Regions it has enabled; reads nothing else.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    whereabouts: Where,
    // Not called --output: what is set for reports is not meant for this.
    /// What to write: table or json, to stdout or to a file; repeat for more. `imdsctl report merge --expect` takes the
    /// JSON.
    #[arg(short = 'o', long = "format", value_name = "FORMAT[=PATH]")]
    outputs: Vec<OutputArg<ScopesFormat>>,
    #[command(flatten)]
    access: Access,
}

pub fn run(args: &Args, console: &Console) -> Result<Exit, Error> {
    let outputs = match args.outputs.as_slice() {
        [] => Outputs::open(&[OutputArg::to_stdout(ScopesFormat::Table)])?,
        asked => Outputs::open(asked)?,
    };
    let runtime = super::runtime()?;
    let surveyed = runtime.block_on(async {
        Session::start(&args.access, &args.whereabouts, Task::Scopes, console).await?.survey().await
    });
    runtime.shutdown_background();
    let scopes = Scopes::new(surveyed?.into_iter().map(of_account).collect());
    outputs.write_each(console, |format, _, out| format.write(&scopes, out))?;
    Ok(if scopes.summary.failed > 0 { Exit::Incomplete } else { Exit::Success })
}

fn of_account(Surveyed { prospect, regions, unread }: Surveyed) -> ScopesOfAccount {
    let role = match &prospect.entry {
        Entry::Assume(role) => Some(role),
        Entry::Open(..) | Entry::Closed(_) => None,
    };
    ScopesOfAccount {
        reader: prospect.reader().map(str::to_owned),
        assumed: role.is_some(),
        external_id: role.is_some_and(|role| role.external_id.is_some()),
        guard: prospect.guard(),
        regions,
        unread: unread.into_iter().map(unread_region).collect(),
        partition: prospect.partition,
        account_id: prospect.account_id,
        account_name: prospect.account_name,
    }
}

fn unread_region(coverage: Coverage) -> UnreadRegion {
    let Coverage { region, status, reason, errors, .. } = coverage;
    UnreadRegion { region, status, reason, errors }
}
