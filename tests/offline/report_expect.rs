//! Reports held against what was to be read.

use std::collections::BTreeSet;

use imdsctl::finding::ResourceType;
use imdsctl::model::{self, Breadth, Coverage, CoverageStatus, Guard};
use imdsctl::report::{
    Assembled, Diff, Expectation, Merge, ReadError, Renewal, ReportFormat, ScopeReport, Scopes,
    ScopesOfAccount, Side, UnreadRegion,
};
use proptest::prelude::*;

use crate::fixtures::{self, finding, scope};
use crate::report_assembly::written;
use crate::report_merge::{ACCOUNTS, Bytes, Scope, any_fleet, assembled, run, without_run};

/// Reports made into one, held against what was to be read.
fn merge_expecting<'a>(
    reports: impl IntoIterator<Item = &'a str>,
    expected: &Scopes,
) -> (Assembled<Bytes>, Expectation) {
    let mut merge = Merge::new(Bytes::default());
    for report in reports {
        merge.add(report.as_bytes(), &|| false).unwrap();
    }
    // As it is written and read.
    let text = serde_json::to_string(expected).unwrap();
    let expectation = merge.expect(&Scopes::read(text.as_bytes()).unwrap(), run(59).started_at);
    (merge.finish("0.1.0").unwrap().unwrap(), expectation)
}

/// Whether nobody means to read a scope.
fn is_skipped((scope, _): &Scope) -> bool {
    scope.coverage.status == CoverageStatus::Skipped
        && scope.coverage.reason.as_deref() != Some("interrupted")
}

/// What `imdsctl scopes` tells of accounts and Regions: of those that cannot be opened too.
fn scopes_of<'a>(fleet: impl IntoIterator<Item = &'a Scope>) -> Scopes {
    let mut accounts: Vec<ScopesOfAccount> = Vec::new();
    for one in fleet {
        let Coverage { account_id, account_name, region, status, guard, reason, errors, .. } =
            one.0.coverage.clone();
        let at = accounts.iter().position(|account| account.account_id == account_id).unwrap_or_else(|| {
            accounts.push(ScopesOfAccount {
                partition: "aws".into(),
                account_id,
                account_name,
                reader: None,
                assumed: false,
                external_id: false,
                guard,
                regions: Vec::new(),
                unread: Vec::new(),
            });
            accounts.len() - 1
        });
        if is_skipped(one) || status == CoverageStatus::Failed {
            accounts[at].unread.push(UnreadRegion { region, status, reason, errors });
        } else {
            accounts[at].regions.push(region);
        }
    }
    Scopes::new(accounts)
}

/// What becomes of a scope that no report has.
fn without_report(one: &Scope) -> Scope {
    if is_skipped(one) {
        return one.clone();
    }
    let Coverage { account_id, region, .. } = &one.0.coverage;
    let number = ACCOUNTS.iter().find(|(number, _)| *number == account_id.as_str()).unwrap();
    let error = model::ReadError {
        service: "imdsctl".to_owned(),
        operation: "merge".to_owned(),
        code: "NoReport".to_owned(),
        message: "it was to be read, and no report that was merged has it".to_owned(),
    };
    (ScopeReport::unread(Coverage::failed(&scope(*number, region.as_str()), error)), Vec::new())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_in_no_shard_is_failed_coverage_and_nothing_else_changes(
        (fleet, shards) in any::<bool>().prop_flat_map(any_fleet).prop_flat_map(|fleet| {
            let scopes = fleet.len();
            (Just(fleet), prop::collection::vec(0..4usize, scopes))
        }).prop_filter("something is to be read", |(fleet, _)| !fleet.is_empty()),
        lost in prop::collection::vec(any::<bool>(), 4),
        unplanned in prop::collection::vec(any::<bool>(), 12),
    ) {
        let is_lost = |at: usize| lost[shards[at]];
        // What was not planned is in a report all the same.
        let is_planned = |at: usize| is_lost(at) || !unplanned[at] || at == 0;
        let expected = scopes_of(fleet.iter().enumerate().filter(|(at, _)| is_planned(*at)).map(|(_, one)| one));
        let reports: Vec<String> = (0..4).filter(|number| !lost[*number]).map(|number| {
            let of = |(at, _): &(usize, &Scope)| shards[*at] == number;
            let scopes: Vec<Scope> = fleet.iter().enumerate().filter(of).map(|(_, scope)| scope.clone()).collect();
            written(&assembled(&scopes, run(0)).view(), ReportFormat::Ndjson)
        }).collect();
        let (merged, Expectation { missing, unexpected }) =
            merge_expecting(reports.iter().map(String::as_str), &expected);

        let whole: Vec<Scope> = fleet.iter().enumerate()
            .map(|(at, one)| if is_lost(at) { without_report(one) } else { one.clone() }).collect();
        let whole = assembled(&whole, run(0));
        let key = |(one, _): &Scope| (one.coverage.account_id.clone(), one.coverage.region.clone());
        let at = |holds: &dyn Fn(usize) -> bool| -> BTreeSet<_> {
            fleet.iter().enumerate().filter(|(at, _)| holds(*at)).map(|(_, one)| key(one)).collect()
        };
        prop_assert_eq!(&missing, &at(&|at| is_lost(at) && !is_skipped(&fleet[at])));
        prop_assert_eq!(unexpected, at(&|at| !is_planned(at)));
        prop_assert!(missing.is_empty() || merged.view().incomplete());
        if reports.is_empty() {
            // Nobody judged, by whatever policy.
            prop_assert_eq!(merged.view().policies, &[]);
            prop_assert_eq!(merged.view().findings.all().count(), 0);
            prop_assert_eq!(merged.view().coverage, whole.view().coverage);
        } else {
            prop_assert_eq!(without_run(&merged), without_run(&whole));
        }
    }
}

#[test]
fn what_no_report_has_is_as_wide_as_the_reports_and_guarded_as_planned() {
    let wide = Coverage { instances: Breadth::All, ..Coverage::complete(&scope(ACCOUNTS[0], "us-east-1")) };
    let report =
        written(&assembled(&[(ScopeReport::unread(wide), Vec::new())], run(0)).view(), ReportFormat::Json);
    let mut expected =
        scopes_of(&[(ScopeReport::unread(Coverage::complete(&scope(ACCOUNTS[1], "eu-west-1"))), Vec::new())]);
    expected.accounts[0].guard = Guard::SessionPolicy;
    let denied = model::ReadError {
        service: "sts".to_owned(),
        operation: "AssumeRole".to_owned(),
        code: "AccessDenied".to_owned(),
        message: "the role does not let it in".to_owned(),
    };
    expected.accounts[0].unread = vec![UnreadRegion {
        region: "us-east-1".into(),
        status: CoverageStatus::Failed,
        reason: None,
        errors: vec![denied.clone()],
    }];
    let (merged, expectation) = merge_expecting([report.as_str()], &expected);
    assert_eq!((expectation.missing.len(), expectation.unexpected.len()), (2, 1));
    let coverage: Vec<_> = merged.view().coverage.iter().map(|one| one.coverage.clone()).collect();
    let [_, missing, closed] = coverage.as_slice() else { panic!("{coverage:?}") };
    for one in [missing, closed] {
        assert_eq!((one.status, one.instances), (CoverageStatus::Failed, Breadth::All));
        assert_eq!((one.guard, one.errors[0].code.as_str()), (Guard::SessionPolicy, "NoReport"));
    }
    assert_eq!((missing.errors.len(), &closed.errors[1]), (1, &denied));
}

#[test]
fn what_is_no_list_of_scopes_is_not_taken_for_one() {
    let scopes =
        scopes_of(&[(ScopeReport::unread(Coverage::complete(&scope(ACCOUNTS[0], "eu-west-1"))), Vec::new())]);
    let text = serde_json::to_string_pretty(&scopes).unwrap();
    assert_eq!(Scopes::read(text.as_bytes()).unwrap(), scopes);
    for length in (1..text.len()).step_by(7) {
        let error = Scopes::read(&text.as_bytes()[..length]).unwrap_err();
        assert!(matches!(error, ReadError::Incomplete(_)), "{length}: {error:?}");
    }
    let wrong = text.replacen("\"guard\": \"", "\"guard\": \"un", 1);
    let at = wrong.lines().position(|line| line.contains("\"guard\"")).unwrap() + 1;
    match Scopes::read(wrong.as_bytes()).unwrap_err() {
        ReadError::Wrong { line, message, .. } => {
            assert_eq!(line, at);
            assert!(message.contains("unknown variant `unclient_gate`"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    let none = serde_json::to_string(&Scopes::new(Vec::new())).unwrap();
    let report = written(&assembled(&[], run(0)).view(), ReportFormat::Json);
    for (text, said) in [
        ("", "it is empty"),
        ("[]", "it is not what `imdsctl scopes -o json` writes"),
        ("id,policy\n", "it is not what `imdsctl scopes -o json` writes"),
        (
            report.as_str(),
            "it is not what `imdsctl scopes -o json` writes, but of schema \"imdsctl.report/v1\"",
        ),
        (&text.replace("scopes/v1", "scopes/v2"), "but of schema \"imdsctl.scopes/v2\""),
        (&none, "it names no account"),
    ] {
        let error = Scopes::read(text.as_bytes()).unwrap_err();
        assert!(matches!(error, ReadError::NotAReport(_)), "{text}: {error:?}");
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn a_report_of_no_report_takes_nothing_from_a_baseline_and_calls_nothing_fixed() {
    let read = |region: &str| {
        let findings = vec![finding(ACCOUNTS[0], region, ResourceType::Instance, "i-1")];
        let report = fixtures::report(findings, vec![Coverage::complete(&scope(ACCOUNTS[0], region))]);
        (report.coverage[0].clone(), report.findings)
    };
    let planned = [read("eu-west-1"), read("us-east-1")];
    let before = assembled(&planned[..1], run(1));
    let (nothing, _) = merge_expecting([], &scopes_of(&planned));
    let Renewal::Joined(joined) = before.renew(&nothing, (false, false), Bytes::default()).unwrap() else {
        panic!("it was not kept")
    };
    let statuses: Vec<_> = joined.view().coverage.iter().map(|scope| scope.coverage.status).collect();
    assert_eq!(statuses, [CoverageStatus::Complete, CoverageStatus::Failed]);
    assert_eq!(joined.view().policies, before.view().policies);
    // The finding, and that an exemption has expired; that two more are unused is said of what was read whole.
    assert_eq!((before.view().summary.failed, joined.view().summary.failed), (4, 2));
    let side = |report| Side { report, lists_passed: false };
    let diff = Diff::new(side(before.view()), side(nothing.view())).unwrap();
    let summary = diff.summary();
    assert_eq!((summary.not_seen.findings, summary.fixed.findings), (4, 0));
    assert_eq!(summary.no_longer_judged.findings, 0);
    assert!(diff.has_lost_sight() && diff.policies().is_empty());
}
