#!/usr/bin/env python3
"""Drives the rollouts of the simulated AWS with boto3: node group updates and instance refreshes, as they succeed,
fail, are cancelled and roll back. Every raw answer is held against botocore's own service models.

    sim_rollouts.py --endpoint http://127.0.0.1:18080 --key AKIA...      for sim/fleets/rollouts.yaml

Ends with 0 and a summary, or with 1 and what is wrong.
"""

import argparse
import sys
from collections import Counter

from sim_models import Checker

REGION = "us-east-1"
OVER = ("Successful", "Failed", "Cancelled", "RollbackSuccessful", "RollbackFailed")


class Rollouts(Checker):
    def run_rollouts(self, key):
        self.eks = self.client("eks", key, REGION)
        self.scaling = self.client("autoscaling", key, REGION)
        self.ec2 = self.client("ec2", key, REGION)
        self.updates()
        self.refused_updates()
        self.refreshes()
        self.group_settings()
        self.refused_refreshes()

    # --- node groups

    def node_group(self, name):
        return self.eks.describe_nodegroup(clusterName="prod", nodegroupName=name)["nodegroup"]

    def update(self, name, **parameters):
        """Begins an update with everything pinned, looks until it is over, and gives its last answer."""
        group = self.node_group(name)
        pinned = {} if group["amiType"] == "CUSTOM" else dict(version=group["version"], releaseVersion=group["releaseVersion"])
        template = dict(name=group["launchTemplate"]["name"], version="2")
        asked = dict(clusterName="prod", nodegroupName=name, launchTemplate=template, **{**pinned, **parameters})
        begun = self.eks.update_nodegroup_version(**asked)["update"]
        self.expect(f"{name}, at first", "InProgress", begun["status"])
        for _ in range(30):
            update = self.eks.describe_update(name="prod", nodegroupName=name, updateId=begun["id"])["update"]
            if update["status"] != "InProgress":
                return update
        self.problems.append(f"{name}: the update never ends")
        return update

    def hops(self, name):
        """The hop limits of the nodes of a node group or a group."""
        wanted = [{"Name": "instance-state-name", "Values": ["running", "pending"]}]
        key = "tag:eks:nodegroup-name" if name in self.managed else "tag:aws:autoscaling:groupName"
        filters = wanted + [{"Name": key, "Values": [name]}]
        reservations = self.ec2.describe_instances(Filters=filters)["Reservations"]
        nodes = [node for reservation in reservations for node in reservation["Instances"]]
        return Counter(node["MetadataOptions"]["HttpPutResponseHopLimit"] for node in nodes)

    def updates(self):
        self.managed = set(self.eks.list_nodegroups(clusterName="prod")["nodegroups"])
        self.eks.get_waiter("nodegroup_active").wait(clusterName="prod", nodegroupName="general")
        for name, nodes in [("general", 6), ("empty", 0), ("custom", 3)]:
            before = self.node_group(name)
            update = self.update(name)
            self.expect(f"the update of {name}", ("Successful", []), (update["status"], update["errors"]))
            after = self.node_group(name)
            self.expect(f"{name} afterwards", ("ACTIVE", "2"), (after["status"], after["launchTemplate"]["version"]))
            self.expect(f"the release of {name}", before["releaseVersion"], after["releaseVersion"])
            self.expect(f"the nodes of {name}", Counter({2: nodes} if nodes else {}), self.hops(name))
        ids = self.pages(self.eks.list_updates, "updateIds", 1, token="nextToken", limit="maxResults", name="prod", nodegroupName="general")
        self.expect("updates of general", 1, len(ids))
        self.expect("updates of the cluster itself", [], self.eks.list_updates(name="prod")["updateIds"])
        held = self.update("budget")
        self.expect("a budget", ("Failed", "PodEvictionFailure"), (held["status"], held["errors"][0]["errorCode"]))
        self.expect("the nodes that it holds", Counter({1: 3}), self.hops("budget"))
        self.expect("a forced update", "Successful", self.update("budget", force=True)["status"])
        broken = self.update("breaks-once")
        self.expect("a failure", ("Failed", "NodeCreationFailure"), (broken["status"], broken["errors"][0]["errorCode"]))
        self.expect("what it left", Counter({1: 4, 2: 2}), self.hops("breaks-once"))
        self.expect("the version after it", "1", self.node_group("breaks-once")["launchTemplate"]["version"])
        self.expect("the second attempt", "Successful", self.update("breaks-once")["status"])
        unpinned = self.eks.update_nodegroup_version(clusterName="prod", nodegroupName="general")["update"]
        parameters = {one["type"]: one["value"] for one in unpinned["params"]}
        self.expect("what nobody pinned", "1.33.4-20261105", parameters.get("ReleaseVersion"))

    def refused_updates(self):
        update = self.eks.update_nodegroup_version
        moved = dict(clusterName="prod", nodegroupName="moved")
        plain = dict(clusterName="prod", nodegroupName="plain")
        custom = dict(clusterName="prod", nodegroupName="custom")
        golden = dict(name="golden", version="2")
        general = dict(clusterName="prod", nodegroupName="general")
        for code, parameters in [
            ("ResourceInUseException", general),
            ("InvalidParameterException", dict(moved, launchTemplate=dict(name="nodes", id="lt-00000000000000001"))),
            ("InvalidParameterException", dict(moved, launchTemplate=dict(version="2"))),
            ("InvalidParameterException", dict(moved, launchTemplate=dict(name="golden"))),
            ("InvalidParameterException", dict(moved, launchTemplate=dict(name="nodes", version="9"))),
            ("InvalidParameterException", dict(moved, version="1.34")),
            ("InvalidParameterException", dict(moved, releaseVersion="1.32.4-20261105")),
            ("InvalidParameterException", dict(plain, launchTemplate=dict(name="nodes"))),
            ("InvalidParameterException", dict(custom, launchTemplate=golden, version="1.33")),
            ("InvalidParameterException", dict(custom, launchTemplate=golden, releaseVersion="1.33.4-20261105")),
            ("InvalidParameterException", custom),
            ("ResourceNotFoundException", dict(moved, nodegroupName="no-such")),
            ("ResourceNotFoundException", dict(moved, clusterName="no-such")),
        ]:
            self.refused(code, update, **parameters)
        self.refused("ResourceNotFoundException", self.eks.describe_update, name="prod", nodegroupName="moved", updateId="no-such")
        self.refused("ResourceNotFoundException", self.eks.list_updates, name="no-such")
        # Once by its token, and never with another question.
        token = dict(moved, clientRequestToken="token-1", launchTemplate=dict(name="nodes", version="2"))
        first, again = update(**token)["update"], update(**token)["update"]
        self.expect("the same token", first["id"], again["id"])
        self.refused("InvalidParameterException", update, **dict(token, force=True))

    # --- groups

    def group(self, name):
        return self.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]

    def start(self, name, template="golden", version="2", **preferences):
        launch = dict(LaunchTemplateName=template, Version=version)
        return self.scaling.start_instance_refresh(
            AutoScalingGroupName=name, DesiredConfiguration=dict(LaunchTemplate=launch), Preferences=preferences
        )["InstanceRefreshId"]

    def refresh(self, name):
        """Looks until the refresh of a group is over, and gives its last answer."""
        for _ in range(30):
            refresh = self.scaling.describe_instance_refreshes(AutoScalingGroupName=name)["InstanceRefreshes"][0]
            if refresh["Status"] in OVER:
                return refresh
        self.problems.append(f"{name}: the refresh never ends")
        return refresh

    def refreshes(self):
        hooks = self.scaling.describe_lifecycle_hooks(AutoScalingGroupName="drained")["LifecycleHooks"]
        self.expect("hooks", ["drain", "arrive"], [hook["LifecycleHookName"] for hook in hooks])
        one = self.scaling.describe_lifecycle_hooks(AutoScalingGroupName="drained", LifecycleHookNames=["drain"])
        self.expect("one hook", "autoscaling:EC2_INSTANCE_TERMINATING", one["LifecycleHooks"][0]["LifecycleTransition"])
        for name in ("undrained", "drained"):
            identity = self.start(name, MinHealthyPercentage=100, MaxHealthyPercentage=200, AutoRollback=True, SkipMatching=True)
            done = self.refresh(name)
            self.expect(f"the refresh of {name}", (identity, "Successful", 100), (done["InstanceRefreshId"], done["Status"], done["PercentageComplete"]))
            group = self.group(name)
            self.expect(f"the source of {name}", "2", group["LaunchTemplate"]["Version"])
            self.expect(f"the nodes of {name}", {"2"}, {one["LaunchTemplate"]["Version"] for one in group["Instances"]})
        pool = self.scaling.describe_warm_pool(AutoScalingGroupName="drained")["Instances"]
        self.expect("its warm pool", ["2", "2"], [one["LaunchTemplate"]["Version"] for one in pool])
        self.start("rolls-back", AutoRollback=True)
        back = self.refresh("rolls-back")
        self.expect("a rollback", ("RollbackSuccessful", 0), (back["Status"], back["PercentageComplete"]))
        self.expect("its reason", "The new instances never became healthy.", back["RollbackDetails"]["RollbackReason"])
        self.expect("what is left of it", Counter({1: 3}), self.hops("rolls-back"))
        self.expect("its source", "1", self.group("rolls-back")["LaunchTemplate"]["Version"])
        self.start("breaks", AutoRollback=True)
        self.expect("a rollback that fails", "RollbackFailed", self.refresh("breaks")["Status"])
        self.start("protected")
        waited = self.refresh("protected")
        self.expect("an instance that stays", ("Failed", 1), (waited["Status"], waited["InstancesToUpdate"]))
        self.start("protected", ScaleInProtectedInstances="Refresh", StandbyInstances="Terminate", SkipMatching=True)
        self.expect("an instance that may go", "Successful", self.refresh("protected")["Status"])
        self.start("rolls-back")
        self.refused("InstanceRefreshInProgress", self.start, "rolls-back")
        self.scaling.cancel_instance_refresh(AutoScalingGroupName="rolls-back")
        self.expect("a cancelled refresh", "Cancelled", self.refresh("rolls-back")["Status"])
        self.start("rolls-back")
        self.scaling.rollback_instance_refresh(AutoScalingGroupName="rolls-back")
        self.expect("one that is turned back", "RollbackSuccessful", self.refresh("rolls-back")["Status"])
        all_of_them = self.pages(
            self.scaling.describe_instance_refreshes, "InstanceRefreshes", 1, limit="MaxRecords",
            key=lambda one: one["InstanceRefreshId"], AutoScalingGroupName="rolls-back",
        )
        self.expect("every refresh, the newest first", ["RollbackSuccessful", "Cancelled", "RollbackSuccessful"], [one["Status"] for one in all_of_them])

    def group_settings(self):
        group = self.group("mixed")
        policy = group["MixedInstancesPolicy"]
        launch = policy["LaunchTemplate"]
        for used in [launch["LaunchTemplateSpecification"]] + [one.get("LaunchTemplateSpecification", {}) for one in launch["Overrides"]]:
            if used:
                used["Version"] = "2"
                del used["LaunchTemplateName"]
        self.scaling.update_auto_scaling_group(AutoScalingGroupName="mixed", MixedInstancesPolicy=policy)
        after = self.group("mixed")["MixedInstancesPolicy"]
        versions = [after["LaunchTemplate"]["LaunchTemplateSpecification"]["Version"]]
        versions += [one["LaunchTemplateSpecification"]["Version"] for one in after["LaunchTemplate"]["Overrides"] if "LaunchTemplateSpecification" in one]
        self.expect("a policy that is repeated", ["2", "2"], versions)
        self.expect("its distribution", policy["InstancesDistribution"], after["InstancesDistribution"])
        self.scaling.start_instance_refresh(AutoScalingGroupName="mixed", DesiredConfiguration=dict(MixedInstancesPolicy=policy))
        done = self.refresh("mixed")
        self.expect("the refresh of mixed", "Successful", done["Status"])
        self.expect("the nodes of mixed", Counter({2: 4}), self.hops("mixed"))
        self.scaling.update_auto_scaling_group(AutoScalingGroupName="latest", LaunchTemplate=dict(LaunchTemplateName="golden", Version="1"))
        self.expect("a group with a number", "1", self.group("latest")["LaunchTemplate"]["Version"])
        self.scaling.update_auto_scaling_group(AutoScalingGroupName="latest", MinSize=1, MaxSize=3, DesiredCapacity=3)
        self.expect("a larger group", 3, len(self.group("latest")["Instances"]))
        self.scaling.update_auto_scaling_group(AutoScalingGroupName="latest", LaunchTemplate=dict(LaunchTemplateName="golden", Version="$Latest"))

    def refused_refreshes(self):
        start, update = self.scaling.start_instance_refresh, self.scaling.update_auto_scaling_group
        def desired(template, version):
            return dict(DesiredConfiguration=dict(LaunchTemplate=dict(LaunchTemplateName=template, Version=version)))

        undrained, latest = dict(AutoScalingGroupName="undrained"), dict(AutoScalingGroupName="latest")
        back = dict(Preferences=dict(AutoRollback=True))
        for call, parameters in [
            (start, dict(undrained, **back)),
            (start, dict(undrained, **desired("golden", "$Latest"), **back)),
            (start, dict(latest, **desired("golden", "2"), **back)),
            (start, dict(desired("by-parameter", "2"), AutoScalingGroupName="parameter", **back)),
            (start, dict(undrained, **desired("golden", "9"))),
            (start, dict(undrained, **desired("no-such", "1"))),
            (start, dict(undrained, Strategy="ReplaceRootVolume")),
            (start, dict(undrained, Preferences=dict(MaxHealthyPercentage=150))),
            (start, dict(undrained, Preferences=dict(MinHealthyPercentage=101))),
            (start, dict(undrained, Preferences=dict(MinHealthyPercentage=0, MaxHealthyPercentage=150))),
            (start, dict(undrained, Preferences=dict(StandbyInstances="Refresh"))),
            (start, dict(AutoScalingGroupName="no-such")),
            (start, dict()),
            (update, dict(undrained, LaunchTemplate=dict(LaunchTemplateName="nodes", Version="1"))),
            (update, dict(undrained, LaunchTemplate=dict(LaunchTemplateId="lt-00000000000000001"))),
            (update, dict(undrained, LaunchTemplate=dict(LaunchTemplateId="x", LaunchTemplateName="golden"))),
            (update, dict(undrained, LaunchConfigurationName="no-such")),
            (update, dict(undrained, MinSize=5, MaxSize=4)),
            (update, dict(undrained, DesiredCapacity=100)),
            (update, dict(undrained, CapacityRebalance=True)),
            (update, dict(AutoScalingGroupName="no-such", MinSize=0)),
            (self.scaling.describe_instance_refreshes, dict(AutoScalingGroupName="no-such")),
            (self.scaling.describe_lifecycle_hooks, dict(AutoScalingGroupName="no-such")),
        ]:
            self.refused("ValidationError", call, **parameters)
        self.refused("InvalidNextToken", self.scaling.describe_instance_refreshes, NextToken="made-up", **undrained)
        for call in (self.scaling.cancel_instance_refresh, self.scaling.rollback_instance_refresh):
            self.refused("ActiveInstanceRefreshNotFound", call, **undrained)
        start(**undrained)
        self.refused("IrreversibleInstanceRefresh", self.scaling.rollback_instance_refresh, **undrained)
        # While something is desired the group may not be given another source.
        self.start("drained", version="1")
        self.refused("ValidationError", update, AutoScalingGroupName="drained", LaunchTemplate=dict(LaunchTemplateName="golden", Version="1"))
        # What is EKS's own is not for anyone else.
        moved = self.node_group("plain")
        start(AutoScalingGroupName=moved["resources"]["autoScalingGroups"][0]["name"])
        degraded = self.node_group("plain")
        codes = [issue["code"] for issue in degraded["health"]["issues"]]
        self.expect("a refresh of a node group", ("DEGRADED", ["AutoScalingGroupInstanceRefreshActive"]), (degraded["status"], codes))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--key", required=True, help="the access key id of the fleet")
    arguments = parser.parse_args()
    checker = Rollouts(arguments.endpoint)
    checker.run_rollouts(arguments.key)
    for problem, count in Counter(checker.problems).most_common(40):
        print(f"{problem}" + (f"  ({count} times)" if count > 1 else ""), file=sys.stderr)
    answers, refusals = sum(checker.operations.values()), sum(checker.errors.values())
    print(f"{answers} responses checked over {len(checker.operations)} operations, and {refusals} errors; {len(checker.problems)} problems")
    return 1 if checker.problems else 0


if __name__ == "__main__":
    sys.exit(main())
