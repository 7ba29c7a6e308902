#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# With --host, a run in a container that holds nothing but the program does on the node what a run on
# the node does: its files, its systemd, its kubelet, its lock and its records.
. "$(dirname "$0")/../../lib.sh"
. "$E2E_DIR/containers.sh"
needs_tool
needs_stand_in
file=/etc/sysconfig/kubelet
list=net.core.somaxconn,net.ipv4.tcp_tw_reuse
node_new kops
image_new
node_boot
node_start
chmod 0640 "$(node_path $file)"
keep $file

# Without --host there is no node to be seen.
assert_exit 1 pod -- show
assert_exit 0 pod -- show --host -o json
assert_eq "$(kubelet_pid)" "$(json 'd["running"]["pid"]')" "the process id, a number of the node"
assert_eq true "$(json 'd["running"]["healthy"]')" "the health, which the node's loopback says"
moment='s/"startedAt":"[^"]*"//'
sed "$moment" "$OUT" >"$E2E_TMP/seen"
# On the node itself --host changes nothing.
for option in "" --host; do
  # shellcheck disable=SC2086
  node_run "$E2E_IMAGE/kubelet-sysctl" show -o json $option | sed "$moment" >"$E2E_TMP/expected"
  assert_same_bytes "$E2E_TMP/expected" "$E2E_TMP/seen"
done

# An image may have --host in its entry point.
assert_exit 0 pod -- --host check kernel.msgmax
assert_exit 0 pod -- --host --version
assert_exit 2 pod -- --host
assert_contains "$ERR" 'a command is missing'

# A change: -f is a file of the container, all else is of the node.
mkdir -p "$(node_path /run/config)"
echo 'kernel.msg* # for the queue' >"$(node_path /run/config/entries)"
pid=$(kubelet_pid)
assert_exit 0 pod --mount /run/config:/config -- \
  add --host -f /config/entries --window 500ms --reason 'ticket 1412' -o json
assert_eq applied "$(json 'd["outcome"]')"
assert_eq "$list,kernel.msg*" "$(kubelet_flag)" "the command line of systemd's main process"
assert_eq "$(kubelet_pid)" "$(json 'd["evidence"]["pid"]')"
[ "$(kubelet_pid)" != "$pid" ] || fail "the kubelet was not restarted"
sed 's/\(net.ipv4.tcp_tw_reuse\) /\1,kernel.msg* /' "$(kept $file)" >"$E2E_TMP/expected"
assert_same_bytes "$E2E_TMP/expected" "$(node_path $file)"
assert_eq "640 0:0" "$(stat -c '%a %u:%g' "$(node_path $file)")"

# The record is the node's, without the container's $SUDO_USER; so is the log.
node_run "$E2E_IMAGE/kubelet-sysctl" history -o json >"$OUT"
assert_eq 'ticket 1412' "$(json 'd["transactions"][-1]["reason"]')"
assert_lacks "$OUT" nobody
node_run journalctl -q -t kubelet-sysctl -o cat >"$OUT"
assert_contains "$OUT" 'kernel.msg*'
assert_exit 77 pod -- set --host net.core.somaxconn net.ipv4.tcp_tw_reuse 'kernel.msg*' \
  --unchanged-exit-77
assert_exit 0 pod -- undo --host --window 500ms -o json
assert_eq applied "$(json 'd["outcome"]')"
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_eq "$list" "$(kubelet_flag)"
assert_eq ok "$(kubelet_health)"

# Not privileged, but with the three capabilities beside those that a runtime gives anyway: enough.
assert_exit 0 pod --drop "2,9,11,12,$(seq -s , 14 17),20,$(seq -s , 22 26),28,30,$(seq -s , 32 40)" -- \
  add --host kernel.sem --window 0ms
assert_exit 0 pod -- undo --host --window 0ms
assert_eq "$list" "$(kubelet_flag)"

# A file that is not in the container: said before the node is entered, though the node has it.
keep $file
assert_exit 1 pod -- add --host -f $file
assert_contains "$ERR" "cannot read '$file': No such file or directory"
assert_kept $file
