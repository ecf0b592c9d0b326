//! The report: what an audit found, how far it saw, and how it counts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ScopeReport, Since, View};
use crate::finding::{ExemptionSummary, Finding, Status};

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
    pub coverage: Vec<ScopeReport>,
    /// What is new since another report; only there where an audit was compared with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    /// The counts.
    pub summary: Summary,
}

impl Report {
    /// It, for writing. What is new since another report is not in it: that is told by comparing them.
    pub fn view(&self) -> View<'_> {
        View {
            schema: &self.schema,
            run: &self.run,
            policies: &self.policies,
            findings: &self.findings,
            coverage: &self.coverage,
            since: None,
            summary: &self.summary,
        }
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
    /// What it accepts although a rule is broken.
    pub exemptions: Vec<ExemptionSummary>,
    /// Its rules. Reports of versions that did not list them have none.
    #[serde(default)]
    pub rules: Vec<RuleSummary>,
}

/// A rule of a policy that was judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleSummary {
    /// Its id in the policy.
    pub id: String,
    /// SHA-256 of what it asks, and of what: where it is the same, two policies judge alike by it, whatever else is in
    /// their texts.
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
    /// Counts a finding that fails, is unknown or is exempt. What passes or does not apply is counted by its scope,
    /// since it may be among the findings or not.
    pub fn count(&mut self, finding: &Finding) {
        match finding.status {
            Status::Fail => self.failed += 1,
            Status::Unknown => self.unknown += 1,
            Status::Exempt => {
                self.exempt += 1;
                return;
            }
            Status::Pass | Status::NotApplicable => return,
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

    /// Counts what was counted of other findings.
    pub fn count_all(&mut self, other: &Self) {
        self.failed += other.failed;
        self.unknown += other.unknown;
        self.exempt += other.exempt;
        let mut add = |counts: fn(&mut Self) -> &mut BTreeMap<String, u64>,
                       others: &BTreeMap<String, u64>| {
            for (key, number) in others {
                *counts(self).entry(key.clone()).or_default() += number;
            }
        };
        add(|s| &mut s.by_rule, &other.by_rule);
        add(|s| &mut s.by_severity, &other.by_severity);
        add(|s| &mut s.by_managed_by, &other.by_managed_by);
        add(|s| &mut s.by_account, &other.by_account);
        add(|s| &mut s.by_region, &other.by_region);
    }

    /// Counts the scopes, what they hold, and what passed there or does not apply.
    pub fn count_scopes(&mut self, scopes: &[ScopeReport]) {
        let accounts: BTreeSet<_> = scopes.iter().map(|scope| &scope.coverage.account_id).collect();
        let regions: BTreeSet<_> = scopes.iter().map(|scope| &scope.coverage.region).collect();
        self.accounts = accounts.len() as u64;
        self.regions = regions.len() as u64;
        self.scopes = scopes.len() as u64;
        for ScopeReport { counts, .. } in scopes {
            self.clusters += counts.clusters;
            self.node_groups += counts.node_groups;
            self.auto_scaling_groups += counts.auto_scaling_groups;
            self.launch_templates += counts.launch_templates;
            self.instances += counts.instances;
            self.fargate_profiles += counts.fargate_profiles;
            self.images += counts.images;
            self.passed += counts.passed;
            self.not_applicable += counts.not_applicable;
        }
    }
}
