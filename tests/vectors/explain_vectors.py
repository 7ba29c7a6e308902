#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs `kubelet-sysctl explain` on every measured unit and compares it with what was executed.

The program is named by KUBELET_SYSCTL_BIN, else by KUBELET_SYSCTL. Each vector becomes a directory
tree for --root; what a tree cannot determine is listed in KNOWN_APART. Exit code 0 when all agree.
"""
import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile

DATA = pathlib.Path(__file__).parent.parent / "data"
# The file and the releases of systemd to run it for. The second holds minimal units, each of which
# was once read wrongly.
DOCUMENTS = {
    "systemd-vectors.json": ["252"],
    "systemd-vectors-2.json": ["252", "257", "262"],
}
DEADLINE = 20  # seconds for one run

# What only the running machine knows; the value is what the program must do instead of guessing.
KNOWN_APART = {
    # The shell that systemd's build chose for %s stays as it is written.
    "execstart-053": "%s",
    # PATH and LANG are set by the manager: named as unresolved.
    "execstart-080": ["LANG", "PATH"],
    # Two commands, both a kubelet: refused.
    "execstart-025": "refuses",
    # A shell runs the line, and what it makes of it is unknown: refused.
    ("diff-030", "262"): "refuses",
}


def content(entry):
    """Bytes of one file of a vector."""
    if "base64" in entry:
        return base64.b64decode(entry["base64"])
    if "text" in entry:
        return entry["text"].encode()
    return b"".join(
        part["text"].encode() if "text" in part else part["repeat"].encode() * part["count"]
        for part in entry["parts"])


def materialise(head, vector, root):
    """Writes a vector's files below `root`, with a merged /usr and the programs of the machine."""
    for name in ("bin", "sbin", "lib"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to("usr/" + name)
    files = [{"path": path, "text": "#!/bin/sh\n", "mode": 0o755} for path in head["programs"]]
    files += vector["files"]
    if vector["id"] == "execstart-102":  # Its ExecStartPre= writes this file.
        files.append({"path": "/run/kube-gen.env", "text": "A=made\n"})
    for entry in files:
        path = root / entry["path"].lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if "symlink" in entry:
            path.symlink_to(entry["symlink"])
        elif "dir" in entry:
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(content(entry))
            path.chmod(entry.get("mode", 0o644))


def shown(word):
    """A word as JSON can show it: U+FFFD in place of bytes that are not UTF-8."""
    if isinstance(word, str):
        return word
    return base64.b64decode(word["base64"]).decode("utf-8", "replace")


def expected_of(vector, release):
    """What one release made of a vector."""
    return {**vector["expect"], **vector["differs_on"].get(release, {})}


def expected_words(expected):
    """Every argv that is right; several where several commands run."""
    argv = expected["argv"]
    commands = argv if argv and isinstance(argv[0], list) else [argv]
    return [[shown(word) for word in words] for words in commands]


def fault(vector, release, code, document, said):
    """Why the program's answer is wrong, or nothing."""
    words = document.get("words")
    apart = KNOWN_APART.get(vector["id"], KNOWN_APART.get((vector["id"], release)))
    expected = expected_of(vector, release)
    # Its words are shown all the same, and that they are never run is said.
    if expected["outcome"] in ("start-failed", "nothing-executed") and "would not start" in said:
        return None
    if expected["outcome"] != "executed" or apart == "refuses":
        if code == 0 or words is not None:
            return f"words where there must be an error: exit code {code}, {words}"
        return None
    if code != 0 or words is None:
        return f"exit code {code}: {document.get('error')}"
    texts = [word["text"] for word in words]
    if isinstance(apart, str):
        return None if any(
            len(right) == len(texts) and all(a in (b, apart) for a, b in zip(texts, right))
            for right in expected_words(expected)) else f"{texts}"
    if apart is not None:
        unresolved = sorted(document.get("unresolved", []))
        return None if unresolved == apart else f"unresolved is {unresolved}"
    return None if texts in expected_words(expected) else f"{texts}"


def run(program, head, vector, release):
    """The fault of one vector, or nothing."""
    with tempfile.TemporaryDirectory(prefix="vector-") as directory:
        root = pathlib.Path(directory)
        materialise(head, vector, root)
        done = subprocess.run(
            [program, "explain", "--root", directory, "--unit", vector["unit"],
             "--systemd-version", release, "-o", "json"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE, check=False)
    try:
        document = json.loads(done.stdout)
    except ValueError:
        return f"exit code {done.returncode}, no JSON: {done.stderr.decode(errors='replace')}"
    return fault(vector, release, done.returncode, document,
                 done.stderr.decode(errors="replace"))


def main():
    program = os.environ.get("KUBELET_SYSCTL_BIN") or os.environ.get("KUBELET_SYSCTL")
    if not program:
        sys.exit("name the program in KUBELET_SYSCTL_BIN")
    # The second file has no head of its own: the programs are those of the same machine.
    head = json.loads((DATA / "systemd-vectors.json").read_bytes())
    total = wrong = 0
    for name, releases in DOCUMENTS.items():
        vectors = json.loads((DATA / name).read_bytes())["vectors"]
        for release in releases:
            faults = 0
            for vector in vectors:
                found = run(program, head, vector, release)
                if found:
                    faults += 1
                    print(f"{vector['id']} on {release} ({vector['title']}): {found}")
            print(f"{len(vectors) - faults} of {len(vectors)} vectors of {name} as measured on "
                  f"systemd {release}")
            total += len(vectors)
            wrong += faults
    sys.exit(1 if wrong or not total else 0)


if __name__ == "__main__":
    main()
