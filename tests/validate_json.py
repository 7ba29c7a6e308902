#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Validates JSON documents, one a line or one a file, against docs/json-schema.json.

usage: validate_json.py [FILE...]     standard input without a FILE
Exit code 0: every document is valid and there was at least one; 1: one is not, or there was none;
77: python3-jsonschema is missing.
"""
import json
import pathlib
import sys

SCHEMA = pathlib.Path(__file__).resolve().parent.parent / "docs" / "json-schema.json"


def documents(text):
    """Every document of `text`, whatever blanks or line ends are between them."""
    decoder = json.JSONDecoder()
    at = 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        document, at = decoder.raw_decode(text, at)
        yield document


def faults(validator, text, name):
    """The number of documents in `text` and what is wrong with them, each as one line."""
    found = []
    count = 0
    try:
        for document in documents(text):
            count += 1
            keys = list(document) if isinstance(document, dict) else []
            if keys[:1] != ["apiVersion"]:
                found.append(f"{name}: document {count}: apiVersion is not the first key")
            for error in validator.iter_errors(document):
                # Of oneOf only the branch of the document's own kind says anything useful.
                kind = keys and document.get("kind")
                deep = [e for e in error.context
                        if not any(c.validator == "const" and list(c.path) == ["kind"]
                                   for c in error.context
                                   if c.schema_path[0] == e.schema_path[0])]
                for one in deep or [error]:
                    place = "/".join(str(part) for part in one.absolute_path)
                    found.append(f"{name}: document {count} ({kind}): '{place}': {one.message}")
    except json.JSONDecodeError as error:
        found.append(f"{name}: document {count + 1}: {error}")
    return count, found


def main(paths):
    try:
        import jsonschema
    except ImportError:
        print("validate_json.py: python3-jsonschema is missing", file=sys.stderr)
        return 77
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    count = 0
    found = []
    for path in paths or ["-"]:
        text = sys.stdin.read() if path == "-" else pathlib.Path(path).read_text(encoding="utf-8")
        more, wrong = faults(validator, text, path)
        count += more
        found += wrong
    if count == 0 and not found:
        found.append("no document")
    for line in found:
        print(f"validate_json.py: {line}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
