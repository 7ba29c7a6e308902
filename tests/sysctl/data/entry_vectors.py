#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes entry-spellings.tsv: many spellings of entries with the words of each release about them.

The verdicts follow from the regular expressions and tables of Kubernetes alone (restated below,
with their sources), and share nothing with the program: a second reading of the same rules.

usage: entry_vectors.py            prints the table
       entry_vectors.py --check    compares it with the file beside this script; 1 if they differ
"""
import pathlib
import re
import sys

RELEASES = ["1.20", "1.22", "1.25", "1.28", "1.29", "1.37"]

# Source: pkg/apis/policy/validation/validation.go SysctlPatternFmt, SysctlContainSlashPatternFmt.
DOTS = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?\.)*([a-z0-9][-_a-z0-9]*)?[a-z0-9*]"
SLASHES = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*([a-z0-9][-_a-z0-9]*)?[a-z0-9*]"
LONGEST = 253

# Source: pkg/kubelet/sysctl/namespace.go, up to 1.28.
OLD_NAMES = {"kernel.sem"}
OLD_PREFIXES = ("kernel.shm", "kernel.msg", "fs.mqueue.", "net.")
# Source: component-helpers node/util/sysctl/namespace.go, from 1.29.
NEW_NAMES = {"kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni",
             "kernel.shm_rmid_forced", "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni",
             "kernel.shm", "kernel.msg"}
NEW_PREFIXES = ("net.", "fs.mqueue.")

BASES = ["net.core.somaxconn", "net.ipv4.tcp_rmem", "net.bridge.bridge-nf-call-iptables", "net.x",
         "kernel.sem", "kernel.shm", "kernel.shm_", "kernel.shmmax", "kernel.shm_rmid_forced",
         "kernel.shm_next_id", "kernel.msg", "kernel.msgm", "kernel.msgmni", "kernel.pid_max",
         "fs.mqueue.msg_max", "fs.mqueue", "fs.file-max", "vm.max_map_count",
         "user.max_user_namespaces"]
CHANGES = [
    lambda s: s, lambda s: s + "*", lambda s: s + ".*", lambda s: s + "_*", lambda s: s[:-1] + "*",
    lambda s: s + ".", lambda s: s + "-", lambda s: s + "**", lambda s: s.replace(".", ".*.", 1),
    lambda s: s.replace(".", "/"), lambda s: s.replace(".", "/") + "/*",
    lambda s: s.replace(".", "/", 1),
    lambda s: s[::-1].replace(".", "/", 1)[::-1], lambda s: s.replace(".", ".."),
    lambda s: s.replace(".", "._"), lambda s: s.replace(".", "-."), lambda s: "." + s,
    lambda s: "/" + s,
    lambda s: s.upper(), lambda s: s.title(), lambda s: " " + s, lambda s: s + " ",
    lambda s: s + "=1",
    lambda s: s + "," + s, lambda s: s + "0", lambda s: "0" + s,
]
LONG = ["net." + "a" * 249, "net." + "a" * 250, "net." + "a" * 248 + "*", "net/" + "a" * 249]


def minor(release):
    return int(release.split(".")[1])


def in_dots(name):
    """NormalizeName: where the first separator is a slash, slashes and dots change places."""
    first = re.search(r"[./]", name)
    if not first or first.group() == ".":
        return name
    return name.translate(str.maketrans("./", "/."))


def words(entry, release):
    """What a kubelet of this release ends with: "" when it starts, "pattern" for the long message."""
    pattern = DOTS if minor(release) <= 22 else SLASHES
    if len(entry) > LONGEST or not re.fullmatch(pattern, entry):
        return "pattern"
    name = entry if minor(release) <= 22 else in_dots(entry)
    stem = name[:-1] if name.endswith("*") else name
    names, prefixes = NEW_NAMES, NEW_PREFIXES
    if minor(release) <= 28:
        names, prefixes = OLD_NAMES, OLD_PREFIXES
    if stem in names or stem.startswith(prefixes):
        return ""
    if minor(release) >= 29:
        return f'the sysctls "{stem}" are not known to be namespaced'
    return f'the sysctl{"s" if stem != name else ""} "{name}" are not known to be namespaced'


def table():
    entries = dict.fromkeys(change(base) for base in BASES for change in CHANGES)
    entries.update(dict.fromkeys(LONG))
    lines = ["# SPDX-License-Identifier: Apache-2.0",
             "# Written by entry_vectors.py: an entry, and what each release says to it. Nothing: it",
             "# starts; pattern: sysctl \"ENTRY\" must have at most 253 characters and match regex ...",
             "\t".join(["entry"] + RELEASES)]
    for entry in entries:
        lines.append("\t".join([entry] + [words(entry, release) for release in RELEASES]))
    return "\n".join(lines) + "\n"


def main(arguments):
    if arguments != ["--check"]:
        sys.stdout.write(table())
        return 0
    kept = pathlib.Path(__file__).with_name("entry-spellings.tsv").read_text(encoding="utf-8")
    if kept == table():
        return 0
    print("entry_vectors.py: entry-spellings.tsv is not what this script writes", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
