//! Why there are no credentials, in a sentence.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;

use super::http::{Unanswered, chain};

/// Why credentials could not be had, if that is what an error is about.
pub(super) fn failure(error: &(dyn Error + 'static)) -> Option<String> {
    let Some(credentials) = find(error) else { return timeout(error) };
    Some(match credentials {
        CredentialsError::CredentialsNotLoaded(_) => "no AWS credentials were found".to_owned(),
        CredentialsError::ProviderTimedOut(details) => {
            format!(
                "the credential provider did not answer within {} s",
                details.timeout_duration().as_secs()
            )
        }
        _ => reason(credentials),
    })
}

/// The limit that the identity cache sets to any provider has no type of its own.
fn timeout(error: &(dyn Error + 'static)) -> Option<String> {
    let text =
        chain(error).map(ToString::to_string).find(|text| text.contains("identity resolver timed out"))?;
    let (_, after) = text.split_once("after ")?;
    Some(format!("the credential provider did not answer within {after}"))
}

/// The credentials error in a chain of errors.
pub(super) fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CredentialsError> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// The most specific thing that a failed provider says, in one line.
pub(super) fn reason(error: &CredentialsError) -> String {
    if let Some(unanswered) = Unanswered::find(error) {
        return format!("the credential provider failed: {unanswered}");
    }
    let texts: Vec<String> = chain(error).skip(1).map(ToString::to_string).collect();
    // Providers wrap service errors, whose outermost text ("service error") says nothing.
    let said = texts.iter().rev().find(|text| !text.is_empty() && text.as_str() != "service error");
    let said = said.map_or("without a reason", String::as_str);
    let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("the credential provider failed: {line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_does_not_answer_is_a_matter_of_credentials() {
        let error: Box<dyn Error + Send + Sync> = "identity resolver timed out after 30s".into();
        let error = std::io::Error::other(error);
        assert_eq!(failure(&error).unwrap(), "the credential provider did not answer within 30s");
        assert_eq!(failure(&std::io::Error::other("something else")), None);
    }

    #[test]
    fn the_innermost_reason_is_told() {
        let error = CredentialsError::provider_error("failed to load the cached SSO token\n(from disk)");
        assert_eq!(
            reason(&error),
            "the credential provider failed: failed to load the cached SSO token (from disk)"
        );
    }
}
