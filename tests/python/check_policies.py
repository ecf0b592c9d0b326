"""Holds IAM policies, {name: policy} as JSON on stdin, against parliament: unknown actions, resources that an action does
not know, conditions that it does not have. Prints a line for whatever is wrong with one."""

import json
import sys
import warnings

# It says that it uses something old, each time.
warnings.simplefilter("ignore")

import parliament  # noqa: E402

for name, policy in json.load(sys.stdin).items():
    for finding in parliament.analyze_policy_string(json.dumps(policy)).findings:
        print(name, finding.issue, finding.detail)
