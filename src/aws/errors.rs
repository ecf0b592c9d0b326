//! What a failed call means, established once for every service.

use std::error::Error;

use aws_sdk_ec2::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

use super::gate::Refused;
use super::http::{Cause, Unanswered, chain};
use super::operations::Operation;
use super::whole::BrokenOff;
use crate::model::ReadError;

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The caller may not do that.
    AccessDenied,
    /// AWS asked to slow down until there were no retries left.
    Throttled,
    /// The credentials were good once.
    ExpiredCredentials,
    /// AWS does not know the credentials, or the signature is wrong.
    InvalidCredentials,
    /// This machine's clock and AWS's disagree.
    ClockSkew,
    /// No credentials could be had to sign with.
    NoCredentials,
    /// There was no connection.
    Unreachable,
    /// There was a connection, and no answer in time.
    Timeout,
    /// What was asked for does not exist, or not any more.
    NotFound,
    /// The account has not enabled the Region.
    RegionDisabled,
    /// It could be done, and was not, since it was only a dry run.
    DryRun,
    /// Something else is changing it just now; it may be possible later.
    Busy,
    /// AWS allows no more of it.
    LimitReached,
    /// A request with the same token was made before, and asked for something else.
    TokenReused,
    /// What was to be changed is not as it was seen; nothing was sent.
    Changed,
    /// It belongs to EKS, to Karpenter or to another service, and is never written; nothing was sent.
    NotOurs,
    /// The client gate refused it; nothing was sent.
    GateRefused,
    /// What answered is not AWS, or does not know the operation.
    NotAws,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// Whether the same operation would fail for anything else it is asked about, too.
    pub const fn is_lasting(self) -> bool {
        match self {
            Self::Throttled
            | Self::NotFound
            | Self::DryRun
            | Self::Busy
            | Self::LimitReached
            | Self::TokenReused
            | Self::Changed
            | Self::NotOurs
            | Self::Other => false,
            Self::AccessDenied
            | Self::ExpiredCredentials
            | Self::InvalidCredentials
            | Self::ClockSkew
            | Self::NoCredentials
            | Self::Unreachable
            | Self::Timeout
            | Self::RegionDisabled
            | Self::GateRefused
            | Self::NotAws => true,
        }
    }
}

/// A call that failed in the end, retries included.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {message} ({code})")]
pub struct CallError {
    /// What was called.
    pub operation: Operation,
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// AWS's code, or our own word where there was no answer.
    pub code: String,
    /// AWS's message as it came, or our own; [`Self::summary`] is fit to show.
    pub message: String,
}

/// Our word for a request that could not be made, or not for a reason that has a word of its own.
pub(super) const REQUEST_FAILED: &str = "RequestFailed";

/// Our words for a connection without an answer, for no connection, and for an answer of something else.
pub(super) const TIMEOUT: &str = "Timeout";
pub(super) const UNREACHABLE: &str = "Unreachable";
pub(super) const NOT_AWS: &str = "NotAnAwsAnswer";

/// Our word for a request that we did not send.
const REFUSED: &str = "RefusedByImdsctl";

/// How long a message may get in a report, in characters.
const MESSAGE_LIMIT: usize = 400;

impl CallError {
    /// Classifies what the SDK reports of `operation`.
    pub fn from_sdk<E>(operation: Operation, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        if let Some(code) = error.code() {
            let message = error.meta().message().unwrap_or_default();
            return Self::new(operation, kind_of(code, message), code, message);
        }
        if let Some(broken) = chain(error).find_map(|error| error.downcast_ref::<BrokenOff>()) {
            return Self::new(operation, ErrorKind::Other, "IncompleteAnswer", broken.to_string());
        }
        if let Some(response) = error.raw_response() {
            return Self::not_aws(operation, response);
        }
        Self::without_answer(operation, error)
    }

    pub(super) fn new(operation: Operation, kind: ErrorKind, code: &str, message: impl Into<String>) -> Self {
        Self { operation, kind, code: code.to_owned(), message: message.into() }
    }

    fn not_aws(operation: Operation, response: &HttpResponse) -> Self {
        let status = response.status().as_u16();
        let what = if is_web_page(response) { "a web page" } else { "something" };
        let message = format!(
            "HTTP {status} with {what} that is not an AWS answer: the endpoint may be another server, a proxy, \
             or may not implement {}",
            operation.name
        );
        Self::new(operation, ErrorKind::NotAws, NOT_AWS, message)
    }

    fn without_answer<E: Error + 'static>(operation: Operation, error: &SdkError<E, HttpResponse>) -> Self {
        if let Some(refused) = chain(error).find_map(|error| error.downcast_ref::<Refused>()) {
            return Self::new(operation, ErrorKind::GateRefused, REFUSED, refused.to_string());
        }
        // Likewise, and with AWS's own words: a session that could not be renewed.
        if let Some(cause) = chain(error).find_map(|error| error.downcast_ref::<Self>()) {
            let message = format!("the session could not be renewed: {}: {}", cause.operation, cause.message);
            return Self::new(operation, cause.kind, &cause.code, message);
        }
        // Before the endpoint: a credential provider that got no answer is a problem of credentials.
        if let Some(cause) = super::credentials::failure(error) {
            return Self::new(operation, ErrorKind::NoCredentials, "NoCredentials", cause);
        }
        if let Some(unanswered) = Unanswered::find(error) {
            let (kind, code) = match unanswered.cause {
                Cause::Silent => (ErrorKind::Timeout, TIMEOUT),
                _ => (ErrorKind::Unreachable, UNREACHABLE),
            };
            return Self::new(operation, kind, code, unanswered.to_string());
        }
        if matches!(error, SdkError::TimeoutError(_)) {
            let message = "no complete answer within the time limit";
            return Self::new(operation, ErrorKind::Timeout, TIMEOUT, message);
        }
        let cause = chain(error).last().map_or_else(String::new, ToString::to_string);
        Self::new(operation, ErrorKind::Other, REQUEST_FAILED, cause)
    }

    /// Whether nobody can tell if AWS did what it was asked: it was sent, and no answer says either. What it would
    /// have changed has to be read again before anything else is done.
    pub fn is_uncertain(&self) -> bool {
        match self.kind {
            ErrorKind::Timeout | ErrorKind::Unreachable | ErrorKind::NotAws => true,
            ErrorKind::Other => FAILED_INSIDE.contains(&self.code.as_str()),
            _ => false,
        }
    }

    /// Our own refusal, for a reason that is no answer of AWS.
    pub(super) fn refused(operation: Operation, kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::new(operation, kind, REFUSED, message)
    }

    /// The same error about one resource of many, which AWS's message does not always name.
    #[must_use]
    pub fn about(mut self, resource: &str) -> Self {
        if !self.message.contains(resource) {
            self.message = format!("{resource}: {}", self.message);
        }
        self
    }

    /// The message in one line, without control characters or encoded blobs, in a bearable length.
    pub fn summary(&self) -> String {
        // EC2 appends kilobytes that only sts:DecodeAuthorizationMessage can read.
        let readable =
            self.message.split("Encoded authorization failure message:").next().unwrap_or_default();
        let printable = readable.split(|c: char| c.is_whitespace() || c.is_control());
        let line = printable.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        if line.is_empty() {
            return "AWS gave no reason".to_owned();
        }
        match line.char_indices().nth(MESSAGE_LIMIT) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }
}

/// Services' own words for what went wrong inside of them, and ours for an answer that is not whole.
pub(super) const FAILED_INSIDE: [&str; 8] = [
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "ServerException",
    "ServiceUnavailable",
    "Unavailable",
    "IncompleteAnswer",
    REQUEST_FAILED,
];

impl From<CallError> for ReadError {
    fn from(error: CallError) -> Self {
        Self {
            service: error.operation.service.to_owned(),
            operation: error.operation.name.to_owned(),
            message: error.summary(),
            code: error.code,
        }
    }
}

/// For `map_err`: classifies the SDK's error of an operation.
pub(super) fn failed<E>(operation: Operation) -> impl Fn(SdkError<E, HttpResponse>) -> CallError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    move |error| CallError::from_sdk(operation, &error)
}

/// Whether a code says to slow down. The list is the SDK's own (aws-runtime, `retries/classifiers.rs`).
fn is_throttling_code(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "ProvisionedThroughputExceededException"
            | "TransactionInProgressException"
            | "RequestLimitExceeded"
            | "BandwidthLimitExceeded"
            | "LimitExceededException"
            | "RequestThrottled"
            | "SlowDown"
            | "PriorRequestNotComplete"
            | "EC2ThrottledException"
    )
}

/// Whether an answer says to slow down. The code stands in a header for JSON services, and near the top of
/// the body for XML ones.
pub(super) fn is_throttled(response: &HttpResponse) -> bool {
    let status = response.status().as_u16();
    status == 429 || code_of(response).is_some_and(|code| is_throttling_code(&code))
}

/// The code of an answer that is an error. It stands in a header for JSON and binary services, and near the top of
/// the body for XML ones.
pub(super) fn code_of(response: &HttpResponse) -> Option<String> {
    if response.status().as_u16() < 400 {
        return None;
    }
    if let Some(code) = response.headers().get("x-amzn-errortype") {
        return code.split(':').next().map(str::to_owned);
    }
    // CloudWatch's, whose bodies are binary.
    if let Some(code) = response.headers().get("x-amzn-query-error") {
        return code.split(';').next().map(str::to_owned);
    }
    let body = response.body().bytes().unwrap_or_default();
    let head = String::from_utf8_lossy(&body[..body.len().min(1024)]);
    let (code, _) = head.split_once("<Code>")?.1.split_once("</Code>")?;
    Some(code.trim().to_owned())
}

/// Whether an answer is a web page: what proxies, load balancers and stand-in servers send.
pub(super) fn is_web_page(response: &HttpResponse) -> bool {
    let typed = response.headers().get("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    let body = response.body().bytes().unwrap_or_default();
    let start = String::from_utf8_lossy(&body[..body.len().min(64)]).trim_start().to_ascii_lowercase();
    typed || start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// What kind of failure a code is.
pub(super) fn kind_of(code: &str, message: &str) -> ErrorKind {
    if is_throttling_code(code) {
        return ErrorKind::Throttled;
    }
    let skewed = ["Signature expired", "not yet current", "RequestTime"].iter().any(|m| message.contains(m));
    match code {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "AuthorizationError" => {
            ErrorKind::AccessDenied
        }
        // The last one is EC2's word for a session token that ran out.
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => ErrorKind::ExpiredCredentials,
        "RequestTimeTooSkewed" => ErrorKind::ClockSkew,
        "SignatureDoesNotMatch" | "InvalidSignatureException" if skewed => ErrorKind::ClockSkew,
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "AuthFailure"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "MissingAuthenticationToken" => ErrorKind::InvalidCredentials,
        "OptInRequired" | "RegionDisabledException" => ErrorKind::RegionDisabled,
        "DryRunOperation" => ErrorKind::DryRun,
        // EKS says the first; Auto Scaling the others, with and without what its model calls them.
        "ResourceInUseException"
        | "InstanceRefreshInProgress"
        | "InstanceRefreshInProgressFault"
        | "ScalingActivityInProgress"
        | "ScalingActivityInProgressFault"
        | "ResourceContention"
        | "ResourceContentionFault"
        | "ResourceInUse"
        | "ResourceInUseFault"
        | "IncorrectInstanceState"
        | "IncorrectState" => ErrorKind::Busy,
        "IdempotentParameterMismatch" | "IdempotentParameterMismatchException" => ErrorKind::TokenReused,
        // Not those that say to slow down, which are known by now: versions, refreshes.
        _ if code.ends_with("LimitExceeded") || code.ends_with("LimitExceededFault") => {
            ErrorKind::LimitReached
        }
        _ if code.contains("NotFound") => ErrorKind::NotFound,
        // Ids that cannot exist, or images that no longer do, fail a whole batch like missing ones.
        _ if code.starts_with("InvalidAMIID.") || code.starts_with("InvalidInstanceID.") => {
            ErrorKind::NotFound
        }
        _ => ErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::operation::describe_instances::DescribeInstancesError;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    use super::super::operations::DESCRIBE_INSTANCES;
    use super::*;

    fn response(status: u16, content_type: &'static str, body: &'static str) -> HttpResponse {
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        response.headers_mut().insert("content-type", content_type);
        response
    }

    fn answered(code: &str, message: &str) -> CallError {
        let meta = ErrorMetadata::builder().code(code).message(message).build();
        let raw = response(400, "text/xml", "");
        CallError::from_sdk(
            DESCRIBE_INSTANCES,
            &SdkError::service_error(DescribeInstancesError::generic(meta), raw),
        )
    }

    #[test]
    fn codes_of_every_service_end_up_in_the_same_kind() {
        for (code, kind) in [
            ("UnauthorizedOperation", ErrorKind::AccessDenied),
            ("AccessDeniedException", ErrorKind::AccessDenied),
            ("RequestLimitExceeded", ErrorKind::Throttled),
            ("ExpiredToken", ErrorKind::ExpiredCredentials),
            ("UnrecognizedClientException", ErrorKind::InvalidCredentials),
            ("InvalidLaunchTemplateId.VersionNotFound", ErrorKind::NotFound),
            ("InvalidAMIID.Unavailable", ErrorKind::NotFound),
            ("ResourceNotFoundException", ErrorKind::NotFound),
            ("OptInRequired", ErrorKind::RegionDisabled),
            ("DryRunOperation", ErrorKind::DryRun),
            ("ResourceInUseException", ErrorKind::Busy),
            ("InstanceRefreshInProgress", ErrorKind::Busy),
            ("VersionLimitExceeded", ErrorKind::LimitReached),
            ("LimitExceeded", ErrorKind::LimitReached),
            ("IdempotentParameterMismatch", ErrorKind::TokenReused),
            ("InternalError", ErrorKind::Other),
        ] {
            assert_eq!(answered(code, "").kind, kind, "{code}");
        }
        let skewed = "Signature expired: 20261122T120000Z is now earlier than 20261122T130000Z";
        assert_eq!(answered("SignatureDoesNotMatch", skewed).kind, ErrorKind::ClockSkew);
        assert_eq!(answered("SignatureDoesNotMatch", "").kind, ErrorKind::InvalidCredentials);
    }

    #[test]
    fn an_answer_that_asks_to_slow_down_is_recognised_in_every_protocol() {
        let ec2 = "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>";
        assert!(is_throttled(&response(503, "text/xml", ec2)));
        assert!(!is_throttled(&response(200, "text/xml", ec2)));
        assert!(!is_throttled(&response(503, "text/html", "<html>Service Unavailable</html>")));
        let mut eks = response(400, "application/json", "{}");
        eks.headers_mut().insert("x-amzn-errortype", "ThrottlingException:http://internal.amazon.com/");
        assert!(is_throttled(&eks));
        let mut metrics = response(400, "application/cbor", "");
        metrics.headers_mut().insert("x-amzn-query-error", "Throttling;Sender");
        assert!(is_throttled(&metrics));
    }

    #[test]
    fn a_message_is_one_line_without_what_nobody_can_read() {
        let error = answered(
            "UnauthorizedOperation",
            "You are not authorized\nto perform this operation.\u{1b}[31m Encoded authorization failure message: x9",
        );
        assert_eq!(error.summary(), "You are not authorized to perform this operation. [31m");
        assert_eq!(answered("X", "").summary(), "AWS gave no reason");
        assert!(answered("X", &"é".repeat(5000)).summary().chars().count() <= MESSAGE_LIMIT + 1);
    }

    #[test]
    fn what_was_answered_is_certain_and_what_broke_off_is_not() {
        assert!(answered("InternalError", "").is_uncertain());
        for code in
            ["UnauthorizedOperation", "InvalidParameterValue", "ResourceInUseException", "ExpiredToken"]
        {
            assert!(!answered(code, "").is_uncertain(), "{code}");
        }
        let silent = CallError::new(DESCRIBE_INSTANCES, ErrorKind::Timeout, "Timeout", "");
        assert!(silent.is_uncertain());
        assert!(!CallError::refused(DESCRIBE_INSTANCES, ErrorKind::Changed, "").is_uncertain());
    }

    #[test]
    fn a_web_page_is_not_taken_for_an_answer() {
        let raw = response(500, "text/html; charset=utf-8", "<!doctype html><title>500</title>");
        let error: SdkError<DescribeInstancesError, _> = SdkError::response_error("unparsable", raw);
        let error = CallError::from_sdk(DESCRIBE_INSTANCES, &error);
        assert_eq!((error.kind, error.code.as_str()), (ErrorKind::NotAws, "NotAnAwsAnswer"));
        assert!(error.message.starts_with("HTTP 500 with a web page"), "{}", error.message);
    }

    #[test]
    fn the_resource_is_named_once() {
        let error = answered("AccessDenied", "not on cluster blue").about("cluster blue");
        assert_eq!(error.message, "not on cluster blue");
        assert_eq!(answered("AccessDenied", "no").about("cluster blue").message, "cluster blue: no");
    }
}
