#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An entry joins the list of config.yaml in the file's own style; comments and order stay.
. "$(dirname "$0")/../../lib.sh"
needs_tool
file=/var/lib/kubelet/config.yaml
node_up kubeadm-deb
keep $file

assert_exit 0 tool add --via config net.ipv4.tcp_max_syn_backlog --window 1s
assert_eq 'net.core.somaxconn,kernel.shm*,net.ipv4.tcp_max_syn_backlog' "$(kubelet_list)"
assert_eq "" "$(kubelet_flag)" "the flag"
assert_eq ok "$(kubelet_health)"
sed "s/^- 'kernel.shm\*' .*/&\n- net.ipv4.tcp_max_syn_backlog/" "$(kept $file)" >"$E2E_TMP/expected"
assert_eq 1 "$(diff "$(kept $file)" "$E2E_TMP/expected" | grep -c '^>')" "lines to be added"
assert_same_bytes "$E2E_TMP/expected" "$(node_path $file)"

pid=$(kubelet_pid)
assert_exit 77 tool add --via config --unchanged-exit-77 net.ipv4.tcp_max_syn_backlog
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process"

assert_exit 0 tool undo --window 1s
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_eq 'net.core.somaxconn,kernel.shm*' "$(kubelet_list)"
assert_eq ok "$(kubelet_health)"
