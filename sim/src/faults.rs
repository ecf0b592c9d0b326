//! Scripted faults: which request meets which.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use globset::{Glob, GlobMatcher};

use crate::fleet::fault::{Fault, FaultKind, FaultPage};
use crate::wire::page::Turn;

/// The faults that are in force, and how often each has struck.
#[derive(Debug, Default)]
pub struct Faults {
    traps: Vec<Trap>,
}

#[derive(Debug)]
struct Trap {
    account: Option<GlobMatcher>,
    region: Option<GlobMatcher>,
    operation: GlobMatcher,
    page: Option<FaultPage>,
    strike: Strike,
    spared: AtomicU32,
    left: Option<AtomicU32>,
}

/// What happens to a request.
#[derive(Debug, Clone, Copy)]
pub struct Strike {
    /// What goes wrong.
    pub kind: FaultKind,
    /// How late a slow answer is.
    pub delay: Duration,
    /// Does the request do what it asks for first?
    pub takes_effect: bool,
}

/// Who asks for what.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The account.
    pub account: &'a str,
    /// The Region.
    pub region: &'a str,
    /// `service:Operation`.
    pub operation: &'a str,
}

impl Faults {
    /// Reads what a fleet or a test says; an error says what makes no sense.
    pub fn new(faults: &[Fault]) -> Result<Self, String> {
        faults.iter().map(Trap::new).collect::<Result<_, _>>().map(|traps| Self { traps })
    }

    /// Does it take the answer to know what happens to this request?
    pub fn look_at_pages(&self, target: Target<'_>) -> bool {
        self.traps.iter().any(|trap| trap.page.is_some() && trap.aims_at(target))
    }

    /// The first fault for a request that is not used up.
    pub fn strike(&self, target: Target<'_>, turn: &Turn) -> Option<Strike> {
        self.traps
            .iter()
            .filter(|trap| trap.aims_at(target) && trap.page.is_none_or(|page| turn_is(turn, page)))
            .find(|trap| trap.springs())
            .map(|trap| trap.strike)
    }
}

fn turn_is(turn: &Turn, page: FaultPage) -> bool {
    match page {
        FaultPage::First => !turn.continues(),
        FaultPage::Later => turn.continues(),
        FaultPage::Last => !turn.has_more(),
    }
}

impl Trap {
    fn new(fault: &Fault) -> Result<Self, String> {
        let matcher = |pattern: &str| {
            Glob::new(pattern)
                .map(|glob| glob.compile_matcher())
                .map_err(|error| format!("the fault's pattern {pattern:?}: {error}"))
        };
        let operation = &fault.operation;
        if !operation.contains(':') && operation != "*" {
            return Err(format!("the fault's operation {operation:?} is not of the form service:Operation"));
        }
        let slow = fault.error == FaultKind::Slow;
        if slow != fault.delay_ms.is_some() {
            return Err(format!("the fault of {operation:?}: a slow answer has delay_ms, and no other has"));
        }
        let refuses =
            matches!(fault.error, FaultKind::AccessDenied | FaultKind::Throttled | FaultKind::ExpiredToken);
        if refuses && fault.takes_effect {
            return Err(format!("the fault of {operation:?}: what is refused takes no effect"));
        }
        Ok(Self {
            account: fault.account.as_deref().map(matcher).transpose()?,
            region: fault.region.as_deref().map(matcher).transpose()?,
            operation: matcher(operation)?,
            page: fault.page,
            strike: Strike {
                kind: fault.error,
                delay: Duration::from_millis(fault.delay_ms.unwrap_or_default()),
                takes_effect: fault.takes_effect,
            },
            spared: AtomicU32::new(fault.after),
            left: fault.times.map(AtomicU32::new),
        })
    }

    fn aims_at(&self, target: Target<'_>) -> bool {
        let fits = |pattern: &Option<GlobMatcher>, text: &str| {
            pattern.as_ref().is_none_or(|glob| glob.is_match(text))
        };
        fits(&self.account, target.account)
            && fits(&self.region, target.region)
            && self.operation.is_match(target.operation)
    }

    /// Counts a request that matches: the first ones may be spared, and at some time it is over.
    fn springs(&self) -> bool {
        !count_down(&self.spared) && self.left.as_ref().is_none_or(count_down)
    }
}

/// True while there is something to count.
fn count_down(number: &AtomicU32) -> bool {
    number.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}
