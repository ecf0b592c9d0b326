//! What the collectors of one scope share: clients, and the list of what went wrong.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use crate::aws::clients::Regional;
use crate::aws::errors::CallError;
use crate::aws::operations::Operation;
use crate::aws::pages::Listed;
use crate::model::{ReadError, Scope};

/// How many calls for single clusters, node groups and templates are under way at once, each, in one Region: as
/// many as go out at once by the default share of what EKS is assumed to allow. More would only wait in line.
pub(super) const SIDE_BY_SIDE: usize = 20;

/// Reads one scope.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub scope: &'a Scope,
    pub clients: Regional,
    /// What calls for single node groups need one of, of whichever cluster they are.
    pub slots: Semaphore,
    failures: Mutex<Failures>,
}

#[derive(Debug, Default)]
struct Failures {
    // Sorted, and each once: a denied action is denied for every cluster alike.
    errors: BTreeSet<ReadError>,
    operations: BTreeSet<Operation>,
    hopeless: BTreeSet<Operation>,
}

impl<'a> Reader<'a> {
    pub fn new(scope: &'a Scope, clients: Regional) -> Self {
        Self { scope, clients, slots: Semaphore::new(SIDE_BY_SIDE), failures: Mutex::default() }
    }

    /// Remembers a failure.
    pub fn note(&self, error: CallError) {
        let mut failures = self.failures();
        failures.operations.insert(error.operation);
        if error.kind.is_lasting() {
            failures.hopeless.insert(error.operation);
        }
        failures.errors.insert(error.into());
    }

    /// What a call yielded; a failure is remembered.
    pub fn keep<T>(&self, result: Result<T, CallError>) -> Option<T> {
        result.map_err(|error| self.note(error)).ok()
    }

    /// What a listing yielded, and whether that is all; a failure is remembered.
    pub fn keep_listed<T>(&self, listed: Listed<T>) -> (Vec<T>, bool) {
        let complete = listed.error.is_none();
        if let Some(error) = listed.error {
            self.note(error);
        }
        (listed.items, complete)
    }

    /// Whether a call of this operation failed.
    pub fn has_failed(&self, operation: Operation) -> bool {
        self.failures().operations.contains(&operation)
    }

    /// Whether this operation failed in a way that makes it pointless to ask it for anything else.
    pub fn is_hopeless(&self, operation: Operation) -> bool {
        self.failures().hopeless.contains(&operation)
    }

    /// Whether nothing failed so far.
    pub fn is_clean(&self) -> bool {
        self.failures().errors.is_empty()
    }

    fn failures(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that failed, sorted.
    pub fn into_errors(self) -> Vec<ReadError> {
        let failures = self.failures.into_inner().unwrap_or_else(PoisonError::into_inner);
        failures.errors.into_iter().collect()
    }
}
