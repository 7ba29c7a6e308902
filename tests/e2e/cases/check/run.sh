#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check before a user asks: entries against the installed kubelet, the next one and this kernel, pods
# against the gates; and the release of the kubelet, which its program is asked once for.
. "$(dirname "$0")/../../lib.sh"
needs_tool
node_new kops
echo v1.28.3 >"$NODE_ROOT/etc/fake-kubelet/version"
e2e_set_release v1.28.3 "$NODE_ROOT/usr/local/bin/kubelet"
node_boot
node_start
starts=$(kubelet_starts)

# Read from the file, and not asked: the stand-in says something else now, and its file is the same.
assert_exit 0 tool show
assert_contains "$OUT" "kubelet 1.28.3"
echo v1.20.2 >"$(node_path /etc/fake-kubelet/version)"
assert_exit 0 tool show -o json
assert_eq 1.28.3 "$(json 'd["node"]["kubeletVersion"]')"
assert_eq 600 "$(stat -c %a "$(node_path /run/kubelet-sysctl/kubelet-version)")" "mode of what is kept"
echo v1.28.3 >"$(node_path /etc/fake-kubelet/version)"

# Entries.
assert_exit 6 tool check net.core.somaxconn net.core.netdev_max_backlog kernel.shm_* vm.max_map_count \
  -o json
assert_eq good "$(json 'd["entries"][0]["verdict"]')"
assert_eq true "$(json 'd["entries"][0]["listed"]')"
assert_eq useless "$(json 'd["entries"][1]["verdict"]')"
assert_eq "fatal later" "$(json 'd["entries"][2]["verdict"]')"
assert_eq fatal "$(json 'd["entries"][3]["verdict"]')"
assert_eq "$(uname -r)" "$(json 'd["node"]["kernel"]')"
assert_exit 0 tool check net.core.somaxconn=1024 kernel.sem
assert_contains "$OUT" "kubelet-sysctl add kernel.sem"

# Pods: the one of the list, and one that shares the node's network.
cat >"$(node_path /root/pods.yaml)" <<'YAML'
apiVersion: v1
kind: Pod
metadata:
  name: unsafe
spec:
  securityContext:
    sysctls:
    - name: kernel.msgmax
      value: "65536"
---
apiVersion: v1
kind: Pod
metadata:
  name: host
spec:
  hostNetwork: true
  securityContext:
    sysctls:
    - name: net.core.somaxconn
      value: "1024"
YAML
assert_exit 6 tool check -f /root/pods.yaml -o json
assert_eq list "$(json 'd["pods"][0]["gate"]')"
assert_eq 'forbidden sysctl: "kernel.msgmax" not allowlisted' "$(json 'd["pods"][0]["reason"]')"
assert_eq '["kernel.msgmax"]' "$(json 'd["pods"][0]["add"]')"
assert_eq host-network "$(json 'd["pods"][1]["gate"]')"
assert_eq 'forbidden sysctl: "net.core.somaxconn" not allowed with host net enabled' \
  "$(json 'd["pods"][1]["reason"]')"
assert_eq "$starts" "$(kubelet_starts)" "starts of the kubelet"

# What only the next kubelet refuses is written, with a warning. After the upgrade it stops the change.
assert_exit 0 tool add 'kernel.shm_*' kernel.msgmax --window 1s
assert_contains "$ERR" "[stops-next-kubelet]"
assert_exit 6 tool check -f /root/pods.yaml -o json
assert_eq true "$(json 'd["pods"][0]["admitted"]')"
echo v1.29.6 >"$(node_path /etc/fake-kubelet/version)"
e2e_set_release v1.29.6 "$(node_path "$(kubelet_argv | head -n 1)")"
assert_exit 3 tool add kernel.sem
assert_contains "$ERR" "already holds 'kernel.shm_*', which stops the kubelet of this node (1.29.6)"
assert_exit 0 tool remove 'kernel.shm_*' --window 1s
