//! The same refusal has another name in every service.

use crate::iam::Denial;
use crate::service::Service;
use crate::wire::error::ApiError;

/// Why a service does not answer the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is no `Authorization` header.
    NoCredentials,
    /// It is not a SigV4 header.
    MalformedCredentials,
    /// The access key is not known here: not at all, or not in a Region that the account has not enabled.
    UnknownKey,
    /// The credentials ran out.
    Expired,
    /// IAM says no.
    Denied,
    /// Too many requests.
    Throttled,
    /// The service fails.
    Internal,
    /// The service cannot answer now.
    Unavailable,
}

impl Refusal {
    /// The error as the service would say it to `user` who wanted `operation`.
    pub fn error(self, service: Service, operation: &str, user: &str) -> ApiError {
        match service {
            Service::Ec2 => self.ec2(operation, user),
            Service::Eks => self.eks(operation, user),
            Service::Organizations => self.organizations(operation, user),
            // CloudWatch keeps the codes of the Query service that it was.
            Service::Sts | Service::AutoScaling | Service::Iam | Service::CloudWatch => {
                self.query(service, operation, user)
            }
        }
    }

    fn ec2(self, operation: &str, user: &str) -> ApiError {
        match self {
            Self::NoCredentials => {
                ApiError::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
            }
            Self::MalformedCredentials => ApiError::bad("IncompleteSignature", MALFORMED),
            Self::UnknownKey => ApiError::new(
                401,
                "AuthFailure",
                "AWS was not able to validate the provided access credentials",
            ),
            Self::Expired => ApiError::bad("RequestExpired", "Request has expired."),
            Self::Denied => silent(Service::Ec2, operation, user),
            Self::Throttled => ApiError::new(503, "RequestLimitExceeded", "Request limit exceeded."),
            Self::Internal => ApiError::new(500, "InternalError", "An internal error has occurred"),
            Self::Unavailable => ApiError::new(503, "Unavailable", UNAVAILABLE),
        }
    }

    fn query(self, service: Service, operation: &str, user: &str) -> ApiError {
        match self {
            Self::NoCredentials => {
                ApiError::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
            }
            Self::MalformedCredentials => ApiError::new(400, "IncompleteSignature", MALFORMED),
            Self::UnknownKey => ApiError::new(403, "InvalidClientTokenId", INVALID_TOKEN),
            Self::Expired => ApiError::new(403, "ExpiredToken", EXPIRED),
            Self::Denied => silent(service, operation, user),
            Self::Throttled => ApiError::new(400, "Throttling", "Rate exceeded"),
            Self::Internal => ApiError::new(500, "InternalFailure", INTERNAL),
            Self::Unavailable => ApiError::new(503, "ServiceUnavailable", UNAVAILABLE),
        }
    }

    fn organizations(self, operation: &str, user: &str) -> ApiError {
        let bad = |code, message| ApiError::bad(code, message);
        match self {
            Self::NoCredentials => bad("MissingAuthenticationTokenException", "Missing Authentication Token"),
            Self::MalformedCredentials => bad("IncompleteSignatureException", MALFORMED),
            Self::UnknownKey => bad("UnrecognizedClientException", INVALID_TOKEN),
            Self::Expired => bad("ExpiredTokenException", EXPIRED),
            Self::Denied => silent(Service::Organizations, operation, user),
            Self::Throttled => bad(
                "TooManyRequestsException",
                "AWS Organizations can't complete your request because you have made too many.",
            )
            .with("Type", "RATE_EXCEEDED"),
            Self::Internal => ApiError::new(500, "ServiceException", INTERNAL),
            Self::Unavailable => ApiError::new(503, "ServiceUnavailableException", UNAVAILABLE),
        }
    }

    fn eks(self, operation: &str, user: &str) -> ApiError {
        match self {
            Self::NoCredentials => {
                ApiError::new(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
            }
            Self::MalformedCredentials => ApiError::new(400, "IncompleteSignatureException", MALFORMED),
            Self::UnknownKey => ApiError::new(403, "UnrecognizedClientException", INVALID_TOKEN),
            Self::Expired => ApiError::new(403, "ExpiredTokenException", EXPIRED),
            Self::Denied => silent(Service::Eks, operation, user),
            Self::Throttled => ApiError::new(429, "ThrottlingException", "Rate exceeded"),
            Self::Internal => ApiError::new(500, "ServerException", INTERNAL),
            Self::Unavailable => ApiError::new(503, "ServiceUnavailableException", UNAVAILABLE),
        }
    }
}

/// IAM's refusal of an action, as the service says it: who may not do what on which resource, and which policy says so.
pub fn denied(service: Service, action: &str, user: &str, denial: Denial, resource: &str) -> ApiError {
    let on = if resource == "*" { String::new() } else { format!(" on resource: {resource}") };
    let message =
        format!("User: {user} is not authorized to perform: {action}{on} {}", denial.because(action));
    match service {
        Service::Ec2 => {
            let message = format!("You are not authorized to perform this operation. {message}");
            ApiError::new(403, "UnauthorizedOperation", message)
        }
        Service::Eks => ApiError::new(403, "AccessDeniedException", message),
        Service::Organizations => ApiError::bad("AccessDeniedException", message),
        // STS does not say why.
        Service::Sts => ApiError::new(
            403,
            "AccessDenied",
            format!("User: {user} is not authorized to perform: {action}{on}"),
        ),
        Service::AutoScaling | Service::Iam | Service::CloudWatch => {
            ApiError::new(403, "AccessDenied", message)
        }
    }
}

/// The refusal of someone whom no policy allows anything.
fn silent(service: Service, operation: &str, user: &str) -> ApiError {
    let action = format!("{}:{operation}", service.name());
    denied(service, &action, user, Denial::IdentitySilent, "*")
}

const MALFORMED: &str =
    "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters.";
const INVALID_TOKEN: &str = "The security token included in the request is invalid.";
const EXPIRED: &str = "The security token included in the request is expired";
const INTERNAL: &str = "The request processing has failed because of an unknown error, exception or failure.";
const UNAVAILABLE: &str = "The server is overloaded and can't handle the request.";
