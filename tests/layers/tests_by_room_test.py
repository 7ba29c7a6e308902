#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests are where one searches for them: tests/ROOM/FILE_test.cpp tests src/ROOM/FILE.cpp.

tests/covered_elsewhere.txt has a line for every other source file: the file, the test that covers it (SUITE.NAME, or
a file below the root), and why, with tabs between them.
"""
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(os.environ["SOURCE_DIR"])
LIST = "tests/covered_elsewhere.txt"


def faults_of(sources, tests, suites, lines, exists):
    """What is wrong. `tests`: paths below tests; `suites`: names of tests to the files they are in."""
    faults = []
    direct = {test.removesuffix("_test.cpp") + ".cpp" for test in tests if test.endswith("_test.cpp")}
    rooms = {source.split("/")[0] for source in sources}
    listed = {}
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != 3 or not all(cells):
            faults.append(f"{LIST}:{number}: not 'source, test, why' with tabs between them")
            continue
        source, test, _ = cells
        if source in listed:
            faults.append(f"{LIST}:{number}: '{source}' has a line already")
        if source not in sources:
            faults.append(f"{LIST}:{number}: there is no src/{source}")
        elif source in direct:
            faults.append(f"{LIST}:{number}: not needed, '{source}' has a test of its name")
        if test not in suites and not exists(test):
            faults.append(f"{LIST}:{number}: there is no test '{test}'")
        listed[source] = test
    if list(listed) != sorted(listed):
        faults.append(f"{LIST}: its lines are not sorted")
    for source in sources:
        if source not in direct and source not in listed:
            faults.append(f"src/{source} has no tests/{source.removesuffix('.cpp')}_test.cpp, and no line in {LIST} "
                          "names the test that covers it")
    stems = {source.removesuffix(".cpp") for source in sources}
    for test in tests:
        stem = test.removesuffix("_test.cpp")
        if test.split("/")[0] not in rooms or not test.endswith("_test.cpp"):
            continue
        # "apply_faults" is a second file of tests for "apply".
        parts = stem.split("_")
        if not any("_".join(parts[:end]) in stems for end in range(1, len(parts) + 1)):
            faults.append(f"tests/{test}: there is no src/{stem}.cpp")
    files_of = {}
    for name, files in suites.items():
        files_of.setdefault(name.split(".")[0], set()).update(files)
    for suite, files in sorted(files_of.items()):
        if len(files) > 1:
            faults.append(f"the suite {suite} is in {' and '.join(sorted(files))}")
    return faults


def self_test():
    """Each rule speaks where it is broken, or this test could not fail."""
    sources = ["base/text.cpp", "base/time.cpp"]
    tests = ["base/text_test.cpp", "base/text_more_test.cpp"]
    suites = {"Text.IsText": {"base/text_test.cpp"}}
    good = ["# head", "base/time.cpp\tText.IsText\tfor a test"]

    def check(count, **change):
        given = {"sources": sources, "tests": tests, "suites": suites, "lines": good, "exists": lambda path: False}
        found = faults_of(**{**given, **change})
        assert len(found) == count, (change, found)

    check(0)
    check(1, lines=[])
    check(1, lines=["base/time.cpp\tText.IsGone\tw"])
    check(0, lines=["base/time.cpp\ttests/x.sh\tw"], exists=lambda path: path == "tests/x.sh")
    check(1, lines=["base/text.cpp\tText.IsText\tw"] + good)
    check(1, lines=good + ["base/tome.cpp\tText.IsText\tw"])
    check(2, lines=["base/time.cpp\tText.IsText"])
    check(1, lines=good + good[1:])
    check(1, tests=tests + ["base/other_test.cpp"])
    check(1, suites={**suites, "Text.IsMore": {"base/text_more_test.cpp"}})


def main():
    self_test()
    sources = sorted(str(path.relative_to(ROOT / "src")) for path in (ROOT / "src").rglob("*.cpp"))
    files = sorted((ROOT / "tests").rglob("*.cpp"))
    suites = {}
    for path in files:
        for name in re.findall(r"^TEST(?:_F|_P)?\(\s*(\w+,\s*\w+)\)", path.read_text(), re.M):
            suites.setdefault(re.sub(r",\s*", ".", name), set()).add(str(path.relative_to(ROOT / "tests")))
    tests = [str(path.relative_to(ROOT / "tests")) for path in files]
    lines = (ROOT / LIST).read_text().splitlines()
    faults = faults_of(sources, tests, suites, lines, lambda path: "/" in path and (ROOT / path).exists())
    for fault in faults:
        print(fault)
    print(f"{len(sources)} source files, {sum(1 for line in lines if line and line[0] != '#')} of them covered "
          f"elsewhere, {len(suites)} tests")
    sys.exit(1 if faults or not suites else 0)


main()
