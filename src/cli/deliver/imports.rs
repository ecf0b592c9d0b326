//! `--security-hub`: the findings of each account and Region go to Security Hub there, and what is over is archived.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead as _, BufReader, Seek as _};

use futures::stream::{self, StreamExt as _};

use crate::asff::SecurityFinding;
use crate::aws::{Aws, CallError, Hub, NotTaken, Task, Timeouts};
use crate::deliver::{Batches, Ledger, Look, TooLarge};
use crate::finding::Status;
use crate::model::{AccountId, CoverageStatus, Region};
use crate::report::{ScopeReport, View, security_finding};

use super::doors::{Doors, Opener};
use super::{Delivery, Error};

/// How many accounts are served at once.
const AT_ONCE: usize = 8;

/// How many bytes are kept in memory of what is to be archived in a Region.
const IN_MEMORY: usize = 1 << 20;

/// How many places of one failure are named.
const NAMED: usize = 20;

/// What was done in an account and Region, or in all of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Imported {
    pub findings: u64,
    pub archived: u64,
}

/// Why a place was not served, or not to the end.
type Failures = BTreeMap<String, BTreeMap<AccountId, BTreeSet<Region>>>;

/// Imports all of a report, as far as it is let, until `stop` completes.
pub async fn import(
    delivery: &Delivery,
    report: &View<'_>,
    doors: &Doors,
    stop: impl Future<Output = ()> + Clone + Unpin,
) -> (Imported, Result<(), Error>) {
    let read = |scope: &&ScopeReport| {
        matches!(scope.coverage.status, CoverageStatus::Complete | CoverageStatus::Partial)
    };
    let mut accounts: BTreeMap<&AccountId, Vec<&ScopeReport>> = BTreeMap::new();
    for scope in report.coverage.iter().filter(read) {
        accounts.entry(&scope.coverage.account_id).or_default().push(scope);
    }
    let aws = Aws::new(Timeouts::default(), Task::Deliver);
    let hint = report.coverage.first().map(|scope| &scope.coverage.region);
    let ids = accounts.keys().copied().collect();
    let opener = Opener::new(&aws, doors, &ids, hint, delivery.as_whom()).await;
    let serve = |(account, scopes)| {
        let (opener, stop) = (&opener, stop.clone());
        async move {
            tokio::select! {
                served = of_account(opener, report, account, scopes) => served,
                () = stop => Served::stopped(account),
            }
        }
    };
    let served: Vec<Served> = stream::iter(accounts).map(serve).buffered(AT_ONCE).collect().await;
    let mut all = Served::default();
    for one in served {
        all.add(one);
    }
    (all.imported, all.result())
}

/// What became of one account, or of all.
#[derive(Debug, Default)]
struct Served {
    imported: Imported,
    failures: Failures,
}

impl Served {
    fn stopped(account: &AccountId) -> Self {
        let mut served = Self::default();
        let why = "it was interrupted before all was imported".to_owned();
        served.failures.entry(why).or_default().entry(account.clone()).or_default();
        served
    }

    fn fail(&mut self, scope: &ScopeReport, why: String) {
        let (account, region) = (scope.coverage.account_id.clone(), scope.coverage.region.clone());
        self.failures.entry(why).or_default().entry(account).or_default().insert(region);
    }

    fn add(&mut self, other: Self) {
        self.imported.findings += other.imported.findings;
        self.imported.archived += other.imported.archived;
        for (why, accounts) in other.failures {
            let places = self.failures.entry(why).or_default();
            for (account, regions) in accounts {
                places.entry(account).or_default().extend(regions);
            }
        }
    }

    fn result(self) -> Result<(), Error> {
        let line = |(why, accounts): (String, BTreeMap<AccountId, BTreeSet<Region>>)| {
            let place = |(account, regions): (&AccountId, &BTreeSet<Region>)| {
                let regions: Vec<_> = regions.iter().map(Region::as_str).collect();
                if regions.is_empty() {
                    account.to_string()
                } else {
                    format!("{account} in {}", regions.join(", "))
                }
            };
            let mut places: Vec<_> = accounts.iter().take(NAMED).map(place).collect();
            if accounts.len() > NAMED {
                places.push(format!("and {} accounts more", accounts.len() - NAMED));
            }
            Err(Error::Output(format!("Security Hub of {}: {why}", places.join("; "))))
        };
        Error::gather(self.failures.into_iter().map(line))
    }
}

async fn of_account(
    opener: &Opener<'_>,
    report: &View<'_>,
    account: &AccountId,
    scopes: Vec<&ScopeReport>,
) -> Served {
    let mut served = Served::default();
    let importer = match opener.open(account).await {
        Ok(importer) => importer,
        Err(why) => {
            for scope in scopes {
                served.fail(scope, why.clone());
            }
            return served;
        }
    };
    for scope in scopes {
        let mut imports = Imports::new(importer.hub(&scope.coverage.region), report, scope);
        let outcome = imports.run().await;
        served.imported.findings += imports.done.findings;
        served.imported.archived += imports.done.archived;
        let not_taken = imports.not_taken();
        for why in outcome.err().into_iter().chain(not_taken) {
            served.fail(scope, why);
        }
    }
    served
}

/// The import of one account and Region. Of its findings no more than a batch is in memory; of all a few bytes.
struct Imports<'a> {
    hub: Hub,
    report: &'a View<'a>,
    scope: &'a ScopeReport,
    done: Imported,
    refused: u64,
    /// The first that was not taken, which tells for all.
    why: Option<NotTaken>,
}

impl<'a> Imports<'a> {
    fn new(hub: Hub, report: &'a View<'a>, scope: &'a ScopeReport) -> Self {
        Self { hub, report, scope, done: Imported::default(), refused: 0, why: None }
    }

    async fn run(&mut self) -> Result<(), String> {
        let mut ledger = Ledger::default();
        let look = self.expect(&mut ledger).map_err(|error| kept(&error))?;
        let mut over = tempfile::spooled_tempfile(IN_MEMORY);
        let mut written = Ok(());
        let held = self.hub.held(|held| {
            if let (Some(archived), Ok(())) = (ledger.note(held, &look), &written) {
                written = write_line(&mut over, &archived);
            }
        });
        match held.await {
            Ok(()) => {}
            // Where there is no Security Hub, there is nothing to archive either.
            Err(error) if is_not_enabled(&error.code) && ledger.is_empty() => return Ok(()),
            Err(error) => return Err(said(&error)),
        }
        written.map_err(|error| kept(&error))?;
        let (scope, report) = (self.scope, self.report);
        let findings = report.findings.of(&scope.coverage.account_id, &scope.coverage.region);
        let renewed = findings.filter_map(|finding| match finding {
            Ok(finding) => ledger.renewed(security_finding(&finding, report.run)?).map(Ok),
            Err(error) => Some(Err(error)),
        });
        self.done.findings = self.send(renewed).await?;
        over.rewind().map_err(|error| kept(&error))?;
        let archived = BufReader::new(over).lines();
        let archived = archived.map(|line| serde_json::from_str(&line?).map_err(io::Error::from));
        self.done.archived = self.send(archived).await?;
        Ok(())
    }

    /// Enters all findings of the report here, and says how far it has looked.
    fn expect(&self, ledger: &mut Ledger) -> io::Result<Look<'a>> {
        let ScopeReport { coverage, counts, .. } = self.scope;
        let mut lists_passed = false;
        for finding in self.report.findings.of(&coverage.account_id, &coverage.region) {
            let finding = finding?;
            lists_passed |= matches!(finding.status, Status::Pass | Status::NotApplicable);
            if let Some(finding) = security_finding(&finding, self.report.run) {
                ledger.expect(&finding.id);
            }
        }
        let policies = self.report.policies.iter();
        Ok(Look {
            complete: coverage.status == CoverageStatus::Complete,
            breadth: coverage.instances,
            policies: policies
                .map(|policy| {
                    (policy.name.as_str(), policy.rules.iter().map(|rule| rule.id.as_str()).collect())
                })
                .collect(),
            lists_all: lists_passed || counts.passed + counts.not_applicable == 0,
            until: self.report.run.finished_at,
        })
    }

    /// Sends findings in batches, and says how many were taken. One that is not taken keeps no other back.
    async fn send(
        &mut self,
        findings: impl Iterator<Item = io::Result<SecurityFinding>>,
    ) -> Result<u64, String> {
        let (mut batches, mut taken) = (Batches::default(), 0);
        for finding in findings {
            match batches.add(finding.map_err(|error| kept(&error))?) {
                Ok(None) => {}
                Ok(Some(batch)) => taken += self.send_batch(batch).await?,
                Err(TooLarge(finding)) => self.refuse(vec![NotTaken {
                    id: finding.id,
                    code: "TooLarge".to_owned(),
                    message: "it is larger than 240 KB".to_owned(),
                }]),
            }
        }
        if let Some(batch) = batches.rest() {
            taken += self.send_batch(batch).await?;
        }
        Ok(taken)
    }

    async fn send_batch(&mut self, batch: Vec<SecurityFinding>) -> Result<u64, String> {
        let sent = batch.len() as u64;
        let not_taken = self.hub.import(&batch).await.map_err(|error| said(&error))?;
        let taken = sent - (not_taken.len() as u64).min(sent);
        self.refuse(not_taken);
        Ok(taken)
    }

    fn refuse(&mut self, not_taken: Vec<NotTaken>) {
        self.refused += not_taken.len() as u64;
        self.why = self.why.take().or_else(|| not_taken.into_iter().next());
    }

    /// What to tell of findings that were not taken.
    fn not_taken(&self) -> Option<String> {
        let NotTaken { id, code, message } = self.why.as_ref()?;
        if is_not_enabled(code) {
            return Some(NOT_ENABLED.to_owned());
        }
        let findings = if self.refused == 1 { "finding was" } else { "findings were" };
        Some(format!("{} {findings} not taken, as {id}: {code} {message}", self.refused))
    }
}

const NOT_ENABLED: &str = "it is not enabled there: enable it, or leave out --security-hub";

/// What AWS says where an account has not enabled Security Hub in a Region, of a request and of a finding.
fn is_not_enabled(code: &str) -> bool {
    matches!(code, "InvalidAccessException" | "InvalidAccess")
}

fn said(error: &CallError) -> String {
    if is_not_enabled(&error.code) {
        return NOT_ENABLED.to_owned();
    }
    format!("{} {} {}", error.operation, error.code, error.summary())
}

fn kept(error: &io::Error) -> String {
    format!("cannot keep what is to be imported: {error}")
}

fn write_line(out: &mut impl io::Write, finding: &SecurityFinding) -> io::Result<()> {
    let mut line = serde_json::to_vec(finding)?;
    line.push(b'\n');
    out.write_all(&line)
}
