#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A run is killed with -9 in the middle of its change. The next command says so; `recover` finishes
# the change if the kubelet runs with it, and takes it back if the kubelet died of it.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
file=/etc/sysconfig/kubelet
list=net.core.somaxconn,net.ipv4.tcp_tw_reuse

# typed ARGS...: runs the program and shows it as on a screen.
typed() {
  echo "# kubelet-sysctl $*"
  tool "$@" || :
  cat "$ERR" "$OUT"
  [ "$STATUS" = 0 ] || echo "(exit $STATUS)"
  echo
  return "$STATUS"
}

# killed ARGS...: a run that is killed when its bytes are in the file and the kubelet is starting.
killed() {
  local starts
  starts=$(kubelet_starts)
  has_restarted() { [ "$(kubelet_starts)" -gt "$starts" ]; }
  echo "# kubelet-sysctl $* &"
  run_start "first" "$@"
  wait_until 10 has_restarted || fail "nothing was restarted: $(cat "$(run_said first)")"
  run_signal first KILL
  assert_exit 137 run_end first
  printf '# kill -9 %%1\n\n'
}

node_up kops
keep $file

echo "--- 1. the new list is good"
node_settings health_delay_ms=1500
killed add kernel.sem --window 1s
grep -q "$list,kernel.sem " "$(node_path $file)" || fail "the new bytes are not in the file"
cp "$(node_path $file)" "$E2E_TMP/new"
pid=$(kubelet_pid)

assert_exit 0 typed show
assert_contains "$ERR" "was not finished"
assert_contains "$ERR" "kubelet-sysctl recover"
assert_exit 0 typed recover --dry-run
assert_same_bytes "$E2E_TMP/new" "$(node_path $file)"
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process after a dry run"
assert_exit 0 tool show
assert_contains "$ERR" "was not finished"

assert_exit 0 typed recover --window 1s
assert_same_bytes "$E2E_TMP/new" "$(node_path $file)"
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process, which runs with the new list already"
assert_eq "$list,kernel.sem" "$(kubelet_flag)"
assert_eq ok "$(kubelet_health)"
assert_exit 0 typed recover
cat "$OUT" "$ERR" >"$E2E_TMP/said"
assert_contains "$E2E_TMP/said" "nothing to recover"
assert_exit 0 tool undo --window 200ms
assert_same_bytes "$(kept $file)" "$(node_path $file)"

echo "--- 2. the kubelet dies of the new list"
node_settings
killed add --force vm.max_map_count --window 1s
assert_exit 0 typed show
assert_contains "$ERR" "was not finished"
assert_exit 0 typed recover --window 1s
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_eq "$list" "$(kubelet_flag)"
assert_eq ok "$(kubelet_health)"
assert_exit 0 typed recover
cat "$OUT" "$ERR" >"$E2E_TMP/said"
assert_contains "$E2E_TMP/said" "nothing to recover"

# A verb that changes does it by itself, first.
node_settings health_delay_ms=1500
killed add kernel.sem --window 1s
id=$(change_newest)
assert_exit 0 typed add 'kernel.msg*' --window 200ms
assert_contains "$ERR" "$id"
assert_eq confirmed "$(change_state "$id")"
assert_eq "$list,kernel.sem,kernel.msg*" "$(kubelet_flag)"
assert_eq ok "$(kubelet_health)"
assert_exit 0 tool show
assert_lacks "$ERR" "was not finished"
