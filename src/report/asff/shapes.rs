//! The shapes of `BatchImportFindings`, by the names of the Security Hub API; only the members that are filled.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::OptionValue;

/// `AwsSecurityFinding`
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SecurityFinding {
    pub schema_version: &'static str,
    pub id: String,
    pub product_arn: String,
    pub product_name: &'static str,
    pub generator_id: String,
    pub aws_account_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_account_name: Option<String>,
    pub region: String,
    pub types: [&'static str; 1],
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub severity: SeverityShape,
    pub title: String,
    pub description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remediation: Option<Remediation>,
    pub product_fields: BTreeMap<&'static str, String>,
    pub resources: Vec<Resource>,
    pub compliance: Compliance,
    pub record_state: &'static str,
    pub finding_provider_fields: ProviderFields,
}

/// `Severity`, and `FindingProviderSeverity` as well.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SeverityShape {
    pub label: &'static str,
    pub original: &'static str,
}

/// `FindingProviderFields`: by these an update may change what the fields of the same names began with.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ProviderFields {
    pub severity: SeverityShape,
    pub types: [&'static str; 1],
}

/// `Remediation`
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Remediation {
    pub recommendation: Recommendation,
}

/// `Recommendation`
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Recommendation {
    pub text: String,
    pub url: &'static str,
}

/// `Compliance`
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Compliance {
    pub status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub status_reasons: Vec<StatusReason>,
}

/// `StatusReason`
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StatusReason {
    pub reason_code: &'static str,
    pub description: String,
}

/// `Resource`
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Resource {
    pub r#type: &'static str,
    pub id: String,
    pub partition: String,
    pub region: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
}

/// `ResourceDetails`
#[derive(Debug, Serialize)]
pub(super) enum Details {
    AwsEc2Instance(Instance),
    AwsEc2LaunchTemplate(LaunchTemplate),
    AwsEksCluster(Cluster),
    Other(BTreeMap<&'static str, String>),
}

/// `AwsEc2InstanceDetails`
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Instance {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata_options: BTreeMap<&'static str, OptionValue>,
}

/// `AwsEc2LaunchTemplateDetails`
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LaunchTemplate {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_template_name: Option<String>,
}

/// `AwsEksClusterDetails`
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Cluster {
    pub arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
