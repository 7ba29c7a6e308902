#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The metrics of every golden node parse; docs and alert rules name the metrics that exist."""
import os
import pathlib
import re
import subprocess
import sys

try:
    import yaml
    from prometheus_client.parser import text_string_to_metric_families
except ImportError as missing:
    print(f"skipped: {missing.name} is missing (python3-yaml, python3-prometheus-client)",
          file=sys.stderr)
    sys.exit(77)

source = pathlib.Path(__file__).resolve().parents[2]
program = os.environ.get("KUBELET_SYSCTL", source / "build/static/kubelet-sysctl")
if not os.access(program, os.X_OK):
    print(f"skipped: no program at '{program}': build it", file=sys.stderr)
    sys.exit(77)

faults = []


def expect(condition, message):
    if not condition:
        faults.append(message)


def metrics_of(root):
    run = subprocess.run([program, "show", "-o", "prometheus", "--root", root],
                         capture_output=True, check=False)
    text = run.stdout.decode("utf-8")
    families = list(text_string_to_metric_families(text))
    series = [(one.name, tuple(sorted(one.labels.items())))
              for family in families for one in family.samples]
    expect(len(series) == len(set(series)), f"{root}: two series have the same labels")
    for family in families:
        expect(family.documentation, f"{root}: {family.name} has no help")
        expect(family.type == "gauge", f"{root}: {family.name} is a {family.type}")
    values = {name: one.value for family in families for one in family.samples
              for name in [one.name] if not one.labels}
    failed = b"kubelet-sysctl: error:" in run.stderr
    expect(values.get("kubelet_sysctl_up") == (0 if failed else 1),
           f"{root}: kubelet_sysctl_up does not say how it ended ({run.returncode})")
    return {family.name for family in families}


seen = set()
roots = sorted(source.glob("tests/nodes/*/root"))
expect(roots, "there is no golden node")
for root in roots:
    seen |= metrics_of(root)
seen |= metrics_of(source / "tests/docs")  # no unit there: it fails, and says so

code = (source / "src/report/metrics.cpp").read_text()
known = {"kubelet_sysctl_" + name for name in re.findall(r'family\(\s*"([a-z_]+)"', code)}
expect(len(known) > 15 and seen <= known, f"not in the source: {sorted(seen - known)}")
page = (source / "docs/metrics.md").read_text()
documented = re.findall(r"^\| `(kubelet_sysctl_[a-z_]+)` \|", page, re.MULTILINE)
expect(sorted(documented) == sorted(known),
       f"docs/metrics.md and the program differ in {sorted(set(documented) ^ known)}")

rules = yaml.safe_load((source / "examples/prometheus/rules.yaml").read_text())
alerts = [rule for group in rules["groups"] for rule in group["rules"]]
expect(alerts, "there is no alert")
for rule in alerts:
    named = set(re.findall(r"kubelet_sysctl_[a-z_]+", rule["expr"]))
    expect(named and named <= known, f"{rule['alert']} asks for {sorted(named - known)}")
    expect({"severity"} <= rule["labels"].keys() and {"summary"} <= rule["annotations"].keys(),
           f"{rule['alert']} lacks a severity or a summary")

for fault in faults:
    print(f"FAILED {fault}", file=sys.stderr)
sys.exit(1 if faults else 0)
