#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The places that name what the Ansible role and its module take agree with each other and the program.

The program is named by KUBELET_SYSCTL. Exit code 77 where PyYAML or the program is missing.
"""
import ast
import os
import pathlib
import re
import subprocess
import sys

SOURCE = pathlib.Path(__file__).parents[2]
COLLECTION = SOURCE / "examples/ansible/collection"
ROLE = COLLECTION / "roles/kubelet_sysctl"
MODULE = COLLECTION / "plugins/modules/kubelet_sysctl.py"
OLDEST_PYTHON = (3, 6)  # what the module's documentation promises for the nodes
PROGRAM = os.environ.get("KUBELET_SYSCTL", "build/static/kubelet-sysctl")
failed = False


def skip(why):
    print(f"skipped: {why}", file=sys.stderr)
    sys.exit(77)


def same(what, expected, seen):
    global failed
    if expected == seen:
        return
    failed = True
    print(f"FAILED {what}\n  expected: {expected}\n  seen:     {seen}", file=sys.stderr)


def literal(tree, name):
    """The value that the module gives this name, or the keyword argument of this name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return ast.literal_eval(node.value)
        if isinstance(node, ast.keyword) and node.arg == name:
            return ast.literal_eval(node.value)
    raise KeyError(name)


def facts(option):
    """What a reader must not be misled about: everything but the prose."""
    return {key: value for key, value in option.items() if key != "description"}


def options_of(verb):
    text = subprocess.run([PROGRAM, verb, "--help-all"], check=True, capture_output=True, text=True).stdout
    return dict(re.findall(r"(?m)^ +(?:-\w, )?--([a-z0-9-]+)(.*(?:\n {20,}.*)*)", text))


def main():
    try:
        import yaml
    except ImportError:
        skip("PyYAML is missing (package python3-yaml)")
    module = ast.parse(MODULE.read_text(), feature_version=OLDEST_PYTHON)
    version = re.search(r"(?m)^  VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text()).group(1)
    same("the version of the collection", version, yaml.safe_load((COLLECTION / "galaxy.yml").read_text())["version"])
    documented = yaml.safe_load(literal(module, "DOCUMENTATION"))["options"]
    spec = literal(module, "argument_spec")
    for name in documented.keys() | spec.keys():
        same(f"the module's documentation of '{name}'", facts(spec.get(name, {})),
             facts(documented.get(name, {})))

    role = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    same("the role's defaults", defaults,
         {name: option["default"] for name, option in role.items() if "default" in option})
    same("what the role passes on", {"kubelet_sysctl_" + name for name in spec.keys() - {"executable", "node"}},
         {name for name in role if not name.startswith(("kubelet_sysctl_binary", "kubelet_sysctl_path",
                                                        "kubelet_sysctl_canary"))})
    table = re.findall(r"(?m)^\| `(kubelet_sysctl_\w+)` \|", (ROLE / "README.md").read_text())
    same("the table of the role's README", list(role), table)

    if not os.access(PROGRAM, os.X_OK):
        skip(f"no program at '{PROGRAM}': build it")
    for verb in literal(module, "VERBS").values():
        options = options_of(verb)
        wanted = set(literal(module, "VALUES")) | {"no-restart", "dry-run", "output"}
        wanted |= {name.replace("_", "-") for name, verbs in literal(module, "PERMISSIONS").items() if verb in verbs}
        same(f"options that '{verb}' takes", set(), wanted - options.keys())
        for name in ("window", "timeout"):
            same(f"the default of '--{name}'", re.search(r"default: (\S+)\)", options[name]).group(1),
                 defaults["kubelet_sysctl_" + name])
    sys.exit(1 if failed else 0)


main()
