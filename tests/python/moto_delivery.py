#!/usr/bin/env python3
"""Makes places on a moto server where reports can go, and prints what arrived there.

    moto_delivery.py --endpoint http://127.0.0.1:5000 seed    a bucket, and a topic that a queue listens to
    moto_delivery.py --endpoint http://127.0.0.1:5000 read    the objects, and the messages of the queue
"""

import argparse
import json

from moto_places import BUCKET, NAME, client, make_bucket


def seed(endpoint):
    make_bucket(endpoint)
    sns, sqs = client(endpoint, "sns"), client(endpoint, "sqs")
    topic = sns.create_topic(Name=NAME)["TopicArn"]
    queue = sqs.create_queue(QueueName=NAME)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return {"bucket": BUCKET, "topic": topic}


def read(endpoint):
    s3, sqs = client(endpoint, "s3"), client(endpoint, "sqs")
    objects = {}
    for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        found = s3.get_object(Bucket=BUCKET, Key=item["Key"])
        objects[item["Key"]] = {
            "text": found["Body"].read().decode(),
            "encryption": found.get("ServerSideEncryption"),
            "kms_key": found.get("SSEKMSKeyId"),
        }
    queue = sqs.get_queue_url(QueueName=NAME)["QueueUrl"]
    received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    messages = [json.loads(message["Body"]) for message in received]
    return {"objects": objects, "messages": messages}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("what", choices=["seed", "read"])
    arguments = parser.parse_args()
    print(json.dumps({"seed": seed, "read": read}[arguments.what](arguments.endpoint)))


main()
