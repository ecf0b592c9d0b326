"""What Security Hub of AWS refuses and moto takes, put into moto.

A hub that nobody enabled answers nothing; a finding of another account or Region is not taken; and an update that is not
later than what is there, which AWS ignores, fails, so that it is noticed. A hub that is enabled with the tag `refuses` does
not take the findings of that generator either: AWS, too, refuses single findings.
"""

from datetime import datetime

from moto.securityhub.exceptions import SecurityHubClientError
from moto.securityhub.models import SecurityHubBackend

get_findings = SecurityHubBackend.get_findings
batch_import_findings = SecurityHubBackend.batch_import_findings


def must_be_enabled(hub):
    if not hub.enabled:
        message = f"Account {hub.account_id} is not subscribed to AWS Security Hub"
        raise SecurityHubClientError("InvalidAccessException", message)


def time(finding):
    return datetime.fromisoformat(finding["UpdatedAt"])


def problem(hub, finding):
    if (finding["AwsAccountId"], finding["Region"]) != (hub.account_id, hub.region_name):
        return "the finding is of another account or Region"
    held = [held.data for held in hub.findings if held.id == finding["Id"]]
    if held and time(finding) <= time(held[0]):
        return "UpdatedAt is not later than what is there"
    if finding["GeneratorId"] == hub.tags.get("refuses"):
        return "the finding does not adhere to the format"
    return None


def guarded_get(hub, *arguments, **named):
    must_be_enabled(hub)
    return get_findings(hub, *arguments, **named)


def guarded_import(hub, findings):
    must_be_enabled(hub)
    if len(findings) > 100:
        raise SecurityHubClientError("InvalidInputException", "more than 100 findings")
    problems = {finding["Id"]: problem(hub, finding) for finding in findings}
    taken = [finding for finding in findings if not problems[finding["Id"]]]
    failed, succeeded, failures = batch_import_findings(hub, taken)
    refused = [
        {"Id": id, "ErrorCode": "InvalidInput", "ErrorMessage": why} for id, why in problems.items() if why
    ]
    return failed + len(refused), succeeded, failures + refused


def apply():
    SecurityHubBackend.get_findings = guarded_get
    SecurityHubBackend.batch_import_findings = guarded_import
