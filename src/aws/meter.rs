//! Counts what is sent to AWS, retries included.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_ec2::config::interceptors::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;

use super::errors::is_throttled;

/// The requests of this process to AWS, by operation. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Counts>>);

/// What was counted up to now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests sent by `service:Operation`, each retry counted.
    pub calls: BTreeMap<String, u64>,
    /// Answers that said to slow down.
    pub throttled: u64,
}

impl Counts {
    /// All requests together.
    pub fn total(&self) -> u64 {
        self.calls.values().sum()
    }
}

impl Meter {
    /// What was counted up to now.
    pub fn snapshot(&self) -> Counts {
        self.counts().clone()
    }

    /// The interceptor that counts for clients of one service.
    pub(super) fn probe(&self, service: &'static str) -> Probe {
        Probe { service, meter: self.clone() }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Counters stay right even if a thread that held them panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reports one client's requests to the meter.
#[derive(Debug)]
pub(super) struct Probe {
    service: &'static str,
    meter: Meter,
}

impl Intercept for Probe {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map_or("?", Metadata::name);
        let key = format!("{}:{operation}", self.service);
        *self.meter.counts().calls.entry(key).or_default() += 1;
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if context.response().is_some_and(is_throttled) {
            self.meter.counts().throttled += 1;
        }
        Ok(())
    }
}
