#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A run that is killed after its write leaves a node that the next one can put right: file and
# process agree again, on the old list or the new one.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
file=/etc/sysconfig/kubelet
node_up kops
keep $file
node_settings health_delay_ms=3000

node_run sh -c 'echo $$ >/run/first.pid; exec kubelet-sysctl add kernel.sem --window 1s' \
  >"$E2E_TMP/first" 2>&1 &
first=$!
is_written() { grep -q kernel.sem "$(node_path $file)"; }
wait_until 10 is_written || fail "the run wrote nothing: $(cat "$E2E_TMP/first")"
node_run kill -KILL "$(cat "$(node_path /run/first.pid)")"
assert_exit 137 wait "$first"
node_settings

assert_exit 0 tool recover --window 1s
on_disk=$(sed -n 's/.*--allowed-unsafe-sysctls=\([^ ]*\) .*/\1/p' "$(node_path $file)")
case $on_disk in
  net.core.somaxconn,net.ipv4.tcp_tw_reuse)
    assert_same_bytes "$(kept $file)" "$(node_path $file)"
    ;;
  net.core.somaxconn,net.ipv4.tcp_tw_reuse,kernel.sem) ;;
  *) fail "the file holds neither the old list nor the new one: '$on_disk'" ;;
esac
assert_eq "$on_disk" "$(kubelet_flag)" "the process and the file"
assert_eq ok "$(kubelet_health)"
# Nothing is left to recover, and the verbs work.
assert_exit 0 tool add kernel.sem --window 1s
assert_eq net.core.somaxconn,net.ipv4.tcp_tw_reuse,kernel.sem "$(kubelet_flag)"
