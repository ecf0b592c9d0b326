//! The credentials that everything begins with: whose they are, which accounts they can find, and the sessions they
//! can open in them.

use std::sync::Arc;

use aws_config::SdkConfig;

use super::account::Account;
use super::assume::{AssumedRole, Role};
use super::clients::{Clients, SignIn, Wiring};
use super::connect_error::{ConnectError, ConnectErrorKind};
use super::errors::{CallError, ErrorKind};
use super::iam;
use super::operations::{ASSUME_ROLE, Task};
use super::permit::{Narrowing, Permit};
use super::renewal::Renewal;
use super::session::home_region;
use crate::model::{Arn, Guard, Partition, Region};

/// Base credentials, which are known to work. Clones share them: they are loaded once, and again only when they
/// expire, however many sessions are opened with them.
#[derive(Clone, Debug)]
pub struct Base {
    /// The account that they belong to, read with them.
    pub account: Account,
    /// The Region that the environment or the profile names.
    pub configured_region: Option<Region>,
    /// The profile that was asked for.
    pub profile: Option<String>,
    pub(super) config: SdkConfig,
    pub(super) sign_in: Arc<SignIn>,
    pub(super) wiring: Wiring,
    pub(super) task: Task,
}

impl Base {
    /// Opens a session of a role. Every credential that is had for it from here on carries a session policy of
    /// what the task reads, the ones by which it is renewed included.
    ///
    /// `region` is where STS is asked. A session from there is good in every Region that the account has enabled,
    /// if all accounts of the partition have enabled that one.
    ///
    /// # Errors
    ///
    /// When STS does not grant the session.
    pub async fn assume(&self, role: &Role, region: &Region) -> Result<Account, CallError> {
        let policy = iam::session_policy(self.task, &role.partition, &role.account_id);
        self.account_of(role, region, policy, self.task).await
    }

    /// Opens a session of a role that may change its account, as far as is permitted and no further; and says how
    /// narrow the limit is. As with [`Self::assume`], every credential that is had for it carries the limit.
    ///
    /// # Errors
    ///
    /// When STS does not grant the session.
    pub async fn assume_to_change(
        &self,
        role: &Role,
        region: &Region,
        permit: &Permit,
    ) -> Result<(Account, Narrowing), CallError> {
        let mut policies = permit.policies(&role.partition, &role.account_id).into_iter().peekable();
        while let Some((policy, narrowing)) = policies.next() {
            match self.account_of(role, region, policy, Task::Remediate).await {
                // STS counts its own, packed form of it, which nobody else can measure.
                Err(error) if is_too_large(&error) && policies.peek().is_some() => {}
                opened => return opened.map(|account| (account, narrowing)),
            }
        }
        let message = "what is to be permitted does not fit into a session policy";
        Err(CallError::refused(ASSUME_ROLE, ErrorKind::LimitReached, message))
    }

    async fn account_of(
        &self,
        role: &Role,
        region: &Region,
        policy: String,
        task: Task,
    ) -> Result<Account, CallError> {
        let Session { config, renewal, partition, caller } = self.session(role, region, policy).await?;
        let clients = Clients::new(config, self.wiring.clone(), task).renewed_by(renewal);
        Ok(Account {
            partition,
            account_id: role.account_id.clone(),
            guard: Guard::SessionPolicy,
            clients: Arc::new(clients),
            caller,
        })
    }

    /// Opens a session of a role that is limited by a policy.
    pub(super) async fn session(
        &self,
        role: &Role,
        region: &Region,
        policy: String,
    ) -> Result<Session, CallError> {
        let provider = AssumedRole::new(self.sign_in.sts_in(region), role.clone(), policy);
        let caller = provider.open().await?;
        let (partition, account_id) = owner(&caller).ok_or_else(|| unusable("names no account"))?;
        if account_id != role.account_id.as_str() {
            return Err(unusable(&format!("is for account {account_id}")));
        }
        let renewal = Renewal::new();
        let config = self
            .config
            .to_builder()
            .credentials_provider(provider.shared())
            // Of its own: the SDK's cache holds 64 credentials, and drops any of them when it is full.
            .identity_cache(renewal.cache())
            .build();
        Ok(Session { config, renewal, partition: partition.into(), caller })
    }

    /// Where STS is asked for sessions by whoever does not know which Regions accounts have enabled.
    pub fn sts_region(&self) -> Region {
        self.configured_region.clone().unwrap_or_else(|| self.home_region())
    }

    /// The Region of the partition that these credentials begin in where none is configured, which every account has
    /// enabled.
    pub fn home_region(&self) -> Region {
        home_region(self.config.region().map_or("", AsRef::as_ref)).into()
    }

    pub(super) fn new(
        config: SdkConfig,
        wiring: Wiring,
        task: Task,
        sign_in: SignIn,
        arn: Option<&str>,
    ) -> Result<Self, ConnectError> {
        let unusable = || {
            let message = "the answer to sts:GetCallerIdentity names no account: the endpoint is not AWS";
            ConnectError::new(ConnectErrorKind::Other, message)
        };
        let caller: Arn = arn.ok_or_else(unusable)?.into();
        let (partition, account_id) = owner(&caller).ok_or_else(unusable)?;
        let account = Account {
            partition: partition.into(),
            account_id: account_id.into(),
            guard: Guard::ClientGate,
            clients: Arc::new(Clients::new(config.clone(), wiring.clone(), task)),
            caller: caller.clone(),
        };
        let sign_in = Arc::new(sign_in.of(&account.account_id));
        Ok(Self { account, configured_region: None, profile: None, config, sign_in, wiring, task })
    }
}

/// A session of a role, and what renews it.
pub(super) struct Session {
    pub config: SdkConfig,
    pub renewal: Renewal,
    pub partition: Partition,
    pub caller: Arn,
}

/// The partition and the account that an ARN names.
fn owner(arn: &Arn) -> Option<(&str, &str)> {
    let mut parts = arn.as_str().split(':').skip(1);
    let partition = parts.next().filter(|partition| !partition.is_empty())?;
    let account = parts.nth(2).filter(|account| !account.is_empty())?;
    Some((partition, account))
}

fn is_too_large(error: &CallError) -> bool {
    matches!(error.code.as_str(), "PackedPolicyTooLarge" | "PackedPolicyTooLargeException")
}

fn unusable(what: &str) -> CallError {
    let message = format!("the session that was granted {what}: the endpoint is not AWS");
    CallError::new(ASSUME_ROLE, ErrorKind::NotAws, "NotAnAwsAnswer", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_says_whose_it_is() {
        let owner =
            |arn: &str| owner(&arn.into()).map(|(partition, account)| format!("{partition} {account}"));
        assert_eq!(owner("arn:aws-cn:iam::111122223333:user/a:b").unwrap(), "aws-cn 111122223333");
        assert_eq!(owner("arn:aws:sts::111122223333:assumed-role/R/s").unwrap(), "aws 111122223333");
        assert_eq!(owner("arn:aws:sts"), None);
        assert_eq!(owner("nonsense"), None);
    }
}
