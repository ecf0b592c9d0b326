#!/usr/bin/env python3
"""Reads a JSON and a CSV report of one audit with parsers that know nothing of imdsctl.

    check_report.py --schema report-v1.schema.json --json report.json --csv report.csv

The JSON has to be valid by its schema, the schema by its own; the CSV has to hold the same findings, in the same
order, and nothing that a spreadsheet takes for a formula. Prints how many findings there are, or what is wrong.
"""

import argparse
import csv
import json
import sys

import jsonschema

# Each column that says the same as one member of a finding: its name, and where that is.
COLUMNS = {
    "id": ("id",),
    "policy": ("policy",),
    "rule": ("rule",),
    "severity": ("severity",),
    "status": ("status",),
    "partition": ("partition",),
    "account_id": ("account_id",),
    "account_name": ("account_name",),
    "region": ("region",),
    "resource_type": ("resource", "type"),
    "resource_id": ("resource", "id"),
    "resource_name": ("resource", "name"),
    "resource_arn": ("resource", "arn"),
    "cluster": ("cluster",),
    "cluster_arn": ("cluster_arn",),
    "node_group": ("node_group",),
    "managed_by": ("managed_by",),
    "nodes": ("nodes",),
    "image_id": ("image", "id"),
    "image_name": ("image", "name"),
    "image_family": ("image", "family"),
    "image_confidence": ("image", "confidence"),
    "option": ("option",),
    "actual": ("actual",),
    "source": ("source",),
}

# Of these a spreadsheet makes a formula, by OWASP's list, and an apostrophe in front makes it text.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def schema_problems(schema, report):
    """What a validator of the schema's own dialect says, formats such as dates included."""
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    checker = validator(schema, format_checker=validator.FORMAT_CHECKER)
    for error in checker.iter_errors(report):
        yield f"{error.json_path}: {error.message}"


def cell_of(finding, path):
    """What a column is to say of a finding; nothing where there is none."""
    value = finding
    for name in path:
        value = None if value is None else value[name]
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(FORMULA) else text


def csv_problems(findings, rows):
    if len(rows) != len(findings):
        yield f"{len(rows)} rows for {len(findings)} findings"
    for number, (finding, row) in enumerate(zip(findings, rows, strict=False), start=1):
        if None in row or None in row.values():
            yield f"row {number}: as many cells as the header has are wanted"
            continue
        for column, path in COLUMNS.items():
            if row[column] != cell_of(finding, path):
                yield f"row {number}: {column} is {row[column]!r}, not {cell_of(finding, path)!r}"
        for column, text in row.items():
            if text.startswith(FORMULA):
                yield f"row {number}: {column} is a formula: {text!r}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("schema", "json", "csv"):
        parser.add_argument(f"--{name}", required=True)
    arguments = parser.parse_args()
    with open(arguments.schema, encoding="utf-8") as file:
        schema = json.load(file)
    with open(arguments.json, encoding="utf-8") as file:
        report = json.load(file)
    # Line ends inside of cells are the cells' own.
    with open(arguments.csv, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    problems = [*schema_problems(schema, report), *csv_problems(report["findings"], rows)]
    if problems:
        sys.exit("\n".join(problems[:20]))
    print(len(rows), "findings")


if __name__ == "__main__":
    main()
