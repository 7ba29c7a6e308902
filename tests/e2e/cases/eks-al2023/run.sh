#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# On an EKS node the list goes into a drop-in of our own that sorts last and repeats what was there,
# because nodeadm rewrites its own drop-in at every boot.
. "$(dirname "$0")/../../lib.sh"
needs_tool
directory=/etc/kubernetes/kubelet/config.json.d
vendor=$directory/40-nodeadm.conf
ours=$directory/90-kubelet-sysctl.conf
node_up eks-al2023
keep $vendor
keep /etc/kubernetes/kubelet/config.json
keep /etc/eks/kubelet/environment

assert_exit 0 tool add kernel.sem --window 1s -o json
assert_eq applied "$(json 'd["outcome"]')"
assert_eq net.core.somaxconn,kernel.sem "$(kubelet_list)" "the list the kubelet read"
assert_eq ok "$(kubelet_health)"
cp "$(node_path $ours)" "$OUT"
assert_eq "KubeletConfiguration of kubelet.config.k8s.io/v1beta1" \
  "$(json 'd["kind"] + " of " + d["apiVersion"]')"
assert_eq '["net.core.somaxconn", "kernel.sem"]' "$(json 'd["allowedUnsafeSysctls"]')"
assert_kept $vendor
assert_kept /etc/kubernetes/kubelet/config.json
assert_kept /etc/eks/kubelet/environment

assert_exit 77 tool add --unchanged-exit-77 kernel.sem

assert_exit 0 tool undo --window 1s
[ ! -e "$(node_path $ours)" ] || fail "undo left '$ours'"
assert_eq net.core.somaxconn "$(kubelet_list)"
assert_eq ok "$(kubelet_health)"
