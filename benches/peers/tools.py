"""The tools: how each is asked the question, and how its answer is read.

An answer is a set of `(kind, identity, question)`: kind is instance, group, template or account; groups are
`REGION/NAME`; the question is tokens or hops.
"""

import json
from pathlib import Path

HERE = Path(__file__).parent


def installed(environment, package):
    return [str(environment / "bin" / "python"), "-c", f"from importlib.metadata import version; print(version('{package}'))"]


class Imdsctl:
    """The tool of this repository."""

    name = "imdsctl"
    ends_well = (0, 1)

    def __init__(self, binary):
        self.binary = binary
        self.version_command = [str(binary), "--version"]

    def command(self, scene, _):
        where = [word for region in scene.regions for word in ("--region", region)]
        return [str(self.binary), "audit", *where, "--policy", str(HERE / "policy.yml"), "-o", "json=report.json", "-q"]

    def answer(self, folder, node_groups):
        report = json.loads((folder / "report.json").read_text())
        found = set()
        for finding in report["findings"]:
            resource = finding["resource"]
            identity = {
                "instance": ("instance", resource["id"]),
                "node_group": ("group", node_groups.get(resource["arn"])),
                "auto_scaling_group": ("group", f"{finding['region']}/{resource['id']}"),
                "launch_template": ("template", resource["id"]),
                "account_defaults": ("account", finding["region"]),
            }[resource["type"]]
            if finding["status"] == "fail":
                found.add((*identity, finding["rule"]))
        return found


class Custodian:
    """Cloud Custodian: `custodian run`, one Region after the other."""

    name = "Cloud Custodian"
    ends_well = (0,)
    policies = {
        "instance-tokens": ("instance", "tokens"),
        "instance-hops": ("instance", "hops"),
        "template-tokens": ("template", "tokens"),
        "template-hops": ("template", "hops"),
        "group-tokens": ("group", "tokens"),
        "group-hops": ("group", "hops"),
        "defaults-tokens": ("account", "tokens"),
    }

    def __init__(self, environment):
        self.binary = environment / "bin" / "custodian"
        self.version_command = installed(environment, "c7n")

    def command(self, scene, _):
        where = [word for region in scene.regions for word in ("--region", region)]
        # The cache is its own default; here it begins empty, as for a first run of a day.
        return [str(self.binary), "run", "--cache", "cache", *where, "-s", "out", str(HERE / "custodian.yml")]

    def answer(self, folder, _):
        found = set()
        for resources in folder.glob("out/**/resources.json"):
            region, policy = resources.parts[-3:-1]
            kind, question = self.policies.get(policy, (None, None))
            if kind is None:
                continue
            for resource in json.loads(resources.read_text()):
                identity = {
                    "instance": resource.get("InstanceId"),
                    "template": resource.get("LaunchTemplateId"),
                    "group": f"{region}/{resource.get('AutoScalingGroupName')}",
                    "account": region,
                }[kind]
                found.add((kind, identity, question))
        return found


class CustodianOrganisation(Custodian):
    """`c7n-org`: the same policies, a process for each account and Region."""

    name = "c7n-org"

    def __init__(self, environment):
        super().__init__(environment)
        self.binary = environment / "bin" / "c7n-org"
        self.version_command = installed(environment, "c7n-org")

    def command(self, scene, folder):
        account = {"name": "fleet", "account_id": scene.account, "profile": "fleet", "regions": scene.regions}
        (folder / "cache").mkdir()
        # Every JSON document is a YAML document.
        (folder / "accounts.yml").write_text(json.dumps({"accounts": [account]}))
        where = [word for region in scene.regions for word in ("--region", region)]
        return [
            *(str(self.binary), "run", "--cache-path", "cache", "-c", "accounts.yml", "-s", "out"),
            *("-u", str(HERE / "custodian.yml"), *where),
        ]


class Prowler:
    """Prowler: every check of its about the metadata service."""

    name = "Prowler"
    ends_well = (0,)
    checks = {
        "ec2_instance_imdsv2_enabled": "instance",
        "ec2_launch_template_imdsv2_required": "template",
        "autoscaling_group_launch_configuration_requires_imdsv2": "group",
        "ec2_instance_account_imdsv2_enabled": "account",
        "ec2_confidential_workload_host_imdsv2_not_enforced": "instance",
    }

    def __init__(self, environment):
        self.binary = environment / "bin" / "prowler"
        self.version_command = installed(environment, "prowler")

    def command(self, scene, _):
        return [
            *(str(self.binary), "aws", "--no-banner", "--no-color", "--ignore-exit-code-3"),
            *("--region", *scene.regions, "--check", *self.checks),
            *("--output-formats", "json-ocsf", "--output-directory", "out", "--output-filename", "report"),
        ]

    def answer(self, folder, _):
        found = set()
        for finding in json.loads((folder / "out" / "report.ocsf.json").read_text()):
            kind = self.checks[finding["metadata"]["event_code"]]
            resource = finding["resources"][0]
            last = resource["uid"].rsplit("/", 1)[-1]
            identity = {
                "instance": last,
                "template": last,
                "group": f"{resource['region']}/{last}",
                "account": resource["region"],
            }[kind]
            if finding["status_code"] == "FAIL":
                found.add((kind, identity, "tokens"))
        return found


class Least:
    """The least that must be read, by boto3; it judges nothing."""

    name = "least possible"
    ends_well = (0,)

    def __init__(self, environment):
        self.python = environment / "bin" / "python"
        self.version_command = installed(environment, "boto3")

    def command(self, scene, _):
        return [str(self.python), str(HERE / "least.py"), *scene.regions]

    def answer(self, *_):
        return None
