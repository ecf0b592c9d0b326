//! An account that can be read, and its Regions.

use std::sync::Arc;

use super::clients::{Clients, Regional};
use super::connect_error::{ConnectError, ConnectErrorKind};
use super::errors::{CallError, failed};
use super::operations::DESCRIBE_REGIONS;
use crate::model::{AccountId, Arn, Partition, Region, Scope};

/// An AWS account, with credentials for it. Clones share them.
#[derive(Clone, Debug)]
pub struct Account {
    /// The partition, from the caller's ARN.
    pub partition: Partition,
    /// The account's number.
    pub account_id: AccountId,
    /// Who reads it.
    pub caller: Arn,
    /// The Region that the environment or the profile names.
    pub configured_region: Option<Region>,
    clients: Arc<Clients>,
}

/// A Region of the account's partition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegionStatus {
    /// The Region.
    pub region: Region,
    /// Whether the account can use it.
    pub enabled: bool,
    /// `opt-in-not-required`, `opted-in` or `not-opted-in`, where EC2 says so.
    pub opt_in_status: Option<String>,
}

impl Account {
    pub(super) fn new(
        clients: Arc<Clients>,
        account_id: Option<&str>,
        arn: Option<&str>,
    ) -> Result<Self, ConnectError> {
        let unusable = || {
            let message = "the answer to sts:GetCallerIdentity names no account: the endpoint is not AWS";
            ConnectError::new(ConnectErrorKind::Other, message)
        };
        let (account_id, caller) = account_id.zip(arn).ok_or_else(unusable)?;
        let partition = caller.split(':').nth(1).filter(|partition| !partition.is_empty());
        Ok(Self {
            partition: partition.ok_or_else(unusable)?.into(),
            account_id: account_id.into(),
            caller: caller.into(),
            configured_region: None,
            clients,
        })
    }

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

    pub(super) fn regional(&self, region: &Region) -> Regional {
        self.clients.regional(&self.account_id, region)
    }
}

fn status(region: &aws_sdk_ec2::types::Region) -> Option<RegionStatus> {
    let opt_in_status = region.opt_in_status().map(str::to_owned);
    Some(RegionStatus {
        region: region.region_name()?.into(),
        enabled: opt_in_status.as_deref() != Some("not-opted-in"),
        opt_in_status,
    })
}
