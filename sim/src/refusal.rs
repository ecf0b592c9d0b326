//! The same refusal has another name in every service.

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
            Service::Sts | Service::AutoScaling => self.query(service, operation, user),
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
            Self::Denied => ApiError::new(
                403,
                "UnauthorizedOperation",
                format!(
                    "You are not authorized to perform this operation. User: {user} is not authorized to \
                     perform: ec2:{operation} because no identity-based policy allows the ec2:{operation} action"
                ),
            ),
            Self::Throttled => ApiError::new(503, "RequestLimitExceeded", "Request limit exceeded."),
            Self::Internal => ApiError::new(500, "InternalError", "An internal error has occurred"),
            Self::Unavailable => ApiError::new(503, "Unavailable", UNAVAILABLE),
        }
    }

    fn query(self, service: Service, operation: &str, user: &str) -> ApiError {
        let name = service.name();
        match self {
            Self::NoCredentials => {
                ApiError::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
            }
            Self::MalformedCredentials => ApiError::new(400, "IncompleteSignature", MALFORMED),
            Self::UnknownKey => ApiError::new(403, "InvalidClientTokenId", INVALID_TOKEN),
            Self::Expired => ApiError::new(403, "ExpiredToken", EXPIRED),
            Self::Denied => ApiError::new(
                403,
                "AccessDenied",
                format!(
                    "User: {user} is not authorized to perform: {name}:{operation} because no identity-based \
                     policy allows the {name}:{operation} action"
                ),
            ),
            Self::Throttled => ApiError::new(400, "Throttling", "Rate exceeded"),
            Self::Internal => ApiError::new(500, "InternalFailure", INTERNAL),
            Self::Unavailable => ApiError::new(503, "ServiceUnavailable", UNAVAILABLE),
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
            Self::Denied => ApiError::new(
                403,
                "AccessDeniedException",
                format!(
                    "User: {user} is not authorized to perform: eks:{operation} because no identity-based \
                     policy allows the eks:{operation} action"
                ),
            ),
            Self::Throttled => ApiError::new(429, "ThrottlingException", "Rate exceeded"),
            Self::Internal => ApiError::new(500, "ServerException", INTERNAL),
            Self::Unavailable => ApiError::new(503, "ServiceUnavailableException", UNAVAILABLE),
        }
    }
}

const MALFORMED: &str =
    "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters.";
const INVALID_TOKEN: &str = "The security token included in the request is invalid.";
const EXPIRED: &str = "The security token included in the request is expired";
const INTERNAL: &str = "The request processing has failed because of an unknown error, exception or failure.";
const UNAVAILABLE: &str = "The server is overloaded and can't handle the request.";
