#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# On a kOps node an entry joins the flag in DAEMON_ARGS, is seen live, is not added twice, and goes
# with undo: every time the process agrees and no other byte of the file moves.
. "$(dirname "$0")/../../lib.sh"
needs_tool
file=/etc/sysconfig/kubelet
node_up kops
chmod 0640 "$(node_path $file)"
keep $file
old_pid=$(kubelet_pid)

assert_exit 0 tool add 'kernel.msg*' net.core.somaxconn --window 1s -o json
assert_eq applied "$(json 'd["outcome"]')"
assert_eq true "$(json 'd["changed"]')"
assert_eq '["net.core.somaxconn", "net.ipv4.tcp_tw_reuse", "kernel.msg*"]' "$(json 'd["after"]')"
assert_eq "$(kubelet_pid)" "$(json 'd["evidence"]["pid"]')"
new_list='net.core.somaxconn,net.ipv4.tcp_tw_reuse,kernel.msg*'
assert_eq "$new_list" "$(kubelet_flag)" "the command line of systemd's main process"
[ "$(kubelet_pid)" != "$old_pid" ] || fail "the kubelet was not restarted"
assert_eq ok "$(kubelet_health)"
sed 's/\(net.ipv4.tcp_tw_reuse\) /\1,kernel.msg* /' "$(kept $file)" >"$E2E_TMP/expected"
assert_same_bytes "$E2E_TMP/expected" "$(node_path $file)"
assert_eq "640 0:0" "$(stat -c '%a %u:%g' "$(node_path $file)")"

# Nothing to do: success, no write, no restart.
cp "$(kept $file)" "$E2E_TMP/original"
keep $file
pid=$(kubelet_pid)
starts=$(kubelet_starts)
assert_exit 0 tool add 'kernel.msg*' net.core.somaxconn -o json
assert_eq unchanged "$(json 'd["outcome"]')"
assert_eq false "$(json 'd["changed"]')"
assert_exit 77 tool add --unchanged-exit-77 net.core.somaxconn
assert_kept $file
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process"
assert_eq "$starts" "$(kubelet_starts)" "starts of the kubelet"

assert_exit 0 tool undo --window 1s -o json
assert_eq applied "$(json 'd["outcome"]')"
assert_eq true "$(json 'd["changed"]')"
assert_same_bytes "$E2E_TMP/original" "$(node_path $file)"
assert_eq net.core.somaxconn,net.ipv4.tcp_tw_reuse "$(kubelet_flag)"
assert_eq ok "$(kubelet_health)"
