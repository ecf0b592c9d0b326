//! What `imdsctl scopes` tells: the accounts and Regions that an audit with the same flags reads. Reports are held against
//! it when they are merged, so that what is in none of them is missed.

mod format;

use std::io::Read;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ReadError;
use crate::model::{AccountId, Breadth, Coverage, CoverageStatus, Guard, Partition, ReadError as Failed};
use crate::model::{Region, Scope};

pub use format::ScopesFormat;

/// The value of the `schema` field.
pub const SCOPES_SCHEMA: &str = "imdsctl.scopes/v1";

/// The code of an account and Region that was to be read and that no report has.
pub(super) const NO_REPORT: &str = "NoReport";

/// Which accounts and Regions an audit reads, and as whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Scopes {
    /// `imdsctl.scopes/v1`
    pub schema: String,
    /// The accounts, in the order in which they were found.
    pub accounts: Vec<ScopesOfAccount>,
    /// The counts.
    pub summary: ScopesSummary,
}

/// An account, and what is read of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScopesOfAccount {
    /// Its partition.
    pub partition: Partition,
    /// The account.
    pub account_id: AccountId,
    /// Its name, where the source of the account knows one.
    pub account_name: Option<String>,
    /// The ARN of whoever reads it; nothing where nobody can.
    pub reader: Option<String>,
    /// Whether a role is assumed.
    pub assumed: bool,
    /// Whether an external id is given for that.
    pub external_id: bool,
    /// What holds the reader back from changing anything.
    pub guard: Guard,
    /// The Regions that are read.
    pub regions: Vec<Region>,
    /// Those that are not.
    pub unread: Vec<UnreadRegion>,
}

/// A Region of an account that is not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnreadRegion {
    /// The Region.
    pub region: Region,
    /// `skipped` where it is not to be read, `failed` where it is and cannot be.
    pub status: CoverageStatus,
    /// Why it is skipped.
    pub reason: Option<String>,
    /// Every API call that failed.
    pub errors: Vec<Failed>,
}

/// The counts of what is read and what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScopesSummary {
    /// Accounts.
    pub accounts: u64,
    /// Pairs of account and Region that are read.
    pub scopes: u64,
    /// Those that are not to be read.
    pub skipped: u64,
    /// Those that cannot be.
    pub failed: u64,
}

impl Scopes {
    /// Puts them together.
    pub fn new(accounts: Vec<ScopesOfAccount>) -> Self {
        let unread = |status| {
            let unread = accounts.iter().flat_map(|account| &account.unread);
            unread.filter(|unread| unread.status == status).count() as u64
        };
        let summary = ScopesSummary {
            accounts: accounts.len() as u64,
            scopes: accounts.iter().map(|account| account.regions.len() as u64).sum(),
            skipped: unread(CoverageStatus::Skipped),
            failed: unread(CoverageStatus::Failed),
        };
        Self { schema: SCOPES_SCHEMA.to_owned(), accounts, summary }
    }

    /// Reads what was written as JSON.
    ///
    /// # Errors
    /// When it cannot be read, is something else, breaks off, or names no account: nothing can be held against that.
    pub fn read(mut input: impl Read) -> Result<Self, ReadError> {
        let mut text = String::new();
        input.read_to_string(&mut text).map_err(ReadError::Io)?;
        let scopes: Self = serde_json::from_str(&text).map_err(|error| wrong(&text, &error))?;
        if scopes.schema != SCOPES_SCHEMA {
            return Err(not_scopes(&format!("but of schema {:?}", scopes.schema)));
        }
        if scopes.accounts.is_empty() {
            return Err(ReadError::NotAReport("it names no account that could be expected".to_owned()));
        }
        Ok(scopes)
    }

    /// Each account and Region, and what its coverage is where no report has it. `instances` are what the reports are
    /// about.
    pub(super) fn without_reports(&self, instances: Breadth) -> impl Iterator<Item = Coverage> + '_ {
        self.accounts.iter().flat_map(move |account| {
            let read =
                account.regions.iter().map(|region| Coverage::failed(&account.scope(region), missing()));
            let unread = account.unread.iter().map(|unread| account.without_report(unread));
            let guarded = move |coverage: Coverage| Coverage { instances, ..coverage.guarded(account.guard) };
            read.chain(unread).map(guarded)
        })
    }
}

impl ScopesOfAccount {
    fn scope(&self, region: &Region) -> Scope {
        Scope {
            partition: self.partition.clone(),
            account_id: self.account_id.clone(),
            account_name: self.account_name.clone(),
            region: region.clone(),
        }
    }

    /// What was not to be read is not missing.
    fn without_report(&self, unread: &UnreadRegion) -> Coverage {
        let scope = self.scope(&unread.region);
        if unread.status == CoverageStatus::Skipped {
            return Coverage::skipped(&scope, unread.reason.clone().unwrap_or_default());
        }
        let mut coverage = Coverage::failed(&scope, missing());
        coverage.errors.extend(unread.errors.iter().cloned());
        coverage
    }
}

/// Why an account and Region is not covered that is expected and in no report.
fn missing() -> Failed {
    Failed {
        service: "imdsctl".to_owned(),
        operation: "merge".to_owned(),
        code: NO_REPORT.to_owned(),
        message: "it was to be read, and no report that was merged has it".to_owned(),
    }
}

fn not_scopes(instead: &str) -> ReadError {
    ReadError::NotAReport(format!("it is not what `imdsctl scopes -o json` writes, {instead}"))
}

fn wrong(text: &str, error: &serde_json::Error) -> ReadError {
    /// What says what a document is, whatever else is in it.
    #[derive(Deserialize)]
    struct Head {
        schema: String,
    }
    let whole = error.to_string();
    let message = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(message, _)| message);
    if text.trim().is_empty() {
        return ReadError::NotAReport("it is empty".to_owned());
    }
    if error.is_eof() {
        let line = error.line();
        return ReadError::Incomplete(format!("it breaks off at line {line}: copy it, or make it, again"));
    }
    match serde_json::from_str::<Head>(text) {
        Ok(head) if head.schema == SCOPES_SCHEMA => ReadError::Wrong {
            line: error.line(),
            column: error.column().max(1),
            message: message.to_owned(),
        },
        Ok(head) => not_scopes(&format!("but of schema {:?}", head.schema)),
        Err(_) => not_scopes(&format!("nor JSON with a schema: {message}")),
    }
}
