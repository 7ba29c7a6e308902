#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A kubelet that was healthy for five seconds and then ends inside the window is rolled back too.
. "$(dirname "$0")/../../lib.sh"
needs_stand_in
needs_tool
file=/etc/sysconfig/kubelet
node_new kops
node_settings exit_after_ms=5000 only_when_list_contains=kernel.sem
node_boot
node_start
keep $file

assert_exit 4 tool add kernel.sem --window 7s --timeout 20s
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_eq net.core.somaxconn,net.ipv4.tcp_tw_reuse "$(kubelet_flag)"
assert_eq ok "$(kubelet_health)"
