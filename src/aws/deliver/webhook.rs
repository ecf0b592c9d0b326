//! Webhooks: a body that is posted to a URL, and signed by whoever calls this.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;

use super::Courier;
use crate::aws::http::{Unanswered, endpoint_of, send_once};

/// How long a receiver may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Why a webhook was not delivered. The URL may hold a secret, so that only its host is named.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WebhookError(String);

impl Courier {
    /// Posts a JSON body with these headers. It is sent once: a receiver need not know a message again.
    ///
    /// # Errors
    /// When nothing answers, or the answer is not a success.
    pub async fn post(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: &[u8],
    ) -> Result<(), WebhookError> {
        let host = endpoint_of(url);
        let request = request(url, headers, body).ok_or_else(|| WebhookError("it is no URL".to_owned()))?;
        let answer = send_once(request, LIMIT, self.config.sleep_impl()).await.map_err(|error| {
            let unanswered = Unanswered::find(&error).map(ToString::to_string);
            WebhookError(unanswered.unwrap_or_else(|| format!("{host} did not answer")))
        })?;
        match answer.status().as_u16() {
            200..=299 => Ok(()),
            status => Err(WebhookError(format!("{host} answered {status}"))),
        }
    }
}

fn request(url: &str, headers: &[(&'static str, String)], body: &[u8]) -> Option<HttpRequest> {
    let mut request = HttpRequest::new(SdkBody::from(body.to_vec()));
    request.set_method("POST").ok()?;
    request.set_uri(url).ok()?;
    request.headers_mut().try_insert("content-type", "application/json").ok()?;
    for (name, value) in headers {
        request.headers_mut().try_insert(*name, value.clone()).ok()?;
    }
    Some(request)
}
