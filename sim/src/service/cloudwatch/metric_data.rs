//! `GetMetricData`.

use std::collections::HashMap;

use ciborium::Value;

use super::queries::{self, Metric, Query, Span};
use crate::service::Call;
use crate::wire::cbor;
use crate::wire::error::ApiError;
use crate::wire::query::Params;
use crate::world::{Calls, CallsStatus, Instance, InstanceId, InstanceState, Region, Switch, Tokens};

/// As many data points as one answer has, unless the request wants fewer.
const MOST: i64 = 100_800;

/// What is known of one query: a status, and its data points in the order in which they are wanted.
struct Series {
    status: &'static str,
    points: Vec<(i64, u64)>,
}

/// One data point of one of the queries; a query without any still has its place.
#[derive(Debug, Clone, Copy)]
struct Item {
    query: usize,
    point: Option<(i64, u64)>,
    last: bool,
}

/// `GetMetricData`. Calls without a token are counted by one of two metrics: by `MetadataNoToken` where tokens are
/// optional, by `MetadataNoTokenRejected` where they are required. Of the other there are no data points, and none of
/// what is not running or has no metadata service.
pub fn get(call: &Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    let question = params.question();
    let queries = queries::queries(&mut params)?;
    let span = queries::span(&mut params)?;
    let newest_first = match params.text("ScanBy").as_deref() {
        None | Some("TimestampDescending") => true,
        Some("TimestampAscending") => false,
        Some(other) => return Err(queries::invalid(format!("There is no ScanBy {other}."))),
    };
    let most = match params.number("MaxDatapoints")? {
        None => MOST,
        Some(most @ 1..=MOST) => most,
        Some(most) => return Err(queries::invalid(format!("MaxDatapoints is 1 to {MOST}, it is {most}."))),
    };
    let token = params.text("NextToken");
    params.finish()?;
    let size = usize::try_from(most).unwrap_or(usize::MAX);
    let page = call
        .page("GetMetricData", size, token.as_deref(), &question)
        .ok_or_else(|| ApiError::bad("InvalidNextToken", "The next token specified is invalid."))?;
    let known: HashMap<InstanceId, &Instance> =
        call.region.instances.iter().map(|instance| (instance.id, instance)).collect();
    let all: Vec<Series> =
        queries.iter().map(|query| series(call.region, &known, query, span, newest_first)).collect();
    let items: Vec<Item> = items(&queries, &all);
    let (items, next) = page.of(&items);
    let results = items.chunk_by(|one, other| one.query == other.query);
    let results =
        results.map(|items| result(&queries[items[0].query], &all[items[0].query], items)).collect();
    let mut answer = vec![
        ("MetricDataResults".into(), Value::Array(results)),
        ("Messages".into(), Value::Array(Vec::new())),
    ];
    if let Some(next) = next {
        answer.push(("NextToken".into(), next.into()));
    }
    Ok(Value::Map(answer))
}

fn items(queries: &[Query], all: &[Series]) -> Vec<Item> {
    let mut items = Vec::new();
    for (query, series) in all.iter().enumerate().filter(|(index, _)| queries[*index].returned) {
        let points = series.points.iter().map(|point| Item { query, point: Some(*point), last: false });
        items.extend(points);
        match items.last_mut().filter(|item| item.query == query) {
            Some(last) => last.last = true,
            None => items.push(Item { query, point: None, last: true }),
        }
    }
    items
}

/// What there is of a query on this page.
fn result(query: &Query, series: &Series, items: &[Item]) -> Value {
    let ends = items.last().is_some_and(|item| item.last);
    let points = || items.iter().filter_map(|item| item.point);
    let value = |(_, sum): (i64, u64)| Value::Float(u32::try_from(sum).map_or(f64::INFINITY, f64::from));
    cbor::map([
        ("Id", query.id.as_str().into()),
        ("Label", query.label.as_str().into()),
        ("Timestamps", Value::Array(points().map(|(at, _)| cbor::moment(at)).collect())),
        ("Values", Value::Array(points().map(value).collect())),
        ("StatusCode", if ends { series.status } else { "PartialData" }.into()),
    ])
}

fn series(
    region: &Region,
    known: &HashMap<InstanceId, &Instance>,
    query: &Query,
    span: Span,
    newest_first: bool,
) -> Series {
    let instance = InstanceId::parse(&query.instance).and_then(|id| known.get(&id));
    let nothing = Series { status: "Complete", points: Vec::new() };
    let Some(instance) = instance else { return nothing };
    let calls = region.calls_without_token.iter().find(|calls| calls.are_of(instance));
    let status = calls.map_or(CallsStatus::Complete, |calls| calls.status);
    let mut points = if counts(instance, query.metric) && status.has_points() {
        points(calls, instance, query.period, span)
    } else {
        Vec::new()
    };
    if status == CallsStatus::PartialData {
        points.truncate(points.len() / 2);
    }
    if newest_first {
        points.reverse();
    }
    Series { status: status.as_str(), points }
}

/// Does the metric count what this instance is asked?
fn counts(instance: &Instance, metric: Metric) -> bool {
    let of_metric = match metric {
        Metric::NoToken => Tokens::Optional,
        Metric::NoTokenRejected => Tokens::Required,
    };
    instance.state == InstanceState::Running
        && instance.options.http_endpoint == Switch::Enabled
        && instance.options.http_tokens == of_metric
}

/// The sums of all periods that begin in the span and after the launch; those in which nobody called are zero.
fn points(calls: Option<&Calls>, instance: &Instance, period: i64, span: Span) -> Vec<(i64, u64)> {
    let per_hour = calls.map_or(0, |calls| calls.per_hour);
    // What has been called until then, if it were called all the time.
    let until = |moment: i64| u64::try_from(moment).unwrap_or(0) * u64::from(per_hour) / 3600;
    let from = span.start.max(instance.launched);
    let first = from.div_euclid(period) + i64::from(from.rem_euclid(period) > 0);
    let starts = (first..).map(|number| number * period).take_while(|start| *start < span.end);
    starts.map(|start| (start, until(start + period) - until(start))).collect()
}
