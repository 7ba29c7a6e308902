#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks the program about every configuration and command line that a kubelet was started with, and compares.

The program is named by KUBELET_SYSCTL_BIN, else by KUBELET_SYSCTL. Each row of the data becomes a
directory tree for --root. Where the kubelet started, `show` must give its list and `add` must add to
it; where it died, `show`, `doctor` and `add` must each end with an error. What the program refuses
without need is listed in NEEDLESS, with the reason. Exit code 0 when all agree.

A row of which both releases made the same is asked for one of them, in turn; with --only, for both.

  config_vectors.py [--verbose] [--only NAME...]
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import yaml

DATA = pathlib.Path(__file__).parent.parent / "data"
PROGRAM = os.environ.get("KUBELET_SYSCTL_BIN") or os.environ["KUBELET_SYSCTL"]
RELEASES = ("1.32", "1.36")
NEW_ENTRY = "fs.mqueue.queues_max"  # which no list of the data covers
DEADLINE = 60  # seconds for one run
UNIT = "[Service]\nExecStart=/usr/bin/kubelet {}\n"

# Rows that the program refuses though the kubelet reads them, by what it says.
NEEDLESS = {
    "will not edit": "the list cannot be changed byte by byte there, and the reason is given",
    "will not follow merge keys": "merges of merges",
    "goes on after a line end": "the kubelet drops what is behind the first line of a value",
    "after the edit the list would be": "a carriage return ends the value, and would not any more",
}

# Command lines with which a kubelet starts, and that are an error all the same: what was meant as the list is
# the value of another flag.
SWALLOWED = {"flags:60"}


def rows():
    """Every measured configuration as (name, files, arguments, what each release made of it)."""
    for number, row in enumerate(json.loads((DATA / "kubelet-yaml-vectors.json").read_text())):
        yield f"yaml:{number}", {"/config.yaml": row["config"]}, ["--config=/config.yaml"], row
    for row in json.loads((DATA / "kubelet-vectors.json").read_text())["configs"]:
        files, arguments = {}, []
        if "config" in row:
            files["/config.yaml"] = row["config"]
            arguments.append("--config=/config.yaml")
        if "dir" in row:
            arguments.append("--config-dir=/d")
            for name, content in row["dir"].items():
                files[os.path.normpath("/d/" + name)] = content
        yield row["id"], files, arguments, row


def flag_rows():
    """Every measured command line, likewise."""
    data = json.loads((DATA / "kubelet-vectors.json").read_text())
    head = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
    files = {}
    for path, entries in data["flag_files"].items():
        if entries is None or isinstance(entries, list):
            files[path] = head + (f"allowedUnsafeSysctls: {json.dumps(entries)}\n" if entries else "")
        else:
            files[path + "/.keep"] = ""
    for number, row in enumerate(data["flags"]):
        yield f"flags:{number}", files, row["argv"], row


def quoted(word):
    """A word as systemd reads it in a unit file."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    for byte, letter in (("\n", "n"), ("\r", "r"), ("\t", "t")):
        escaped = escaped.replace(byte, "\\" + letter)
    return f'"{escaped}"'


def materialise(root, files, arguments):
    """Writes the tree of one row."""
    unit = UNIT.format(" ".join(quoted(word) for word in arguments))
    for path, content in {"/etc/systemd/system/kubelet.service": unit, **files}.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict):
            place.symlink_to(content["link"])
        else:
            place.write_bytes(content.encode())
    program = root / "usr/bin/kubelet"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_bytes(b"\x7fELF")
    program.chmod(0o755)


def run(root, release, *words):
    """One command line: exit code, standard output, standard error."""
    done = subprocess.run(
        [PROGRAM, *words, "--root", str(root), "--kubelet-version", release],
        capture_output=True, timeout=DEADLINE, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def shown(root, release):
    """The list that `show` gives, or nothing where it ends with an error."""
    code, out, err = run(root, release, "show", "-o", "json")
    if code not in (0, 6):
        return None, err
    return json.loads(out)["configured"]["entries"], err


def has_error(root, release):
    """True when `doctor` reports an error."""
    code, out, err = run(root, release, "doctor", "-o", "json")
    try:
        findings = json.loads(out)["findings"]
    except (ValueError, KeyError):
        return code != 0, err
    return any(finding["severity"] == "error" for finding in findings), out


def entries_of(answer):
    return [entry["entry"] if isinstance(entry, dict) else entry for entry in answer or []]


def first_document(content):
    """What another reader makes of the file; nothing where it knows less YAML than the kubelet."""
    try:
        return next(iter(yaml.load_all(content, yaml.CSafeLoader)))
    except yaml.YAMLError:
        return None


def list_in(read, suffix):
    """The list of a file; in a drop-in that of the spelling which sorts last."""
    key = "allowedUnsafeSysctls"
    if suffix == ".conf":
        spellings = [one for one in read if one.casefold() == key.lower()]
        key = max(spellings, key=str.encode) if spellings else key
    # This reader keeps what !!binary holds as bytes; the kubelet's takes it for text.
    return [one.decode() if isinstance(one, bytes) else one for one in read.get(key) or []]


def needless(text):
    return next((why for why in NEEDLESS if why in text), None)


def judge(name, files, arguments, row, release):
    """What is wrong with the program's answers: a list of (kind, text)."""
    expect = row[release]
    dies = "list" not in expect
    wrong = []
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        materialise(root, files, arguments)
        entries, said = shown(root, release)
        stopped, report = has_error(root, release)
        if dies or "refused" in expect:
            code, _, err = run(root, release, "add", NEW_ENTRY)
            if dies and entries is not None:
                wrong.append(("show is silent", str(entries)))
            if not stopped:
                wrong.append(("doctor is silent", report[:300]))
            if code == 0:
                wrong.append(("add is silent", err))
            return wrong
        if entries is None:
            return [("show refuses", said)]
        if entries_of(entries) != expect["list"]:
            wrong.append(("show is wrong", f"{entries_of(entries)} for {expect['list']}"))
        if stopped and name not in SWALLOWED:
            wrong.append(("doctor is wrong", report[:600]))
        before = {path: place.read_bytes() for path in root.rglob("*") if (place := path).is_file()}
        code, _, err = run(root, release, "add", NEW_ENTRY)
        if code != 0:
            wrong.append((f"add refuses: {needless(err)}" if needless(err) else "add fails", err))
            return wrong
        after, _ = shown(root, release)
        if entries_of(after) != expect["list"] + [NEW_ENTRY]:
            wrong.append(("add is wrong", str(entries_of(after))))
        for path, content in before.items():
            if path.read_bytes() != content and path.suffix in (".yaml", ".conf"):
                read = first_document(path.read_bytes())
                if read is not None and list_in(read, path.suffix) != expect["list"] + [NEW_ENTRY]:
                    wrong.append(("add writes another list", path.read_text()))
    return wrong


def releases_of(row, number):
    """Those for which a row is asked."""
    same = all(row[release] == row[RELEASES[0]] for release in RELEASES)
    return (RELEASES[number % len(RELEASES)],) if same else RELEASES


def main():
    chosen = [*rows(), *flag_rows()]
    only = "--only" in sys.argv
    work = [(*row, release) for number, row in enumerate(chosen) if not only or row[0] in sys.argv
            for release in (RELEASES if only else releases_of(row[-1], number))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        results = list(pool.map(lambda item: judge(*item), work))
    counts = collections.Counter()
    for (name, _, _, row, release), wrong in zip(work, results):
        for kind, text in wrong:
            counts[kind] += 1
            if kind.startswith("add refuses: ") and "--verbose" not in sys.argv:
                continue
            expect = row[release].get("dies", row[release].get("list"))
            print(f"{name} {release}: {kind}: {text.strip()}\n    measured: {str(expect)[-160:]}")
    right = sum(not wrong for wrong in results)
    print(f"{len(work)} rows", f"{right} right", *(f"{count} {kind}" for kind, count in counts.items()), sep="; ")
    return 1 if any(not kind.startswith("add refuses: ") for kind in counts) else 0


if __name__ == "__main__":
    sys.exit(main())
