#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the command lines of every golden case on a terminal: no line is wider than it, and all is ASCII.

usage: terminal_width.py PROGRAM [COLUMNS...]

A line may be wider where its first unit is so by itself: a word (a path), a text in single quotes, what follows
"run:", "type:" or "with:" (a command to be copied, a message of the kubelet to be searched for) or stands below
"type these:"; and an excerpt of a file with its caret. A diff, a JSON document, metrics and a completion are for
other programs and are not inspected. Every case runs at 60 columns, and every third, in their order, at 80 and 120.
The locale is C, which has no other characters than those of ASCII: the program writes none of its own.
"""
import fcntl
import json
import os
import pathlib
import re
import shlex
import shutil
import struct
import sys
import tempfile
import termios

TESTS = pathlib.Path(__file__).resolve().parent.parent
FOR_PROGRAMS = {"json", "--diff", "--metrics", "completion"}


def said_on_terminal(program, words, columns, given):
    """What appears on a terminal of so many columns, standard error among the rest."""
    pid, master = os.forkpty()
    if pid == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.dup2(os.open(given or "/dev/null", os.O_RDONLY), 0)
        environment = {"PATH": "/usr/bin:/bin", "TERM": "xterm", "LC_ALL": "C"}
        os.execve(program, ["kubelet-sysctl", *words], environment)
    said = b""
    while True:
        try:
            block = os.read(master, 65536)
        except OSError:  # the other side is closed
            block = b""
        if not block:
            break
        said += block
    os.close(master)
    os.waitpid(pid, 0)
    text = re.sub(r"\x1b\[[0-9;]*m", "", said.decode("utf-8", "replace"))
    return text.replace("\r\n", "\n")


def wide_lines(text, columns):
    """The lines that are too wide and could be broken."""
    lines = text.split("\n")
    is_caret = [re.fullmatch(r" *\^", line) is not None for line in lines] + [False]
    typed = False
    for number, line in enumerate(lines):
        typed = (typed and line.startswith(" ")) or line.endswith("type these:")
        announced = number > 0 and re.search(r"\b(run|type|with):$", lines[number - 1])
        if len(line) <= columns or is_caret[number] or is_caret[number + 1] or typed or announced:
            continue
        indent = len(line) - len(line.lstrip())
        first = re.match(r"(run: .*|[^\s']*'[^']*'\S*|\S+)", line.lstrip()).group()
        if indent + len(first) <= columns:
            yield line


def run_case(program, case, columns):
    node = case.parent.parent
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch) / "node"
        shutil.copytree(node / "root", root, symlinks=True)
        facts = node / "node.json"
        argv = json.loads(facts.read_text())["argv"] if facts.exists() else []
        for argument in argv[:1]:
            kubelet = root / argument["word"].lstrip("/")
            kubelet.parent.mkdir(parents=True, exist_ok=True)
            kubelet.write_bytes(b"")
            kubelet.chmod(0o755)
        given = case / "stdin"
        for line in (case / "cmd").read_text().splitlines():
            words = [word.replace("ROOT", str(root)).replace("CASE", str(case))
                     for word in shlex.split(line)]
            if FOR_PROGRAMS & set(words):
                continue
            text = said_on_terminal(program, words, columns, given if given.exists() else None)
            found += [f"{columns} columns, {case.relative_to(TESTS)}: {line}\n  {wide}"
                      for wide in wide_lines(text, columns)]
            found += [f"not ASCII, {case.relative_to(TESTS)}: {line}\n  {other}"
                      for other in text.split("\n") if not other.isascii()]
    return found


def main():
    program = os.path.abspath(sys.argv[1])
    widths = [int(word) for word in sys.argv[2:]] or [60, 80, 120]
    cases = sorted(path.parent for path in TESTS.glob("*/*/cases/*/cmd"))
    assert len(cases) > 200, "the cases are not where they were"
    found = [line for columns in widths for case in cases[::1 if columns <= 60 else 3]
             for line in run_case(program, case, columns)]
    print("\n".join(found))
    print(f"{len(cases)} cases on terminals of {widths} columns: {len(found)} lines too wide or not ASCII")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
