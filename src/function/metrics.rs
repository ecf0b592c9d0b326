//! Metrics in CloudWatch's embedded metric format: a line of JSON in the log, of which CloudWatch makes metrics.

use serde_json::{Map, Value, json};

use crate::report::Run;

/// The namespace of the metrics.
const NAMESPACE: &str = "imdsctl";

/// The measures of an invocation. What is not known, or is another invocation's to tell, is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Findings that count: failed and unknown.
    pub findings: Option<u64>,
    /// Accounts × Regions that were not read to the end.
    pub failed_scopes: Option<u64>,
    /// Requests that were sent.
    pub api_calls: Option<u64>,
    /// How many of them AWS refused for their rate.
    pub throttled_calls: Option<u64>,
    /// How long it took, in milliseconds.
    pub duration: u64,
}

impl Metrics {
    /// Counts the requests of a run, but for those of another that it went on from.
    pub fn count_calls(&mut self, run: &Run, before: Option<&Run>) {
        let sum = |run: &Run| run.api_calls.values().sum::<u64>();
        let (calls, throttled) = before.map_or((0, 0), |before| (sum(before), before.api_throttled));
        self.api_calls = Some(sum(run).saturating_sub(calls));
        self.throttled_calls = Some(run.api_throttled.saturating_sub(throttled));
    }

    /// The line. `since_1970` is the time in milliseconds.
    ///
    /// The metrics have no dimension: an alarm looks at all that this function does, and what it was told to do is a
    /// member that CloudWatch Logs Insights can ask for.
    pub fn line(&self, action: &str, since_1970: u64) -> String {
        let measures = [
            ("Findings", "Count", self.findings),
            ("FailedScopes", "Count", self.failed_scopes),
            ("ApiCalls", "Count", self.api_calls),
            ("ThrottledCalls", "Count", self.throttled_calls),
            ("DurationMs", "Milliseconds", Some(self.duration)),
        ];
        let known = measures.iter().filter_map(|(name, unit, value)| Some((*name, *unit, (*value)?)));
        let mut root = Map::new();
        let defined: Vec<Value> =
            known.clone().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect();
        let directive = json!({ "Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": defined });
        root.insert("_aws".into(), json!({ "Timestamp": since_1970, "CloudWatchMetrics": [directive] }));
        root.insert("Action".into(), action.into());
        root.extend(known.map(|(name, _, value)| (name.to_owned(), value.into())));
        Value::Object(root).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the specification of the format has it: every metric that is defined is a member of the root.
    #[test]
    fn what_is_known_is_defined_and_told() {
        let metrics =
            Metrics { findings: Some(3), failed_scopes: Some(0), duration: 1500, ..Metrics::default() };
        let line: Value = serde_json::from_str(&metrics.line("audit", 1_795_746_606_000)).unwrap();
        assert_eq!(
            line,
            json!({
                "_aws": {
                    "Timestamp": 1_795_746_606_000_u64,
                    "CloudWatchMetrics": [{
                        "Namespace": "imdsctl",
                        "Dimensions": [[]],
                        "Metrics": [
                            { "Name": "Findings", "Unit": "Count" },
                            { "Name": "FailedScopes", "Unit": "Count" },
                            { "Name": "DurationMs", "Unit": "Milliseconds" },
                        ],
                    }],
                },
                "Action": "audit",
                "Findings": 3,
                "FailedScopes": 0,
                "DurationMs": 1500,
            })
        );
        assert!(!metrics.line("audit", 0).contains('\n'));
    }

    #[test]
    fn every_metric_is_documented() {
        let count = Some(1);
        let metrics = Metrics {
            findings: count,
            failed_scopes: count,
            api_calls: count,
            throttled_calls: count,
            duration: 1,
        };
        let line: Value = serde_json::from_str(&metrics.line("audit", 0)).unwrap();
        let documented = include_str!("../../docs/function.md");
        let defined = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
        for name in defined.iter().map(|metric| metric["Name"].as_str().unwrap()) {
            assert!(documented.contains(&format!("| `{name}` |")), "{name}");
        }
        assert_eq!(defined.len(), 5);
    }
}
