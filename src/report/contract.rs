//! The report: what an audit found, how far it saw, and how it counts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Status};
use crate::model::{Breadth, Coverage, CoverageStatus, Inventory};

/// The value of a report's `schema` field.
pub const SCHEMA: &str = "imdsctl.report/v1";

/// What an audit found.
///
/// Everything but `run` is the same, byte for byte, for the same inventory, policy and clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// `imdsctl.report/v1`
    pub schema: String,
    /// What changes from run to run.
    pub run: Run,
    /// The policies that were judged by.
    pub policies: Vec<PolicySummary>,
    /// What was found, by account, Region, resource type, resource id, policy and rule.
    pub findings: Vec<Finding>,
    /// What was read and what was not, by account and Region.
    pub coverage: Vec<Coverage>,
    /// The counts.
    pub summary: Summary,
}

impl Report {
    /// What the instances of this report are called: nodes, unless it is about others too.
    pub fn noun(&self) -> &'static str {
        let wide = self.coverage.iter().any(|scope| scope.instances == Breadth::All);
        if wide { "instance" } else { "node" }
    }

    /// Whether something that was to be read was not.
    pub fn incomplete(&self) -> bool {
        self.run.interrupted
            || self
                .coverage
                .iter()
                .any(|scope| matches!(scope.status, CoverageStatus::Partial | CoverageStatus::Failed))
    }
}

/// What changes from run to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// `imdsctl`
    pub tool: String,
    /// The version of imdsctl.
    pub version: String,
    /// When reading began.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started_at: Timestamp,
    /// When everything was read.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub finished_at: Timestamp,
    /// How many API requests were sent, by `service:Operation`, retries included.
    pub api_calls: BTreeMap<String, u64>,
    /// How many of them AWS refused for their rate.
    pub api_throttled: u64,
    /// Whether the run was interrupted.
    pub interrupted: bool,
}

/// A policy that was judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicySummary {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its text, in hexadecimal.
    pub sha256: String,
}

/// The counts of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Accounts that were to be read.
    pub accounts: u64,
    /// Regions that were to be read, each once.
    pub regions: u64,
    /// Pairs of account and Region that were to be read.
    pub scopes: u64,
    /// EKS clusters.
    pub clusters: u64,
    /// Managed node groups.
    pub node_groups: u64,
    /// Auto Scaling groups of clusters, those of managed node groups included; with `--all-instances` all of them.
    pub auto_scaling_groups: u64,
    /// Launch templates that were read.
    pub launch_templates: u64,
    /// Instances that are nodes; with `--all-instances` all of them.
    pub instances: u64,
    /// Fargate profiles. Their pods have no instance metadata service.
    pub fargate_profiles: u64,
    /// Images of nodes and templates.
    pub images: u64,
    /// Judgements (resource × policy × rule) that passed.
    pub passed: u64,
    /// Judgements that failed.
    pub failed: u64,
    /// Judgements that would fail, were they not exempt.
    pub exempt: u64,
    /// Judgements that could not be made.
    pub unknown: u64,
    /// Judgements without meaning: the metadata service is off.
    pub not_applicable: u64,
    /// Failed and unknown by rule, as `policy/rule`.
    pub by_rule: BTreeMap<String, u64>,
    /// Failed and unknown by severity.
    pub by_severity: BTreeMap<String, u64>,
    /// Failed and unknown by what manages the node.
    pub by_managed_by: BTreeMap<String, u64>,
    /// Failed and unknown by account.
    pub by_account: BTreeMap<String, u64>,
    /// Failed and unknown by Region.
    pub by_region: BTreeMap<String, u64>,
}

impl Summary {
    /// Counts a finding, whether it will be shown or not.
    pub fn count(&mut self, finding: &Finding) {
        *match finding.status {
            Status::Pass => &mut self.passed,
            Status::Fail => &mut self.failed,
            Status::Exempt => &mut self.exempt,
            Status::Unknown => &mut self.unknown,
            Status::NotApplicable => &mut self.not_applicable,
        } += 1;
        if !matches!(finding.status, Status::Fail | Status::Unknown) {
            return;
        }
        let mut add = |counts: fn(&mut Self) -> &mut BTreeMap<String, u64>, key: Option<String>| {
            if let Some(key) = key {
                *counts(self).entry(key).or_default() += 1;
            }
        };
        add(|s| &mut s.by_rule, Some(format!("{}/{}", finding.policy, finding.rule)));
        add(|s| &mut s.by_severity, Some(finding.severity.to_string()));
        add(|s| &mut s.by_managed_by, finding.managed_by.map(|by| by.to_string()));
        add(|s| &mut s.by_account, finding.account_id.as_ref().map(ToString::to_string));
        add(|s| &mut s.by_region, finding.region.as_ref().map(ToString::to_string));
    }

    /// Counts what one scope holds.
    pub fn count_inventory(&mut self, inventory: &Inventory, groups: u64) {
        self.clusters += inventory.clusters.len() as u64;
        self.node_groups += inventory.node_groups.len() as u64;
        self.auto_scaling_groups += groups;
        self.launch_templates += inventory.launch_templates.len() as u64;
        self.instances += inventory.instances.len() as u64;
        self.fargate_profiles +=
            inventory.clusters.iter().map(|cluster| cluster.fargate_profiles).sum::<u64>();
        self.images += inventory.images.len() as u64;
    }

    /// Counts the scopes.
    pub fn count_scopes(&mut self, coverage: &[Coverage]) {
        let accounts: BTreeSet<_> = coverage.iter().map(|scope| &scope.account_id).collect();
        let regions: BTreeSet<_> = coverage.iter().map(|scope| &scope.region).collect();
        self.accounts = accounts.len() as u64;
        self.regions = regions.len() as u64;
        self.scopes = coverage.len() as u64;
    }
}
