//! Two reports compared: every case of who fails, who was seen and who asks, and what is written of it.

use std::collections::BTreeMap;

use imdsctl::finding::{Finding, ManagedBy, ResourceType, Severity, Status};
use imdsctl::model::{Breadth, Coverage, CoverageStatus, OptionValue};
use imdsctl::report::{
    Change, Class, Diff, DiffFormat, Difference, Fact, Report, RuleSummary, ScopeChangeKind, Side,
    TableStyle, Told, diff_schema,
};
use proptest::prelude::*;

use crate::fixtures::{self, Build as _, DATA, PAYMENTS, finding, scope};

const REGION: &str = "eu-west-1";

fn side(report: &Report) -> Side<'_> {
    let passed = |finding: &Finding| matches!(finding.status, Status::Pass | Status::NotApplicable);
    Side { report: report.view(), lists_passed: report.findings.iter().any(passed) }
}

fn diff<'a>(before: &'a Report, after: &'a Report) -> Diff<'a> {
    Diff::new(side(before), side(after)).unwrap()
}

fn changes(before: &Report, after: &Report) -> Vec<Change> {
    diff(before, after).changes().map(Result::unwrap).collect()
}

/// `class before after` of all changes, by resource and rule.
fn told(before: &Report, after: &Report) -> BTreeMap<(String, String), (Class, Told, Told)> {
    let of = |change: Change| {
        let key = (change.finding.resource.id, change.finding.rule);
        (key, (change.class, change.before.status, change.after.status))
    };
    changes(before, after).into_iter().map(of).collect()
}

fn written(diff: &Diff<'_>, format: DiffFormat) -> String {
    let mut bytes = Vec::new();
    format.write(diff, TableStyle::PIPED, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn instance(id: &str, status: Status) -> Finding {
    finding(PAYMENTS, REGION, ResourceType::Instance, id)
        .cluster("blue", ManagedBy::SelfManaged)
        .status(status)
}

fn complete() -> Coverage {
    Coverage::complete(&scope(PAYMENTS, REGION))
}

fn partial() -> Coverage {
    Coverage { status: CoverageStatus::Partial, ..complete() }
}

fn one(findings: Vec<Finding>, coverage: Coverage) -> Report {
    fixtures::report(findings, vec![coverage])
}

/// What is told of `i-1` where it fails on one side and the other has no finding of it.
fn without(other: &Report) -> [(Class, Told); 2] {
    let failing = one(vec![instance("i-1", Status::Fail)], complete());
    let key = ("i-1".to_owned(), "hop-limit-min".to_owned());
    let (gone, _, after) = told(&failing, other)[&key];
    let (came, before, _) = told(other, &failing)[&key];
    [(gone, after), (came, before)]
}

#[test]
fn what_a_report_does_not_tell_of_depends_on_how_far_it_has_seen() {
    use Class::{Fixed, New, NewlySeen, NotSeen};
    let passing = |id: &str| instance(id, Status::Pass);
    let hidden = |coverage: Coverage| {
        let mut report = one(Vec::new(), coverage);
        report.coverage[0].counts.passed = 3;
        report
    };
    // All was judged and what passes is listed: it is not there. Nothing passes: nor is it.
    assert_eq!(
        without(&one(vec![passing("i-2")], complete())),
        [(Fixed, Told::NotThere), (New, Told::NotThere)]
    );
    assert_eq!(without(&one(Vec::new(), complete())), [(Fixed, Told::NotThere), (New, Told::NotThere)]);
    // What passes is not listed.
    assert_eq!(without(&hidden(complete())), [(Fixed, Told::NotListed), (New, Told::NotListed)]);
    // Another rule of the policy failed on it, so that it was judged, whatever else was not read.
    let other_rule = instance("i-1", Status::Fail).with(|finding| finding.rule = "tokens-required".into());
    for coverage in [complete(), partial()] {
        let report = one(vec![other_rule.clone()], coverage);
        assert_eq!(without(&report), [(Fixed, Told::NotFailing), (New, Told::NotFailing)]);
    }
    // Not all was read, or nothing.
    let here = scope(PAYMENTS, REGION);
    for coverage in [
        partial(),
        Coverage { status: CoverageStatus::Failed, ..complete() },
        Coverage::skipped(&here, "the Region is not enabled"),
        Coverage::interrupted(&here),
        Coverage::complete(&scope(PAYMENTS, "us-east-1")),
    ] {
        let case = format!("{coverage:?}");
        assert_eq!(
            without(&hidden(coverage)),
            [(NotSeen, Told::NotSeen), (NewlySeen, Told::NotSeen)],
            "{case}"
        );
    }
    // That it passes is seen even where not all was.
    let seen = one(vec![passing("i-1")], partial());
    assert_eq!(without(&seen), [(Fixed, Told::Pass), (New, Told::Pass)]);
}

#[test]
fn a_rule_that_is_asked_otherwise_makes_nothing_new_and_nothing_fixed() {
    use Class::{NewlyJudged, NoLongerJudged};
    let with_rules = |rules: Vec<RuleSummary>| {
        let mut report = one(Vec::new(), complete());
        report.policies[0].sha256 = "another text".into();
        report.policies[0].rules = rules;
        report
    };
    let rules = one(Vec::new(), complete()).policies[0].rules.clone();
    let judged = Told::NotThere;
    // Another text, as of an exemption or a comment: the rules ask what they asked.
    assert_eq!(without(&with_rules(rules.clone())), [(Class::Fixed, judged), (Class::New, judged)]);
    let mut changed = rules.clone();
    for rule in &mut changed {
        rule.sha256 = "something else".into();
    }
    assert_eq!(without(&with_rules(changed)), [(NoLongerJudged, judged), (NewlyJudged, judged)]);
    let others = rules.into_iter().filter(|rule| rule.id != "hop-limit-min").collect();
    let unjudged = Told::NotJudged;
    assert_eq!(without(&with_rules(others)), [(NoLongerJudged, unjudged), (NewlyJudged, unjudged)]);
    // Of a report that lists no rules, the text has to be the same.
    assert_eq!(without(&with_rules(Vec::new())), [(NoLongerJudged, judged), (NewlyJudged, judged)]);
    let mut other_policy = one(Vec::new(), complete());
    other_policy.policies[0].name = "imdsv2".into();
    assert_eq!(without(&other_policy), [(NoLongerJudged, unjudged), (NewlyJudged, unjudged)]);
    let diff_of = one(vec![instance("i-1", Status::Fail)], complete());
    let policies = diff(&diff_of, &other_policy).policies();
    let names: Vec<_> =
        policies.iter().map(|policy| (policy.name.as_str(), policy.before.is_some())).collect();
    assert_eq!(names, [("al2023", true), ("imdsv2", false)]);
}

#[test]
fn an_audit_that_is_about_nodes_has_not_seen_other_instances() {
    let alone = instance("i-1", Status::Fail).with(|finding| {
        (finding.cluster, finding.cluster_arn, finding.managed_by) =
            (None, None, Some(ManagedBy::Standalone));
    });
    let wide =
        one(vec![alone, instance("i-2", Status::Fail)], Coverage { instances: Breadth::All, ..complete() });
    let nodes = one(Vec::new(), complete());
    let class = |told: BTreeMap<(String, String), (Class, Told, Told)>| {
        told.into_values().map(|(class, ..)| class).collect::<Vec<_>>()
    };
    assert_eq!(class(told(&wide, &nodes)), [Class::NotSeen, Class::Fixed]);
    assert_eq!(class(told(&nodes, &wide)), [Class::NewlySeen, Class::New]);
    let kind = |before, after| diff(before, after).scopes()[0].change;
    assert_eq!(
        [kind(&wide, &nodes), kind(&nodes, &wide)],
        [ScopeChangeKind::Narrower, ScopeChangeKind::Wider]
    );
}

#[test]
fn what_still_fails_is_told_where_it_differs() {
    let before = one(["i-1", "i-2", "i-3", "i-4"].map(|id| instance(id, Status::Fail)).into(), complete());
    let mut after = before.clone();
    after.findings[1].actual = Some(OptionValue::Number(3));
    after.findings[2].severity = Severity::Low;
    after.findings[3].status = Status::Unknown;
    let changed: Vec<_> = changes(&before, &after)
        .into_iter()
        .map(|change| (change.class, change.finding.resource.id, change.changed))
        .collect();
    let still = Class::StillFailing;
    assert_eq!(
        changed,
        [
            (still, "i-2".into(), vec![Fact::Actual]),
            (still, "i-3".into(), vec![Fact::Severity]),
            (still, "i-4".into(), vec![Fact::Status])
        ]
    );
    let diff = diff(&before, &after);
    assert_eq!((diff.summary().still_failing.findings, diff.summary().still_failing_otherwise), (4, 3));
    assert!(!diff.is_worse_by(Severity::Info) && !diff.has_lost_sight());
}

#[test]
fn an_exemption_that_ends_counts_as_something_new() {
    let (exempt, failing) = (Status::Exempt, Status::Fail);
    let of = |status| one(vec![instance("i-1", status)], complete());
    let (before, after) = (of(exempt), of(failing));
    let ended = diff(&before, &after);
    assert_eq!(ended.summary().no_longer_exempt.findings, 1);
    assert!(ended.is_worse_by(Severity::High) && !ended.is_worse_by(Severity::Critical));
    let begun = diff(&after, &before);
    assert_eq!((begun.summary().exempted.findings, begun.summary().fixed.findings), (1, 0));
    assert!(!begun.is_worse_by(Severity::Info));
}

#[test]
fn a_hole_where_more_was_seen_is_a_loss_of_sight() {
    let report = |coverage| one(Vec::new(), coverage);
    let failed = Coverage { status: CoverageStatus::Failed, ..complete() };
    let skipped = Coverage::skipped(&scope(PAYMENTS, REGION), "the Region is not enabled");
    for (before, after, lost) in [
        (complete(), complete(), false),
        (complete(), partial(), true),
        (complete(), failed.clone(), true),
        (partial(), failed.clone(), true),
        (partial(), partial(), false),
        (failed.clone(), partial(), false),
        (complete(), Coverage::interrupted(&scope(PAYMENTS, REGION)), true),
        (complete(), skipped, false),
        (complete(), Coverage::complete(&scope(DATA, REGION)), false),
    ] {
        let case = format!("{:?} then {:?}", before.status, after.status);
        assert_eq!(diff(&report(before), &report(after)).has_lost_sight(), lost, "{case}");
    }
    // Both have the same hole, and a failure of before may be in it.
    let before = one(vec![instance("i-1", Status::Fail)], partial());
    assert!(diff(&before, &report(partial())).has_lost_sight());
}

fn any_status() -> impl Strategy<Value = Option<Status>> {
    prop::option::of(prop::sample::select(Status::ALL.to_vec()))
}

fn any_coverage(
    account: (&'static str, &'static str),
    region: &'static str,
) -> impl Strategy<Value = Option<Coverage>> {
    let here = scope(account, region);
    let with = move |(status, wide): (usize, bool)| {
        let complete = Coverage::complete(&here);
        let coverage = match status {
            0 => return None,
            1 => Coverage { status: CoverageStatus::Partial, ..complete },
            2 => Coverage { status: CoverageStatus::Failed, ..complete },
            3 => Coverage::skipped(&here, "the Region is not enabled"),
            4 => Coverage::interrupted(&here),
            _ => complete,
        };
        Some(Coverage { instances: if wide { Breadth::All } else { Breadth::Nodes }, ..coverage })
    };
    (0..9usize, any::<bool>()).prop_map(with)
}

/// A report of two accounts and Regions, eight resources and three rules, with anything left out.
fn any_report() -> impl Strategy<Value = Report> {
    let scopes = [(PAYMENTS, "eu-west-1"), (DATA, "us-east-1")];
    let coverage = scopes.map(|(account, region)| any_coverage(account, region));
    let statuses = prop::collection::vec((any_status(), 0..4i32), 48);
    let policy = (any::<[bool; 3]>(), 0..4usize);
    (coverage, statuses, any::<bool>(), policy).prop_map(
        move |(coverage, statuses, listed, (rules, text))| {
            let mut findings = Vec::new();
            for (number, (status, value)) in statuses.into_iter().enumerate() {
                let (scope, resource, rule) = (number / 24, number / 3 % 8, number % 3);
                let Some(status) = status else { continue };
                let readable = coverage[scope]
                    .as_ref()
                    .is_some_and(|coverage| coverage.status <= CoverageStatus::Partial);
                let passed = matches!(status, Status::Pass | Status::NotApplicable);
                if !readable || (passed && !listed) || !(rules[rule] || text == 3) {
                    continue;
                }
                let kind = [ResourceType::Instance, ResourceType::NodeGroup][resource % 2];
                let found = finding(scopes[scope].0, scopes[scope].1, kind, &format!("r-{resource}"));
                findings.push(found.status(status).with(|finding| {
                    finding.rule = fixtures::RULES[rule].into();
                    finding.id = format!("{scope} {resource} {rule}");
                    finding.actual = Some(OptionValue::Number(value));
                    finding.cluster = (resource < 4).then(|| "blue".to_owned());
                }));
            }
            let coverage = coverage.into_iter().flatten().collect();
            let mut report = fixtures::report(findings, coverage);
            report.findings.sort_by(Finding::cmp_machine);
            let policy = &mut report.policies[0];
            let mut at = 0;
            policy.rules.retain(|_| {
                at += 1;
                rules[at - 1]
            });
            match text {
                0 => {}
                1 => policy.sha256 = "another".into(),
                2 => policy.rules.iter_mut().for_each(|rule| rule.sha256 = "another".into()),
                _ => policy.rules.clear(),
            }
            report
        },
    )
}

/// How many failing judgements of a report there are, by their ids.
fn failing(report: &Report) -> Vec<&str> {
    let fails = |finding: &&Finding| matches!(finding.status, Status::Fail | Status::Unknown);
    report.findings.iter().filter(fails).map(|finding| finding.id.as_str()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_report_does_not_differ_from_itself(report in any_report()) {
        let itself = diff(&report, &report);
        prop_assert_eq!(itself.changes().count(), 0);
        prop_assert!(itself.scopes().is_empty() && itself.policies().is_empty());
        let summary = itself.summary();
        prop_assert_eq!(summary.still_failing.findings, failing(&report).len() as u64);
        let counted: u64 = Class::TOLD.iter().filter_map(|class| summary.of(*class)).map(|count| count.findings).sum();
        prop_assert_eq!(counted, summary.still_failing.findings);
        prop_assert!(!itself.has_lost_sight() && !itself.is_worse_by(Severity::Info));
    }

    #[test]
    fn everything_that_fails_in_either_is_of_one_class(before in any_report(), after in any_report()) {
        let diff = diff(&before, &after);
        let summary = diff.summary();
        let counted = |class: Class| summary.of(class).unwrap().findings;
        let total: u64 = Class::TOLD.iter().map(|class| counted(*class)).sum();
        let mut ids = [failing(&before), failing(&after)].concat();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(total, ids.len() as u64);
        // What fails now: new, no longer exempt, still, newly seen or newly judged.
        let now = [Class::New, Class::NoLongerExempt, Class::StillFailing, Class::NewlySeen, Class::NewlyJudged];
        prop_assert_eq!(now.iter().map(|class| counted(*class)).sum::<u64>(), failing(&after).len() as u64);
        let changes: Vec<_> = diff.changes().map(Result::unwrap).collect();
        let told: Vec<_> = changes.iter().map(|change| change.finding.id.as_str()).collect();
        let mut once = told.clone();
        once.sort_unstable();
        once.dedup();
        prop_assert_eq!(once.len(), told.len());
        prop_assert_eq!(told.len() as u64, total - counted(Class::StillFailing) + summary.still_failing_otherwise);
    }

    #[test]
    fn what_was_not_seen_is_neither_fixed_nor_new(before in any_report(), after in any_report()) {
        for change in changes(&before, &after) {
            let blind = |report: &Report| {
                let finding = &change.finding;
                let here = |c: &&Coverage| Some(&c.account_id) == finding.account_id.as_ref();
                let coverage = report.coverage.iter().map(|scope| &scope.coverage).find(here);
                let whole = coverage.is_some_and(|coverage| coverage.status == CoverageStatus::Complete);
                let judged = report.findings.iter().any(|one| one.account_id == finding.account_id && one.resource == finding.resource);
                !whole && !judged
            };
            match change.class {
                Class::Fixed => prop_assert!(!blind(&after)),
                Class::New => prop_assert!(!blind(&before)),
                _ => {}
            }
        }
    }

    #[test]
    fn mirrored_it_is_the_comparison_the_other_way_round(before in any_report(), after in any_report()) {
        let there = changes(&before, &after);
        let back = changes(&after, &before);
        prop_assert_eq!(there.len(), back.len());
        for (one, other) in there.iter().zip(&back) {
            prop_assert_eq!(&one.finding.id, &other.finding.id);
            prop_assert_eq!(one.class.mirrored(), other.class);
            prop_assert_eq!((&one.before, &one.after), (&other.after, &other.before));
        }
        prop_assert_eq!(diff(&before, &after).scopes().len(), diff(&after, &before).scopes().len());
    }

    #[test]
    fn all_formats_say_the_same(before in any_report(), after in any_report()) {
        let diff = diff(&before, &after);
        let json: Difference = serde_json::from_str(&written(&diff, DiffFormat::Json)).unwrap();
        let changes: Vec<_> = diff.changes().map(Result::unwrap).collect();
        prop_assert_eq!(&json.changes, &changes);
        prop_assert_eq!(&json.summary, diff.summary());
        let ndjson = written(&diff, DiffFormat::Ndjson);
        prop_assert_eq!(ndjson.lines().count(), changes.len() + 3);
        written(&diff, DiffFormat::Table);
    }
}

/// The example a day later, with one of everything that can change.
fn stories() -> (Report, Report) {
    let mut before = fixtures::story();
    for scope in before.coverage.iter_mut().filter(|scope| scope.coverage.region.as_str() == REGION) {
        scope.coverage.status = CoverageStatus::Complete;
    }
    let mut after = before.clone();
    after.run.started_at = "2026-11-21T09:13:58Z".parse().unwrap();
    after.run.finished_at = "2026-11-21T09:14:22Z".parse().unwrap();
    after.policies[0].version = "1.1.0".into();
    after.policies[0].sha256 = "a new text".into();
    after.policies[0].rules[0].sha256 = "asked otherwise".into();
    after.policies[0].rules.push(RuleSummary { id: "tags-off".into(), sha256: "new".into() });
    for scope in &mut after.coverage {
        match scope.coverage.region.as_str() {
            "us-east-1" => scope.coverage.status = CoverageStatus::Partial,
            "ap-southeast-3" => scope.coverage.status = CoverageStatus::Complete,
            _ => {}
        }
    }
    let of = |finding: &Finding, id: &str| finding.resource.id.contains(id);
    after.findings.retain(|finding| !of(finding, "legacy-ingest") && !of(finding, "blue/batch"));
    for finding in &mut after.findings {
        if of(finding, "green/default") {
            finding.actual = Some(OptionValue::Number(3));
        }
        if of(finding, "spark-workers") {
            finding.severity = Severity::Critical;
        }
        if finding.status == Status::Exempt {
            (finding.status, finding.exemption) = (Status::Fail, None);
        }
    }
    let new = |id: &str, rule: &str| {
        finding(PAYMENTS, REGION, ResourceType::NodeGroup, id)
            .cluster("blue", ManagedBy::ManagedNodeGroup)
            .with(|finding| finding.rule = rule.into())
    };
    after.findings.extend([new("blue/fresh", "hop-limit-min"), new("blue/workers", "tags-off")]);
    after.findings.sort_by(Finding::cmp_machine);
    (before, after)
}

#[test]
fn a_comparison_reads_well() {
    let (before, after) = stories();
    insta::with_settings!({ snapshot_path => "report_snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("diff", written(&diff(&before, &after), DiffFormat::Table));
        insta::assert_snapshot!("diff-mirrored", written(&diff(&after, &before), DiffFormat::Table));
        let since = imdsctl::report::View { since: Some(&diff(&before, &after)), ..after.view() };
        let table = crate::report_assembly::written(&since, imdsctl::report::ReportFormat::Table);
        insta::assert_snapshot!("since", table.split("── Summary").next().unwrap());
        insta::assert_snapshot!("diff-same", written(&diff(&before, &before), DiffFormat::Table));
    });
}

#[test]
fn the_schema_describes_what_is_written() {
    let schema = diff_schema();
    let (before, after) = stories();
    let json: serde_json::Value =
        serde_json::from_str(&written(&diff(&before, &after), DiffFormat::Json)).unwrap();
    let members: Vec<_> = json.as_object().unwrap().keys().collect();
    let described: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(members, described);
    assert_eq!(schema["properties"]["schema"]["const"], json["schema"]);
}
