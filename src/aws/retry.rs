//! What is worth asking again, beyond what the SDK knows.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_ec2::config::interceptors::InterceptorContext;
use aws_sdk_ec2::config::retry::{ClassifyRetry, RetryAction, RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::retries::classifiers::RetryClassifierPriority;
use aws_smithy_types::retry::RetryConfig;

use super::errors::{is_throttled, is_web_page};
use super::http::{Attempt, Unanswered};
use super::session::setting;

/// How often a request is sent at most that fails, where neither environment nor profile says otherwise.
const ATTEMPTS: u32 = 5;

/// How often a request is sent at most that AWS is asked too fast for. Each refusal slows down what follows, so
/// that one of them gets through before long.
const THROTTLED_ATTEMPTS: u32 = 10;

/// How often an endpoint is tried that cannot be reached, or that says nothing within the timeout. Five
/// times each would make an audit without a network hang for minutes.
const SILENT_ATTEMPTS: u32 = 2;

/// The retries that hold unless the user's environment or profile sets others.
pub(super) fn default_config() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(THROTTLED_ATTEMPTS).with_max_backoff(Duration::from_secs(10))
}

/// A retry budget of its own for one account, Region and service: the SDK's default is shared by all
/// accounts of the process, so that one throttled account would use up the retries of the others.
pub(super) fn partition(account: &str, region: &str, service: &str) -> RetryPartition {
    let bucket = TokenBucket::builder().capacity(500).refill_rate(10.0).build();
    RetryPartition::custom(format!("{account}-{region}-{service}")).token_bucket(bucket).build()
}

/// `AWS_MAX_ATTEMPTS` or the profile's `max_attempts`, where set.
pub(super) fn configured_attempts(config: &SdkConfig) -> Option<String> {
    setting(config, "AWS_MAX_ATTEMPTS", "max_attempts")
}

/// Forbids retries that cannot help: of a web page where an AWS answer should be, of an endpoint that stayed silent
/// before, and of what failed often enough for any other reason than being asked too fast.
#[derive(Debug)]
pub(super) struct Hopeless {
    attempts: u32,
}

impl Hopeless {
    /// For clients of this configuration.
    pub fn of(config: &SdkConfig) -> Self {
        let configured = config.retry_config().filter(|_| configured_attempts(config).is_some());
        Self { attempts: configured.map_or(ATTEMPTS, RetryConfig::max_attempts) }
    }

    fn has_failed_enough(&self, context: &InterceptorContext) -> bool {
        if let Some(answer) = context.response() {
            let attempt = answer.extension().map_or(1, |Attempt(attempt)| *attempt);
            return attempt >= self.attempts && !is_throttled(answer);
        }
        let Some(Err(error)) = context.output_or_error() else { return false };
        let unanswered = error.as_connector_error().and_then(|error| Unanswered::find(error));
        unanswered.is_some_and(|failure| {
            failure.attempt >= self.attempts || (failure.is_silence() && failure.attempt >= SILENT_ATTEMPTS)
        })
    }
}

impl ClassifyRetry for Hopeless {
    fn name(&self) -> &'static str {
        "Hopeless"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let page = context.response().is_some_and(is_final_web_page);
        if page || self.has_failed_enough(context) {
            RetryAction::RetryForbidden
        } else {
            RetryAction::NoActionIndicated
        }
    }
}

/// Forbids a second attempt of what nobody can tell the first one of did not do, for operations that AWS does not know
/// again by a token. What AWS answered that it did not do may be asked again: to slow down, or that a session is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Once;

impl ClassifyRetry for Once {
    fn name(&self) -> &'static str {
        "Once"
    }

    // Before all others: whatever they think, this is not asked again.
    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_before(RetryClassifierPriority::http_status_code_classifier())
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let was_refused = match (context.response(), context.output_or_error()) {
            (_, None | Some(Ok(_))) => return RetryAction::NoActionIndicated,
            (Some(answer), _) => {
                let status = answer.status().as_u16();
                is_throttled(answer) || (400..500).contains(&status)
            }
            // Not even a connection.
            (None, Some(Err(error))) => error
                .as_connector_error()
                .and_then(|error| Unanswered::find(error))
                .is_some_and(Unanswered::never_left),
        };
        if was_refused { RetryAction::NoActionIndicated } else { RetryAction::RetryForbidden }
    }
}

/// A web page from something that does not speak this operation. Load balancers in front of AWS answer
/// 502 to 504 with web pages too, and those pass.
fn is_final_web_page(response: &HttpResponse) -> bool {
    is_web_page(response) && !matches!(response.status().as_u16(), 502..=504)
}
