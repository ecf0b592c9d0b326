//! What is worth asking again, beyond what the SDK knows.

use std::time::Duration;

use aws_sdk_ec2::config::interceptors::InterceptorContext;
use aws_sdk_ec2::config::retry::{ClassifyRetry, RetryAction, RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
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
        if page || is_hopelessly_silent(context) {
            RetryAction::RetryForbidden
        } else {
            RetryAction::NoActionIndicated
        }
    }
}

/// A web page from something that does not speak this operation. Load balancers in front of AWS answer
/// 502 to 504 with web pages too, and those pass.
fn is_final_web_page(response: &HttpResponse) -> bool {
    is_web_page(response) && !matches!(response.status().as_u16(), 502..=504)
}

/// Whether the endpoint stayed silent often enough, or for as long as an attempt may take.
fn is_hopelessly_silent(context: &InterceptorContext) -> bool {
    let Some(Err(error)) = context.output_or_error() else { return false };
    let unanswered = error.as_connector_error().and_then(|error| Unanswered::find(error));
    error.is_timeout_error()
        || unanswered.is_some_and(|failure| failure.is_silence() && failure.attempt >= SILENT_ATTEMPTS)
}
