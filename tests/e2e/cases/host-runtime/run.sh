#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same from a container that a real runtime made, crun, as a kubelet's runtime would for the pod of
# examples/kubernetes/daemonset.yaml; and what it says when a field of that manifest is missing.
. "$(dirname "$0")/../../lib.sh"
. "$E2E_DIR/containers.sh"
needs_tool
needs_stand_in
command -v crun >/dev/null || skip "crun is missing (package crun)"
node_new kops
image_new
node_boot
node_start

# The bundles: what the fields of a manifest become in an OCI configuration. "All" capabilities are those
# that the node's process 1 has.
mkdir -p "$(node_path /run/image)"/{proc,dev,sys}
cp "$(node_path "$E2E_IMAGE/kubelet-sysctl")" "$(node_path /run/image)"
bounds=$(node_run sed -n 's/^CapBnd:\t//p' /proc/1/status)
cat >"$(node_path /run/bundle.py)" <<'PYTHON'
import json, os, sys
bundle, bounds, privileged, host_pid, *args = sys.argv[1:]
NAMES = """CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
  NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT
  SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE
  AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ
  PERFMON BPF CHECKPOINT_RESTORE""".split()
# What containerd gives without privileged (oci/spec.go, defaultUnixCaps).
DEFAULT = """CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE
  SYS_CHROOT KILL AUDIT_WRITE""".split()
# "manifest": what examples/kubernetes adds after it dropped all.
HELD = {"no": DEFAULT, "manifest": "SYS_CHROOT SYS_PTRACE SYS_ADMIN".split()}
held = ["CAP_" + name for number, name in enumerate(NAMES)
        if int(bounds, 16) >> number & 1 and (privileged == "yes" or name in HELD[privileged])]
kinds = ["mount", "uts", "ipc", "network", "cgroup"] + ([] if host_pid == "yes" else ["pid"])
safe = ["nosuid", "noexec", "nodev"]
os.makedirs(bundle)
json.dump({
    "ociVersion": "1.0.2",
    "process": {"user": {"uid": 0, "gid": 0}, "args": ["/kubelet-sysctl", *args], "cwd": "/",
                "env": ["PATH=/nowhere"],
                "capabilities": {kind: held for kind in ("bounding", "effective", "permitted")}},
    "root": {"path": "/run/image", "readonly": True},
    "hostname": "pod-1",
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc", "options": safe},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": [*safe, "ro"]},
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]}],
    "linux": {"cgroupsPath": "/kubepods/pod-1/apply", "namespaces": [{"type": kind} for kind in kinds]},
}, open(bundle + "/config.json", "w"))
PYTHON

# crun_run yes|no|manifest HOST-PID ARGS...
count=0
crun_run() {
  local bundle=/run/bundle-$((++count))
  node_run /usr/bin/python3 /run/bundle.py $bundle "$bounds" "$@"
  STATUS=0
  node_run crun --cgroup-manager=cgroupfs run --bundle $bundle "pod-$count" >"$OUT" 2>"$ERR" ||
    STATUS=$?
  return "$STATUS"
}
list=net.core.somaxconn,net.ipv4.tcp_tw_reuse
for privileged in yes manifest; do
  assert_exit 0 crun_run $privileged yes show --host -o json
  assert_eq "$(kubelet_pid)" "$(json 'd["running"]["pid"]')"
  assert_exit 0 crun_run $privileged yes add --host kernel.sem --window 300ms
  assert_eq "$list,kernel.sem" "$(kubelet_flag)"
  assert_exit 0 crun_run $privileged yes undo --host --window 300ms
  assert_eq "$list" "$(kubelet_flag)"
done

assert_exit 1 crun_run yes no add --host kernel.sem
assert_contains "$ERR" "'hostPID: true'"
assert_exit 1 crun_run no yes add --host kernel.sem
assert_contains "$ERR" 'lacks CAP_SYS_PTRACE, CAP_SYS_ADMIN'
assert_contains "$ERR" "'privileged: true'"
assert_eq "$list" "$(kubelet_flag)"
