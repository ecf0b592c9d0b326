//! Counts what is sent to AWS, retries included.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_ec2::config::interceptors::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};

use super::errors::is_throttling_code;

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

/// Whether an answer says to slow down. The code stands in a header for JSON services, and near the top of
/// the body for XML ones.
fn is_throttled(response: &HttpResponse) -> bool {
    let status = response.status().as_u16();
    if status < 400 {
        return false;
    }
    if status == 429 {
        return true;
    }
    if let Some(code) = response.headers().get("x-amzn-errortype") {
        return is_throttling_code(code.split(':').next().unwrap_or(code));
    }
    let body = response.body().bytes().unwrap_or_default();
    let head = String::from_utf8_lossy(&body[..body.len().min(1024)]);
    let code = head.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    code.is_some_and(|(code, _)| is_throttling_code(code.trim()))
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn response(status: u16, body: &'static str) -> HttpResponse {
        HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))
    }

    #[test]
    fn an_answer_that_asks_to_slow_down_is_recognised_in_every_protocol() {
        let ec2 = "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>";
        assert!(is_throttled(&response(503, ec2)));
        assert!(!is_throttled(&response(200, ec2)));
        assert!(!is_throttled(&response(503, "<html>Service Unavailable</html>")));
        let mut eks = response(400, "{}");
        eks.headers_mut().insert("x-amzn-errortype", "ThrottlingException:http://internal.amazon.com/");
        assert!(is_throttled(&eks));
    }
}
