#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# On a kubeadm node whose operator set the flag, an entry joins it in KUBELET_EXTRA_ARGS.
. "$(dirname "$0")/../../lib.sh"
needs_tool
file=/etc/sysconfig/kubelet
config=/var/lib/kubelet/config.yaml
node_up kubeadm-rpm
keep $file
keep $config

assert_exit 0 tool add net.core.somaxconn --window 1s
assert_eq 'kernel.msg*,kernel.sem,net.core.somaxconn' "$(kubelet_flag)"
assert_eq ok "$(kubelet_health)"
sed 's/kernel.sem"/kernel.sem,net.core.somaxconn"/' "$(kept $file)" >"$E2E_TMP/expected"
assert_same_bytes "$E2E_TMP/expected" "$(node_path $file)"
assert_kept $config

starts=$(kubelet_starts)
assert_exit 0 tool add net.core.somaxconn
assert_eq "$starts" "$(kubelet_starts)" "starts of the kubelet"

assert_exit 0 tool undo --window 1s
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_eq 'kernel.msg*,kernel.sem' "$(kubelet_flag)"
assert_eq ok "$(kubelet_health)"
