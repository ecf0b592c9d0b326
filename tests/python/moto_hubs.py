#!/usr/bin/env python3
"""Enables Security Hub on a moto server, and prints what it has.

    moto_hubs.py --endpoint http://127.0.0.1:5000 seed < places    also makes the role of an audit in these accounts
    moto_hubs.py --endpoint http://127.0.0.1:5000 read < places    {"ACCOUNT REGION": [findings]}

Places are a JSON list of objects: `account`, `region`, and of `seed` also whether there is a `role`, whether Security Hub
is `enabled`, and which generator it `refuses`.
"""

import argparse
import json
import sys

import boto3
from botocore.exceptions import ClientError

TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


def client(endpoint, place, service):
    """A client in an account that need not exist before."""
    settings = {"endpoint_url": endpoint, "region_name": place["region"]}
    keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "secret"}
    sts = boto3.client("sts", **settings, **keys)
    if sts.get_caller_identity()["Account"] != place["account"]:
        role = f"arn:aws:iam::{place['account']}:role/Seeder"
        session = sts.assume_role(RoleArn=role, RoleSessionName="seed")["Credentials"]
        keys = {
            "aws_access_key_id": session["AccessKeyId"],
            "aws_secret_access_key": session["SecretAccessKey"],
            "aws_session_token": session["SessionToken"],
        }
    return boto3.client(service, **settings, **keys)


def seed(endpoint, place):
    if place.get("enabled", True):
        tags = {"refuses": place["refuses"]} if "refuses" in place else {}
        client(endpoint, place, "securityhub").enable_security_hub(Tags=tags)
    if place.get("role", True):
        try:
            client(endpoint, place, "iam").create_role(RoleName="ImdsctlAudit", AssumeRolePolicyDocument=TRUST)
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityAlreadyExists":
                raise
    return None


def read(endpoint, place):
    pages = client(endpoint, place, "securityhub").get_paginator("get_findings").paginate()
    return [finding for page in pages for finding in page["Findings"]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("what", choices=["seed", "read"])
    arguments = parser.parse_args()
    ask = {"seed": seed, "read": read}[arguments.what]
    places = json.load(sys.stdin)
    answers = {f"{place['account']} {place['region']}": ask(arguments.endpoint, place) for place in places}
    print(json.dumps(answers))


main()
