#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command that reaches nodes by ssh.sh and writes down what it cost the machine that it runs on.

usage: measure.py RESULT.json COMMAND...

Memory is what its processes hold together at their peak, shared pages counted once; those of a session with a node
do not count, nor does their time on the processor, which ssh.sh writes into E2E_SSH_TIMES.
"""
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import threading
import time


def kib(pid):
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"(?m)^Pss: +(\d+) kB", text).group(1))


def held(pid):
    """The memory of a process and those below it, but for sessions with a node."""
    try:
        if b"ssh.sh" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
            return 0
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return kib(pid) + sum(held(child) for child in children)
    except (OSError, AttributeError):  # it ended meanwhile
        return 0


def main(result, command):
    sessions = pathlib.Path(result).with_suffix(".sessions")
    sessions.write_text("")
    began = time.monotonic()
    child = subprocess.Popen(command, env={**os.environ, "E2E_SSH_TIMES": str(sessions)})
    peak = 0
    ended = threading.Event()

    def watch():
        nonlocal peak
        while not ended.wait(0.25):
            peak = max(peak, held(child.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    status = child.wait()
    whole = time.monotonic() - began
    ended.set()
    watcher.join()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    nodes = {}
    for line in sessions.read_text().splitlines():
        name, real, user, system = line.split()
        one = nodes.setdefault(name, {"sessions": 0, "seconds": 0.0, "cpu": 0.0})
        one["sessions"] += 1
        one["seconds"] += float(real)
        one["cpu"] += float(user) + float(system)
    cpu = used.ru_utime + used.ru_stime - sum(one["cpu"] for one in nodes.values())
    pathlib.Path(result).write_text(json.dumps({"seconds": whole, "cpu": cpu, "peak_kib": peak, "nodes": nodes}))
    sys.exit(status)


main(sys.argv[1], sys.argv[2:])
