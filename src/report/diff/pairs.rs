//! The findings of two reports side by side, a resource at a time. Both are in the order of machine formats, so that no
//! more than the findings of one resource are in memory.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io;
use std::iter::Peekable;

use crate::finding::{Finding, ResourceType};
use crate::model::{AccountId, Region};
use crate::report::Findings;

pub(super) type Found<'a> = Cow<'a, Finding>;

/// One resource and one rule: what either report has found.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    pub before: Option<Found<'a>>,
    pub after: Option<Found<'a>>,
    /// Whether the earlier report has another finding of the resource by the same policy.
    pub judged_before: bool,
    /// Whether the later one has.
    pub judged_after: bool,
}

type Stream<'a> = Peekable<Box<dyn Iterator<Item = io::Result<Found<'a>>> + 'a>>;

/// All pairs, in the order of machine formats. An error is the last of them.
pub(super) struct Pairs<'a> {
    before: Stream<'a>,
    after: Stream<'a>,
    ready: VecDeque<Pair<'a>>,
    failed: bool,
}

impl<'a> Pairs<'a> {
    pub fn new(before: &'a dyn Findings, after: &'a dyn Findings) -> Self {
        let (before, after) = (before.all().peekable(), after.all().peekable());
        Self { before, after, ready: VecDeque::new(), failed: false }
    }

    /// Takes in all findings of the next resource that either has.
    fn take_resource(&mut self) -> io::Result<()> {
        let next = match (peek(&mut self.before)?, peek(&mut self.after)?) {
            (Some(before), Some(after)) => before.min(after),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => return Ok(()),
        };
        let before = of_resource(&mut self.before, &next)?;
        let after = of_resource(&mut self.after, &next)?;
        self.pair(before, after);
        Ok(())
    }

    fn pair(&mut self, before: Vec<Found<'a>>, after: Vec<Found<'a>>) {
        let policies = |found: &[Found<'a>]| -> Vec<String> {
            found.iter().map(|finding| finding.policy.clone()).collect()
        };
        let (policies_before, policies_after) = (policies(&before), policies(&after));
        let (mut before, mut after) = (before.into_iter().peekable(), after.into_iter().peekable());
        loop {
            let order = match (before.peek(), after.peek()) {
                (Some(one), Some(other)) => one.cmp_machine(other),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) => return,
            };
            let before = if order.is_le() { before.next() } else { None };
            let after = if order.is_ge() { after.next() } else { None };
            let Some(either) = before.as_ref().or(after.as_ref()) else { return };
            let judged_before = policies_before.contains(&either.policy);
            let judged_after = policies_after.contains(&either.policy);
            self.ready.push_back(Pair { before, after, judged_before, judged_after });
        }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = io::Result<Pair<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty()
            && !self.failed
            && let Err(error) = self.take_resource()
        {
            self.failed = true;
            return Some(Err(error));
        }
        self.ready.pop_front().map(Ok)
    }
}

/// What a resource is known by, in the order of machine formats.
type Key = (Option<AccountId>, Option<Region>, ResourceType, String);

fn key(finding: &Finding) -> Key {
    let resource = &finding.resource;
    (finding.account_id.clone(), finding.region.clone(), resource.r#type, resource.id.clone())
}

fn peek(stream: &mut Stream<'_>) -> io::Result<Option<Key>> {
    match stream.peek() {
        None => Ok(None),
        Some(Ok(finding)) => Ok(Some(key(finding))),
        // It is there, and is an error: taking it is how one comes by it.
        Some(Err(_)) => stream.next().transpose().map(|_| None),
    }
}

/// The findings of a resource that come next, by policy and rule.
fn of_resource<'a>(stream: &mut Stream<'a>, resource: &Key) -> io::Result<Vec<Found<'a>>> {
    let mut found = Vec::new();
    while peek(stream)?.is_some_and(|next| next == *resource) {
        found.extend(stream.next().transpose()?);
    }
    found.sort_by(|one, other| one.cmp_machine(other));
    Ok(found)
}
