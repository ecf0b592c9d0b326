//! The one place that changes anything in AWS.
//!
//! A [`Changer`] is made for one account in one Region. Its reads tell how something is right now; its writes change
//! one thing each, and each looks first at whose that thing is: what belongs to EKS, to Karpenter or to another
//! service is refused here, whoever asks, by the tags and names that AWS gives at that moment. What else has to hold
//! before a write, whether it is wanted, and what follows from it, is for whoever holds a plan to know.
//!
//! No write is done twice because its answer was lost. EC2 and EKS know a request again by its token
//! ([`NewVersion::client_token`], [`NodeGroupUpdate::client_token`]); moving a default version, pointing a group at
//! versions, setting an instance's or an account's options and deleting a version come to the same however often
//! they are asked for, so that the SDK may ask again. Starting an instance refresh has neither, and is sent once: see
//! [`Changer::start_refresh`].

mod defaults;
mod groups;
mod guard;
mod instances;
mod launch;
mod node_groups;
mod options;
mod refreshes;
mod rehearsal;
mod rest;
mod templates;
#[cfg(test)]
mod tests;
mod uses;
mod versions;

pub use groups::{GroupInstance, GroupNow, Repointed};
pub use instances::InstanceNow;
pub use node_groups::{NodeGroupNow, NodeGroupUpdate, UpdateNow};
pub use refreshes::{Refresh, RefreshNow};
pub use rehearsal::Rehearsal;
pub use rest::Rest;
pub use templates::{TemplateNow, VersionNow};
pub use uses::VersionUse;
pub use versions::{Created, NewVersion};

use super::account::Account;
use super::clients::Regional;
use super::operations::Task;
use crate::model::{AccountId, Arn, Scope};

/// Changes one account in one Region, one thing at a time.
#[derive(Clone, Debug)]
pub struct Changer {
    clients: Regional,
    /// Of another gate, which lets nothing but dry runs through.
    rehearsal: aws_sdk_ec2::Client,
}

/// Why nobody can change an account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "account {account_id} is read by a session of {caller} that may change nothing: name a role of that account \
     that may, with --remediate-role"
)]
pub struct ReadOnly {
    /// The account.
    pub account_id: AccountId,
    /// Who reads it.
    pub caller: Arn,
}

impl Account {
    /// What changes this account in a Region: with a session that was opened for that, or with base credentials, as
    /// far as those may.
    ///
    /// # Errors
    ///
    /// Where the account is in the hands of a session that only reads.
    pub fn changer(&self, scope: &Scope) -> Result<Changer, ReadOnly> {
        if !self.may_change() {
            return Err(ReadOnly { account_id: self.account_id.clone(), caller: self.caller.clone() });
        }
        let of = |task| self.clients.for_task(task);
        Ok(Changer {
            clients: of(Task::Remediate).regional(&self.account_id, &scope.region),
            rehearsal: of(Task::Rehearse).ec2(&self.account_id, &scope.region),
        })
    }
}
