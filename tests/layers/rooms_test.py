#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who includes whom: the rooms of src/, by the include lines of every file, followed to their ends.

The rooms and what each may use are read from src/CMakeLists.txt, so that the build and this test hold one truth.
"""
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(os.environ["SOURCE_DIR"])

# Third-party headers, and the only files that may know each. fmt may go anywhere.
THIRD_PARTY = {
    r"yaml\.h": {"yaml/yaml_reader.cpp"},
    r"nlohmann/.*": {"yaml/json_reader.cpp", "report/json.cpp", "report/verdicts_json.cpp",
                     "transaction/record.cpp", "kubelet/configz.cpp"},
    r"CLI/.*": {"cli/cli.cpp"},
    r"spdlog/.*": {"machine/log.cpp"},
}
# Rooms that may do I/O; every other one sees the machine through ports.
MACHINE = {"machine", "cli"}
PLAIN_HEADER = re.compile(r"[a-z_0-9]+|fmt/[a-z-]+\.h|fnmatch\.h")
IMPURE_HEADER = re.compile(
    r"fstream|iostream|thread|mutex|shared_mutex|condition_variable|future|atomic|csignal")
# What a port returns may be held by any room; a port itself is used by those that read or change a node.
PORT = re.compile(r"\b(?:ports::)?(Ports|FileSystem|ServiceManager|HealthProbe|KernelProbe|Clock)\s*[&*]")
USERS_OF_PORTS = {"ports", "systemd", "pods", "discover", "transaction", "machine", "cli"}


def declared_rooms():
    """Room -> rooms under USES, in the order of the file."""
    text = (ROOT / "src/CMakeLists.txt").read_text()
    rooms = {}
    for match in re.finditer(r"^kubelet_sysctl_room\(([^)]*)\)", text, re.M):
        words = match.group(1).split()
        uses = words[words.index("USES") + 1:] if "USES" in words else []
        if "LIBRARIES" in uses:
            uses = uses[:uses.index("LIBRARIES")]
        rooms[words[0]] = uses
    return rooms


def drawn_rooms():
    """The same as docs/architecture.md draws it."""
    rooms = {}
    room = None
    for line in (ROOT / "docs/architecture.md").read_text().splitlines():
        drawn = re.fullmatch(r"([a-z]+) +<- (.*)", line)
        if drawn:
            room = drawn.group(1)
            rooms[room] = drawn.group(2).replace("-", "").split()
        elif room and line.startswith(" " * 16):
            rooms[room] += line.split()
        else:
            room = None
    return rooms


def room_of(path):
    parts = path.parts
    return parts[2] if parts[0] == "include" else parts[1]


def includes_of(path):
    """(header, is it in quotes) for each include line."""
    found = []
    for line in (ROOT / path).read_text().splitlines():
        if re.match(r"\s*#\s*include\b", line):
            match = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', line)
            if match is None:
                sys.exit(f"{path}: cannot read '{line}'")
            found.append((match.group(1) or match.group(2), match.group(1) is not None))
    return found


def project_file(path, header):
    """The file of the project that `header` names in `path`; None for any other header."""
    if header.startswith("kubelet_sysctl/"):
        return pathlib.Path("include") / header
    for directory in (path.parent, pathlib.Path("src") / room_of(path)):
        if (ROOT / directory / header).exists():
            return directory / header
    return None


def fault_of(rooms, path, header, quoted):
    """Why the file `path` must not include `header`, or None."""
    room = room_of(path)
    for pattern, users in THIRD_PARTY.items():
        if re.fullmatch(pattern, header):
            inside = "/".join(path.parts[1:])
            return None if inside in users else "only " + ", ".join(sorted(users)) + " may know it"
    if quoted:
        target = project_file(path, header)
        if target is None:
            return "it is in no room"
        other = room_of(target)
        if target.parts[0] == "src" and other != room:
            return f"it is private to {other}"
        return None if other == room or other in rooms[room] else f"{room} does not use {other}"
    if room in MACHINE:
        return None
    if IMPURE_HEADER.fullmatch(header):
        return "no I/O and no threads here: go through the ports"
    if not PLAIN_HEADER.fullmatch(header):
        return "only the standard library and fmt here"
    return None


def reached(path, seen):
    """Every file of the project that `path` includes, and theirs."""
    for header, quoted in includes_of(path):
        target = project_file(path, header) if quoted else None
        if target is not None and target not in seen:
            seen.add(target)
            reached(target, seen)
    return seen


def main():
    faults = []
    rooms = declared_rooms()
    names = list(rooms)
    if drawn_rooms() != rooms:
        faults.append("docs/architecture.md draws other rooms than src/CMakeLists.txt names")
    everything = {}  # room -> what it may reach, through others too
    for room, uses in rooms.items():
        faults += [f"{room} uses {other}, which does not come before it" for other in uses
                   if other not in names[:names.index(room)]]
        everything[room] = {room}.union(*(everything.get(other, set()) for other in uses))

    # The rules first: each of these is wrong (or right), or this test could not fail.
    plan = pathlib.Path("src/planning/plan.cpp")
    for wrong in (("unistd.h", False), ("fstream", False), ("yaml.h", False), ("nlohmann/json.hpp", False),
                  ("kubelet_sysctl/transaction/apply.hpp", True), ("kubelet_sysctl/nowhere.hpp", True)):
        if fault_of(rooms, plan, *wrong) is None:
            faults.append(f"the rules allow {plan} to include {wrong[0]}")
    for right in (("vector", False), ("fmt/format.h", False), ("kubelet_sysctl/model/model.hpp", True)):
        if fault_of(rooms, plan, *right) is not None:
            faults.append(f"the rules forbid {plan} to include {right[0]}")

    files = sorted(path.relative_to(ROOT) for directory in ("src", "include")
                   for path in (ROOT / directory).rglob("*") if path.suffix in (".cpp", ".hpp"))
    crossing = set()  # headers that another room needs, through others too
    lines = 0
    for path in files:
        room = room_of(path)
        if room not in rooms:
            faults.append(f"{path}: src/CMakeLists.txt has no room '{room}'")
            continue
        for header, quoted in includes_of(path):
            lines += 1
            fault = fault_of(rooms, path, header, quoted)
            if fault:
                faults.append(f"{path} includes '{header}': {fault}")
        for target in reached(path, set()):
            if room_of(target) not in everything[room]:
                faults.append(f"{path} reaches {target}: {room} does not use {room_of(target)}")
            if room_of(target) != room:
                crossing.add(target)
        if room not in USERS_OF_PORTS:
            for line in (ROOT / path).read_text().splitlines():
                if PORT.search(line) and not line.lstrip().startswith("//"):
                    faults.append(f"{path} uses a port, and {room} is pure: {line.strip()}")
    for path in files:
        if path.parts[0] == "include" and path not in crossing:
            faults.append(f"{path}: no other room includes it, so it belongs beside its source")
    for fault in sorted(set(faults)):
        print(fault)
    print(f"{len(files)} files, {lines} include lines, {len(rooms)} rooms, {len(crossing)} headers "
          "that cross rooms")
    sys.exit(1 if faults or not lines else 0)


main()
