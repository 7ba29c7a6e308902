#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the table of run.sh.

usage: table.py RESULT.json=TITLE=KUBELETS-DOWN...
"""
import json
import pathlib
import statistics
import sys


def row(word):
    path, title, down = word.split("=")
    run = json.loads(pathlib.Path(path).read_text())
    nodes = run["nodes"].values()
    count = len(nodes)
    of_nodes = {key: statistics.median(one[key] for one in nodes) for key in ("sessions", "seconds", "cpu")}
    return [title, str(count), f"{run['seconds']:.1f} s", f"{of_nodes['seconds']:.1f} s", f"{of_nodes['cpu']:.2f} s",
            f"{of_nodes['sessions']:.0f}", f"{run['cpu'] / count:.2f} s", f"{run['peak_kib'] / 1024:.0f} MiB", down]


def main(words):
    print("| run | nodes | whole | a node | its CPU | sessions | controller's CPU for a node | its memory | kubelets down |")
    print("| --- " + "| ---: " * 8 + "|")
    for word in words:
        print("| " + " | ".join(row(word)) + " |")


main(sys.argv[1:])
