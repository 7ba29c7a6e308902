#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the table of run.sh from the measurements that hyperfine left in a directory.

usage: table.py DIRECTORY BINARY-BYTES PEAK-KIB
"""
import json
import pathlib
import statistics
import sys

BASE = "`systemctl show kubelet.service -p MainPID`"
ROWS = [
    # measurement, what it is, target as the ratio to BASE, target in milliseconds
    ("systemctl", BASE, None, None),
    ("show", "`kubelet-sysctl show`", 1.5, None),
    ("add", "`kubelet-sysctl add`, nothing to do", 1.5, None),
    ("augtool", "`augtool set` of the whole variable, file alone", None, None),
    ("yq", "`yq` (Python) on the configuration, file alone", None, None),
    ("ansible", "`ansible-playbook`: lineinfile and systemd, nothing to do", None, None),
    ("plan-1000", "`add --dry-run --root`, list of 1 000", None, None),
    ("plan-10000", "`add --dry-run --root`, list of 10 000", None, None),
    ("plan-20000", "`add --dry-run --root`, list of 20 000", None, 100),
    ("plan-100000", "`add --dry-run --root`, list of 100 000", None, None),
]


def median_ms(directory, name):
    """The median of all rounds of one measurement, in milliseconds."""
    times = []
    for path in sorted(directory.glob(f"{name}.*.json")):
        times += json.loads(path.read_text(encoding="utf-8"))["results"][0]["times"]
    return 1000 * statistics.median(times)


def main(directory, binary_bytes, peak_kib):
    base = median_ms(directory, "systemctl")
    print("| what | median | to systemctl | target |")
    print("| --- | ---: | ---: | --- |")
    for name, what, most, most_ms in ROWS:
        time = median_ms(directory, name)
        target = f"at most {most}" if most else f"under {most_ms} ms" if most_ms else ""
        print(f"| {what} | {time:.1f} ms | {time / base:.2f} | {target} |".replace("|  |", "| |"))
    mib = 1024 * 1024
    print(f"| size of the static program | {binary_bytes / mib:.2f} MiB | | under 5 MiB |")
    print(f"| peak memory of `show` | {peak_kib / 1024:.1f} MiB | | at most 15 MiB |")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
