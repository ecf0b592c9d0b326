"""What sim_models.py does to the simulated AWS with boto3: every write of EC2's, on what the fleet has.

Each answer is held against botocore's models by the checker that is passed in; here it is asked whether the world is
what the answers say. Whatever is done to a Region comes after everything that is read from it.
"""

import base64
from itertools import islice


def ec2(checker, ec2):
    """Every write, once for each Region."""
    templates = [one for one in ec2.describe_launch_templates(MaxResults=200)["LaunchTemplates"] if mine(one)]
    for template in templates[:3]:
        versions(checker, ec2, template["LaunchTemplateId"])
    if templates:
        whole_version(checker, ec2, templates[0]["LaunchTemplateName"])
        refusals(checker, ec2, templates[0]["LaunchTemplateId"])
    reservations = ec2.describe_instances(MaxResults=50, Filters=running())["Reservations"]
    for instance in islice((one for reservation in reservations for one in reservation["Instances"]), 2):
        options(checker, ec2, instance["InstanceId"])
    managed = ec2.describe_instances(
        MaxResults=5, IncludeManagedResources=True, Filters=running() + [{"Name": "operator.managed", "Values": ["true"]}]
    )["Reservations"]
    for reservation in managed[:1]:
        one = reservation["Instances"][0]["InstanceId"]
        checker.refused("UnsupportedOperation", ec2.modify_instance_metadata_options, InstanceId=one, HttpTokens="optional")
    defaults(checker, ec2)


def mine(template):
    return not template["LaunchTemplateName"].startswith(("eks-", "karpenter.k8s.aws/"))


def running():
    return [{"Name": "instance-state-name", "Values": ["running"]}]


def one_version(ec2, template, version):
    answer = ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=[str(version)])
    return answer["LaunchTemplateVersions"][0]


def as_request(devices):
    """Block devices as an answer has them are what a request may have."""
    return [dict(device) for device in devices]


def versions(checker, ec2, template):
    """A version like the default one but for its tokens; the default is moved there and back, and it is deleted."""
    source = one_version(ec2, template, "$Default")
    latest = one_version(ec2, template, "$Latest")["VersionNumber"]
    before = source["LaunchTemplateData"]
    block = dict(before.get("MetadataOptions", {}), HttpTokens="required")
    data = {"MetadataOptions": block, "BlockDeviceMappings": as_request(before.get("BlockDeviceMappings", []))}
    asked = dict(
        LaunchTemplateId=template, SourceVersion=str(source["VersionNumber"]), LaunchTemplateData=data,
        ClientToken=f"models-{template}", VersionDescription="made by the models",
    )
    checker.refused("DryRunOperation", ec2.create_launch_template_version, DryRun=True, **asked)
    checker.expect("a dry run makes no version", latest, one_version(ec2, template, "$Latest")["VersionNumber"])
    made = ec2.create_launch_template_version(**asked)
    number = made["LaunchTemplateVersion"]["VersionNumber"]
    checker.expect("no warning", None, made.get("Warning"))
    checker.expect("the number of the version", True, number > latest)
    wanted = dict(before, MetadataOptions=block)
    checker.expect("what the version sets", wanted, one_version(ec2, template, number)["LaunchTemplateData"])
    again = ec2.create_launch_template_version(**asked)
    checker.expect("a repetition", made["LaunchTemplateVersion"], again["LaunchTemplateVersion"])
    checker.expect("no second version", number, one_version(ec2, template, "$Latest")["VersionNumber"])
    other = dict(asked, VersionDescription="something else")
    checker.refused("IdempotentParameterMismatch", ec2.create_launch_template_version, **other)

    delete = ec2.delete_launch_template_versions
    moved = dict(LaunchTemplateId=template, DefaultVersion=str(number))
    checker.refused("DryRunOperation", ec2.modify_launch_template, DryRun=True, **moved)
    answer = ec2.modify_launch_template(ClientToken=f"default-{template}", **moved)["LaunchTemplate"]
    checker.expect("the default version", (number, number), (answer["DefaultVersionNumber"], answer["LatestVersionNumber"]))
    checker.expect("$Default", number, one_version(ec2, template, "$Default")["VersionNumber"])
    answer = delete(LaunchTemplateId=template, Versions=[str(number), "4000"])
    checker.expect("the default version stays", [], answer["SuccessfullyDeletedLaunchTemplateVersions"])
    codes = [one["ResponseError"]["Code"] for one in answer["UnsuccessfullyDeletedLaunchTemplateVersions"]]
    checker.expect("why", ["unexpectedError", "launchTemplateVersionDoesNotExist"], codes)
    ec2.modify_launch_template(LaunchTemplateId=template, DefaultVersion=str(source["VersionNumber"]))
    checker.refused("DryRunOperation", delete, LaunchTemplateId=template, Versions=[str(number)], DryRun=True)
    answer = delete(LaunchTemplateId=template, Versions=[str(number)])
    deleted = [one["VersionNumber"] for one in answer["SuccessfullyDeletedLaunchTemplateVersions"]]
    checker.expect("the deleted version", [number], deleted)
    checker.expect("$Latest", latest, one_version(ec2, template, "$Latest")["VersionNumber"])


def whole_version(checker, ec2, name):
    """A version with every field that the simulator has, without a source."""
    data = {
        "EbsOptimized": True,
        "IamInstanceProfile": {"Name": "nodes"},
        "BlockDeviceMappings": [
            {
                "DeviceName": "/dev/xvda",
                "Ebs": {
                    "Encrypted": True, "DeleteOnTermination": False, "Iops": 4000, "Throughput": 200, "VolumeSize": 30,
                    "VolumeType": "gp3", "KmsKeyId": "alias/x", "SnapshotId": "snap-00000000000000001",
                },
            },
            {"DeviceName": "/dev/xvdb", "Ebs": {"VolumeSize": 8}},
        ],
        "ImageId": "ami-00000000000000001",
        "InstanceType": "c6i.large",
        "KeyName": "ops",
        "Monitoring": {"Enabled": False},
        "UserData": base64.b64encode("#!/bin/sh\necho ä\n".encode()).decode(),
        "TagSpecifications": [
            {"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "<&>"}]},
            {"ResourceType": "volume", "Tags": [{"Key": "c", "Value": ""}]},
        ],
        "SecurityGroupIds": ["sg-00000000000000002", "sg-00000000000000001"],
        "MetadataOptions": {
            "HttpTokens": "required", "HttpPutResponseHopLimit": 64, "HttpEndpoint": "enabled",
            "HttpProtocolIpv6": "enabled", "InstanceMetadataTags": "disabled",
        },
    }
    made = ec2.create_launch_template_version(LaunchTemplateName=name, LaunchTemplateData=data)
    version = made["LaunchTemplateVersion"]
    checker.expect("a whole version", data, version["LaunchTemplateData"])
    checker.expect("an image that is not there", ["InvalidAMIID.NotFound"], [one["Code"] for one in made["Warning"]["Errors"]])
    ec2.delete_launch_template_versions(LaunchTemplateName=name, Versions=[str(version["VersionNumber"])])


def refusals(checker, ec2, template):
    create, data = ec2.create_launch_template_version, {"MetadataOptions": {"HttpTokens": "required"}}
    missing = "lt-00000000000000001"
    for code, call, parameters in [
        ("MissingParameter", create, dict(LaunchTemplateData=data)),
        ("MissingParameter", create, dict(LaunchTemplateId=template, LaunchTemplateData={})),
        ("InvalidLaunchTemplateId.NotFound", create, dict(LaunchTemplateId=missing, LaunchTemplateData=data)),
        ("InvalidLaunchTemplateId.VersionNotFound", create, dict(LaunchTemplateId=template, SourceVersion="4000", LaunchTemplateData=data)),
        ("UnknownParameter", create, dict(LaunchTemplateId=template, LaunchTemplateData={"KernelId": "k"})),
        ("InvalidLaunchTemplateId.VersionNotFound", ec2.modify_launch_template, dict(LaunchTemplateId=template, DefaultVersion="4000")),
        ("MissingParameter", ec2.modify_launch_template, dict(LaunchTemplateId=template)),
        ("InvalidLaunchTemplateId.NotFound", ec2.modify_launch_template, dict(LaunchTemplateId=missing, DefaultVersion="1")),
        ("InvalidLaunchTemplateId.NotFound", ec2.delete_launch_template_versions, dict(LaunchTemplateId=missing, Versions=["1"])),
        ("MissingParameter", ec2.delete_launch_template_versions, dict(LaunchTemplateId=template, Versions=[])),
        ("InvalidInstanceID.NotFound", ec2.modify_instance_metadata_options, dict(InstanceId="i-00000000000000001", HttpTokens="required")),
        ("InvalidParameterValue", ec2.modify_instance_metadata_defaults, dict(HttpPutResponseHopLimit=65)),
    ]:
        checker.refused(code, call, **parameters)


def options(checker, ec2, instance):
    """New options of an instance are pending, and then applied."""

    def described():
        answer = ec2.describe_instances(InstanceIds=[instance])
        return answer["Reservations"][0]["Instances"][0]["MetadataOptions"]

    before = described()
    hops = min(64, before["HttpPutResponseHopLimit"] + 1)
    asked = dict(InstanceId=instance, HttpTokens="required", HttpPutResponseHopLimit=hops, HttpEndpoint="enabled")
    checker.refused("DryRunOperation", ec2.modify_instance_metadata_options, DryRun=True, **asked)
    checker.expect("a dry run changes no options", before, described())
    wanted = dict(before, State="pending", HttpTokens="required", HttpPutResponseHopLimit=hops, HttpEndpoint="enabled")
    answer = ec2.modify_instance_metadata_options(**asked)
    checker.expect("new options", wanted, answer["InstanceMetadataOptions"])
    checker.expect("new options that are described", wanted, described())
    checker.expect("new options that are in effect", dict(wanted, State="applied"), described())
    names = ("HttpTokens", "HttpPutResponseHopLimit", "HttpEndpoint")
    ec2.modify_instance_metadata_options(InstanceId=instance, **{name: before[name] for name in names})
    described()
    checker.expect("the options of before", before, described())


def defaults(checker, ec2):
    def found():
        return ec2.get_instance_metadata_defaults()["AccountLevel"]

    before = found()
    asked = dict(HttpTokens="required", HttpPutResponseHopLimit=2, HttpEndpoint="enabled", InstanceMetadataTags="disabled")
    if before["ManagedBy"] == "declarative-policy":
        checker.refused("OperationNotPermitted", ec2.modify_instance_metadata_defaults, **asked)
        return
    checker.refused("DryRunOperation", ec2.modify_instance_metadata_defaults, DryRun=True, **asked)
    checker.expect("a dry run changes no defaults", before, found())
    checker.expect("Return", True, ec2.modify_instance_metadata_defaults(**asked)["Return"])
    checker.expect("new defaults", dict(before, **asked), found())
    none = {name: -1 if name == "HttpPutResponseHopLimit" else "no-preference" for name in asked}
    ec2.modify_instance_metadata_defaults(**none)
    checker.expect("no preference", {name: value for name, value in before.items() if name not in asked}, found())
    ec2.modify_instance_metadata_defaults(**{name: before.get(name, none[name]) for name in asked})
    checker.expect("the defaults of before", before, found())
