#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A kubelet that runs and is not healthy is rolled back at the timeout: the port closed, open and
# silent, or answering 500.
. "$(dirname "$0")/../../lib.sh"
needs_stand_in
needs_tool
file=/etc/sysconfig/kubelet
node_up kops
keep $file

for trouble in never_healthy=1 health_hangs=1 health_status=500; do
  node_settings "$trouble" only_when_list_contains=kernel.sem
  begin=$(now_ms)
  assert_exit 4 tool add kernel.sem --window 1s --timeout 3s
  took=$(($(now_ms) - begin))
  [ "$took" -ge 3000 ] || fail "gave up after $took ms of a timeout of 3 s ($trouble)"
  assert_same_bytes "$(kept $file)" "$(node_path $file)"
  assert_eq net.core.somaxconn,net.ipv4.tcp_tw_reuse "$(kubelet_flag)" "$trouble"
  assert_eq ok "$(kubelet_health)"
done
