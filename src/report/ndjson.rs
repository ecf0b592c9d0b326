//! The contract in lines, for tools that read one record after the other.
//!
//! One finding a line, as it is in the JSON report; then what a report says besides, a line each: `schema`, `run` and
//! `policies` together, `coverage`, `since` where there is one, and `summary`. The summary is last, so a file that ends with it is whole.

use std::io::{self, Write as _};

use serde::Serialize;

use super::{Diff, Format, PolicySummary, Run, ScopeReport, Summary, View};
use crate::harmless::{buffered, write_line};

/// Newline-delimited JSON, as harmless to `cat` as the JSON report.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ndjson;

/// The lines behind the findings.
#[derive(Serialize)]
#[serde(untagged)]
enum Rest<'a> {
    Head { schema: &'a str, run: &'a Run, policies: &'a [PolicySummary] },
    Coverage { coverage: &'a [ScopeReport] },
    Since { since: &'a Diff<'a> },
    Summary { summary: &'a Summary },
}

impl Format for Ndjson {
    fn write(&self, report: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
        // Every member is named, so that one that is added to a report cannot be forgotten here.
        let View { schema, run, policies, findings, coverage, since, summary } = *report;
        let mut out = buffered(out);
        findings.write_lines(&mut out)?;
        let since = since.map(|since| Rest::Since { since });
        let rest = [Rest::Head { schema, run, policies }, Rest::Coverage { coverage }].into_iter();
        for rest in rest.chain(since).chain([Rest::Summary { summary }]) {
            write_line(&rest, &mut out)?;
        }
        out.flush()
    }
}
