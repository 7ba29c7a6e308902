#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whole command lines on mutated copies of the node trees.

  mutated_trees.py PROGRAM SECONDS [SEED]

PROGRAM is best one of the preset asan. Every run must end with a documented exit code, without a signal and without
a word of a sanitizer; one that only reads must leave the tree as it was. Prints the runs and the findings.
"""
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

NODES = pathlib.Path(__file__).resolve().parents[1]
READ = [["show"], ["show", "-o", "json"], ["show", "-o", "prometheus"], ["explain", "-o", "json"], ["doctor"],
        ["doctor", "-o", "json"], ["check", "kernel.sem", "net.core.somaxconn"], ["history"]]
WRITE = [["add", "net.core.somaxconn"], ["add", "kernel.sem", "--via", "args"], ["add", "kernel.sem", "--via", "config"],
         ["remove", "net.core.somaxconn"], ["set", "kernel.msgmax"], ["set", "--empty"], ["doctor", "--fix"], ["undo"],
         ["sync"], ["recover"], ["add", "kernel.shmmax", "--persist", "--diff"]]
CODES = range(0, 9)
PIECES = [b"", b"\0", b"\n", b"\\\n", b'"', b"'", b"$A", b"${A}", b"%", b"%n", b"=", b":", b"- ", b"{", b"[", b"\xff", b"\xc3",
          b"\xe2\x80\xa8", b"\r", b"\t", b"#", b";", b"--allowed-unsafe-sysctls=", b"allowedUnsafeSysctls:", b"&a ", b"*a",
          b"<<: ", b"---\n", b"...\n", b"!!str ", b"| ", b"ExecStart=", b"Environment=", b"kernel.sem,", b"*", b"\x1b["]


def mutated(rng, data):
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        at = rng.randint(0, len(data))
        kind = rng.random()
        if kind < 0.3:
            data = data[:at] + rng.choice(PIECES) + data[at:]
        elif kind < 0.5:
            data = data[:at] + data[at + rng.randint(1, 8):]
        elif kind < 0.6:
            data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1:]
        elif kind < 0.8:
            lines = data.split(b"\n")
            one = rng.randrange(len(lines))
            other = rng.randrange(len(lines))
            lines[one], lines[other] = lines[other], lines[one]
            data = b"\n".join(lines)
        elif kind < 0.9:
            data = data[:at]
        else:
            end = min(len(data), at + rng.randint(1, 200))
            data = data[:end] + data[at:end] * rng.choice([1, 2, 50]) + data[end:]
    return data


def state_of(root):
    return {str(path): path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            for path in root.rglob("*")}


def main():
    program, seconds = sys.argv[1], float(sys.argv[2])
    seed = sys.argv[3] if len(sys.argv) > 3 else str(random.randrange(1 << 32))
    rng = random.Random(seed)
    roots = sorted(NODES.glob("nodes/*/root")) + sorted(NODES.glob("cases/*/root"))
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1", "UBSAN_OPTIONS": "halt_on_error=1"}
    runs, findings, codes = 0, 0, {}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        source = rng.choice(roots)
        with tempfile.TemporaryDirectory(prefix="mutated-") as directory:
            root = pathlib.Path(directory) / "root"
            shutil.copytree(source, root, symlinks=True)
            files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()
                     and path.stat().st_size < 200_000]
            for path in rng.sample(files, min(len(files), rng.choice([1, 1, 2, 4]))):
                path.write_bytes(mutated(rng, path.read_bytes()))
            for words in rng.sample(READ, 3) + rng.sample(WRITE, 3):
                before = state_of(root) if words in READ else None
                done = subprocess.run([program, *words, "--root", str(root)], stdin=subprocess.DEVNULL,
                                      capture_output=True, env=environment, timeout=120, check=False)
                runs += 1
                codes[done.returncode] = codes.get(done.returncode, 0) + 1
                bad = done.returncode not in CODES or b"Sanitizer" in done.stderr or b"runtime error" in done.stderr
                if bad or (before is not None and state_of(root) != before):
                    findings += 1
                    kept = tempfile.mkdtemp(prefix="finding-")
                    shutil.copytree(root, kept + "/root", symlinks=True)
                    print(f"FINDING {words} on {source}, kept in {kept}: exit {done.returncode}\n"
                          f"{done.stderr.decode(errors='replace')[:3000]}", flush=True)
    print(f"seed {seed}: {runs} runs, {findings} findings; exit codes {dict(sorted(codes.items()))}")
    sys.exit(1 if findings or not runs else 0)


if __name__ == "__main__":
    main()
