//! How many requests there were of each kind.

use std::collections::{BTreeMap, HashMap};

use crate::log::Request;

/// A kind of request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Count {
    /// The account, where the access key is known.
    pub account: String,
    /// The Region.
    pub region: String,
    /// `service:Operation`.
    pub operation: String,
    /// Does the operation change something?
    pub mutating: bool,
    /// The access key.
    pub access_key: String,
    /// The HTTP status; 0 where there was no answer.
    pub status: u16,
    /// Was it refused because there were too many?
    pub throttled: bool,
}

impl Count {
    /// The kind of a request.
    pub(crate) fn of(request: &Request) -> Self {
        Self {
            account: request.account.clone(),
            region: request.region.clone(),
            operation: format!("{}:{}", request.service, request.operation),
            mutating: request.mutating,
            access_key: request.access_key.clone(),
            status: request.status,
            throttled: request.throttled,
        }
    }
}

/// How many requests there were of each kind: the log in short, of the same size however long it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    counts: BTreeMap<Count, u64>,
    peak_in_flight: u32,
}

impl Counts {
    pub(crate) fn new(counts: HashMap<Count, u64>, peak_in_flight: u32) -> Self {
        Self { counts: counts.into_iter().collect(), peak_in_flight }
    }

    /// Every kind, with its number.
    pub fn iter(&self) -> impl Iterator<Item = (&Count, u64)> {
        self.counts.iter().map(|(count, number)| (count, *number))
    }

    /// All requests.
    pub fn total(&self) -> u64 {
        self.sum(|_| true)
    }

    /// Those that were refused because there were too many.
    pub fn throttled(&self) -> u64 {
        self.sum(|count| count.throttled)
    }

    /// The requests of some kinds.
    pub fn sum(&self, wanted: impl Fn(&Count) -> bool) -> u64 {
        self.iter().filter(|(count, _)| wanted(count)).map(|(_, number)| number).sum()
    }

    /// By `service:Operation`.
    pub fn by_operation(&self) -> BTreeMap<String, u64> {
        self.by(|count| Some(count.operation.clone()))
    }

    /// By account, Region and `service:Operation`: what a token bucket saw.
    pub fn by_bucket(&self) -> BTreeMap<(String, String, String), u64> {
        self.by(|count| Some((count.account.clone(), count.region.clone(), count.operation.clone())))
    }

    /// Those that were refused because there were too many, by access key.
    pub fn throttled_by_access_key(&self) -> BTreeMap<String, u64> {
        self.by(|count| count.throttled.then(|| count.access_key.clone()))
    }

    /// By anything; what has no group is left out.
    pub fn by<K: Ord>(&self, group: impl Fn(&Count) -> Option<K>) -> BTreeMap<K, u64> {
        let mut groups = BTreeMap::new();
        for (count, number) in self.iter() {
            if let Some(group) = group(count) {
                *groups.entry(group).or_default() += number;
            }
        }
        groups
    }

    /// The most requests that were under way at once.
    pub fn peak_in_flight(&self) -> u32 {
        self.peak_in_flight
    }
}
