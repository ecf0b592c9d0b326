//! Several reports made into one.

use std::collections::BTreeSet;
use std::io::Cursor;

use imdsctl::finding::{ExemptionSummary, Finding, ManagedBy, ResourceType, Status, exemption_name};
use imdsctl::model::{Coverage, CoverageStatus};
use imdsctl::report::{
    Assembled, Assembly, Merge, MergeError, PolicySummary, ReadError, Renewal, Report, ReportFormat, Run,
    ScopeReport,
};
use proptest::prelude::*;

use crate::fixtures::{self, Build as _, finding, large, scope, story};
use crate::report::write;
use crate::report_assembly::written;

pub type Bytes = Cursor<Vec<u8>>;

pub const ACCOUNTS: [(&str, &str); 3] =
    [("111122223333", "data"), ("444455556666", "payments"), ("999988887777", "web")];
const REGIONS: [&str; 4] = ["ap-southeast-2", "eu-west-1", "us-east-1", "us-west-2"];

/// A scope and its findings, in order.
pub type Scope = (ScopeReport, Vec<Finding>);

fn exemption(id: &str) -> ExemptionSummary {
    ExemptionSummary { id: id.into(), reason: "because".into(), expires: None, owner: None }
}

fn policies() -> Vec<PolicySummary> {
    let exemptions = ["first", "idle", "old"].map(exemption).into();
    let (name, version, sha256) = ("al2023".into(), "1".into(), "a".into());
    vec![PolicySummary { name, version, sha256, exemptions, rules: Vec::new() }]
}

/// A run that began so many seconds into the day.
pub fn run(second: u8) -> Run {
    let started_at = format!("2026-11-22T00:00:{second:02}Z").parse().unwrap();
    Run { started_at, finished_at: started_at, ..story().run }
}

pub fn assembled(scopes: &[Scope], run: Run) -> Assembled<Bytes> {
    let expired = BTreeSet::from([exemption_name("al2023", "old")]);
    let mut assembly = Assembly::new(Bytes::default(), policies(), expired);
    for (scope, findings) in scopes {
        for finding in findings {
            assembly.add_finding(finding).unwrap();
        }
        assembly.add_scope(scope.clone(), run.started_at);
    }
    assembly.finish(run).unwrap()
}

fn merge<'a>(reports: impl IntoIterator<Item = &'a str>) -> Result<Assembled<Bytes>, MergeError> {
    let mut merge = Merge::new(Bytes::default());
    for report in reports {
        merge.add(report.as_bytes(), &|| false)?;
    }
    Ok(merge.finish("0.1.0").unwrap().unwrap())
}

/// Every format of a report but for its run.
pub fn without_run(report: &Assembled<Bytes>) -> Vec<String> {
    let run = run(0);
    let view = imdsctl::report::View { run: &run, ..report.view() };
    ReportFormat::ALL.iter().map(|format| written(&view, *format)).collect()
}

fn any_finding(account: usize, region: usize, number: usize) -> impl Strategy<Value = Finding> {
    let kinds = [ResourceType::AutoScalingGroup, ResourceType::Instance, ResourceType::AccountDefaults];
    let statuses = [Status::Fail, Status::Unknown, Status::Exempt, Status::Pass, Status::NotApplicable];
    (prop::sample::select(kinds.to_vec()), prop::sample::select(statuses.to_vec()), 0..3usize).prop_map(
        move |(kind, status, group)| {
            let group = format!("group-{group}");
            let id = match kind {
                ResourceType::AutoScalingGroup => group.clone(),
                ResourceType::AccountDefaults => REGIONS[region].to_owned(),
                _ => format!("i-{number:04}"),
            };
            let finding = finding(ACCOUNTS[account], REGIONS[region], kind, &id).status(status);
            let finding = finding.cluster("blue", ManagedBy::SelfManaged);
            finding.with(|f| {
                f.auto_scaling_group = Some(group);
                f.exemption = (status == Status::Exempt).then(|| exemption("first"));
            })
        },
    )
}

fn any_scope(account: usize, region: usize, complete: bool) -> impl Strategy<Value = Scope> {
    let findings: Vec<_> = (0..12).map(|number| any_finding(account, region, number)).collect();
    let status = if complete { Just(0).boxed() } else { (0..5usize).boxed() };
    (findings, 0..12usize, status).prop_map(move |(mut findings, keep, status)| {
        let here = scope(ACCOUNTS[account], REGIONS[region]);
        let coverage = Coverage::complete(&here);
        let coverage = match status {
            0 => coverage,
            1 => Coverage { status: CoverageStatus::Partial, ..coverage },
            2 => Coverage { status: CoverageStatus::Failed, ..coverage },
            3 => Coverage::skipped(&here, "the Region is not enabled"),
            _ => Coverage::interrupted(&here),
        };
        findings.truncate(if status < 2 { keep } else { 0 });
        let report = fixtures::report(findings, vec![coverage]);
        (report.coverage[0].clone(), report.findings)
    })
}

pub fn any_fleet(complete: bool) -> impl Strategy<Value = Vec<Scope>> {
    let all = (0..ACCOUNTS.len()).flat_map(|account| (0..REGIONS.len()).map(move |region| (account, region)));
    prop::sample::subsequence(all.collect::<Vec<_>>(), 0..=12).prop_flat_map(move |scopes| {
        scopes.into_iter().map(|(account, region)| any_scope(account, region, complete)).collect::<Vec<_>>()
    })
}

/// How good the coverage of a scope is.
fn rank((scope, _): &Scope) -> usize {
    let Coverage { status, reason, .. } = &scope.coverage;
    let words = (*status, reason.as_deref());
    [CoverageStatus::Partial, CoverageStatus::Complete]
        .iter()
        .position(|better| better == status)
        .map_or(usize::from(words != (CoverageStatus::Skipped, Some("interrupted"))), |at| at + 2)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn merged_shards_are_the_whole(
        (fleet, shards) in any::<bool>().prop_flat_map(any_fleet).prop_flat_map(|fleet| {
            let scopes = fleet.len();
            (Just(fleet), prop::collection::vec((0..4usize, any::<bool>()), scopes))
        }),
        order in Just([0usize, 1, 2, 3]).prop_shuffle(),
    ) {
        let whole = assembled(&fleet, run(0));
        let reports = order.map(|number| {
            let of = |(_, shard): &(&Scope, &(usize, bool))| shard.0 == number;
            let scopes: Vec<Scope> = fleet.iter().zip(&shards).filter(of).map(|(scope, _)| scope.clone()).collect();
            let format = if number % 2 == 0 { ReportFormat::Json } else { ReportFormat::Ndjson };
            written(&assembled(&scopes, run(0)).view(), format)
        });
        let merged = merge(reports.iter().map(String::as_str));
        // Passing findings that are there in some of the shards are there in all, or it is refused.
        let merged = merged.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(without_run(&merged), without_run(&whole));
    }

    #[test]
    fn the_best_of_each_scope_is_taken(
        runs in prop::collection::vec((any_fleet(false), 0..60u8), 1..4),
        order in Just([0usize, 1, 2, 3]).prop_shuffle(),
    ) {
        let mut runs = runs;
        // No two began at once, or their order would count.
        runs.sort_by_key(|(_, second)| *second);
        runs.dedup_by_key(|(_, second)| *second);
        let mut best: Vec<Scope> = Vec::new();
        for (fleet, _) in &runs {
            for scope in fleet {
                let Coverage { account_id, region, .. } = &scope.0.coverage;
                match best.iter_mut().find(|(other, _)| (&other.coverage.account_id, &other.coverage.region) == (account_id, region)) {
                    Some(other) if rank(other) > rank(scope) => {}
                    Some(other) => *other = scope.clone(),
                    None => best.push(scope.clone()),
                }
            }
        }
        let reports: Vec<_> = runs.iter().map(|(fleet, second)| written(&assembled(fleet, run(*second)).view(), ReportFormat::Json)).collect();
        let reports = order.iter().filter_map(|number| reports.get(*number)).map(String::as_str);
        let merged = merge(reports).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(without_run(&merged), without_run(&assembled(&best, run(0))));
    }
}

#[test]
fn the_runs_are_added_up() {
    let calls = |second, calls: u64, interrupted| Run {
        api_calls: [("ec2:DescribeInstances".to_owned(), calls)].into(),
        api_throttled: 1,
        interrupted,
        ..run(second)
    };
    // It was interrupted before it came to the scope that the other read.
    let unread = ScopeReport::unread(Coverage::interrupted(&scope(ACCOUNTS[0], "us-east-1")));
    let read = ScopeReport::unread(Coverage::complete(&scope(ACCOUNTS[0], "us-east-1")));
    let first = written(&assembled(&[(unread, Vec::new())], calls(7, 2, true)).view(), ReportFormat::Json);
    let second = written(&assembled(&[(read, Vec::new())], calls(3, 5, false)).view(), ReportFormat::Json);
    let merged = merge([first.as_str(), &second]).unwrap();
    let run = merged.view().run;
    assert_eq!(
        (run.started_at, run.finished_at),
        (calls(3, 0, false).started_at, calls(7, 0, false).finished_at)
    );
    assert_eq!((run.api_calls["ec2:DescribeInstances"], run.api_throttled, run.interrupted), (7, 2, false));
    assert!(merge([first.as_str()]).unwrap().view().run.interrupted);
}

/// The example, as imdsctl would have made it.
fn example() -> Report {
    let mut report = story();
    report.findings.retain(|finding| finding.account_id.is_some());
    for ScopeReport { counts, .. } in &mut report.coverage {
        // It shows one of the judgements that passed; a report shows all or none.
        counts.passed %= 20;
    }
    report
}

fn refused(report: &str) -> ReadError {
    match merge([report]) {
        Err(MergeError::Read(error)) => error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was read: {report}"),
    }
}

#[test]
fn a_report_that_breaks_off_anywhere_is_incomplete() {
    let report = example();
    for format in [ReportFormat::Json, ReportFormat::Ndjson] {
        let text = write(&report, format, imdsctl::report::TableStyle::PIPED);
        merge([text.as_str()]).unwrap_or_else(|error| panic!("{format}: {error}"));
        // The newline at the end may be missing.
        merge([text.trim_end()]).unwrap();
        for length in (1..text.len() - 1).step_by(97).filter(|length| text.is_char_boundary(*length)) {
            let error = refused(&text[..length]);
            assert!(matches!(error, ReadError::Incomplete(_)), "{format} {length}: {error:?}");
        }
    }
}

#[test]
fn a_report_that_lost_a_line_is_incomplete() {
    let text = write(&example(), ReportFormat::Ndjson, imdsctl::report::TableStyle::PIPED);
    let lines: Vec<_> = text.lines().collect();
    for lost in 0..lines.len() {
        let rest: Vec<_> =
            lines.iter().enumerate().filter(|(at, _)| *at != lost).map(|(_, line)| *line).collect();
        let error = refused(&rest.join("\n"));
        assert!(matches!(error, ReadError::Incomplete(_)), "{lost}: {error:?}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let text = write(&example(), ReportFormat::Json, imdsctl::report::TableStyle::PIPED);
    let at = |text: &str, what: &str| text[..text.find(what).unwrap()].lines().count();
    let swapped = |text: &str| {
        let mut lines: Vec<_> = text.lines().collect();
        lines.swap(0, 3);
        lines.join("\n")
    };
    let ndjson = write(&example(), ReportFormat::Ndjson, imdsctl::report::TableStyle::PIPED);
    for (text, line, said) in [
        (
            text.replacen("\"unknown\",\n", "\"melted\",\n", 1),
            at(&text, "\"unknown\",\n"),
            "unknown variant `melted`",
        ),
        (
            text.replacen("\"nodes\": 12", "\"nodes\": -12", 1),
            at(&text, "\"nodes\": 12"),
            "invalid value: integer `-12`",
        ),
        (
            text.replacen("\"findings\": [", "\"findings\": [,", 1),
            at(&text, "\"findings\""),
            "expected value",
        ),
        (swapped(&ndjson), 2, "the findings are out of order"),
        (format!("{text}{text}"), text.lines().count() + 2, "`schema` is there twice"),
    ] {
        match refused(&text) {
            ReadError::Wrong { line: found, column, message } => {
                assert!(message.contains(said) && column > 0, "{message}");
                assert_eq!(found, line, "{message}");
            }
            other => panic!("{said}: {other:?}"),
        }
    }
}

#[test]
fn what_is_no_report_is_not_taken_for_one() {
    for (text, said) in [
        ("", "it is empty"),
        ("\n \n", "it is empty"),
        ("{}", "it is not a report of imdsctl"),
        ("[]", "it is not a report of imdsctl: invalid type: sequence"),
        ("id,policy,rule\n", "it is not a report of imdsctl: expected value"),
        (r#"{"rules":[]}"#, "it is not a report of imdsctl: missing field `id`"),
        (
            r#"{"schema":"imdsctl.inventory/v1","tool":"x"}"#,
            "not a report, but of schema \"imdsctl.inventory/v1\"",
        ),
        (
            r#"{"schema":"imdsctl.report/v2"}"#,
            "a report of schema \"imdsctl.report/v2\", and this imdsctl reads",
        ),
    ] {
        let error = refused(text);
        assert!(matches!(error, ReadError::NotAReport(_)), "{text}: {error:?}");
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn members_in_another_order_are_the_same_report() {
    let text = write(&example(), ReportFormat::Json, imdsctl::report::TableStyle::PIPED);
    // As `jq -cS` writes it.
    let sorted: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        without_run(&merge([sorted.to_string().as_str()]).unwrap()),
        without_run(&merge([text.as_str()]).unwrap())
    );
}

#[test]
fn reports_of_other_policies_do_not_belong_together() {
    let one = written(&assembled(&[], run(0)).view(), ReportFormat::Json);
    let other = one.replace(r#""sha256": "a""#, r#""sha256": "b""#);
    match merge([one.as_str(), &other]) {
        Err(MergeError::Policies { theirs, ours }) => {
            assert_eq!((theirs.as_str(), ours.as_str()), ("al2023 1 (b)", "al2023 1 (a)"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn reports_with_what_passed_and_without_do_not_belong_together() {
    let with = |listed: bool, region: &str| {
        let passing = finding(ACCOUNTS[0], region, ResourceType::Instance, "i-1").status(Status::Pass);
        let report = fixtures::report(vec![passing], vec![Coverage::complete(&scope(ACCOUNTS[0], region))]);
        let findings = if listed { report.findings } else { Vec::new() };
        written(&assembled(&[(report.coverage[0].clone(), findings)], run(0)).view(), ReportFormat::Json)
    };
    assert!(merge([with(true, "eu-west-1"), with(true, "us-east-1")].iter().map(String::as_str)).is_ok());
    assert!(merge([with(false, "eu-west-1"), with(false, "us-east-1")].iter().map(String::as_str)).is_ok());
    for listed in [true, false] {
        let reports = [with(listed, "eu-west-1"), with(!listed, "us-east-1")];
        let error = merge(reports.iter().map(String::as_str)).unwrap_err();
        assert!(error.to_string().contains("--include-passed"), "{error}");
    }
}

#[test]
fn reading_can_be_stopped() {
    let text = write(&large(100), ReportFormat::Json, imdsctl::report::TableStyle::PIPED);
    let error = Merge::new(Bytes::default()).add(text.as_bytes(), &|| true).unwrap_err();
    assert!(matches!(error, MergeError::Read(ReadError::Stopped)), "{error:?}");
}

/// The statuses of the scopes of a renewed report, and how many findings it has; nothing where it is wholly the later.
fn renewed(
    before: &[Scope],
    after: &[Scope],
    lists_passed: (bool, bool),
) -> Option<(Vec<CoverageStatus>, usize)> {
    let (before, after) = (assembled(before, run(1)), assembled(after, run(2)));
    let joined = match before.renew(&after, lists_passed, Bytes::default()).unwrap() {
        Renewal::Whole => return None,
        Renewal::Joined(joined) => joined,
        Renewal::Stays(_) => panic!("the policies are the same"),
    };
    // It is a report like any other: its findings are as many as its counts say.
    merge([written(&joined.view(), ReportFormat::Json).as_str()]).unwrap();
    let view = joined.view();
    let of_scopes =
        view.findings.all().filter(|finding| finding.as_ref().unwrap().account_id.is_some()).count();
    Some((view.coverage.iter().map(|scope| scope.coverage.status).collect(), of_scopes))
}

#[test]
fn a_renewed_report_keeps_what_the_later_one_has_not_seen() {
    use CoverageStatus::{Complete, Failed, Partial};
    let read = |region: &str, status: CoverageStatus, findings: usize| {
        let instance = |number| finding(ACCOUNTS[0], region, ResourceType::Instance, &format!("i-{number}"));
        let coverage = Coverage { status, ..Coverage::complete(&scope(ACCOUNTS[0], region)) };
        let report = fixtures::report((0..findings).map(instance).collect(), vec![coverage]);
        (report.coverage[0].clone(), report.findings)
    };
    let unread = |coverage: Coverage| (ScopeReport::unread(coverage), Vec::new());
    let here = scope(ACCOUNTS[0], "eu-west-1");
    let whole = [read("eu-west-1", Complete, 3)];
    let part = [read("eu-west-1", Partial, 2)];
    let passing = (true, true);
    // What was read as well as before, or is left out on purpose, is replaced.
    for (before, after) in [
        (&whole, [read("eu-west-1", Complete, 1)]),
        (&part, [read("eu-west-1", Partial, 1)]),
        (&part, [read("eu-west-1", Complete, 1)]),
        (&whole, [unread(Coverage::skipped(&here, "the Region is not enabled"))]),
    ] {
        assert_eq!(renewed(before, &after, passing), None);
    }
    // A hole, an interruption and flags that do not name it are not.
    for (before, after, kept) in [
        (&whole, [read("eu-west-1", Partial, 1)], (vec![Complete], 3)),
        (&whole, [read("eu-west-1", Failed, 0)], (vec![Complete], 3)),
        (&part, [read("eu-west-1", Failed, 0)], (vec![Partial], 2)),
        (&whole, [unread(Coverage::interrupted(&here))], (vec![Complete], 3)),
        (&whole, [read("us-east-1", Partial, 1)], (vec![Complete, Partial], 4)),
    ] {
        assert_eq!(renewed(before, &after, passing), Some(kept));
    }
    // What passes is listed of all accounts and Regions, or of none.
    let passed = |region: &str| {
        let one = finding(ACCOUNTS[0], region, ResourceType::Instance, "i-9").status(Status::Pass);
        let report = fixtures::report(vec![one], vec![Coverage::complete(&scope(ACCOUNTS[0], region))]);
        (report.coverage[0].clone(), report.findings)
    };
    let (before, after) = ([passed("eu-west-1")], [passed("us-east-1")]);
    assert_eq!(renewed(&before, &after, (true, true)).unwrap().1, 2);
    assert_eq!(renewed(&before, &after, (true, false)).unwrap().1, 0);
}
