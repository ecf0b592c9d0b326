#!/usr/bin/env python3
"""Seeds a moto server with a fleet that holds everything an audit has to tell apart.

    moto_seed.py --endpoint http://127.0.0.1:5000

Nothing here says what an audit should find: moto_truth.py reads that back from the server.

moto is not AWS, and what it leaves out is made up for here:
- it never applies the metadata options of a template or launch configuration, so every instance is given its own;
- the Auto Scaling group and the template copy that EKS makes for a managed node group do not exist, so they are
  made under the name that DescribeNodegroup gives, and tagged as EKS tags them.
"""

import argparse

import boto3
from botocore.config import Config

# The images of tests/moto/images.json, which moto has in every Region.
AL2023 = "ami-0a120230000000001"
AL2023_GPU = "ami-0a120230000000002"
AL2023_BASE = "ami-0a120230000000003"
AL2 = "ami-0a200000000000001"
BOTTLEROCKET = "ami-0b077200000000001"

ROLE = "arn:aws:iam::123456789012:role/eks"


def options(tokens=None, hops=None, endpoint=None):
    """A block of metadata options that sets only what is given."""
    block = {"HttpTokens": tokens, "HttpPutResponseHopLimit": hops, "HttpEndpoint": endpoint}
    return {key: value for key, value in block.items() if value is not None}


GOOD = options("required", 2, "enabled")
HIGH = options("required", 3, "enabled")
ONE_HOP = options("required", 1, "enabled")
OPTIONAL = options("optional", 2, "enabled")
WORST = options("optional", 1, "enabled")
CLOSED = options("required", 1, "disabled")


def tag_list(tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


class Seeder:
    """One Region."""

    def __init__(self, endpoint, region):
        settings = {
            "endpoint_url": endpoint,
            "region_name": region,
            "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "aws_secret_access_key": "secret",
            "config": Config(retries={"mode": "standard", "max_attempts": 1}),
        }
        self.region = region
        self.ec2 = boto3.client("ec2", **settings)
        self.autoscaling = boto3.client("autoscaling", **settings)
        self.eks = boto3.client("eks", **settings)

    # --- what launches ---------------------------------------------------------------------------------------------

    def template(self, name, *versions, default=1, image=AL2023, tags=None):
        """A template with these versions; None is one without a block. Returns its id."""
        specification = [{"ResourceType": "launch-template", "Tags": tag_list(tags)}] if tags else []
        template = None
        for block in versions:
            data = {"InstanceType": "m6i.large"}
            if image:
                data["ImageId"] = image
            if block is not None:
                data["MetadataOptions"] = block
            if template is None:
                answer = self.ec2.create_launch_template(
                    LaunchTemplateName=name, LaunchTemplateData=data, TagSpecifications=specification
                )
                template = answer["LaunchTemplate"]["LaunchTemplateId"]
            else:
                self.ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData=data)
        if default != 1:
            self.ec2.modify_launch_template(LaunchTemplateId=template, DefaultVersion=str(default))
        return template

    def configuration(self, name, block, image=AL2023):
        extra = {"MetadataOptions": block} if block is not None else {}
        self.autoscaling.create_launch_configuration(
            LaunchConfigurationName=name, ImageId=image, InstanceType="m6i.large", **extra
        )

    def group(self, name, *nodes, tags=None, silent_tags=None, **launch):
        """An Auto Scaling group whose instances have these options, in this order."""
        described = [(tags or {}, True), (silent_tags or {}, False)]
        self.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=0,
            MaxSize=10,
            DesiredCapacity=len(nodes),
            AvailabilityZones=[self.region + "a"],
            Tags=[
                {
                    "Key": key,
                    "Value": value,
                    "PropagateAtLaunch": propagate,
                    "ResourceId": name,
                    "ResourceType": "auto-scaling-group",
                }
                for which, propagate in described
                for key, value in which.items()
            ],
            **launch,
        )
        answer = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        instances = [instance["InstanceId"] for instance in answer["AutoScalingGroups"][0]["Instances"]]
        for instance, block in zip(instances, nodes, strict=True):
            self.give(instance, block)
        return instances

    def give(self, instance, block):
        """moto blanks every option that is left out, so all of them are sent."""
        self.ec2.modify_instance_metadata_options(InstanceId=instance, **(options("optional", 1, "enabled") | block))

    def self_managed(self, name, template, *nodes, cluster="blue", version=None, by_name=False):
        specification = {"LaunchTemplateName" if by_name else "LaunchTemplateId": template}
        if version is not None:
            specification["Version"] = version
        return self.group(name, *nodes, tags=owned(cluster), LaunchTemplate=specification)

    def mixed(self, name, base, *overrides, nodes=(), cluster="blue"):
        """A group with a mixed instances policy; an override is an instance type and its own template, or None."""
        policy = {
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateId": base, "Version": "$Latest"},
                "Overrides": [
                    {"InstanceType": kind}
                    | ({"LaunchTemplateSpecification": {"LaunchTemplateId": own, "Version": "$Latest"}} if own else {})
                    for kind, own in overrides
                ],
            }
        }
        return self.group(name, *nodes, tags=owned(cluster), MixedInstancesPolicy=policy)

    def instance(self, block, tags, image=AL2023, **more):
        """An instance of nobody's but its own."""
        answer = self.ec2.run_instances(
            ImageId=image,
            InstanceType="m6i.large",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tag_list(tags)}],
            **more,
        )
        instance = answer["Instances"][0]["InstanceId"]
        self.give(instance, block)
        return instance

    # --- EKS -------------------------------------------------------------------------------------------------------

    def cluster(self, name):
        self.eks.create_cluster(
            name=name, version="1.33", roleArn=ROLE, resourcesVpcConfig={"subnetIds": ["subnet-1", "subnet-2"]}
        )

    def node_group(self, cluster, name, *nodes, copies=None, user=None, ami_type="AL2023_x86_64_STANDARD", **more):
        """A managed node group.

        `user` is the user's template and version, if it was made with one. `copies` are the versions of the template
        that EKS owns, of which the group runs the last but one if `behind` is given; without them the group has
        nothing to launch from yet. Returns the id of the template that EKS owns.
        """
        behind, image = more.pop("behind", False), more.pop("image", AL2023)
        given = {"launchTemplate": {"id": user[0], "version": user[1]}} if user else {}
        answer = self.eks.create_nodegroup(
            clusterName=cluster,
            nodegroupName=name,
            nodeRole=ROLE,
            subnets=["subnet-1"],
            amiType=ami_type,
            scalingConfig={"minSize": 0, "maxSize": 10, "desiredSize": len(nodes)},
            **given,
        )
        if copies is None:
            return None
        group = answer["nodegroup"]["resources"]["autoScalingGroups"][0]["name"]
        eks_tags = {"eks:cluster-name": cluster, "eks:nodegroup-name": name}
        copy = self.template(group, *copies, image=image, tags=eks_tags)
        running = len(copies) - 1 if behind else len(copies)
        self.group(
            group,
            *nodes,
            tags=eks_tags | owned(cluster),
            silent_tags={f"k8s.io/cluster-autoscaler/{cluster}": "owned", "k8s.io/cluster-autoscaler/enabled": "true"},
            LaunchTemplate={"LaunchTemplateId": copy, "Version": str(running)},
        )
        return copy


def owned(cluster):
    return {f"kubernetes.io/cluster/{cluster}": "owned"}


def seed_managed(region, cluster):
    """Managed node groups in every state that moto can hold."""
    general = region.template(f"{cluster}-general", WORST, GOOD, default=2)
    # A good version stands beside the bad one that runs; one node was mended by hand.
    region.node_group(cluster, "general", WORST, WORST, GOOD, user=(general, "1"), copies=[WORST])
    # The other way round: the bad version is newer than what the group runs.
    newer = region.template(f"{cluster}-newer", GOOD, OPTIONAL)
    region.node_group(cluster, "newer", GOOD, user=(newer, "1"), copies=[GOOD, WORST], behind=True)
    # The user's template was mended, and the node group was never updated.
    mended = region.template(f"{cluster}-mended", ONE_HOP, GOOD)
    region.node_group(cluster, "mended", ONE_HOP, user=(mended, "2"), copies=[ONE_HOP])
    # EKS writes what the user left out; the endpoint nobody sets.
    tokens = region.template(f"{cluster}-tokens", options(tokens="required"), image=None)
    region.node_group(cluster, "tokens", GOOD, user=(tokens, "1"), copies=[options("required", 2)])
    # Nobody sets anything.
    silent = region.template(f"{cluster}-silent-nodes", None, image=None)
    region.node_group(cluster, "silent", ONE_HOP, user=(silent, "1"), copies=[None])
    # Made without a template.
    region.node_group(cluster, "default", ONE_HOP, ONE_HOP, copies=[ONE_HOP])
    region.node_group(
        cluster, "gpu", copies=[options("required", 1)], ami_type="AL2023_x86_64_NVIDIA", image=AL2023_GPU
    )
    # Other families.
    region.node_group(cluster, "al2", WORST, copies=[OPTIONAL], ami_type="AL2_x86_64", image=AL2)
    region.node_group(
        cluster, "bottlerocket", ONE_HOP, copies=[ONE_HOP], ami_type="BOTTLEROCKET_x86_64", image=BOTTLEROCKET
    )
    # Not made to the end: there is no Auto Scaling group of that name, as for any node group of moto's.
    whole = region.template(f"{cluster}-whole", ONE_HOP)
    region.node_group(cluster, "coming", user=(whole, "1"))
    partial = region.template(f"{cluster}-partial", options(hops=1))
    region.node_group(cluster, "coming-partly-set", user=(partial, "1"))
    region.node_group(cluster, "coming-default")
    # Broken: the copy that EKS made of the user's template was deleted by hand.
    broken = region.template(f"{cluster}-broken", options("optional", 2))
    copy = region.node_group(cluster, "broken", WORST, user=(broken, "1"), copies=[OPTIONAL])
    region.ec2.delete_launch_template(LaunchTemplateId=copy)


def seed_custom_images(region, cluster):
    """Images of the user's own: one that says what it was built from, one that says nothing, one that is gone."""
    register = region.ec2.register_image
    built = register(
        Name="company-nodes-2026-09",
        Description="EKS-optimized Kubernetes node based on Amazon Linux 2023, (k8s: 1.33.4, containerd: 2.1.*)",
    )["ImageId"]
    mystery = register(Name="golden-2026-09", Description="golden image")["ImageId"]
    gone = register(Name="golden-2026-08", Description="golden image")["ImageId"]

    template = region.template(f"{cluster}-custom", OPTIONAL, image=built)
    region.node_group(
        cluster, "custom", OPTIONAL, user=(template, "1"), copies=[OPTIONAL], ami_type="CUSTOM", image=built
    )
    template = region.template(f"{cluster}-mystery", ONE_HOP, image=mystery)
    region.self_managed(f"{cluster}-mystery", template, ONE_HOP, GOOD, version="$Latest")
    region.instance(WORST, owned(cluster), image=gone)
    region.ec2.deregister_image(ImageId=gone)


def seed_self_managed(region, cluster):
    """Auto Scaling groups of the user's own, by every way to name what they launch."""
    latest = region.template(f"{cluster}-latest", GOOD, ONE_HOP)
    region.self_managed(f"{cluster}-latest", latest, GOOD, ONE_HOP, version="$Latest")
    default = region.template(f"{cluster}-default", GOOD, WORST)
    region.self_managed(f"{cluster}-default", default, GOOD, version="$Default")
    region.self_managed(f"{cluster}-default-by-name", f"{cluster}-default", GOOD, by_name=True)
    # Neither default nor latest.
    pinned = region.template(f"{cluster}-pinned", GOOD, WORST, HIGH, GOOD, default=3)
    region.self_managed(f"{cluster}-pinned", pinned, WORST, version="2")
    region.self_managed(f"{cluster}-pinned-good", pinned, HIGH, version="3")
    silent = region.template(f"{cluster}-silent", None)
    region.self_managed(f"{cluster}-silent", silent, WORST, GOOD, version="$Latest")
    # Scaled to zero, and the next node fails.
    region.self_managed(f"{cluster}-zero", latest, version="$Latest")
    # The metadata service is off.
    closed = region.template(f"{cluster}-closed", CLOSED, image=AL2023_BASE)
    region.self_managed(f"{cluster}-closed", closed, CLOSED, version="1")
    # The template was deleted under the group.
    deleted = region.template(f"{cluster}-deleted", GOOD)
    region.self_managed(f"{cluster}-deleted", deleted, GOOD, version="1")
    region.ec2.delete_launch_template(LaunchTemplateId=deleted)
    # Other families.
    other = region.template(f"{cluster}-bottlerocket", ONE_HOP, image=BOTTLEROCKET)
    region.self_managed(f"{cluster}-bottlerocket", other, ONE_HOP, version="1")

    arm = region.template(f"{cluster}-arm", WORST)
    good = region.template(f"{cluster}-base", GOOD)
    region.mixed(f"{cluster}-mixed", good, ("m6i.large", None), ("m7g.large", arm), nodes=[GOOD])
    # The base is never launched where each override brings its own template.
    region.mixed(f"{cluster}-mixed-own", arm, ("m6i.large", good), ("m7g.large", good), nodes=[GOOD])
    region.mixed(f"{cluster}-mixed-families", good, ("m6i.large", None), ("m5.large", other))
    region.mixed(f"{cluster}-mixed-plain", latest)

    # The same name holds other options in the other Region.
    region.configuration("nodes", WORST)
    region.group(f"{cluster}-configured", WORST, tags=owned(cluster), LaunchConfigurationName="nodes")
    region.configuration("partial-nodes", options(tokens="required"))
    region.group(f"{cluster}-configured-partly", GOOD, tags=owned(cluster), LaunchConfigurationName="partial-nodes")

    # Known as a cluster's by other traces than a tag of its own that it hands on.
    hidden = region.template(f"{cluster}-hidden", GOOD, WORST, GOOD)
    node, _ = region.group(
        f"{cluster}-by-node", WORST, GOOD, LaunchTemplate={"LaunchTemplateId": hidden, "Version": "2"}
    )
    region.ec2.create_tags(Resources=[node], Tags=tag_list({"eks:cluster-name": cluster}))
    region.group(
        f"{cluster}-not-handed-on",
        ONE_HOP,
        silent_tags=owned(cluster),
        LaunchTemplate={"LaunchTemplateId": hidden, "Version": "1"},
    )
    watched = region.template(f"{cluster}-watched", GOOD, OPTIONAL, GOOD)
    region.group(
        f"{cluster}-autoscaled",
        ONE_HOP,
        silent_tags={f"k8s.io/cluster-autoscaler/{cluster}": "owned", "k8s.io/cluster-autoscaler/enabled": "true"},
        LaunchTemplate={"LaunchTemplateId": watched, "Version": "2"},
    )
    region.configuration("autoscaled", ONE_HOP)
    region.group(
        f"{cluster}-autoscaled-zero",
        silent_tags={f"k8s.io/cluster-autoscaler/{cluster}": "owned"},
        LaunchConfigurationName="autoscaled",
    )
    region.autoscaling.put_warm_pool(AutoScalingGroupName=f"{cluster}-latest", MinSize=0)


def seed_karpenter(region, cluster):
    """Templates that Karpenter made, nodes it launched from them, and a node whose template it has deleted."""
    tags = owned(cluster) | {"karpenter.k8s.aws/ec2nodeclass": "general", "karpenter.sh/nodepool": "general"}
    named = tags | {"karpenter.k8s.aws/cluster": cluster}
    template = region.template("karpenter.k8s.aws/1111111111111111111", ONE_HOP, tags=named)
    region.template("karpenter.k8s.aws/2222222222222222222", GOOD, tags=named)
    region.template("karpenter.k8s.aws/3333333333333333333", ONE_HOP, image=BOTTLEROCKET, tags=named)
    evicted = region.template("karpenter.k8s.aws/4444444444444444444", OPTIONAL, tags=named)
    for source, block in ((template, ONE_HOP), (template, GOOD), (evicted, OPTIONAL)):
        more = {"karpenter.sh/nodeclaim": "general-abcde", "eks:eks-cluster-name": cluster}
        region.instance(block, tags | more, LaunchTemplate={"LaunchTemplateId": source, "Version": "1"})
    region.ec2.delete_launch_template(LaunchTemplateId=evicted)


def seed_standalone(region, cluster):
    """Nodes that were launched by themselves, in every state."""
    region.instance(GOOD, owned(cluster) | {"Name": "good"})
    region.instance(OPTIONAL, owned(cluster) | {"Name": '=cmd|"/c calc"!A0, "quoted"\nand on a second line'})
    region.instance(CLOSED, {f"kubernetes.io/cluster/{cluster}": "shared"})
    region.instance(WORST, owned(cluster), image=AL2)
    stopped = region.instance(WORST, owned(cluster))
    region.ec2.stop_instances(InstanceIds=[stopped])
    ended = region.instance(WORST, owned(cluster))
    region.ec2.terminate_instances(InstanceIds=[ended])


def seed_strangers(region):
    """What has nothing to do with EKS, and is none of an audit's business."""
    web = region.template("web", WORST, tags={"team": "web"})
    region.group("web", WORST, WORST, tags={"team": "web"}, LaunchTemplate={"LaunchTemplateId": web})
    region.configuration("batch", WORST)
    region.group("batch", WORST, LaunchConfigurationName="batch")
    region.instance(WORST, {"Name": "bastion"}, image=AL2023_BASE)
    region.instance(WORST, {"kubernetes": "yes", "eks-owner": "nobody"})


def seed_second(region):
    """Another Region: the names of the first, with other options behind them."""
    region.cluster("blue")
    region.cluster("green")
    region.eks.create_fargate_profile(
        fargateProfileName="system", clusterName="green", podExecutionRoleArn=ROLE, selectors=[{"namespace": "x"}]
    )
    general = region.template("blue-general", GOOD)
    region.node_group("blue", "general", GOOD, user=(general, "1"), copies=[GOOD])
    region.node_group("green", "general", ONE_HOP, copies=[ONE_HOP])
    region.configuration("nodes", GOOD)
    region.group("blue-configured", GOOD, tags=owned("blue"), LaunchConfigurationName="nodes")
    latest = region.template("blue-latest", OPTIONAL)
    region.self_managed("blue-latest", latest, GOOD, version="$Latest")


def seed_left_behind(region):
    """A Region whose only cluster was deleted, and nodes of it run on, behind more groups than fit on a page."""
    region.cluster("gone")
    workers = region.template("gone-workers", GOOD, ONE_HOP)
    region.eks.delete_cluster(name="gone")
    web = region.template("web", WORST)
    for number in range(101):
        region.group(f"web-{number:03}", LaunchTemplate={"LaunchTemplateId": web})
    region.self_managed("gone-workers", workers, ONE_HOP, cluster="gone", version="$Latest")
    region.instance(WORST, {"aws:eks:cluster-name": "gone"})


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--endpoint", required=True)
    endpoint = parser.parse_args().endpoint

    first = Seeder(endpoint, "eu-west-1")
    first.cluster("blue")
    for seed in (seed_managed, seed_custom_images, seed_self_managed, seed_karpenter, seed_standalone):
        seed(first, "blue")
    seed_strangers(first)
    seed_second(Seeder(endpoint, "us-east-1"))
    seed_left_behind(Seeder(endpoint, "eu-central-1"))
    seed_strangers(Seeder(endpoint, "ap-southeast-2"))


if __name__ == "__main__":
    main()
