//! What is told when a report is done: counts and places, never what a finding is about.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

/// The value of an announcement's `schema` member.
pub const SCHEMA: &str = "imdsctl.announcement/v1";

/// The longest subject that SNS takes, in characters.
const LONGEST_SUBJECT: usize = 100;

/// A short message of a run. As JSON it is what a webhook gets; as a subject and a text what people read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Announcement {
    /// `imdsctl.announcement/v1`
    pub schema: &'static str,
    /// When the run began, as RFC 3339 in UTC.
    pub started_at: String,
    /// The policies that were judged by.
    pub policies: Vec<String>,
    /// Findings that count: failed and unknown.
    pub findings: u64,
    /// Of them those that were not there at the last time; null where there is no last time.
    pub new: Option<u64>,
    /// What was there at the last time, and is no more.
    pub fixed: Option<u64>,
    /// How many accounts × Regions were to be read.
    pub scopes: u64,
    /// How many of them could not be read to the end.
    pub incomplete: u64,
    /// Whether the run was interrupted.
    pub interrupted: bool,
    /// Where the reports are.
    pub reports: Vec<String>,
}

impl Announcement {
    /// One line, of ASCII as mail subjects are.
    pub fn subject(&self) -> String {
        let findings = counted(self.findings, "finding");
        let mut subject = match (self.new, self.fixed) {
            (Some(new), Some(fixed)) => format!("imdsctl: {new} new, {fixed} fixed, {findings}"),
            _ => format!("imdsctl: {findings}"),
        };
        if self.is_incomplete() {
            subject.push_str(", incomplete");
        }
        subject.truncate(LONGEST_SUBJECT);
        subject
    }

    /// A few lines.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |words: String| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{words}");
        };
        line(format!("{} by {}.", counted(self.findings, "finding"), self.policies.join(", ")));
        if let (Some(new), Some(fixed)) = (self.new, self.fixed) {
            line(format!("Since the last report: {new} new, {fixed} fixed."));
        }
        if self.interrupted {
            line("The run was interrupted.".to_owned());
        }
        if self.incomplete > 0 {
            line(format!(
                "{} of {} could not be read to the end: what is not told of them may still be wrong.",
                self.incomplete,
                counted(self.scopes, "account and Region")
            ));
        }
        for report in &self.reports {
            line(format!("Report: {report}"));
        }
        text
    }

    /// Whether something was not seen.
    pub const fn is_incomplete(&self) -> bool {
        self.incomplete > 0 || self.interrupted
    }
}

fn counted(number: u64, noun: &str) -> String {
    match (number, noun.strip_prefix("account and")) {
        (0, None) => format!("no {noun}s"),
        (1, _) => format!("1 {noun}"),
        (number, Some(_)) => format!("{number} accounts and Regions"),
        (number, None) => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announcement() -> Announcement {
        Announcement {
            schema: SCHEMA,
            started_at: "2026-11-26T18:30:05Z".to_owned(),
            policies: vec!["al2023".to_owned()],
            findings: 12,
            new: Some(3),
            fixed: Some(0),
            scopes: 34,
            incomplete: 0,
            interrupted: false,
            reports: vec!["s3://reports/2026-11-26.json".to_owned()],
        }
    }

    #[test]
    fn it_says_what_is_new_and_where_to_read_on() {
        let announcement = announcement();
        assert_eq!(announcement.subject(), "imdsctl: 3 new, 0 fixed, 12 findings");
        assert_eq!(
            announcement.text(),
            "12 findings by al2023.\nSince the last report: 3 new, 0 fixed.\nReport: s3://reports/2026-11-26.json\n"
        );
        let first = Announcement { new: None, fixed: None, findings: 0, ..announcement };
        assert_eq!(first.subject(), "imdsctl: no findings");
    }

    #[test]
    fn what_was_not_seen_is_said_first_of_all() {
        let holes = Announcement { incomplete: 2, ..announcement() };
        assert!(holes.subject().ends_with(", incomplete"));
        assert!(holes.text().contains("2 of 34 accounts and Regions could not be read to the end"));
        let interrupted = Announcement { interrupted: true, ..announcement() };
        assert!(
            interrupted.subject().ends_with(", incomplete") && interrupted.text().contains("interrupted")
        );
    }

    #[test]
    fn a_subject_is_as_long_as_sns_takes_it() {
        let huge = Announcement {
            findings: u64::MAX,
            new: Some(u64::MAX),
            fixed: Some(u64::MAX),
            incomplete: 1,
            ..announcement()
        };
        assert!(huge.subject().len() <= LONGEST_SUBJECT && huge.subject().is_ascii());
    }
}
