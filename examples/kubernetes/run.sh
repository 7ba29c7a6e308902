#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks the manifests, then runs what they run: the program alone in a container on a booted node.
#
#   sudo examples/kubernetes/run.sh
#
# Exit code 77 means that this machine cannot boot a node; it says why. There is no cluster here: that
# the API server takes the manifests is not shown.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../tests/e2e/lib.sh"
. "$E2E_DIR/containers.sh"
needs_tool
/usr/bin/python3 -c 'import yaml' 2>/dev/null || skip "PyYAML is missing (package python3-yaml)"
manifest() { /usr/bin/python3 "$here/check_manifests.py" "$@"; }
manifest

file=/etc/sysconfig/kubelet
node_new kops kops "$here/../nodes/kops"
image_new
node_boot
node_start
keep $file
pid=$(kubelet_pid)

# in_pod ARGS...: the arguments of a manifest, printed and run in a container, watched for a second.
in_pod() {
  echo "\$ kubelet-sysctl $*"
  assert_exit 0 pod --mount /run/config:/config -- "$@" --window 1s
  cat "$OUT" "$ERR"
}
mkdir -p "$(node_path /run/config)"
manifest --data job.yaml entries >"$(node_path /run/config/entries)"

# The DaemonSet as it is looks and changes nothing; its update changes the node; once more, as when
# the pod is regenerated, there is nothing to do.
mapfile -t args < <(manifest --args daemonset.yaml)
in_pod "${args[@]}"
assert_contains "$OUT" '+ --allowed-unsafe-sysctls=net.core.somaxconn'
assert_kept $file
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process after the first roll-out"
mapfile -t args < <(manifest --args daemonset.yaml | grep -vx -e --dry-run)
in_pod "${args[@]}"
assert_eq 'net.core.somaxconn,kernel.msg*' "$(kubelet_flag)" "the flag of the running kubelet"
pid=$(kubelet_pid)
in_pod "${args[@]}"
assert_contains "$OUT" unchanged
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process after the third run"

# The Job: back to the start, then its list from the ConfigMap.
in_pod undo --host
assert_same_bytes "$(kept $file)" "$(node_path $file)"
mapfile -t args < <(manifest --args job.yaml)
in_pod "${args[@]}"
assert_eq 'net.core.somaxconn,kernel.msg*' "$(kubelet_flag)" "the flag of the running kubelet"

echo "kubernetes: DaemonSet and Job did on the node what they should"
