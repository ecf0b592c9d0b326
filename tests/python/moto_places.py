"""A moto server, and the bucket on it that reports go to: what its scripts share."""

import boto3

REGION = "eu-west-1"
BUCKET = "fleet-reports"
NAME = "imdsctl"


def client(endpoint, service):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="secret",
    )


def make_bucket(endpoint):
    client(endpoint, "s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
