//! The objects that a report is made of, taken in as they are read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{Read, Seek, Write};

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, IgnoredAny, IntoDeserializer as _, MapAccess, SeqAccess, Visitor,
};

use super::read::{ReadError, Saved};
use super::spool::Segment;
use super::{Assembly, PolicySummary, Run, SCHEMA, ScopeReport, Summary, exemptions};
use crate::finding::{Finding, Status};
use crate::model::{AccountId, Region};

/// What has been read of a report.
pub(super) struct Members<'a, S> {
    assembly: &'a mut Assembly<S>,
    stopped: &'a dyn Fn() -> bool,
    /// Whether there is an object.
    pub begun: bool,
    /// What kept the report from being read that is not the report's fault, or says more than a place in it.
    pub failed: Option<ReadError>,
    schema: Option<String>,
    run: Option<Run>,
    policies: Option<Vec<PolicySummary>>,
    coverage: Option<Vec<ScopeReport>>,
    summary: Option<Summary>,
    findings: Kept,
}

/// What is known of the findings so far.
#[derive(Default)]
struct Kept {
    last: Option<Finding>,
    segments: BTreeMap<(AccountId, Region), Segment>,
    expired: Vec<String>,
    /// How many of a scope pass and do not apply.
    others: BTreeMap<(AccountId, Region), (u64, u64)>,
}

impl<'a, S: Read + Write + Seek> Members<'a, S> {
    pub fn new(assembly: &'a mut Assembly<S>, stopped: &'a dyn Fn() -> bool) -> Self {
        Self {
            assembly,
            stopped,
            begun: false,
            failed: None,
            schema: None,
            run: None,
            policies: None,
            coverage: None,
            summary: None,
            findings: Kept::default(),
        }
    }

    /// Takes a finding in. The error is what is wrong with it; what else fails is kept in `failed`.
    fn take(&mut self, finding: Finding) -> Result<(), &'static str> {
        const FAILED: &str = "reading was given up";
        if (self.stopped)() {
            self.failed = Some(ReadError::Stopped);
            return Err(FAILED);
        }
        if let Some(last) = &self.findings.last {
            if finding.cmp_machine(last).is_lt() {
                return Err("the findings are out of order: give reports as imdsctl wrote them");
            }
            if (&last.account_id, &last.region) != (&finding.account_id, &finding.region) {
                self.end_segment();
            }
        }
        match (&finding.account_id, &finding.region) {
            (Some(account), Some(region)) => {
                if let Err(error) = self.assembly.add_finding(&finding) {
                    self.failed = Some(ReadError::Store(error));
                    return Err(FAILED);
                }
                let others = self.findings.others.entry((account.clone(), region.clone())).or_default();
                others.0 += u64::from(finding.status == Status::Pass);
                others.1 += u64::from(finding.status == Status::NotApplicable);
            }
            (None, None) => self.findings.expired.extend(exemptions::expired(&finding)),
            _ => return Err("a finding has an account and a Region, or neither"),
        }
        self.findings.last = Some(finding);
        Ok(())
    }

    fn end_segment(&mut self) {
        if let Some(Finding { account_id: Some(account), region: Some(region), .. }) = &self.findings.last {
            let segment = self.assembly.end_segment();
            self.findings.segments.insert((account.clone(), region.clone()), segment);
        }
    }

    /// All of it, when its end was reached.
    pub fn finish(mut self) -> Result<Saved, ReadError> {
        self.end_segment();
        if self.is_foreign() {
            return Err(ReadError::NotAReport("it is not a report of imdsctl".to_owned()));
        }
        let Kept { segments, expired, others, .. } = self.findings;
        let (Some(_), Some(run), Some(policies), Some(coverage), Some(_)) =
            (self.schema, self.run, self.policies, self.coverage, self.summary)
        else {
            let message =
                "it has no end: `summary`, or what stands before it, is missing: copy it, or make it, again";
            return Err(ReadError::Incomplete(message.to_owned()));
        };
        let mut saved = Saved { run, policies, coverage, lists_passed: None, segments, expired };
        saved.check(&others)?;
        Ok(saved)
    }
}

impl<S> Members<'_, S> {
    /// Whether nothing of it was a report's.
    pub const fn is_foreign(&self) -> bool {
        self.schema.is_none() && self.findings.last.is_none()
    }
}

impl Saved {
    /// Holds the findings against the counts of the scopes: a line that got lost is noticed.
    fn check(&mut self, others: &BTreeMap<(AccountId, Region), (u64, u64)>) -> Result<(), ReadError> {
        let mut scopes = BTreeSet::new();
        for ScopeReport { coverage, counts, .. } in &self.coverage {
            let key = (coverage.account_id.clone(), coverage.region.clone());
            let scope = format!("account {} in {}", key.0, key.1);
            let (passed, not_applicable) = others.get(&key).copied().unwrap_or_default();
            let none = Summary::default();
            let tally = self.segments.get(&key).map_or(&none, |segment| &segment.tally);
            let found = (tally.failed, tally.unknown, tally.exempt);
            let listed = (passed, not_applicable) == (counts.passed, counts.not_applicable);
            let hidden = (passed, not_applicable) == (0, 0);
            let consistent = match self.lists_passed {
                Some(true) => listed,
                Some(false) => hidden,
                None => listed || hidden,
            };
            if found != (counts.failed, counts.unknown, counts.exempt) || !consistent {
                return Err(ReadError::Incomplete(format!(
                    "findings of {scope} are missing, or there are too many"
                )));
            }
            if listed != hidden {
                self.lists_passed = Some(listed);
            }
            if !scopes.insert(key) {
                return Err(ReadError::NotAReport(format!("{scope} is there twice")));
            }
        }
        match self.segments.keys().find(|key| !scopes.contains(*key)) {
            None => Ok(()),
            Some((account, region)) => {
                let message = format!(
                    "it has findings of account {account} in {region}, which its coverage does not know"
                );
                Err(ReadError::NotAReport(message))
            }
        }
    }
}

/// One object: a finding, or members of a report.
pub(super) struct Object<'m, 'a, S>(pub &'m mut Members<'a, S>);

impl<'de, S: Read + Write + Seek> DeserializeSeed<'de> for Object<'_, '_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: Read + Write + Seek> Visitor<'de> for Object<'_, '_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a report, or a line of one")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(members) = self;
        members.begun = true;
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "schema" => {
                    set(&mut members.schema, &name, &mut map)?;
                    check_schema(members).map_err(de::Error::custom)?;
                }
                "run" => set(&mut members.run, &name, &mut map)?,
                "policies" => set(&mut members.policies, &name, &mut map)?,
                "coverage" => set(&mut members.coverage, &name, &mut map)?,
                "summary" => set(&mut members.summary, &name, &mut map)?,
                // What was new then is not told again: reports are compared for that.
                "since" => map.next_value::<IgnoredAny>().map(drop)?,
                "findings" => map.next_value_seed(List(members))?,
                // No member of a finding is called like one of a report.
                _ => {
                    let rest = Rest { first: Some(name), map };
                    let finding = Finding::deserialize(MapAccessDeserializer::new(rest))?;
                    return members.take(finding).map_err(de::Error::custom);
                }
            }
        }
        Ok(())
    }
}

fn set<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    member: &mut Option<T>,
    name: &str,
    map: &mut A,
) -> Result<(), A::Error> {
    if member.is_some() {
        let message = format!("`{name}` is there twice: give reports one by one, each a file of its own");
        return Err(de::Error::custom(message));
    }
    *member = Some(map.next_value()?);
    Ok(())
}

fn check_schema<S>(members: &mut Members<'_, S>) -> Result<(), String> {
    let Some(schema) = members.schema.as_deref().filter(|schema| *schema != SCHEMA) else { return Ok(()) };
    let message = if schema.starts_with("imdsctl.report/") {
        format!("it is a report of schema {schema:?}, and this imdsctl reads {SCHEMA:?}")
    } else {
        format!("it is not a report, but of schema {schema:?}")
    };
    members.failed = Some(ReadError::NotAReport(message.clone()));
    Err(message)
}

/// The findings of a JSON report.
struct List<'m, 'a, S>(&'m mut Members<'a, S>);

impl<'de, S: Read + Write + Seek> DeserializeSeed<'de> for List<'_, '_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, S: Read + Write + Seek> Visitor<'de> for List<'_, '_, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("findings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(finding) = list.next_element()? {
            self.0.take(finding).map_err(de::Error::custom)?;
        }
        Ok(())
    }
}

/// An object whose first key was looked at already.
struct Rest<A> {
    first: Option<String>,
    map: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Rest<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(first) => seed.deserialize(first.into_deserializer()).map(Some),
            None => self.map.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}
