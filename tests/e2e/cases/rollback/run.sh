#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A kubelet that dies late of a forced entry gets its old list back: the old bytes, a healthy
# process with them, exit 4, and the kubelet's own reason on the screen.
. "$(dirname "$0")/../../lib.sh"
needs_tool
file=/etc/sysconfig/kubelet
node_up kops
keep $file

assert_exit 4 tool add --force vm.max_map_count --window 2s
cat "$OUT" "$ERR" >"$E2E_TMP/said"
assert_contains "$E2E_TMP/said" 'are not known to be namespaced'
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_eq net.core.somaxconn,net.ipv4.tcp_tw_reuse "$(kubelet_flag)"
assert_eq ok "$(kubelet_health)" "health at the moment the tool ended"
# The bad list was really tried: that is what the test is about.
grep -q ' .*vm.max_map_count' "$(node_path /run/fake-kubelet.starts)" || fail "it was never tried"

assert_exit 4 tool add --force vm.max_map_count --window 2s -o json
assert_eq rolled-back "$(json 'd["outcome"]')"
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_eq ok "$(kubelet_health)"
