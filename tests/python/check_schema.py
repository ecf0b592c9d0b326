#!/usr/bin/env python3
"""Holds JSON against a JSON Schema.

    check_schema.py --schema explanation-v1.schema.json FILE...
    check_schema.py --schema inventory-v1.schema.json --lines FILE...

With --lines each line of a file is a document of its own. Prints how many documents there are, or what is wrong.
"""

import argparse
import json
import pathlib
import sys

from check_report import schema_problems


def documents(path, lines):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()] if lines else [json.loads(text)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--schema", required=True)
    parser.add_argument("--lines", action="store_true")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    with open(arguments.schema, encoding="utf-8") as file:
        schema = json.load(file)
    read = [document for path in arguments.files for document in documents(path, arguments.lines)]
    problems = [problem for document in read for problem in schema_problems(schema, document)]
    if problems:
        sys.exit("\n".join(problems[:20]))
    print(f"{len(read)} documents")


if __name__ == "__main__":
    main()
