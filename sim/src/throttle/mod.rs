//! Throttling: a token bucket for each account, Region and operation, as AWS has them.
//!
//! A bucket is made when it is first used. Buckets run on real time: a client that is too fast is refused, and one
//! that waits is not.

mod published;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use globset::{Glob, GlobMatcher};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use self::published::Calls;

/// How the simulator throttles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct Throttling {
    /// Of AWS's buckets, both of their capacity and of their refill; a capacity is never less than one.
    pub scale: f64,
    /// Taken as they are, before AWS's.
    pub buckets: Vec<BucketRule>,
}

/// A bucket that is not as AWS has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketRule {
    /// `eks:Describe*`; globs work.
    pub operation: String,
    /// Tokens when it is full.
    pub capacity: f64,
    /// Tokens that come back in a second.
    pub refill: f64,
    /// Do all operations that fit share it? Otherwise each has its own.
    #[serde(default)]
    pub shared: bool,
}

/// What a fleet file may say: `aws`, or what is different.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "throttling is `aws`, or has a `scale` or `buckets`")]
enum Written {
    Name(Name),
    Table(Table),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Name {
    Aws,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default = "whole")]
    scale: f64,
    #[serde(default)]
    buckets: Vec<BucketRule>,
}

fn whole() -> f64 {
    1.0
}

impl From<Written> for Throttling {
    fn from(written: Written) -> Self {
        match written {
            Written::Name(Name::Aws) => Self::aws(),
            Written::Table(table) => Self { scale: table.scale, buckets: table.buckets },
        }
    }
}

/// The size of a bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Tokens when it is full.
    pub capacity: f64,
    /// Tokens that come back in a second.
    pub refill: f64,
    /// Is it shared with other operations of the service?
    pub shared: bool,
}

impl Throttling {
    /// AWS's published buckets, and stated assumptions where there are none.
    pub fn aws() -> Self {
        Self { scale: 1.0, buckets: Vec::new() }
    }

    /// The same, larger or smaller.
    #[must_use]
    pub fn scaled(mut self, scale: f64) -> Self {
        self.scale = scale;
        self
    }

    /// The bucket of a `service:Operation` that asks for pages, as a client should.
    pub fn bucket(&self, operation: &str) -> Option<Bucket> {
        let rules = Rules::new(self).ok()?;
        rules.of(operation, false).map(|rule| rule.bucket)
    }
}

/// The rules of one table, ready to be looked up.
#[derive(Debug)]
struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    /// What a shared bucket is called.
    name: String,
    operation: GlobMatcher,
    calls: Calls,
    bucket: Bucket,
}

impl Rules {
    /// An error says which pattern or which number makes no sense.
    fn new(throttling: &Throttling) -> Result<Self, String> {
        let scale = throttling.scale;
        if !(scale.is_finite() && scale > 0.0) {
            return Err(format!("throttling's scale is {scale}, it must be greater than 0"));
        }
        let own = throttling.buckets.iter().map(|rule| {
            let valid = rule.capacity.is_finite() && rule.capacity >= 1.0;
            if !(valid && rule.refill.is_finite() && rule.refill >= 0.0) {
                return Err(format!(
                    "throttling's bucket of {:?} must have a capacity of at least 1 and a refill",
                    rule.operation
                ));
            }
            let bucket = Bucket { capacity: rule.capacity, refill: rule.refill, shared: rule.shared };
            Rule::new(&rule.operation, Calls::All, bucket)
        });
        let published = published::AWS.iter().map(|rule| {
            let bucket = Bucket {
                capacity: (f64::from(rule.capacity) * scale).max(1.0),
                refill: f64::from(rule.refill) * scale,
                shared: rule.shared,
            };
            Rule::new(rule.operation, rule.calls, bucket)
        });
        own.chain(published).collect::<Result<_, _>>().map(Self)
    }

    fn of(&self, operation: &str, unpaged: bool) -> Option<&Rule> {
        self.0.iter().find(|rule| (rule.calls == Calls::All || unpaged) && rule.operation.is_match(operation))
    }
}

impl Rule {
    fn new(pattern: &str, calls: Calls, bucket: Bucket) -> Result<Self, String> {
        let glob =
            Glob::new(pattern).map_err(|error| format!("throttling's pattern {pattern:?}: {error}"))?;
        Ok(Self { name: pattern.to_owned(), operation: glob.compile_matcher(), calls, bucket })
    }
}

/// The buckets as they are being used.
#[derive(Debug)]
pub struct Throttle {
    rules: Option<Rules>,
    /// By account, Region and bucket.
    levels: Mutex<HashMap<String, Level>>,
}

/// How full a bucket was, and when.
#[derive(Debug, Clone, Copy)]
struct Level {
    tokens: f64,
    at: Instant,
}

impl Throttle {
    /// Full buckets; without `throttling` none.
    pub fn new(throttling: Option<&Throttling>) -> Result<Self, String> {
        let rules = throttling.map(Rules::new).transpose()?;
        Ok(Self { rules, levels: Mutex::default() })
    }

    /// Takes a token for a call; false where there is none.
    pub fn admits(&self, account: &str, region: &str, operation: &str, unpaged: bool) -> bool {
        self.admits_at(account, region, operation, unpaged, Instant::now())
    }

    fn admits_at(&self, account: &str, region: &str, operation: &str, unpaged: bool, now: Instant) -> bool {
        let Some(rule) = self.rules.as_ref().and_then(|rules| rules.of(operation, unpaged)) else {
            return true;
        };
        let name = if rule.bucket.shared { rule.name.as_str() } else { operation };
        let small = if rule.calls == Calls::Unpaged { "/unpaged" } else { "" };
        let key = format!("{account}/{region}/{name}{small}");
        let full = Level { tokens: rule.bucket.capacity, at: now };
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        levels.entry(key).or_insert(full).take(rule.bucket, now)
    }
}

impl Level {
    fn take(&mut self, bucket: Bucket, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = bucket.refill.mul_add(passed, self.tokens).min(bucket.capacity);
        self.at = now;
        let there = self.tokens >= 1.0;
        if there {
            self.tokens -= 1.0;
        }
        there
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn admitted(throttle: &Throttle, calls: u32, operation: &str, unpaged: bool, now: Instant) -> usize {
        let asks = |_: &u32| throttle.admits_at("111122223333", "eu-west-1", operation, unpaged, now);
        (0..calls).filter(asks).count()
    }

    #[test]
    fn a_bucket_gives_what_it_holds_and_then_what_comes_back() {
        let throttle = Throttle::new(Some(&Throttling::aws())).unwrap();
        let start = Instant::now();
        assert_eq!(admitted(&throttle, 150, "ec2:DescribeInstances", false, start), 100);
        let later = start + Duration::from_millis(500);
        assert_eq!(admitted(&throttle, 150, "ec2:DescribeInstances", false, later), 10);
        let much_later = start + Duration::from_hours(1);
        assert_eq!(admitted(&throttle, 150, "ec2:DescribeInstances", false, much_later), 100);
    }

    #[test]
    fn buckets_belong_to_an_account_a_region_and_an_operation() {
        let throttle = Throttle::new(Some(&Throttling::aws())).unwrap();
        let now = Instant::now();
        assert_eq!(admitted(&throttle, 101, "ec2:DescribeImages", false, now), 100);
        assert_eq!(admitted(&throttle, 51, "ec2:DescribeImages", true, now), 50, "the smaller bucket");
        assert_eq!(admitted(&throttle, 101, "ec2:DescribeInstances", false, now), 100);
        assert_eq!(admitted(&throttle, 101, "ec2:DescribeRegions", true, now), 100, "has no pages");
        assert!(throttle.admits_at("444455556666", "eu-west-1", "ec2:DescribeImages", false, now));
        assert!(throttle.admits_at("111122223333", "us-east-1", "ec2:DescribeImages", false, now));
        assert_eq!(admitted(&throttle, 30, "autoscaling:DescribeAutoScalingGroups", false, now), 30);
        assert_eq!(admitted(&throttle, 30, "autoscaling:DescribeWarmPool", false, now), 10, "one for all");
    }

    #[test]
    fn tables_are_scaled_overridden_and_refused() {
        let mut throttling = Throttling::aws().scaled(0.25);
        let sizes = |throttling: &Throttling, operation: &str| {
            throttling.bucket(operation).map(|bucket| (bucket.capacity, bucket.refill))
        };
        assert_eq!(sizes(&throttling, "ec2:DescribeInstances"), Some((25.0, 5.0)));
        assert_eq!(sizes(&throttling, "ec2:ModifyInstanceMetadataDefaults"), Some((1.0, 0.5)));
        assert_eq!(sizes(&throttling, "sts:AssumeRole"), Some((150.0, 150.0)));
        let rule = |capacity| BucketRule { operation: "eks:*".into(), capacity, refill: 1.0, shared: true };
        throttling.buckets.push(rule(5.0));
        assert_eq!(sizes(&throttling, "eks:ListClusters"), Some((5.0, 1.0)));
        throttling.buckets.push(rule(0.0));
        assert!(Throttle::new(Some(&throttling)).unwrap_err().contains("\"eks:*\""));
        assert!(Throttle::new(Some(&Throttling::aws().scaled(0.0))).is_err());
        assert!(Throttle::new(None).unwrap().admits("1", "r", "ec2:DescribeInstances", true));
    }
}
