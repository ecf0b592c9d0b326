//! AWS Security Finding Format: an array of what `BatchImportFindings` of Security Hub takes.
//!
//! Findings are of the default product of their own account, which any account may import for itself. What belongs to
//! no account, an exemption of a policy, has no place there and is left out.

mod fields;

use std::io;

use serde::ser::{Error as _, SerializeSeq as _};
use serde::{Serialize, Serializer};

use super::{Format, Run, View};
use crate::asff::{
    self, ACTIVE, Compliance, OURS, ProviderFields, Recommendation, Remediation, SecurityFinding,
    StatusReason,
};
use crate::finding::{Finding, Severity, Status};
use crate::harmless::write_document;

/// What the format is versioned by; there is one.
const SCHEMA_VERSION: &str = "2018-10-08";

/// Of the types that Security Hub knows, the one of its own checks of options.
const TYPE: &str = "Software and Configuration Checks/AWS Security Best Practices";

/// Where AWS documents the options, and how they are changed.
const GUIDE: &str =
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html";

/// A JSON array with one finding each, as harmless to `cat` as the JSON report.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asff;

impl Format for Asff {
    fn write(&self, report: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        write_document(&Document(report), out)
    }
}

/// The findings that belong to an account, one by one.
struct Document<'r, 'v>(&'r View<'v>);

impl Serialize for Document<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(None)?;
        for finding in self.0.findings.all() {
            let finding = finding.map_err(S::Error::custom)?;
            if let Some(finding) = security_finding(&finding, self.0.run) {
                sequence.serialize_element(&finding)?;
            }
        }
        sequence.end()
    }
}

/// A finding as Security Hub takes it, of a run; nothing where it belongs to no account.
pub fn security_finding(finding: &Finding, run: &Run) -> Option<SecurityFinding> {
    let (partition, account_id) = (finding.partition.as_ref()?, finding.account_id.as_ref()?);
    let region = finding.region.as_ref()?;
    let severity =
        asff::Severity { label: label(finding).into(), original: Some(finding.severity.as_str().into()) };
    let types = vec![TYPE.into()];
    let remediation = fields::remedy(finding)
        .map(|text| Remediation { recommendation: Recommendation { text, url: GUIDE.into() } });
    Some(SecurityFinding {
        schema_version: SCHEMA_VERSION.into(),
        id: format!("{OURS}{}", finding.id),
        product_arn: asff::default_product(partition.as_str(), region.as_str(), account_id.as_str()),
        product_name: "imdsctl".into(),
        generator_id: fields::text(&format!("{OURS}{}/{}", finding.policy, finding.rule), 512),
        aws_account_id: account_id.to_string(),
        aws_account_name: fields::named(finding.account_name.as_deref(), 50),
        region: region.to_string(),
        types: types.clone(),
        created_at: run.started_at,
        updated_at: run.finished_at,
        severity: severity.clone(),
        title: fields::title(finding),
        description: fields::description(finding),
        remediation,
        product_fields: fields::product_fields(finding),
        resources: fields::resources(finding, partition, account_id, region),
        compliance: compliance(finding),
        record_state: ACTIVE.into(),
        finding_provider_fields: ProviderFields { severity, types },
    })
}

/// `INFORMATIONAL` says that no issue was found, and `LOW` that one needs no action on its own, as one that is accepted.
fn label(finding: &Finding) -> &'static str {
    match (finding.status, finding.severity) {
        (Status::Pass | Status::NotApplicable, _) | (_, Severity::Info) => "INFORMATIONAL",
        (Status::Exempt, _) | (_, Severity::Low) => "LOW",
        (_, Severity::Medium) => "MEDIUM",
        (_, Severity::High) => "HIGH",
        (_, Severity::Critical) => "CRITICAL",
    }
}

/// In Security Hub's words: a warning where information is missing or the check does not decide, and not available where
/// the check has no meaning.
fn compliance(finding: &Finding) -> Compliance {
    let reason = |reason_code: &'static str, description: String| {
        vec![StatusReason { reason_code: reason_code.into(), description: fields::text(&description, 1024) }]
    };
    let (status, status_reasons) = match finding.status {
        Status::Fail => ("FAILED", Vec::new()),
        Status::Pass => ("PASSED", Vec::new()),
        Status::Unknown => {
            ("WARNING", reason("IMDSCTL_UNKNOWN", "What decides it could not be established.".to_owned()))
        }
        Status::Exempt => ("WARNING", reason("IMDSCTL_EXEMPT", fields::exemption(finding))),
        Status::NotApplicable => {
            let why = "The instance metadata service is off, so that the rule has no meaning.";
            ("NOT_AVAILABLE", reason("IMDSCTL_NOT_APPLICABLE", why.to_owned()))
        }
    };
    Compliance { status: status.into(), status_reasons }
}
