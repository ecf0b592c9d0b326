//! Scripted faults: which request meets which.

use std::sync::atomic::{AtomicU32, Ordering};

use globset::{Glob, GlobMatcher};

use crate::fleet::schema::{FaultKind, FaultSpec};

/// The faults of a fleet, and how often each has struck.
#[derive(Debug)]
pub struct Faults {
    faults: Vec<Fault>,
}

#[derive(Debug)]
struct Fault {
    account: Option<GlobMatcher>,
    region: Option<GlobMatcher>,
    operation: GlobMatcher,
    kind: FaultKind,
    left: Option<AtomicU32>,
}

impl Faults {
    /// Reads what a fleet says; its patterns have been checked.
    pub fn new(specs: &[FaultSpec]) -> Self {
        let matcher = |pattern: &str| Glob::new(pattern).ok().map(|glob| glob.compile_matcher());
        let faults = specs.iter().filter_map(|spec| {
            Some(Fault {
                account: spec.account.as_deref().and_then(matcher),
                region: spec.region.as_deref().and_then(matcher),
                operation: matcher(&spec.operation)?,
                kind: spec.error,
                left: spec.times.map(AtomicU32::new),
            })
        });
        Self { faults: faults.collect() }
    }

    /// The first fault for a request that is not used up.
    pub fn strike(&self, account: &str, region: &str, operation: &str) -> Option<FaultKind> {
        let matches =
            |pattern: &Option<GlobMatcher>, text| pattern.as_ref().is_none_or(|glob| glob.is_match(text));
        self.faults
            .iter()
            .filter(|fault| matches(&fault.account, account) && matches(&fault.region, region))
            .filter(|fault| fault.operation.is_match(operation))
            .find(|fault| fault.is_left())
            .map(|fault| fault.kind)
    }
}

impl Fault {
    fn is_left(&self) -> bool {
        self.left.as_ref().is_none_or(|left| {
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |times| times.checked_sub(1)).is_ok()
        })
    }
}
