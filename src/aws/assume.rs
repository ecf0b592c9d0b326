//! Sessions of roles.
//!
//! Not aws-config's own provider: that one calls STS with a client that it builds itself, past the gate and the
//! meter, and asks for the base credentials anew each time.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};

use super::errors::{CallError, ErrorKind, failed};
use super::operations::ASSUME_ROLE;
use crate::model::{AccountId, Arn, Partition};

/// How long a session lasts, in seconds, before it is renewed. The most that AWS grants whoever is in a session
/// of a role already, and the least that a role can be set to.
const DURATION: i32 = 3600;

/// A role to read an account with, or to change it.
#[derive(Clone, PartialEq, Eq)]
pub struct Role {
    /// The partition that the account belongs to.
    pub partition: Partition,
    /// The account.
    pub account_id: AccountId,
    /// The role, in that account.
    pub arn: Arn,
    /// What the role's trust policy asks for, where it asks for anything.
    pub external_id: Option<String>,
    /// What the session is called in the logs of the account.
    pub session_name: String,
}

// Whoever knows an external id is a step nearer to being taken for its owner.
impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Role").field("arn", &self.arn).finish_non_exhaustive()
    }
}

/// The sessions of one role, one after the other. Shared by all clients of an account, of which each asks an
/// identity cache first.
#[derive(Debug)]
pub(super) struct AssumedRole {
    sts: aws_sdk_sts::Client,
    role: Role,
    policy: String,
    /// The session that opening the account has brought, until it is asked for.
    first: Mutex<Option<Credentials>>,
}

impl AssumedRole {
    /// Sessions of a role, each limited by a policy.
    pub fn new(sts: aws_sdk_sts::Client, role: Role, policy: String) -> Arc<Self> {
        Arc::new(Self { sts, role, policy, first: Mutex::default() })
    }

    /// Begins the first session, and says who is in it.
    pub async fn open(&self) -> Result<Arn, CallError> {
        let (credentials, caller) = self.assume().await?;
        *self.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(credentials);
        Ok(caller)
    }

    pub fn shared(self: Arc<Self>) -> SharedCredentialsProvider {
        SharedCredentialsProvider::from(self as Arc<dyn ProvideCredentials>)
    }

    async fn assume(&self) -> Result<(Credentials, Arn), CallError> {
        let call = self
            .sts
            .assume_role()
            .role_arn(self.role.arn.as_str())
            .role_session_name(&self.role.session_name)
            .set_external_id(self.role.external_id.clone())
            .duration_seconds(DURATION)
            .policy(&self.policy);
        // On the heap: this is part of every call's future that may have to renew a session.
        let answer = Box::pin(call.send()).await.map_err(failed(ASSUME_ROLE))?;
        let credentials = answer.credentials().zip(answer.assumed_role_user());
        let (credentials, user) = credentials.ok_or_else(|| {
            let message = "the answer holds no session: the endpoint is not AWS";
            CallError::new(ASSUME_ROLE, ErrorKind::NotAws, "NotAnAwsAnswer", message)
        })?;
        let session = Credentials::new(
            credentials.access_key_id(),
            credentials.secret_access_key(),
            Some(credentials.session_token().to_owned()),
            (*credentials.expiration()).try_into().ok(),
            "imdsctl",
        );
        Ok((session, user.arn().into()))
    }

    async fn next(&self) -> provider::Result {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        match first {
            Some(credentials) => Ok(credentials),
            None => match self.assume().await {
                Ok((credentials, _)) => Ok(credentials),
                Err(error) => Err(CredentialsError::provider_error(error)),
            },
        }
    }
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.next())
    }
}
