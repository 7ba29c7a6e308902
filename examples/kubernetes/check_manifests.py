#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# What the manifests of this directory must hold for '--host' to work and for nothing more to be given away.
#
#   check_manifests.py                   checks them, and that the checks can fail
#   check_manifests.py --args FILE       the arguments of the program in FILE, one a line
#   check_manifests.py --data FILE KEY   a text of the ConfigMap in FILE
import copy
import pathlib
import sys

import yaml

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = "registry.example.com/kubelet-sysctl:"


def documents(name):
    return [one for one in yaml.safe_load_all((HERE / name).read_text()) if one]


def of_kind(found, kind):
    return [one for one in found if one["kind"] == kind]


def pod_of(found):
    return next(one for one in found if one["kind"] in ("DaemonSet", "Job"))["spec"]["template"]["spec"]


def containers(pod):
    return pod.get("initContainers", []) + pod["containers"]


def program_of(pod):
    return next(one for one in containers(pod) if one["image"].startswith(PROGRAM))


def faults(found):
    """Why a pod of these documents would not do its work, or would be given more than it needs."""
    pod = pod_of(found)
    program = program_of(pod)
    context = program["securityContext"]
    args = program["args"]
    wrong = []

    def need(holds, what):
        if not holds:
            wrong.append(what)

    # Without these the kernel does not let the program in.
    need(pod.get("hostPID") is True, "hostPID")
    added = {"drop": ["ALL"], "add": ["SYS_ADMIN", "SYS_PTRACE", "SYS_CHROOT"]}
    need(context.get("capabilities") == added, "capabilities")
    for field in ("seccompProfile", "appArmorProfile"):
        need(context.get(field) == {"type": "Unconfined"}, field)
    need(context.get("runAsUser") == 0, "runAsUser")
    need("--host" in args, "--host")
    need("command" not in program, "command")
    # A run that is stopped needs the time of a restart and of the way back.
    need(pod.get("terminationGracePeriodSeconds", 30) >= 300, "terminationGracePeriodSeconds")
    # These it does not need.
    need("privileged" not in context, "privileged")
    need(pod.get("automountServiceAccountToken") is False, "automountServiceAccountToken")
    need(pod.get("serviceAccountName") == "kubelet-sysctl", "serviceAccountName")
    need(not pod.get("hostNetwork") and not pod.get("hostIPC"), "hostNetwork")
    need(all("hostPath" not in one for one in pod.get("volumes", [])), "hostPath")
    need(context.get("readOnlyRootFilesystem") is True, "readOnlyRootFilesystem")
    for one in containers(pod):
        need(one["resources"]["limits"].get("memory"), "memory")
        if one is not program:
            other = one["securityContext"]
            need(not other.get("privileged") and other.get("runAsNonRoot") is True, "other privileged")
            need(other["capabilities"] == {"drop": ["ALL"]}, "other capabilities")
    # A file of the command line is one that is mounted.
    if "-f" in args:
        mounts = [one["mountPath"] for one in program["volumeMounts"]]
        need(str(pathlib.Path(args[args.index("-f") + 1]).parent) in mounts, "-f")
    for one in of_kind(found, "DaemonSet"):
        strategy = one["spec"]["updateStrategy"]
        need(strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}, "strategy")
        need(one["spec"].get("minReadySeconds", 0) > 0, "minReadySeconds")
        need(program in pod["initContainers"], "initContainers")
        labels = one["spec"]["template"]["metadata"]["labels"]
        need(one["spec"]["selector"]["matchLabels"].items() <= labels.items(), "selector")
    for one in of_kind(found, "Job"):
        need(one["spec"].get("backoffLimit") == 0 and pod.get("restartPolicy") == "Never", "one try")
        need("nodeName" in pod, "nodeName")
        need("activeDeadlineSeconds" not in one["spec"], "activeDeadlineSeconds")
    return wrong


def changed(found, change):
    other = copy.deepcopy(found)
    change(other, pod_of(other), program_of(pod_of(other)))
    return other


# Each of these takes something away, or gives something away, and must be found.
BREAKS = {
    "hostPID": lambda found, pod, program: pod.pop("hostPID"),
    "privileged": lambda found, pod, program: program["securityContext"].update(privileged=True),
    "capabilities": lambda found, pod, program: program["securityContext"]["capabilities"]["add"].pop(),
    "seccompProfile": lambda found, pod, program: program["securityContext"].pop("seccompProfile"),
    "appArmorProfile": lambda found, pod, program: program["securityContext"].pop("appArmorProfile"),
    "runAsUser": lambda found, pod, program: program["securityContext"].update(runAsUser=1000),
    "--host": lambda found, pod, program: program["args"].remove("--host"),
    "terminationGracePeriodSeconds": lambda found, pod, program: pod.pop("terminationGracePeriodSeconds"),
    "automountServiceAccountToken": lambda found, pod, program: pod.pop("automountServiceAccountToken"),
    "hostNetwork": lambda found, pod, program: pod.update(hostNetwork=True),
    "hostPath": lambda found, pod, program: pod.setdefault("volumes", []).append({"hostPath": {"path": "/"}}),
}


def check():
    namespace = documents("namespace.yaml")
    labels = of_kind(namespace, "Namespace")[0]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "privileged", labels
    assert of_kind(namespace, "ServiceAccount")[0]["automountServiceAccountToken"] is False
    for name in ("daemonset.yaml", "job.yaml"):
        found = documents(name)
        assert faults(found) == [], f"{name}: {faults(found)}"
        for what, change in BREAKS.items():
            assert what in faults(changed(found, change)), f"{name} without '{what}' was not noticed"
        for one in found:
            assert one["metadata"]["namespace"] == "kubelet-sysctl", f"{name}: {one['metadata']}"
    assert "--dry-run" in program_of(pod_of(documents("daemonset.yaml")))["args"], "the first roll-out only looks"
    lines = [line for line in (HERE / "Containerfile").read_text().splitlines() if not line.startswith("#")]
    assert lines[:3] == ["FROM scratch", "COPY kubelet-sysctl /kubelet-sysctl",
                         'ENTRYPOINT ["/kubelet-sysctl"]'], lines
    print("manifests: hold what '--host' needs, and give away no more")


if sys.argv[1:2] == ["--args"]:
    print("\n".join(program_of(pod_of(documents(sys.argv[2])))["args"]))
elif sys.argv[1:2] == ["--data"]:
    print(of_kind(documents(sys.argv[2]), "ConfigMap")[0]["data"][sys.argv[3]], end="")
else:
    check()
