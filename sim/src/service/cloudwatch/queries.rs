//! What a `GetMetricData` asks for.

use std::collections::BTreeSet;

use crate::wire::error::ApiError;
use crate::wire::query::Params;

/// Which of the two metrics of the metadata service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Calls without a token that were answered.
    NoToken,
    /// Calls without a token that were refused.
    NoTokenRejected,
}

impl Metric {
    /// AWS's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoToken => "MetadataNoToken",
            Self::NoTokenRejected => "MetadataNoTokenRejected",
        }
    }
}

/// One query: the sums of a metric of an instance.
#[derive(Debug)]
pub struct Query {
    /// As the request names it.
    pub id: String,
    /// The metric.
    pub metric: Metric,
    /// `i-…`, or anything else.
    pub instance: String,
    /// Seconds.
    pub period: i64,
    /// The caption.
    pub label: String,
    /// Is it wanted in the answer?
    pub returned: bool,
}

/// The time that is asked about: from the first second, to before the last.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// The first second.
    pub start: i64,
    /// The first one after it.
    pub end: i64,
}

/// Takes the queries.
pub fn queries(params: &mut Params) -> Result<Vec<Query>, ApiError> {
    let names = params.numbered("MetricDataQueries");
    if names.is_empty() {
        return Err(missing("MetricDataQueries"));
    }
    if names.len() > 500 {
        return Err(ApiError::bad(
            "ValidationError",
            format!(
                "The collection MetricDataQueries must not have a size greater than 500, it has {}.",
                names.len()
            ),
        ));
    }
    let queries: Vec<Query> = names.iter().map(|name| query(params, name)).collect::<Result<_, _>>()?;
    let mut ids = BTreeSet::new();
    match queries.iter().find(|query| !ids.insert(&query.id)) {
        Some(twice) => Err(invalid(format!("The id {} is used by two queries.", twice.id))),
        None => Ok(queries),
    }
}

fn query(params: &mut Params, name: &str) -> Result<Query, ApiError> {
    let id = params.text(&format!("{name}.Id")).ok_or_else(|| missing("MetricDataQueries.Id"))?;
    let named = id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.len() <= 255
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !named {
        return Err(invalid(format!(
            "The id {id:?} does not begin with a lower-case letter, or has other characters than letters, digits and _."
        )));
    }
    let stat = format!("{name}.MetricStat");
    if !params.has(&format!("{stat}.")) {
        return Err(invalid(format!(
            "The query {id} has no MetricStat; expressions are not implemented here."
        )));
    }
    let namespace = params.text(&format!("{stat}.Metric.Namespace")).unwrap_or_default();
    let metric_name = params.text(&format!("{stat}.Metric.MetricName")).unwrap_or_default();
    let metric = [Metric::NoToken, Metric::NoTokenRejected].into_iter().find(|one| one.name() == metric_name);
    let Some(metric) = metric.filter(|_| namespace == "AWS/EC2") else {
        return Err(invalid(format!("The metric {namespace} {metric_name} is not implemented here.")));
    };
    Ok(Query {
        instance: instance(params, &stat)?,
        period: period(params, &stat)?,
        label: params.text(&format!("{name}.Label")).unwrap_or_else(|| metric_name.clone()),
        returned: params.flag(&format!("{name}.ReturnData"))?.unwrap_or(true),
        id,
        metric,
    })
}

fn instance(params: &mut Params, stat: &str) -> Result<String, ApiError> {
    let dimensions = params.numbered(&format!("{stat}.Metric.Dimensions"));
    let mut dimension = |name: &String| {
        (params.text(&format!("{name}.Name")).unwrap_or_default(), params.text(&format!("{name}.Value")))
    };
    match dimensions.iter().map(&mut dimension).collect::<Vec<_>>().as_slice() {
        [(name, Some(instance))] if name == "InstanceId" => Ok(instance.clone()),
        _ => Err(invalid("The one dimension that is implemented here is InstanceId.".to_owned())),
    }
}

fn period(params: &mut Params, stat: &str) -> Result<i64, ApiError> {
    let wanted = params.text(&format!("{stat}.Stat")).ok_or_else(|| missing("MetricStat.Stat"))?;
    if wanted != "Sum" {
        return Err(invalid(format!("The statistic {wanted} is not implemented here; there is Sum.")));
    }
    if params.text(&format!("{stat}.Unit")).is_some_and(|unit| unit != "Count") {
        return Err(invalid("The unit of these metrics is Count.".to_owned()));
    }
    match params.number(&format!("{stat}.Period"))? {
        Some(period) if period > 0 && period % 60 == 0 => Ok(period),
        Some(period) => Err(invalid(format!("The period {period} is not a multiple of 60."))),
        None => Err(missing("MetricStat.Period")),
    }
}

/// Takes the time that is asked about.
pub fn span(params: &mut Params) -> Result<Span, ApiError> {
    let (start, end) = (moment(params, "StartTime")?, moment(params, "EndTime")?);
    if start >= end {
        return Err(invalid("The parameter StartTime must be less than the parameter EndTime.".to_owned()));
    }
    Ok(Span { start, end })
}

/// Whole seconds are enough: periods have no parts of them.
#[expect(clippy::cast_possible_truncation, reason = "a float that is too large becomes the largest integer")]
fn moment(params: &mut Params, name: &str) -> Result<i64, ApiError> {
    let text = params.text(name).ok_or_else(|| missing(name))?;
    text.parse::<f64>().map(|seconds| seconds as i64).map_err(|_| invalid(format!("{name} is not a moment.")))
}

/// Refuses what makes no sense, or is not here.
pub fn invalid(message: String) -> ApiError {
    ApiError::bad("ValidationError", message)
}

fn missing(name: &str) -> ApiError {
    ApiError::bad("MissingParameter", format!("The parameter {name} is required."))
}
