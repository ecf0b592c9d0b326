//! Why an account cannot be read at all.

use std::error::Error;

use aws_config::imds::client::error::ImdsError;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

use super::credentials;
use super::errors::{CallError, ErrorKind, REQUEST_FAILED};
use super::http::chain;
use super::operations::GET_CALLER_IDENTITY;
use super::session::ConnectSettings;

/// Why there is no account to read: a sentence that says what to do, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConnectError {
    /// What kind of failure it is.
    pub kind: ConnectErrorKind,
    message: String,
}

/// What stands between the settings and an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectErrorKind {
    /// Nothing offers credentials.
    NoCredentials,
    /// The profile that was asked for is not defined.
    NoSuchProfile,
    /// What should offer credentials failed: an expired single sign-on, an external process, a role.
    CredentialsFailed,
    /// The credentials were good once.
    ExpiredCredentials,
    /// AWS does not accept the credentials.
    InvalidCredentials,
    /// This machine's clock is wrong.
    ClockSkew,
    /// The caller may not even ask who it is.
    AccessDenied,
    /// The endpoint cannot be reached.
    Unreachable,
    /// The endpoint does not answer.
    Timeout,
    /// A setting is wrong.
    Configuration,
    /// Anything else.
    Other,
}

impl ConnectError {
    pub(super) fn new(kind: ConnectErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(super) fn from_sdk<E>(settings: &ConnectSettings, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match credentials::find(error) {
            Some(error) => Self::from_credentials(settings, error),
            None => Self::from_call(&CallError::from_sdk(GET_CALLER_IDENTITY, error)),
        }
    }

    fn from_credentials(settings: &ConnectSettings, error: &CredentialsError) -> Self {
        let texts: Vec<String> = chain(error).map(ToString::to_string).collect();
        let undefined = texts.iter().find_map(|text| undefined_profile(text));
        match (error, &settings.profile, undefined) {
            (_, _, Some(profile)) => Self::no_such_profile(profile),
            (CredentialsError::CredentialsNotLoaded(_), Some(profile), None) => {
                let message = format!(
                    "profile {profile:?} gives no credentials: it is not in the AWS configuration files, or says \
                     nothing about credentials there (`aws configure list-profiles` shows what is)"
                );
                Self::new(ConnectErrorKind::NoSuchProfile, message)
            }
            (CredentialsError::CredentialsNotLoaded(_), None, None) => Self::no_credentials(""),
            // Last in the chain, and present on machines that were never meant to give credentials.
            _ if settings.profile.is_none() && chain(error).any(<dyn Error>::is::<ImdsError>) => {
                Self::no_credentials(" (and the instance metadata service gave none)")
            }
            _ => {
                let message = credentials::reason(error);
                let sso = ["SSO", "sso", "token"].iter().any(|word| message.contains(word));
                let advice = if sso { "; sign in again with `aws sso login`" } else { "" };
                Self::new(ConnectErrorKind::CredentialsFailed, format!("{message}{advice}"))
            }
        }
    }

    fn no_credentials(but: &str) -> Self {
        let message = format!(
            "no AWS credentials were found{but}: set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
             pass --profile, or sign in with `aws sso login`"
        );
        Self::new(ConnectErrorKind::NoCredentials, message)
    }

    /// The same, where the reason is a profile of `AWS_PROFILE` that does not exist: the default chain
    /// passes over it silently, and `lone` is what the profile alone fails with.
    pub(super) fn or_missing_profile(self, lone: &CredentialsError) -> Self {
        let texts: Vec<String> = chain(lone).map(ToString::to_string).collect();
        match texts.iter().find_map(|text| undefined_profile(text)) {
            Some(profile) if profile != "default" => Self::no_such_profile(profile),
            _ => self,
        }
    }

    fn no_such_profile(profile: &str) -> Self {
        let message = format!(
            "there is no profile {profile:?} in the AWS configuration files \
             (`aws configure list-profiles` shows what there is)"
        );
        Self::new(ConnectErrorKind::NoSuchProfile, message)
    }

    fn from_call(error: &CallError) -> Self {
        let said = error.summary();
        let code = &error.code;
        let (kind, message) = match error.kind {
            ErrorKind::ExpiredCredentials => (
                ConnectErrorKind::ExpiredCredentials,
                format!("the AWS credentials have expired ({code}): sign in again"),
            ),
            ErrorKind::InvalidCredentials => (
                ConnectErrorKind::InvalidCredentials,
                format!("AWS does not accept these credentials ({code}): {said}"),
            ),
            ErrorKind::ClockSkew => (
                ConnectErrorKind::ClockSkew,
                format!("this machine's clock is wrong, so that AWS refuses its signature ({code}): {said}"),
            ),
            ErrorKind::AccessDenied => (
                ConnectErrorKind::AccessDenied,
                format!("these credentials may not call sts:GetCallerIdentity ({code}): {said}"),
            ),
            ErrorKind::Unreachable => (
                ConnectErrorKind::Unreachable,
                format!("{said}; check the network, the proxy, the Region and AWS_ENDPOINT_URL"),
            ),
            ErrorKind::Timeout => (
                ConnectErrorKind::Timeout,
                format!("{said} (sts:GetCallerIdentity); check the network, the proxy and AWS_ENDPOINT_URL"),
            ),
            ErrorKind::NoCredentials => (ConnectErrorKind::CredentialsFailed, said),
            _ if code == REQUEST_FAILED => (
                ConnectErrorKind::Configuration,
                format!("no request could be made: {said}; check the Region and AWS_ENDPOINT_URL"),
            ),
            _ => (ConnectErrorKind::Other, format!("sts:GetCallerIdentity failed ({code}): {said}")),
        };
        Self::new(kind, message)
    }
}

/// The profile in "profile `x` was not defined", as aws-config words it.
fn undefined_profile(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("profile `")?;
    let (name, rest) = rest.split_once('`')?;
    rest.starts_with(" was not defined").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_a_sentence_of_its_own() {
        let kinds = [
            (ErrorKind::ExpiredCredentials, ConnectErrorKind::ExpiredCredentials),
            (ErrorKind::InvalidCredentials, ConnectErrorKind::InvalidCredentials),
            (ErrorKind::ClockSkew, ConnectErrorKind::ClockSkew),
            (ErrorKind::AccessDenied, ConnectErrorKind::AccessDenied),
            (ErrorKind::Unreachable, ConnectErrorKind::Unreachable),
            (ErrorKind::Timeout, ConnectErrorKind::Timeout),
            (ErrorKind::NotAws, ConnectErrorKind::Other),
        ];
        let mut seen = std::collections::HashSet::new();
        for (from, to) in kinds {
            let error = ConnectError::from_call(&CallError::new(GET_CALLER_IDENTITY, from, "Code", "said"));
            assert_eq!(error.kind, to);
            assert!(seen.insert(error.to_string()));
        }
    }

    #[test]
    fn a_missing_profile_is_told_from_missing_credentials() {
        let named = ConnectSettings { profile: Some("prod".into()), ..ConnectSettings::default() };
        let error = CredentialsError::not_loaded("profile `prod` was not defined: no such profile");
        let error = ConnectError::from_credentials(&named, &error);
        assert_eq!(error.kind, ConnectErrorKind::NoSuchProfile);
        assert!(error.to_string().contains("\"prod\""));
        let error = CredentialsError::not_loaded_no_source();
        let error = ConnectError::from_credentials(&ConnectSettings::default(), &error);
        assert_eq!(error.kind, ConnectErrorKind::NoCredentials);
    }
}
