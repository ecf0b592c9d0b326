//! The flags that say what to change, and with how much care.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::apply::Options;
use crate::cli::Error;
use crate::cli::console::Console;
use crate::plan::Choices;
use crate::scope::RoleName;

/// The heading of what is changed.
const WHAT: &str = "What to change, beyond new versions of launch templates";

/// The heading of how it is changed.
const CARE: &str = "With how much care";

/// An update of a node group takes minutes for each node.
const POLL: Duration = Duration::from_secs(10);

/// What to change.
#[derive(Clone, Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Choosing {
    /// Make the new version the default of its template, too.
    #[arg(help_heading = WHAT, long)]
    set_default: bool,
    /// Let node groups and Auto Scaling groups launch from the new version, and replace their nodes.
    #[arg(help_heading = WHAT, long)]
    rollout: bool,
    /// Change running instances. Lost when they are replaced.
    #[arg(help_heading = WHAT, long)]
    live: bool,
    /// Change the account's defaults for new instances.
    #[arg(help_heading = WHAT, long)]
    account_defaults: bool,
    /// Patch templates that CloudFormation, eksctl or Terraform owns, too.
    #[arg(help_heading = WHAT, long)]
    include_iac: bool,
    /// A tag by which templates of an infrastructure tool are known, beside the usual ones; repeat for more.
    #[arg(help_heading = WHAT, long = "iac-tag", value_name = "KEY[=VALUE]")]
    iac_tags: Vec<String>,
    /// Require tokens although something asks its metadata service without, or nobody can tell.
    #[arg(help_heading = WHAT, long)]
    accept_imdsv1_callers: bool,
    /// Replace the instances of Auto Scaling groups without a termination hook: their pods are not drained.
    #[arg(help_heading = WHAT, long)]
    accept_no_drain: bool,
    /// Let updates of node groups override PodDisruptionBudgets.
    #[arg(help_heading = WHAT, long)]
    force: bool,
}

impl Choosing {
    /// What was chosen.
    pub fn choices(&self) -> Choices {
        Choices {
            set_default: self.set_default,
            rollout: self.rollout,
            live: self.live,
            account_defaults: self.account_defaults,
            include_iac: self.include_iac,
            accept_imdsv1_callers: self.accept_imdsv1_callers,
            accept_no_drain: self.accept_no_drain,
            force: self.force,
            iac_tags: self.iac_tags.clone(),
        }
    }
}

/// How to change it.
#[derive(Clone, Debug, clap::Args)]
pub struct Care {
    /// Do not ask. Needed where there is no terminal.
    #[arg(help_heading = CARE, long)]
    pub yes: bool,
    /// Replace the nodes of one group, look at the new ones, and only then go on.
    #[arg(help_heading = CARE, long)]
    canary: bool,
    /// Make at most so many changes; --resume goes on with the rest.
    #[arg(help_heading = CARE, long, value_name = "N")]
    max_changes: Option<usize>,
    /// How many clusters are worked on at once; never more than one change in one.
    #[arg(help_heading = CARE, long, value_name = "N", default_value_t = NonZeroUsize::MIN)]
    parallel_clusters: NonZeroUsize,
    /// How long to wait between two looks at an update or a refresh, in seconds; 10 without it, and 0 in the demo.
    #[arg(help_heading = CARE, long, value_name = "SECONDS", value_parser = seconds)]
    poll_interval: Option<Duration>,
    /// The role to change accounts with, for no longer than it takes. Without it, only your own account can be changed: its name, or an ARN with `{account_id}` in it.
    #[arg(help_heading = CARE, long, value_name = "ROLE", value_parser = RoleName::parse)]
    pub remediate_role: Option<RoleName>,
    /// Where the journal goes. Without it, to imdsctl-journal-TIME.ndjson in the working directory.
    #[arg(help_heading = CARE, long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
}

impl Care {
    /// How a plan is run.
    pub fn options(&self, demo: bool) -> Options {
        let usual = if demo { Duration::ZERO } else { POLL };
        Options {
            parallel_clusters: self.parallel_clusters,
            canary: self.canary,
            max_changes: self.max_changes,
            poll: self.poll_interval.unwrap_or(usual),
            settle_only: false,
        }
    }

    /// Whether somebody can be asked, or need not be.
    pub fn can_ask(&self, console: &Console) -> Result<(), Error> {
        if self.yes || console.can_ask() {
            return Ok(());
        }
        Err(Error::usage(
            "there is no terminal to ask on: look at the plan with --dry-run, and apply it with --yes",
        ))
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || "a number of seconds from 0 to 3600".to_owned();
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    if !(0.0..=3600.0).contains(&seconds) {
        return Err(wrong());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}
