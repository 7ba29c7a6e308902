#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A kubelet that ends soon after it took the new list, at once or after a second, is rolled back.
. "$(dirname "$0")/../../lib.sh"
needs_stand_in
needs_tool
file=/etc/sysconfig/kubelet
node_up kops
keep $file

for delay in 0 1000; do
  node_settings "exit_after_ms=$delay" exit_code=7 only_when_list_contains=kernel.sem \
    'exit_message="Failed to start cAdvisor" err="no such device"'
  assert_exit 4 tool add kernel.sem --window 2s --timeout 20s
  cat "$OUT" "$ERR" >"$E2E_TMP/said"
  assert_contains "$E2E_TMP/said" 'Failed to start cAdvisor'
  assert_same_bytes "$(kept $file)" "$(node_path $file)"
  assert_eq net.core.somaxconn,net.ipv4.tcp_tw_reuse "$(kubelet_flag)" "exit after $delay ms"
  assert_eq ok "$(kubelet_health)"
done
