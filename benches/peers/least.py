#!/usr/bin/env python3
"""The floor: the least that must be read to answer, by boto3 in 16 threads, and nothing made of it.

    least.py REGION...
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

THREADS = 16


def pages(client, operation, **parameters):
    return list(client.get_paginator(operation).paginate(**parameters))


def cluster(pool, eks, name):
    described = pool.submit(eks.describe_cluster, name=name)
    groups = [group for page in pages(eks, "list_nodegroups", clusterName=name) for group in page["nodegroups"]]
    return [described] + [pool.submit(eks.describe_nodegroup, clusterName=name, nodegroupName=group) for group in groups]


def main(regions):
    session = boto3.Session()
    config = Config(max_pool_connections=THREADS)
    with ThreadPoolExecutor(THREADS) as pool:
        running, clusters = [], []
        for region in regions:
            ec2, scaling, eks = (session.client(name, region_name=region, config=config) for name in ("ec2", "autoscaling", "eks"))
            clusters.append((eks, pool.submit(pages, eks, "list_clusters")))
            running += [
                pool.submit(pages, ec2, "describe_instances", MaxResults=1000, IncludeManagedResources=True),
                pool.submit(pages, ec2, "describe_launch_template_versions", Versions=["$Default", "$Latest"], MaxResults=200),
                pool.submit(pages, ec2, "describe_instance_image_metadata", MaxResults=1000),
                pool.submit(ec2.get_instance_metadata_defaults),
                pool.submit(pages, scaling, "describe_auto_scaling_groups"),
                pool.submit(pages, scaling, "describe_launch_configurations"),
            ]
        named = [(eks, name) for eks, listed in clusters for page in listed.result() for name in page["clusters"]]
        for group in [pool.submit(cluster, pool, eks, name) for eks, name in named]:
            running += group.result()
        for one in running:
            one.result()


if __name__ == "__main__":
    main(sys.argv[1:])
