//! What a scan does, on stderr: a bar on a terminal, and everywhere a line for each part that cannot be read.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::aws::Meter;
use crate::model::{AccountId, Coverage, CoverageStatus};
use crate::report::sanitize;
use crate::scan::Event;

use super::console::Console;

/// An estimate means nothing before so much of the work, and of time, has passed.
const KNOWN_FROM: f64 = 0.05;
const KNOWN_AFTER: Duration = Duration::from_secs(5);

/// Shows what a scan does.
#[derive(Debug)]
pub struct Progress {
    shown: bool,
    bar: ProgressBar,
    meter: Meter,
    started: Instant,
    tally: Tally,
}

/// How far a scan is.
#[derive(Debug, Default)]
struct Tally {
    accounts: usize,
    opened: usize,
    /// How many Regions of each opened account are still to be read.
    left: BTreeMap<AccountId, usize>,
    /// Of the opened accounts.
    regions: usize,
    read: usize,
    nodes: usize,
    troubled: usize,
}

impl Progress {
    /// A bar where one may be drawn; elsewhere one that shows nothing.
    pub fn new(console: &Console, meter: &Meter) -> Self {
        Self::drawn(console.shows_progress(), meter)
    }

    /// Another, for another scan.
    #[must_use]
    pub fn again(&self) -> Self {
        Self::drawn(self.shown, &self.meter)
    }

    fn drawn(shown: bool, meter: &Meter) -> Self {
        let bar = ProgressBar::with_draw_target(
            None,
            if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() },
        );
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.set_message("signing in");
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { shown, bar, meter: meter.clone(), started: Instant::now(), tally: Tally::default() }
    }

    /// Takes note of an event.
    pub fn on(&mut self, event: Event<'_>) {
        match event {
            Event::Started { accounts } => {
                self.started = Instant::now();
                self.tally.accounts = accounts;
                if let Ok(style) = ProgressStyle::with_template("{spinner} [{bar:20}] {wide_msg}") {
                    self.bar.set_style(style.progress_chars("=> "));
                }
            }
            Event::Opened { account, scopes } => self.tally.open(account, scopes),
            Event::Unread { coverage } => {
                if !coverage.errors.is_empty() {
                    self.trouble(coverage, "could not be read");
                }
            }
            Event::Read { coverage, nodes } => {
                self.tally.read(&coverage.account_id, nodes);
                if matches!(coverage.status, CoverageStatus::Partial | CoverageStatus::Failed) {
                    self.trouble(coverage, "could not be read completely");
                }
            }
            Event::Interrupted { unread } => {
                self.bar.suspend(|| tracing::warn!("interrupted: {unread} scopes were not read to the end"));
            }
        }
        self.show();
    }

    fn show(&self) {
        if self.bar.is_hidden() {
            return;
        }
        let (read, all) = self.tally.part();
        self.bar.set_length(all as u64);
        self.bar.set_position(read as u64);
        let counts = self.meter.snapshot();
        self.bar.set_message(self.tally.line(counts.total(), counts.throttled, self.started.elapsed()));
    }

    fn trouble(&mut self, coverage: &Coverage, what: &str) {
        self.tally.troubled += 1;
        let why = coverage.errors.first().map_or_else(String::new, |error| {
            format!(": {}:{} {}", error.service, error.operation, error.code)
        });
        // A code may be anything that something in AWS's place answers.
        let line = format!("{} {} {what}{why}", coverage.account_id, coverage.region);
        self.bar.suspend(|| tracing::warn!("{}", sanitize(&line, false)));
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

impl Tally {
    fn open(&mut self, account: &AccountId, regions: usize) {
        self.opened += 1;
        self.regions += regions;
        if regions > 0 {
            self.left.insert(account.clone(), regions);
        }
    }

    fn read(&mut self, account: &AccountId, nodes: usize) {
        self.read += 1;
        self.nodes += nodes;
        if let Some(left) = self.left.get_mut(account) {
            *left -= 1;
            if *left == 0 {
                self.left.remove(account);
            }
        }
    }

    /// How many Regions were read, and of how many: those that are yet to be opened as those that were.
    fn part(&self) -> (usize, usize) {
        (self.read, (self.regions * self.accounts).checked_div(self.opened).unwrap_or_default())
    }

    fn line(&self, calls: u64, throttled: u64, elapsed: Duration) -> String {
        let done = self.opened - self.left.len();
        let more = if self.opened < self.accounts { "+" } else { "" };
        let mut parts = vec![
            format!("{done}/{} accounts", self.accounts),
            format!("{}/{}{more} Regions", HumanCount(self.read as u64), HumanCount(self.regions as u64)),
            format!("{} nodes", HumanCount(self.nodes as u64)),
            format!("{} calls", HumanCount(calls)),
        ];
        if throttled > 0 {
            parts.push(format!("{} throttled", HumanCount(throttled)));
        }
        if self.troubled > 0 {
            parts.push(format!("{} with errors", self.troubled));
        }
        parts.extend(self.time_left(elapsed));
        parts.join(" · ")
    }

    /// How long it will take, if the rest goes on as it went so far.
    fn time_left(&self, elapsed: Duration) -> Option<String> {
        let (read, all) = self.part();
        #[expect(clippy::cast_precision_loss, reason = "nobody has that many Regions")]
        let part = read as f64 / all as f64;
        if elapsed < KNOWN_AFTER || !(KNOWN_FROM..1.0).contains(&part) {
            return None;
        }
        let left = elapsed.mul_f64((1.0 - part) / part).as_secs();
        Some(match left {
            0..10 => "a few seconds left".to_owned(),
            10..90 => format!("about {} s left", left.next_multiple_of(10)),
            _ => format!("about {} min left", left.div_ceil(60)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally() -> Tally {
        let mut tally = Tally { accounts: 4, ..Tally::default() };
        tally.open(&"111122223333".into(), 2);
        tally.open(&"444455556666".into(), 2);
        tally.read(&"111122223333".into(), 1000);
        tally.read(&"111122223333".into(), 500);
        tally.read(&"444455556666".into(), 0);
        tally
    }

    #[test]
    fn a_line_says_how_far_it_is() {
        let mut tally = tally();
        assert_eq!(
            tally.line(1234, 0, Duration::from_secs(1)),
            "1/4 accounts · 3/4+ Regions · 1,500 nodes · 1,234 calls"
        );
        tally.troubled = 2;
        tally.open(&"777788889999".into(), 0);
        tally.open(&"000011112222".into(), 1);
        assert_eq!(
            tally.line(1234, 5, Duration::from_secs(6)),
            "2/4 accounts · 3/5 Regions · 1,500 nodes · 1,234 calls · 5 throttled · 2 with errors · a few seconds left"
        );
    }

    #[test]
    fn an_estimate_is_given_once_it_means_something() {
        let mut tally = tally();
        assert_eq!(tally.part(), (3, 8), "what is not opened yet counts as what was");
        let left = |tally: &Tally, seconds| tally.time_left(Duration::from_secs(seconds));
        assert_eq!(left(&tally, 4), None, "too early");
        assert_eq!(left(&tally, 12).unwrap(), "about 20 s left");
        assert_eq!(left(&tally, 600).unwrap(), "about 17 min left");
        tally.accounts = 4000;
        assert_eq!(left(&tally, 600), None, "too little of it is done");
        assert_eq!(left(&Tally::default(), 600), None);
    }
}
