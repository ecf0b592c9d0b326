#!/usr/bin/env python3
"""Holds findings in AWS Security Finding Format against botocore's own model of what Security Hub takes.

    check_asff.py --report report.json --asff report.asff
    check_asff.py --self-test

Every batch of a hundred goes through botocore's parameter validation of `BatchImportFindings`. What botocore leaves to
AWS is held here: enums and patterns of the model, the lengths and numbers that its documentation gives, and that each
finding of the report is there once. Prints how many findings there are, or what is wrong.
"""

import argparse
import copy
import json
import re
import sys

import botocore.loaders
import botocore.model
import botocore.validate

# Lengths of members, and numbers of items, that the model tells in its documentation alone.
LONGEST = {
    "Id": 512,
    "ProductArn": 2048,
    "ProductName": 128,
    "GeneratorId": 512,
    "AwsAccountId": 12,
    "AwsAccountName": 50,
    "Region": 16,
    "Types": 50,
    "Title": 256,
    "Description": 1024,
    "ProductFields": 50,
    "Resources": 32,
}
LARGEST_FINDING = 240_000
BATCH = 100

TYPES = {
    "instance": "AwsEc2Instance",
    "launch_template": "AwsEc2LaunchTemplate",
    "auto_scaling_group": "AwsAutoScalingAutoScalingGroup",
    "node_group": "Other",
    "account_defaults": "AwsAccount",
}
STATUSES = {
    "fail": "FAILED",
    "unknown": "WARNING",
    "exempt": "WARNING",
    "pass": "PASSED",
    "not_applicable": "NOT_AVAILABLE",
}


def operation():
    description = botocore.loaders.Loader().load_service_model("securityhub", "service-2")
    return botocore.model.ServiceModel(description, "securityhub").operation_model("BatchImportFindings")


def shape_problems(shape, value, path):
    """What a shape forbids that botocore does not look at."""
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from shape_problems(shape.members[name], member, f"{path}.{name}")
    elif shape.type_name == "list":
        for number, item in enumerate(value):
            yield from shape_problems(shape.member, item, f"{path}[{number}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from shape_problems(shape.key, key, f"{path} key")
            yield from shape_problems(shape.value, item, f"{path}.{key}")
    elif shape.type_name == "string":
        if shape.enum and value not in shape.enum:
            yield f"{path}: {value!r} is none of {shape.enum}"
        pattern = shape.metadata.get("pattern")
        # AWS matches the whole text, and what is blank to ASCII is blank.
        if pattern and not re.fullmatch(pattern, value, re.ASCII):
            yield f"{path}: {value!r} does not match {pattern}"


def length_problems(finding, path):
    for name, longest in LONGEST.items():
        if len(finding.get(name, "")) > longest:
            yield f"{path}.{name}: longer than {longest}"
    for key, value in finding.get("ProductFields", {}).items():
        if len(key) > 128 or len(value) > 2048:
            yield f"{path}.ProductFields.{key}: too long"
    text = finding.get("Remediation", {}).get("Recommendation", {}).get("Text", "")
    if len(text) > 512:
        yield f"{path}.Remediation: longer than 512"
    if len(json.dumps(finding)) > LARGEST_FINDING:
        yield f"{path}: larger than {LARGEST_FINDING} bytes"


def problems_of(findings):
    shape = operation().input_shape
    for start in range(0, len(findings), BATCH):
        batch = {"Findings": findings[start : start + BATCH]}
        report = botocore.validate.ParamValidator().validate(batch, shape)
        if report.has_errors():
            yield report.generate_report()
            return
    for number, finding in enumerate(findings):
        path = f"[{number}]"
        yield from shape_problems(shape.members["Findings"].member, finding, path)
        yield from length_problems(finding, path)


def report_problems(report, findings):
    """Each finding of an account is there, in order, with its own words."""
    expected = [finding for finding in report["findings"] if finding["account_id"] is not None]
    if len(expected) != len(findings):
        yield f"{len(findings)} findings for {len(expected)} of the report"
    if len({finding["Id"] for finding in findings}) != len(findings):
        yield "an Id is there twice"
    for ours, theirs in zip(expected, findings, strict=False):
        account, region, partition = ours["account_id"], ours["region"], ours["partition"]
        product = f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default"
        for name, found, wanted in [
            ("Id", theirs["Id"], "imdsctl/" + ours["id"]),
            ("ProductArn", theirs["ProductArn"], product),
            ("AwsAccountId", theirs["AwsAccountId"], account),
            ("Compliance", theirs["Compliance"]["Status"], STATUSES[ours["status"]]),
            ("Type", theirs["Resources"][0]["Type"], TYPES[ours["resource"]["type"]]),
        ]:
            if found != wanted:
                yield f"{ours['id']}: {name} is {found!r}, not {wanted!r}"


def self_test():
    """Doctored findings, which the checks must catch: a check that cannot fail is none."""
    good = {name: "text" for name in operation().input_shape.members["Findings"].member.required_members}
    good["Resources"] = [{"Type": "Other", "Id": "one"}]
    assert not list(problems_of([good])), list(problems_of([good]))
    for name, value in [
        ("Title", None),
        ("Title", " "),
        ("Title", "two\nlines"),
        ("Title", "x" * 257),
        ("Unheard", "of"),
        ("RecordState", "GONE"),
        ("Compliance", {"Status": "MELTED"}),
        ("Resources", [{"Type": "Other"}]),
        ("ProductFields", {"key": "x" * 2049}),
        ("ProductFields", {"key": 7}),
    ]:
        doctored = copy.deepcopy(good)
        doctored[name] = value
        if not list(problems_of([doctored])):
            sys.exit(f"{name} = {value!r} was not noticed")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--report")
    parser.add_argument("--asff")
    arguments = parser.parse_args()
    if arguments.self_test:
        self_test()
        return
    with open(arguments.report, encoding="utf-8") as file:
        report = json.load(file)
    with open(arguments.asff, encoding="utf-8") as file:
        findings = json.load(file)
    problems = [*problems_of(findings), *report_problems(report, findings)]
    if problems:
        sys.exit("\n".join(problems[:20]))
    print(len(findings), "findings")


if __name__ == "__main__":
    main()
