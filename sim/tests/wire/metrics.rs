//! `CloudWatch`, in CBOR as its clients speak it, and fleets.

use ciborium::{Value, cbor};

use super::client::{Client, Spoken};
use super::{serve, serve_with};

const REGION: &str = "
launch_templates: [{ name: workers, versions: [{ image: al2023-1.33, instance_type: m6i.large }] }]
instances:
  - { name: old, image: al2-1.32, nodes: 2 }
  - { name: new, image: al2023-1.33 }
  - { name: broken, image: al2-1.32 }
  - { name: quiet, image: al2-1.32, drift: [{ count: 1, http_endpoint: disabled }] }
  - { name: half, image: al2-1.32 }
calls_without_token:
  - { tags: { Name: old }, per_hour: 7 }
  - { tags: { Name: new }, per_hour: 60 }
  - { tags: { Name: quiet }, per_hour: 60 }
  - { tags: { Name: broken }, status: internal_error }
  - { tags: { Name: half }, per_hour: 60, status: partial_data }";

/// Thursday, 26 November 2026, 00:00 UTC.
const DAY: i64 = 1_795_651_200;

async fn id(client: &Client, name: &str) -> String {
    let form = format!("&Filter.1.Name=tag:Name&Filter.1.Value.1={name}");
    client.ec2("DescribeInstances", &form).await.text("instanceId").unwrap().to_owned()
}

fn query(id: &str, metric: &str, instance: &str, period: i64) -> Value {
    cbor!({
        "Id" => id,
        "MetricStat" => {
            "Metric" => {
                "Namespace" => "AWS/EC2",
                "MetricName" => metric,
                "Dimensions" => [{ "Name" => "InstanceId", "Value" => instance }],
            },
            "Period" => period,
            "Stat" => "Sum",
        },
    })
    .unwrap()
}

/// Asks about some hours of a day; `more` is what else the request says.
async fn ask(client: &Client, queries: Vec<Value>, hours: i64, more: &[(&str, Value)]) -> Spoken {
    let moment =
        |seconds: i64| Value::Tag(1, Box::new(Value::Float(f64::from(u32::try_from(seconds).unwrap()))));
    let mut body = vec![
        (Value::from("MetricDataQueries"), Value::Array(queries)),
        ("StartTime".into(), moment(DAY)),
        ("EndTime".into(), moment(DAY + hours * 3600)),
    ];
    body.extend(more.iter().map(|(name, value)| (Value::from(*name), value.clone())));
    client.cbor("monitoring", "GraniteServiceVersion20100801", "GetMetricData", &Value::Map(body)).await
}

/// Of each query its id, its status and its values.
fn results(answer: &Spoken) -> Vec<(String, String, Vec<i64>)> {
    let text = |value: &Value, name: &str| Spoken::member(value, name).unwrap().as_text().unwrap().to_owned();
    // A float that is a whole number is written like one.
    let whole = |value: &Value| value.as_float().unwrap().to_string().parse().unwrap();
    let all = answer.get("MetricDataResults").unwrap().as_array().unwrap().iter();
    all.map(|one| {
        let values = Spoken::member(one, "Values").unwrap().as_array().unwrap();
        (text(one, "Id"), text(one, "StatusCode"), values.iter().map(whole).collect())
    })
    .collect()
}

fn found(id: &str, status: &str, values: &[i64]) -> (String, String, Vec<i64>) {
    (id.to_owned(), status.to_owned(), values.to_vec())
}

#[tokio::test]
async fn calls_without_a_token_are_counted_by_the_metric_that_the_options_decide() {
    let (_running, client) = serve(REGION).await;
    let mut queries = Vec::new();
    for (at, name) in ["old", "new", "quiet", "broken", "half"].into_iter().enumerate() {
        let instance = id(&client, name).await;
        queries.push(query(&format!("a{at}"), "MetadataNoToken", &instance, 3600));
        queries.push(query(&format!("r{at}"), "MetadataNoTokenRejected", &instance, 3600));
    }
    queries.push(query("stranger", "MetadataNoToken", "i-00000000000000001", 3600));
    let answer = ask(&client, queries, 2, &[]).await;
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("smithy-protocol: rpc-v2-cbor"), "{}", answer.head);
    assert_eq!(
        results(&answer),
        [
            found("a0", "Complete", &[7, 7]),
            found("r0", "Complete", &[]),
            found("a1", "Complete", &[]),
            found("r1", "Complete", &[60, 60]),
            found("a2", "Complete", &[]),
            found("r2", "Complete", &[]),
            found("a3", "InternalError", &[]),
            found("r3", "InternalError", &[]),
            found("a4", "PartialData", &[60]),
            found("r4", "PartialData", &[]),
            found("stranger", "Complete", &[]),
        ]
    );
    // The option decides, also once it has been changed.
    let old = id(&client, "old").await;
    client.ec2("ModifyInstanceMetadataOptions", &format!("&InstanceId={old}&HttpTokens=required")).await;
    let both =
        vec![query("a", "MetadataNoToken", &old, 7200), query("r", "MetadataNoTokenRejected", &old, 7200)];
    let answer = ask(&client, both, 2, &[]).await;
    assert_eq!(results(&answer), [found("a", "Complete", &[]), found("r", "Complete", &[14])]);
}

#[tokio::test]
async fn data_points_come_in_pages_and_in_the_order_that_was_asked_for() {
    let (running, client) = serve_with("settings: { largest_page: 3 }", REGION).await;
    let (old, new) = (id(&client, "old").await, id(&client, "new").await);
    let queries = || {
        vec![
            query("a", "MetadataNoToken", &old, 1800),
            query("n", "MetadataNoToken", &new, 60),
            query("b", "MetadataNoToken", &old, 3600),
        ]
    };
    let ascending = [("ScanBy", Value::from("TimestampAscending"))];
    let first = ask(&client, queries(), 2, &ascending).await;
    assert_eq!(results(&first), [found("a", "PartialData", &[3, 4, 3])]);
    let token = first.get("NextToken").unwrap().clone();
    let more = [ascending[0].clone(), ("NextToken", token.clone())];
    let second = ask(&client, queries(), 2, &more).await;
    assert_eq!(
        results(&second),
        [found("a", "Complete", &[4]), found("n", "Complete", &[]), found("b", "PartialData", &[7])]
    );
    let more = [ascending[0].clone(), ("NextToken", second.get("NextToken").unwrap().clone())];
    let third = ask(&client, queries(), 2, &more).await;
    assert_eq!(results(&third), [found("b", "Complete", &[7])]);
    assert!(third.get("NextToken").is_none());
    let other = ask(&client, queries(), 3, &[ascending[0].clone(), ("NextToken", token)]).await;
    assert_eq!((other.status, other.code()), (400, "InvalidNextToken"));
    let descending = ask(&client, vec![query("a", "MetadataNoToken", &old, 1800)], 1, &[]).await;
    assert_eq!(results(&descending), [found("a", "Complete", &[4, 3])]);
    let last = running.requests().pop().unwrap();
    assert_eq!(
        (last.service.as_str(), last.operation.as_str(), last.mutating),
        ("cloudwatch", "GetMetricData", false)
    );
}

#[tokio::test]
async fn what_is_not_a_question_here_is_refused_and_never_answered_with_nothing() {
    let (_running, client) = serve(REGION).await;
    let old = id(&client, "old").await;
    let fine = || query("a", "MetadataNoToken", &old, 60);
    let many = (0..501).map(|at| query(&format!("q{at}"), "MetadataNoToken", &old, 60)).collect();
    for (queries, hours, more, code) in [
        (many, 1, None, "ValidationError"),
        (vec![], 1, None, "MissingParameter"),
        (vec![fine(), fine()], 1, None, "ValidationError"),
        (vec![fine()], 0, None, "ValidationError"),
        (vec![query("A", "MetadataNoToken", &old, 60)], 1, None, "ValidationError"),
        (vec![query("a", "CPUUtilization", &old, 60)], 1, None, "ValidationError"),
        (vec![query("a", "MetadataNoToken", &old, 61)], 1, None, "ValidationError"),
        (vec![fine()], 1, Some(("MaxDatapoints", Value::from(0))), "ValidationError"),
        (vec![fine()], 1, Some(("Surprise", Value::from("x"))), "ValidationError"),
    ] {
        let more: Vec<_> = more.into_iter().collect();
        let answer = ask(&client, queries, hours, &more).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{more:?}");
        assert!(answer.head.contains(&format!("x-amzn-query-error: {};sender", code.to_lowercase())));
    }
    let unknown =
        client.cbor("monitoring", "GraniteServiceVersion20100801", "ListMetrics", &Value::Map(vec![])).await;
    assert_eq!(unknown.code(), "UnknownOperationException");
}

#[tokio::test]
async fn fleets_name_the_templates_that_they_launch_from() {
    let region = format!(
        "{REGION}
fleets:
  - {{ name: batch, nodes: 2, templates: [{{ name: workers, version: $Latest, instance_types: [c6i.large] }}] }}
  - {{ name: once, type: instant, on_demand: true, templates: [{{ name: workers }}] }}
  - {{ name: gone, state: deleted, templates: [{{ name: workers, version: '1' }}] }}
spot_fleets:
  - {{ name: cheap, type: request, nodes: 1, templates: [{{ name: workers, version: '1' }}], tags: {{ a: b }} }}"
    );
    let (_running, client) = serve(&region).await;
    let first = client.ec2("DescribeFleets", "&MaxResults=1").await;
    assert_eq!((first.texts("fleetId").len(), first.text("version")), (1, Some("$Latest")));
    let token = first.text("nextToken").unwrap().replace('=', "%3D");
    let second = client.ec2("DescribeFleets", &format!("&MaxResults=1&NextToken={token}")).await;
    assert_eq!((second.text("fleetState"), second.text("nextToken")), (Some("deleted"), None));
    let fleet = first.text("fleetId").unwrap();
    let launched = client
        .ec2("DescribeInstances", &format!("&Filter.1.Name=tag:aws:ec2:fleet-id&Filter.1.Value.1={fleet}"))
        .await;
    assert_eq!(launched.texts("instanceType"), ["c6i.large"; 2]);
    let active = client.ec2("DescribeFleets", "&Filter.1.Name=fleet-state&Filter.1.Value.1=active").await;
    assert_eq!(
        active.texts("fleetId"),
        [fleet],
        "an instant fleet is shown to nobody who does not ask for it"
    );
    let missing = client.ec2("DescribeFleets", "&FleetId.1=fleet-x").await;
    assert_eq!(missing.text("Code"), Some("InvalidFleetId.NotFound"));
    let spot = client.ec2("DescribeSpotFleetRequests", "").await;
    assert_eq!(
        (spot.text("version"), spot.text("type"), spot.text("key")),
        (Some("1"), Some("request"), Some("a"))
    );
    assert!(spot.text("spotFleetRequestId").unwrap().starts_with("sfr-"));
}
