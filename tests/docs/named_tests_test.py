#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every row of the threat model and of the guarantees names tests, and each of them exists."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parents[2]
tests = set()
for source in (root / "tests").rglob("*_test.cpp"):
    for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", source.read_text(), re.M):
        tests.add(f"{suite}.{name}")
tests |= set(re.findall(r"kubelet_sysctl_script_test\(\s*([\w.]+\w) ", (root / "tests/CMakeLists.txt").read_text()))
tests |= {f"e2e.{script.parent.name}" for script in (root / "tests/e2e/cases").glob("*/run.sh")}

TABLES = {"security.md": "Who may write what", "guarantees.md": "Guarantees"}
faults = []
count = 0
for page, title in TABLES.items():
    text = (root / "docs" / page).read_text()
    section = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    rows = [line for line in rows if not line.startswith("| ---")]
    count += len(rows)
    if len(rows) < 8:
        faults.append(f"{page}: only {len(rows)} rows were found")
    for row in rows:
        named = re.findall(r"`([\w.-]+)`", row.rsplit("|", 2)[1])
        if not named:
            faults.append(f"{page}: no test is named: {row}")
        faults += [f"{page}: there is no test '{name}'" for name in named if name not in tests]
print(f"{count} rows, {len(tests)} tests known")
for fault in faults:
    print(fault, file=sys.stderr)
sys.exit(1 if faults else 0)
