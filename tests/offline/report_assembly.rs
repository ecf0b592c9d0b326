//! Reports that are put together scope by scope.

use std::collections::BTreeSet;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use imdsctl::finding::{ExemptionSummary, Finding, ResourceType};
use imdsctl::model::{AccountId, Coverage, Region};
use imdsctl::report::{Assembled, Assembly, Report, ReportFormat, ScopeReport, TableStyle, View};
use jiff::Timestamp;

use crate::fixtures::{DATA, PAYMENTS, finding, report, scope, story};

pub fn written(report: &View<'_>, format: ReportFormat) -> String {
    let mut bytes = Vec::new();
    format.writer(TableStyle::PIPED).write(report, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// The findings of a scope, as a report holds them.
pub fn findings_of<'a>(report: &'a Report, scope: &Coverage) -> impl Iterator<Item = &'a Finding> {
    let of = |account: &AccountId, region: &Region| (Some(account.clone()), Some(region.clone()));
    let key = of(&scope.account_id, &scope.region);
    report.findings.iter().filter(move |finding| (finding.account_id.clone(), finding.region.clone()) == key)
}

/// A report put together from the scopes of another, in this order.
fn assembled(report: &Report, order: impl Iterator<Item = usize>) -> Assembled<Cursor<Vec<u8>>> {
    let mut assembly = Assembly::new(Cursor::new(Vec::new()), report.policies.clone(), BTreeSet::new());
    for number in order {
        let scope = &report.coverage[number];
        findings_of(report, &scope.coverage).for_each(|finding| assembly.add_finding(finding).unwrap());
        assembly.add_scope(scope.clone(), report.run.started_at);
    }
    assembly.finish(report.run.clone()).unwrap()
}

/// The example without what is said of the policy itself.
fn of_scopes() -> Report {
    let mut report = story();
    report.findings.retain(|finding| finding.account_id.is_some());
    report.summary.failed -= 1;
    report.summary.by_severity.remove("low");
    report.summary.by_rule.remove("al2023/exemption-unused");
    report
}

#[test]
fn scopes_in_any_order_make_the_same_report() {
    let whole = of_scopes();
    let scopes = whole.coverage.len();
    let forward = assembled(&whole, 0..scopes);
    let backward = assembled(&whole, (0..scopes).rev());
    for format in ReportFormat::ALL {
        let expected = written(&whole.view(), *format);
        assert!(written(&forward.view(), *format) == expected, "{format} forward");
        assert!(written(&backward.view(), *format) == expected, "{format} backward");
    }
}

#[test]
fn that_an_exemption_is_of_no_use_is_said_when_everything_was_read() {
    let of = |used: Option<&str>, hole: bool| {
        let exemption =
            ExemptionSummary { id: "idle".into(), reason: "because".into(), expires: None, owner: None };
        let mut empty = report(Vec::new(), vec![Coverage::complete(&scope(DATA, "us-east-1"))]);
        empty.policies[0].exemptions = vec![exemption];
        empty.coverage[0].exemptions_used.extend(used.map(str::to_owned));
        if hole {
            let unread = Coverage::interrupted(&scope(DATA, "us-west-2"));
            empty.coverage.push(ScopeReport::unread(unread));
        }
        let assembled = assembled(&empty, 0..empty.coverage.len());
        let report: Report = serde_json::from_str(&written(&assembled.view(), ReportFormat::Json)).unwrap();
        report.findings.into_iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    assert_eq!(of(None, false), ["exemption-unused"]);
    assert_eq!(of(Some("al2023/idle"), false), [""; 0]);
    assert_eq!(of(None, true), [""; 0]);
}

/// A disk that is full after so many bytes.
struct Full(u64, Cursor<Vec<u8>>);

impl Write for Full {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self.0.checked_sub(data.len() as u64) {
            Some(left) => self.0 = left,
            None => return Err(io::ErrorKind::StorageFull.into()),
        }
        self.1.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.1.flush()
    }
}

impl Read for Full {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1.read(buffer)
    }
}

impl Seek for Full {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.1.seek(position)
    }
}

#[test]
fn a_full_disk_is_told_and_makes_no_report() {
    let finding = finding(PAYMENTS, "eu-west-1", ResourceType::Instance, "i-1");
    let filled = |room: u64, findings: usize| {
        let store = Full(room, Cursor::new(Vec::new()));
        let mut assembly = Assembly::new(store, Vec::new(), BTreeSet::new());
        for _ in 0..findings {
            assembly.add_finding(&finding)?;
        }
        assembly.add_scope(
            ScopeReport::unread(Coverage::complete(&scope(PAYMENTS, "eu-west-1"))),
            Timestamp::UNIX_EPOCH,
        );
        assembly.finish(story().run).map(drop)
    };
    assert!(filled(1 << 20, 10).is_ok());
    // In the middle, and with the last of it.
    for (room, findings) in [(100 << 10, 1000), (10, 1)] {
        assert_eq!(filled(room, findings).unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
