#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every step of the tour prints what it says: plays examples/quickstart.sh and
# compares each "$ command" with its output. Process ids, times, ids of changes and the release of the
# kernel are left out.
set -euo pipefail
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

status=0
"$source_dir/examples/quickstart.sh" >"$work/output" 2>"$work/errors" || status=$?
if [ "$status" -ne 0 ]; then
  cat "$work/output" "$work/errors" >&2
  exit "$status"
fi

python3 - "$source_dir/docs/tour.md" "$work/output" <<'PYTHON'
import re
import sys


def plain(text):
    """`text` without what differs from run to run."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    text = re.sub(r"\d{8}T\d{6}Z-\d+", "ID", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(Z| UTC|[+-]\d\d:\d\d)?", "TIME", text)
    text = re.sub(r"\((now|\d+ (s|min) ago)\)", "(AGO)", text)
    text = re.sub(r"\bpid \d+", "pid N", text)
    text = re.sub(r"\bthis kernel \([^)]*\)", "this kernel", text)
    return re.sub(r"\b\d+(\.\d+)? (ms|s|min)\b", "DURATION", text)


def steps(text):
    """Each command of a transcript and what it printed; comments between them are not."""
    found = []
    for line in plain(text).splitlines():
        if line.startswith("$ "):
            found.append((line, []))
        elif found and not line.startswith("# ") and not line.startswith("quickstart: "):
            found[-1][1].append(line.rstrip())
    return [(command, "\n".join(lines).strip("\n")) for command, lines in found]


tour = open(sys.argv[1], encoding="utf-8").read()
mark = "<!-- transcript of examples/quickstart.sh -->"
block = re.search(mark + r"\n+```console\n(.*?)```", tour, re.S)
if not block:
    sys.exit("FAILED: docs/tour.md has no transcript")
seen = steps(open(sys.argv[2], encoding="utf-8").read())
told = steps(block.group(1))
if len(told) < 3:
    sys.exit("FAILED: the transcript of docs/tour.md holds hardly anything")
for step in told:
    if step not in seen:
        others = "\n---\n".join(printed for command, printed in seen if command == step[0])
        sys.exit(f"FAILED: {step[0]}\nthe tour says:\n{step[1]}\nprinted was:\n{others}")
PYTHON
