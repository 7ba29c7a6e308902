#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# On a k0s worker the kubelet is a child of the unit's main process, and its configuration is written again at every
# start: a list joins the extra arguments in the unit, with what the profile sets, and goes without a trace.
. "$(dirname "$0")/../../lib.sh"
. "$E2E_DIR/hosts.sh"
needs_tool
needs_stand_in
file=/etc/systemd/system/k0sworker.service
node_new k0s
stand_in_k0s
node_boot
host_start k0sworker.service
node_wait_healthy
cp "$(node_path $file)" "$E2E_TMP/original"

assert_exit 0 tool show -o json
assert_eq k0s "$(json 'd["node"]["kind"]')"
assert_eq '["net.core.somaxconn"]' "$(json '[e["entry"] for e in d["configured"]["entries"]]')"
# The configuration is younger than k0s and as old as the kubelet: k0s names the process in a file right after.
assert_eq '["net.core.somaxconn"]' "$(json 'd["running"]["entries"]')"
assert_exit 77 tool add --unchanged-exit-77 net.core.somaxconn
assert_exit 3 tool add kernel.sem --via config
assert_contains "$ERR" "rewrites it at every start"

assert_exit 0 tool add 'kernel.msg*' --window 1s -o json
assert_eq applied "$(json 'd["outcome"]')"
assert_eq true "$(json 'd["evidence"]["argv"]')"
assert_eq "$(host_pid)" "$(json 'd["evidence"]["pid"]')"
assert_eq 'net.core.somaxconn,kernel.msg*' "$(kubelet_list)" "the list the kubelet read"
assert_eq '--allowed-unsafe-sysctls=net.core.somaxconn,kernel.msg*' "$(host_argv | grep allowed)"
sed 's/node-ip=192.0.2.71/&\\x20--allowed-unsafe-sysctls=net.core.somaxconn,kernel.msg*/' "$E2E_TMP/original" \
  >"$E2E_TMP/expected"
assert_same_bytes "$E2E_TMP/expected" "$(node_path $file)"
assert_eq no "$(node_run systemctl show k0sworker.service -p NeedDaemonReload --value)"
assert_exit 77 tool add --unchanged-exit-77 'kernel.msg*'

assert_exit 4 tool add --force vm.swappiness --window 1s --timeout 20s
assert_same_bytes "$E2E_TMP/expected" "$(node_path $file)"
assert_eq 'net.core.somaxconn,kernel.msg*' "$(kubelet_list)"

assert_exit 0 tool undo --window 1s
assert_same_bytes "$E2E_TMP/original" "$(node_path $file)"
assert_eq net.core.somaxconn "$(kubelet_list)"
