//! What is to be said of the exemptions of policies themselves.

use std::collections::BTreeSet;

use super::PolicySummary;
use crate::finding::{
    ExemptionSummary, Finding, Fix, FixKind, Resource, ResourceType, Severity, Status, exemption_name,
    fingerprint,
};

/// A rule about exemptions themselves.
struct About {
    rule: &'static str,
    severity: Severity,
    note: &'static str,
}

const EXPIRED: About = About {
    rule: "exemption-expired",
    severity: Severity::Low,
    note: "it has expired and no longer exempts: renew or remove it",
};

const UNUSED: About = About {
    rule: "exemption-unused",
    severity: Severity::Info,
    note: "it covered nothing in what was read: remove it if that was everything",
};

/// Findings about exemptions that have expired and, where everything was read, about those that were not `used`. Both
/// are known as `policy/exemption`.
pub(super) fn findings(
    policies: &[PolicySummary],
    expired: &BTreeSet<String>,
    used: Option<&BTreeSet<&String>>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for policy in policies {
        for exemption in &policy.exemptions {
            let name = exemption_name(&policy.name, &exemption.id);
            if expired.contains(&name) {
                findings.push(finding(&policy.name, exemption, &EXPIRED));
            } else if used.is_some_and(|used| !used.contains(&name)) {
                findings.push(finding(&policy.name, exemption, &UNUSED));
            }
        }
    }
    findings.sort_by(Finding::cmp_machine);
    findings
}

/// The exemption that a finding says has expired.
pub(super) fn expired(finding: &Finding) -> Option<String> {
    (finding.rule == EXPIRED.rule && finding.resource.r#type == ResourceType::Exemption)
        .then(|| exemption_name(&finding.policy, &finding.resource.id))
}

fn finding(policy: &str, exemption: &ExemptionSummary, about: &About) -> Finding {
    let kind = ResourceType::Exemption;
    Finding {
        id: fingerprint(&["", "", "", kind.as_str(), &exemption.id, policy, about.rule]),
        policy: policy.to_owned(),
        rule: about.rule.to_owned(),
        severity: about.severity,
        status: Status::Fail,
        partition: None,
        account_id: None,
        account_name: None,
        region: None,
        resource: Resource { r#type: kind, id: exemption.id.clone(), name: None, arn: None },
        cluster: None,
        cluster_arn: None,
        node_group: None,
        auto_scaling_group: None,
        managed_by: None,
        nodes: 0,
        image: None,
        option: None,
        expected: None,
        actual: None,
        source: None,
        templates: Vec::new(),
        fixes: vec![Fix {
            kind: FixKind::EditPolicy,
            target: Some(exemption.id.clone()),
            target_name: None,
            automatic: false,
            note: Some(about.note.to_owned()),
        }],
        exemption: Some(exemption.clone()),
        notes: Vec::new(),
    }
}
