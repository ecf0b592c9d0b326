#!/usr/bin/env python3
"""What is true of the fleet: reads everything with boto3, judges it by itself, and prints JSON.

Nothing here is shared with any of the tools. Options come about as EC2 says: what the template sets, else the
account's default for the Region, else the image, else optional tokens and one hop. A template that leaves an option
and the image open is not decided, and nobody is scored on it. Neither is anybody on the copies that EKS keeps of
templates: they are judged as the groups that launch from them.

    truth.py REGION...
"""

import json
import sys

import boto3

BUILT_IN = {"tokens": "optional", "hops": 1, "endpoint": "enabled"}
NAMES = {"tokens": "HttpTokens", "hops": "HttpPutResponseHopLimit", "endpoint": "HttpEndpoint"}
UNDECIDED = object()


class Region:
    """One Region of the account."""

    def __init__(self, session, name):
        self.name = name
        self.ec2, self.scaling, self.eks = (session.client(s, region_name=name) for s in ("ec2", "autoscaling", "eks"))
        self.defaults = self.ec2.get_instance_metadata_defaults()["AccountLevel"]
        images = self.ec2.describe_images(IncludeDeprecated=True)["Images"]
        self.images = {image["ImageId"]: image for image in images}
        self.bad, self.judged = [], []
        self.strays = 0

    def everything(self):
        instances = self.instances()
        for group in self.all("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups"):
            self.group(group, instances)
        for template in self.all("ec2", "describe_launch_templates", "LaunchTemplates"):
            if not any(tag["Key"].startswith("eks:") for tag in template.get("Tags", [])):
                version = self.version(template["LaunchTemplateId"], "$Default")
                self.judge("template", template["LaunchTemplateId"], self.options(version))
        wrong = self.defaults.get("HttpTokens") != "required"
        self.note("account", self.name, "tokens", wrong)
        return self

    def all(self, service, operation, member):
        client = {"ec2": self.ec2, "autoscaling": self.scaling, "eks": self.eks}[service]
        return [one for page in client.get_paginator(operation).paginate() for one in page[member]]

    def instances(self):
        options = {}
        for reservation in self.all("ec2", "describe_instances", "Reservations"):
            for instance in reservation["Instances"]:
                has = instance["MetadataOptions"]
                one = {option: has[name] for option, name in NAMES.items()}
                options[instance["InstanceId"]] = one
                self.judge("instance", instance["InstanceId"], one)
        return options

    def group(self, group, instances):
        """By the worst of what its next instance may come from."""
        worst = [self.options(data) for data in self.sources(group)]
        name = f"{self.name}/{group['AutoScalingGroupName']}"
        for question in ("tokens", "hops"):
            answers = [breaks(options, question) for options in worst]
            if True in answers:
                self.note("group", name, question, True)
            elif UNDECIDED not in answers:
                self.note("group", name, question, False)
        # Counted, not judged: what runs may come from an earlier version, or have been changed since.
        for instance in group["Instances"]:
            self.strays += instances.get(instance["InstanceId"]) not in worst

    def sources(self, group):
        if "LaunchConfigurationName" in group:
            named = [group["LaunchConfigurationName"]]
            return self.scaling.describe_launch_configurations(LaunchConfigurationNames=named)["LaunchConfigurations"]
        if "LaunchTemplate" in group:
            return [self.specified(group["LaunchTemplate"])]
        policy = group["MixedInstancesPolicy"]["LaunchTemplate"]
        base = policy["LaunchTemplateSpecification"]
        overrides = policy.get("Overrides") or [{}]
        return [self.specified(one.get("LaunchTemplateSpecification", base)) for one in overrides]

    def specified(self, specification):
        return self.version(specification["LaunchTemplateId"], specification.get("Version", "$Default"))

    def version(self, template, version):
        found = self.ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=[version], ResolveAlias=True)
        return found["LaunchTemplateVersions"][0]["LaunchTemplateData"]

    def options(self, data):
        block = data.get("MetadataOptions", {})
        return {option: self.option(data, block, option) for option in NAMES}

    def option(self, data, block, option):
        name = NAMES[option]
        for level in (block, self.defaults):
            if name in level:
                return level[name]
        if option == "endpoint":
            return BUILT_IN[option]
        image = self.images.get(data.get("ImageId"))
        if image is None:
            return UNDECIDED
        from_image = {"tokens": "required", "hops": 2} if image.get("ImdsSupport") == "v2.0" else BUILT_IN
        return from_image[option]

    def judge(self, kind, identity, options):
        for question in ("tokens", "hops"):
            answer = breaks(options, question)
            if answer is not UNDECIDED:
                self.note(kind, identity, question, answer)

    def note(self, kind, identity, question, wrong):
        self.judged.append([kind, identity, question])
        if wrong:
            self.bad.append([kind, identity, question])

    def node_groups(self):
        """Which Auto Scaling group a node group is."""
        found = {}
        for cluster in self.all("eks", "list_clusters", "clusters"):
            for name in self.eks.list_nodegroups(clusterName=cluster)["nodegroups"]:
                node_group = self.eks.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"]
                for group in node_group["resources"]["autoScalingGroups"]:
                    found[node_group["nodegroupArn"]] = f"{self.name}/{group['name']}"
        return found


def breaks(options, question):
    """Is it wrong? A disabled endpoint answers nobody, with or without a token."""
    value = options[question]
    if options["endpoint"] == "disabled":
        return False
    if value is UNDECIDED:
        return UNDECIDED
    return value != "required" if question == "tokens" else value < 2


def main(names):
    session = boto3.Session()
    regions = [Region(session, name).everything() for name in names]
    json.dump(
        {
            "judged": [one for region in regions for one in region.judged],
            "bad": [one for region in regions for one in region.bad],
            "node_groups": {arn: group for region in regions for arn, group in region.node_groups().items()},
            "running_otherwise": sum(region.strays for region in regions),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
