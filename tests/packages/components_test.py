#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The list of components is SPDX 2.3, and nothing that the program was built from is missing in it.

What was built from is recognised by the build itself: the headers in ninja's records, and the archives that
the linker is given. Whose they are is recognised by dpkg.
"""
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("KUBELET_SYSCTL", SOURCE / "build/static/kubelet-sysctl"))
BUILD = PROGRAM.parent
PACKAGES = pathlib.Path(os.environ.get("PACKAGES_DIR", BUILD / "packages-test"))
failures = []


def skip(why):
    print(f"skipped: {why}", file=sys.stderr)
    sys.exit(77)


def check(holds, what):
    if not holds:
        failures.append(what)


def output(*command):
    return subprocess.run(command, text=True, capture_output=True, check=True).stdout


def check_form(document):
    """The rules of SPDX 2.3, clauses 6 to 11, that bear on such a document."""
    identifier = re.compile(r"SPDXRef-[A-Za-z0-9.-]+")
    check(document["spdxVersion"] == "SPDX-2.3", "spdxVersion")
    check(document["dataLicense"] == "CC0-1.0", "dataLicense")
    check(document["SPDXID"] == "SPDXRef-DOCUMENT", "SPDXID")
    check(bool(document["name"]), "name")
    check(re.fullmatch(r"https://[^#]+", document["documentNamespace"]), "documentNamespace")
    created = document["creationInfo"]["created"]
    check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created), f"created {created}")
    for creator in document["creationInfo"]["creators"]:
        check(re.match(r"(Person|Organization|Tool): \S", creator), f"creator {creator}")
    elements = document["packages"] + document["files"]
    names = [one["SPDXID"] for one in elements] + ["SPDXRef-DOCUMENT"]
    check(len(names) == len(set(names)), "an SPDXID occurs twice")
    for name in names:
        check(identifier.fullmatch(name), f"SPDXID {name}")
    for package in document["packages"]:
        for field in ("name", "versionInfo", "downloadLocation", "licenseConcluded",
                      "licenseDeclared", "copyrightText", "filesAnalyzed"):
            check(field in package, f"{package['name']} has no {field}")
        check(package.get("versionInfo") != "NOASSERTION", f"{package['name']} has no version")
        for reference in package.get("externalRefs", []):
            check(re.fullmatch(r"pkg:deb/debian/[a-z0-9%.A-Z-]+@[0-9A-Za-z.%~-]+\?arch=source",
                               reference["referenceLocator"]), str(reference))
    for relation in document["relationships"]:
        for end in ("spdxElementId", "relatedSpdxElement"):
            check(relation[end] in names, f"a relationship names {relation[end]}")
    own = document["packages"][0]
    sha1 = document["files"][0]["checksums"][0]["checksumValue"]
    check(own["packageVerificationCode"]["packageVerificationCodeValue"]
          == hashlib.sha1(sha1.encode()).hexdigest(), "packageVerificationCode")


def check_program(document):
    bytes_of_program = PROGRAM.read_bytes()
    sums = {one["algorithm"]: one["checksumValue"] for one in document["files"][0]["checksums"]}
    check(sums == {"SHA1": hashlib.sha1(bytes_of_program).hexdigest(),
                   "SHA256": hashlib.sha256(bytes_of_program).hexdigest()}, "checksums")


def check_complete(document):
    """Every Debian package that a header or an archive came from is named."""
    objects = output("ninja", "-C", str(BUILD), "-t", "inputs", "kubelet-sysctl").split()
    used = {path for path in objects if path.startswith("/usr/") and path.endswith(".a")}
    take = False
    for line in output("ninja", "-C", str(BUILD), "-t", "deps").splitlines():
        if line and not line.startswith(" "):
            take = line.startswith("src/")
        elif take and line.strip().startswith("/usr/"):
            used.add(os.path.realpath(line.strip()))
    # The archives that the compiler adds by itself to a static program of C++.
    compiler = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", (BUILD / "CMakeCache.txt").read_text(),
                         re.MULTILINE).group(1)
    for name in ("libstdc++.a", "libgcc.a", "libgcc_eh.a", "libc.a", "crt1.o", "crtbeginT.o"):
        used.add(os.path.realpath(output(compiler, f"-print-file-name={name}").strip()))
    owners = set()
    for line in output("dpkg-query", "--search", *sorted(used)).splitlines():
        owners.update(one.split(":")[0] for one in line.split(": ")[0].split(", "))
    check(len(used) > 100 and len(owners) > 5, f"hardly anything was built from: {owners}")
    named = {package["comment"].split()[2] for package in document["packages"][1:]}
    check(owners <= named, f"built from and not named: {sorted(owners - named)}")
    check(named <= owners, f"named and not built from: {sorted(named - owners)}")


def main():
    lists = list(PACKAGES.glob("*.spdx.json"))
    if not lists:
        skip(f"no list of components in '{PACKAGES}': tests/packages/make.sh makes it")
    document = json.loads(lists[0].read_text())
    check_form(document)
    check_program(document)
    check_complete(document)
    for failure in failures:
        print(f"FAILED {failure}", file=sys.stderr)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
