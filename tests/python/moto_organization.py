#!/usr/bin/env python3
"""Makes an organisation on a moto server, and prints what an audit of it has to say, without asking imdsctl.

    moto_organization.py --endpoint http://127.0.0.1:5000

The management account and two members have a node each, read back from the server; a third member has no role to
assume, and a fourth is closed.
"""

import argparse
import json

import boto3

REGION = "eu-west-1"
AL2023 = "ami-0a120230000000001"
TAGS = [{"Key": "kubernetes.io/cluster/blue", "Value": "owned"}]
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


class Account:
    """An account, with credentials for it."""

    def __init__(self, endpoint, number=None):
        self.settings = {
            "endpoint_url": endpoint,
            "region_name": REGION,
            "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE",
            "aws_secret_access_key": "secret",
        }
        if number:
            role = f"arn:aws:iam::{number}:role/Seeder"
            session = self.client("sts").assume_role(RoleArn=role, RoleSessionName="seed")["Credentials"]
            self.settings["aws_access_key_id"] = session["AccessKeyId"]
            self.settings["aws_secret_access_key"] = session["SecretAccessKey"]
            self.settings["aws_session_token"] = session["SessionToken"]
        self.number = self.client("sts").get_caller_identity()["Account"]

    def client(self, service):
        return boto3.client(service, **self.settings)

    def give_role(self):
        self.client("iam").create_role(RoleName="ImdsctlAudit", AssumeRolePolicyDocument=TRUST)

    def add_node(self, tokens, hops):
        """A node, and what the server says of it afterwards."""
        ec2 = self.client("ec2")
        tags = [{"ResourceType": "instance", "Tags": TAGS}]
        launched = ec2.run_instances(ImageId=AL2023, MinCount=1, MaxCount=1, TagSpecifications=tags)
        node = launched["Instances"][0]["InstanceId"]
        ec2.modify_instance_metadata_options(
            InstanceId=node, HttpTokens=tokens, HttpPutResponseHopLimit=hops, HttpEndpoint="enabled"
        )
        seen = ec2.describe_instances(InstanceIds=[node])["Reservations"][0]["Instances"][0]["MetadataOptions"]
        verdicts = {
            "tokens-required": "pass" if seen["HttpTokens"] == "required" else "fail",
            "hop-limit-min": "pass" if seen["HttpPutResponseHopLimit"] >= 2 else "fail",
        }
        return {"account": self.number, "instance": node, "verdicts": verdicts}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoint", required=True)
    endpoint = parser.parse_args().endpoint
    hub = Account(endpoint)
    organizations = hub.client("organizations")
    organizations.create_organization(FeatureSet="ALL")

    def create(name):
        status = organizations.create_account(AccountName=name, Email=f"{name}@example.com")
        return status["CreateAccountStatus"]["AccountId"]

    shop, lab, closed_door, gone = (create(name) for name in ["shop", "lab", "closed-door", "gone"])
    nodes = [hub.add_node("required", 2)]
    for number, tokens, hops in [(shop, "optional", 2), (lab, "required", 1)]:
        member = Account(endpoint, number)
        member.give_role()
        nodes.append(member.add_node(tokens, hops))
    organizations.close_account(AccountId=gone)
    print(json.dumps({"hub": hub.number, "nodes": nodes, "refused": closed_door, "suspended": gone}))


if __name__ == "__main__":
    main()
