//! AWS Security Finding Format: the shapes of `BatchImportFindings`, by the names of the Security Hub API; only the members
//! that are filled. They are read as well as written: what Security Hub has is compared with what a report says.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

/// A text that is nearly always one of a few.
pub type Word = Cow<'static, str>;

/// What the ids of all findings of imdsctl begin with, and the names of what generates them.
pub const OURS: &str = "imdsctl/";

/// The state of a finding that counts.
pub const ACTIVE: &str = "ACTIVE";

/// The state of a finding that is over.
pub const ARCHIVED: &str = "ARCHIVED";

/// `AwsSecurityFinding`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SecurityFinding {
    /// What the format is versioned by; there is one.
    pub schema_version: Word,
    /// `imdsctl/` and the finding's own id: the same in every run.
    pub id: String,
    /// Whose finding it is: of the default product of its own account.
    pub product_arn: String,
    /// `imdsctl`
    pub product_name: Word,
    /// `imdsctl/POLICY/RULE`
    pub generator_id: String,
    /// The account.
    pub aws_account_id: String,
    /// The account's name, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws_account_name: Option<String>,
    /// The Region.
    pub region: String,
    /// What kind of finding it is.
    pub types: Vec<Word>,
    /// When it was found for the first time.
    pub created_at: Timestamp,
    /// When it was found for the last time. Security Hub takes no update that is not later than what it has.
    pub updated_at: Timestamp,
    /// How bad it is.
    pub severity: Severity,
    /// What is asked.
    pub title: String,
    /// What was found.
    pub description: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remediation: Option<Remediation>,
    /// The rest, for filters and automations.
    #[serde(default)]
    pub product_fields: BTreeMap<Word, String>,
    /// What it is about.
    pub resources: Vec<Resource>,
    /// What came of it.
    pub compliance: Compliance,
    /// Whether it counts.
    pub record_state: Word,
    /// By these an update may change what the fields of the same names began with.
    pub finding_provider_fields: ProviderFields,
}

impl SecurityFinding {
    /// A member of its `ProductFields` that imdsctl fills.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.product_fields.get(format!("{OURS}{name}").as_str()).map(String::as_str)
    }
}

/// The default product of an account in a Region, which any account may import for itself.
pub fn default_product(partition: &str, region: &str, account_id: &str) -> String {
    format!("arn:{partition}:securityhub:{region}:{account_id}:product/{account_id}/default")
}

/// `Severity`, and `FindingProviderSeverity` as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Severity {
    /// Security Hub's word.
    pub label: Word,
    /// Ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Word>,
}

/// `FindingProviderFields`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProviderFields {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of finding it is.
    pub types: Vec<Word>,
}

/// `Remediation`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Remediation {
    /// What to do.
    pub recommendation: Recommendation,
}

/// `Recommendation`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Recommendation {
    /// What to do.
    pub text: String,
    /// Where to read about it.
    pub url: Word,
}

/// `Compliance`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Compliance {
    /// Security Hub's word for what came of a check.
    pub status: Word,
    /// Why it is that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status_reasons: Vec<StatusReason>,
}

/// `StatusReason`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StatusReason {
    /// A word for machines.
    pub reason_code: Word,
    /// A sentence for people.
    pub description: String,
}

/// `Resource`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Resource {
    /// Security Hub's word for what it is.
    pub r#type: Word,
    /// Its ARN, or another id.
    pub id: String,
    /// Its partition.
    pub partition: String,
    /// Its Region.
    pub region: String,
    /// What is known of it.
    #[serde(default, deserialize_with = "known", skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
}

/// Details of a kind that is none of ours are as none.
fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Details>, D::Error> {
    let details = Option::<serde_json::Value>::deserialize(deserializer)?;
    Ok(details.and_then(|details| serde_json::from_value(details).ok()))
}

/// `ResourceDetails`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Details {
    /// An instance.
    AwsEc2Instance(Instance),
    /// A launch template.
    AwsEc2LaunchTemplate(LaunchTemplate),
    /// A cluster of EKS.
    AwsEksCluster(Cluster),
    /// Something that Security Hub has no type for.
    Other(BTreeMap<Word, String>),
}

/// `AwsEc2InstanceDetails`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Instance {
    /// Its image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
    /// Its options, as far as they were judged.
    #[serde(default, skip_serializing_if = "MetadataOptions::is_empty")]
    pub metadata_options: MetadataOptions,
}

/// `AwsEc2InstanceMetadataOptions`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetadataOptions {
    /// Whether there is a metadata service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_endpoint: Option<String>,
    /// Whether it answers by IPv6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_protocol_ipv6: Option<String>,
    /// How far its answers go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_put_response_hop_limit: Option<i32>,
    /// Whether a token is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_tokens: Option<String>,
    /// Whether tags can be asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_metadata_tags: Option<String>,
}

impl MetadataOptions {
    /// Whether nothing is known of them.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `AwsEc2LaunchTemplateDetails`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct LaunchTemplate {
    /// Its id.
    pub id: String,
    /// Its name, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launch_template_name: Option<String>,
}

/// `AwsEksClusterDetails`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Cluster {
    /// Its ARN.
    pub arn: String,
    /// Its name, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
