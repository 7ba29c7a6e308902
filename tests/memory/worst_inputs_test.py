#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""No input costs more than ten times its size in memory, beside what the program has for an empty node.

  worst_inputs_test.py PROGRAM PEAK

PEAK is tests/memory/peak.cpp. Prints a line for every input: its size, the memory as a multiple of it, CPU seconds and
exit code. The CPU time is that of the machine and of the optimiser, and no part of the test.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

TREE = pathlib.Path(__file__).resolve().parents[1] / "nodes/kubeadm-deb/root"
CONFIG = "var/lib/kubelet/config.yaml"
DROP_IN = "etc/systemd/system/kubelet.service.d/90-worst.conf"
MOST = 10
ADD = ["add", "kernel.msgmax"]
MIB = 1 << 20
LINES = {"yaml": b"a: [" + b"b, " * (5 * MIB - 4) + b"c]\n",
         "json": b'{"a": [' + b'"b",' * (15 * MIB // 4 - 5) + b'"c"]}\n'}


def manifest(count):
    names = "".join(f'    - {{name: net.ipv4.conf.eth{i:05}.mtu, value: "1"}}\n' for i in range(count))
    return f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: many\nspec:\n  securityContext:\n    sysctls:\n{names}".encode()


def long_list(count):
    """The node's own configuration with another list."""
    text = (TREE / CONFIG).read_text()
    begin = text.index("allowedUnsafeSysctls:")
    end = text.index("authentication:")
    entries = "".join(f"- net.ipv4.conf.eth{i:05}.mtu\n" for i in range(count))
    return (text[:begin] + "allowedUnsafeSysctls:\n" + entries + text[end:]).encode()


# What is measured: a name, the file in the tree (none: it is given with -f), its bytes, command lines with their codes.
LIST = [(["show"], 0), (["show", "-o", "json"], 0), (ADD, 0), ([*ADD, "-o", "json"], 0), ([*ADD, "--dry-run"], 0),
        (["remove", "net.ipv4.conf.eth00007.mtu"], 0)]
UNIT = [(["show"], 0), (ADD, 0), ([*ADD, "-o", "json"], 0)]
INPUTS = [
    ("list of 20,000 entries", CONFIG, long_list(20000), LIST),
    ("unit with a value of 1 MB", DROP_IN, b'[Service]\nEnvironment="BIG=' + b"x" * 1_000_000 + b'"\n', UNIT),
    ("20,000 ExecStart=", DROP_IN, b"[Service]\n" + b"ExecStart=/usr/bin/kubelet\n" * 20000, [(["doctor"], None)]),
    ("configuration of 15 MiB on a line, YAML", CONFIG, LINES["yaml"], [(["show"], None)]),
    ("configuration of 15 MiB on a line, JSON", CONFIG, LINES["json"], [(["show"], None)]),
    ("manifest of 100,000 sysctls", None, manifest(100000), [(["check", "-f", "FILE"], None)]),
    ("manifest of 15 MiB on a line, YAML", None, LINES["yaml"], [(["check", "-f", "FILE"], None)]),
    ("manifest of 15 MiB on a line, JSON", None, LINES["json"], [(["check", "-f", "FILE"], None)]),
    ("16 MiB on standard input", None, b"kernel.msgmax\n" * (16 * MIB // 14), [(["add", "-f", "-"], None)]),
]


def run(program, peak, scratch, tree, arguments, given):
    """Peak in KiB, CPU seconds and exit code of a command line on a copy of `tree`."""
    root = scratch / "root"
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(tree, root, symlinks=True)
    words = [str(given) if word == "FILE" else word for word in arguments]
    with open(given if "-" in words else "/dev/null", "rb") as stdin:
        subprocess.run([peak, scratch / "said", program, *words, "--root", root], stdin=stdin, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    kib, seconds, code = (scratch / "said").read_text().split()
    return int(kib), float(seconds), int(code)


def main():
    program, peak = sys.argv[1:3]
    failed = 0
    with tempfile.TemporaryDirectory() as directory:
        scratch = pathlib.Path(directory)
        empty = scratch / "empty"
        empty.write_bytes(b"")
        for name, path, data, commands in INPUTS:
            tree = scratch / "tree"
            shutil.rmtree(tree, ignore_errors=True)
            shutil.copytree(TREE, tree, symlinks=True)
            given = scratch / "given"
            if path is None:
                given.write_bytes(data)
            else:
                (tree / path).parent.mkdir(parents=True, exist_ok=True)
                (tree / path).write_bytes(data)
            for arguments, wanted in commands:
                own = run(program, peak, scratch, TREE, arguments, empty)[0]
                kib, seconds, code = run(program, peak, scratch, tree, arguments, given)
                times = (kib - own) * 1024 / len(data)
                good = times <= MOST and code < 128 and wanted in (None, code)
                failed += not good
                print(f"{'ok' if good else 'FAILED':7}{name}, {' '.join(arguments)}: {len(data) / 1e6:.1f} MB, "
                      f"{times:.1f} times of it, {seconds:.2f} s, exit {code}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
