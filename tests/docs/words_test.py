#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The project says things in the words of systemd and Kubernetes: the words that went do not come back. What the
program itself writes is ASCII, which every terminal shows.

Read is what a user or an engineer reads: the documents, the examples, and the comments, strings and names of
the program.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# The word that is out, and what is said in its place.
OUT = {
    r"wish(es|ed|ful)?": "desired list, desired entry",
    r"lasting": "persistent, persist",
    r"mend(s|ed|ing)?": "fix",
    r"(told|tells)": "reported, says",
    r"(some|no)body else('s)?": "another process",
    r"somebody": "a user, something",
    r"whoever": "the program that, anyone who",
    r"a person must act": "manual action required",
    r"no decision of a person": "fix automatically",
    r"ends? (at once )?over (it|its)": "exits",
    r"anew": "again",
    r"hull": "covering range",
    r"victims?": "rejected pods",
    r"surroundings": "runtime environment",
    r"everybody": "everyone",
    r"no such thing": "does not count",
    r"before (its|their|your) eyes": "in sight",
    r"knows nobody": "an unknown kind",
    r"shall last": "persistent",
    r"as a person (types|reads|sees) it": "quoted for a shell, as text",
    r"(is|are) said of (it|them)": "is reported, what it says",
    r"stands (in|at|there|already|before|behind)": "is in, is at",
    r"its own idea of": "a shell expands it",
    r"make the list last": "persist the list",
    r"tears the list apart": "splits the list",
    r"did not hold": "failed",
}
FILES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/**/*", "examples/**/*", "packaging/**/*",
         "src/**/*.cpp", "src/**/*.hpp", "include/**/*.hpp"]
OUT_OF_IT = re.compile(r"\.(svg|png|json\.in)$|/completions/")


def main():
    words = re.compile(r"(?<![A-Za-z])(?:" + "|".join(f"(?:{word})" for word in OUT) + r")(?![A-Za-z])", re.I)
    found = []
    read = 0
    for pattern in FILES:
        for path in sorted(ROOT.glob(pattern)):
            if not path.is_file() or OUT_OF_IT.search(str(path)):
                continue
            read += 1
            text = path.read_text(encoding="utf-8", errors="replace")
            for number, line in enumerate(text.splitlines(), 1):
                for match in words.finditer(line.replace("_", " ")):
                    found.append(f"{path.relative_to(ROOT)}:{number}: '{match.group()}': {line.strip()}")
    if read < 300:
        sys.exit(f"FAILED: only {read} files were read")
    literal = re.compile(r'^(?!\s*//)[^"]*"(?:[^"\\]|\\.)*?([^\x00-\x7f]+)')
    for path in sorted([*ROOT.glob("src/**/*.cpp"), *ROOT.glob("src/**/*.hpp")]):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = literal.match(line.split(" //")[0])
            if match and match.group(1) != "\u03bc":  # systemd's own unit, which is read
                found.append(f"{path.relative_to(ROOT)}:{number}: not ASCII: {line.strip()}")
    for one in found:
        print(one)
    sys.exit(f"FAILED: {len(found)} words that are out; see {pathlib.Path(__file__).name}" if found else 0)


main()
