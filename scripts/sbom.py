#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The software bill of materials of the static program, SPDX 2.3 in JSON, and its components' notices.

    scripts/sbom.py --program FILE --version X --build DIR --compiler PATH --sbom FILE --notices FILE

Versions are those of the Debian packages that the build in DIR took its headers and archives from. The
same program and packages give the same bytes: the time is SOURCE_DATE_EPOCH.
"""
import argparse
import datetime
import hashlib
import json
import os
import pathlib
import subprocess

NOWHERE = "NOASSERTION"
# Name, license, home, packages (the second one where the program is cross-built), and how it gets in.
COMPONENTS = [
    ("libyaml", "MIT", "https://github.com/yaml/libyaml", ["libyaml-dev"]),
    ("fmt", "MIT", "https://github.com/fmtlib/fmt", ["libfmt-dev"]),
    ("spdlog", "MIT", "https://github.com/gabime/spdlog", ["libspdlog-dev"]),
    ("CLI11", "BSD-3-Clause", "https://github.com/CLIUtils/CLI11", ["libcli11-dev"]),
    ("nlohmann-json", "MIT", "https://github.com/nlohmann/json", ["nlohmann-json3-dev"]),
    ("libstdc++", "GPL-3.0-or-later WITH GCC-exception-3.1", "https://gcc.gnu.org",
     ["libstdc++-{gcc}-dev", "libstdc++-{gcc}-dev-arm64-cross"]),
    ("libgcc", "GPL-3.0-or-later WITH GCC-exception-3.1", "https://gcc.gnu.org",
     ["libgcc-{gcc}-dev", "libgcc-{gcc}-dev-arm64-cross"]),
    ("glibc", "LGPL-2.1-or-later", "https://www.gnu.org/software/libc/",
     ["libc6-dev", "libc6-dev-arm64-cross"]),
    ("linux-headers", "GPL-2.0-only WITH Linux-syscall-note", "https://www.kernel.org",
     ["linux-libc-dev", "linux-libc-dev-arm64-cross"]),
]


def cache_of(build):
    """Variables of CMake's cache: KEY -> value."""
    rows = {}
    for line in (build / "CMakeCache.txt").read_text().splitlines():
        key, found, value = line.partition("=")
        if found and not line.startswith(("#", "//")):
            rows[key.split(":")[0]] = value
    return rows


def fetched_packages(cache):
    """What scripts/arm64-libraries.sh unpacked: name -> (version, source, source version)."""
    listed = pathlib.Path(cache.get("KUBELET_SYSCTL_ARM64_LIBRARIES", "")) / "packages"
    if "KUBELET_SYSCTL_ARM64_LIBRARIES" not in cache or not listed.exists():
        return {}
    return {row[0]: tuple(row[1:]) for row in map(str.split, listed.read_text().splitlines())}


def installed_package(name):
    """(version, source, source version) of a package of this machine, or None."""
    form = "${db:Status-Status} ${Version} ${source:Package} ${source:Version}"
    try:
        words = subprocess.run(["dpkg-query", "--show", "--showformat", form, name], text=True,
                               capture_output=True, check=True).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        return None
    return tuple(words[1:]) if words and words[0] == "installed" else None


def notice_of(name, cache):
    """The copyright file of a package."""
    for root in (cache.get("KUBELET_SYSCTL_ARM64_LIBRARIES", ""), "/"):
        path = pathlib.Path(root) / "usr/share/doc" / name / "copyright"
        if path.exists():
            return path.read_text(encoding="utf-8", errors="replace")
    return f"No copyright file of the package {name} was there when this program was built.\n"


def components_of(build, compiler):
    """(row of the table, package, its versions, its notice) of each."""
    cache = cache_of(build)
    cross = "aarch64-linux-gnu" in compiler
    gcc = subprocess.run([compiler, "-dumpversion"], text=True, check=True,
                         capture_output=True).stdout.split(".")[0].strip()
    fetched = fetched_packages(cache)
    for row in COMPONENTS:
        package = row[3][-1 if cross else 0].format(gcc=gcc)
        versions = fetched.get(package) or installed_package(package) or (NOWHERE,) * 3
        yield row, package, versions, notice_of(package, cache)


def identifier(name):
    return "SPDXRef-Package-" + name.replace("+", "p")


def package_entry(row, package, versions):
    name, license_name, home, _ = row
    version, source, source_version = versions
    upstream = version.split(":")[-1].split("-")[0].split("+")[0]
    entry = {
        "SPDXID": identifier(name),
        "name": name,
        "versionInfo": upstream,
        "supplier": "Organization: Debian",
        "homepage": home,
        "downloadLocation": NOWHERE,
        "filesAnalyzed": False,
        "licenseConcluded": NOWHERE,
        "licenseDeclared": license_name,
        "copyrightText": NOWHERE,
        "comment": f"Debian package {package} {version}, source {source} {source_version}",
    }
    if source != NOWHERE:
        escaped = source_version.replace(":", "%3A").replace("+", "%2B").replace("~", "%7E")
        entry["externalRefs"] = [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{source.replace('+', '%2B')}@{escaped}?arch=source",
        }]
    return entry


def document(program, version, parts):
    sha1 = hashlib.sha1(program).hexdigest()
    sha256 = hashlib.sha256(program).hexdigest()
    made = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]),
                                           datetime.timezone.utc)
    sums = [{"algorithm": "SHA1", "checksumValue": sha1},
            {"algorithm": "SHA256", "checksumValue": sha256}]
    own = {
        "SPDXID": identifier("kubelet-sysctl"),
        "name": "kubelet-sysctl",
        "versionInfo": version,
        "supplier": NOWHERE,
        "downloadLocation": NOWHERE,
        "filesAnalyzed": True,
        "packageVerificationCode": {
            # SPDX 2.3, 7.9: the SHA1 of the sorted SHA1s of the files, of which there is one.
            "packageVerificationCodeValue": hashlib.sha1(sha1.encode()).hexdigest()},
        "licenseConcluded": NOWHERE,
        "licenseDeclared": "Apache-2.0",
        "licenseInfoFromFiles": [NOWHERE],
        "copyrightText": NOWHERE,
        "primaryPackagePurpose": "APPLICATION",
    }
    file = {
        "SPDXID": "SPDXRef-File-kubelet-sysctl",
        "fileName": "./usr/bin/kubelet-sysctl",
        "fileTypes": ["BINARY"],
        "checksums": sums,
        "licenseConcluded": NOWHERE,
        "licenseInfoInFiles": [NOWHERE],
        "copyrightText": NOWHERE,
    }
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", own["SPDXID"]),
                 (own["SPDXID"], "CONTAINS", file["SPDXID"])]
    relations += [(file["SPDXID"], "STATIC_LINK", identifier(part[0][0])) for part in parts]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"kubelet-sysctl-{version}",
        "documentNamespace": f"https://kubelet-sysctl.invalid/spdx/kubelet-sysctl-{version}-{sha256}",
        "creationInfo": {
            "created": made.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Tool: kubelet-sysctl-scripts-sbom", "Organization: kubelet-sysctl"],
        },
        "packages": [own] + [package_entry(*part[:3]) for part in parts],
        "files": [file],
        "relationships": [{"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
                          for one, kind, other in relations],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("program", "version", "build", "compiler", "sbom", "notices"):
        parser.add_argument("--" + name, required=True)
    options = parser.parse_args()
    parts = list(components_of(pathlib.Path(options.build), options.compiler))
    program = pathlib.Path(options.program).read_bytes()
    with open(options.sbom, "w", encoding="utf-8") as file:
        json.dump(document(program, options.version, parts), file, indent=1)
        file.write("\n")
    with open(options.notices, "w", encoding="utf-8") as file:
        for row, package, _, notice in parts:
            file.write(f"{'=' * 78}\n{row[0]} (Debian package {package})\n{'=' * 78}\n{notice}\n")


if __name__ == "__main__":
    main()
