#!/usr/bin/env python3
"""Works out, without imdsctl, what an audit of a moto server by the policy `al2023` has to find.

    moto_truth.py --endpoint http://127.0.0.1:5000

It reads everything back through boto3 and applies AWS's documented rules: what it reports follows from the server's
answers alone, not from what was seeded. It is written for being read beside the documentation, and asks far more than
an audit may. Prints JSON:

    {"findings": [{account_id, region, resource_type, resource_id, rule, status, managed_by, actual}],
     "coverage": [{region, status, missing: ["service:Operation"]}]}
"""

import argparse
import functools
import json
import re
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

# The shipped policy `al2023`: the rule, the option, and what it asks.
RULES = (
    ("tokens-required", "HttpTokens", lambda value: value == "required"),
    ("hop-limit-min", "HttpPutResponseHopLimit", lambda value: value >= 2),
    ("endpoint-enabled", "HttpEndpoint", lambda value: value == "enabled"),
)

# Of several ways to launch, the worst counts.
WORST_FIRST = ("fail", "unknown", "pass", "not_applicable")

# EC2 User Guide, "Configure the Instance Metadata Service options", order of precedence: the last two columns.
OF_IMAGE_V2 = {"HttpTokens": "required", "HttpPutResponseHopLimit": 2}
BUILT_IN = {"HttpTokens": "optional", "HttpPutResponseHopLimit": 1, "HttpEndpoint": "enabled"}

# EKS User Guide, "Retrieve recommended Amazon Linux AMI IDs"; Amazon Linux 2023 User Guide.
AL2023_NAMES = re.compile(
    r"amazon-eks-node-al2023-(x86_64|arm64)-(standard|nvidia|neuron)-([0-9.]+-)?\d+\.\d+-v\d{8}|al2023-ami-.*"
)
OTHER_NAMES = re.compile(r"amazon-eks-(gpu-|arm64-)?node-\d+\.\d+-v\d{8}|bottlerocket-.*|Windows_Server-.*")

CLUSTER_TAGS = ("aws:eks:cluster-name", "eks:cluster-name", "eks:eks-cluster-name", "alpha.eksctl.io/cluster-name")
OWNERSHIP = "kubernetes.io/cluster/"
AUTOSCALER = "k8s.io/cluster-autoscaler/"
KARPENTER_TAGS = ("karpenter.k8s.aws/ec2nodeclass", "karpenter.sh/nodepool", "karpenter.sh/nodeclaim")
TRACES = CLUSTER_TAGS + KARPENTER_TAGS + ("eks:nodegroup-name",)

LIVING = ("pending", "running", "stopping", "stopped")

KINDS = ("ec2", "eks", "autoscaling")


def tags_of(resource):
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}


def cluster_of(tags):
    """The cluster that tags name, or None."""
    for key in CLUSTER_TAGS:
        if key in tags:
            return tags[key]
    return next((key.removeprefix(OWNERSHIP) for key in sorted(tags) if key.startswith(OWNERSHIP)), None)


def has_traces(tags):
    return any(key in TRACES or key.startswith(OWNERSHIP) for key in tags)


def is_karpenter(tags):
    return any(key in tags for key in KARPENTER_TAGS)


def family_of_image(image):
    """`al2023`, `other`, or None where it cannot be told."""
    if image is None:
        return None
    for text in (image.get("Name", ""), tags_of(image).get("source_ami_name", "")):
        if AL2023_NAMES.fullmatch(text):
            return "al2023"
        if OTHER_NAMES.fullmatch(text):
            return "other"
    return "al2023" if "Amazon Linux 2023" in image.get("Description", "") else None


def family_of_ami_type(ami_type):
    """EKS's own word, except for CUSTOM: then only the image can tell."""
    if ami_type == "CUSTOM":
        return None
    return "al2023" if ami_type.startswith("AL2023_") else "other"


class Region:
    """What one Region holds, as the API tells it."""

    def __init__(self, session, endpoint, name):
        config = Config(retries={"mode": "standard", "max_attempts": 1})
        clients = {kind: session.client(kind, name, endpoint_url=endpoint, config=config) for kind in KINDS}
        self.ec2, self.eks, self.autoscaling = clients["ec2"], clients["eks"], clients["autoscaling"]
        self.missing, self.images = set(), {}
        self.clusters = self.eks.list_clusters()["clusters"]
        self.node_groups = [
            self.eks.describe_nodegroup(clusterName=cluster, nodegroupName=group)["nodegroup"]
            for cluster in self.clusters
            for group in self.eks.list_nodegroups(clusterName=cluster)["nodegroups"]
        ]
        pages = self.autoscaling.get_paginator("describe_auto_scaling_groups").paginate()
        self.groups = {group["AutoScalingGroupName"]: group for page in pages for group in page["AutoScalingGroups"]}
        pages = self.ec2.get_paginator("describe_instances").paginate()
        self.instances = {
            instance["InstanceId"]: instance
            for page in pages
            for reservation in page["Reservations"]
            for instance in reservation["Instances"]
            if instance["State"]["Name"] in LIVING
        }
        self.node_group_of = {
            group["name"]: node_group
            for node_group in self.node_groups
            for group in node_group["resources"]["autoScalingGroups"]
        }
        self.group_of = {
            instance["InstanceId"]: name for name, group in self.groups.items() for instance in group["Instances"]
        }

    # --- what belongs to clusters ----------------------------------------------------------------------------------

    def cluster_of_group(self, name):
        """By its tags, by a node in it, or by cluster-autoscaler's tag for a cluster that exists."""
        tags = tags_of(self.groups[name])
        members = [tags_of(node) for node in self.instances.values() if self.group_of.get(node["InstanceId"]) == name]
        by_node = next(filter(None, map(cluster_of, members)), None)
        watched = (key.removeprefix(AUTOSCALER) for key in tags if key.startswith(AUTOSCALER))
        return cluster_of(tags) or by_node or next((known for known in watched if known in self.clusters), None)

    def nodes(self):
        """Every instance that a tag of its own, or its group, makes a node."""
        for node in self.instances.values():
            group = self.group_of.get(node["InstanceId"])
            if has_traces(tags_of(node)) or (group and self.cluster_of_group(group)):
                yield node

    def has_eks(self):
        traces = [tags_of(resource) for resource in (*self.groups.values(), *self.instances.values())]
        return bool(self.clusters) or any(map(has_traces, traces))

    def managed_by(self, node):
        """The order of EKS's and Karpenter's documentation: the more special tag first."""
        tags, group = tags_of(node), self.group_of.get(node["InstanceId"])
        if is_karpenter(tags):
            return "karpenter"
        if group in self.node_group_of:
            return managed_by_node_group(self.node_group_of[group])
        return "self_managed" if group else "standalone"

    # --- what the next node gets -----------------------------------------------------------------------------------

    def ask(self, operation, **arguments):
        """What an operation answers that moto may lack; None then, and it is remembered as missing."""
        try:
            return getattr(self.ec2, operation)(**arguments)
        except (ClientError, ResponseParserError):
            self.missing.add("ec2:" + "".join(word.capitalize() for word in operation.split("_")))
            return None

    @functools.cached_property
    def account_defaults(self):
        answer = self.ask("get_instance_metadata_defaults")
        return None if answer is None else answer.get("AccountLevel", {})

    def image(self, image_id):
        """An image, or None where it cannot be read."""
        if image_id and image_id not in self.images:
            try:
                self.images[image_id] = self.ec2.describe_images(ImageIds=[image_id])["Images"][0]
            except (ClientError, IndexError):
                self.images[image_id] = None
        return self.images.get(image_id)

    def effective(self, block, image_id):
        """Each option on its own: template, then account default, then image, then built-in. None is not known."""
        image, values = self.image(image_id), {}
        for _, option, _ in RULES:
            if option in block:
                values[option] = block[option]
            elif self.account_defaults is None:
                values[option] = None
            elif self.account_defaults.get(option) not in (None, "no-preference", -1):
                values[option] = self.account_defaults[option]
            elif option in OF_IMAGE_V2 and image is None:
                values[option] = None
            elif option in OF_IMAGE_V2 and image.get("ImdsSupport") == "v2.0":
                values[option] = OF_IMAGE_V2[option]
            else:
                values[option] = BUILT_IN[option]
        return values

    def version(self, specification):
        """The data of the template version that a specification names today; None if there is none."""
        key = "LaunchTemplateId" if specification.get("LaunchTemplateId") else "LaunchTemplateName"
        which = {key: specification[key], "Versions": [specification.get("Version") or "$Default"]}
        try:
            versions = self.ec2.describe_launch_template_versions(**which)["LaunchTemplateVersions"]
        except ClientError:
            return None
        return versions[0]["LaunchTemplateData"] if versions else None

    def launches(self, group):
        """Every way an Auto Scaling group may make its next node, as (image, block), or None where that is gone."""
        if name := group.get("LaunchConfigurationName"):
            answer = self.autoscaling.describe_launch_configurations(LaunchConfigurationNames=[name])
            configuration = answer["LaunchConfigurations"][0]
            return [(configuration["ImageId"], configuration.get("MetadataOptions", {}))]
        policy = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate")
        specifications = [group.get("LaunchTemplate")]
        if policy:
            base = policy["LaunchTemplateSpecification"]
            overrides = policy.get("Overrides") or [{}]
            specifications = [override.get("LaunchTemplateSpecification", base) for override in overrides]
        versions = [self.version(specification) for specification in specifications]
        return [data and (data.get("ImageId"), data.get("MetadataOptions", {})) for data in versions]

    def ways(self, launches, family=None):
        """Launches as (family, effective options). Of what is gone, nothing is known."""
        for launch in launches:
            if launch is None:
                yield family, dict.fromkeys(BUILT_IN)
            else:
                image, block = launch
                yield family or family_of_image(self.image(image)), self.effective(block, image)

    # --- what is judged --------------------------------------------------------------------------------------------

    def subjects(self):
        """(resource type, id, what manages it, every way it comes to be as (family, options))."""
        for node in self.nodes():
            node_group = self.node_group_of.get(self.group_of.get(node["InstanceId"]))
            family = family_of_image(self.image(node.get("ImageId")))
            if node_group:
                family = family_of_ami_type(node_group["amiType"]) or family
            yield "instance", node["InstanceId"], self.managed_by(node), [(family, node["MetadataOptions"])]
        for node_group in self.node_groups:
            yield self.judged_node_group(node_group)
        for name, group in self.groups.items():
            if name not in self.node_group_of and self.cluster_of_group(name):
                yield "auto_scaling_group", name, "self_managed", list(self.ways(self.launches(group)))
        for template in self.ec2.describe_launch_templates(MaxResults=200)["LaunchTemplates"]:
            if template["LaunchTemplateName"].startswith("karpenter.k8s.aws/"):
                latest = {"LaunchTemplateId": template["LaunchTemplateId"], "Version": "$Latest"}
                ways = list(self.ways(self.launches({"LaunchTemplate": latest})))
                yield "launch_template", template["LaunchTemplateId"], "karpenter", ways

    def judged_node_group(self, node_group):
        """By the copy that its Auto Scaling group runs; where there is none, by what the user's template sets."""
        family = family_of_ami_type(node_group["amiType"])
        groups = [self.groups.get(group["name"]) for group in node_group["resources"]["autoScalingGroups"]]
        launches = [launch for group in filter(None, groups) for launch in self.launches(group)]
        ways = list(self.ways(launches, family))
        if None in launches or not launches:
            given = node_group.get("launchTemplate", {})
            users = given and self.version({"LaunchTemplateId": given["id"], "Version": given["version"]})
            block = (users or {}).get("MetadataOptions", {})
            ways = [(family, {option: block.get(option) for option in BUILT_IN})]
        name = f"{node_group['clusterName']}/{node_group['nodegroupName']}"
        return "node_group", name, managed_by_node_group(node_group), ways

    def findings(self):
        for kind, name, managed_by, ways in self.subjects():
            for rule, option, holds in RULES:
                judged = [(judge(option, holds, *way), way[1].get(option)) for way in ways if way[0] != "other"]
                if judged:
                    status, actual = min(judged, key=lambda one: WORST_FIRST.index(one[0]))
                    yield {
                        "resource_type": kind,
                        "resource_id": name,
                        "managed_by": managed_by,
                        "rule": rule,
                        "status": status,
                        "actual": actual,
                    }


def managed_by_node_group(node_group):
    return "managed_node_group" if "launchTemplate" in node_group else "managed_node_group_default"


def judge(option, holds, family, options):
    """One rule on one node to be; failing is only unknown where the family is."""
    if option != "HttpEndpoint" and options.get("HttpEndpoint") == "disabled":
        return "not_applicable"
    value = options.get(option)
    if value is None:
        return "unknown"
    if holds(value):
        return "pass"
    return "fail" if family else "unknown"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--endpoint", required=True)
    endpoint = parser.parse_args().endpoint
    session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret")
    account = session.client("sts", "us-east-1", endpoint_url=endpoint).get_caller_identity()["Account"]
    regions = session.client("ec2", "us-east-1", endpoint_url=endpoint).describe_regions(AllRegions=True)["Regions"]

    truth = {"findings": [], "coverage": []}
    for entry in regions:
        name = entry["RegionName"]
        if entry["OptInStatus"] == "not-opted-in":
            truth["coverage"].append({"region": name, "status": "skipped", "missing": []})
            continue
        region = Region(session, endpoint, name)
        truth["findings"] += [{"account_id": account, "region": name, **found} for found in region.findings()]
        if region.has_eks():
            # An audit asks for the defaults wherever there is EKS, whether or not an option is left open, and asks
            # an instance about its image only where the image itself is gone.
            _ = region.account_defaults
            gone = [node["InstanceId"] for node in region.nodes() if region.image(node.get("ImageId")) is None]
            if gone:
                region.ask("describe_instance_image_metadata", InstanceIds=gone)
        status = "partial" if region.missing else "complete"
        truth["coverage"].append({"region": name, "status": status, "missing": sorted(region.missing)})
    json.dump(truth, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
