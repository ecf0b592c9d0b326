//! Findings as the JSON that they are, past the types of the SDK.
//!
//! Of a resource the SDK knows more than a hundred kinds of details, and has a place for each in every resource: a page of
//! findings takes megabytes, and taking it apart more stack than a thread has. So the SDK signs, sends and retries, and
//! what is in the findings it neither writes nor reads.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_securityhub::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_securityhub::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_securityhub::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::asff::SecurityFinding;
use crate::aws::whole::BrokenOff;

/// What AWS calls its own members of `ProductFields`, which nobody else may send.
const RESERVED: &str = "aws/";

/// Takes the findings out of an answer before the SDK takes that apart.
#[derive(Clone, Debug, Default)]
pub struct Taken(Arc<Mutex<Vec<SecurityFinding>>>);

/// An answer of `GetFindings`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    findings: Vec<Value>,
    next_token: Option<String>,
}

impl Taken {
    /// The findings of the answer.
    pub fn take(&self) -> Vec<SecurityFinding> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Intercept for Taken {
    fn name(&self) -> &'static str {
        "Taken"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        // An error is for the SDK to understand.
        let Some(body) = response.body().bytes().filter(|_| response.status().is_success()) else {
            return Ok(());
        };
        let Page { findings, next_token } = serde_json::from_slice(body).map_err(|_| BrokenOff)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            findings.into_iter().filter_map(understood).collect();
        let rest = json!({ "Findings": [], "NextToken": next_token });
        *context.response_mut().body_mut() = SdkBody::from(rest.to_string());
        Ok(())
    }
}

/// A finding; nothing, where it is none that imdsctl could have imported.
fn understood(finding: Value) -> Option<SecurityFinding> {
    let mut finding: SecurityFinding = serde_json::from_value(finding).ok()?;
    finding.product_fields.retain(|key, _| !key.starts_with(RESERVED));
    Some(finding)
}

/// Puts a batch in the place of the one without findings that the SDK has written.
pub fn sending(batch: &[SecurityFinding]) -> impl Fn(&mut HttpRequest) + Send + Sync + use<> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Batch<'b> {
        findings: &'b [SecurityFinding],
    }
    // Findings are texts and times, which are always JSON.
    let body = serde_json::to_string(&Batch { findings: batch }).unwrap_or_default();
    move |request| {
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body.clone());
    }
}
