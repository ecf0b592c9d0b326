//! How fast AWS is asked, and how long it may take to answer.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::aws::{ApiShare, Aws, Task, Timeouts};
use crate::scan::DEFAULT_CONCURRENCY;

/// The heading of these flags in help texts.
const PACE: &str = "How fast to ask";

/// How fast to ask.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Pace {
    /// How much of the request rate that AWS allows to take, in percent. The rest is left to others in the account.
    #[arg(help_heading = PACE, long, value_name = "PERCENT", default_value = "50", value_parser = share)]
    api_share: ApiShare,
    /// How many Regions to read side by side, of all accounts together. Each takes some memory.
    #[arg(help_heading = PACE, long, value_name = "N", default_value_t = DEFAULT_CONCURRENCY)]
    pub concurrency: NonZeroUsize,
    /// Give up on an answer of AWS after this many seconds.
    #[arg(help_heading = PACE, long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..))]
    timeout: u16,
}

impl Pace {
    /// The AWS of this process, asked at this pace for what a task allows.
    pub fn aws(self, task: Task) -> Aws {
        let timeouts = Timeouts::default().at_most(Duration::from_secs(self.timeout.into()));
        Aws::new(timeouts, task).with_api_share(self.api_share)
    }
}

fn share(text: &str) -> Result<ApiShare, String> {
    let percent = text.parse().ok().and_then(ApiShare::percent);
    percent.ok_or_else(|| "expected a number from 1 to 100".to_owned())
}
