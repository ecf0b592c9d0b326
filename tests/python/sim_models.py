#!/usr/bin/env python3
"""Holds the simulated AWS against botocore's own service models.

Drives every operation of the simulator with boto3, every list to its last page, and compares each raw answer with
the shape that botocore has for it: no unknown member, no required one missing, every value of its type. Then it
changes what can be changed, puts it back, and checks that the world is what the answers say. Asks wrong questions too,
and checks that boto3 reads the errors as AWS's.

    sim_models.py --endpoint http://127.0.0.1:18080 --key AKIA... [--key ...] [--region eu-west-1 ...] [--role NAME]
    sim_models.py --self-test      the checks themselves: doctored answers must be caught

Ends with 0 and a summary, or with 1 and what is wrong.
"""

import argparse
import base64
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from datetime import datetime

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError, create_parser

import sim_metrics
import sim_writes

SERVICES = ("sts", "ec2", "autoscaling", "eks", "organizations")
CBOR = "smithy-rpc-v2-cbor"
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


# --- one answer against one shape ------------------------------------------------------------------------------------


def check_answer(operation, status, headers, body):
    """What is wrong with a raw answer, as a list of sentences."""
    service = operation.service_model
    protocol = CBOR if headers.get("content-type") == "application/cbor" else service.resolved_protocol
    if status != 200:
        return check_error(service, protocol, headers, body)
    if protocol == CBOR:
        return cbor_problems(operation, headers, body)
    if protocol in ("rest-json", "json"):
        try:
            value = json.loads(body)
        except ValueError as error:
            return [f"not JSON: {error}"]
        problems = list(json_problems(operation.output_shape, value, operation.name))
        if protocol == "json" and headers.get("content-type") != f"application/x-amz-json-{service.metadata['jsonVersion']}":
            problems.append(f"the content type is {headers.get('content-type')}")
        return problems
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        return [f"not XML: {error}"]
    problems = []
    namespace = service.metadata["xmlNamespace"].rstrip("/")
    elements = strip_namespace(root, namespace, problems)
    if elements["name"] != f"{operation.name}Response":
        problems.append(f"the root is {elements['name']}, not {operation.name}Response")
    shape = operation.output_shape
    if protocol == "ec2":
        inside = [child for child in elements["children"] if child["name"] != "requestId"]
        if len(inside) == len(elements["children"]):
            problems.append("there is no requestId")
        problems += xml_problems(shape, dict(elements, children=inside), operation.name)
    else:
        # An operation without an output has no result either.
        wrapper = shape and shape.serialization.get("resultWrapper")
        wanted = [name for name in (wrapper, "ResponseMetadata") if name]
        names = [child["name"] for child in elements["children"]]
        if sorted(names) != sorted(wanted):
            problems.append(f"the root holds {names}, not {' and '.join(wanted)}")
        for child in elements["children"]:
            if child["name"] == wrapper:
                problems += xml_problems(shape, child, operation.name)
    return problems


def check_error(service, protocol, headers, body):
    """What is wrong with the form of an error."""
    if protocol == "rest-json":
        problems = [] if headers.get("x-amzn-errortype") else ["there is no x-amzn-ErrorType"]
        try:
            if not json.loads(body).get("message"):
                problems.append("there is no message")
        except ValueError as error:
            problems.append(f"not JSON: {error}")
        return problems
    if protocol == "json":
        try:
            error = json.loads(body)
        except ValueError as problem:
            return [f"not JSON: {problem}"]
        message = "message" if service.service_name == "cloudwatch" else "Message"
        problems = [f"there is no {name}" for name in ("__type", message) if not error.get(name)]
        shape = service.shape_for_error_code(error.get("__type", ""))
        if shape:
            members = {name: value for name, value in error.items() if name != "__type"}
            problems += json_problems(shape, members, error["__type"])
        return problems
    if protocol == CBOR:
        problems = [] if headers.get("smithy-protocol") == "rpc-v2-cbor" else ["there is no smithy-protocol"]
        error = decoded(body)
        problems += [f"there is no {name}" for name in ("__type", "message") if not error.get(name)]
        code = headers.get("x-amzn-query-error", "").split(";")
        if len(code) != 2 or code[0] != error.get("__type") or code[1] not in ("Sender", "Receiver"):
            problems.append(f"x-amzn-query-error is {code}")
        return problems
    root = ElementTree.fromstring(body)
    paths = {
        "ec2": ("Response", ["Errors/Error/Code", "Errors/Error/Message", "RequestID"]),
        "query": ("ErrorResponse", ["Error/Type", "Error/Code", "Error/Message", "RequestId"]),
    }
    name, wanted = paths[protocol]
    namespace = f"{{{service.metadata['xmlNamespace']}}}" if protocol == "query" else ""
    problems = [] if root.tag == namespace + name else [f"the root is {root.tag}, not {name}"]
    for path in wanted:
        steps = "/".join(namespace + step for step in path.split("/"))
        if not (root.findtext(steps) or "").strip():
            problems.append(f"there is no {path}")
    return problems


def decoded(body):
    """CBOR, read by botocore."""
    parser = create_parser(CBOR)
    return parser.parse_data_item(parser.get_peekable_stream_from_bytes(body))


def cbor_problems(operation, headers, body):
    try:
        value = decoded(body)
    except ResponseParserError as error:
        return [f"not CBOR: {error}"]
    problems = list(json_problems(operation.output_shape, value, operation.name))
    for name, wanted in (("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")):
        if headers.get(name) != wanted:
            problems.append(f"{name} is {headers.get(name)}")
    return problems


def strip_namespace(element, namespace, problems):
    """A plain tree; anything outside the service's namespace is a problem."""
    found, _, name = element.tag.rpartition("}")
    if found.lstrip("{").rstrip("/") != namespace:
        problems.append(f"{name} is in the namespace {found.lstrip('{')!r}, not {namespace!r}")
    if element.attrib:
        problems.append(f"{name} has attributes")
    children = [strip_namespace(child, namespace, problems) for child in element]
    return {"name": name, "text": element.text or "", "children": children}


def xml_problems(shape, element, path):
    kind = shape.type_name
    if kind == "structure":
        yield from structure_problems(shape, element, path)
    elif kind == "list":
        item = shape.member.serialization.get("name", "member")
        for index, child in enumerate(element["children"]):
            if child["name"] == item:
                yield from xml_problems(shape.member, child, f"{path}[{index}]")
            else:
                yield f"{path}: a list of {item} has a {child['name']}"
    elif kind == "map":
        yield f"{path}: the checker does not know maps in XML"
    elif element["children"]:
        yield f"{path}: a {kind} has elements inside"
    else:
        yield from scalar_problems(shape, element["text"], path)


def structure_problems(shape, element, path):
    if element["text"].strip():
        yield f"{path}: a structure has text"
    names = {}
    for member, inner in shape.members.items():
        flattened = inner.type_name == "list" and inner.serialization.get("flattened")
        own = inner.member.serialization.get("name") if flattened else None
        names[own or inner.serialization.get("name", member)] = (member, inner)
    seen = Counter()
    for child in element["children"]:
        if child["name"] not in names:
            yield f"{path}: unknown member {child['name']}"
            continue
        member, inner = names[child["name"]]
        seen[member] += 1
        if seen[member] > 1:
            yield f"{path}: {member} is there twice"
        yield from xml_problems(inner, child, f"{path}.{member}")
    for member in shape.required_members:
        if not seen[member]:
            yield f"{path}: the required member {member} is missing"


def scalar_problems(shape, text, path):
    kind = shape.type_name
    wrong = {
        "integer": lambda: not re.fullmatch(r"-?\d+", text),
        "long": lambda: not re.fullmatch(r"-?\d+", text),
        "boolean": lambda: text not in ("true", "false"),
        "timestamp": lambda: not TIMESTAMP.fullmatch(text),
        "double": lambda: not re.fullmatch(r"-?\d+(\.\d+)?", text),
        "float": lambda: not re.fullmatch(r"-?\d+(\.\d+)?", text),
        "blob": lambda: base64.b64encode(base64.b64decode(text)).decode() != text,
    }
    if kind in wrong:
        if wrong[kind]():
            yield f"{path}: {text!r} is not a {kind}"
    elif kind != "string":
        yield f"{path}: the checker does not know the type {kind}"
    yield from value_problems(shape, text, path)


def value_problems(shape, value, path):
    """Enums and limits. Empty texts are how EC2 and Auto Scaling say that there is none."""
    if getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{path}: {value!r} is none of {shape.enum[:6]}"
    limits = shape.metadata
    if shape.type_name == "string" and value:
        if not limits.get("min", 0) <= len(value) <= limits.get("max", sys.maxsize):
            yield f"{path}: {value[:40]!r} has {len(value)} characters"
    if shape.type_name in ("integer", "long"):
        if not limits.get("min", -sys.maxsize) <= int(value) <= limits.get("max", sys.maxsize):
            yield f"{path}: {value} is out of range"


def json_problems(shape, value, path):
    kind = shape.type_name
    types = {
        "structure": dict,
        "map": dict,
        "list": list,
        "string": str,
        "boolean": bool,
        "integer": int,
        "long": int,
        # In CBOR a moment says that it is one, and botocore reads it.
        "timestamp": (int, float, datetime),
        "double": (int, float),
        "float": (int, float),
    }
    if kind not in types:
        yield f"{path}: the checker does not know the type {kind}"
    elif not isinstance(value, types[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{path}: {value!r} is not a {kind}"
    elif kind == "structure":
        names = {inner.serialization.get("name", member): (member, inner) for member, inner in shape.members.items()}
        for name, inner_value in value.items():
            if name not in names:
                yield f"{path}: unknown member {name}"
            elif inner_value is not None:
                member, inner = names[name]
                yield from json_problems(inner, inner_value, f"{path}.{member}")
        present = {names[name][0] for name, inner in value.items() if name in names and inner is not None}
        for member in shape.required_members:
            if member not in present:
                yield f"{path}: the required member {member} is missing"
    elif kind == "list":
        for index, item in enumerate(value):
            yield from json_problems(shape.member, item, f"{path}[{index}]")
    elif kind == "map":
        for key, item in value.items():
            yield from json_problems(shape.value, item, f"{path}[{key!r}]")
    else:
        yield from value_problems(shape, value, path)


# --- driving the simulator -------------------------------------------------------------------------------------------


class Checker:
    """Collects what was checked and what is wrong."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.operations = Counter()
        self.errors = Counter()
        self.problems = []

    def client(self, service, key, region, token=None):
        config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
        client = boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id=key,
            aws_secret_access_key="any",
            aws_session_token=token,
            config=config,
        )
        client.meta.events.register("before-parse.*.*", self.look)
        return client

    def look(self, operation_model, response_dict, **_):
        """Sees every answer before boto3 makes something of it."""
        status = response_dict["status_code"]
        headers = {name.lower(): value for name, value in response_dict["headers"].items()}
        found = check_answer(operation_model, status, headers, response_dict["body"])
        if "x-amzn-requestid" not in headers:
            found.append("there is no x-amzn-RequestId")
        name = f"{operation_model.service_model.endpoint_prefix}:{operation_model.name}"
        (self.operations if status == 200 else self.errors)[name] += 1
        self.problems += [f"{name}: {problem}" for problem in found]

    def expect(self, what, wanted, actual):
        if wanted != actual:
            self.problems.append(f"{what}: {actual!r}, not {wanted!r}")

    def refused(self, code, call, *arguments, **parameters):
        """The call must fail with this code, as boto3 reads it."""
        try:
            call(*arguments, **parameters)
        except ClientError as error:
            self.expect(f"{error.operation_name} with {parameters}", code, error.response["Error"]["Code"])
        else:
            self.problems.append(f"{call.__name__} with {parameters}: was answered, not refused with {code}")

    def pages(self, call, member, size, token="NextToken", limit="MaxResults", key=str, **parameters):
        """Every item of a list, page by page; nothing may be there twice."""
        items, tokens = [], set()
        argument = {}
        while True:
            answer = call(**{limit: size}, **argument, **parameters)
            page = answer[member]
            if len(page) > size:
                self.problems.append(f"{call.__name__}: {len(page)} on a page of {size}")
            items += page
            next_token = answer.get(token)
            if not next_token:
                break
            if next_token in tokens:
                self.problems.append(f"{call.__name__}: the token {next_token} came twice")
                break
            tokens.add(next_token)
            argument = {token: next_token}
        twice = [item for item, count in Counter(map(key, items)).items() if count > 1]
        if twice:
            self.problems.append(f"{call.__name__}: {twice[:3]} came twice")
        return items

    # --- one Region of one account

    def region(self, key, region):
        self.ec2(self.client("ec2", key, region))
        self.auto_scaling(self.client("autoscaling", key, region))
        self.eks(self.client("eks", key, region))
        for protocol in ("json", CBOR):
            # The Rust SDK speaks CBOR; boto3 prefers JSON.
            with sim_metrics.preferring(protocol):
                cloudwatch = self.client("cloudwatch", key, region)
            sim_metrics.cloudwatch(self, cloudwatch, self.client("ec2", key, region))
        sim_metrics.fleets(self, self.client("ec2", key, region))
        sim_writes.ec2(self, self.client("ec2", key, region))

    def ec2(self, ec2):
        ec2.get_instance_metadata_defaults()
        hidden = self.instances(ec2)
        self.image_metadata(ec2, hidden)
        self.images(ec2)
        self.templates(ec2)
        self.what_others_ask(ec2)

    def instances(self, ec2):
        def all_of(size, **parameters):
            reservations = self.pages(
                ec2.describe_instances, "Reservations", size, key=lambda one: (one["ReservationId"], str(one)), **parameters
            )
            return [instance for reservation in reservations for instance in reservation["Instances"]]

        everything = all_of(1000, IncludeManagedResources=True)
        ids = [instance["InstanceId"] for instance in everything]
        small = max(7, len(ids) // 20)
        again = [instance["InstanceId"] for instance in all_of(small, IncludeManagedResources=True)]
        self.expect("DescribeInstances in small pages", ids, again)
        shown = [instance["InstanceId"] for instance in all_of(1000)]
        managed = [i["InstanceId"] for i in everything if i["Operator"]["Managed"]]
        self.expect("managed instances are hidden", sorted(ids), sorted(shown + managed))
        for instance in everything[:1]:
            one = instance["InstanceId"]
            answer = ec2.describe_instances(InstanceIds=[one], IncludeManagedResources=True)
            self.expect("DescribeInstances by id", one, answer["Reservations"][0]["Instances"][0]["InstanceId"])
            self.refused("InvalidParameterCombination", ec2.describe_instances, InstanceIds=[one], MaxResults=5)
        by_state = all_of(1000, Filters=[{"Name": "instance-state-name", "Values": ["running"]}])
        running = [i for i in everything if i["State"]["Name"] == "running" and not i["Operator"]["Managed"]]
        self.expect("the state filter", len(running), len(by_state))
        by_tag = all_of(1000, Filters=[{"Name": "tag-key", "Values": ["kubernetes.io/cluster/*"]}])
        tagged = [
            i for i in everything
            if not i["Operator"]["Managed"] and any(t["Key"].startswith("kubernetes.io/cluster/") for t in i["Tags"])
        ]
        self.expect("the tag-key filter", len(tagged), len(by_tag))
        optional = all_of(1000, Filters=[{"Name": "metadata-options.http-tokens", "Values": ["optional"]}])
        self.expect("the http-tokens filter", {"optional"} if optional else set(), {i["MetadataOptions"]["HttpTokens"] for i in optional})
        return set(managed)

    def what_others_ask(self, ec2):
        """What scanners list before they judge anything; there is none of it."""
        for call, member, parameters in [
            (ec2.describe_addresses, "Addresses", {}),
            (ec2.describe_client_vpn_endpoints, "ClientVpnEndpoints", {}),
            (ec2.describe_network_acls, "NetworkAcls", {}),
            (ec2.describe_network_interfaces, "NetworkInterfaces", dict(MaxResults=1000)),
            (ec2.describe_security_groups, "SecurityGroups", dict(Filters=[{"Name": "group-name", "Values": ["default"]}])),
            (ec2.describe_snapshots, "Snapshots", dict(OwnerIds=["self"])),
            (ec2.describe_transit_gateways, "TransitGateways", {}),
            (ec2.describe_volumes, "Volumes", dict(MaxResults=5)),
        ]:
            self.expect(call.__name__, [], call(**parameters)[member])
        self.expect("EBS encryption", False, ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"])
        self.expect("public images", "unblocked", ec2.get_image_block_public_access_state()["ImageBlockPublicAccessState"])
        self.expect("public snapshots", "unblocked", ec2.get_snapshot_block_public_access_state()["State"])
        for reservation in ec2.describe_instances(MaxResults=5)["Reservations"][:1]:
            one = reservation["Instances"][0]["InstanceId"]
            answer = ec2.describe_instance_attribute(Attribute="userData", InstanceId=one)
            base64.b64decode(answer["UserData"].get("Value", ""), validate=True)
            self.refused("InvalidParameterValue", ec2.describe_instance_attribute, Attribute="kernel", InstanceId=one)

    def image_metadata(self, ec2, hidden):
        images = self.pages(
            ec2.describe_instance_image_metadata, "InstanceImageMetadata", 11, key=lambda one: one["InstanceId"]
        )
        for one in images:
            if one["InstanceId"] in hidden:
                self.problems.append("DescribeInstanceImageMetadata shows a hidden instance")
            if not one.get("ImageMetadata", {}).get("Name"):
                self.problems.append(f"DescribeInstanceImageMetadata does not name the image of {one['InstanceId']}")
        for one in images[:1]:
            ec2.describe_instance_image_metadata(InstanceIds=[one["InstanceId"]])

    def images(self, ec2):
        images = self.pages(ec2.describe_images, "Images", 2, key=lambda one: one["ImageId"], IncludeDeprecated=True, IncludeDisabled=True)
        ids = [image["ImageId"] for image in images if image["State"] == "available"]
        if ids:
            found = ec2.describe_images(ImageIds=ids)["Images"]
            self.expect("DescribeImages by id", sorted(ids), sorted(image["ImageId"] for image in found))
            ec2.describe_images(Owners=["self"])
            ec2.describe_images(Filters=[{"Name": "name", "Values": ["amazon-eks-*"]}])
        missing = ["ami-00000000000000001", "ami-00000000000000002"]
        try:
            ec2.describe_images(ImageIds=missing + ids[:1])
        except ClientError as error:
            named = [one for one in missing if one in error.response["Error"]["Message"]]
            self.expect("the images that InvalidAMIID.NotFound names", missing, named)
        self.refused("InvalidAMIID.NotFound", ec2.describe_images, ImageIds=missing[:1])

    def templates(self, ec2):
        def version_of(one):
            return (one["LaunchTemplateId"], one["VersionNumber"])

        templates = self.pages(
            ec2.describe_launch_templates, "LaunchTemplates", 3, key=lambda one: one["LaunchTemplateId"], IncludeManagedResources=True
        )
        visible = self.pages(ec2.describe_launch_templates, "LaunchTemplates", 200, key=lambda one: one["LaunchTemplateId"])
        hidden = [one for one in templates if one["Operator"]["Managed"]]
        self.expect("managed templates are hidden", len(templates), len(visible) + len(hidden))
        both = self.pages(
            ec2.describe_launch_template_versions, "LaunchTemplateVersions", 4, key=version_of,
            Versions=["$Latest", "$Default"], IncludeManagedResources=True,
        )
        wanted = {(t["LaunchTemplateId"], t[n]) for t in templates for n in ("LatestVersionNumber", "DefaultVersionNumber")}
        self.expect("the latest and default versions", wanted, set(map(version_of, both)))
        for template in visible[:10]:
            self.one_template(ec2, template)
        for template in hidden[:1]:
            self.refused("InvalidLaunchTemplateId.NotFound", ec2.describe_launch_templates, LaunchTemplateIds=[template["LaunchTemplateId"]])

    def one_template(self, ec2, template):
        versions = ec2.describe_launch_template_versions
        identity = template["LaunchTemplateId"]
        everything = self.pages(versions, "LaunchTemplateVersions", 1, key=lambda one: one["VersionNumber"], LaunchTemplateId=identity)
        latest = str(template["LatestVersionNumber"])
        one = versions(LaunchTemplateName=template["LaunchTemplateName"], Versions=[latest, "$Default"], ResolveAlias=True)
        numbers = {version["VersionNumber"] for version in one["LaunchTemplateVersions"]}
        self.expect("two versions", {template["LatestVersionNumber"], template["DefaultVersionNumber"]}, numbers)
        after = versions(LaunchTemplateId=identity, MinVersion="1", MaxVersion=latest)["LaunchTemplateVersions"]
        self.expect("a range of versions", len(everything), len(after))
        self.refused("InvalidLaunchTemplateId.VersionNotFound", versions, LaunchTemplateId=identity, Versions=["4000"])
        for version in everything:
            data = version["LaunchTemplateData"]
            if "UserData" in data:
                base64.b64decode(data["UserData"], validate=True)

    def auto_scaling(self, scaling):
        def name_of(one):
            return one["AutoScalingGroupName"]

        pages = dict(limit="MaxRecords", key=name_of)
        groups = self.pages(scaling.describe_auto_scaling_groups, "AutoScalingGroups", 3, **pages)
        self.expect("groups in one page", sorted(map(name_of, groups)), sorted(map(name_of, self.pages(scaling.describe_auto_scaling_groups, "AutoScalingGroups", 100, **pages))))
        self.pages(scaling.describe_launch_configurations, "LaunchConfigurations", 2, limit="MaxRecords", key=lambda one: one["LaunchConfigurationName"])
        for group in groups[:3]:
            only = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name_of(group)], IncludeInstances=False)
            self.expect("a group without its instances", [], only["AutoScalingGroups"][0].get("Instances", []) if only["AutoScalingGroups"] else [])
        scaling.describe_auto_scaling_groups(Filters=[{"Name": "tag-key", "Values": ["eks:cluster-name"]}])
        for group in groups:
            pool = self.pages(
                scaling.describe_warm_pool, "Instances", 1, limit="MaxRecords",
                key=lambda one: one["InstanceId"], AutoScalingGroupName=name_of(group),
            ) if group.get("WarmPoolSize") or group is groups[0] else []
            self.expect("the size of the warm pool", group.get("WarmPoolSize", 0), len(pool))

    def eks(self, eks):
        pages = dict(token="nextToken", limit="maxResults")
        for cluster in self.pages(eks.list_clusters, "clusters", 2, **pages):
            eks.describe_cluster(name=cluster)
            self.pages(eks.list_fargate_profiles, "fargateProfileNames", 1, clusterName=cluster, **pages)
            for group in self.pages(eks.list_nodegroups, "nodegroups", 2, clusterName=cluster, **pages):
                eks.describe_nodegroup(clusterName=cluster, nodegroupName=group)
            self.refused("ResourceNotFoundException", eks.describe_nodegroup, clusterName=cluster, nodegroupName="not-there")

    # --- wrong questions

    def wrong_questions(self, key, region, not_opted_in):
        sts, ec2, scaling, eks, organizations = (self.client(service, key, region) for service in SERVICES)
        ec2.describe_regions(RegionNames=[region])
        role = "arn:aws:iam::111122223333:role/no-such"
        for code, call, parameters in [
            ("InvalidParameterValue", ec2.describe_instances, dict(MaxResults=4)),
            ("InvalidParameterValue", ec2.describe_instances, dict(MaxResults=1001)),
            ("InvalidParameterValue", ec2.describe_instances, dict(Filters=[{"Name": "no-such", "Values": ["x"]}])),
            ("InvalidPaginationToken", ec2.describe_instances, dict(NextToken="made-up")),
            ("InvalidInstanceID.NotFound", ec2.describe_instances, dict(InstanceIds=["i-00000000000000001"])),
            ("InvalidInstanceID.Malformed", ec2.describe_instances, dict(InstanceIds=["i-x"])),
            ("DryRunOperation", ec2.describe_instances, dict(DryRun=True)),
            ("InvalidParameterValue", ec2.describe_launch_templates, dict(MaxResults=201)),
            ("InvalidLaunchTemplateId.NotFound", ec2.describe_launch_templates, dict(LaunchTemplateIds=["lt-00000000000000001"])),
            ("InvalidLaunchTemplateName.NotFoundException", ec2.describe_launch_templates, dict(LaunchTemplateNames=["no-such"])),
            ("MissingParameter", ec2.describe_launch_template_versions, dict()),
            ("InvalidParameterValue", ec2.describe_launch_template_versions, dict(Versions=["1"])),
            ("InvalidLaunchTemplateId.NotFound", ec2.describe_launch_template_versions, dict(LaunchTemplateId="lt-00000000000000001")),
            ("InvalidParameterValue", ec2.describe_instance_image_metadata, dict(MaxResults=1001)),
            ("InvalidInstanceID.NotFound", ec2.describe_instance_attribute, dict(Attribute="userData", InstanceId="i-00000000000000001")),
            ("InvalidParameterValue", ec2.describe_volumes, dict(MaxResults=1001)),
            ("InvalidPaginationToken", ec2.describe_snapshots, dict(NextToken="made-up")),
            ("UnknownParameter", ec2.describe_security_groups, dict(GroupIds=["sg-00000000000000001"])),
            ("InvalidParameterValue", ec2.describe_regions, dict(RegionNames=["us-mars-1"])),
            ("InvalidAction", ec2.describe_vpcs, dict()),
            ("ValidationError", scaling.describe_auto_scaling_groups, dict(MaxRecords=101)),
            ("InvalidNextToken", scaling.describe_auto_scaling_groups, dict(NextToken="made-up")),
            ("ValidationError", scaling.describe_auto_scaling_groups, dict(Filters=[{"Name": "no-such", "Values": ["x"]}])),
            ("ValidationError", scaling.describe_warm_pool, dict(AutoScalingGroupName="no-such")),
            ("InvalidAction", scaling.describe_policies, dict()),
            ("ResourceNotFoundException", eks.describe_cluster, dict(name="no-such")),
            ("ResourceNotFoundException", eks.list_nodegroups, dict(clusterName="no-such")),
            ("InvalidParameterException", eks.list_clusters, dict(maxResults=101)),
            ("InvalidParameterException", eks.list_clusters, dict(nextToken="made-up")),
            ("UnknownOperationException", eks.list_addons, dict(clusterName="no-such")),
            ("InvalidAction", sts.get_session_token, dict()),
            ("AccessDenied", sts.assume_role, dict(RoleArn=role, RoleSessionName="models")),
            ("ValidationError", sts.assume_role, dict(RoleArn=role, RoleSessionName="not a name")),
            ("ValidationError", sts.assume_role, dict(RoleArn=role, RoleSessionName="models", DurationSeconds=60)),
            ("MalformedPolicyDocument", sts.assume_role, dict(RoleArn=role, RoleSessionName="models", Policy="{}")),
            ("PackedPolicyTooLarge", sts.assume_role, dict(RoleArn=role, RoleSessionName="models", Policy=" " * 2049)),
            ("UnknownOperationException", organizations.list_policies, dict(Filter="SERVICE_CONTROL_POLICY")),
        ]:
            self.refused(code, call, **parameters)
        self.strangers("AKIANOSUCHKEY0000000", region)
        for elsewhere in (not_opted_in, "us-mars-1"):
            if elsewhere:
                self.strangers(key, elsewhere)

    def strangers(self, key, region, token=None):
        sts, ec2, scaling, eks, _ = (self.client(service, key, region, token) for service in SERVICES)
        self.refused("InvalidClientTokenId", sts.get_caller_identity)
        self.refused("AuthFailure", ec2.describe_instances)
        self.refused("InvalidClientTokenId", scaling.describe_auto_scaling_groups)
        self.refused("UnrecognizedClientException", eks.list_clusters)

    # --- the organisation, and sessions of roles

    def organization(self, key, role):
        """The tree of the organisation that the key's account administers; and the role in each of its accounts."""
        client = self.client("organizations", key, "us-east-1")
        lists = (client.list_accounts, client.list_roots, client.list_delegated_administrators)
        own = self.client("sts", key, "us-east-1").get_caller_identity()["Account"]
        try:
            found = client.describe_organization()["Organization"]
        except ClientError as error:
            self.expect("no organisation", "AWSOrganizationsNotInUseException", error.response["Error"]["Code"])
            for call in lists:
                self.refused("AWSOrganizationsNotInUseException", call)
            return
        if found["MasterAccountId"] != own:
            for call in lists:
                self.refused("AccessDeniedException", call)
            return
        def identity(one):
            return one["Id"]

        accounts = self.pages(client.list_accounts, "Accounts", 2, key=identity)
        self.expect("accounts in one page", accounts, self.pages(client.list_accounts, "Accounts", 20, key=identity))
        self.pages(client.list_delegated_administrators, "DelegatedAdministrators", 1, key=identity)
        parents = [one["Id"] for one in self.pages(client.list_roots, "Roots", 1, key=identity)]
        below = []
        for parent in parents:
            units = self.pages(
                client.list_organizational_units_for_parent, "OrganizationalUnits", 1, key=identity, ParentId=parent
            )
            parents += [unit["Id"] for unit in units]
            below += self.pages(client.list_accounts_for_parent, "Accounts", 1, key=identity, ParentId=parent)
        self.expect("accounts in the tree", sorted(map(identity, accounts)), sorted(map(identity, below)))
        for code, call, parameters in [
            ("InvalidInputException", client.list_accounts, dict(MaxResults=21)),
            ("InvalidInputException", client.list_accounts, dict(NextToken="made-up")),
            ("InvalidInputException", client.list_accounts_for_parent, dict(ParentId="x")),
            ("ParentNotFoundException", client.list_accounts_for_parent, dict(ParentId="r-zzzz")),
        ]:
            self.refused(code, call, **parameters)
        for account in accounts:
            if role and account["Id"] != own:
                self.session(key, account, f"arn:aws:iam::{account['Id']}:role/{role}")

    def session(self, key, account, role):
        sts = self.client("sts", key, "us-west-2")
        asked = dict(RoleArn=role, RoleSessionName="models", DurationSeconds=900)
        if account["State"] != "ACTIVE":
            self.refused("AccessDenied", sts.assume_role, **asked)
            return
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:DescribeRegions", "Resource": "*"}]}
        answer = sts.assume_role(**asked, Policy=json.dumps(policy))
        key, token = answer["Credentials"]["AccessKeyId"], answer["Credentials"]["SessionToken"]
        sts, ec2, scaling, eks, _ = (self.client(service, key, "us-east-1", token) for service in SERVICES)
        identity = sts.get_caller_identity()
        self.expect("who the session is", answer["AssumedRoleUser"]["Arn"], identity["Arn"])
        self.expect("the account of the session", account["Id"], identity["Account"])
        ec2.describe_regions()
        self.refused("UnauthorizedOperation", ec2.describe_instances)
        self.refused("AccessDenied", scaling.describe_auto_scaling_groups)
        self.refused("AccessDeniedException", eks.list_clusters)
        self.strangers(key, "us-east-1")
        self.strangers(key, "us-east-1", token[::-1])

    def run(self, keys, regions, role):
        for key in keys:
            first = regions[0] if regions else "us-east-1"
            self.client("sts", key, first).get_caller_identity()
            self.expect("aliases", [], self.client("iam", key, first).list_account_aliases()["AccountAliases"])
            known = self.client("ec2", key, first).describe_regions(AllRegions=True)["Regions"]
            enabled = [one["RegionName"] for one in known if one["OptInStatus"] != "not-opted-in"]
            closed = [one["RegionName"] for one in known if one["OptInStatus"] == "not-opted-in"]
            for region in regions or enabled:
                try:
                    self.region(key, region)
                except ResponseParserError as error:
                    self.problems.append(f"{region}: boto3 cannot read an answer: {str(error)[:200]}")
            self.wrong_questions(key, first, closed[0] if closed else None)
            self.organization(key, role)


# --- the checks themselves -------------------------------------------------------------------------------------------

EC2 = "http://ec2.amazonaws.com/doc/2016-11-15/"
SCALING = "http://autoscaling.amazonaws.com/doc/2011-01-01/"
WARM = (
    f'<DescribeWarmPoolResponse xmlns="{SCALING}"><DescribeWarmPoolResult><Instances><member>'
    "<ProtectedFromScaleIn>false</ProtectedFromScaleIn><AvailabilityZone>us-east-1a</AvailabilityZone>"
    "<InstanceId>i-00000000000000001</InstanceId><HealthStatus>Healthy</HealthStatus>"
    "<LifecycleState>Warmed:Stopped</LifecycleState></member></Instances></DescribeWarmPoolResult>"
    "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeWarmPoolResponse>"
)
UPDATED = (
    f'<UpdateAutoScalingGroupResponse xmlns="{SCALING}"><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>'
    "</UpdateAutoScalingGroupResponse>"
)
REGIONS = (
    f'<DescribeRegionsResponse xmlns="{EC2}"><requestId>1</requestId><regionInfo><item><regionName>us-east-1</regionName>'
    "</item></regionInfo></DescribeRegionsResponse>"
)
ACCOUNTS = '{"Accounts": [{"Id": "111122223333", "State": "ACTIVE", "JoinedTimestamp": 1.5}], "NextToken": "x"}'
CLUSTER = '{"cluster": {"name": "a", "createdAt": 1, "status": "ACTIVE", "outpostConfig": {"outpostArns": [], "controlPlaneInstanceType": "m"}}}'
# {"MetricDataResults": [{"Id": "a", "StatusCode": "Complete", "Timestamps": [1], "Values": [1.0]}]}
METRIC = (
    b"\xa1\x71MetricDataResults\x81\xa4\x62Id\x61a\x6aStatusCode\x68Complete\x6aTimestamps\x81\xc1\x01"
    b"\x66Values\x81\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00"
)
JSON = {"content-type": "application/x-amz-json-1.1"}
SMITHY = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
# Service, operation, a right answer, and ways to spoil it: what to
# replace, by what, and what must be complained about.
DOCTORED = [
    ("autoscaling", "DescribeWarmPool", WARM, [
        ("<InstanceId>i-00000000000000001</InstanceId>", "", "InstanceId is missing"),
        ("<HealthStatus>", "<Surprise>1</Surprise><HealthStatus>", "unknown member Surprise"),
        ("Warmed:Stopped", "Frozen", "is none of"),
        (">false<", ">no<", "is not a boolean"),
        ("<member>", "<item>", "not XML"),
        ("doc/2011-01-01", "doc/2012-01-01", "namespace"),
        ("<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>", "", "ResponseMetadata"),
    ]),
    ("autoscaling", "UpdateAutoScalingGroup", UPDATED, [
        ("<ResponseMetadata>", "<UpdateAutoScalingGroupResult/><ResponseMetadata>", "not ResponseMetadata"),
    ]),
    ("ec2", "DescribeRegions", REGIONS, [
        ("<regionName>us-east-1</regionName>", "<RegionName>us-east-1</RegionName>", "unknown member RegionName"),
        ("<requestId>1</requestId>", "", "no requestId"),
        ("<item><regionName>us-east-1</regionName></item>", "<member/>", "a list of item has a member"),
        ("<regionName>us-east-1</regionName>", "<regionName>a</regionName><regionName>b</regionName>", "is there twice"),
    ]),
    ("organizations", "ListAccounts", ACCOUNTS, [
        ('"Id"', '"id"', "unknown member id"),
        ("ACTIVE", "ALIVE", "is none of"),
        ("1.5", '"2026-11-15T09:00:00Z"', "is not a timestamp"),
        ("111122223333", "1111222233334", "has 13 characters"),
    ]),
    ("cloudwatch", "GetMetricData", METRIC, [
        (b"\x62Id", b"\x62id", "unknown member id"),
        (b"Complete", b"Finished", "is none of"),
        (b"\xc1\x01", b"\x61x", "is not a timestamp"),
        (b"\xfb\x3f\xf0", b"\xfb\x3f", "not CBOR"),
        (b"\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00", b"\x61x", "is not a double"),
    ]),
    ("eks", "DescribeCluster", CLUSTER, [
        ('"name"', '"Name"', "unknown member Name"),
        ('"controlPlaneInstanceType": "m"', '"controlPlaneInstanceType": null', "controlPlaneInstanceType is missing"),
        ('"createdAt": 1', '"createdAt": "2026-11-15T09:00:00Z"', "is not a timestamp"),
        ('"ACTIVE"', '"HAPPY"', "is none of"),
    ]),
]


def self_test():
    session = botocore.session.get_session()
    failures, count = [], 0
    for service, name, right, ways in DOCTORED:
        operation = session.get_service_model(service).operation_model(name)
        headers = SMITHY if isinstance(right, bytes) else JSON
        found = check_answer(operation, 200, headers, right)
        if found:
            failures.append(f"{name}: a right answer is refused: {found}")
        for old, new, complaint in ways:
            count += 1
            found = check_answer(operation, 200, headers, right.replace(old, new, 1))
            if not any(complaint in problem for problem in found):
                failures.append(f"{name}: {old!r} -> {new!r} is not caught as {complaint!r}, only {found}")
    errors = [("ec2", "<Response><Errors><Error><Code>X</Code></Error></Errors></Response>"), ("eks", "{}"), ("organizations", "{}")]
    for service, body in errors:
        count += 1
        model = session.get_service_model(service)
        if not check_error(model, model.resolved_protocol, {}, body):
            failures.append(f"{service}: a malformed error is not caught")
    return failures, count


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint")
    parser.add_argument("--key", action="append", default=[], help="an access key id of the fleet; may be repeated")
    parser.add_argument("--region", action="append", default=[], help="default: every enabled Region")
    parser.add_argument("--role", help="a role that the management account may assume in the others")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        failures, count = self_test()
        for failure in failures:
            print(failure, file=sys.stderr)
        print(f"{count - len(failures)} of {count} doctored answers caught")
        return 1 if failures else 0
    if not arguments.endpoint or not arguments.key:
        parser.error("--endpoint and --key are needed")
    checker = Checker(arguments.endpoint)
    checker.run(arguments.key, arguments.region, arguments.role)
    for problem, count in Counter(checker.problems).most_common(40):
        print(f"{problem}" + (f"  ({count} times)" if count > 1 else ""), file=sys.stderr)
    answers, refusals = sum(checker.operations.values()), sum(checker.errors.values())
    print(f"{answers} responses checked over {len(checker.operations)} operations, and {refusals} errors; {len(checker.problems)} problems")
    return 1 if checker.problems else 0


if __name__ == "__main__":
    sys.exit(main())
