#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The kubelet is a child of rke2, which starts it again and again: what counts is the child's own arguments, and
# a list that ends it is taken back with the words of the kubelet's own log.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
export NODE_UNIT=rke2-agent.service
file=/etc/rancher/rke2/config.yaml
# The kubelet's words, one a line.
child_argv() {
  local pid
  pid=$(tail -n 1 "$(node_path /run/fake-kubelet.starts)" | cut -d ' ' -f 1)
  tr '\0' '\n' <"$(node_path "/proc/$pid/cmdline")"
}
node_up rke2
keep $file

assert_exit 0 tool show
cp "$OUT" "$E2E_TMP/rke2-show"
assert_exit 0 tool show -o json
assert_eq rke2 "$(json 'd["node"]["kind"]')"
assert_eq argv "$(json 'd["running"]["evidence"]')"
assert_eq false "$(json 'd["drift"]')"
parent=$(kubelet_pid)
[ "$(json 'd["running"]["pid"]')" != "$parent" ] || fail "the pid is that of rke2"

assert_exit 0 tool add net.ipv4.tcp_dsack --window 500ms
child_argv | grep -qx -e \
  '--allowed-unsafe-sysctls=net.core.somaxconn,net.ipv4.tcp_keepalive_time,net.ipv4.tcp_dsack' ||
  fail "the child runs with other arguments"
assert_contains "$(node_path $file)" 'net.ipv4.tcp_dsack"   # OPS-2093'
assert_exit 0 tool undo --window 500ms
assert_same_bytes "$(kept $file)" "$(node_path $file)"

# A loop of changing pids below a unit that stays up.
assert_exit 4 tool add --force vm.max_map_count --window 2s
cat "$OUT" "$ERR" >"$E2E_TMP/said"
assert_contains "$E2E_TMP/said" 'are not known to be namespaced'
assert_same_bytes "$(kept $file)" "$(node_path $file)"
node_wait_healthy
assert_eq net.core.somaxconn,net.ipv4.tcp_keepalive_time "$(kubelet_list)"
grep -q vm.max_map_count "$(node_path /run/fake-kubelet.starts)" || fail "it was never tried"

# Without the flag: a drop-in of our own.
assert_exit 0 tool set --empty --window 500ms
assert_lacks "$(node_path $file)" allowed-unsafe-sysctls
assert_exit 0 tool add net.core.somaxconn --window 500ms
assert_eq net.core.somaxconn "$(kubelet_list)"
node_run test -e /var/lib/rancher/rke2/agent/etc/kubelet.conf.d/90-kubelet-sysctl.conf
