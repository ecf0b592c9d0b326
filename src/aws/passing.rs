//! What may pass by itself, so that reading again later is worth it.

use super::errors::{ErrorKind, FAILED_INSIDE, NOT_AWS, TIMEOUT, UNREACHABLE, kind_of};
use crate::model::ReadError;

/// Whether a failure that a report tells of may pass. What is denied is denied until somebody does something.
pub fn may_pass(error: &ReadError) -> bool {
    let code = error.code.as_str();
    match kind(code, &error.message) {
        ErrorKind::Throttled
        | ErrorKind::ExpiredCredentials
        | ErrorKind::Unreachable
        | ErrorKind::Timeout
        | ErrorKind::NotAws => true,
        ErrorKind::Other => FAILED_INSIDE.contains(&code),
        _ => false,
    }
}

/// What kind of failure a report tells of, in AWS's words or in ours.
fn kind(code: &str, message: &str) -> ErrorKind {
    match code {
        TIMEOUT => ErrorKind::Timeout,
        UNREACHABLE => ErrorKind::Unreachable,
        NOT_AWS => ErrorKind::NotAws,
        _ => kind_of(code, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_lasts_and_a_rush_passes() {
        let report = |code: &str| ReadError {
            service: "ec2".to_owned(),
            operation: "DescribeInstances".to_owned(),
            code: code.to_owned(),
            message: String::new(),
        };
        let passing = [
            "Throttling",
            "RequestLimitExceeded",
            "ExpiredToken",
            "Timeout",
            "Unreachable",
            "NotAnAwsAnswer",
            "InternalError",
            "ServiceUnavailable",
            "IncompleteAnswer",
        ];
        assert!(passing.iter().all(|code| may_pass(&report(code))));
        let lasting = [
            "AccessDenied",
            "UnauthorizedOperation",
            "InvalidClientTokenId",
            "OptInRequired",
            "NoCredentials",
            "RefusedByImdsctl",
            "NoReport",
            "Anything",
        ];
        assert!(!lasting.iter().any(|code| may_pass(&report(code))));
    }
}
