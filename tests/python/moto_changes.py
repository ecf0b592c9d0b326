#!/usr/bin/env python3
"""Seeds a moto server with what imdsctl can change there, and says afterwards what became of it.

    moto_changes.py --endpoint http://127.0.0.1:5000 seed|show

moto has no instance refresh, no update of node groups and no account defaults; and a version of a launch template
holds only what was sent, whatever its source.
"""

import argparse
import json

from moto_seed import GOOD, WORST, Seeder, owned


def seed(endpoint):
    # Somebody has made the right version already, and nothing uses it.
    region = Seeder(endpoint, "eu-west-1")
    region.cluster("blue")
    template = region.template("nodes", WORST, GOOD)
    region.self_managed("blue-nodes", template, GOOD, version="1")
    region.instance(WORST, owned("blue"))
    # Nobody has.
    region = Seeder(endpoint, "eu-central-1")
    region.cluster("green")
    template = region.template("other", WORST)
    region.self_managed("green-nodes", template, GOOD, version="1")


def show(endpoint):
    shown = {}
    for name in ["eu-west-1", "eu-central-1"]:
        region = Seeder(endpoint, name)
        templates = region.ec2.describe_launch_templates()["LaunchTemplates"]
        groups = region.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        reservations = region.ec2.describe_instances()["Reservations"]
        alone = [
            instance["MetadataOptions"]
            for reservation in reservations
            for instance in reservation["Instances"]
            if not any(tag["Key"] == "aws:autoscaling:groupName" for tag in instance.get("Tags", []))
        ]
        shown[name] = {
            "templates": {one["LaunchTemplateName"]: one["DefaultVersionNumber"] for one in templates},
            "latest": {one["LaunchTemplateName"]: one["LatestVersionNumber"] for one in templates},
            "groups": {one["AutoScalingGroupName"]: one["LaunchTemplate"]["Version"] for one in groups},
            "desired": {one["AutoScalingGroupName"]: one["DesiredCapacity"] for one in groups},
            "alone": [[one["HttpTokens"], one["HttpPutResponseHopLimit"], one["HttpEndpoint"]] for one in alone],
        }
    print(json.dumps(shown))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("what", choices=["seed", "show"])
    arguments = parser.parse_args()
    {"seed": seed, "show": show}[arguments.what](arguments.endpoint)


if __name__ == "__main__":
    main()
