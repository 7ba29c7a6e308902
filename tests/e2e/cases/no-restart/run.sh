#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# --no-restart writes and says that it waits; the next run without it restarts and confirms.
. "$(dirname "$0")/../../lib.sh"
needs_tool
file=/etc/sysconfig/kubelet
node_up kops
pid=$(kubelet_pid)

assert_exit 0 tool add --no-restart kernel.sem -o json
assert_eq pending "$(json 'd["outcome"]')"
assert_eq true "$(json 'd["changed"]')"
assert_contains "$(node_path $file)" net.ipv4.tcp_tw_reuse,kernel.sem
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process"
assert_eq net.core.somaxconn,net.ipv4.tcp_tw_reuse "$(kubelet_flag)"

keep $file
assert_exit 0 tool add kernel.sem --window 1s -o json
assert_eq applied "$(json 'd["outcome"]')"
assert_kept $file
assert_eq net.core.somaxconn,net.ipv4.tcp_tw_reuse,kernel.sem "$(kubelet_flag)"
