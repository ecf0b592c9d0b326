//! What is worth asking again, beyond what the SDK knows.

use std::time::Duration;

use aws_sdk_ec2::config::interceptors::InterceptorContext;
use aws_sdk_ec2::config::retry::{ClassifyRetry, RetryAction, RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::retries::classifiers::RetryClassifierPriority;
use aws_smithy_types::retry::RetryConfig;

use super::errors::is_web_page;
use super::http::Unanswered;

/// How often a request is sent at most where neither environment nor profile says otherwise.
pub(super) const DEFAULT_ATTEMPTS: u32 = 5;

/// How often an endpoint is tried that cannot be reached, or that says nothing within the timeout. Five
/// times each would make an audit without a network hang for minutes.
const SILENT_ATTEMPTS: u32 = 2;

/// The retries that hold unless the user's environment or profile sets others.
pub(super) fn default_config() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(DEFAULT_ATTEMPTS).with_max_backoff(Duration::from_secs(10))
}

/// A retry budget of its own for one account, Region and service: the SDK's default is shared by all
/// accounts of the process, so that one throttled account would use up the retries of the others.
pub(super) fn partition(account: &str, region: &str, service: &str) -> RetryPartition {
    let bucket = TokenBucket::builder().capacity(500).refill_rate(10.0).build();
    RetryPartition::custom(format!("{account}-{region}-{service}")).token_bucket(bucket).build()
}

/// Forbids retries that cannot help: of a web page where an AWS answer should be, and of an endpoint that
/// stayed silent before.
#[derive(Debug)]
pub(super) struct Hopeless;

impl ClassifyRetry for Hopeless {
    fn name(&self) -> &'static str {
        "Hopeless"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let page = context.response().is_some_and(is_final_web_page);
        let silent = is_silence(context) && context.request().is_some_and(|r| attempt(r) >= SILENT_ATTEMPTS);
        if page || silent { RetryAction::RetryForbidden } else { RetryAction::NoActionIndicated }
    }
}

/// A web page from something that does not speak this operation. Load balancers in front of AWS answer
/// 502 to 504 with web pages too, and those pass.
fn is_final_web_page(response: &aws_smithy_runtime_api::client::orchestrator::HttpResponse) -> bool {
    is_web_page(response) && !matches!(response.status().as_u16(), 502..=504)
}

/// Whether the attempt ended without any word from the endpoint.
fn is_silence(context: &InterceptorContext) -> bool {
    let Some(Err(error)) = context.output_or_error() else { return false };
    if error.is_timeout_error() {
        return true;
    }
    error.as_connector_error().and_then(|error| Unanswered::find(error)).is_some_and(Unanswered::is_silence)
}

/// Which attempt this is, from 1: the SDK writes it into a header.
fn attempt(request: &HttpRequest) -> u32 {
    let header = request.headers().get("amz-sdk-request").unwrap_or_default();
    let number = header.split(';').find_map(|part| part.trim().strip_prefix("attempt="));
    number.and_then(|number| number.parse().ok()).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attempt_is_read_from_the_header() {
        let mut request = HttpRequest::empty();
        assert_eq!(attempt(&request), 1);
        request.headers_mut().insert("amz-sdk-request", "ttl=20261122T120000Z; attempt=3; max=5");
        assert_eq!(attempt(&request), 3);
    }
}
