//! What a report says besides its findings, for whoever handles reports that others read.

use std::io::{self, BufRead};

use serde::Deserialize;

use super::{Run, Summary};
use crate::model::Coverage;

/// A report without its findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// What changes from run to run.
    pub run: Run,
    /// What was read and what was not.
    pub coverage: Vec<Coverage>,
    /// The counts.
    pub summary: Summary,
}

/// A line of an NDJSON report. Findings have none of these members.
#[derive(Deserialize)]
struct Line {
    run: Option<Run>,
    coverage: Option<Vec<Coverage>>,
    summary: Option<Summary>,
}

impl Outline {
    /// Reads an NDJSON report as this version writes it; no more than a line of it is in memory. Nothing where the report
    /// is not whole.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(mut input: impl BufRead) -> io::Result<Option<Self>> {
        let (mut run, mut coverage, mut summary) = (None, None, None);
        let mut bytes = Vec::new();
        while input.read_until(b'\n', &mut bytes)? > 0 {
            let Ok(line) = serde_json::from_slice::<Line>(&bytes) else { return Ok(None) };
            run = line.run.or(run);
            coverage = line.coverage.or(coverage);
            // Nothing comes after the summary.
            summary = line.summary;
            bytes.clear();
        }
        Ok(run.zip(coverage).zip(summary).map(|((run, coverage), summary)| Self { run, coverage, summary }))
    }

    /// What was to be read and was not, or not to the end.
    pub fn left(&self) -> impl Iterator<Item = &Coverage> {
        self.coverage.iter().filter(|scope| scope.has_holes() || scope.is_interrupted())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Format as _, Ndjson, Report};

    fn golden() -> Report {
        serde_json::from_str(include_str!("../../reports/examples/audit.json")).unwrap()
    }

    fn lines(report: &Report) -> Vec<u8> {
        let mut lines = Vec::new();
        Ndjson.write(&report.view(), &mut lines).unwrap();
        lines
    }

    #[test]
    fn all_but_the_findings_is_known() {
        let report = golden();
        assert!(!report.findings.is_empty());
        let outline = Outline::read(lines(&report).as_slice()).unwrap().unwrap();
        let coverage: Vec<Coverage> = report.coverage.into_iter().map(|scope| scope.coverage).collect();
        assert_eq!(outline, Outline { run: report.run, coverage, summary: report.summary });
    }

    #[test]
    fn what_breaks_off_anywhere_is_no_report() {
        let lines = lines(&golden());
        for end in (0..lines.len() - 1).rev().step_by(97).chain([0]) {
            assert_eq!(Outline::read(&lines[..end]).unwrap(), None, "{end}");
        }
    }
}
