//! A bar on stderr while scopes are read.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::model::{Coverage, CoverageStatus};
use crate::scan::Event;

use super::console::Console;

/// Shows what a scan does.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    nodes: usize,
    troubled: usize,
}

impl Progress {
    /// A bar where one may be drawn; elsewhere one that shows nothing.
    pub fn new(console: &Console) -> Self {
        let bar = ProgressBar::with_draw_target(
            None,
            if console.shows_progress() {
                ProgressDrawTarget::stderr()
            } else {
                ProgressDrawTarget::hidden()
            },
        );
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.set_message("signing in");
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, nodes: 0, troubled: 0 }
    }

    /// Takes note of an event.
    pub fn on(&mut self, event: Event<'_>) {
        match event {
            Event::Started { .. } => {
                self.bar.set_length(0);
                let template = "{spinner} reading Regions [{bar:30}] {pos}/{len} · {msg} · {elapsed}";
                if let Ok(style) = ProgressStyle::with_template(template) {
                    self.bar.set_style(style.progress_chars("=> "));
                }
                self.bar.set_message("0 nodes");
            }
            Event::Opened { scopes } => self.bar.inc_length(scopes as u64),
            Event::Unread { coverage } => {
                if !coverage.errors.is_empty() {
                    self.trouble(coverage, "could not be read");
                }
            }
            Event::Read { coverage, nodes } => {
                self.nodes += nodes;
                if matches!(coverage.status, CoverageStatus::Partial | CoverageStatus::Failed) {
                    self.trouble(coverage, "could not be read completely");
                }
                self.bar.set_message(match self.troubled {
                    0 => format!("{} nodes", self.nodes),
                    troubled => format!("{} nodes · {troubled} with errors", self.nodes),
                });
                self.bar.inc(1);
            }
            Event::Interrupted { unread } => {
                tracing::warn!("interrupted: {unread} scopes were not read to the end");
            }
        }
    }

    fn trouble(&mut self, coverage: &Coverage, what: &str) {
        self.troubled += 1;
        let first = coverage.errors.first();
        let why = first.map_or_else(String::new, |error| {
            format!(": {}:{} {}", error.service, error.operation, error.code)
        });
        tracing::info!("{} {} {what}{why}", coverage.account_id, coverage.region);
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
