#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two runs at once: the second waits as long as it was reported and then leaves with 7, and the first is
# not disturbed.
. "$(dirname "$0")/../../lib.sh"
needs_tool
file=/etc/sysconfig/kubelet
node_up kops

node_run kubelet-sysctl add kernel.sem --window 4s >"$E2E_TMP/first" 2>&1 &
first=$!
is_written() { grep -q kernel.sem "$(node_path $file)"; }
wait_until 10 is_written || fail "the first run wrote nothing: $(cat "$E2E_TMP/first")"
keep $file
assert_exit 7 tool add 'kernel.msg*' --lock-timeout 1s
assert_kept $file
# Reading needs no lock.
assert_exit 0 tool show
assert_exit 0 wait "$first"
assert_eq net.core.somaxconn,net.ipv4.tcp_tw_reuse,kernel.sem "$(kubelet_flag)"

# The lock goes with its holder.
assert_exit 0 tool add 'kernel.msg*' --lock-timeout 1s --window 1s
assert_eq 'net.core.somaxconn,net.ipv4.tcp_tw_reuse,kernel.sem,kernel.msg*' "$(kubelet_flag)"
