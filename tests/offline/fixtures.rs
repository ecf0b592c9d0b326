//! Reports to write: a small fleet that tells the whole story, and fleets of any size.

use imdsctl::finding::{
    ExemptionSummary, Expectation, Finding, Fix, FixKind, ImageSummary, ManagedBy, Resource, ResourceType,
    Severity, Source, Status, TemplateOwner, TemplateUse, exemption_name, fingerprint,
};
use imdsctl::model::{
    Confidence, Coverage, CoverageStatus, Family, Guard, OptionName, OptionValue, ReadError, Scope,
};
use imdsctl::report::{PolicySummary, Report, RuleSummary, Run, SCHEMA, ScopeCounts, ScopeReport, Summary};

pub const PAYMENTS: (&str, &str) = ("444455556666", "payments-prod");
pub const DATA: (&str, &str) = ("111122223333", "data-platform");

/// A finding of `hop-limit-min` that fails, of an instance; the rest is set by the methods below.
pub fn finding(account: (&str, &str), region: &str, kind: ResourceType, id: &str) -> Finding {
    let arn = match kind {
        ResourceType::Instance => Some(format!("arn:aws:ec2:{region}:{}:instance/{id}", account.0).into()),
        ResourceType::NodeGroup => Some(format!("arn:aws:eks:{region}:{}:nodegroup/{id}", account.0).into()),
        _ => None,
    };
    Finding {
        id: String::new(),
        policy: "al2023".into(),
        rule: "hop-limit-min".into(),
        severity: Severity::High,
        status: Status::Fail,
        partition: Some("aws".into()),
        account_id: Some(account.0.into()),
        account_name: Some(account.1.into()),
        region: Some(region.into()),
        resource: Resource { r#type: kind, id: id.into(), name: None, arn },
        cluster: None,
        cluster_arn: None,
        node_group: None,
        auto_scaling_group: (kind == ResourceType::AutoScalingGroup).then(|| id.into()),
        managed_by: None,
        nodes: u64::from(kind == ResourceType::Instance),
        image: None,
        option: Some(OptionName::HttpPutResponseHopLimit),
        expected: Some(Expectation::AtLeast(2)),
        actual: Some(OptionValue::Number(1)),
        source: Some(Source::Instance),
        templates: Vec::new(),
        fixes: Vec::new(),
        exemption: None,
        notes: Vec::new(),
    }
}

/// Steps that describe a finding, one after the other.
pub trait Build: Sized {
    fn with(self, change: impl FnOnce(&mut Finding)) -> Finding;

    fn cluster(self, name: &str, by: ManagedBy) -> Finding {
        self.with(|f| {
            f.cluster_arn = f
                .region
                .as_ref()
                .zip(f.account_id.as_ref())
                .map(|(region, account)| format!("arn:aws:eks:{region}:{account}:cluster/{name}").into());
            f.cluster = Some(name.into());
            f.managed_by = Some(by);
            let id = matches!(by, ManagedBy::ManagedNodeGroup | ManagedBy::ManagedNodeGroupDefault)
                .then(|| f.resource.id.split_once('/').map(|(_, group)| group.to_owned()));
            f.node_group = id.flatten();
        })
    }

    fn node_group(self, name: &str) -> Finding {
        self.with(|f| f.node_group = Some(name.into()))
    }

    fn al2023(self, id: &str) -> Finding {
        self.with(|f| {
            f.image = Some(ImageSummary {
                id: Some(id.into()),
                name: Some("amazon-eks-node-al2023-x86_64-standard-1.33-v20251023".into()),
                family: Family::Al2023,
                confidence: Confidence::Certain,
            });
        })
    }

    fn rule(self, rule: &str, option: OptionName, expected: Expectation, actual: OptionValue) -> Finding {
        self.with(|f| {
            f.rule = rule.into();
            f.option = Some(option);
            f.expected = Some(expected);
            f.actual = Some(actual);
        })
    }

    fn tokens(self) -> Finding {
        let expected = Expectation::Equals(OptionValue::Required);
        self.rule("tokens-required", OptionName::HttpTokens, expected, OptionValue::Optional)
    }

    fn launched(self, source: Source, nodes: u64) -> Finding {
        self.with(|f| (f.source, f.nodes) = (Some(source), nodes))
    }

    fn template(self, id: &str, name: &str, version: i64, source: Source) -> Finding {
        self.with(|f| {
            f.templates.push(TemplateUse {
                id: Some(id.into()),
                name: Some(name.into()),
                version: Some(version),
                owned_by: TemplateOwner::User,
                actual: f.actual,
                source,
            });
        })
    }

    fn fix(self, kind: FixKind, target: &str) -> Finding {
        let automatic = matches!(
            kind,
            FixKind::PatchLaunchTemplate
                | FixKind::UpdateNodeGroup
                | FixKind::UpdateAutoScalingGroup
                | FixKind::RefreshInstances
                | FixKind::ModifyInstance
        );
        self.with(|f| {
            f.fixes.push(Fix { kind, target: Some(target.into()), target_name: None, automatic, note: None });
        })
    }

    fn fix_note(self, note: &str) -> Finding {
        self.with(|f| f.fixes.iter_mut().for_each(|fix| fix.note = Some(note.into())))
    }

    fn status(self, status: Status) -> Finding {
        self.with(|f| f.status = status)
    }

    fn note(self, note: &str) -> Finding {
        self.with(|f| f.notes.push(note.into()))
    }
}

impl Build for Finding {
    fn with(mut self, change: impl FnOnce(&mut Finding)) -> Finding {
        change(&mut self);
        self
    }
}

/// A whole report of these findings: fingerprints, order and counts are as an audit makes them.
pub fn report(findings: Vec<Finding>, coverage: Vec<Coverage>) -> Report {
    report_of(findings, coverage.into_iter().map(ScopeReport::unread).collect())
}

/// The same, of scopes that hold something.
pub fn report_of(mut findings: Vec<Finding>, mut coverage: Vec<ScopeReport>) -> Report {
    for finding in &mut findings {
        let text = |part: Option<&dyn ToString>| part.map(ToString::to_string).unwrap_or_default();
        finding.id = fingerprint(&[
            &text(finding.partition.as_ref().map(|p| p as _)),
            &text(finding.account_id.as_ref().map(|a| a as _)),
            &text(finding.region.as_ref().map(|r| r as _)),
            finding.resource.r#type.as_str(),
            &finding.resource.id,
            &finding.policy,
            &finding.rule,
        ]);
    }
    findings.sort_by(Finding::cmp_machine);
    let mut summary = Summary::default();
    for finding in &findings {
        summary.count(finding);
        let here = |scope: &&mut ScopeReport| {
            let Coverage { account_id, region, .. } = &scope.coverage;
            finding.account_id.as_ref() == Some(account_id) && finding.region.as_ref() == Some(region)
        };
        if let Some(scope) = coverage.iter_mut().find(here) {
            count(scope, finding);
        }
    }
    summary.count_scopes(&coverage);
    Report {
        schema: SCHEMA.into(),
        run: Run {
            tool: "imdsctl".into(),
            version: "0.1.0".into(),
            started_at: "2026-11-20T09:13:58Z".parse().unwrap(),
            finished_at: "2026-11-20T09:14:22Z".parse().unwrap(),
            api_calls: [("ec2:DescribeInstances".to_owned(), 4), ("eks:ListClusters".to_owned(), 3)].into(),
            api_throttled: 0,
            interrupted: false,
        },
        policies: vec![PolicySummary {
            name: "al2023".into(),
            version: "1.0.0".into(),
            sha256: fingerprint(&["al2023"]),
            exemptions: Vec::new(),
            rules: RULES.map(|id| RuleSummary { id: id.into(), sha256: fingerprint(&[id]) }).into(),
        }],
        findings,
        coverage,
        since: None,
        summary,
    }
}

fn count(scope: &mut ScopeReport, finding: &Finding) {
    let counts = &mut scope.counts;
    *match finding.status {
        Status::Pass => &mut counts.passed,
        Status::Fail => &mut counts.failed,
        Status::Exempt => &mut counts.exempt,
        Status::Unknown => &mut counts.unknown,
        Status::NotApplicable => &mut counts.not_applicable,
    } += 1;
    if let Some(exemption) = &finding.exemption {
        scope.exemptions_used.insert(exemption_name(&finding.policy, &exemption.id));
    }
}

/// The rules of the policy that all reports here were judged by.
pub const RULES: [&str; 3] = ["endpoint-enabled", "hop-limit-min", "tokens-required"];

pub fn scope(account: (&str, &str), region: &str) -> Scope {
    Scope {
        partition: "aws".into(),
        account_id: account.0.into(),
        account_name: Some(account.1.into()),
        region: region.into(),
    }
}

/// The golden examples' fleet: every status and most causes, in two accounts.
pub fn story() -> Report {
    let findings = [one_template(), other_causes(), not_failing()].concat();
    let mut coverage: Vec<_> = coverage().into_iter().map(ScopeReport::unread).collect();
    for ScopeReport { coverage, counts, .. } in &mut coverage {
        *counts = match (coverage.account_id.as_str(), coverage.region.as_str()) {
            ("111122223333", "us-east-1") => {
                let (clusters, auto_scaling_groups, launch_templates) = (2, 3, 2);
                let (instances, images, passed) = (17, 2, 40);
                ScopeCounts {
                    clusters,
                    auto_scaling_groups,
                    launch_templates,
                    instances,
                    images,
                    passed,
                    ..ScopeCounts::default()
                }
            }
            ("444455556666", "eu-west-1") => {
                let (clusters, node_groups, auto_scaling_groups, launch_templates) = (3, 5, 4, 4);
                let (instances, images, fargate_profiles, passed) = (7, 1, 1, 20);
                ScopeCounts {
                    clusters,
                    node_groups,
                    auto_scaling_groups,
                    launch_templates,
                    instances,
                    images,
                    fargate_profiles,
                    passed,
                    ..ScopeCounts::default()
                }
            }
            _ => ScopeCounts::default(),
        };
    }
    let mut report = report_of(findings, coverage);
    report.policies[0].exemptions = exemptions();
    report
}

/// What the policy accepts: the one that is used, and the one that is not.
fn exemptions() -> Vec<ExemptionSummary> {
    let of_nothing = ExemptionSummary {
        id: "old-batch-nodes".into(),
        reason: "replaced in the spring".into(),
        expires: None,
        owner: None,
    };
    vec![vault(), of_nothing]
}

fn vault() -> ExemptionSummary {
    ExemptionSummary {
        id: "vault-pod-identity".into(),
        reason: "all workloads use Pod Identity".into(),
        expires: Some("2027-03-31".parse().unwrap()),
        owner: Some("team-payments".into()),
    }
}

/// One template behind two node groups, whose nodes have the value too.
fn one_template() -> Vec<Finding> {
    let template = |f: Finding| {
        f.template("lt-0f3a9c1b7d2e45681", "eks-workers", 7, Source::LaunchTemplate)
            .fix(FixKind::PatchLaunchTemplate, "lt-0f3a9c1b7d2e45681")
    };
    let group = |name: &str, nodes| {
        let group = finding(PAYMENTS, "eu-west-1", ResourceType::NodeGroup, &format!("blue/{name}"));
        let group = group.cluster("blue", ManagedBy::ManagedNodeGroup).al2023("ami-0b1c2d3e4f5a67890");
        template(group.launched(Source::LaunchTemplate, nodes))
            .fix(FixKind::UpdateNodeGroup, &format!("blue/{name}"))
    };
    let node = |id: &str, group: &str| {
        let node = finding(PAYMENTS, "eu-west-1", ResourceType::Instance, id);
        let node = node.cluster("blue", ManagedBy::ManagedNodeGroup).al2023("ami-0b1c2d3e4f5a67890");
        template(node.node_group(group))
            .fix(FixKind::UpdateNodeGroup, &format!("blue/{group}"))
            .fix(FixKind::ModifyInstance, id)
    };
    vec![
        group("workers", 3),
        group("batch", 0),
        node("i-0a11c0ffee0000001", "workers"),
        node("i-0a11c0ffee0000002", "workers"),
        node("i-0a11c0ffee0000003", "workers"),
    ]
}

fn other_causes() -> Vec<Finding> {
    let default_group = finding(PAYMENTS, "eu-west-1", ResourceType::NodeGroup, "green/default")
        .cluster("green", ManagedBy::ManagedNodeGroupDefault)
        .al2023("ami-0b1c2d3e4f5a67890")
        .launched(Source::EksLaunchTemplate, 2)
        .fix(FixKind::ReplaceNodeGroup, "green/default")
        .fix_note("A managed node group that was made without a launch template can never be given one.");
    let default_node = finding(PAYMENTS, "eu-west-1", ResourceType::Instance, "i-0b22c0ffee0000001")
        .cluster("green", ManagedBy::ManagedNodeGroupDefault)
        .node_group("default")
        .al2023("ami-0b1c2d3e4f5a67890")
        .fix(FixKind::ReplaceNodeGroup, "green/default")
        .fix(FixKind::ModifyInstance, "i-0b22c0ffee0000001");
    let self_managed = finding(DATA, "us-east-1", ResourceType::AutoScalingGroup, "spark-workers")
        .cluster("analytics", ManagedBy::SelfManaged)
        .al2023("ami-0aaaabbbbcccc1111")
        .tokens()
        .launched(Source::AccountDefault, 12)
        .template("lt-05555aaaa6666bbbb", "spark", 3, Source::AccountDefault)
        .fix(FixKind::PatchLaunchTemplate, "lt-05555aaaa6666bbbb")
        .fix(FixKind::UpdateAutoScalingGroup, "spark-workers");
    let karpenter = finding(DATA, "us-east-1", ResourceType::Instance, "i-0c33c0ffee0000001")
        .cluster("analytics", ManagedBy::Karpenter)
        .al2023("ami-0aaaabbbbcccc1111")
        .fix(FixKind::EditNodeClass, "default")
        .with(|f| f.resource.name = Some("analytics-default-7xk2p".into()));
    let legacy = finding(DATA, "us-east-1", ResourceType::AutoScalingGroup, "legacy-ingest")
        .cluster("ingest", ManagedBy::SelfManaged)
        .al2023("ami-0aaaabbbbcccc1111")
        .tokens()
        .launched(Source::LaunchConfiguration, 4)
        .fix(FixKind::MigrateLaunchConfiguration, "legacy-ingest-lc-2021")
        .with(|f| f.cluster_arn = None);
    let endpoint = finding(PAYMENTS, "eu-west-1", ResourceType::Instance, "i-0d44c0ffee0000001")
        .cluster("blue", ManagedBy::Standalone)
        .al2023("ami-0b1c2d3e4f5a67890")
        .rule(
            "endpoint-enabled",
            OptionName::HttpEndpoint,
            Expectation::Equals(OptionValue::Enabled),
            OptionValue::Disabled,
        )
        .with(|f| f.severity = Severity::Medium)
        .fix(FixKind::ModifyInstance, "i-0d44c0ffee0000001")
        .with(|f| f.fixes[0].automatic = false)
        .fix_note("Opening an endpoint is a person's decision.");
    vec![default_group, default_node, self_managed, karpenter, legacy, endpoint]
}

fn not_failing() -> Vec<Finding> {
    let unknown = finding(DATA, "us-east-1", ResourceType::AutoScalingGroup, "gpu-pool")
        .cluster("analytics", ManagedBy::SelfManaged)
        .launched(Source::BuiltIn, 0)
        .template("lt-07777cccc8888dddd", "gpu", 2, Source::BuiltIn)
        .fix(FixKind::PatchLaunchTemplate, "lt-07777cccc8888dddd")
        .with(|f| f.fixes[0].automatic = false)
        .status(Status::Unknown)
        .note("The operating system of image ami-0dddd1111eeee2222 could not be established.")
        .with(|f| {
            f.image = Some(ImageSummary {
                id: Some("ami-0dddd1111eeee2222".into()),
                name: Some("corp-golden-2025.10".into()),
                family: Family::Unknown,
                confidence: Confidence::Unknown,
            });
        });
    let exempt = finding(PAYMENTS, "eu-west-1", ResourceType::NodeGroup, "vault/hsm")
        .cluster("vault", ManagedBy::ManagedNodeGroup)
        .al2023("ami-0b1c2d3e4f5a67890")
        .launched(Source::LaunchTemplate, 3)
        .template("lt-09999eeee0000ffff", "vault-hsm", 1, Source::LaunchTemplate)
        .status(Status::Exempt)
        .with(|f| f.exemption = Some(vault()));
    let pass = finding(PAYMENTS, "eu-west-1", ResourceType::NodeGroup, "blue/workers")
        .cluster("blue", ManagedBy::ManagedNodeGroup)
        .al2023("ami-0b1c2d3e4f5a67890")
        .tokens()
        .launched(Source::LaunchTemplate, 3)
        .with(|f| f.actual = Some(OptionValue::Required))
        .status(Status::Pass);
    let no_service = finding(PAYMENTS, "eu-west-1", ResourceType::Instance, "i-0d44c0ffee0000001")
        .cluster("blue", ManagedBy::Standalone)
        .al2023("ami-0b1c2d3e4f5a67890")
        .status(Status::NotApplicable);
    vec![unknown, exempt, pass, no_service, unused_exemption()]
}

fn unused_exemption() -> Finding {
    finding(PAYMENTS, "eu-west-1", ResourceType::Exemption, "old-batch-nodes")
        .with(|f| {
            f.rule = "exemption-unused".into();
            f.severity = Severity::Low;
            (f.partition, f.account_id, f.account_name, f.region) = (None, None, None, None);
            (f.option, f.expected, f.actual, f.source) = (None, None, None, None);
        })
        .fix(FixKind::EditPolicy, "old-batch-nodes")
        .note("It matched nothing in this audit.")
}

fn coverage() -> Vec<Coverage> {
    let complete = Coverage {
        guard: Guard::SessionPolicy,
        reason: Some("Karpenter's next nodes are predicted from the launch templates that exist.".into()),
        ..Coverage::complete(&scope(DATA, "us-east-1"))
    };
    let partial = Coverage {
        status: CoverageStatus::Partial,
        errors: vec![ReadError {
            service: "ec2".into(),
            operation: "GetInstanceMetadataDefaults".into(),
            code: "UnauthorizedOperation".into(),
            message: "the role may not read the account's metadata defaults".into(),
        }],
        ..Coverage::complete(&scope(PAYMENTS, "eu-west-1"))
    };
    let failed = Coverage {
        status: CoverageStatus::Failed,
        guard: Guard::SessionPolicy,
        errors: vec![ReadError {
            service: "eks".into(),
            operation: "ListClusters".into(),
            code: "Timeout".into(),
            message: "no answer within 30 seconds, after 4 attempts".into(),
        }],
        ..Coverage::complete(&scope(DATA, "ap-southeast-3"))
    };
    let skipped = ["ap-east-1", "me-south-1"]
        .map(|region| Coverage::skipped(&scope(DATA, region), "not enabled for the account"));
    let mut coverage = vec![complete, partial, failed];
    coverage.extend(skipped);
    coverage.sort_by(|a, b| (&a.account_id, &a.region).cmp(&(&b.account_id, &b.region)));
    coverage
}

/// A fleet of `nodes` failing nodes in groups of a hundred, ten groups to a template.
pub fn large(nodes: u64) -> Report {
    let mut findings = Vec::new();
    for group in 0..nodes.div_ceil(100) {
        let template = format!("lt-{:017x}", group / 10);
        let name = format!("group-{group:04}");
        let build = |f: Finding| {
            f.cluster("blue", ManagedBy::ManagedNodeGroup)
                .node_group(&name)
                .al2023("ami-0b1c2d3e4f5a67890")
                .template(&template, "eks-workers", 7, Source::LaunchTemplate)
                .fix(FixKind::PatchLaunchTemplate, &template)
                .fix(FixKind::UpdateNodeGroup, &format!("blue/{name}"))
        };
        let judged = finding(PAYMENTS, "eu-west-1", ResourceType::NodeGroup, &format!("blue/{name}"));
        findings.push(build(judged).launched(Source::LaunchTemplate, 100));
        for node in 0..100.min(nodes - group * 100) {
            let id = format!("i-{:017x}", group * 100 + node);
            findings.push(build(finding(PAYMENTS, "eu-west-1", ResourceType::Instance, &id)));
        }
    }
    report(findings, vec![Coverage::complete(&scope(PAYMENTS, "eu-west-1"))])
}
