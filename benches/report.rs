//! Keeping and writing many findings: `cargo bench --bench report`.
//!
//! For each number of findings a process of its own puts a report together, spills what is too much for memory to a
//! file, writes it in every format to nowhere, and prints how long that took and the most memory that it held. The
//! memory should hardly grow with the findings.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{self, Write};
use std::process::Command;
use std::time::Instant;

use imdsctl::finding::{
    Expectation, Finding, Fix, FixKind, ManagedBy, Resource, ResourceType, Severity, Source, Status,
    TemplateOwner, TemplateUse, fingerprint,
};
use imdsctl::model::{Coverage, OptionName, OptionValue, Scope};
use imdsctl::report::{Assembly, PolicySummary, ReportFormat, Run, ScopeReport, TableStyle};
use jiff::Timestamp;

const SIZES: [usize; 3] = [3_000, 30_000, 300_000];
/// Findings in a scope.
const PER_SCOPE: usize = 1_000;
/// Nodes in a group.
const PER_GROUP: usize = 100;
/// What a run of imdsctl keeps in memory.
const IN_MEMORY: usize = 16 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("measure") {
        return measure(arguments.next().ok_or("how many?")?.parse()?);
    }
    for size in SIZES {
        Command::new(std::env::current_exe()?).args(["measure", &size.to_string()]).status()?;
    }
    Ok(())
}

fn measure(findings: usize) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let policy = PolicySummary {
        name: "al2023".into(),
        version: "1.0.0".into(),
        sha256: String::new(),
        exemptions: Vec::new(),
        rules: Vec::new(),
    };
    let store = tempfile::spooled_tempfile(IN_MEMORY);
    let mut assembly = Assembly::new(store, vec![policy], BTreeSet::new());
    for number in 0..findings.div_ceil(PER_SCOPE) {
        let scope = scope(number);
        for node in 0..PER_SCOPE {
            assembly.add_finding(&finding(&scope, node))?;
        }
        assembly.add_scope(ScopeReport::unread(Coverage::complete(&scope)), Timestamp::UNIX_EPOCH);
    }
    let run = Run {
        tool: "imdsctl".into(),
        version: String::new(),
        started_at: Timestamp::UNIX_EPOCH,
        finished_at: Timestamp::UNIX_EPOCH,
        api_calls: [].into(),
        api_throttled: 0,
        interrupted: false,
    };
    let assembled = assembly.finish(run)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{findings} findings")?;
    writeln!(out, "  kept                  {:?}", started.elapsed())?;
    for format in ReportFormat::ALL {
        let started = Instant::now();
        format.writer(TableStyle::PIPED).write(&assembled.view(), &mut io::sink())?;
        writeln!(out, "  written as {:<10} {:?}", format.as_str(), started.elapsed())?;
    }
    writeln!(out, "  peak memory           {} MiB", peak_kib().ok_or("no /proc")? / 1024)?;
    Ok(())
}

fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn scope(number: usize) -> Scope {
    Scope {
        partition: "aws".into(),
        account_id: format!("{number:012}").into(),
        account_name: Some(format!("account-{number}")),
        region: "eu-west-1".into(),
    }
}

/// A node of a self-managed group whose template has a hop limit of 1.
fn finding(scope: &Scope, node: usize) -> Finding {
    let group = format!("nodes-{}", node / PER_GROUP);
    let template = format!("lt-{:017x}", node / PER_GROUP);
    let id = format!("i-{node:017x}");
    let (policy, rule) = ("al2023", "hop-limit-min");
    let fix = |kind, target: &str, automatic| Fix {
        kind,
        target: Some(target.to_owned()),
        target_name: None,
        automatic,
        note: Some("http_put_response_hop_limit: 2 in a new version of nodes".to_owned()),
    };
    Finding {
        id: fingerprint(&[scope.account_id.as_str(), scope.region.as_str(), &id, policy, rule]),
        policy: policy.to_owned(),
        rule: rule.to_owned(),
        severity: Severity::High,
        status: Status::Fail,
        partition: Some(scope.partition.clone()),
        account_id: Some(scope.account_id.clone()),
        account_name: scope.account_name.clone(),
        region: Some(scope.region.clone()),
        resource: Resource {
            r#type: ResourceType::Instance,
            name: Some(group.clone()),
            arn: Some(scope.arn("ec2", &format!("instance/{id}"))),
            id: id.clone(),
        },
        cluster: Some("blue".to_owned()),
        cluster_arn: Some(scope.arn("eks", "cluster/blue")),
        node_group: None,
        auto_scaling_group: Some(group.clone()),
        managed_by: Some(ManagedBy::SelfManaged),
        nodes: 1,
        image: None,
        option: Some(OptionName::HttpPutResponseHopLimit),
        expected: Some(Expectation::AtLeast(2)),
        actual: Some(OptionValue::Number(1)),
        source: Some(Source::Instance),
        templates: vec![TemplateUse {
            id: Some(template.as_str().into()),
            name: Some(group.clone()),
            version: Some(1),
            owned_by: TemplateOwner::User,
            actual: Some(OptionValue::Number(1)),
            source: Source::LaunchTemplate,
        }],
        fixes: vec![
            fix(FixKind::PatchLaunchTemplate, &template, true),
            fix(FixKind::UpdateAutoScalingGroup, &group, true),
            fix(FixKind::ModifyInstance, &id, true),
        ],
        exemption: None,
        notes: Vec::new(),
    }
}
