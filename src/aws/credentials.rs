//! Why there are no credentials, in a sentence.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;

use super::http::{Unanswered, chain};

/// Why credentials could not be had, if that is what an error is about.
pub(super) fn failure(error: &(dyn Error + 'static)) -> Option<String> {
    let credentials = find(error)?;
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
