#!/usr/bin/env python3
"""Makes the state machine of deploy/ on a moto server, and lets its interpreter run it.

    moto_state_machine.py --endpoint http://127.0.0.1:5000 seed state-machine.asl.json
    moto_state_machine.py --endpoint http://127.0.0.1:5000 run '{"shards":5}'

`seed` makes a bucket and the state machine, of the definition as it is but for shorter intervals between retries, and
prints the bucket's name. `run` starts it, waits for its end, and prints that, and the objects that are in the bucket.
"""

import argparse
import json
import re
import time
import urllib.request
import uuid

from moto_places import BUCKET, NAME, REGION, client, make_bucket

# What CloudFormation puts in.
SUBSTITUTIONS = {
    "Invoke": "arn:aws:states:::lambda:invoke",
    "ReadList": "arn:aws:states:::s3:getObject",
    "FunctionArn": f"arn:aws:lambda:{REGION}:123456789012:function:{NAME}",
}


def seed(endpoint, path):
    interpret = json.dumps({"stepfunctions": {"execute_state_machine": True}}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/config", data=interpret)).close()
    make_bucket(endpoint)
    role = client(endpoint, "iam").create_role(RoleName=NAME, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    with open(path, encoding="utf-8") as file:
        definition = file.read()
    for name, value in SUBSTITUTIONS.items():
        definition = definition.replace(f"${{{name}}}", value)
    definition = re.sub(r'"IntervalSeconds": \d+', '"IntervalSeconds": 1', definition)
    client(endpoint, "stepfunctions").create_state_machine(name=NAME, definition=definition, roleArn=role)
    return {"bucket": BUCKET}


def run(endpoint, event):
    machines = client(endpoint, "stepfunctions")
    machine = machines.list_state_machines()["stateMachines"][0]["stateMachineArn"]
    started = machines.start_execution(stateMachineArn=machine, name=uuid.uuid4().hex, input=event)
    while True:
        execution = machines.describe_execution(executionArn=started["executionArn"])
        if execution["status"] != "RUNNING":
            break
        time.sleep(0.05)
    s3 = client(endpoint, "s3")
    objects = {}
    for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        objects[item["Key"]] = s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read().decode()
    output = execution.get("output")
    return {
        "status": execution["status"],
        "output": json.loads(output) if output else None,
        "why": execution.get("cause"),
        "objects": objects,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("what", choices=["seed", "run"])
    parser.add_argument("of")
    arguments = parser.parse_args()
    print(json.dumps({"seed": seed, "run": run}[arguments.what](arguments.endpoint, arguments.of)))


main()
