//! An account that can be read, and its Regions.

use std::sync::Arc;

use super::clients::{Clients, Regional};
use super::errors::{CallError, failed};
use super::operations::{DESCRIBE_REGIONS, Task};
use crate::model::{AccountId, Arn, Guard, Partition, Region, RegionStatus, Scope};

/// An AWS account, with credentials for it. Clones share them.
#[derive(Clone, Debug)]
pub struct Account {
    /// The partition, from the caller's ARN.
    pub partition: Partition,
    /// The account's number.
    pub account_id: AccountId,
    /// Who reads it.
    pub caller: Arn,
    /// What holds the reader back from changing anything in it.
    pub guard: Guard,
    pub(super) clients: Arc<Clients>,
}

impl Account {
    /// This account in one Region.
    pub fn scope(&self, region: &Region) -> Scope {
        Scope {
            partition: self.partition.clone(),
            account_id: self.account_id.clone(),
            account_name: None,
            region: region.clone(),
        }
    }

    /// All Regions of the partition by name, those that the account has not enabled included.
    ///
    /// # Errors
    ///
    /// When `ec2:DescribeRegions` fails in the home Region.
    pub async fn regions(&self) -> Result<Vec<RegionStatus>, CallError> {
        let client = self.clients.home(&self.account_id);
        let answer = client.describe_regions().all_regions(true).send().await;
        let answer = answer.map_err(failed(DESCRIBE_REGIONS))?;
        let mut regions: Vec<_> = answer.regions().iter().filter_map(status).collect();
        regions.sort();
        Ok(regions)
    }

    /// Whether it is not in the hands of a session that only reads: those of a role that was opened for nothing else.
    pub(super) fn may_change(&self) -> bool {
        self.guard != Guard::SessionPolicy || self.clients.task() == Task::Remediate
    }

    pub(super) fn regional(&self, region: &Region) -> Regional {
        self.clients.regional(&self.account_id, region)
    }
}

fn status(region: &aws_sdk_ec2::types::Region) -> Option<RegionStatus> {
    let opt_in_status = region.opt_in_status();
    Some(RegionStatus {
        region: region.region_name()?.into(),
        enabled: opt_in_status != Some("not-opted-in"),
        opt_in: opt_in_status.is_some_and(|status| status != "opt-in-not-required"),
    })
}
