//! Findings on their way to Security Hub: what is sent of a report, what is archived, and in which batches. Pure.

mod batches;
mod ledger;

pub use batches::{Batches, TooLarge};
pub use ledger::{Ledger, Look};

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use crate::asff::{Compliance, ProviderFields, Resource, SecurityFinding, Severity};

    /// A finding that says nothing.
    pub fn finding(id: &str) -> SecurityFinding {
        let severity = Severity { label: "HIGH".into(), original: Some("high".into()) };
        SecurityFinding {
            schema_version: "2018-10-08".into(),
            id: id.to_owned(),
            product_arn: String::new(),
            product_name: "imdsctl".into(),
            generator_id: String::new(),
            aws_account_id: "111122223333".to_owned(),
            aws_account_name: None,
            region: "eu-west-1".to_owned(),
            types: Vec::new(),
            created_at: "2026-11-01T00:00:00Z".parse().unwrap(),
            updated_at: "2026-11-02T00:00:00Z".parse().unwrap(),
            severity: severity.clone(),
            title: "a rule".to_owned(),
            description: String::new(),
            remediation: None,
            product_fields: BTreeMap::new(),
            resources: vec![Resource {
                r#type: "Other".into(),
                id: "r".to_owned(),
                partition: "aws".to_owned(),
                region: "eu-west-1".to_owned(),
                details: None,
            }],
            compliance: Compliance { status: "FAILED".into(), status_reasons: Vec::new() },
            record_state: "ACTIVE".into(),
            finding_provider_fields: ProviderFields { severity, types: Vec::new() },
        }
    }
}
