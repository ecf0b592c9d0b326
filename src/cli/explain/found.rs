//! What `explain` found, how far it was looked for, and what is said where it found nothing.

use std::fmt::Write as _;

use crate::exit::Exit;
use crate::explain::{Explanation, Kind, Query};
use crate::model::{Coverage, CoverageStatus, Needs};
use crate::policy::Policy;
use crate::report::{EXPLANATION_SCHEMA, Explained, MOST, Run};

use crate::cli::draft::summary_of;

/// How many scopes that could not be read are named.
const NAMED: usize = 5;

/// What was found, and how far it was looked for.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The first in the order they are shown.
    explanations: Vec<Explanation>,
    /// How many there are.
    pub count: usize,
    pub coverage: Vec<Coverage>,
    pub interrupted: bool,
    /// What it was looked for in, where that is a file.
    pub file: Option<File>,
}

/// A saved inventory.
#[derive(Clone, Copy, Debug)]
pub(super) struct File {
    /// What it holds besides what belongs to clusters.
    pub holds: Needs,
    /// Whether the audit that saved it was interrupted.
    pub interrupted: bool,
}

impl Found {
    /// Adds what was found in one inventory.
    pub fn add(&mut self, explanations: Vec<Explanation>) {
        self.count += explanations.len();
        self.explanations.extend(explanations);
        self.explanations.sort_by(Explanation::cmp_shown);
        self.explanations.truncate(MOST);
    }

    /// What was asked to be read and could not be.
    fn holes(&self) -> impl Iterator<Item = &Coverage> {
        let unread = |status| matches!(status, CoverageStatus::Partial | CoverageStatus::Failed);
        self.coverage.iter().filter(move |scope| unread(scope.status))
    }

    /// Where it was looked for.
    fn read(&self) -> impl Iterator<Item = &Coverage> {
        self.coverage.iter().filter(|scope| scope.status != CoverageStatus::Skipped)
    }

    /// How the command ends.
    pub fn exit(&self) -> Exit {
        if self.interrupted {
            Exit::Interrupted
        } else if self.holes().next().is_some() || self.file.is_some_and(|file| file.interrupted) {
            Exit::Incomplete
        } else if self.count == 0 {
            Exit::Usage
        } else {
            Exit::Success
        }
    }

    /// With a word on what its file does not hold, where that is missing from an explanation.
    pub fn limited(mut self) -> Self {
        if self.file.is_some_and(|file| !file.holds.instances) {
            let templates = self.explanations.iter_mut().filter(|one| one.kind == Kind::LaunchTemplate);
            for template in templates.filter(|template| template.managed_by.is_none()) {
                let note = "the inventory holds groups of clusters; others that launch from it are not shown";
                template.notes.push(note.to_owned());
            }
        }
        self
    }

    /// The document.
    pub fn explained(self, run: Run, policies: &[Policy], resource: &str) -> Explained {
        Explained {
            schema: EXPLANATION_SCHEMA.to_owned(),
            run,
            policies: policies.iter().map(summary_of).collect(),
            resource: resource.to_owned(),
            found: self.count as u64,
            scopes: self.read().count() as u64,
            holes: self.holes().cloned().collect(),
            explanations: self.explanations,
        }
    }

    /// That it is not there, and where it was looked for.
    pub fn nothing(&self, query: &Query) -> String {
        let read: Vec<_> = self.read().collect();
        let mut message = format!("nothing named {:?} was found in {}", query.to_string(), places(&read));
        message.push_str(
            "\nlooked for: instances by id, launch templates by id or name, node groups as CLUSTER/NAME, \
             Auto Scaling groups and clusters by name",
        );
        if let Some(file) = self.file {
            message.push_str(&file.limits());
        }
        let holes: Vec<_> = self.holes().collect();
        for scope in holes.iter().take(NAMED) {
            let why = scope.errors.first().map_or_else(String::new, |error| {
                format!(": {}:{} {}", error.service, error.operation, error.code)
            });
            let (account, region) = (&scope.account_id, &scope.region);
            let _ = write!(message, "\nit may be in {account} {region}, which could not be read{why}");
        }
        if holes.len() > NAMED {
            let _ = write!(message, "\nor in {} more that could not be read", holes.len() - NAMED);
        }
        message
    }
}

impl File {
    /// What it does not hold, a line each.
    fn limits(self) -> String {
        let mut limits = String::new();
        if !self.holds.instances {
            limits.push_str(
                "\nthe inventory holds nodes and the groups of clusters: for others, save it with --all-instances",
            );
        }
        if !self.holds.templates {
            limits.push_str("\nit holds launch templates only of Regions with a trace of EKS");
        }
        if self.interrupted {
            limits.push_str("\nthe audit that saved it was interrupted: it may be in what was not read");
        }
        limits
    }
}

/// `2 accounts and 3 Regions`, by name where there is one.
fn places(coverage: &[&Coverage]) -> String {
    let distinct = |of: &dyn Fn(&Coverage) -> String| {
        let mut all: Vec<String> = coverage.iter().map(|scope| of(scope)).collect();
        all.sort();
        all.dedup();
        all
    };
    let say = |all: Vec<String>, noun: &str| match &all[..] {
        [one] => format!("{noun} {one}"),
        all => format!("{} {noun}s", all.len()),
    };
    let accounts = say(distinct(&|scope| scope.account_id.to_string()), "account");
    format!("{accounts}, {}", say(distinct(&|scope| scope.region.to_string()), "Region"))
}
