//! What is read of a scope only to plan changes to it: fleets, termination hooks, and how instances ask their metadata
//! service.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, StatusCode,
};
use aws_smithy_types::DateTime;
use futures::stream::{self, StreamExt};
use jiff::Timestamp;

use super::account::Account;
use super::errors::{CallError, failed};
use super::fleets;
use super::operations::{DESCRIBE_LIFECYCLE_HOOKS, GET_METRIC_DATA};
use super::pages;
use crate::model::{FleetLaunch, InstanceId, Read, Readings, Scope, TokenUse};

/// Over how many days it is asked how instances asked their metadata service, today's part on top.
pub const TOKEN_USE_DAYS: i64 = 14;

/// The length of a day, in seconds.
///
/// Also the period that is summed over. CloudWatch keeps what EC2 reports every five minutes for 63 days, and every
/// minute for 15 days; of what begins less than 15 days ago it sums any multiple of a minute. Whole days in UTC are
/// at most 15 numbers an instance and metric: a call of 500 is far from the 100,800 that fit into an answer.
const DAY: i32 = 24 * 60 * 60;

/// The most metrics in a call. There are two for each instance.
const METRICS: usize = 500;

/// How many groups, or lots of instances, are asked about at once.
const SIDE_BY_SIDE: usize = 10;

/// The two metrics, and the letter that their queries begin with.
const WITHOUT_TOKEN: (char, &str) = ('w', "MetadataNoToken");
const REJECTED: (char, &str) = ('r', "MetadataNoTokenRejected");

/// What to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadingsAsked {
    /// The Auto Scaling groups of which it is wanted whether they have a termination hook.
    pub groups: Vec<String>,
    /// The instances of which it is wanted how they asked their metadata service.
    pub instances: Vec<InstanceId>,
    /// What time it is.
    pub now: Timestamp,
}

impl Account {
    /// Reads one Region of this account, as far as is asked. What could not be read is said to have failed, and in
    /// the log why.
    pub async fn readings(&self, scope: &Scope, asked: &ReadingsAsked) -> Readings {
        let (fleets, termination_hooks, token_use) = futures::join!(
            Box::pin(self.fleets(scope)),
            Box::pin(self.termination_hooks(scope, &asked.groups)),
            Box::pin(self.token_use(scope, asked)),
        );
        Readings { fleets, termination_hooks, token_use }
    }

    async fn fleets(&self, scope: &Scope) -> Read<Vec<FleetLaunch>> {
        read(scope, fleets::able_to_launch(&self.regional(&scope.region).ec2).await)
    }

    async fn termination_hooks(&self, scope: &Scope, groups: &[String]) -> BTreeMap<String, Read<bool>> {
        let autoscaling = &self.regional(&scope.region).autoscaling;
        let asked = stream::iter(groups).map(async |group: &String| {
            let call = autoscaling.describe_lifecycle_hooks().auto_scaling_group_name(group).send();
            let answer = call.await.map_err(failed(DESCRIBE_LIFECYCLE_HOOKS));
            let has_one = answer.map(|answer| {
                let mut hooks = answer.lifecycle_hooks().iter();
                hooks.any(|hook| hook.lifecycle_transition() == Some("autoscaling:EC2_INSTANCE_TERMINATING"))
            });
            (group.clone(), read(scope, has_one.map_err(|error| error.about(group))))
        });
        asked.buffer_unordered(SIDE_BY_SIDE).collect().await
    }

    async fn token_use(&self, scope: &Scope, asked: &ReadingsAsked) -> BTreeMap<InstanceId, Read<TokenUse>> {
        if asked.instances.is_empty() {
            return BTreeMap::new();
        }
        let cloudwatch = &self.clients.cloudwatch(&self.account_id, &scope.region);
        let (from, to) = days(asked.now);
        let lots = stream::iter(asked.instances.chunks(METRICS / 2)).map(async |lot: &[InstanceId]| {
            let results = results(cloudwatch, lot, from, to).await;
            match read(scope, results) {
                Read::Known(results) => sums(lot, &results),
                _ => lot.iter().map(|id| (id.clone(), Read::Failed)).collect(),
            }
        });
        let lots: Vec<Vec<_>> = lots.buffer_unordered(SIDE_BY_SIDE).collect().await;
        lots.into_iter().flatten().collect()
    }
}

fn read<T>(scope: &Scope, result: Result<T, CallError>) -> Read<T> {
    match result {
        Ok(known) => Read::Known(known),
        Err(error) => {
            tracing::warn!("{scope}: {}: {} ({})", error.operation, error.summary(), error.code);
            Read::Failed
        }
    }
}

/// From when to when it is asked: whole days in UTC, of which the last is today.
fn days(now: Timestamp) -> (DateTime, DateTime) {
    let day = i64::from(DAY);
    let today = now.as_second().div_euclid(day);
    (DateTime::from_secs((today - TOKEN_USE_DAYS) * day), DateTime::from_secs((today + 1) * day))
}

async fn results(
    cloudwatch: &aws_sdk_cloudwatch::Client,
    lot: &[InstanceId],
    from: DateTime,
    to: DateTime,
) -> Result<Vec<MetricDataResult>, CallError> {
    let queries = |(place, id)| [WITHOUT_TOKEN, REJECTED].map(|metric| query(metric, place, id));
    let queries: Vec<_> = lot.iter().enumerate().flat_map(queries).collect();
    let listed = pages::collect(GET_METRIC_DATA, async |token| {
        let call = cloudwatch
            .get_metric_data()
            .set_metric_data_queries(Some(queries.clone()))
            .start_time(from)
            .end_time(to)
            .set_next_token(token);
        let page = call.send().await.map_err(failed(GET_METRIC_DATA))?;
        Ok((page.metric_data_results.unwrap_or_default(), page.next_token))
    });
    listed.await.complete()
}

fn query((letter, name): (char, &str), place: usize, id: &InstanceId) -> MetricDataQuery {
    let instance = Dimension::builder().name("InstanceId").value(id.as_str()).build();
    let metric = Metric::builder().namespace("AWS/EC2").metric_name(name).dimensions(instance).build();
    let stat = MetricStat::builder().metric(metric).period(DAY).stat("Sum").build();
    MetricDataQuery::builder().id(format!("{letter}{place}")).metric_stat(stat).return_data(true).build()
}

/// What CloudWatch says of each instance.
///
/// EC2 reports one of the two metrics, by whether tokens are required, and reports zero where nothing was counted. So
/// an instance of which there is not a single number was not watched, rather than silent: nothing is known of it. The
/// same where an answer is not complete.
fn sums(lot: &[InstanceId], results: &[MetricDataResult]) -> Vec<(InstanceId, Read<TokenUse>)> {
    let mut by_query: BTreeMap<&str, Sum> = BTreeMap::new();
    for result in results {
        by_query.entry(result.id().unwrap_or_default()).or_default().add(result);
    }
    let of = |(letter, _): (char, &str), place: usize| {
        by_query.get(format!("{letter}{place}").as_str()).copied().unwrap_or_default()
    };
    let used = |(place, id): (usize, &InstanceId)| {
        let (without_token, rejected) = (of(WITHOUT_TOKEN, place), of(REJECTED, place));
        let known = without_token.complete && rejected.complete && (without_token.any || rejected.any);
        let counted = TokenUse { without_token: without_token.count(), rejected: rejected.count() };
        (id.clone(), if known { Read::Known(counted) } else { Read::Failed })
    };
    lot.iter().enumerate().map(used).collect()
}

/// The numbers of one metric of one instance.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    total: f64,
    /// Whether there was any number.
    any: bool,
    /// Whether the last page said that there are no more.
    complete: bool,
}

impl Sum {
    fn add(&mut self, result: &MetricDataResult) {
        self.total += result.values().iter().sum::<f64>();
        self.any |= !result.values().is_empty();
        self.complete = result.status_code() == Some(&StatusCode::Complete);
    }

    /// As a whole number, and never a smaller one.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates, which is right"
    )]
    fn count(self) -> u64 {
        self.total.ceil() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(id: &str, values: &[f64], status: StatusCode) -> MetricDataResult {
        MetricDataResult::builder().id(id).set_values(Some(values.to_vec())).status_code(status).build()
    }

    fn complete(id: &str, values: &[f64]) -> MetricDataResult {
        result(id, values, StatusCode::Complete)
    }

    #[test]
    fn whole_days_are_asked_for_and_none_that_is_too_old_for_sums_of_minutes() {
        for now in ["2026-11-26T00:00:00Z", "2026-11-26T15:04:05Z", "2026-11-26T23:59:59.9Z"] {
            let (from, to) = days(now.parse().unwrap());
            let day = |text: &str| text.parse::<Timestamp>().unwrap().as_second();
            assert_eq!(from.secs(), day("2026-11-12T00:00:00Z"), "{now}");
            assert_eq!(to.secs(), day("2026-11-27T00:00:00Z"), "{now}");
            assert!(now.parse::<Timestamp>().unwrap().as_second() - from.secs() < 15 * i64::from(DAY));
        }
    }

    #[test]
    fn numbers_of_all_pages_are_added_and_an_instance_without_any_is_unknown() {
        let lot: Vec<InstanceId> = ["i-0", "i-1", "i-2", "i-3", "i-4"].map(Into::into).into();
        let results = [
            result("w0", &[1.0, 0.0], StatusCode::PartialData),
            complete("w0", &[2.5]),
            complete("r0", &[]),
            complete("w1", &[]),
            complete("r1", &[0.0, 7.0]),
            // Nothing at all.
            complete("w2", &[]),
            complete("r2", &[]),
            // Zero, and said so.
            complete("w3", &[0.0]),
            complete("r3", &[]),
            // Broken off.
            result("w4", &[0.0], StatusCode::InternalError),
            complete("r4", &[]),
        ];
        let sums: Vec<_> = sums(&lot, &results).into_iter().map(|(_, read)| read).collect();
        assert_eq!(
            sums,
            [
                Read::Known(TokenUse { without_token: 4, rejected: 0 }),
                Read::Known(TokenUse { without_token: 0, rejected: 7 }),
                Read::Failed,
                Read::Known(TokenUse::default()),
                Read::Failed,
            ]
        );
    }

    #[test]
    fn an_instance_that_cloudwatch_passes_over_is_unknown() {
        let lot: Vec<InstanceId> = vec!["i-0".into()];
        assert_eq!(sums(&lot, &[]), [("i-0".into(), Read::Failed)]);
    }
}
