"""What sim_models.py asks the simulated AWS about calls without tokens, and about fleets."""

from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import botocore.model

END = datetime(2026, 11, 26, tzinfo=timezone.utc)


@contextmanager
def preferring(protocol):
    """Clients that are made meanwhile speak this protocol with the services that have it."""
    known = botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS
    botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS = (protocol, *known)
    try:
        yield
    finally:
        botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS = known


def query(name, metric, instance, **more):
    dimensions = [{"Name": "InstanceId", "Value": instance}]
    stat = {"Metric": {"Namespace": "AWS/EC2", "MetricName": metric, "Dimensions": dimensions}, "Period": 3600, "Stat": "Sum"}
    return dict({"Id": name, "MetricStat": stat}, **more)


def cloudwatch(checker, cloudwatch, ec2):
    """Two weeks of some instances, in one page and in many."""
    reservations = ec2.describe_instances(MaxResults=20, Filters=[{"Name": "instance-state-name", "Values": ["running"]}])["Reservations"]
    instances = [one for reservation in reservations for one in reservation["Instances"]][:5]
    queries = [
        query(f"{name}{index}", metric, one["InstanceId"])
        for index, one in enumerate(instances)
        for name, metric in (("a", "MetadataNoToken"), ("r", "MetadataNoTokenRejected"))
    ]
    queries.append(query("none", "MetadataNoToken", "i-00000000000000001", Label="nobody"))
    asked = dict(MetricDataQueries=queries, StartTime=END - timedelta(days=14), EndTime=END)
    whole = cloudwatch.get_metric_data(**asked)["MetricDataResults"]
    checker.expect("a result for each query", [one["Id"] for one in queries], [one["Id"] for one in whole])
    for one in whole:
        checker.expect("values and their moments", len(one["Values"]), len(one["Timestamps"]))
        checker.expect("newest first", sorted(one["Timestamps"], reverse=True), one["Timestamps"])
    by_id = {one["Id"]: one for one in whole}
    checker.expect("the label", "nobody", by_id["none"]["Label"])
    for index, instance in enumerate(instances):
        counted = [bool(by_id[f"{name}{index}"]["Values"]) for name in ("a", "r")]
        options = instance["MetadataOptions"]
        wanted = [options["HttpEndpoint"] == "enabled" and options["HttpTokens"] == tokens for tokens in ("optional", "required")]
        checker.expect("the metric that counts", wanted, counted)
    pages, token = {}, {}
    while True:
        answer = cloudwatch.get_metric_data(MaxDatapoints=500, **asked, **token)
        for one in answer["MetricDataResults"]:
            pages.setdefault(one["Id"], []).extend(one["Values"])
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    checker.expect("the values of all pages", {name: one["Values"] for name, one in by_id.items()}, pages)
    for code, parameters in [
        ("InvalidNextToken", dict(NextToken="made-up")),
        ("ValidationError", dict(MetricDataQueries=[queries[-1]] * 2)),
        ("ValidationError", dict(EndTime=asked["StartTime"])),
        ("ValidationError", dict(MetricDataQueries=[{"Id": "e", "Expression": "a0+r0"}])),
        ("MissingParameter", dict(MetricDataQueries=[])),
    ]:
        checker.refused(code, cloudwatch.get_metric_data, **dict(asked, **parameters))
    checker.refused("UnknownOperationException", cloudwatch.list_metrics)


def fleets(checker, ec2):
    """EC2 Fleets and Spot Fleet requests, and the templates that they name."""
    names = {one["LaunchTemplateName"] for one in ec2.describe_launch_templates(MaxResults=200)["LaunchTemplates"]}
    fleets = checker.pages(ec2.describe_fleets, "Fleets", 1, key=lambda one: one["FleetId"])
    requests = checker.pages(
        ec2.describe_spot_fleet_requests, "SpotFleetRequestConfigs", 1, key=lambda one: one["SpotFleetRequestId"]
    )
    for one in fleets + [request["SpotFleetRequestConfig"] for request in requests]:
        for used in one["LaunchTemplateConfigs"]:
            checker.expect("a template of a fleet", True, used["LaunchTemplateSpecification"]["LaunchTemplateName"] in names)
    for one in fleets[:1]:
        checker.expect("a fleet by id", 1, len(ec2.describe_fleets(FleetIds=[one["FleetId"]])["Fleets"]))
    checker.refused("InvalidFleetId.NotFound", ec2.describe_fleets, FleetIds=["fleet-x"])
    checker.refused("InvalidSpotFleetRequestId.NotFound", ec2.describe_spot_fleet_requests, SpotFleetRequestIds=["sfr-x"])
    return len(fleets), len(requests)
