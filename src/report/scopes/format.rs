//! The formats of what `imdsctl scopes` tells.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::str::FromStr;

use super::{Scopes, ScopesOfAccount, ScopesSummary, UnreadRegion};
use crate::harmless::write_document;
use crate::model::{CoverageStatus, Region};
use crate::report::format::by_name;
use crate::report::words::count;
use crate::report::{UnknownFormat, sanitize};

/// The formats of accounts and Regions, by the names that `-o` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopesFormat {
    /// For people.
    Table,
    /// The contract, as one object.
    Json,
}

impl ScopesFormat {
    const NAMES: [(&'static str, Self); 2] = [("table", Self::Table), ("json", Self::Json)];

    /// Writes the whole document.
    pub fn write(self, scopes: &Scopes, out: &mut dyn io::Write) -> io::Result<()> {
        match self {
            Self::Table => {
                let mut out = io::BufWriter::new(out);
                table(scopes, &mut out)?;
                out.flush()
            }
            Self::Json => write_document(scopes, out),
        }
    }
}

impl FromStr for ScopesFormat {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        by_name(name, &Self::NAMES)
    }
}

fn table(scopes: &Scopes, out: &mut impl io::Write) -> io::Result<()> {
    for of_account in &scopes.accounts {
        account(of_account, out)?;
    }
    let ScopesSummary { accounts, scopes, skipped, failed } = scopes.summary;
    let (accounts, regions) = (count(accounts, "account"), count(scopes, "Region"));
    writeln!(out, "{accounts} · {regions} to read · {skipped} skipped · {failed} failed")
}

fn account(account: &ScopesOfAccount, out: &mut impl io::Write) -> io::Result<()> {
    let name = account.account_name.as_deref().map(|name| format!("{} ", sanitize(name, false)));
    writeln!(out, "{}{}", name.unwrap_or_default(), account.account_id)?;
    if let Some(reader) = &account.reader {
        let how = match (account.assumed, account.external_id) {
            (false, _) => "your own credentials; the client refuses all that is not a read",
            (true, false) => "assumed, with a session policy of reads",
            (true, true) => "assumed with the external id, with a session policy of reads",
        };
        writeln!(out, "  as       {} ({how})", sanitize(reader, false))?;
    }
    if !account.regions.is_empty() {
        let names: Vec<&str> = account.regions.iter().map(Region::as_str).collect();
        writeln!(out, "  reads    {}: {}", count(names.len() as u64, "Region"), names.join(", "))?;
    }
    let mut by_reason: BTreeMap<(&str, String), u64> = BTreeMap::new();
    for unread in &account.unread {
        *by_reason.entry(why(unread)).or_default() += 1;
    }
    for ((word, reason), regions) in by_reason {
        writeln!(out, "  {word:<8} {}: {reason}", count(regions, "Region"))?;
    }
    writeln!(out)
}

/// What became of a Region, in a word, and why.
fn why(unread: &UnreadRegion) -> (&'static str, String) {
    let word = if unread.status == CoverageStatus::Failed { "failed" } else { "skipped" };
    let error = unread
        .errors
        .first()
        .map(|error| format!("{}:{} {}: {}", error.service, error.operation, error.code, error.message));
    let reason = error.or_else(|| unread.reason.clone()).unwrap_or_default();
    (word, sanitize(&reason, false).into_owned())
}
